/* yaml_get.c - reading the tree that yaml.c made: typed values, and errors a person can act on.
 *
 * Promises: an error names file, line, column and key, and says what would be right.
 * Refuses: to convert quietly - a quoted "5" is text, "yes" is no truth value, and an unknown key is an error. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/yaml.h"

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}

/* YAML 1.2, 10.3.2: the core schema. */
bool yaml_is_null(const struct yaml_node *n)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (!n)
		return true;
	if (n->kind != YAML_SCALAR || !n->plain)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(n->text, words[i]) == 0)
			return true;
	return false;
}

int yaml_err(const struct yaml_file *f, const struct yaml_node *at, struct err *e, enum err_code code, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	if (!at)
		return err_set(e, code, "%s: %s", f->path, text);
	return err_set(e, code, "%s:%d:%d: %s", f->path, at->line, at->column, text);
}

/* "'abc'", or what stands there when it is no text. */
static const char *shown(const struct yaml_node *n, char to[static 64])
{
	if (n->kind == YAML_LIST)
		return "a list";
	if (n->kind == YAML_MAP)
		return "a map";
	if (yaml_is_null(n))
		return "nothing";
	snprintf(to, 64, "%s'%.40s%s'", n->plain ? "" : "the text ", n->text, n->len > 40 ? "..." : "");
	return to;
}

static int wrong(const struct yaml_file *f, const struct yaml_node *n, const char *key, const char *what, struct err *e)
{
	char seen[64];

	return yaml_err(f, n, e, ERR_USAGE, "%s must be %s; here it is %s", key, what, shown(n, seen));
}

int yaml_str(const struct yaml_file *f, const struct yaml_node *n, const char *key, const char **out, struct err *e)
{
	if (!n)
		return 0;
	if (n->kind != YAML_SCALAR || yaml_is_null(n))
		return wrong(f, n, key, "text", e);
	*out = n->text;
	return 0;
}

int yaml_int(const struct yaml_file *f, const struct yaml_node *n, const char *key, int64_t min, int64_t max, int64_t *out,
	     struct err *e)
{
	char what[80];
	int64_t v;

	if (!n)
		return 0;
	if (n->kind != YAML_SCALAR || !n->plain || !text_int(n->text, n->len, &v) || v < min || v > max) {
		snprintf(what, sizeof what, "a number from %lld to %lld", (long long)min, (long long)max);
		return wrong(f, n, key, what, e);
	}
	*out = v;
	return 0;
}

int yaml_bool(const struct yaml_file *f, const struct yaml_node *n, const char *key, bool *out, struct err *e)
{
	bool scalar;

	if (!n)
		return 0;
	scalar = n->kind == YAML_SCALAR && n->plain;
	if (scalar && text_same(n->text, "true"))
		*out = true;
	else if (scalar && text_same(n->text, "false"))
		*out = false;
	else
		return wrong(f, n, key, "true or false", e);
	return 0;
}

int yaml_span(const struct yaml_file *f, const struct yaml_node *n, const char *key, int64_t *us, struct err *e)
{
	if (!n)
		return 0;
	if (n->kind != YAML_SCALAR || !span_parse(n->text, us))
		return wrong(f, n, key, "a span of time such as 90s, 15m, 24h or 30d", e);
	return 0;
}

int yaml_known(const struct yaml_file *f, const struct yaml_node *map, const char *const *known, struct err *e)
{
	if (!map || map->kind != YAML_MAP)
		return 0;
	for (size_t i = 0; i < map->n; i++) {
		const char *key = map->keys[i]->text, *near;
		char all[300];
		size_t k = 0;

		while (known[k] && strcmp(known[k], key) != 0)
			k++;
		if (known[k])
			continue;
		near = text_nearest(key, known);
		if (near)
			return yaml_err(f, map->keys[i], e, ERR_USAGE, "unknown key '%s'; did you mean '%s'?", key, near);
		return yaml_err(f, map->keys[i], e, ERR_USAGE, "unknown key '%s'; known are %s", key, text_list(all, sizeof all, known));
	}
	return 0;
}
