/* correlate.h - correlation rules over matches, in event time.
 *
 * A group is the state of one correlation for one set of group-by values. Event times within `timespan` of each other, ends
 * included, belong together. What more events can only make truer fires at once, is used up, and stays quiet for a while
 * what they can make false again is decided once, when its window has closed. Late matches are put where their time
 * belongs. Groups are bounded in entries and in memory; what is given up is counted. */
#ifndef EVMEND_CORRELATE_CORRELATE_H
#define EVMEND_CORRELATE_CORRELATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlate/match.h"

struct fired {
	const struct rule *rule;
	struct match *const *entries; /* in time order */
	size_t n;
	uint64_t events;       /* that the entries stand for: more than n when numbers were added up */
	int64_t first, last;
	const char *key;       /* group values, folded, with \x1f between */
	struct match *match;   /* what other correlations see of it */
	bool by_host;          /* grouped by host */
};

/* A match that takes part in a correlation, before it is asked whether that fires. */
struct taken {
	const struct rule *rule; /* the correlation */
	const char *key;         /* of the group, as in struct fired */
	struct match *match;
	double number;           /* of value_sum and its like */
	uint64_t kind;           /* value_count: the same for equal values; temporal types and absent: place of the match's rule */
};

struct correlator_counts {
	uint64_t groups, bytes;  /* now */
	uint64_t cut;            /* entries given up, because their group had too many */
	uint64_t coarser;        /* entries added to their neighbours, for the same reason: times of a sum are a thousandth less exact */
	uint64_t evicted;        /* groups given up, because memory was full */
	uint64_t incomplete;     /* matches that lacked a group-by field, or the value that is counted */
	uint64_t late;           /* matches of a window that was decided already */
};

struct correlator_options {
	const struct ruleset *rules;
	struct strings *pool;  /* of the matches */
	uint64_t memory_cap;   /* bytes */
	bool one_clock;        /* event time is one for all computers: a scan */
	bool stored;           /* correlator_changes will be asked for */
	void *arg;
	void (*fired)(void *arg, const struct fired *f); /* borrowed for the call */
	void (*taken)(void *arg, const struct taken *t); /* the same; NULL: nobody asks */
};

struct correlator;

struct correlator *correlator_new(const struct correlator_options *options);
void correlator_free(struct correlator *c);
/* A match of any rule: goes to every correlation that refers to its rule. May fire. */
void correlator_add(struct correlator *c, struct match *m);
/* Decides what is due: upto(arg, host, reporter) says how far event time has come for them, nowhere further than `latest`. With one clock
 * both are NULL. */
void correlator_pass(struct correlator *c, int64_t latest, int64_t (*upto)(void *arg, const char *host, const char *reporter), void *arg);
/* Nothing is due before this event time; INT64_MAX: nothing at all. */
int64_t correlator_due(const struct correlator *c);
/* Everything is in: decides all that is open, and forgets it. */
void correlator_finish(struct correlator *c);
void correlator_counts(const struct correlator *c, struct correlator_counts *to);
/* So many bytes of the memory cap are used by others from now on. */
void correlator_beside(struct correlator *c, uint64_t bytes);
/* strings_renew; computers that no group waits for are forgotten. Not inside a firing. */
void correlator_renew(struct correlator *c);

/* State. Each group is a row of a name and a value; what has not changed since it was stored is not said again. put: n 0 means
 * that the row goes; -1 ends it and is returned. Rows to go may be held back for the next time. */
typedef int correlator_put(void *arg, const void *name, size_t name_n, const void *value, size_t n);
int correlator_changes(struct correlator *c, correlator_put *put, void *arg);
void correlator_stored(struct correlator *c); /* what correlator_changes said is on disk */
int correlator_all(struct correlator *c, correlator_put *put, void *arg);
/* A row, in any order. Rows of rules that are gone, or group by something else now, are dropped; -1: not readable. stored: it comes
 * from the store. */
int correlator_load(struct correlator *c, const void *value, size_t n, bool stored);

#endif
