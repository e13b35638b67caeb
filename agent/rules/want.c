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

static void add_above(struct want *w, struct loader *l, const struct ruleset *rs, const struct compiled *c)
{
	for (size_t i = 0; i < rs->n; i++) {
		const struct compiled *up = rs->rules[i];

		for (size_t r = 0; r < up->n_references; r++) {
			if (up->references[r].rule != c)
				continue;
			add_rule(w, l, up);
			for (size_t g = 0; g < up->correlation.n_group_by; g++)
				add(w, correlation_field(up, g, c));
			add_above(w, l, rs, up);
		}
	}
}

void rules_want(struct loader *l, struct ruleset *rs)
{
	struct want w = {0};

	for (size_t i = 0; i < rs->n; i++) {
		struct compiled *c = rs->rules[i];

		w.n = 0;
		add(&w, "Thumbprint");
		add(&w, "Endpoint");
		add_rule(&w, l, c);
		for (size_t g = 0; g < c->correlation.n_group_by; g++)
			add(&w, c->correlation.group_by[g]); /* silences may ask for them */
		add_above(&w, l, rs, c);
		const char **kept = arena_alloc(l->arena, w.n * sizeof *kept);

		memcpy(kept, w.names, w.n * sizeof *kept);
		c->wanted = kept;
		c->n_wanted = w.n;
	}
	free(w.names);
}
