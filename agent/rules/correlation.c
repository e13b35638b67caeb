/* correlation.c - reading a correlation document.
 *
 * Why: correlations say which groups of events mean something; their state lives in correlate/, their text is read here.
 * Promises: types event_count, temporal, temporal_ordered and our own `absent`; references are resolved later, over all files.
 * Refuses: value_* types, upper bounds and expressions (not supported yet), by name. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "rules/compiled.h"

static const char *const known[] = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "where", NULL};
static const char *const types[] = {"event_count", "temporal", "temporal_ordered", "absent", NULL};
static const char *const later[] = {"value_count", "value_sum", "value_avg", "value_percentile", "value_median", NULL};

static bool read_type(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "type");
	const char *near;

	if (!n || n->kind != YAML_SCALAR)
		return refuse(l, n ? n : corr, "a correlation needs a 'type': event_count, temporal, temporal_ordered or absent");
	for (size_t i = 0; types[i]; i++)
		if (strcmp(n->text, types[i]) == 0) {
			to->type = (enum correlation_type)i;
			return true;
		}
	for (size_t i = 0; later[i]; i++)
		if (strcmp(n->text, later[i]) == 0)
			return refuse(l, n, "correlation type '%s' is not supported yet; this rule is left out", n->text);
	near = text_nearest(n->text, types);
	return refuse(l, n, "unknown correlation type '%s'%s%s%s", n->text, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
}

static bool read_rules(struct loader *l, const struct yaml_node *corr, struct compiled *c)
{
	const char *const *list;

	if (!texts(l, yaml_get(corr, "rules"), "rules", &list, &c->n_references))
		return false;
	if (c->n_references > CORR_RULES)
		return refuse(l, yaml_get(corr, "rules"), "a correlation may refer to %d rules at most", CORR_RULES);
	c->references = arena_alloc(l->arena, c->n_references * sizeof *c->references);
	for (size_t i = 0; i < c->n_references; i++) {
		c->references[i].text = list[i];
		for (size_t k = 0; k < i; k++)
			if (text_same(list[i], list[k]))
				return refuse(l, yaml_get(corr, "rules"), "'%s' is listed twice", list[i]);
	}
	if (c->correlation.type != CORR_EVENT_COUNT && c->n_references < 2)
		return refuse(l, yaml_get(corr, "rules"), "this type of correlation needs two rules at least");
	return true;
}

static bool read_timespan(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "timespan");

	if (!n || n->kind != YAML_SCALAR || !span_parse(n->text, &to->timespan) || to->timespan <= 0 || to->timespan > 400 * US_DAY)
		return refuse(l, n ? n : corr, "a correlation needs a 'timespan' such as 30s, 10m, 24h or 7d, at most 400d");
	return true;
}

static bool read_condition(struct loader *l, const struct yaml_node *corr, struct compiled *c)
{
	const struct yaml_node *n = yaml_get(corr, "condition");
	struct correlation *to = &c->correlation;
	bool counts = to->type == CORR_EVENT_COUNT, temporal = to->type == CORR_TEMPORAL;
	int64_t v;

	to->at_least = c->n_references;
	if (!n)
		return !counts || refuse(l, corr, "event_count needs a 'condition' such as {gte: 10}");
	if (!counts && !temporal)
		return refuse(l, n, "a condition for %s is not supported yet; leave it out", types[to->type]);
	if (n->kind != YAML_MAP)
		return refuse(l, n, "a condition that is an expression is not supported yet; write {gte: 2}");
	if (n->n != 1 || (strcmp(n->keys[0]->text, "gte") != 0 && strcmp(n->keys[0]->text, "gt") != 0))
		return refuse(l, n, "only one of gte and gt is supported in a condition yet");
	if (n->items[0]->kind != YAML_SCALAR || !text_int(n->items[0]->text, n->items[0]->len, &v) || v < 0 || v > 100000)
		return refuse(l, n->items[0], "'%s' takes a number up to 100000", n->keys[0]->text);
	to->at_least = (uint64_t)v + (n->keys[0]->text[2] == '\0');
	if (to->at_least == 0 || (temporal && to->at_least > c->n_references))
		return refuse(l, n->items[0], temporal ? "there are fewer rules than that" : "a count of 0 holds always");
	return true;
}

static bool read_aliases(struct loader *l, const struct yaml_node *corr, struct compiled *c)
{
	const struct yaml_node *n = yaml_get(corr, "aliases");
	struct alias *list;
	size_t k = 0;

	if (!n)
		return true;
	if (n->kind != YAML_MAP)
		return refuse(l, n, "'aliases' must be a map: alias: {rule: field}");
	for (size_t i = 0; i < n->n; i++)
		k += n->items[i]->kind == YAML_MAP ? n->items[i]->n : 0;
	c->aliases = list = arena_alloc(l->arena, (k + 1) * sizeof *list);
	for (size_t i = 0; i < n->n; i++) {
		const struct yaml_node *map = n->items[i];

		if (map->kind != YAML_MAP || map->n == 0)
			return refuse(l, map, "alias '%s' must be a map: rule: field", n->keys[i]->text);
		for (size_t j = 0; j < map->n; j++) {
			if (map->items[j]->kind != YAML_SCALAR || !field_id(l, map->items[j], map->items[j]->text))
				return refuse(l, map->items[j], "an alias must name a field");
			list[c->n_aliases++] = (struct alias){keep(l, n->keys[i]), keep(l, map->keys[j]), keep(l, map->items[j])};
		}
	}
	return true;
}

static bool read_where(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "where");

	if (!n)
		return true;
	if (to->type != CORR_ABSENT)
		return refuse(l, n, "'where' belongs to the type absent");
	to->around = n->kind == YAML_SCALAR && strcmp(n->text, "around") == 0;
	if (!to->around && (n->kind != YAML_SCALAR || strcmp(n->text, "after") != 0))
		return refuse(l, n, "'where' is 'after' or 'around'");
	return true;
}

bool correlation_compile(struct loader *l, struct compiled *c, const struct yaml_node *doc)
{
	const struct yaml_node *corr = yaml_get(doc, "correlation"), *group;
	struct correlation *to = &c->correlation;

	if (!only_keys(l, corr, "correlation", known) || !read_type(l, corr, to) || !read_rules(l, corr, c) ||
	    !read_timespan(l, corr, to) ||
	    !read_condition(l, corr, c) || !read_aliases(l, corr, c) || !read_where(l, corr, to))
		return false;
	if ((group = yaml_get(corr, "group-by")) && !(group->kind == YAML_LIST && group->n == 0)) {
		if (!texts(l, group, "group-by", &to->group_by, &to->n_group_by))
			return false;
		for (size_t i = 0; i < to->n_group_by; i++)
			if (!field_id(l, group, to->group_by[i]))
				return false;
		if (to->n_group_by > 8)
			return refuse(l, group, "at most 8 fields may be grouped by");
	}
	return flag(l, yaml_get(corr, "generate"), "generate", &to->generate) &&
		flag(l, yaml_get(doc, "generate"), "generate", &to->generate);
}

const char *correlation_field(const struct compiled *c, size_t g, const struct compiled *of)
{
	const char *name = c->correlation.group_by[g];

	for (size_t a = 0; a < c->n_aliases; a++)
		for (size_t r = 0; r < c->n_references; r++)
			if (text_same(c->aliases[a].name, name) && c->references[r].rule == of && text_same(c->aliases[a].rule, c->references[r].text))
				return c->aliases[a].field;
	return name;
}
