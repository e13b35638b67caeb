/* due.c - which group is to be looked at next.
 *
 * Why: of a million groups few are due; whether one is hangs on how far event time has come for its computers, so those with the
 * same computers wait in one heap.
 * Promises: putting and taking cost the logarithm of what waits there; equal times come in the order of rule and key.
 * Refuses: nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"

#define CLOCK_BYTES (sizeof(struct waiting) + 2 * sizeof(uint32_t)) /* without its heap */

static bool before(const struct due *a, const struct due *b)
{
	if (a->when != b->when)
		return a->when < b->when;
	if (a->g->plan != b->g->plan)
		return a->g->plan < b->g->plan;
	return strcmp(a->g->key, b->g->key) < 0;
}

static void set(struct waiting *w, uint32_t at, struct due d)
{
	w->heap[at] = d;
	d.g->at = at;
}

static void rise(struct waiting *w, uint32_t at)
{
	struct due d = w->heap[at];

	for (; at > 0 && before(&d, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
		set(w, at, w->heap[(at - 1) / 2]);
	set(w, at, d);
}

static void sink(struct waiting *w, uint32_t at)
{
	struct due d = w->heap[at];

	for (;;) {
		uint32_t kid = 2 * at + 1;

		if (kid >= w->n)
			break;
		if (kid + 1 < w->n && before(&w->heap[kid + 1], &w->heap[kid]))
			kid++;
		if (!before(&w->heap[kid], &d))
			break;
		set(w, at, w->heap[kid]);
		at = kid;
	}
	set(w, at, d);
}

static void add(struct correlator *c, uint32_t clock, struct due d)
{
	struct waiting *w = &c->clocks[clock];

	if (w->n == w->cap) {
		uint32_t cap = w->cap ? 2 * w->cap : 4;

		w->heap = xrealloc(w->heap, cap, sizeof *w->heap);
		c->counts.bytes += (cap - w->cap) * sizeof *w->heap;
		w->cap = cap;
	}
	d.g->clock = clock;
	w->heap[w->n++] = d;
	rise(w, w->n - 1);
}

void due_take(struct correlator *c, struct group *g)
{
	struct waiting *w;
	uint32_t at = g->at;

	if (at == NOWHERE)
		return;
	w = &c->clocks[g->clock];
	g->at = NOWHERE;
	w->n--;
	if (at == w->n)
		return;
	set(w, at, w->heap[w->n]);
	rise(w, at);
	sink(w, w->heap[at].g->at);
}

static uint32_t *clock_slot(const struct correlator *c, const char *host, const char *reporter)
{
	uint64_t h = (uint64_t)(uintptr_t)host * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t)reporter * UINT64_C(0xc2b2ae3d27d4eb4f);
	uint32_t i = (uint32_t)(h >> 32) & (c->clock_room - 1);

	while (c->clock_slots[i] != NOWHERE &&
	       (c->clocks[c->clock_slots[i]].host != host || c->clocks[c->clock_slots[i]].reporter != reporter))
		i = (i + 1) & (c->clock_room - 1);
	return &c->clock_slots[i];
}

static void hash_clocks(struct correlator *c)
{
	free(c->clock_slots);
	for (c->clock_room = 64; c->clock_room < 4 * (c->n_clocks + 1);)
		c->clock_room *= 2;
	c->clock_slots = xcalloc(c->clock_room, sizeof *c->clock_slots);
	memset(c->clock_slots, 0xff, c->clock_room * sizeof *c->clock_slots);
	for (uint32_t i = 0; i < c->n_clocks; i++)
		*clock_slot(c, c->clocks[i].host, c->clocks[i].reporter) = i;
}

static uint32_t clock_of(struct correlator *c, const struct match *m)
{
	const char *host = c->o.one_clock ? NULL : m->host, *reporter = c->o.one_clock ? NULL : m->reporter;
	uint32_t *slot;

	if (2 * (c->n_clocks + 1) > c->clock_room)
		hash_clocks(c);
	slot = clock_slot(c, host, reporter);
	if (*slot != NOWHERE)
		return *slot;
	if (c->n_clocks == c->cap_clocks) {
		c->cap_clocks = c->cap_clocks ? 2 * c->cap_clocks : 32;
		c->clocks = xrealloc(c->clocks, c->cap_clocks, sizeof *c->clocks);
	}
	c->clocks[c->n_clocks] = (struct waiting){.host = host, .reporter = reporter};
	c->counts.bytes += CLOCK_BYTES;
	return *slot = c->n_clocks++;
}

void due_put(struct correlator *c, struct group *g, int64_t when, const struct match *m)
{
	due_take(c, g);
	add(c, clock_of(c, m), (struct due){when, g});
}

struct group *due_next(struct correlator *c, uint32_t clock, int64_t *when)
{
	const struct waiting *w = &c->clocks[clock];

	if (w->n == 0)
		return NULL;
	*when = w->heap[0].when;
	return w->heap[0].g;
}

void due_merge(struct correlator *c)
{
	for (uint32_t i = 1; i < c->n_clocks; i++) {
		struct waiting *w = &c->clocks[i];

		for (uint32_t k = 0; k < w->n; k++)
			add(c, 0, w->heap[k]);
		w->n = 0;
	}
	for (uint32_t i = 0; i < c->clock_room; i++)
		c->clock_slots[i] = NOWHERE;
	c->o.one_clock = true;
	if (c->n_clocks) {
		c->clocks[0].host = c->clocks[0].reporter = NULL;
		*clock_slot(c, NULL, NULL) = 0;
	}
}

void due_renew(struct correlator *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_clocks; i++) {
		struct waiting w = c->clocks[i];

		if (w.n == 0) {
			free(w.heap);
			c->counts.bytes -= CLOCK_BYTES + w.cap * sizeof *w.heap;
			continue;
		}
		w.host = strings_add(c->o.pool, w.host);
		w.reporter = strings_add(c->o.pool, w.reporter);
		for (uint32_t k = 0; k < w.n; k++)
			w.heap[k].g->clock = n;
		c->clocks[n++] = w;
	}
	c->n_clocks = n;
	hash_clocks(c);
}

void due_free(struct correlator *c)
{
	for (uint32_t i = 0; i < c->n_clocks; i++)
		free(c->clocks[i].heap);
	free(c->clocks);
	free(c->clock_slots);
}
