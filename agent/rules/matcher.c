/* matcher.c - which rules hold for an event.
 *
 * Why: asked for every event; everything that can be settled before is settled in the index and the compiled conditions.
 * Promises: the same answer as evaluating every rule (a test compares it with a second, naive evaluator).
 * Refuses: nothing. One matcher belongs to one thread. */
#include <stdlib.h>

#include "base/err.h"
#include "rules/compiled.h"

struct matcher {
	const struct ruleset *rs;
	uint32_t *candidates; /* hits are moved to its front */
};

struct matcher *matcher_new(const struct ruleset *rs)
{
	struct matcher *m = xcalloc(1, sizeof *m);

	m->rs = rs;
	m->candidates = xcalloc(rs->n + 1, sizeof *m->candidates);
	return m;
}

void matcher_free(struct matcher *m)
{
	if (m)
		free(m->candidates);
	free(m);
}

size_t matcher_run(struct matcher *m, const struct event *ev, const uint32_t **hits)
{
	size_t n = index_find(m->rs->index, m->rs, ev, m->candidates), kept = 0;
	struct look l;

	look_begin(&l, m->rs, ev);
	for (size_t i = 0; i < n; i++) {
		const struct compiled *c = m->rs->rules[m->candidates[i]];
		size_t variant;

		if (c->rule.kind == RULE_DETECTION && source_holds(c, ev, &variant) && node_holds(c->condition, &l, variant))
			m->candidates[kept++] = m->candidates[i];
	}
	*hits = m->candidates;
	return kept;
}
