/* correlate.c - all windows of all correlations.
 *
 * Why: which group a match belongs to, when a window fires, and how much memory all of them may take.
 * Promises: the same matches in the same order fire the same; memory stays below the cap, the window not used for longest goes
 * first.
 * Refuses: matches that lack a group-by field: they take no part. */
#include "correlate/correlate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "correlate/key.h"
#include "correlate/window.h"

#define BUCKETS 4096
#define LATE US_HOUR /* how much older than its group's newest a match may be and still find its company */

struct refers { /* correlations that refer to a rule */
	uint32_t *list;
	size_t n;
};

struct correlator {
	struct correlator_options o;
	struct hash_seed seed;
	struct window *buckets[BUCKETS];
	struct window *newest, *oldest;
	struct refers *refers;   /* by rule index */
	int64_t *slack;          /* by rule index: how late its firing may come behind its time */
	uint64_t bytes, evicted;
	size_t windows;
	int64_t next_due; /* no absent window is due before it */
	int depth;        /* inside fire: nothing is given up meanwhile */
};

static void count_refers(struct correlator *c)
{
	size_t n = ruleset_count(c->o.rules);

	c->refers = xcalloc(n + 1, sizeof *c->refers);
	c->slack = xcalloc(n + 1, sizeof *c->slack);
	for (size_t i = 0; i < n; i++) {
		const struct correlation *corr = ruleset_correlation(c->o.rules, ruleset_rule(c->o.rules, i));

		for (size_t r = 0; corr && r < corr->n_rules; r++) {
			struct refers *to = &c->refers[corr->rules[r]];

			to->list = xrealloc(to->list, to->n + 1, sizeof *to->list);
			to->list[to->n++] = (uint32_t)i;
		}
	}
	for (int round = 0; round < 12; round++) /* deeper chains are refused at load time */
		for (size_t i = 0; i < n; i++) {
			const struct correlation *corr = ruleset_correlation(c->o.rules, ruleset_rule(c->o.rules, i));
			int64_t below = 0;

			for (size_t r = 0; corr && r < corr->n_rules; r++)
				below = c->slack[corr->rules[r]] > below ? c->slack[corr->rules[r]] : below;
			c->slack[i] = below + (corr && corr->type == CORR_ABSENT ? corr->timespan : 0);
		}
}

struct correlator *correlator_new(const struct correlator_options *options)
{
	struct correlator *c = xcalloc(1, sizeof *c);

	c->o = *options;
	c->seed = hash_seed_draw();
	c->next_due = INT64_MAX;
	count_refers(c);
	return c;
}

static void unlink_use(struct correlator *c, struct window *w)
{
	*(w->newer ? &w->newer->older : &c->newest) = w->older;
	*(w->older ? &w->older->newer : &c->oldest) = w->newer;
	w->newer = w->older = NULL;
}

static void use(struct correlator *c, struct window *w)
{
	w->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = w;
	c->newest = w;
}

static void drop(struct correlator *c, struct window *w)
{
	struct window **p = &c->buckets[w->hash % BUCKETS];

	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	unlink_use(c, w);
	c->bytes -= w->bytes;
	c->windows--;
	window_free(w);
}

void correlator_free(struct correlator *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop(c, c->oldest);
	for (size_t i = 0; i < ruleset_count(c->o.rules); i++)
		free(c->refers[i].list);
	free(c->refers);
	free(c->slack);
	free(c);
}

static struct window *window_of(struct correlator *c, const struct rule *r, const char *key)
{
	uint64_t hash = hash_bytes(&c->seed, key, strlen(key)) + r->index * UINT64_C(0x9e3779b97f4a7c15);
	struct window *w = c->buckets[hash % BUCKETS];

	while (w && (w->hash != hash || w->rule != r || strcmp(w->key, key) != 0))
		w = w->next;
	if (w) {
		unlink_use(c, w);
	} else {
		w = window_new(r, ruleset_correlation(c->o.rules, r), key, hash);
		w->next = c->buckets[hash % BUCKETS];
		c->buckets[hash % BUCKETS] = w;
		c->bytes += w->bytes;
		c->windows++;
	}
	use(c, w);
	return w;
}

static bool grouped_by_host(const struct correlation *corr)
{
	for (size_t g = 0; g < corr->n_group_by; g++)
		if (text_same(corr->group_by[g], "host"))
			return true;
	return false;
}

static void fire(struct correlator *c, struct window *w, struct match **entries, size_t n)
{
	struct match *m = match_of_group(c->o.rules, w->rule, entries, n);
	struct fired f = {.rule = w->rule, .entries = entries, .n = n, .first = entries[0]->time, .last = entries[n - 1]->time,
			  .key = w->key, .match = m, .by_host = grouped_by_host(w->corr)};

	if (f.by_host)
		m->host = entries[n - 1]->host;
	c->depth++;
	c->o.fired(c->o.arg, &f);
	correlator_add(c, m);
	c->depth--;
	match_unref(m);
}

/* The window fired with its last event at `last`: what it had up to then is used up. */
static void settle(struct window *w, int64_t last, int64_t quiet_until)
{
	size_t n = 0;

	while (n < w->n && w->entries[n]->time <= last)
		n++;
	window_remove(w, 0, n);
	w->quiet_until = quiet_until;
}

static void try_fire(struct correlator *c, struct window *w, size_t at)
{
	size_t most = window_most(w->corr), n = 0;
	struct match **picked = xcalloc(most > CORR_RULES ? most : CORR_RULES, sizeof *picked);

	if (window_holds(w, at, picked, &n)) {
		for (size_t i = 0; i < n; i++)
			match_ref(picked[i]);
		settle(w, picked[n - 1]->time, picked[n - 1]->time + w->corr->timespan);
		fire(c, w, picked, n);
		for (size_t i = 0; i < n; i++)
			match_unref(picked[i]);
	}
	free(picked);
}

/* An absent window: fires or forgets every match of the first rule whose time is up. */
static void decide(struct correlator *c, struct window *w, int64_t upto)
{
	size_t at, before = w->bytes;

	while (window_due(w, &at) < upto) {
		struct match *m = match_ref(w->entries[at]);
		bool alone = window_alone(w, at);

		window_remove(w, at, 1);
		if (alone && m->time > w->quiet_until) {
			w->quiet_until = m->time + w->corr->timespan;
			fire(c, w, &m, 1);
		}
		match_unref(m);
	}
	if (upto != INT64_MAX)
		window_prune(w, upto - w->corr->timespan - c->slack[w->rule->index]);
	c->bytes += w->bytes - before;
}

static void add_to(struct correlator *c, const struct rule *r, const struct correlation *corr, struct match *m)
{
	bool absent = corr->type == CORR_ABSENT, first = corr->rules[0] == m->rule->index;
	char key[KEY_BYTES];
	struct window *w;
	size_t at, before;

	if (!group_key(c->o.rules, r, corr, m, key))
		return;
	w = window_of(c, r, key);
	if (m->time <= w->quiet_until && (!absent || first))
		return;
	before = w->bytes;
	if (!absent)
		window_prune(w, m->time - corr->timespan - (corr->timespan > LATE ? corr->timespan : LATE) - c->slack[r->index]);
	at = window_put(w, m, window_most(corr), &c->evicted);
	c->bytes += w->bytes - before;
	if (absent && first && m->time + corr->timespan < c->next_due)
		c->next_due = m->time + corr->timespan;
	if (at == SIZE_MAX || absent || (corr->type == CORR_EVENT_COUNT && w->n < corr->at_least))
		return;
	before = w->bytes;
	try_fire(c, w, at);
	c->bytes += w->bytes - before;
}

void correlator_add(struct correlator *c, struct match *m)
{
	const struct refers *to = &c->refers[m->rule->index];

	for (size_t i = 0; i < to->n; i++) {
		const struct rule *r = ruleset_rule(c->o.rules, to->list[i]);

		add_to(c, r, ruleset_correlation(c->o.rules, r), m);
	}
	while (c->depth == 0 && c->bytes > c->o.memory_cap && c->oldest && c->oldest != c->newest) {
		c->evicted++;
		drop(c, c->oldest);
	}
}

struct due {
	struct window *w;
	int64_t when, upto;
};

/* By time, so that the order of decisions does not depend on where windows lie in memory. */
static int by_due(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	if (x->w->rule != y->w->rule)
		return x->w->rule->index < y->w->rule->index ? -1 : 1;
	return strcmp(x->w->key, y->w->key);
}

/* Decides all that is due; how many windows that were. upto NULL: everything is. */
static size_t decide_round(struct correlator *c, int64_t (*upto)(void *arg, const struct match *m), void *arg)
{
	struct due *list = NULL;
	size_t n = 0, room = 0;

	c->next_due = INT64_MAX;
	for (struct window *w = c->newest; w; w = w->older) {
		size_t at;
		int64_t when = w->corr->type == CORR_ABSENT ? window_due(w, &at) : INT64_MAX;
		int64_t to = when == INT64_MAX ? INT64_MIN : upto ? upto(arg, w->entries[at]) : INT64_MAX;

		if (when >= to) {
			c->next_due = when < c->next_due ? when : c->next_due;
			continue;
		}
		if (n == room) {
			room = room ? 2 * room : 64;
			list = xrealloc(list, room, sizeof *list);
		}
		list[n++] = (struct due){w, when, to};
	}
	if (n)
		qsort(list, n, sizeof *list, by_due);
	c->depth++; /* keeps the windows of the list alive */
	for (size_t i = 0; i < n; i++) {
		size_t at;

		decide(c, list[i].w, list[i].upto);
		int64_t next = window_due(list[i].w, &at);

		c->next_due = next < c->next_due ? next : c->next_due;
	}
	c->depth--;
	free(list);
	return n;
}

void correlator_pass(struct correlator *c, int64_t (*upto)(void *arg, const struct match *m), void *arg)
{
	decide_round(c, upto, arg);
}

int64_t correlator_due(const struct correlator *c)
{
	return c->next_due;
}

void correlator_finish(struct correlator *c)
{
	while (decide_round(c, NULL, NULL))
		;
}

uint64_t correlator_evicted(const struct correlator *c)
{
	return c->evicted;
}

uint64_t correlator_bytes(const struct correlator *c)
{
	return c->bytes;
}

static const char *rule_key(const struct rule *r)
{
	return *r->id ? r->id : r->name;
}

void correlator_save(const struct correlator *c, struct json_out *o, const char *key)
{
	json_open(o, key, '[');
	for (const struct window *w = c->oldest; w; w = w->newer) {
		json_open(o, NULL, '{');
		json_put_str(o, "rule", rule_key(w->rule));
		json_put_str(o, "key", w->key);
		if (w->quiet_until != INT64_MIN)
			json_put_int(o, "quiet_until", w->quiet_until);
		json_open(o, "entries", '[');
		for (size_t i = 0; i < w->n; i++)
			match_save(w->entries[i], o, NULL);
		json_close(o, ']');
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void load_window(struct correlator *c, struct strings *pool, const struct json *j)
{
	const struct rule *r = ruleset_find(c->o.rules, json_str(json_get(j, "rule"), ""));
	const struct json *entries = json_get(j, "entries");
	struct window *w;
	size_t before, at;

	if (!r || r->kind != RULE_CORRELATION)
		return;
	w = window_of(c, r, json_str(json_get(j, "key"), ""));
	w->quiet_until = json_int(json_get(j, "quiet_until"), INT64_MIN);
	before = w->bytes;
	for (size_t i = 0; i < json_len(entries); i++) {
		struct match *m = match_load(pool, c->o.rules, json_at(entries, i));

		if (m && window_refers(w, m))
			window_put(w, m, window_most(w->corr), &c->evicted);
		match_unref(m);
	}
	c->bytes += w->bytes - before;
	if (w->corr->type == CORR_ABSENT && window_due(w, &at) < c->next_due)
		c->next_due = window_due(w, &at);
}

void correlator_load(struct correlator *c, struct strings *pool, const struct json *j)
{
	for (size_t i = 0; i < json_len(j); i++)
		load_window(c, pool, json_at(j, i));
}
