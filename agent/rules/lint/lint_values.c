/* lint_values.c - the values of one line of a detection.
 *
 * Why: a star that is no wildcard and a value that another one makes useless look right, and nothing says that they are not.
 * Promises: a warning for what the value itself shows; stars are read as the matcher reads them (Sigma specification, escapes).
 * Time grows with the length of a list, not with its square.
 * Refuses: to judge values that a modifier turns into something else (windash, base64, expand and others). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "rules/lint/lint_inside.h"

#define TOLD 10       /* values of one list that are told one by one */
#define COMPARED 2000 /* first values of a list that are held against each other; doubles are found in any number */

enum shape { SHAPE_WHOLE, SHAPE_CONTAINS, SHAPE_STARTS, SHAPE_ENDS, SHAPE_OTHER };

static enum shape shape_of(const struct yaml_node *key)
{
	static const char *const other[] = {"re", "cidr", "fieldref", "exists", "lt", "lte", "gt", "gte", "windash", "base64",
		"base64offset", "wide", "utf16", "utf16le", "utf16be", "expand", "minute", "hour", "day", "week", "month", "year"};

	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		if (lint_has_modifier(key, other[i]))
			return SHAPE_OTHER;
	return lint_has_modifier(key, "contains") ? SHAPE_CONTAINS : lint_has_modifier(key, "startswith") ? SHAPE_STARTS :
	       lint_has_modifier(key, "endswith") ? SHAPE_ENDS : SHAPE_WHOLE;
}

struct stars { /* where the wildcards of a value stand */
	bool first, last;       /* an unescaped * at the end */
	bool inside;            /* another wildcard */
	size_t escaped;         /* place of the first escaped * or ?; SIZE_MAX: none */
};

static struct stars stars_of(const struct yaml_node *v)
{
	struct stars s = {.escaped = SIZE_MAX};

	for (size_t i = 0; i < v->len; i++) {
		if (v->text[i] == '\\' && i + 1 < v->len && strchr("*?\\", v->text[i + 1])) {
			if (v->text[++i] != '\\' && s.escaped == SIZE_MAX)
				s.escaped = i;
		} else if (v->text[i] == '*' && i == 0) {
			s.first = true;
		} else if (v->text[i] == '*' && i + 1 == v->len) {
			s.last = true;
		} else if (v->text[i] == '*' || v->text[i] == '?') {
			s.inside = true;
		}
	}
	return s;
}

/* C:\Windows\* : a folder, a backslash, and a star that was meant as a wildcard. */
static void escaped_star(struct loader *l, const struct yaml_node *v)
{
	struct stars s = stars_of(v);
	size_t at = s.escaped;

	if (at == SIZE_MAX || at < 2 || v->text[at] != '*' || at + 1 != v->len)
		return;
	if (!strchr(v->text, '\\') || v->text + at - 1 == strchr(v->text, '\\'))
		return; /* no other backslash: not a path */
	warn_as(l, LINT_ESCAPED_WILDCARD, v,
		"the last '*' of '%.80s' is an ordinary star, because a backslash stands before it; write '\\\\*' for a backslash and a wildcard",
		v->text);
}

static const char *better(enum shape shape, const struct yaml_node *v)
{
	struct stars s = stars_of(v);

	if (v->len < 2 || (!s.first && !s.last))
		return NULL;
	if (shape == SHAPE_WHOLE)
		return s.inside ? NULL : s.first && s.last ? "contains" : s.first ? "endswith" : "startswith";
	if (shape == SHAPE_CONTAINS || (shape == SHAPE_STARTS && !s.first) || (shape == SHAPE_ENDS && !s.last))
		return "";
	return "contains";
}

/* One word for the whole list, or none. */
static void needless_star(struct loader *l, enum shape shape, const struct yaml_node *key, const struct yaml_node *value)
{
	const char *word = NULL;
	size_t n = lint_n_values(value);

	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *v = lint_value(value, i);
		const char *w = v->kind == YAML_SCALAR ? better(shape, v) : NULL;

		if (w && !*w)
			warn_as(l, LINT_NEEDLESS_WILDCARD, v,
				"the '*' at the end of '%.80s' says again what '%s' says; leave it out, or write '\\*' for a star",
				v->text, key->text);
		if (shape != SHAPE_WHOLE && (!w || !*w))
			continue;
		if (!w || (word && strcmp(w, word) != 0))
			return;
		word = w;
	}
	if (word)
		warn_as(l, LINT_NEEDLESS_WILDCARD, key, "write '%.*s|%s' and leave the '*' out", (int)strcspn(key->text, "|"), key->text, word);
}

static bool same_value(const struct yaml_node *a, const struct yaml_node *b, bool cased)
{
	return a->len == b->len && (cased ? memcmp(a->text, b->text, a->len) == 0 : text_same_n(a->text, a->len, b->text, b->len));
}

/* Whatever b holds for, a holds for too. */
static bool covers(enum shape shape, bool cased, const struct yaml_node *a, const struct yaml_node *b)
{
	size_t most = b->len - a->len;

	for (size_t at = shape == SHAPE_ENDS ? most : 0; at <= (shape == SHAPE_STARTS ? 0 : most); at++)
		if (cased ? memcmp(a->text, b->text + at, a->len) == 0 : text_same_n(a->text, a->len, b->text + at, a->len))
			return true;
	return false;
}

bool lint_literal(const struct yaml_node *v)
{
	if (v->kind != YAML_SCALAR || yaml_is_null(v) || strpbrk(v->text, "*?"))
		return false;
	return !strstr(v->text, "\\\\");
}

static const struct yaml_node *covering(enum shape shape, bool cased, const struct yaml_node *value, size_t i, bool all)
{
	const struct yaml_node *v = value->items[i];

	for (size_t k = 0; i < COMPARED && k < value->n && k < COMPARED; k++) {
		const struct yaml_node *o = value->items[k];
		const struct yaml_node *shorter = all ? v : o, *longer = all ? o : v;

		/* equal lengths are no news: the same value is told as a double; lists of hashes end here */
		if (k != i && shorter->len < longer->len && lint_literal(o) && o->len > 0 && covers(shape, cased, shorter, longer))
			return o;
	}
	return NULL;
}

struct values { /* of one list, by text; open addressing, a power of two, at most half full */
	struct hash_seed seed;
	const struct yaml_node **slots;
	size_t room;
	bool cased;
};

/* The same value further up; NULL: none, and v is kept. */
static const struct yaml_node *before(struct values *s, const struct yaml_node *v)
{
	size_t i = (size_t)(s->cased ? hash_bytes(&s->seed, v->text, v->len) : hash_fold(&s->seed, v->text, v->len)) & (s->room - 1);

	for (; s->slots[i]; i = (i + 1) & (s->room - 1))
		if (same_value(v, s->slots[i], s->cased))
			return s->slots[i];
	s->slots[i] = v;
	return NULL;
}

static void doubles(struct loader *l, enum shape shape, const struct yaml_node *key, const struct yaml_node *value)
{
	bool cased = lint_has_modifier(key, "cased") || shape == SHAPE_OTHER, all = lint_has_modifier(key, "all");
	struct values s = {.seed = hash_seed_draw(), .room = 16, .cased = cased};
	size_t told = 0;

	while (s.room < 2 * value->n)
		s.room *= 2;
	s.slots = xcalloc(s.room, sizeof *s.slots);
	for (size_t i = 0; i < value->n && value->items[i]->kind == YAML_SCALAR; i++) {
		const struct yaml_node *v = value->items[i], *by = before(&s, v);

		if (by) {
			warn_as(l, LINT_DUPLICATE_VALUE, v, "'%.80s' is in this list already, on line %d", v->text, by->line);
			continue;
		}
		if (shape == SHAPE_WHOLE || shape == SHAPE_OTHER || !lint_literal(v) || v->len == 0 || !(by = covering(shape, cased, value, i, all)))
			continue;
		if (++told > TOLD)
			continue;
		warn_as(l, LINT_REDUNDANT_VALUE, v, "'%.80s' has no effect: '%.80s' on line %d %s", v->text, by->text, by->line,
			all ? "demands it already" : "holds wherever it does");
	}
	if (told > TOLD)
		warn_as(l, LINT_REDUNDANT_VALUE, key, "%zu more values of '%s' have no effect, because others of the list already say it",
			told - TOLD, key->text);
	free(s.slots);
}

static void regex(struct loader *l, const struct yaml_node *v)
{
	const char *s = v->text;
	size_t n = v->len;

	if (v->kind != YAML_SCALAR)
		return;
	if (s[0] == '*' || (n > 3 && s[1] == ':' && s[2] == '\\' && s[3] != '\\' && !strpbrk(s, "[](){}^$|+"))) {
		warn_as(l, LINT_REGEX_GLOB, v, "'%.80s' looks like a wildcard pattern, and 're' takes a regular expression", s);
		return;
	}
	bool first = n > 2 && strncmp(s, ".*", 2) == 0 && s[2] != '?' && s[2] != '+', last = n > 2 && strcmp(s + n - 2, ".*") == 0;

	for (size_t k = n; last && k >= 3 && s[k - 3] == '\\'; k--)
		last = !last; /* \.* is dots */
	if ((first || last) && !strchr(s, '|'))
		warn_as(l, LINT_REGEX_ENDS, v, "a regular expression is found anywhere in the value: leave the '.*' at its %s out",
			first && last ? "start and end" : first ? "start" : "end");
}

void lint_values(struct loader *l, const struct yaml_node *key, const struct yaml_node *value)
{
	enum shape shape = shape_of(key);
	size_t n = lint_n_values(value);

	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *v = lint_value(value, i);

		if (lint_has_modifier(key, "re"))
			regex(l, v);
		else if (shape != SHAPE_OTHER && v->kind == YAML_SCALAR)
			escaped_star(l, v);
	}
	if (shape != SHAPE_OTHER && key->text[0] != '|')
		needless_star(l, shape, key, value);
	if (value->kind == YAML_LIST)
		doubles(l, shape, key, value);
}
