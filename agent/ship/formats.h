/* formats.h - how a record looks to a receiver. */
#ifndef EVMEND_SHIP_FORMATS_H
#define EVMEND_SHIP_FORMATS_H

#include "base/buf.h"
#include "ship/sink.h"
#include "ship/view.h"

/* Writes one record behind what is in `to`: never a newline, no frame, at most `max` bytes (FORMAT_ANY: as many as it takes; no format
 * needs more than FORMAT_LEAST). What does not fit is left out or cut, never inside a character or an escape, and the record says so. Of
 * the configuration a format reads labels, app and hostname, nothing of the kind's own keys. */
typedef void format_fn(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to);
#define FORMAT_ANY ((size_t)-1)
#define FORMAT_LEAST 1024

struct format {
	const char *name;
	format_fn *write;
	const char *media; /* type of a body of one record */
	bool json;         /* one JSON object, so that it may stand inside another */
};

extern const struct format formats[]; /* ends with a row without name */
const struct format *format_find(const char *name); /* NULL: there is none */

/* What format_ndjson would write for this sink, without reading the record first: it is the record itself, most of the time. false: it is
 * not, and nothing was written. */
bool ndjson_as_is(const struct sink_config *c, const struct spool_record *r, struct buf *to);

/* The record's own JSON object, its labels and the sink's in "labels". A record above max: its members uid, kind, time, host, level, cause and
 * "truncated":true. */
format_fn format_ndjson;

/* RFC 5424: facility 13 (log audit; events of Windows: 10 for Security, else 16), HOSTNAME the host in question, MSGID the kind of record,
 * structured data with uid and what names the record (docs/formats.md), MSG the JSON. Where that exceeds max MSG becomes one sentence and the
 * structured data says truncated="1". `uid` of the record lets the receiver drop a repeat. */
#define RFC5424_MAX 8192 /* rsyslog's default maxMessageSize; longer ones are split there into garbage */
format_fn format_rfc5424;

/* The others are tables; docs/formats.md shows them. CEF and LEEF without a header of syslog. */
format_fn format_cef, format_leef, format_ecs, format_ocsf;

/* A LogRecord in OTLP's JSON; and the Resource that it is of, a JSON object: the same text for records of one host. */
format_fn format_otlp;
void otlp_resource(const struct record_view *v, struct buf *to);

/* Messages for people, of a webhook: one JSON object of at most 20,000 bytes. */
format_fn format_slack, format_teams;

/* A syslog message whose MSG is the record in another format: the header of RFC 5424 without structured data, or the older one of RFC 3164
 * ("Mmm dd hh:mm:ss HOST ", UTC), which receivers of CEF and LEEF expect. ndjson behind RFC 5424 is format_rfc5424. */
#define SYSLOG_LEAST (FORMAT_LEAST + 512)
void format_syslog(const struct sink_config *c, const struct record_view *v, const struct format *message, bool old_header, size_t max,
	struct buf *to);

#endif
