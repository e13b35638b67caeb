/* rules_near.c - why a correlation did not fire: the group that came nearest, and with which events.
 *
 * Why: "fired 0 times" does not say whether a threshold is one too high or the events never meet.
 * Promises: groups and values are those of the correlator that runs. Of counts, sums and rules the highest of any window is told; of
 * what is decided when its window closes (mean, median, percentile, fewer than) the fullest window. Time grows as sorting does.
 * Refuses: to look for a better window of a type whose value falls and rises; it says which one it looked at. */
#include "cli/rules_near.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/rules_json.h"
#include "rules/explain/explain.h"

struct take {
	const char *key; /* in the pool */
	struct match *m;
	double number;
	uint64_t kind;   /* from near_show on: counted from 0 */
};

struct near {
	const struct cli *c;
	const struct ruleset *rs;
	const struct rule *rule;
	const struct correlation *corr;
	struct strings *pool;
	struct take *list;
	size_t n, cap;
};

struct near *near_new(const struct cli *c, const struct ruleset *rs, const struct rule *r)
{
	struct near *n = xcalloc(1, sizeof *n);

	n->c = c;
	n->rs = rs;
	n->rule = r;
	n->corr = ruleset_correlation(rs, r);
	n->pool = strings_new();
	return n;
}

void near_free(struct near *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		match_unref(n->list[i].m);
	free(n->list);
	strings_free(n->pool);
	free(n);
}

void near_take(struct near *n, const struct taken *t)
{
	if (t->rule != n->rule)
		return;
	if (n->n == n->cap) {
		n->cap = n->cap ? 2 * n->cap : 64;
		n->list = xrealloc(n->list, n->cap, sizeof *n->list);
	}
	n->list[n->n++] = (struct take){strings_add(n->pool, t->key), match_ref(t->match), t->number, t->kind};
}

/* -- the best window -- */

static int by_kind(const void *a, const void *b)
{
	const struct take *x = a, *y = b;

	return (x->kind > y->kind) - (x->kind < y->kind);
}

static int by_group(const void *a, const void *b)
{
	const struct take *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order == 0)
		order = (x->m->time > y->m->time) - (x->m->time < y->m->time);
	return order ? order : (x->m->record_id > y->m->record_id) - (x->m->record_id < y->m->record_id);
}

/* Kinds are counted from 0; how many there are. */
static size_t number_kinds(struct near *n)
{
	size_t kinds = 0;

	qsort(n->list, n->n, sizeof *n->list, by_kind);
	for (size_t i = 0; i < n->n;) {
		uint64_t kind = n->list[i].kind;

		for (; i < n->n && n->list[i].kind == kind; i++)
			n->list[i].kind = kinds;
		kinds++;
	}
	return kinds;
}

struct window {
	size_t from, to; /* of the list, `to` behind the last */
	size_t distinct;
	double sum;
};

static bool counts_kinds(const struct correlation *c)
{
	return c->type == CORR_VALUE_COUNT || c->type == CORR_TEMPORAL || c->type == CORR_TEMPORAL_ORDERED;
}

/* What is compared to find the best one. */
static double size_of(const struct correlation *c, const struct window *w)
{
	if (!c->closes && counts_kinds(c))
		return (double)w->distinct;
	return !c->closes && c->type == CORR_VALUE_SUM ? w->sum : (double)(w->to - w->from);
}

static struct window best_window(struct near *n)
{
	size_t *of_kind = xcalloc(number_kinds(n) + 1, sizeof *of_kind);
	struct window w = {0}, best = {0};

	qsort(n->list, n->n, sizeof *n->list, by_group);
	for (w.to = 0; w.to < n->n;) {
		const struct take *new = &n->list[w.to++];

		w.distinct += of_kind[new->kind]++ == 0;
		w.sum += new->number;
		for (const struct take *old = &n->list[w.from];
		     old->key != new->key || new->m->time - old->m->time > n->corr->timespan; old = &n->list[++w.from]) {
			w.distinct -= --of_kind[old->kind] == 0;
			w.sum -= old->number;
		}
		if (best.to == 0 || size_of(n->corr, &w) > size_of(n->corr, &best))
			best = w;
	}
	free(of_kind);
	return best;
}

/* -- showing -- */

static const char *group_value(const struct near *n, const struct match *m, size_t g)
{
	const char *field = ruleset_alias(n->rs, n->rule, n->corr->group_by[g], m->rule);

	return text_same(field, "host") ? m->host : match_value(m, field);
}

static void group_text(const struct near *n, const struct match *m, struct buf *to)
{
	for (size_t g = 0; g < n->corr->n_group_by; g++) {
		const char *value = group_value(n, m, g);

		buf_printf(to, "%s%s '%s'", g ? ", " : "", n->corr->group_by[g], value ? value : "");
	}
	if (n->corr->n_group_by == 0)
		buf_str(to, "all events together");
}

static void events_text(const struct near *n, struct match *const *entries, size_t count)
{
	char when[32];

	for (size_t i = 0; i < count && i < NEAR_EVENTS; i++) {
		const struct match *m = entries[i];

		if (m->rule->kind == RULE_CORRELATION)
			cli_print(n->c, CLI_PLAIN, "    %s  %s\n", time_text(m->time, when), m->rule->title);
		else
			cli_print(n->c, CLI_PLAIN, "    %s  event %u of %s, record %llu: %s\n", time_text(m->time, when), (unsigned)m->origin->event_id,
				m->origin->computer, (unsigned long long)m->record_id, m->rule->title);
	}
	if (count > NEAR_EVENTS)
		cli_print(n->c, CLI_PLAIN, "    and %zu more\n", count - NEAR_EVENTS);
}

static void events_json(struct match *const *entries, size_t count, struct json_out *o)
{
	json_open(o, "events", '[');
	for (size_t i = 0; i < count && i < NEAR_EVENTS; i++) {
		const struct match *m = entries[i];
		bool corr = m->rule->kind == RULE_CORRELATION;

		json_open(o, NULL, '{');
		rule_put(o, "rule", m->rule);
		json_put_time(o, "time", m->time);
		json_put_str(o, "source", corr ? NULL : m->origin->source);
		json_put_str(o, "host", rule_said(m->host));
		json_put_int(o, "event_id", corr ? 0 : m->origin->event_id);
		json_put_int(o, "record_id", (int64_t)m->record_id);
		json_close(o, '}');
	}
	json_close(o, ']');
}

/* The members that a firing and a window have in common; the line stays open. */
static void begin_json(const struct near *n, const char *kind, struct match *const *entries, size_t count, struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_int(o, "v", 1);
	json_put_str(o, "kind", kind);
	rule_put(o, "rule", n->rule);
	json_open(o, "group", '[');
	for (size_t g = 0; g < n->corr->n_group_by; g++) {
		json_open(o, NULL, '{');
		json_put_str(o, "field", n->corr->group_by[g]);
		json_put_str(o, "value", group_value(n, entries[0], g));
		json_close(o, '}');
	}
	json_close(o, ']');
	json_put_time(o, "first", entries[0]->time);
	json_put_time(o, "last", entries[count - 1]->time);
	json_put_int(o, "count", (int64_t)count);
	events_json(entries, count, o);
}

void near_fired(const struct near *n, const struct fired *f)
{
	char from[32], to[32];
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 20);
	if (n->c->json) {
		json_begin(&o, &b);
		begin_json(n, "firing", f->entries, f->n, &o);
		json_close(&o, '}');
		printf("%s\n", buf_text(&b));
	} else {
		group_text(n, f->entries[0], &b);
		cli_print(n->c, CLI_GREEN, "fired for %s, from %s to %s, with %zu event%s\n", buf_text(&b), time_text(f->first, from),
			time_text(f->last, to), f->n, f->n == 1 ? "" : "s");
		events_text(n, f->entries, f->n);
	}
	buf_free(&b);
}

static void reached_text(const struct near *n, const struct window *w, struct buf *to)
{
	size_t many = w->to - w->from;

	if (n->corr->type == CORR_ABSENT)
		buf_printf(to, "%zu events of its rules, and none of the first was without one of the others", many);
	else if (n->corr->closes)
		buf_printf(to, "%zu events in its fullest window, which was not what it needs when it closed", many);
	else if (n->corr->type == CORR_TEMPORAL_ORDERED && w->distinct == n->corr->n_rules)
		buf_printf(to, "all %zu rules in one window, but not in their order", w->distinct);
	else if (n->corr->type == CORR_TEMPORAL || n->corr->type == CORR_TEMPORAL_ORDERED)
		buf_printf(to, "%zu of its %zu rules in one window", w->distinct, n->corr->n_rules);
	else if (n->corr->type == CORR_VALUE_COUNT)
		buf_printf(to, "%zu different values in one window", w->distinct);
	else if (n->corr->type == CORR_VALUE_SUM)
		buf_printf(to, "a sum of %.15g in one window", w->sum);
	else
		buf_printf(to, "%zu event%s in one window", many, many == 1 ? "" : "s");
}

static void show_window(const struct near *n, const struct window *w, struct match *const *entries, size_t count)
{
	struct arena *a = arena_new(1u << 12);
	struct buf group, reached;
	struct json_out o;
	struct buf b;

	buf_init(&group, 1u << 20);
	buf_init(&reached, 4096);
	buf_init(&b, 1u << 20);
	group_text(n, entries[0], &group);
	reached_text(n, w, &reached);
	if (n->c->json) {
		json_begin(&o, &b);
		begin_json(n, "nearest", entries, count, &o);
		json_put_str(&o, "reached", buf_text(&reached));
		json_put_str(&o, "needs", rule_needs(n->rs, n->rule, a));
		json_close(&o, '}');
		printf("%s\n", buf_text(&b));
	} else {
		cli_print(n->c, CLI_YELLOW, "it came nearest for %s: %s; it needs %s\n", buf_text(&group), buf_text(&reached),
			rule_needs(n->rs, n->rule, a));
		events_text(n, entries, count);
	}
	buf_free(&b);
	buf_free(&reached);
	buf_free(&group);
	arena_free(a);
}

void near_show(struct near *n)
{
	struct match **entries;
	struct window w;

	if (n->n == 0)
		return;
	w = best_window(n);
	entries = xcalloc(w.to - w.from + 1, sizeof(struct match *));
	for (size_t i = w.from; i < w.to; i++)
		entries[i - w.from] = n->list[i].m;
	show_window(n, &w, entries, w.to - w.from);
	free(entries);
}
