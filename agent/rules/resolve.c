/* resolve.c - rules that refer to rules.
 *
 * Why: a correlation may stand in another file than what it correlates, before or behind it.
 * Promises: after this every reference is a rule of the set, there is no circle, and indexes are final.
 * Refuses: references that nothing or two rules answer to, circles, chains deeper than DEEPEST. */
#include <string.h>

#include "base/text.h"
#include "rules/rule_load.h"

#define DEEPEST 10

static bool answers(const struct compiled *c, const char *text, bool by_id)
{
	const char *mine = by_id ? c->rule.id : c->rule.name;

	return !c->dropped && *mine && (by_id ? text_same(mine, text) : strcmp(mine, text) == 0);
}

static struct compiled *look_up(const struct ruleset *rs, const char *text, bool *ambiguous)
{
	struct compiled *found = NULL;

	*ambiguous = false;
	for (int by_id = 1; by_id >= 0 && !found; by_id--)
		for (size_t i = 0; i < rs->n; i++) {
			if (!answers(rs->rules[i], text, by_id))
				continue;
			*ambiguous = found != NULL;
			found = rs->rules[i];
		}
	return found;
}

static void drop(struct ruleset *rs, struct compiled *c)
{
	c->dropped = true;
	rs->refused++;
}

/* Longest chain below c; DEEPEST + 1 when it is too deep or a circle. */
static int depth(struct compiled *c)
{
	int most = 0;

	if (c->visiting)
		return DEEPEST + 1;
	c->visiting = true;
	for (size_t i = 0; i < c->n_references && most <= DEEPEST; i++) {
		int d = c->references[i].rule ? 1 + depth(c->references[i].rule) : 0;

		most = d > most ? d : most;
	}
	c->visiting = false;
	return most;
}

static bool aliases_fit(struct loader *l, const struct compiled *c)
{
	for (size_t g = 0; g < c->correlation.n_group_by; g++) {
		const char *name = c->correlation.group_by[g];
		size_t have = 0, is_alias = 0;

		for (size_t a = 0; a < c->n_aliases; a++) {
			if (!text_same(c->aliases[a].name, name))
				continue;
			is_alias = 1;
			for (size_t r = 0; r < c->n_references; r++)
				have += text_same(c->aliases[a].rule, c->references[r].text);
		}
		if (is_alias && have != c->n_references)
			return refuse_at(l, c->rule.file, c->rule.line, LINT_REFUSED, "alias '%s' must name a field for each rule of the correlation", name);
	}
	return true;
}

static bool resolve_one(struct loader *l, struct ruleset *rs, struct compiled *c)
{
	for (size_t i = 0; i < c->n_references; i++) {
		bool ambiguous;

		c->references[i].rule = look_up(rs, c->references[i].text, &ambiguous);
		if (!c->references[i].rule)
			return refuse_at(l, c->rule.file, c->rule.line, LINT_REFUSED,
				"the correlation refers to '%s', and there is no such rule", c->references[i].text);
		if (ambiguous)
			return refuse_at(l, c->rule.file, c->rule.line, LINT_REFUSED, "the correlation refers to '%s', and more than one rule has that name",
				c->references[i].text);
	}
	if (depth(c) > DEEPEST)
		return refuse_at(l, c->rule.file, c->rule.line, LINT_REFUSED, "the correlation refers to itself, or over more than %d others", DEEPEST);
	return aliases_fit(l, c);
}

/* silent if a correlation refers to it and none of those says generate: true. */
static void mark_silent(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n; i++)
		for (size_t r = 0; r < rs->rules[i]->n_references; r++)
			rs->rules[i]->references[r].rule->rule.silent = true;
	for (size_t i = 0; i < rs->n; i++)
		for (size_t r = 0; rs->rules[i]->correlation.generate && r < rs->rules[i]->n_references; r++)
			rs->rules[i]->references[r].rule->rule.silent = false;
}

static void number(struct loader *l, struct ruleset *rs)
{
	size_t k = 0;

	for (size_t i = 0; i < rs->n; i++)
		if (!rs->rules[i]->dropped) {
			rs->rules[i]->rule.index = (uint32_t)k;
			rs->rules[k++] = rs->rules[i];
		}
	rs->n = k;
	for (size_t i = 0; i < rs->n; i++) {
		struct compiled *c = rs->rules[i];
		uint32_t *indexes = arena_alloc(l->arena, (c->n_references + 1) * sizeof *indexes);

		for (size_t r = 0; r < c->n_references; r++)
			indexes[r] = c->references[r].rule->rule.index;
		c->correlation.rules = indexes;
		c->correlation.n_rules = c->n_references;
	}
}

void rules_resolve(struct loader *l, struct ruleset *rs)
{
	bool again = true;

	rules_drop_doubles(l, rs);
	while (again) { /* what is dropped may have been referred to */
		again = false;
		for (size_t i = 0; i < rs->n; i++)
			if (!rs->rules[i]->dropped && rs->rules[i]->rule.kind == RULE_CORRELATION && !resolve_one(l, rs, rs->rules[i])) {
				drop(rs, rs->rules[i]);
				again = true;
			}
	}
	number(l, rs);
	mark_silent(rs);
}
