/* held_back.c - rules on trial at the end of a scan.
 *
 * Why: a rule with `shadow: true` says nothing by itself, but whoever tries it wants to know how often it would have spoken.
 * Promises: every rule that matched is in the JSON; people see the busiest ones and how many more there are.
 * Refuses: nothing. */
#include "cli/held_back.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"

#define SHOWN 20

struct one {
	const struct rule *rule;
	const struct held_back *held;
};

static int by_count(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->held->shadow != y->held->shadow)
		return x->held->shadow > y->held->shadow ? -1 : 1;
	return x->rule->index < y->rule->index ? -1 : 1;
}

/* Rules that were counted only, the busiest first; the caller frees *to. */
static size_t on_trial(const struct engine *g, const struct ruleset *rs, struct one **to)
{
	size_t n = 0;

	*to = xcalloc(ruleset_count(rs) + 1, sizeof **to);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		struct one o = {ruleset_rule(rs, i), engine_held_back(g, ruleset_rule(rs, i))};

		if (o.held->shadow)
			(*to)[n++] = o;
	}
	if (n)
		qsort(*to, n, sizeof **to, by_count);
	return n;
}

void held_back_print(const struct cli *c, const struct engine *g, const struct ruleset *rs)
{
	struct one *list;
	size_t n = on_trial(g, rs, &list);

	if (n)
		cli_print(c, CLI_DIM, "Counted and not told (shadow):\n");
	for (size_t i = 0; i < n && i < SHOWN; i++)
		cli_print(c, CLI_DIM, "  %8" PRIu64 "  %s\n", list[i].held->shadow, list[i].rule->title);
	if (n > SHOWN)
		cli_print(c, CLI_DIM, "  and %zu more rules; --json has them all\n", n - SHOWN);
	free(list);
}

void held_back_json(struct json_out *o, const struct engine *g, const struct ruleset *rs)
{
	struct engine_counts counts;
	struct one *list;
	size_t n = on_trial(g, rs, &list);

	engine_counts(g, &counts);
	json_put_int(o, "shadow", (int64_t)counts.shadow);
	json_open(o, "shadow_rules", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "id", list[i].rule->id);
		json_put_str(o, "name", list[i].rule->name);
		json_put_int(o, "count", (int64_t)list[i].held->shadow);
		json_close(o, '}');
	}
	json_close(o, ']');
	free(list);
}
