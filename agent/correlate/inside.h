/* inside.h - how the correlator keeps its groups, shared by the files of this room. Private to correlate/.
 *
 * A group is the state of one correlation for one group key: one block with its key, and room for one entry. Most groups never
 * have more. */
#ifndef EVMEND_CORRELATE_INSIDE_H
#define EVMEND_CORRELATE_INSIDE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "correlate/correlate.h"
#include "correlate/key.h"

#define LATE US_HOUR             /* how much older than its group's newest a match may be and still find its company */
#define LINGER (10 * US_MINUTE)  /* how long a group stays when the watermark has passed all it waits for */
#define NOWHERE UINT32_MAX
#define SLOTS 1000               /* of a timespan: numbers in one of them may become one */

struct entry {
	int64_t time;
	struct match *m;
	union {
		uint64_t kind;  /* temporal types and absent: place of its rule; value_count: hash of the value */
		double number;  /* of the other value types; the sum of several when weight says so */
	} of;
	uint32_t weight; /* events that it stands for; m is the last of them */
};

struct many { /* entries of a group with more than one, by time */
	uint32_t head, cap;
	struct entry list[];
};

struct group {
	struct group *next;          /* same bucket */
	struct group *newer, *older; /* by last use */
	int64_t quiet_until;         /* what is not newer is used up; INT64_MIN: nothing is */
	struct many *many;           /* NULL: the only entry is `one` */
	struct entry one;            /* without entries: the last one that was (m NULL: none), for its computer's sake */
	uint32_t hash, n;
	uint32_t clock, at;          /* where it waits: clock and place in its heap; at NOWHERE: it does not */
	uint32_t changed;            /* place in the list of changed groups; NOWHERE: as stored */
	uint16_t plan, key_len;
	bool stored;                 /* there is a row of it */
	char key[];                  /* NUL behind it */
};

struct plan { /* a correlation made ready */
	const struct rule *rule;
	const struct correlation *corr;
	int64_t slack; /* how late a firing of a rule below may come behind its time */
	uint32_t most; /* entries of a group */
	bool by_host, closes, absent;
	bool kinds; /* entries of the same kind can stand for each other */
	bool sums;  /* entries can be added up */
};

struct refer { /* a rule is referred to by plan, as its rule number `place` */
	uint16_t plan, place;
	struct key_slots group, fields;
};

struct due {
	int64_t when;
	struct group *g;
};

struct waiting { /* groups whose time depends on the same computers, in a heap */
	const char *host, *reporter;
	struct due *heap;
	uint32_t n, cap;
};

struct counted { /* of value kinds while one window is looked at */
	uint64_t kind;
	uint32_t n, stamp;
};

struct correlator {
	struct correlator_options o;
	struct hash_seed seed;
	/* by rule index */
	struct refer **refers;
	uint32_t *n_refers;
	struct plan *plans;
	size_t n_plans;
	/* groups */
	struct group **buckets;
	size_t room, n;
	struct group *newest, *oldest;
	struct correlator_counts counts;
	uint64_t beside; /* of the memory cap: what others use */
	int depth; /* inside a firing: nothing is given up meanwhile */
	/* time */
	struct waiting *clocks;
	uint32_t n_clocks, cap_clocks;
	uint32_t *clock_slots; /* by address of the names; NOWHERE: empty */
	uint32_t clock_room;
	/* scratch of decisions */
	struct counted *kinds;
	uint32_t kinds_room, stamp;
	struct match **picked;
	size_t n_picked, cap_picked;
	uint64_t picked_events; /* that the picked matches stand for */
	/* what the store does not know yet */
	struct group **changed;
	size_t n_changed, cap_changed;
	struct buf gone;  /* groups whose rows go: plan, length of the key, the key */
	size_t gone_said; /* bytes of it that correlator_changes has said */
};

/* -- plan.c -- */
void plans_make(struct correlator *c);
void plans_free(struct correlator *c);

/* -- table.c -- */
uint64_t group_hash(const struct correlator *c, uint16_t plan, const char *key, size_t n);
struct group *table_find(const struct correlator *c, uint16_t plan, const char *key, size_t n, uint64_t hash);
struct group *table_add(struct correlator *c, uint16_t plan, const char *key, size_t n, uint64_t hash); /* the newest */
void table_use(struct correlator *c, struct group *g); /* makes it the newest */
void table_drop(struct correlator *c, struct group *g);
void table_free(struct correlator *c);

/* -- group.c -- */
struct entry *group_entries(struct group *g);
/* Puts m at its place. Returns the place, or SIZE_MAX when the event is there already or there is no room for it. */
size_t group_put(struct correlator *c, struct group *g, const struct entry *e);
void group_remove(struct correlator *c, struct group *g, size_t at, size_t n);
void group_clear(struct correlator *c, struct group *g); /* gives all memory but its block back */
size_t chunk(size_t bytes); /* as the heap cuts it */

/* -- due.c -- */
void due_put(struct correlator *c, struct group *g, int64_t when, const struct match *m);
void due_take(struct correlator *c, struct group *g); /* nothing happens when it does not wait */
struct group *due_next(struct correlator *c, uint32_t clock, int64_t *when); /* NULL: none waits */
void due_merge(struct correlator *c); /* one clock for all */
void due_renew(struct correlator *c); /* correlator_renew */
void due_free(struct correlator *c);

/* -- holds.c, ordered.c -- */
struct tally {
	struct correlator *c;
	enum correlation_type type;
	uint64_t n; /* events */
	size_t distinct;
	uint64_t places;
	uint32_t of_place[CORR_RULES];
	double sum;
};
void tally_begin(struct tally *t, struct correlator *c, enum correlation_type type, size_t most);
void tally_add(struct tally *t, const struct entry *e);
/* Does the new entry at p make it true? The entries that do are then in c->picked; *end: the last entry of that window. */
bool window_holds(struct correlator *c, const struct plan *p, struct group *g, size_t at, size_t *end);
/* The first n entries are a window that closed. The same answer. */
bool window_closed(struct correlator *c, const struct plan *p, struct group *g, size_t n);
/* One entry for each of the places (bits), in their order, none before the one picked before it. Equal times fit in any order; an
 * event serves one place. Picks them. */
bool chain_find(struct correlator *c, const struct entry *e, size_t n, uint64_t places);
void pick_none(struct correlator *c);
void pick(struct correlator *c, struct match *m);

/* -- correlate.c -- */
struct restored {
	int64_t quiet_until;
	bool empty;  /* the match only says whose clock the group hangs on */
	bool stored; /* there is a row as it is */
	uint32_t weight; /* more than 1: it stands for so many events, which sum up to number */
	double number;
};
/* A match of a group of r that was saved. */
void group_restore(struct correlator *c, const struct rule *r, struct match *m, struct restored how);

/* -- state.c -- */
void state_changed(struct correlator *c, struct group *g);
void state_gone(struct correlator *c, struct group *g); /* about to be freed */

#endif
