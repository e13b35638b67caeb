/* correlation.c - reading a correlation document.
 *
 * Why: correlations say which groups of events mean something; their state lives in correlate/, their text is read here.
 * Promises: all eight types of Sigma 2.1 and our own `absent`; references are resolved later, over all files.
 * Refuses: what the type cannot mean (a field for event_count, an order without two rules), with the place and what to write. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "rules/correlation.h"

static const char *const known[] = {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate", "where", "quiet", NULL};
static const char *const types[] = {"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg",
	"value_median", "value_percentile", "absent", NULL};

static bool read_type(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "type");

	if (!n || n->kind != YAML_SCALAR)
		return refuse(l, n ? n : corr, "a correlation needs a 'type': event_count, value_count, temporal, temporal_ordered, value_sum, "
			"value_avg, value_median, value_percentile or absent");
	for (size_t i = 0; types[i]; i++)
		if (strcmp(n->text, types[i]) == 0) {
			to->type = (enum correlation_type)i;
			return true;
		}
	return refuse_unknown(l, LINT_REFUSED, n, "correlation type", n->text, types);
}

const char *correlation_type_text(enum correlation_type t)
{
	return types[t];
}

static bool is_temporal(const struct correlation *c)
{
	return c->type == CORR_TEMPORAL || c->type == CORR_TEMPORAL_ORDERED;
}

static bool read_rules(struct loader *l, const struct yaml_node *corr, struct compiled *c)
{
	const struct yaml_node *n = yaml_get(corr, "rules"), *condition = yaml_get(corr, "condition");
	const struct yaml_node *at = n ? n : condition ? condition : corr;
	bool from_condition = !n && is_temporal(&c->correlation) && condition && condition->kind == YAML_SCALAR;
	const char *const *list;

	if (from_condition ? !expression_names(l, condition, &list, &c->n_references) :
			     !texts(l, n ? n : corr, "rules", &list, &c->n_references))
		return false;
	if (c->n_references > CORR_RULES)
		return refuse(l, at, "a correlation may refer to %d rules at most", CORR_RULES);
	c->references = arena_alloc(l->arena, c->n_references * sizeof *c->references);
	for (size_t i = 0; i < c->n_references; i++) {
		c->references[i].text = list[i];
		c->references[i].line = n && n->kind == YAML_LIST ? n->items[i]->line : at->line;
		for (size_t k = 0; k < i; k++)
			if (text_same(list[i], list[k]))
				return refuse(l, at, "'%s' is listed twice", list[i]);
	}
	if ((is_temporal(&c->correlation) || c->correlation.type == CORR_ABSENT) && c->n_references < 2)
		return refuse(l, at, "%s needs two rules at least", types[c->correlation.type]);
	return true;
}

/* <number><unit>; a month is 30.44 days and a year 365.25, as pySigma has it. */
static bool span_of(const char *s, int64_t *us)
{
	static const struct {
		char name;
		int64_t us;
	} units[] = {{'s', US_SECOND}, {'m', US_MINUTE}, {'h', US_HOUR}, {'d', US_DAY}, {'w', 7 * US_DAY},
		     {'M', 2630016 * US_SECOND}, {'y', 31557600 * US_SECOND}};
	size_t digits = strspn(s, "0123456789");
	int64_t v;

	if (!text_int(s, digits, &v) || !s[digits] || s[digits + 1])
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (units[i].name == s[digits] && v <= CORR_LONGEST / units[i].us) {
			*us = v * units[i].us;
			return true;
		}
	return false;
}

static bool read_spans(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "timespan"), *old = yaml_get(corr, "timeframe");
	bool good = true;

	if (!n && old)
		good = refuse(l, old, "'timeframe' is not a key of Sigma; write 'timespan'");
	else if (!n || n->kind != YAML_SCALAR || !span_of(n->text, &to->timespan) || to->timespan == 0)
		good = refuse(l, n ? n : corr, "a correlation needs a 'timespan' such as 30s, 10m, 24h, 7d, 2w, 3M or 1y, at most 10y");
	to->quiet = -1;
	if (!(n = yaml_get(corr, "quiet")))
		return good;
	return ((n->kind == YAML_SCALAR && span_of(n->text, &to->quiet)) ||
		refuse(l, n, "'quiet' is how long a correlation that fired stays silent, such as 0s, 10m or 1d")) && good;
}

static bool read_alias(struct loader *l, const struct yaml_node *name, const struct yaml_node *map, struct compiled *c, struct alias *list)
{
	if (map->kind != YAML_MAP || map->n == 0)
		return refuse(l, map, "alias '%s' must be a map: rule: field", name->text);
	for (size_t j = 0; j < map->n; j++) {
		const struct yaml_node *field = map->items[j];

		if (field->kind != YAML_SCALAR || field->len == 0 || !field_id(l, field, field->text))
			return refuse(l, field, "an alias must name a field for each rule: %s: {rule: field}", name->text);
		list[c->n_aliases++] = (struct alias){keep(l, name), keep(l, map->keys[j]), keep(l, field), map->keys[j]->line};
	}
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
	for (size_t i = 0; i < n->n; i++)
		if (!read_alias(l, n->keys[i], n->items[i], c, list))
			return false;
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

static bool read_fields(struct loader *l, const struct yaml_node *n, const char *key, const char *const **to, size_t *count)
{
	if (!texts(l, n, key, to, count))
		return false;
	for (size_t i = 0; i < *count; i++)
		if (!field_id(l, n, (*to)[i]))
			return false;
	return *count <= CORR_FIELDS || refuse(l, n, "'%s' takes at most %d fields", key, CORR_FIELDS);
}

static bool read_group_by(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *n = yaml_get(corr, "group-by");

	return !n || yaml_is_null(n) || (n->kind == YAML_LIST && n->n == 0) ||
	       read_fields(l, n, "group-by", &to->group_by, &to->n_group_by);
}

/* `field` of a condition: what value_count counts, or the numbers of the other value types. */
static bool read_counted(struct loader *l, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *condition = yaml_get(corr, "condition"), *n = yaml_get(condition, "field");
	bool wants = to->type == CORR_VALUE_COUNT || (to->type >= CORR_VALUE_SUM && to->type <= CORR_VALUE_PERCENTILE);

	if (!wants)
		return !n || refuse(l, n, "%s counts events and takes no 'field'; value_count counts values", types[to->type]);
	if (!n)
		return refuse(l, condition ? condition : corr, "%s needs a 'field' in its condition, such as {field: TargetUserName, gte: 10}",
			types[to->type]);
	if (!read_fields(l, n, "field", &to->fields, &to->n_fields))
		return false;
	return to->type == CORR_VALUE_COUNT || to->n_fields == 1 || refuse(l, n, "%s takes one field", types[to->type]);
}

static bool read_generate(struct loader *l, const struct yaml_node *doc, const struct yaml_node *corr, struct correlation *to)
{
	const struct yaml_node *places[] = {yaml_get(doc, "generate"), yaml_get(corr, "generate")};
	bool said[2] = {false, false};

	for (size_t i = 0; i < 2; i++) {
		const struct yaml_node *n = places[i];

		if (!n)
			continue;
		said[i] = n->kind == YAML_SCALAR && text_same(n->text, "true");
		if (!said[i] && (n->kind != YAML_SCALAR || !text_same(n->text, "false")))
			return refuse(l, n, "'generate' is true or false");
	}
	if (places[0] && places[1] && said[0] != said[1])
		return refuse(l, places[1], "'generate' is said twice, once true and once false; leave one out");
	to->generate = said[0] || said[1];
	return true;
}

/* Keys of the condition, which are often written one level too high. */
static const char *const inner[] = {"field", "percentile", "gt", "gte", "lt", "lte", "eq", "neq", NULL};

static bool known_keys(struct loader *l, const struct yaml_node *corr)
{
	struct yaml_node rest = *corr;
	bool good = true;

	if (corr->kind != YAML_MAP)
		return only_keys(l, corr, "correlation", known);
	rest.keys = arena_alloc(l->arena, (corr->n + 1) * sizeof(struct yaml_node *));
	rest.n = 0;
	for (size_t i = 0; i < corr->n; i++) {
		const char *key = corr->keys[i]->text;
		size_t k = 0;

		while (inner[k] && strcmp(inner[k], key) != 0)
			k++;
		if (inner[k])
			good = refuse_as(l, LINT_UNKNOWN_KEY, corr->keys[i], "'%s' belongs into condition, such as condition: {%s: ...}", key, key);
		else if (strcmp(key, "timeframe") != 0 || yaml_get(corr, "timespan"))
			rest.keys[rest.n++] = corr->keys[i];
	}
	return only_keys(l, &rest, "correlation", known) && good;
}

/* What hangs on the type. A key in the wrong place leaves the condition short, and that is told already. */
static bool read_typed(struct loader *l, const struct yaml_node *corr, struct compiled *c)
{
	const bool rules = read_rules(l, corr, c), where = read_where(l, corr, &c->correlation);
	bool complete = rules;

	for (size_t i = 0; inner[i]; i++)
		complete = complete && !yaml_get(corr, inner[i]);
	return complete && read_counted(l, corr, &c->correlation) && correlation_condition(l, c, corr) && where;
}

bool correlation_compile(struct loader *l, struct compiled *c, const struct yaml_node *doc)
{
	const struct yaml_node *corr = yaml_get(doc, "correlation");
	struct correlation *to = &c->correlation;
	bool good[6];

	good[0] = known_keys(l, corr);
	if (corr->kind != YAML_MAP)
		return false;
	good[1] = read_spans(l, corr, to);
	good[2] = read_group_by(l, corr, to);
	good[3] = read_aliases(l, corr, c);
	good[4] = read_generate(l, doc, corr, to);
	good[5] = read_type(l, corr, to) && read_typed(l, corr, c);
	return all_good(good, sizeof good / sizeof *good);
}

bool correlation_alias_means(const struct compiled *c, const struct alias *a, size_t ref)
{
	const struct compiled *of = c->references[ref].rule;

	return text_same(a->rule, c->references[ref].text) ||
	       (of && ((*of->rule.id && text_same(a->rule, of->rule.id)) || (*of->rule.name && strcmp(a->rule, of->rule.name) == 0)));
}

const char *correlation_field(const struct compiled *c, const char *name, const struct compiled *of)
{
	for (size_t a = 0; a < c->n_aliases; a++)
		for (size_t r = 0; text_same(c->aliases[a].name, name) && r < c->n_references; r++)
			if (c->references[r].rule == of && correlation_alias_means(c, &c->aliases[a], r))
				return c->aliases[a].field;
	return name;
}
