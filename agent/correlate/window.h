/* window.h - the entries of one correlation for one group. Private to correlate/. */
#ifndef EVMEND_CORRELATE_WINDOW_H
#define EVMEND_CORRELATE_WINDOW_H

#include "correlate/correlate.h"

struct window {
	struct window *next;          /* same hash bucket */
	struct window *newer, *older; /* by last use */
	uint64_t hash;
	const struct rule *rule;
	const struct correlation *corr;
	char *key;
	struct match **entries; /* by time */
	size_t n, cap;
	int64_t quiet_until;    /* INT64_MIN: not quiet */
	size_t bytes;           /* what it takes, entries included */
};

struct window *window_new(const struct rule *r, const struct correlation *corr, const char *key, uint64_t hash);
void window_free(struct window *w);
/* Puts m at its place. Returns the place, or SIZE_MAX when the event is there already. *dropped: entries given up to make room. */
size_t window_put(struct window *w, struct match *m, size_t most, uint64_t *dropped);
void window_remove(struct window *w, size_t at, size_t n);
/* Drops entries older than t; absent: only those that cancel. */
void window_prune(struct window *w, int64_t t);

/* Does the correlation hold with the entry at p? picked gets the entries that make it true (n of them, borrowed), in time order;
 * it holds window_most() at least. */
bool window_holds(const struct window *w, size_t p, struct match **picked, size_t *n);
/* absent: when its first entry of rules[0] will be decided; INT64_MAX: there is none. */
int64_t window_due(const struct window *w, size_t *at);
/* absent: does nothing cancel that entry? */
bool window_alone(const struct window *w, size_t at);
bool window_refers(const struct window *w, const struct match *m); /* the correlation refers to m's rule */
size_t window_most(const struct correlation *corr);

#endif
