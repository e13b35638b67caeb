/* scan_workers.h - threads that parse and match for `scan`, and the order in which their answers are taken.
 *
 * One thread reads: it cuts the streams into events and hands them over in portions. The others parse and match. What they found
 * comes back to the first thread in the order of the input, so that the output is the same whatever the number of threads. All
 * functions are for the first thread. */
#ifndef EVMEND_CLI_SCAN_WORKERS_H
#define EVMEND_CLI_SCAN_WORKERS_H

#include "cases/engine_part.h"
#include "event/decode.h"

struct scan_workers_options {
	const struct ruleset *rules;
	struct engine *engine;
	int64_t since, until; /* events outside are not matched */
	uint64_t *cut;        /* events with EVENT_CUT are added to it, at the end */
	void *arg;
	/* Called by the first thread, in the order of the input. */
	void (*malformed)(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n);
};

struct scan_workers;

/* NULL when no thread can be had: the caller does the work alone. */
struct scan_workers *scan_workers_new(const struct scan_workers_options *o, unsigned threads);
/* The three things that a decoder says of a stream; everything is copied. */
void scan_workers_piece(struct scan_workers *w, const struct decode_options *of, const struct decode_piece *piece);
void scan_workers_event(struct scan_workers *w, const struct event *ev); /* parsed already */
void scan_workers_malformed(struct scan_workers *w, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n);
/* What came before is wholly dealt with and told when this returns. */
void scan_workers_drain(struct scan_workers *w);
/* The stream ends: the next thing belongs to another one. */
void scan_workers_stream_ends(struct scan_workers *w);
/* Drains, ends the threads, and gives the engine what it needs of them. */
void scan_workers_free(struct scan_workers *w);

#endif
