/* route.c - which record goes to which sink.
 *
 * Why: a person is woken by a few records, an index takes all of them. Promises: every condition that is given must hold; one that asks for
 * what a record does not have is not met, but for the level: kinds without a level (repairs, refusals, the ledger) are chosen by kind.
 * Refuses nothing. */
#include "ship/route.h"

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "rules/rule.h"

static int add_label(void *arg, const char *name, const struct json *value)
{
	struct buf *to = arg;
	const char *text = json_str(value, NULL);

	if (text && !strpbrk(name, "=\n") && !strchr(text, '\n'))
		buf_printf(to, "%s=%s\n", name, text);
	return 0;
}

static const char *keep(struct arena *a, const struct json *j, const char *key)
{
	const char *s = json_str(json_get(j, key), "");

	return arena_copy(a, s, strlen(s));
}

void record_route(struct spool_record *r, struct arena *a)
{
	struct json *j = json_parse(r->json, r->n, NULL);
	const struct json *labels = json_get(j, "labels");
	enum rule_level level;

	r->urgent = r->kind != RECORD_EVENT && r->kind != RECORD_LEDGER;
	r->level = level_parse(json_str(json_get(j, "level"), ""), &level) ? (int)level : -1;
	r->host = keep(a, j, "host");
	r->cause = keep(a, j, "cause");
	r->labels = "";
	if (json_is_object(labels)) {
		struct buf b;

		buf_init(&b, 64u << 10);
		json_each(labels, add_label, &b);
		r->labels = arena_copy(a, buf_text(&b), b.n);
		buf_free(&b);
	}
	json_free(j);
}

bool route_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *mark = s;

	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			mark = s;
		} else if (*pattern == '?' || (*pattern && tolower((unsigned char)*pattern) == tolower((unsigned char)*s))) {
			pattern++;
			s++;
		} else if (star) { /* the last star takes one more */
			pattern = star;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool has_label(const char *lines, const char *label)
{
	size_t n = strlen(label);

	for (const char *at = lines; *at;) {
		size_t line = strcspn(at, "\n");

		if (line == n && !memcmp(at, label, n))
			return true;
		at += line + (at[line] == '\n');
	}
	return false;
}

bool route_asks_json(const struct sink_take *t)
{
	return t->level > 0 || t->n_causes || t->n_hosts || t->n_labels;
}

bool route_takes(const struct sink_take *t, const struct spool_record *r)
{
	bool found;

	if (t->kinds && !(t->kinds & 1u << r->kind))
		return false;
	if (!route_asks_json(t))
		return true;
	if (r->level >= 0 && r->level < t->level)
		return false;
	found = !t->n_causes;
	for (size_t i = 0; i < t->n_causes && !found; i++)
		found = text_same(t->causes[i], r->cause);
	if (!found)
		return false;
	found = !t->n_hosts;
	for (size_t i = 0; i < t->n_hosts && !found; i++)
		found = route_glob(t->hosts[i], r->host);
	if (!found)
		return false;
	for (size_t i = 0; i < t->n_labels; i++)
		if (!has_label(r->labels, t->labels[i]))
			return false;
	return true;
}
