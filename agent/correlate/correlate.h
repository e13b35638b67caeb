/* correlate.h - correlation rules over matches, in event time.
 *
 * A window is the state of one correlation for one group. Event times within `timespan` of each other, ends included, belong
 * together. A correlation that fired clears its window and stays quiet for its timespan. Late matches are put where
 * their time belongs. Windows are bounded in entries and in memory; what is given up is counted. */
#ifndef EVMEND_CORRELATE_CORRELATE_H
#define EVMEND_CORRELATE_CORRELATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlate/match.h"

#define WINDOW_ENTRIES 256 /* kept in one window, or the rule's own count when that is larger */

struct fired {
	const struct rule *rule;
	struct match *const *entries; /* in time order */
	size_t n;
	int64_t first, last;
	const char *key;       /* group values, folded, with \x1f between */
	struct match *match;   /* what other correlations see of it */
	bool by_host;          /* grouped by host */
};

struct correlator_options {
	const struct ruleset *rules;
	uint64_t memory_cap; /* bytes */
	void *arg;
	void (*fired)(void *arg, const struct fired *f); /* borrowed for the call */
};

struct correlator;

struct correlator *correlator_new(const struct correlator_options *options);
void correlator_free(struct correlator *c);
/* A match of any rule: goes to every correlation that refers to its rule. May fire. */
void correlator_add(struct correlator *c, struct match *m);
/* Decides what is due: upto(arg, m) says how far event time has come for the match's host and reporter. */
void correlator_pass(struct correlator *c, int64_t (*upto)(void *arg, const struct match *m), void *arg);
/* No decision is due before this event time; INT64_MAX: none at all. */
int64_t correlator_due(const struct correlator *c);
/* Everything is in: decides all that is open. */
void correlator_finish(struct correlator *c);
uint64_t correlator_evicted(const struct correlator *c); /* entries and windows given up */
uint64_t correlator_bytes(const struct correlator *c);
void correlator_save(const struct correlator *c, struct json_out *o, const char *key);
void correlator_load(struct correlator *c, struct strings *pool, const struct json *j);

#endif
