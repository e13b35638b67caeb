/* want.c - which fields a match must take along.
 *
 * Why: findings are written, and correlations decided, long after their events are gone; only what will be asked for is kept.
 * Promises: every field named by the rule's own hint and host, and by the correlations above it, however high, is in the list.
 * Refuses: nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "rules/rule_load.h"

struct want {
	const char **names;
	size_t n, cap;
};

static void add(struct want *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (text_same(w->names[i], name))
			return;
	if (w->n == RULE_WANTS)
		return; /* a thousand fields for one match: the others count as absent */
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 16;
		w->names = xrealloc(w->names, w->cap, sizeof *w->names);
	}
	w->names[w->n++] = name;
}

static void add_hint(struct want *w, struct loader *l, const char *hint)
{
	for (const char *p = hint; p && *p; p++) {
		if ((p[0] == '{' || p[0] == '}') && p[1] == p[0]) {
			p++;
		} else if (*p == '{') {
			size_t n = strcspn(p + 1, "}");

			add(w, arena_copy(l->arena, p + 1, n));
			p += n;
		}
	}
}

static void add_rule(struct want *w, struct loader *l, const struct compiled *c)
{
	add_hint(w, l, c->rule.hint);
	for (size_t i = 0; i < c->n_hosts; i++)
		add(w, c->hosts[i]);
}

/* Whatever a correlation wants of its own matches, its rules must bring along, under their own names for it. The longest way up
 * has as many steps as correlations may be nested. */
static void add_above(struct want *w, const struct compiled *c, struct compiled *const *correlations, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct compiled *up = correlations[i];

		for (size_t r = 0; r < up->n_references; r++) {
			if (up->references[r].rule != c)
				continue;
			for (size_t g = 0; g < up->correlation.n_group_by; g++)
				add(w, correlation_field(up, up->correlation.group_by[g], c));
			for (size_t f = 0; f < up->correlation.n_fields; f++)
				add(w, correlation_field(up, up->correlation.fields[f], c));
			for (size_t k = 0; k < up->n_wanted; k++)
				add(w, correlation_field(up, up->wanted[k], c));
		}
	}
}

static int from_the_top(const void *a, const void *b)
{
	const struct compiled *x = *(struct compiled *const *)a, *y = *(struct compiled *const *)b;

	return y->depth - x->depth;
}

static void want_of(struct want *w, struct loader *l, struct compiled *c, struct compiled *const *correlations, size_t n)
{
	const char **kept;

	w->n = 0;
	add(w, "Thumbprint");
	add(w, "Endpoint");
	add_rule(w, l, c);
	for (size_t g = 0; g < c->correlation.n_group_by; g++)
		add(w, c->correlation.group_by[g]); /* silences may ask for them */
	if (n)
		add_above(w, c, correlations, n);
	kept = arena_alloc(l->arena, w->n * sizeof *kept);
	memcpy(kept, w->names, w->n * sizeof *kept);
	c->wanted = kept;
	c->n_wanted = w->n;
}

void rules_want(struct loader *l, struct ruleset *rs)
{
	struct compiled **correlations = xcalloc(rs->n + 1, sizeof *correlations);
	struct want w = {0};
	size_t n = 0;

	for (size_t i = 0; i < rs->n; i++)
		if (rs->rules[i]->rule.kind == RULE_CORRELATION)
			correlations[n++] = rs->rules[i];
	if (n)
		qsort(correlations, n, sizeof *correlations, from_the_top);
	for (size_t i = 0; i < n; i++)
		want_of(&w, l, correlations[i], correlations, n);
	for (size_t i = 0; i < rs->n; i++)
		if (rs->rules[i]->rule.kind != RULE_CORRELATION)
			want_of(&w, l, rs->rules[i], correlations, n);
	free(w.names);
	free(correlations);
}
