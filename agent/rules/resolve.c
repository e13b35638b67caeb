/* resolve.c - rules that refer to rules.
 *
 * Why: a correlation may stand in another file than what it correlates, before or behind it.
 * Promises: after this every reference is a rule of the set, there is no circle, and indexes are final.
 * Refuses: references that nothing or two rules answer to, circles, chains deeper than DEEPEST. */
#include <string.h>

#include "base/text.h"
#include "rules/correlation.h"
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

/* An alias that is used names a field for every rule of the correlation, and for no other. */
static bool alias_fits(struct loader *l, const struct compiled *c, const char *name)
{
	size_t have = 0, entries = 0;

	for (size_t a = 0; a < c->n_aliases; a++) {
		if (!text_same(c->aliases[a].name, name))
			continue;
		entries++;
		for (size_t r = 0; r < c->n_references; r++)
			have += correlation_alias_means(c, &c->aliases[a], r);
	}
	return entries == 0 || have == c->n_references ||
	       refuse_at(l, &c->rule, c->aliases[0].line, LINT_REFUSED, "alias '%s' must name a field for each rule of the correlation", name);
}

static bool aliases_fit(struct loader *l, const struct compiled *c)
{
	const struct correlation *corr = &c->correlation;

	for (size_t a = 0; a < c->n_aliases; a++) {
		bool known = false;

		for (size_t r = 0; r < c->n_references; r++)
			known = known || correlation_alias_means(c, &c->aliases[a], r);
		if (!known)
			return refuse_at(l, &c->rule, c->aliases[a].line, LINT_REFUSED, "alias '%s' names a field for '%s', which 'rules' does not list",
				c->aliases[a].name, c->aliases[a].rule);
	}
	for (size_t g = 0; g < corr->n_group_by; g++)
		if (!alias_fits(l, c, corr->group_by[g]))
			return false;
	for (size_t f = 0; f < corr->n_fields; f++)
		if (!alias_fits(l, c, corr->fields[f]))
			return false;
	return true;
}

static bool resolve_one(struct loader *l, struct ruleset *rs, struct compiled *c)
{
	for (size_t i = 0; i < c->n_references; i++) {
		bool ambiguous;

		c->references[i].rule = look_up(rs, c->references[i].text, &ambiguous);
		if (!c->references[i].rule)
			return refuse_at(l, &c->rule, c->references[i].line, LINT_UNKNOWN_RULE,
				"the correlation refers to '%s', and there is no such rule", c->references[i].text);
		if (ambiguous)
			return refuse_at(l, &c->rule, c->references[i].line, LINT_UNKNOWN_RULE,
				"the correlation refers to '%s', and more than one rule has that name", c->references[i].text);
		for (size_t k = 0; k < i; k++)
			if (c->references[k].rule == c->references[i].rule)
				return refuse_at(l, &c->rule, c->references[i].line, LINT_REFUSED, "'%s' and '%s' are the same rule",
					c->references[k].text, c->references[i].text);
	}
	return aliases_fit(l, c);
}

/* Round after round the depth of what is above grows; in a circle it never ends. Returns how many were dropped. */
static size_t drop_deep(struct loader *l, struct ruleset *rs)
{
	size_t dropped = 0;

	for (size_t i = 0; i < rs->n; i++)
		rs->rules[i]->depth = 0;
	for (int round = 0; round <= DEEPEST; round++)
		for (size_t i = 0; i < rs->n; i++) {
			struct compiled *c = rs->rules[i];

			for (size_t r = 0; !c->dropped && r < c->n_references; r++)
				if (c->references[r].rule->depth >= c->depth && c->depth <= DEEPEST)
					c->depth = c->references[r].rule->depth + 1;
		}
	for (size_t i = 0; i < rs->n; i++) {
		struct compiled *c = rs->rules[i];

		if (c->dropped || c->depth <= DEEPEST)
			continue;
		refuse_at(l, &c->rule, c->rule.line, LINT_REFUSED, "the correlation refers to itself, or over more than %d others", DEEPEST);
		drop(rs, c);
		dropped++;
	}
	return dropped;
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
		again = again || drop_deep(l, rs) > 0;
	}
	number(l, rs);
	mark_silent(rs);
}
