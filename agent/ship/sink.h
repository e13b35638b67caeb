/* sink.h - a receiver. At-least-once: a record counts as delivered when poll says so. */
#ifndef EVMEND_SHIP_SINK_H
#define EVMEND_SHIP_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "os/os.h"
#include "ship/spool.h"

enum sink_kind { SINK_FILE, SINK_SYSLOG };

struct sink_config {
	const char *name;
	enum sink_kind kind;
	const char *path;            /* file */
	const char *address;         /* syslog: "host:port", TCP */
	const char *app, *hostname;  /* syslog header; "evmend" and this machine */
	const char *const *labels;   /* "tenant=a" pairs */
	size_t n_labels;
	unsigned take;               /* bit set of enum record_kind; 0: all */
};

enum sink_outcome { SINK_ACCEPTED, SINK_RETRY, SINK_DEAD };

struct sink_result {
	int64_t seq;
	enum sink_outcome outcome;
	int64_t not_before; /* monotonic us, for SINK_RETRY */
	char why[160];
};

struct sink;

struct sink_ops {
	int (*open)(struct sink *s, struct err *e);
	int (*submit)(struct sink *s, const struct spool_record *r, size_t n, struct err *e); /* copies what it needs; -1: none was taken */
	int (*poll)(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e);
	int (*wait_fd)(struct sink *s, bool *write); /* -1: none */
	int (*flush)(struct sink *s, struct err *e);
	void (*reopen)(struct sink *s);  /* SIGHUP */
	void (*close)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
	const struct sink_config *config;
	const struct clock *clock;
	const struct os_file_ops *files;
	void *self;
};

struct sink *sink_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files);
void sink_free(struct sink *s); /* closes it */

#endif
