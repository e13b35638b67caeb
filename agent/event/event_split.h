/* event_split.h - finds <Event>...</Event> in a stream of XML of any shape. Private to event/.
 *
 * Works on a buffer that the caller fills at the end and cuts at the front; what was looked at once is not looked at again. Around
 * events anything may stand: a declaration, a root, comments, the "- " of Event Viewer's XML view. */
#ifndef EVMEND_EVENT_EVENT_SPLIT_H
#define EVMEND_EVENT_EVENT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum split_kind {
	SPLIT_MORE,    /* needs more bytes */
	SPLIT_EVENT,   /* one whole event (if its XML is right is the parser's business) */
	SPLIT_JUNK,    /* text that belongs to no event; said once for each run */
	SPLIT_DOCTYPE, /* a document type declaration: skipped, and to be told */
	SPLIT_TORN,    /* an event that does not end: another begins in it, or the stream ends */
	SPLIT_TOO_BIG, /* an event above LIMIT_EVENT_BYTES */
};

struct split {
	size_t at;      /* looked at up to here */
	size_t start;   /* where the event or the junk began */
	size_t resume;  /* a search for an end may go on here */
	unsigned depth; /* of <Event> in <Event>; 0: outside */
	bool inside;
	bool dirty;     /* outside: there is junk since start */
	bool quiet;     /* outside: this run of junk has been told */
	uint64_t seen, again; /* bytes cut so far; bytes that were looked at a second time */
};

/* Looks at the n bytes at p. For all but SPLIT_MORE, *from and *len say where. final: no more bytes will come. */
enum split_kind split_next(struct split *s, const char *p, size_t n, bool final, size_t *from, size_t *len);
size_t split_done(const struct split *s); /* bytes at the front that are not needed any more */
void split_cut(struct split *s, size_t n); /* the caller cut them */

#endif
