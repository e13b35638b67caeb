/* loader.c - telling what is wrong in a rule file, with its place.
 *
 * Why: a bad rule must be found by whoever wrote it, and must not stop the others.
 * Promises: every problem carries file, line and column, and what to write instead.
 * Refuses: nothing. */
#include "rules/loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool waived(const struct loader *l, enum lint lint)
{
	const struct yaml_node *n = l->allow;

	for (size_t i = 0; n && n->kind == YAML_LIST && i < n->n; i++)
		if (n->items[i]->kind == YAML_SCALAR && strcmp(n->items[i]->text, lint_kinds[lint].id) == 0)
			return true;
	return n && n->kind == YAML_SCALAR && strcmp(n->text, lint_kinds[lint].id) == 0;
}

static void tell(struct loader *l, const struct rule_problem *at, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

static void tell(struct loader *l, const struct rule_problem *at, const char *fmt, va_list ap)
{
	struct rule_problem p = *at;
	char text[600];

	if (p.warning && waived(l, p.lint))
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	p.text = text;
	*(p.warning ? &l->warned : &l->refused) += 1;
	if (l->report)
		l->report(l->arg, &p);
}

static const char *said(const struct yaml_node *doc, const char *key)
{
	const struct yaml_node *n = yaml_get(doc, key);

	return n && n->kind == YAML_SCALAR && !yaml_is_null(n) && n->len ? n->text : NULL;
}

static struct rule_problem problem_at(const struct loader *l, const struct yaml_node *at, enum lint lint)
{
	return (struct rule_problem){.file = l->path, .line = at ? at->line : 1, .column = at ? at->column : 1, .lint = lint,
		.warning = !lint_kinds[lint].error, .id = said(l->doc, "id"), .name = said(l->doc, "name"), .title = said(l->doc, "title"),
		.rule_line = l->doc ? l->doc->line : 0};
}

struct rule_problem problem_of(const struct rule *r, enum lint lint)
{
	return (struct rule_problem){.file = r->file, .line = r->line, .column = 1, .lint = lint, .warning = !lint_kinds[lint].error,
		.id = *r->id ? r->id : NULL, .name = *r->name ? r->name : NULL, .title = r->title, .rule_line = r->line};
}

bool refuse(struct loader *l, const struct yaml_node *at, const char *fmt, ...)
{
	const struct rule_problem p = problem_at(l, at, LINT_REFUSED);
	va_list ap;

	va_start(ap, fmt);
	tell(l, &p, fmt, ap);
	va_end(ap);
	return false;
}

bool refuse_as(struct loader *l, enum lint lint, const struct yaml_node *at, const char *fmt, ...)
{
	struct rule_problem p = problem_at(l, at, lint);
	va_list ap;

	va_start(ap, fmt);
	tell(l, &p, fmt, ap);
	va_end(ap);
	return false;
}

bool refuse_at(struct loader *l, const struct rule *r, int line, enum lint lint, const char *fmt, ...)
{
	struct rule_problem p = problem_of(r, lint);
	va_list ap;

	p.line = line;

	va_start(ap, fmt);
	tell(l, &p, fmt, ap);
	va_end(ap);
	return false;
}

void warn_as(struct loader *l, enum lint lint, const struct yaml_node *at, const char *fmt, ...)
{
	const struct rule_problem p = problem_at(l, at, lint);
	va_list ap;

	va_start(ap, fmt);
	tell(l, &p, fmt, ap);
	va_end(ap);
}

const char *keep(struct loader *l, const struct yaml_node *scalar)
{
	if (!scalar || scalar->kind != YAML_SCALAR || yaml_is_null(scalar))
		return "";
	return arena_copy(l->arena, scalar->text, scalar->len);
}

bool texts(struct loader *l, const struct yaml_node *n, const char *key, const char *const **to, size_t *count)
{
	size_t many = n && n->kind == YAML_LIST ? n->n : 1;
	const char **list;

	if (!n || n->kind == YAML_MAP || yaml_is_null(n) || many == 0)
		return refuse(l, n, "'%s' must be a text or a list of texts", key);
	list = arena_alloc(l->arena, many * sizeof *list);
	for (size_t i = 0; i < many; i++) {
		const struct yaml_node *one = n->kind == YAML_LIST ? n->items[i] : n;

		if (one->kind != YAML_SCALAR || yaml_is_null(one) || one->len == 0)
			return refuse(l, one, "'%s' must be a text or a list of texts", key);
		list[i] = keep(l, one);
	}
	*to = list;
	*count = many;
	return true;
}

bool refuse_unknown(struct loader *l, enum lint lint, const struct yaml_node *at, const char *what, const char *name,
	const char *const *names)
{
	const char *near = text_nearest(name, names);
	char all[420];

	if (near)
		return refuse_as(l, lint, at, "unknown %s '%s'; did you mean '%s'?", what, name, near);
	return refuse_as(l, lint, at, "unknown %s '%s'; known are %s", what, name, text_list(all, sizeof all, names));
}

bool only_keys(struct loader *l, const struct yaml_node *map, const char *what, const char *const *known)
{
	bool good = true;

	if (!map || map->kind != YAML_MAP)
		return refuse(l, map, "%s must be a map of keys and values", what);
	for (size_t i = 0; i < map->n; i++) {
		bool found = false;

		for (size_t k = 0; known[k] && !found; k++)
			found = strcmp(map->keys[i]->text, known[k]) == 0;
		if (!found)
			good = refuse_unknown(l, LINT_UNKNOWN_KEY, map->keys[i], arena_printf(l->arena, "key of %s", what), map->keys[i]->text, known);
	}
	return good;
}

bool all_good(const bool *good, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!good[i])
			return false;
	return true;
}

bool flag(struct loader *l, const struct yaml_node *n, const char *key, bool *to)
{
	if (!n)
		return true;
	if (n->kind != YAML_SCALAR || (!text_same(n->text, "true") && !text_same(n->text, "false")))
		return refuse(l, n, "'%s' is true or false", key);
	*to = text_same(n->text, "true");
	return true;
}

uint16_t field_id(struct loader *l, const struct yaml_node *at, const char *name)
{
	uint16_t id = names_add(l->names, name, strlen(name));

	if (id == 0)
		refuse(l, at, "the rules name too many different fields; load fewer rules");
	return id;
}
