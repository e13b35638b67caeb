/* httpproxy_log.h - rows of Exchange's HttpProxy logs. Private to event/.
 *
 * UTF-8 CSV behind lines that begin with '#'; columns differ between versions, so "#Fields:" alone says what they are. Some versions
 * repeat the names as the first row. Source: logs of Exchange 2013 to SE as their own diagnostic scripts read them. */
#ifndef EVMEND_EVENT_HTTPPROXY_LOG_H
#define EVMEND_EVENT_HTTPPROXY_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "event/event_build.h"

#define HTTPPROXY_COLUMNS 256
#define HTTPPROXY_FIELDS_BYTES 8192

struct httpproxy {
	struct buf fields; /* the text behind "#Fields:", kept over a restart */
	const char **name; /* columns: into `names` */
	char *names;
	size_t n;
	size_t at;     /* split: looked at up to here */
	bool quoted;   /* split: inside quotes at `at` */
};

void httpproxy_init(struct httpproxy *h);
void httpproxy_free(struct httpproxy *h);
/* Length of the next row at p (a line, or more when quotes hold a line break); 0: not whole yet. */
size_t httpproxy_row(struct httpproxy *h, const char *p, size_t n, bool final);
/* Names of the columns, as behind "#Fields:". -1 and *e: not a list with commas, or too long. */
int httpproxy_fields(struct httpproxy *h, const char *text, size_t n, struct err *e);
/* One row (clean UTF-8). 1: an event is on the bench; 0: a header line, no event; -1 and *e: malformed. */
int httpproxy_read(struct httpproxy *h, struct event_build *b, const char *row, size_t n, const char *default_host, struct event *ev,
	struct err *e);
/* Is this how such a log begins? */
bool httpproxy_looks_so(const char *head, size_t n);

#endif
