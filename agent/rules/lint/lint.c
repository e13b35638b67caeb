/* lint.c - rules that load, and yet will disappoint.
 *
 * Why: most faults in rules are no errors: they load, and never match, or match everything. Nobody notices a rule that is silent.
 * Promises: warnings only, each with the place and what to write instead; never changes what a rule means.
 * Refuses: nothing. A rule that cannot be loaded is told by whoever refused it, and linted as far as it can be read. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "os/os.h"
#include "rules/lint/lint_inside.h"

const struct lint_kind lint_kinds[LINT_COUNT] = {
#define LINT_ROW(name, id, error, says) {id, error, says},
	LINTS(LINT_ROW)
#undef LINT_ROW
};

enum lint lint_find(const char *id, const char **nearest)
{
	const char *ids[LINT_COUNT + 1] = {NULL};

	for (int i = 0; i < LINT_COUNT; i++) {
		ids[i] = lint_kinds[i].id;
		if (strcmp(id, ids[i]) == 0)
			return (enum lint)i;
	}
	*nearest = text_nearest(id, ids);
	return LINT_COUNT;
}

bool lint_is_selection(const char *key)
{
	return strcmp(key, "condition") != 0 && strcmp(key, "timeframe") != 0;
}

bool lint_has_modifier(const struct yaml_node *key, const char *modifier)
{
	const char *p = strchr(key->text, '|');
	size_t n = strlen(modifier);

	for (; p; p = strchr(p + 1, '|'))
		if (strcspn(p + 1, "|") == n && strncmp(p + 1, modifier, n) == 0)
			return true;
	return false;
}

bool lint_same_field(const struct yaml_node *key, const char *field)
{
	return text_same_n(key->text, strcspn(key->text, "|"), field, strcspn(field, "|"));
}

size_t lint_n_values(const struct yaml_node *value)
{
	return value->kind == YAML_LIST ? value->n : value->kind == YAML_SCALAR;
}

const struct yaml_node *lint_value(const struct yaml_node *value, size_t i)
{
	return value->kind == YAML_LIST ? value->items[i] : value;
}

void lint_items(struct loader *l, const struct yaml_node *definition, lint_item_fn *each, void *arg)
{
	for (size_t i = 0; definition->kind != YAML_SCALAR && i < definition->n; i++)
		if (definition->kind == YAML_LIST)
			lint_items(l, definition->items[i], each, arg);
		else
			each(l, arg, definition->keys[i], definition->items[i]);
}

static bool is_uuid(const char *s)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr("0123456789abcdefABCDEF", s[i]) || s[i] == '\0')
			return false;
	}
	return s[36] == '\0';
}

/* YYYY-MM-DD, and a day that the calendar has. */
static bool is_date(const char *s)
{
	int64_t y, m, d, y2, m2, d2;

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' || !text_int(s, 4, &y) || !text_int(s + 5, 2, &m) || !text_int(s + 8, 2, &d))
		return false;
	if (y < 1 || m < 1 || m > 12 || d < 1)
		return false;
	days_to_date(date_to_days(y, m, d), &y2, &m2, &d2);
	return y2 == y && m2 == m && d2 == d;
}

static const char *text_of(const struct yaml_node *doc, const char *key, const struct yaml_node **at)
{
	*at = yaml_get(doc, key);
	return *at && (*at)->kind == YAML_SCALAR && !yaml_is_null(*at) ? (*at)->text : NULL;
}

static void lint_head(struct loader *l, const struct yaml_node *doc)
{
	static const char *const statuses[] = {"stable", "test", "experimental", "deprecated", "unsupported", NULL};
	static const char *const dates[] = {"date", "modified"};
	const struct yaml_node *at;
	const char *text, *near = NULL;

	text = text_of(doc, "id", &at);
	if (!text && !yaml_get(doc, "filter"))
		warn_as(l, LINT_NO_ID, doc, "the rule has no 'id'; write a UUID of its own (uuidgen makes one)");
	else if (text && !is_uuid(text))
		warn_as(l, LINT_BAD_ID, at, "'%s' is no UUID; uuidgen makes one", text);
	if (!yaml_get(doc, "level") && !yaml_get(doc, "filter"))
		warn_as(l, LINT_NO_LEVEL, doc, "the rule has no 'level' and counts as medium");
	if ((text = text_of(doc, "status", &at))) {
		near = text_nearest(text, statuses);
		if (strcmp(text, "deprecated") == 0)
			warn_as(l, LINT_DEPRECATED, at, "the rule says of itself that it should no longer be used; leave it out, or name its successor");
		else if (!near || strcmp(near, text) != 0)
			warn_as(l, LINT_BAD_STATUS, at, "'status' is stable, test, experimental, deprecated or unsupported, not '%s'", text);
	}
	for (size_t i = 0; i < 2; i++)
		if ((text = text_of(doc, dates[i], &at)) && !is_date(text))
			warn_as(l, LINT_BAD_DATE, at, "'%s' is no date; write it as 2026-01-31", text);
}

static void each_item(struct loader *l, void *arg, const struct yaml_node *key, const struct yaml_node *value)
{
	(void)arg;
	if (value->kind != YAML_MAP)
		lint_values(l, key, value);
}

static bool same_node(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->n != b->n)
		return false;
	if (a->kind == YAML_SCALAR)
		return a->len == b->len && a->plain == b->plain && memcmp(a->text, b->text, a->len) == 0;
	for (size_t i = 0; i < a->n; i++)
		if ((a->kind == YAML_MAP && !same_node(a->keys[i], b->keys[i])) || !same_node(a->items[i], b->items[i]))
			return false;
	return true;
}

#define COMPARED 1000 /* first selections of a rule that are held against each other */

static void same_selections(struct loader *l, const struct yaml_node *detection)
{
	for (size_t i = 0; i < detection->n && i < COMPARED; i++)
		for (size_t k = 0; k < i; k++)
			if (lint_is_selection(detection->keys[i]->text) && lint_is_selection(detection->keys[k]->text) &&
			    same_node(detection->items[i], detection->items[k])) {
				warn_as(l, LINT_SAME_SELECTION, detection->keys[i], "selection '%s' says the same as '%s'",
					detection->keys[i]->text, detection->keys[k]->text);
				break;
			}
}

static void lint_selections(struct loader *l, const struct yaml_node *map)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->n; i++)
		if (lint_is_selection(map->keys[i]->text) && strcmp(map->keys[i]->text, "rules") != 0)
			lint_items(l, map->items[i], each_item, NULL);
}

void lint_document(struct loader *l, const struct logsources *sources, const struct yaml_node *doc)
{
	const struct yaml_node *detection = yaml_get(doc, "detection"), *logsource = yaml_get(doc, "logsource"), *category;
	const char *ignored;

	if (doc->kind != YAML_MAP || yaml_get(doc, "action"))
		return;
	lint_head(l, doc);
	if (yaml_get(doc, "filter"))
		lint_selections(l, yaml_get(doc, "filter"));
	if (!detection || detection->kind != YAML_MAP || !logsource)
		return;
	lint_selections(l, detection);
	same_selections(l, detection);
	category = yaml_get(logsource, "category");
	lint_condition(l, category && category->kind == YAML_SCALAR ? logsource_category(sources, NULL, category->text, &ignored) : NULL,
		detection);
	lint_fields(l, logsource, detection);
}

static void say(struct loader *l, const struct compiled *c, enum lint lint, const char *text)
{
	struct rule_problem p = problem_of(&c->rule, lint);

	p.text = text;
	for (size_t i = 0; i < c->n_allowed; i++)
		if (c->allowed[i] == lint)
			return;
	l->warned++;
	if (l->report)
		l->report(l->arg, &p);
}

static bool has_tests(struct loader *l, const struct rule *r)
{
	const char *slash = strrchr(r->file, '/');
	struct os_stat st;

	return os_file.stat(arena_printf(l->arena, "%.*s/tests/%s", slash ? (int)(slash - r->file) : 1, slash ? r->file : ".",
		*r->name ? r->name : r->id), -1, &st) == 0;
}

static int by_title(const void *a, const void *b)
{
	const struct compiled *x = *(struct compiled *const *)a, *y = *(struct compiled *const *)b;
	int order = strcmp(x->rule.title, y->rule.title);

	return order ? order : x->rule.index < y->rule.index ? -1 : 1;
}

static void same_titles(struct loader *l, const struct ruleset *rs)
{
	struct compiled **sorted = arena_alloc(l->arena, (rs->n + 1) * sizeof(struct compiled *));

	memcpy(sorted, rs->rules, rs->n * sizeof(struct compiled *));
	qsort(sorted, rs->n, sizeof(struct compiled *), by_title);
	for (size_t i = 1; i < rs->n; i++)
		if (strcmp(sorted[i]->rule.title, sorted[i - 1]->rule.title) == 0)
			say(l, sorted[i], LINT_DUPLICATE_TITLE, arena_printf(l->arena, "the title '%s' is that of %s:%d too",
				sorted[i]->rule.title, sorted[i - 1]->rule.file, sorted[i - 1]->rule.line));
}

void lint_set(struct loader *l, const struct ruleset *rs)
{
	if (rs->n)
		same_titles(l, rs);
	for (size_t i = 0; i < rs->n; i++) {
		const struct compiled *c = rs->rules[i];
		const struct rule *r = &c->rule;

		if (r->cause && !r->silent && !r->hint)
			say(l, c, LINT_NO_HINT, "opens a case but has no 'hint', so the case will not say what to do");
		if ((r->then & THEN_DIAGNOSE) && !r->disproved_by)
			say(l, c, LINT_NO_DISPROOF, "asks for a diagnosis but does not say with 'disproved_by' what would disprove it");
		if (r->cause && !has_tests(l, r))
			say(l, c, LINT_NO_TESTS, arena_printf(l->arena, "has a cause and no tests; put events into tests/%s/match.xml and nomatch.xml",
				*r->name ? r->name : r->id));
	}
}
