/* group.c - the entries of one group.
 *
 * Why: entries stand in the order of event time, whatever the order in which they came.
 * Promises: one entry needs no memory but the group's own block; every byte is accounted for.
 * Refuses: to grow beyond the plan's `most` entries: then entries go that another one of their kind can stand for, else the oldest
 * (of a window that waits for its end: the newest). Each is counted. What is summed is added up instead. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"

#define FIRST 4 /* entries, when one does not do */

size_t chunk(size_t bytes)
{
	return (bytes + 8 + 15) & ~(size_t)15;
}

struct entry *group_entries(struct group *g)
{
	return g->many ? g->many->list + g->many->head : &g->one;
}

static size_t many_bytes(uint32_t cap)
{
	return sizeof(struct many) + cap * sizeof(struct entry);
}

static void let_go(struct correlator *c, struct match *m)
{
	if (m)
		c->counts.bytes -= match_bytes(m);
	match_unref(m);
}

void group_clear(struct correlator *c, struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		let_go(c, group_entries(g)[i].m);
	if (g->many || g->n == 0)
		let_go(c, g->one.m);
	if (g->many)
		c->counts.bytes -= chunk(many_bytes(g->many->cap));
	free(g->many);
	g->many = NULL;
	g->one.m = NULL;
	g->n = 0;
}

void group_remove(struct correlator *c, struct group *g, size_t at, size_t n)
{
	struct entry *e = group_entries(g);

	if (n == 0)
		return;
	if (n == g->n) { /* the last one stays, to say whose clock the group hangs on */
		struct entry last = e[n - 1];

		last.m = match_ref(last.m);
		c->counts.bytes += match_bytes(last.m);
		group_clear(c, g);
		g->one = last;
		return;
	}
	for (size_t i = at; i < at + n; i++)
		let_go(c, e[i].m);
	if (at == 0)
		g->many->head += (uint32_t)n;
	else
		memmove(&e[at], &e[at + n], (g->n - at - n) * sizeof *e);
	g->n -= (uint32_t)n;
}

/* Room for one more behind the last. */
static void widen(struct correlator *c, struct group *g)
{
	struct many *old = g->many;
	uint32_t cap = old ? old->cap : FIRST;

	if (old && old->head + g->n < old->cap)
		return;
	if (old && old->head >= old->cap / 2) {
		memmove(old->list, old->list + old->head, g->n * sizeof *old->list);
		old->head = 0;
		return;
	}
	if (old) {
		c->counts.bytes -= chunk(many_bytes(cap));
		cap *= 2;
	}
	g->many = xrealloc(old, 1, many_bytes(cap));
	if (!old) {
		g->many->head = 0;
		g->many->list[0] = g->one;
		g->one.m = NULL;
	}
	g->many->cap = cap;
	c->counts.bytes += chunk(many_bytes(cap));
}

/* Gives up a quarter of what others of its kind can stand for. Returns how many. */
static size_t thin(struct correlator *c, struct group *g, const struct plan *p)
{
	struct entry *e = group_entries(g);
	size_t quota = g->n / 4, kept = 0, dropped = 0;
	struct tally t;

	tally_begin(&t, c, CORR_VALUE_COUNT, g->n);
	for (size_t i = 0; i < g->n; i++)
		tally_add(&t, &e[i]);
	if (t.distinct == g->n)
		return 0;
	tally_begin(&t, c, CORR_VALUE_COUNT, g->n);
	for (size_t k = g->n; k > 0; k--) { /* from the newest: it is the first of its kind */
		size_t i = p->closes ? g->n - k : k - 1, before = t.distinct;

		tally_add(&t, &e[i]);
		if (t.distinct == before && dropped < quota) {
			let_go(c, e[i].m);
			e[i].m = NULL;
			dropped++;
		}
	}
	for (size_t i = 0; i < g->n; i++)
		if (e[i].m)
			e[kept++] = e[i];
	g->n = (uint32_t)kept;
	return dropped;
}

/* What lies in one slot of time becomes one entry: the last of them, with the sum. Slots stand where they stand, so that doing it again
 * and again makes nothing coarser. Returns how many went. */
static size_t add_up(struct correlator *c, struct group *g, const struct plan *p)
{
	struct entry *e = group_entries(g);
	int64_t slot = p->corr->timespan > SLOTS ? p->corr->timespan / SLOTS : 1;
	size_t kept = 0, n = g->n, alone = p->closes; /* the window begins with its first event */

	for (size_t i = 0; i < n; i++) {
		if (kept > alone && e[kept - 1].time / slot == e[i].time / slot) {
			let_go(c, e[--kept].m);
			e[i].of.number += e[kept].of.number;
			e[i].weight += e[kept].weight;
		}
		e[kept++] = e[i];
	}
	g->n = (uint32_t)kept;
	c->counts.coarser += n - kept;
	return n - kept;
}

/* false: the new one is to be given up. *at moves with what goes before it. */
static bool make_room(struct correlator *c, struct group *g, const struct plan *p, const struct entry *new, size_t *at)
{
	size_t n = p->kinds ? thin(c, g, p) : 0, sums = p->sums ? add_up(c, g, p) : 0;

	if (n + sums == 0 && p->closes) {
		c->counts.cut++;
		return false;
	}
	if (n + sums == 0) {
		n = p->sums ? g->n / 4 : 1; /* adding up in vain takes a look at all */
		group_remove(c, g, 0, n);
	}
	c->counts.cut += n;
	for (*at = g->n; *at > 0 && group_entries(g)[*at - 1].time > new->time;)
		--*at;
	return true;
}

static bool there_already(const struct plan *p, const struct entry *e, size_t at, const struct entry *new)
{
	bool by_place = p->corr->type == CORR_TEMPORAL || p->corr->type == CORR_TEMPORAL_ORDERED || p->absent;

	for (size_t i = at; i > 0 && e[i - 1].time == new->time; i--)
		if ((!by_place || e[i - 1].of.kind == new->of.kind) && match_same_event(e[i - 1].m, new->m))
			return true;
	return false;
}

size_t group_put(struct correlator *c, struct group *g, const struct entry *new)
{
	const struct plan *p = &c->plans[g->plan];
	struct entry *e = group_entries(g);
	size_t at = g->n;

	while (at > 0 && e[at - 1].time > new->time)
		at--;
	if (there_already(p, e, at, new) || (g->n >= p->most && !make_room(c, g, p, new, &at)))
		return SIZE_MAX;
	if (g->n == 0) {
		let_go(c, g->one.m);
		g->one = *new;
	} else {
		widen(c, g);
		e = group_entries(g);
		memmove(&e[at + 1], &e[at], (g->n - at) * sizeof *e);
		e[at] = *new;
	}
	g->n++;
	match_ref(new->m);
	c->counts.bytes += match_bytes(new->m);
	return at;
}
