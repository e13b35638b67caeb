/* silences.c - findings that a person does not want to hear of for a while.
 *
 * Why: planned work and known noise should wake nobody, and yet nothing may get lost behind it.
 * Promises: a silence holds only until its end, by the event's time and by the clock; each counts what it held back, over restarts
 * too, and says so once, when it ends.
 * Refuses: nothing; heal/silence.c has looked at what it takes. */
#include "cases/silences.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "rules/pattern.h"

#define MOST 4096 /* silences; heal's list is smaller */
#define FIELDS 16

struct silenced_field {
	const char *name, *text;
	struct pattern pattern;
};

struct silence {
	struct engine_silence is;
	const struct rule *rule; /* NULL: not in this set */
	struct silenced_field fields[FIELDS];
	size_t n_fields;
};

struct silences {
	const struct ruleset *rules;
	struct hosts *hosts;
	const struct engine_sink *sink;
	struct arena *arena; /* of the list */
	struct silence *list;
	size_t n;
};

struct silences *silences_new(const struct ruleset *rules, struct hosts *hosts, const struct engine_sink *sink)
{
	struct silences *s = xcalloc(1, sizeof *s);

	s->rules = rules;
	s->hosts = hosts;
	s->sink = sink;
	return s;
}

void silences_free(struct silences *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	free(s->list);
	free(s);
}

static bool field_holds(const struct silences *s, const struct silenced_field *f, const struct match *m, const struct event *ev)
{
	size_t n;
	const char *v = ev ? ruleset_value(s->rules, m->rule, ev, f->name, &n) : match_value(m, f->name);

	if (ev && !v) { /* a field that no rule asks for */
		const struct event_field *own = event_get(ev, f->name);

		v = own ? own->value : NULL;
		n = own ? own->len : 0;
	} else if (!ev && v) {
		n = strlen(v);
	}
	return v && pattern_match(&f->pattern, v, n);
}

static bool holds(const struct silences *s, const struct silence *x, const struct match *m, const struct event *ev)
{
	if (x->rule != m->rule || m->time >= x->is.until)
		return false;
	if (*x->is.host && !text_same(x->is.host, m->host) && !text_same(hosts_name(s->hosts, x->is.host), m->host))
		return false;
	for (size_t i = 0; i < x->n_fields; i++)
		if (!field_holds(s, &x->fields[i], m, ev))
			return false;
	return true;
}

bool silences_hold(struct silences *s, const struct match *m, const struct event *ev)
{
	for (size_t i = 0; i < s->n; i++) {
		struct engine_silence *is = &s->list[i].is;

		if (!holds(s, &s->list[i], m, ev))
			continue;
		is->count++;
		is->first = is->first && is->first < m->time ? is->first : m->time;
		is->last = is->last > m->time ? is->last : m->time;
		return true;
	}
	return false;
}

struct reading {
	struct arena *arena;
	struct silence *to;
};

static int read_field(void *arg, const char *key, const struct json *v)
{
	const struct reading *r = arg;
	const char *text = json_str(v, "");

	if (r->to->n_fields == FIELDS)
		return -1;
	struct silenced_field *f = &r->to->fields[r->to->n_fields++];

	f->name = arena_copy(r->arena, key, strlen(key));
	f->text = arena_copy(r->arena, text, strlen(text));
	pattern_make(&f->pattern, r->arena, f->text, strlen(f->text), 0);
	return 0;
}

static const char *keep(struct arena *a, const struct json *j)
{
	const char *text = json_str(j, "");

	return arena_copy(a, text, strlen(text));
}

/* false: it has more fields than we take, and would hold back too much without them. */
static bool read_one(const struct silences *s, struct arena *a, const struct json *j, struct silence *to)
{
	struct reading r = {.arena = a, .to = to};

	to->is = (struct engine_silence){.id = json_int(json_get(j, "id"), 0), .since = json_time(json_get(j, "since")),
		.until = json_time(json_get(j, "until")), .rule = keep(a, json_get(j, "rule")), .title = keep(a, json_get(j, "title")),
		.host = keep(a, json_get(j, "host")), .count = (uint64_t)json_int(json_get(j, "count"), 0),
		.first = json_time(json_get(j, "first")), .last = json_time(json_get(j, "last"))};
	to->rule = ruleset_find(s->rules, to->is.rule);
	return json_each(json_get(j, "fields"), read_field, &r) == 0;
}

static struct silence *find(const struct silences *s, int64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].is.id == id)
			return &s->list[i];
	return NULL;
}

static void tell_end(const struct silences *s, const struct silence *x)
{
	if (s->sink->silence_ended)
		s->sink->silence_ended(s->sink->arg, &x->is);
}

void silences_set(struct silences *s, const struct json *list, int64_t now)
{
	struct silences fresh = *s;
	size_t many = json_len(list) < MOST ? json_len(list) : MOST;

	fresh.arena = arena_new(4096);
	fresh.list = xcalloc(many + 1, sizeof *fresh.list);
	fresh.n = 0;
	for (size_t i = 0; i < many; i++) {
		struct silence *to = &fresh.list[fresh.n];
		const struct silence *was;

		memset(to, 0, sizeof *to);
		if (!read_one(s, fresh.arena, json_at(list, i), to) || to->is.until <= now)
			continue;
		was = find(s, to->is.id);
		if (was) {
			to->is.count = was->is.count;
			to->is.first = was->is.first;
			to->is.last = was->is.last;
		}
		fresh.n++;
	}
	for (size_t i = 0; i < s->n; i++)
		if (!find(&fresh, s->list[i].is.id))
			tell_end(s, &s->list[i]);
	arena_free(s->arena);
	free(s->list);
	*s = fresh;
}

void silences_tick(struct silences *s, int64_t now)
{
	size_t left = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].is.until <= now)
			tell_end(s, &s->list[i]);
		else
			s->list[left++] = s->list[i];
	}
	s->n = left;
}

void silences_save(const struct silences *s, struct json_out *o, const char *key)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct silence *x = &s->list[i];

		json_open(o, NULL, '{');
		json_put_int(o, "id", x->is.id);
		json_put_str(o, "rule", x->is.rule);
		json_put_str(o, "title", x->is.title);
		json_put_str(o, "host", x->is.host);
		json_open(o, "fields", '{');
		for (size_t f = 0; f < x->n_fields; f++)
			json_put_str(o, x->fields[f].name, x->fields[f].text);
		json_close(o, '}');
		json_put_time(o, "since", x->is.since);
		json_put_time(o, "until", x->is.until);
		json_put_int(o, "count", (int64_t)x->is.count);
		json_put_time(o, "first", x->is.first);
		json_put_time(o, "last", x->is.last);
		json_close(o, '}');
	}
	json_close(o, ']');
}
