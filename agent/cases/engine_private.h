/* engine_private.h - the inside of the engine, shared by engine.c, engine_scan.c, engine_run.c and engine_state.c. */
#ifndef EVMEND_CASES_ENGINE_PRIVATE_H
#define EVMEND_CASES_ENGINE_PRIVATE_H

#include "cases/book.h"
#include "cases/engine.h"
#include "cases/hosts.h"
#include "cases/noise.h"
#include "correlate/watermark.h"

#define CONSEQUENCE_WAITS (10 * US_MINUTE) /* run: how long a consequence waits for the case that explains it */
#define WAITING_MOST 10000
#define STREAM_QUIET US_DAY /* run: after that a rule's next finding is a new one */

struct list {
	void **p;
	size_t n, cap;
};

struct engine {
	struct engine_options o;
	struct engine_sink sink;
	struct strings *pool;
	struct list pools;   /* struct strings *: of parts that have ended */
	struct hosts *hosts;
	struct matcher *matcher;
	struct correlator *corr;
	struct book *book;
	struct noise *noise;
	struct watermarks *marks;
	struct list kept;    /* scan: struct match *, everything that matched */
	struct list told;    /* scan: struct told *, in the order they arose */
	struct list waiting; /* struct told *: consequences without a case yet, of events and of correlations */
	struct engine_counts counts;
	size_t pool_after;   /* bytes of the pool when it was renewed last */
	struct buf words;
};

void list_add(struct list *l, void *p);

/* -- engine.c -- */
/* The host is settled. ev: what it was made of; NULL in a scan, which has no silences. */
void engine_take(struct engine *g, struct match *m, const struct event *ev);
void engine_raise(struct engine *g, struct told *t, struct match *const *events, size_t n); /* takes t */
bool engine_explains(struct engine *g, struct told *t); /* a case explains this consequence: it is counted there, and t is gone */
void engine_build(struct engine *g);   /* everything that hangs on the rules */
void engine_unbuild(struct engine *g);
void engine_room(struct engine *g, int64_t now); /* run: what is not needed goes, and what all of it takes is counted */

/* -- engine_scan.c -- */
void scan_decide(struct engine *g);

/* -- engine_run.c -- */
void run_event(struct engine *g, struct match *m, const struct event *ev, int64_t now);
/* Takes t; h NULL: the host found no room in the book. */
void run_told(struct engine *g, struct book_host *h, struct told *t, struct book_case *c, bool opened);
void run_tick(struct engine *g, bool all);
void run_close(struct engine *g, struct book_case *c); /* what is told of its host and cause later is new */

#endif
