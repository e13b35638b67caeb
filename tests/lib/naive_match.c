/* naive_match.c - the naive evaluator.
 *
 * Why: a fast path that leaves out a match leaves it out silently; only a second opinion shows it.
 * Promises: follows the Sigma specification by the letter, one YAML node at a time.
 * Refuses: what agent/rules refuses: it is never asked about such rules. Case folding is ASCII's. */
#include "lib/naive_match.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/yaml.h"

#define FILES 4096

struct naive {
	struct yaml_file *sources, *tables[256], *rules[FILES];
	size_t n_tables, n_rules;
};

static struct yaml_file *must_read(const char *path)
{
	struct err e;
	struct yaml_file *f = yaml_read(path, &e);

	if (!f) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
	return f;
}

struct naive *naive_new(const char *tables)
{
	struct naive *n = calloc(1, sizeof *n);
	char path[1000];
	DIR *d;

	snprintf(path, sizeof path, "%s/logsources.yml", tables);
	n->sources = must_read(path);
	snprintf(path, sizeof path, "%s/fields", tables);
	d = opendir(path);
	for (struct dirent *x = d ? readdir(d) : NULL; x; x = readdir(d)) {
		if (!strstr(x->d_name, ".yml"))
			continue;
		snprintf(path, sizeof path, "%s/fields/%s", tables, x->d_name);
		n->tables[n->n_tables++] = must_read(path);
	}
	if (d)
		closedir(d);
	return n;
}

void naive_free(struct naive *n)
{
	yaml_free(n->sources);
	for (size_t i = 0; i < n->n_tables; i++)
		yaml_free(n->tables[i]);
	for (size_t i = 0; i < n->n_rules; i++)
		yaml_free(n->rules[i]);
	free(n);
}

/* A node as a list of nodes. */
static size_t many(const struct yaml_node *n)
{
	return !n ? 0 : n->kind == YAML_LIST ? n->n : 1;
}

static const struct yaml_node *one(const struct yaml_node *n, size_t i)
{
	return n->kind == YAML_LIST ? n->items[i] : n;
}

static bool in_list(const struct yaml_node *list, const char *text)
{
	for (size_t i = 0; i < many(list); i++)
		if (strcasecmp(one(list, i)->text, text) == 0)
			return true;
	return false;
}

/* -- values of a field -- */

struct values {
	const char *text[600];
	size_t n;
};

static void add(struct values *v, const char *text)
{
	if (v->n < 600)
		v->text[v->n++] = text;
}

static void own_values(const struct event *ev, const char *name, struct values *v)
{
	bool payload = false, fixed = !strcasecmp(name, "EventID") || !strcasecmp(name, "Provider_Name") || !strcasecmp(name, "Computer");

	for (size_t i = 0; i < ev->n; i++)
		payload = payload || (!ev->fields[i].system && strcasecmp(ev->fields[i].name, name) == 0);
	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		if (strcasecmp(f->name, name) != 0 || (fixed && !f->system) || (!fixed && f->system && payload))
			continue;
		add(v, f->value);
	}
}

static const char *positional(const struct naive *n, const struct event *ev, const char *name)
{
	for (size_t t = 0; t < n->n_tables; t++)
		for (size_t d = 0; d < n->tables[t]->n; d++) {
			const struct yaml_node *doc = n->tables[t]->documents[d], *events = yaml_get(doc, "events");

			if (!doc || !in_list(yaml_get(doc, "provider"), ev->provider))
				continue;
			for (size_t i = 0; i < events->n; i++) {
				char ids[300], *save, *id;

				snprintf(ids, sizeof ids, "%s", events->keys[i]->text);
				for (id = strtok_r(ids, ", ", &save); id; id = strtok_r(NULL, ", ", &save))
					for (size_t k = 0; strtoul(id, NULL, 10) == ev->event_id && k < events->items[i]->n; k++)
						if (strcasecmp(events->items[i]->keys[k]->text, name) == 0)
							return events->items[i]->items[k]->text;
			}
		}
	return NULL;
}

static void field_values(const struct naive *n, const struct event *ev, const char *name, struct values *v, char room[static 512])
{
	size_t label = strcspn(ev->computer, ".");
	const char *position;

	v->n = 0;
	if (strcasecmp(name, "ComputerLabel") == 0) {
		snprintf(room, 512, "%.*s", (int)label, ev->computer);
		if (label)
			add(v, room);
		return;
	}
	if (strcasecmp(name, "ComputerDomain") == 0) {
		if (ev->computer[label] && ev->computer[label + 1])
			add(v, ev->computer + label + 1);
		return;
	}
	own_values(ev, name, v);
	position = v->n ? NULL : positional(n, ev, name);
	if (position)
		own_values(ev, position, v);
}

/* -- text -- */

static size_t cp_len(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, k = 1;

	while (k < n && ((unsigned char)s[k] & 0xc0) == 0x80)
		k++;
	return k;
}

static bool is_dash(const char *s)
{
	return *s == '-' || *s == '/' || !strncmp(s, "\xe2\x80\x93", 3) || !strncmp(s, "\xe2\x80\x94", 3) || !strncmp(s, "\xe2\x80\x95",
		3);
}

/* \x01 in a pattern: any dash. */
static bool glob(const char *p, const char *v, bool cased)
{
	if (*p == '\0')
		return *v == '\0';
	if (*p == '*') {
		for (;; v += cp_len(v)) {
			if (glob(p + 1, v, cased))
				return true;
			if (!*v)
				return false;
		}
	}
	if (!*v)
		return false;
	if (*p == '?')
		return glob(p + 1, v + cp_len(v), cased);
	if (*p == '\x01')
		return is_dash(v) && glob(p + 1, v + cp_len(v), cased);
	if (*p == '\\' && (p[1] == '*' || p[1] == '?' || p[1] == '\\'))
		p++;
	if (*p != *v && (cased || tolower((unsigned char)*p) != tolower((unsigned char)*v)))
		return false;
	return glob(p + 1, v + 1, cased);
}

static bool word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static void windash(char *p)
{
	char before = ' ';

	for (; *p; p++) {
		char c = *p;

		if ((c == '-' || c == '/') && !word(before) && word(p[1]))
			*p = '\x01';
		before = c;
	}
}

static bool has(const char *key, const char *modifier)
{
	size_t n = strlen(modifier);

	for (const char *p = strchr(key, '|'); p; p = strchr(p + 1, '|'))
		if (strncmp(p + 1, modifier, n) == 0 && (p[1 + n] == '|' || p[1 + n] == '\0'))
			return true;
	return false;
}

static bool text_holds(const char *key, const char *pattern, const char *value, bool keyword)
{
	char p[9000], v[70000];
	size_t n;

	snprintf(p, sizeof p - 1, "%s", pattern);
	for (n = strlen(p); n > 0 && p[n - 1] == '\\'; n--)
		;
	if ((strlen(p) - n) % 2) /* a backslash at the end stands for itself; it must not escape what is put behind it */
		memcpy(p + strlen(p), "\\", 2);
	if (has(key, "windash"))
		windash(p);
	snprintf(v, sizeof v, "%s%s%s", keyword || has(key, "contains") || has(key, "endswith") ? "*" : "", p,
		 keyword || has(key, "contains") || has(key, "startswith") ? "*" : "");
	memcpy(p, v, sizeof p);
	n = strlen(p);
	snprintf(v, sizeof v, "%s", value);
	if (n == 0 || !strchr("* \t\r\n", p[n - 1]))
		while (*v && strchr(" \t\r\n", v[strlen(v) - 1]))
			v[strlen(v) - 1] = '\0';
	return glob(p, v, has(key, "cased"));
}

static bool as_number(const char *s, long double *to)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	if (!*s || (!isdigit((unsigned char)*s) && !((*s == '-' || *s == '+') && isdigit((unsigned char)s[1]))))
		return false;
	*to = strncasecmp(s, "0x", 2) == 0 ? (long double)strtoull(s, &end, 16) : strtold(s, &end);
	while (isspace((unsigned char)*end))
		end++;
	return *end == '\0' && !strpbrk(strncasecmp(s, "0x", 2) == 0 ? "" : s, "eEnNiIpP");
}

static bool compares(const char *key, const struct yaml_node *rule, const char *value)
{
	long double a, b;

	if (!as_number(value, &a) || !as_number(rule->text, &b))
		return false;
	return has(key, "lt") ? a < b : has(key, "lte") ? a <= b : has(key, "gt") ? a > b : a >= b;
}

static bool refers(const struct naive *n, const char *key, const struct yaml_node *rule, const char *value, const struct event *ev)
{
	struct values other;
	char room[512], pattern[9000];
	bool found = false;

	field_values(n, ev, rule->text, &other, room);
	for (size_t i = 0; i < other.n && !found; i++) {
		size_t k = 0;

		for (const char *p = other.text[i]; *p && k + 2 < sizeof pattern; p++) {
			if (strchr("*?\\", *p))
				pattern[k++] = '\\';
			pattern[k++] = *p;
		}
		while (k && strchr(" \t\r\n", pattern[k - 1]))
			k--;
		pattern[k] = '\0';
		found = text_holds(key, pattern, value, false);
	}
	return found;
}

static bool value_holds(const struct naive *n, const char *key, const struct yaml_node *rule, const char *value,
	const struct event *ev)
{
	bool shaped = has(key, "contains") || has(key, "startswith") || has(key, "endswith");
	long double a, b;

	if (has(key, "lt") || has(key, "lte") || has(key, "gt") || has(key, "gte"))
		return compares(key, rule, value);
	if (has(key, "fieldref"))
		return refers(n, key, rule, value, ev);
	if (text_holds(key, rule->text, value, false))
		return true;
	if (shaped || !rule->plain || (rule->text[0] == '0' && rule->text[1] && rule->text[1] != '.') || strpbrk(rule->text, "xXeE"))
		return false;
	return as_number(rule->text, &a) && as_number(value, &b) && a == b;
}

/* -- items, selections, conditions -- */

static const char *renamed(const struct yaml_node *source, const char *name)
{
	const struct yaml_node *map = source ? yaml_get(source, "rename") : NULL;

	for (size_t i = 0; map && i < map->n; i++)
		if (strcasecmp(map->keys[i]->text, name) == 0)
			return map->items[i]->text;
	return name;
}

static bool keyword_holds(const char *key, const struct yaml_node *rule, const struct event *ev)
{
	for (size_t i = 0; i < ev->n; i++)
		if (!ev->fields[i].derived && text_holds(key, rule->text, ev->fields[i].value, true))
			return true;
	return false;
}

static bool one_value(const struct naive *n, const char *key, const struct yaml_node *rule, const struct values *v,
	const struct event *ev)
{
	bool any = false, all_empty = true;

	for (size_t i = 0; i < v->n; i++)
		all_empty = all_empty && v->text[i][0] == '\0';
	if (yaml_is_null(rule))
		return all_empty;
	for (size_t i = 0; i < v->n && !any; i++)
		any = value_holds(n, key, rule, v->text[i], ev);
	return any;
}

static bool item_holds(const struct naive *n, const char *key, const struct yaml_node *rule, const struct yaml_node *source,
	const struct event *ev)
{
	char name[200], room[512];
	struct values v;
	size_t yes = 0;
	bool holds;

	snprintf(name, sizeof name, "%.*s", (int)strcspn(key, "|"), key);
	if (!*name) {
		for (size_t i = 0; i < many(rule); i++)
			yes += keyword_holds(key, one(rule, i), ev);
	} else {
		field_values(n, ev, renamed(source, name), &v, room);
		if (has(key, "exists"))
			return (v.n > 0) == (strcasecmp(rule->text, "true") == 0);
		for (size_t i = 0; i < many(rule); i++)
			yes += one_value(n, key, one(rule, i), &v, ev);
	}
	holds = has(key, "all") ? yes == many(rule) : yes > 0;
	return holds != has(key, "neq");
}

static bool selection_holds(const struct naive *n, const struct yaml_node *s, const struct yaml_node *source,
	const struct event *ev)
{
	if (s->kind == YAML_SCALAR)
		return keyword_holds("", s, ev);
	for (size_t i = 0; i < s->n; i++) {
		bool holds = s->kind == YAML_MAP ? item_holds(n, s->keys[i]->text, s->items[i], source, ev) : selection_holds(n, s->items[i],
			source, ev);

		if (holds != (s->kind == YAML_MAP))
			return holds;
	}
	return s->kind == YAML_MAP;
}

struct cond {
	const struct naive *n;
	const struct yaml_node *detection, *source;
	const struct event *ev;
	const char *p;
};

static void word_of(struct cond *c, char to[static 200])
{
	size_t k = 0;

	while (isspace((unsigned char)*c->p))
		c->p++;
	if (*c->p == '(' || *c->p == ')')
		to[k++] = *c->p++;
	else
		while (*c->p && !isspace((unsigned char)*c->p) && *c->p != '(' && *c->p != ')' && k < 199)
			to[k++] = *c->p++;
	to[k] = '\0';
}

static bool next_is(struct cond *c, const char *w)
{
	const char *before = c->p;
	char t[200];

	word_of(c, t);
	if (strcasecmp(t, w) == 0)
		return true;
	c->p = before;
	return false;
}

static bool selected(struct cond *c, const char *pattern, bool all)
{
	bool any = false, every = true, them = strcmp(pattern, "them") == 0;

	for (size_t i = 0; i < c->detection->n; i++) {
		const char *name = c->detection->keys[i]->text;

		if (strcmp(name, "condition") == 0 || strcmp(name, "timeframe") == 0 || (name[0] == '_' && (them || pattern[0] != '_')))
			continue;
		if (!them && !glob(pattern, name, true))
			continue;
		bool holds = selection_holds(c->n, c->detection->items[i], c->source, c->ev);

		any = any || holds;
		every = every && holds;
	}
	return all ? every : any;
}

static bool or_of(struct cond *c);

static bool unary(struct cond *c)
{
	char t[200], of[200];
	bool holds;

	if (next_is(c, "not"))
		return !unary(c);
	if (next_is(c, "(")) {
		holds = or_of(c);
		next_is(c, ")");
		return holds;
	}
	word_of(c, t);
	if (next_is(c, "of")) {
		word_of(c, of);
		return selected(c, of, strcasecmp(t, "all") == 0);
	}
	return selection_holds(c->n, yaml_get(c->detection, t), c->source, c->ev);
}

static bool and_of(struct cond *c)
{
	bool holds = unary(c);

	while (next_is(c, "and"))
		holds = unary(c) && holds;
	return holds;
}

static bool or_of(struct cond *c)
{
	bool holds = and_of(c);

	while (next_is(c, "or"))
		holds = and_of(c) || holds;
	return holds;
}

static bool source_holds(const struct yaml_node *s, const struct event *ev)
{
	const struct yaml_node *where = yaml_get(s, "where"), *ids = yaml_get(s, "event_ids");
	bool id = !ids;

	for (size_t i = 0; i < many(ids); i++)
		id = id || strtoul(one(ids, i)->text, NULL, 10) == ev->event_id;
	for (size_t i = 0; where && i < where->n; i++) {
		struct values v = {.n = 0};
		bool any = false;

		own_values(ev, where->keys[i]->text, &v);
		for (size_t k = 0; k < v.n; k++)
			any = any || in_list(where->items[i], v.text[k]);
		if (!any)
			return false;
	}
	return id && (!yaml_get(s, "channels") || in_list(yaml_get(s, "channels"), ev->channel)) &&
	       (!yaml_get(s, "providers") || in_list(yaml_get(s, "providers"), ev->provider)) && !in_list(yaml_get(s, "not_providers"),
		ev->provider);
}

static bool entry_holds(const struct yaml_node *table, const char *name, const struct event *ev, const struct yaml_node **which)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct yaml_node *list = yaml_get(table->items[i], "sources");

		for (size_t k = 0; strcasecmp(table->keys[i]->text, name) == 0 && k < list->n; k++)
			if (source_holds(list->items[k], ev)) {
				*which = list->items[k];
				return true;
			}
	}
	return false;
}

static bool rule_holds(const struct naive *n, const struct yaml_node *rule, const struct event *ev)
{
	static const char *const keys[] = {"product", "service", "category"}, *const tables[] = {"products", "services", "categories"};
	const struct yaml_node *logsource = yaml_get(rule, "logsource"), *condition;
	struct cond c = {.n = n, .ev = ev, .detection = yaml_get(rule, "detection")};
	bool any = false;

	for (int i = 0; i < 3; i++) {
		const struct yaml_node *value = yaml_get(logsource, keys[i]), *which = NULL;

		if (value && !entry_holds(yaml_get(n->sources->documents[0], tables[i]), value->text, ev, &which))
			return false;
		if (value && i == 2)
			c.source = which;
	}
	condition = yaml_get(c.detection, "condition");
	for (size_t i = 0; i < many(condition); i++) {
		c.p = one(condition, i)->text;
		any = or_of(&c) || any;
	}
	return any;
}

bool naive_holds(struct naive *n, const char *file, int line, const struct event *ev)
{
	struct yaml_file *f = NULL;

	for (size_t i = 0; i < n->n_rules && !f; i++)
		if (strcmp(n->rules[i]->path, file) == 0)
			f = n->rules[i];
	if (!f)
		f = n->rules[n->n_rules++ % FILES] = must_read(file);
	for (size_t i = 0; i < f->n; i++)
		if (f->documents[i] && f->documents[i]->line == line)
			return rule_holds(n, f->documents[i], ev);
	fprintf(stderr, "no rule at %s:%d\n", file, line);
	abort();
}
