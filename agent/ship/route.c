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

static void set_level(struct spool_record *r, const char *text)
{
	enum rule_level level;

	r->level = level_parse(text, &level) ? (int)level : -1;
}

static void read_tree(struct spool_record *r, struct arena *a)
{
	struct json *j = json_parse(r->json, r->n, NULL);
	const struct json *labels = json_get(j, "labels");

	set_level(r, json_str(json_get(j, "level"), ""));
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

/* --- the same without a tree, for tens of thousands of records a second: what our own writer writes. Anything odd is read as a tree --- */

struct scan {
	const char *at, *end;
	bool odd; /* something that only a parser may judge */
};

/* A string behind its first quote: from *from, *n long. */
static void scan_text(struct scan *s, const char **from, size_t *n)
{
	const char *quote = memchr(s->at, '"', (size_t)(s->end - s->at));

	*from = s->at;
	*n = quote ? (size_t)(quote - s->at) : 0;
	s->odd = s->odd || !quote || memchr(s->at, '\\', *n);
	s->at = quote ? quote + 1 : s->end;
}

/* Over a string, escapes and all. */
static void pass_text(struct scan *s)
{
	while (s->at < s->end && *s->at != '"')
		s->at += *s->at == '\\' ? 2 : 1;
	s->odd = s->odd || s->at >= s->end;
	s->at++;
}

/* Over any value. */
static void pass_value(struct scan *s)
{
	int depth = 0;

	while (s->at < s->end && !s->odd) {
		char c = *s->at;

		if (!depth && (c == ',' || c == '}'))
			return;
		s->at++;
		if (c == '"')
			pass_text(s);
		else if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
	}
	s->odd = true;
}

static bool is(const char *from, size_t n, const char *key)
{
	return strlen(key) == n && !memcmp(from, key, n);
}

/* The next member's name, or the end of the object: false. */
static bool scan_name(struct scan *s, const char **name, size_t *n)
{
	if (s->at < s->end && *s->at == ',')
		s->at++;
	if (s->at < s->end && *s->at == '}')
		return false;
	s->odd = s->odd || s->at >= s->end || *s->at++ != '"';
	if (s->odd)
		return false;
	scan_text(s, name, n);
	s->odd = s->odd || s->at >= s->end || *s->at++ != ':' || s->at >= s->end;
	return !s->odd;
}

static void scan_labels(struct scan *s, struct buf *to)
{
	const char *name, *text;
	size_t n, k;

	s->at++;
	while (scan_name(s, &name, &n)) {
		s->odd = s->odd || *s->at++ != '"';
		if (s->odd)
			return;
		scan_text(s, &text, &k);
		if (memchr(name, '=', n) || s->odd)
			continue;
		buf_add(to, name, n);
		buf_char(to, '=');
		buf_add(to, text, k);
		buf_char(to, '\n');
	}
	s->at++;
}

static void scan_member(struct scan *s, struct spool_record *r, struct arena *a, const char *name, size_t n)
{
	const char *text;
	size_t k;

	if (is(name, n, "labels") && *s->at == '{') {
		struct buf b;

		buf_init(&b, 64u << 10);
		scan_labels(s, &b);
		r->labels = arena_copy(a, buf_text(&b), b.n);
		buf_free(&b);
	} else if (*s->at == '"' && (is(name, n, "host") || is(name, n, "cause") || is(name, n, "level"))) {
		s->at++;
		scan_text(s, &text, &k);
		text = arena_copy(a, text, k);
		if (*name == 'h')
			r->host = text;
		else if (*name == 'c')
			r->cause = text;
		else
			set_level(r, text);
	} else {
		pass_value(s);
	}
}

/* false: it must be read as a tree. */
static bool read_quickly(struct spool_record *r, struct arena *a)
{
	struct scan s = { .at = r->json + 1, .end = r->json + r->n };
	const char *name;
	size_t n;

	r->level = -1;
	r->host = r->cause = r->labels = "";
	if (!r->n || *r->json != '{')
		return false;
	while (scan_name(&s, &name, &n))
		scan_member(&s, r, a, name, n);
	return !s.odd && s.at + 1 == s.end;
}

void record_route(struct spool_record *r, struct arena *a)
{
	r->urgent = r->kind != RECORD_EVENT && r->kind != RECORD_LEDGER;
	if (!read_quickly(r, a))
		read_tree(r, a);
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

	if (r->again)
		return true;
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
