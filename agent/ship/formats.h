/* formats.h - how a record looks to a receiver. */
#ifndef EVMEND_SHIP_FORMATS_H
#define EVMEND_SHIP_FORMATS_H

#include "base/buf.h"
#include "ship/sink.h"

/* One line with its newline: the record's own JSON object, and "labels":{...} behind its members when the sink has labels. */
void format_ndjson(const struct sink_config *c, const struct spool_record *r, struct buf *to);

/* RFC 5424: facility 13 (log audit), severity from the level, HOSTNAME the host in question, MSGID the kind of record, structured data
 * with uid, rule, level, count, first and last, MSG the JSON. No frame. At most `max` bytes: where that is exceeded MSG becomes one
 * sentence and the structured data says truncated="1". `uid` of the record lets the receiver drop a repeat. */
#define RFC5424_MAX 8192 /* rsyslog's default maxMessageSize; longer ones are split there into garbage */
void format_rfc5424(const struct sink_config *c, const struct spool_record *r, size_t max, struct buf *to);

#endif
