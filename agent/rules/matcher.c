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

static void explain_values(const struct item *it, const struct look *l, size_t variant, struct buf *to)
{
	struct cursor c = {.id = it->fields ? it->fields[variant] : 0};
	const struct event_field *f;
	size_t shown = 0;

	if (!it->fields)
		return;
	buf_str(to, "   the event has ");
	while ((f = look_next(l, &c)))
		if (++shown <= 3)
			buf_printf(to, "%s'%.*s%s'", shown > 1 ? ", " : "", f->len > 120 ? 120 : (int)f->len, f->value, f->len > 120 ? "..." : "");
	if (shown > 3)
		buf_printf(to, " and %zu more", shown - 3);
	if (shown == 0)
		buf_str(to, "no such field");
}

static void explain_item(const struct item *it, const struct look *l, size_t variant, struct buf *to)
{
	buf_printf(to, "%s: ", it->field);
	if (it->exists)
		buf_str(to, it->exists_truth ? "true" : "false");
	for (size_t i = 0; i < it->n && i < 5; i++)
		buf_printf(to, "%s%.120s", i ? it->all ? " and " : " or " : "", it->values[i].kind == VALUE_NULL ? "null" : it->values[i].text);
	if (it->n > 5)
		buf_printf(to, " (and %zu more)", it->n - 5);
	explain_values(it, l, variant, to);
	buf_char(to, '\n');
}

static void explain_node(const struct node *n, const struct look *l, size_t variant, int depth, struct buf *to)
{
	static const char *const words[] = {"all of", "one of", "not", "", "some of"};

	buf_printf(to, "  %-4s %*s", node_holds(n, l, variant) ? "yes" : "no", 2 * depth, "");
	if (n->label)
		buf_printf(to, "%s: ", n->label);
	if (n->kind == NODE_ITEM) {
		explain_item(n->item, l, variant, to);
		return;
	}
	buf_printf(to, "%s\n", words[n->kind]);
	for (size_t i = 0; i < n->n; i++)
		explain_node(n->kids[i], l, variant, depth + 1, to);
}

void matcher_explain(struct matcher *m, const struct rule *r, const struct event *ev, struct buf *to)
{
	const struct compiled *c = m->rs->rules[r->index];
	struct look l;
	size_t variant;

	if (r->kind == RULE_CORRELATION) {
		buf_str(to, "  this is a correlation: explain the rules that it refers to\n");
		return;
	}
	bool meant = source_holds(c, ev, &variant);

	look_begin(&l, m->rs, ev);
	buf_printf(to, "  %-4s logsource: channel '%s', provider '%s', event %u\n", meant ? "yes" : "no", ev->channel, ev->provider,
		ev->event_id);
	explain_node(c->condition, &l, variant, 0, to);
}
