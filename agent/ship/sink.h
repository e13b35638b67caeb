/* sink.h - a receiver. At-least-once: a record counts as delivered when poll says so. */
#ifndef EVMEND_SHIP_SINK_H
#define EVMEND_SHIP_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "os/os.h"
#include "ship/spool.h"

struct format; /* ship/formats.h */

enum sink_kind { SINK_FILE, SINK_SYSLOG, SINK_SPLUNK, SINK_ELASTIC, SINK_KAFKA, SINK_OTLP, SINK_WEBHOOK, SINK_KINDS };
enum sink_compress { SINK_PLAIN, SINK_GZIP, SINK_ZSTD, SINK_LZ4 };
#define SYSLOG_RESEND (4 << 20) /* what a receiver's program may have read and not written */
enum syslog_framing { SYSLOG_OCTET, SYSLOG_LINE };
enum syslog_header { SYSLOG_BY_FORMAT, SYSLOG_5424, SYSLOG_3164 }; /* by format: CEF and LEEF behind 3164 */

/* Which records a sink wants: all of what is given here must hold. */
struct sink_take {
	unsigned kinds;            /* bit set of enum record_kind; 0: all */
	int level;                 /* least enum rule_level of records that have one; 0 (informational): any */
	const char *const *causes; /* one of them; case does not count. A record without a cause has none of them */
	size_t n_causes;
	const char *const *hosts;  /* one of these patterns: '*' any run, '?' one character; case does not count */
	size_t n_hosts;
	const char *const *labels; /* "k=v": the record has all of them */
	size_t n_labels;
};

struct sink_tls {
	bool on;          /* the key was written */
	const char *ca;   /* file of certificates; NULL: the system's */
	const char *cert, *key; /* files of our own certificate; NULL: none */
	const char *name; /* that the peer's certificate must hold; NULL: the host of the address */
	const char *pin;  /* SHA-256 of the peer's certificate, 64 hex digits; NULL: none */
	bool no_verify;   /* verify: false */
};

struct sink_batch {
	int64_t records, bytes, wait; /* at most so many in one request, and how long it waits for more (us); 0: the kind's own */
};

struct sink_config {
	const char *name;
	enum sink_kind kind;
	const struct format *format; /* NULL: the kind has its own */
	const char *const *labels;   /* "tenant=a" pairs, added to each record */
	size_t n_labels;
	struct sink_take take;
	struct sink_tls tls;
	struct sink_batch batch;
	int64_t rate;                /* records a second; 0: as many as the sink takes */
	int compress;                /* enum sink_compress */
	const char *proxy;           /* URL; NULL: none */
	int64_t timeout;             /* of a connect or a request, us; 0: the kind's own */
	const char *app, *hostname;  /* of syslog headers: "evmend", and the record's host when NULL */
	union { /* the kind's own keys */
		struct {
			const char *path;
			struct {
				int64_t size;     /* bytes; 0: not by size */
				int64_t age;      /* us; 0: not by age */
				int64_t keep;     /* files beside the one that is written; 0: all */
				int compress;     /* enum sink_compress */
			} rotate;                 /* neither size nor age: never */
		} file;
		struct {
			const char *address; /* "host:port"; TLS where tls.on */
			int framing, header; /* enum syslog_framing, syslog_header */
			int64_t frame_max;   /* bytes of a message; 0: RFC5424_MAX */
			int64_t resend;      /* bytes that are sent again when a connection broke, besides those in the peer's TCP; 0: none, nor those */
		} syslog;
		struct {
			const char *url, *token_file;
			const char *index, *sourcetype; /* templates; NULL: the token's own index, "evmend:{kind}" */
			bool ack;                       /* a record counts when it is indexed */
			int64_t ack_timeout;            /* us; 0: five minutes. What is not acknowledged so long is sent again */
		} splunk;
		struct {
			const char *url;
			const char *index;              /* template; NULL: the data stream logs-evmend-default */
			const char *api_key_file;       /* NULL: none */
			const char *user, *password_file; /* NULL: none */
		} elastic;
		struct {
			const char *brokers;    /* "host:port,host:port" */
			const char *topic;      /* template */
			const char *mechanism;  /* "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"; NULL: none */
			const char *user, *password_file;
			const char *const *options; /* "name=value" for librdkafka */
			size_t n_options;
		} kafka;
		struct {
			const char *url;          /* of the collector; "/v1/logs" is added where it is not there */
			const char *headers_file; /* "Name: value" lines; NULL: none */
		} otlp;
		struct {
			const char *url;       /* NULL: the file holds it */
			const char *url_file;
			const char *hmac_file; /* NULL: requests are not signed */
		} webhook;
	};
};

enum sink_outcome { SINK_ACCEPTED, SINK_RETRY, SINK_DEAD };

struct sink_result {
	int64_t seq;
	int64_t not_before; /* monotonic us, for SINK_RETRY, when the receiver named a time; 0: the pump chooses */
	size_t unnamed;     /* of SINK_ACCEPTED: the receiver threw away so many of those accepted with it and does not say which; 0: none */
	enum sink_outcome outcome;
	bool alone;         /* of SINK_RETRY: it is about this record and what is like it, a person has to act; the others go on */
	char why[160];      /* not of those accepted, unless some are unnamed */
};

struct sink;

/* open, submit and poll never wait for a receiver. Secrets are read from their files in open (ship/secret.h), so that only the process that
 * sends ever has them; after SIGHUP sinks are made anew, which reads them again. */
struct sink_ops {
	int (*open)(struct sink *s, struct err *e); /* nothing when it is open; -1: not now. The pump waits and tries again: no pauses here */
	/* Takes records in this order (what failed, and what is urgent, may come behind a higher seq) and copies what it needs: how many, from the
	 * first on; 0: there is no room now. -1: none was taken and the sink is no longer open. Each that was taken gets one result from poll;
	 * until then it is not offered again. */
	int (*submit)(struct sink *s, const struct spool_record *r, size_t n, struct err *e);
	int (*poll)(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e);
	int (*wait_fd)(struct sink *s, bool *write); /* -1: none; *write: poll has something to do, even if no record is on its way */
	int (*flush)(struct sink *s, struct err *e); /* what was submitted goes out now, without waiting for more; -1: some has no result yet */
	/* For `evmend check`: asks the receiver whether it would take records, sends none, may wait for it until then (monotonic). What it found
	 * is added to says. The sink was not opened before. */
	int (*check)(struct sink *s, int64_t until, struct buf *says, struct err *e);
	void (*close)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	const struct sink_config *config;
	const struct clock *clock;
	const struct os_file_ops *files;
	const struct log *log; /* for what should be known although records are taken; NULL: nobody hears it */
	void *self;
};

struct sink *sink_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files);
void sink_free(struct sink *s); /* closes it */
const char *sink_kind_text(int kind);

#endif
