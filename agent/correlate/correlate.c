/* correlate.c - matches in, firings out.
 *
 * Why: which group a match belongs to, when a group fires, and how much memory all of them may take.
 * Promises: the same matches in the same order fire the same; memory stays below the cap, the group not used for longest goes
 * first. A match costs the logarithm of the groups at most.
 * Refuses: matches that lack a group-by field or the counted value: they take no part. */
#include "correlate/correlate.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"
#include "rules/number.h"

#define GONE_BYTES (64u << 20) /* names of rows that are to go */

struct correlator *correlator_new(const struct correlator_options *options)
{
	struct correlator *c = xcalloc(1, sizeof *c);

	c->o = *options;
	c->seed = hash_seed_draw();
	buf_init(&c->gone, GONE_BYTES);
	plans_make(c);
	return c;
}

void correlator_free(struct correlator *c)
{
	if (!c)
		return;
	table_free(c);
	due_free(c);
	plans_free(c);
	free(c->kinds);
	free(c->picked);
	free(c->changed);
	buf_free(&c->gone);
	free(c);
}

void correlator_counts(const struct correlator *c, struct correlator_counts *to)
{
	*to = c->counts;
	to->groups = c->n;
}

void correlator_beside(struct correlator *c, uint64_t bytes)
{
	c->beside = bytes;
}

void correlator_renew(struct correlator *c)
{
	for (struct group *g = c->oldest; g; g = g->newer) {
		match_renew(g->one.m, c->o.pool);
		for (size_t i = 0; g->many && i < g->n; i++)
			match_renew(group_entries(g)[i].m, c->o.pool);
	}
	due_renew(c);
}

static struct match **keep_picked(const struct correlator *c)
{
	struct match **list = xcalloc(c->n_picked, sizeof(struct match *));

	for (size_t i = 0; i < c->n_picked; i++)
		list[i] = match_ref(c->picked[i]);
	return list;
}

/* The picked entries made it true; the first n entries of the group are used up. */
static void fire(struct correlator *c, struct group *g, size_t n)
{
	const struct plan *p = &c->plans[g->plan];
	size_t many = c->n_picked;
	struct match **entries = keep_picked(c), *m = match_of_group(c->o.pool, c->o.rules, p->rule, entries, many);
	struct fired f = {.rule = p->rule, .entries = entries, .n = many, .events = c->picked_events,
			  .first = entries[0]->time, .last = entries[many - 1]->time, .key = g->key, .match = m, .by_host = p->by_host};

	group_remove(c, g, 0, n);
	if (p->corr->quiet > 0 && f.last + p->corr->quiet > g->quiet_until)
		g->quiet_until = f.last + p->corr->quiet;
	if (f.by_host)
		m->host = entries[many - 1]->host;
	c->depth++;
	c->o.fired(c->o.arg, &f);
	correlator_add(c, m);
	c->depth--;
	match_unref(m);
	for (size_t i = 0; i < many; i++)
		match_unref(entries[i]);
	free(entries);
}

/* The entry that waits for its decision: the one that opened the window, or the first that others may cancel. NULL: none. */
static const struct entry *undecided(const struct plan *p, struct group *g)
{
	const struct entry *e = group_entries(g);

	for (size_t i = 0; i < g->n && (p->closes || p->absent); i++)
		if (p->closes || e[i].of.kind == 0)
			return &e[i];
	return NULL;
}

/* When the group is to be looked at, and which entry's computers decide whether it is time. */
static int64_t due_of(struct correlator *c, struct group *g, const struct match **whose)
{
	const struct plan *p = &c->plans[g->plan];
	const struct entry *last = g->n ? &group_entries(g)[g->n - 1] : &g->one, *e = undecided(p, g);
	int64_t stays = (last->time > g->quiet_until ? last->time : g->quiet_until) + LINGER + p->slack;

	*whose = last->m;
	*whose = e ? e->m : last->m;
	return p->corr->timespan + (e ? e->time + p->slack : stays);
}

/* A group that now has something due sooner waits anew; one that has it later is found out when its time comes. */
static void wait_for(struct correlator *c, struct group *g)
{
	const struct plan *p = &c->plans[g->plan];
	const struct match *whose;

	if (g->at == NOWHERE || p->closes || p->absent) {
		int64_t when = due_of(c, g, &whose);

		if (g->at == NOWHERE || when < c->clocks[g->clock].heap[g->at].when)
			due_put(c, g, when, whose);
	}
}

/* absent: does nothing cancel that entry? */
static bool alone(const struct plan *p, const struct entry *e, size_t n, size_t at)
{
	int64_t span = p->corr->timespan;

	for (size_t i = 0; i < n; i++) {
		int64_t behind = e[i].time - e[at].time;

		if (e[i].of.kind != 0 && behind <= span && behind >= (p->corr->around ? -span : 0))
			return false;
	}
	return true;
}

static void prune(struct correlator *c, struct group *g, int64_t t)
{
	const struct entry *e = group_entries(g);
	size_t n = 0;

	while (n < g->n && e[n].time < t)
		n++;
	group_remove(c, g, 0, n);
}

/* absent: what only cancels goes when nothing waits, and nothing can come, that it would cancel; entries of the first rule wait for
 * their time. */
static void prune_absent(struct correlator *c, const struct plan *p, struct group *g, int64_t t)
{
	const struct entry *e = group_entries(g), *waits = undecided(p, g);
	int64_t reach = waits ? waits->time - (p->corr->around ? p->corr->timespan : 0) : t;

	t = t < reach ? t : reach;
	for (size_t i = 0; i < g->n && e[i].time < t;)
		if (e[i].of.kind == 0) {
			i++;
		} else {
			group_remove(c, g, i, 1);
			e = group_entries(g);
		}
}

static void decide_absent(struct correlator *c, struct group *g, int64_t upto)
{
	const struct plan *p = &c->plans[g->plan];
	const struct entry *e = group_entries(g);
	size_t at = (size_t)(undecided(p, g) - e);
	bool fires = alone(p, e, g->n, at) && e[at].time > g->quiet_until;
	struct match *m = match_ref(e[at].m);

	group_remove(c, g, at, 1);
	if (upto != INT64_MAX)
		prune_absent(c, p, g, upto - p->corr->timespan - p->slack);
	if (fires) {
		pick_none(c);
		pick(c, m);
		fire(c, g, 0);
	}
	match_unref(m);
}

static void decide_closed(struct correlator *c, struct group *g)
{
	const struct plan *p = &c->plans[g->plan];
	const struct entry *e = group_entries(g);
	int64_t end = e[0].time + p->corr->timespan;
	size_t n = 0;

	while (n < g->n && e[n].time <= end)
		n++;
	g->quiet_until = end; /* what comes for this window is too late */
	if (window_closed(c, p, g, n))
		fire(c, g, n);
	else
		group_remove(c, g, 0, n);
}

/* The first that is due before upto; false: nothing is. */
static bool decide_next(struct correlator *c, uint32_t clock, int64_t upto)
{
	const struct match *whose;
	int64_t when;
	struct group *g = due_next(c, clock, &when);

	if (!g || when >= upto)
		return false;
	when = due_of(c, g, &whose);
	if (when < upto) {
		const struct plan *p = &c->plans[g->plan];

		if (!undecided(p, g)) {
			table_drop(c, g);
			return true;
		}
		due_take(c, g);
		if (p->absent)
			decide_absent(c, g, upto);
		else
			decide_closed(c, g);
		state_changed(c, g);
		when = due_of(c, g, &whose);
	}
	due_put(c, g, when, whose);
	return true;
}

void correlator_pass(struct correlator *c, int64_t latest, int64_t (*upto)(void *arg, const char *host, const char *reporter), void *arg)
{
	for (uint32_t i = 0; i < c->n_clocks; i++) {
		bool may = c->clocks[i].n && c->clocks[i].heap[0].when < latest; /* asking of every computer there is takes its time */
		int64_t to = may ? upto(arg, c->clocks[i].host, c->clocks[i].reporter) : 0;

		while (may && decide_next(c, i, to))
			;
	}
}

int64_t correlator_due(const struct correlator *c)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < c->n_clocks; i++)
		if (c->clocks[i].n && c->clocks[i].heap[0].when < least)
			least = c->clocks[i].heap[0].when;
	return least;
}

void correlator_finish(struct correlator *c)
{
	due_merge(c);
	while (c->n_clocks && decide_next(c, 0, INT64_MAX))
		;
}

/* What the type asks of the match; false: it has no such value. */
static bool read_value(const struct correlator *c, const struct plan *p, const struct refer *r, struct match *m, struct entry *to)
{
	char text[KEY_BYTES];
	struct number v;
	size_t n;

	*to = (struct entry){.time = m->time, .m = m, .of.kind = r->place, .weight = 1};
	if (p->corr->n_fields == 0)
		return true;
	if (p->corr->type == CORR_VALUE_COUNT) {
		n = key_of(&r->fields, m, text);
		to->of.kind = n == SIZE_MAX ? 0 : hash_bytes(&c->seed, text, n);
		return n != SIZE_MAX;
	}
	const char *s = r->fields.slot[0] < 0 ? m->host : (size_t)r->fields.slot[0] < m->origin->n ?
		match_slot(m, (size_t)r->fields.slot[0]) : NULL;

	if (!s || !number_parse(s, strlen(s), &v))
		return false;
	to->of.number = v.real;
	return true;
}

static bool used_up(struct correlator *c, const struct plan *p, const struct group *g, const struct entry *e)
{
	if (e->time > g->quiet_until || (p->absent && e->of.kind != 0))
		return false;
	c->counts.late += p->closes;
	return true;
}

/* The match's group, used just now. NULL: it lacks a field. */
static struct group *group_for(struct correlator *c, const struct refer *r, struct match *m, struct entry *e)
{
	char key[KEY_BYTES];
	size_t n = key_of(&r->group, m, key);
	struct group *g;

	if (n == SIZE_MAX || !read_value(c, &c->plans[r->plan], r, m, e)) {
		c->counts.incomplete++;
		return NULL;
	}
	uint64_t hash = group_hash(c, r->plan, key, n);

	g = table_find(c, r->plan, key, n, hash);
	if (!g)
		return table_add(c, r->plan, key, n, hash);
	table_use(c, g);
	return g;
}

static void tell_taken(struct correlator *c, const struct plan *p, const struct group *g, const struct entry *e)
{
	bool number = p->corr->type >= CORR_VALUE_SUM && p->corr->type <= CORR_VALUE_PERCENTILE;
	struct taken t = {.rule = p->rule, .key = g->key, .match = e->m, .number = number ? e->of.number : 0,
		.kind = number ? 0 : e->of.kind};

	c->o.taken(c->o.arg, &t);
}

static void add_to(struct correlator *c, const struct refer *r, struct match *m)
{
	const struct plan *p = &c->plans[r->plan];
	struct entry e;
	struct group *g = group_for(c, r, m, &e);
	size_t at, end;

	if (g && c->o.taken)
		tell_taken(c, p, g, &e);
	if (!g || used_up(c, p, g, &e))
		return;
	if (!p->absent && !p->closes && g->n)
		prune(c, g, m->time - p->corr->timespan - (p->corr->timespan > LATE ? p->corr->timespan : LATE) - p->slack);
	at = group_put(c, g, &e);
	wait_for(c, g);
	if (at == SIZE_MAX)
		return;
	state_changed(c, g);
	if (p->absent || p->closes || (p->corr->type == CORR_EVENT_COUNT && g->n < p->corr->at_least) || !window_holds(c, p, g, at, &end))
		return;
	fire(c, g, end + 1);
}

void correlator_add(struct correlator *c, struct match *m)
{
	for (uint32_t i = 0; i < c->n_refers[m->rule->index]; i++)
		add_to(c, &c->refers[m->rule->index][i], m);
	while (c->depth == 0 && c->counts.bytes + c->beside > c->o.memory_cap && c->oldest && c->oldest != c->newest) {
		c->counts.evicted++;
		table_drop(c, c->oldest);
	}
}

void group_restore(struct correlator *c, const struct rule *r, struct match *m, struct restored how)
{
	for (uint32_t i = 0; i < c->n_refers[m->rule->index]; i++) {
		const struct refer *to = &c->refers[m->rule->index][i];
		struct entry e;
		struct group *g = c->plans[to->plan].rule == r ? group_for(c, to, m, &e) : NULL;

		if (!g)
			continue;
		if (how.weight > 1 && c->plans[to->plan].sums) {
			e.weight = how.weight;
			e.of.number = how.number;
		}
		group_put(c, g, &e);
		if (how.empty)
			group_remove(c, g, 0, g->n);
		g->quiet_until = how.quiet_until;
		g->stored = true;
		if (!how.stored)
			state_changed(c, g);
		wait_for(c, g);
	}
}
