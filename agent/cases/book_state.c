/* book_state.c - the book of cases as JSON, and back.
 *
 * Why: cases outlive the process that opened them.
 * Promises: what save writes, load reads back to the same answers.
 * Refuses: single entries that cannot be read: they are left out, the rest is taken. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cases/book_private.h"

static void put_hex(struct json_out *o, const char *key, const uint8_t *p, size_t n)
{
	char hex[65];

	text_hex(hex, p, n);
	json_put_str(o, key, hex);
}

static bool get_hex(const struct json *j, uint8_t *to, size_t n)
{
	const char *s = json_str(j, "");

	return text_unhex(to, n, s, strlen(s));
}

static void save_tally(const struct tally *t, struct json_out *o, const char *key)
{
	if (!t->last && t->healed_at == INT64_MIN) {
		json_put_null(o, key);
		return;
	}
	json_open(o, key, '{');
	json_put_int(o, "count", (int64_t)t->count);
	json_put_int(o, "first", t->first);
	json_put_int(o, "last", t->last);
	json_put_int(o, "seen", t->seen);
	if (t->healed_at != INT64_MIN)
		json_put_int(o, "healed_at", t->healed_at);
	if (t->has_thumbprint)
		put_hex(o, "thumbprint", t->thumbprint, sizeof t->thumbprint);
	json_put_int(o, "port", t->port);
	json_close(o, '}');
}

static void load_tally(struct tally *t, const struct json *j)
{
	t->count = (uint64_t)json_int(json_get(j, "count"), 0);
	t->first = json_int(json_get(j, "first"), 0);
	t->last = json_int(json_get(j, "last"), 0);
	t->seen = (unsigned)json_int(json_get(j, "seen"), 0);
	t->healed_at = json_int(json_get(j, "healed_at"), INT64_MIN);
	t->has_thumbprint = get_hex(json_get(j, "thumbprint"), t->thumbprint, sizeof t->thumbprint);
	t->port = (uint16_t)json_int(json_get(j, "port"), 0);
}

static void save_case(const struct book_case *c, struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_int(o, "id", c->c.id);
	put_hex(o, "uid", c->c.uid, sizeof c->c.uid);
	json_put_str(o, "host", c->c.host);
	json_put_str(o, "cause", c->c.cause);
	json_put_str(o, "source", c->c.source);
	json_put_int(o, "follows", c->c.reopens);
	json_put_str(o, "confidence", level_text(c->c.confidence));
	json_put_str(o, "hint", c->c.hint);
	json_put_bool(o, "asked", c->asked);
	json_put_int(o, "told", (int64_t)c->told_count);
	json_put_int(o, "told_at", c->told_at);
	json_put_int(o, "best_kind", c->best_kind);
	json_put_int(o, "best_time", c->best_time);
	if (c->last_symptom != INT64_MIN)
		json_put_int(o, "last_symptom", c->last_symptom);
	if (c->healed_at != INT64_MIN)
		json_put_int(o, "healed_at", c->healed_at);
	save_tally(&c->tally, o, "tally");
	json_open(o, "reported_by", '[');
	for (size_t i = 0; i < c->c.n_reported_by; i++)
		json_put_str(o, NULL, c->reporters[i]);
	json_close(o, ']');
	json_open(o, "findings", '[');
	for (size_t i = 0; i < c->c.n_findings; i++)
		put_hex(o, NULL, c->findings[i], 32);
	json_close(o, ']');
	json_close(o, '}');
}

static void load_lists(struct book *b, struct book_case *c, const struct json *j)
{
	const struct json *list = json_get(j, "reported_by");

	for (size_t i = 0; i < json_len(list); i++)
		book_reporter(c, strings_add(b->pool, json_str(json_at(list, i), "")));
	list = json_get(j, "findings");
	c->findings = xcalloc(CASE_FINDINGS, sizeof c->findings[0]);
	for (size_t i = 0; i < json_len(list) && i < CASE_FINDINGS; i++)
		c->c.n_findings += get_hex(json_at(list, i), c->findings[c->c.n_findings], 32);
	size_t room = 1;

	while (room < c->c.n_findings)
		room *= 2;
	c->findings = xrealloc(c->findings, room, sizeof c->findings[0]);
}

static void load_case(struct book *b, const struct json *j)
{
	int cause = case_cause_index(json_str(json_get(j, "cause"), ""));
	struct book_host *h = book_host(b, json_str(json_get(j, "host"), ""));
	struct book_case *c;

	if (cause < 0 || h->open[cause])
		return;
	c = xcalloc(1, sizeof *c);
	c->of = h;
	c->cause = cause;
	c->c.id = (uint32_t)json_int(json_get(j, "id"), 0);
	get_hex(json_get(j, "uid"), c->c.uid, sizeof c->c.uid);
	c->c.host = h->name;
	c->c.cause = case_causes[cause];
	c->c.source = strings_add(b->pool, json_str(json_get(j, "source"), ""));
	c->c.reopens = (uint32_t)json_int(json_get(j, "follows"), 0);
	level_parse(json_str(json_get(j, "confidence"), ""), &c->c.confidence);
	c->c.hint = strings_add(b->pool, json_str(json_get(j, "hint"), ""));
	c->asked = json_bool(json_get(j, "asked"), false);
	c->best_kind = json_int(json_get(j, "best_kind"), 0) == RULE_CORRELATION ? RULE_CORRELATION : RULE_DETECTION;
	c->best_time = json_int(json_get(j, "best_time"), 0);
	c->last_symptom = json_int(json_get(j, "last_symptom"), INT64_MIN);
	c->healed_at = json_int(json_get(j, "healed_at"), INT64_MIN);
	load_tally(&c->tally, json_get(j, "tally"));
	load_lists(b, c, j);
	c->told_count = (uint64_t)json_int(json_get(j, "told"), (int64_t)c->tally.count);
	c->told_at = json_int(json_get(j, "told_at"), c->tally.last);
	book_add(b, c);
	h->open[cause] = c;
}

static void save_times(const int64_t *t, size_t n, struct json_out *o, const char *key)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < n; i++)
		json_put_int(o, NULL, t[i]);
	json_close(o, ']');
}

static void load_times(int64_t *t, size_t n, const struct json *list)
{
	for (size_t i = 0; i < json_len(list) && i < n; i++)
		t[i] = json_int(json_at(list, i), 0);
}

static void save_host(const struct book_host *h, struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_str(o, "host", h->name);
	json_open(o, "tallies", '[');
	for (int i = 0; i < BOOK_CAUSES; i++)
		save_tally(&h->tallies[i], o, NULL);
	json_close(o, ']');
	save_times(h->seen_at, 16, o, "seen_at");
	json_open(o, "closed", '[');
	for (int i = 0; i < BOOK_CAUSES; i++)
		json_put_int(o, NULL, h->closed_id[i]);
	json_close(o, ']');
	save_times(h->closed_at, BOOK_CAUSES, o, "closed_at");
	json_open(o, "before", '[');
	for (size_t i = 0; i < h->n_before; i++) {
		json_open(o, NULL, '{');
		json_put_int(o, "time", h->before[i].time);
		json_put_str(o, "title", h->before[i].title);
		json_put_str(o, "rule", h->before[i].rule);
		json_put_str(o, "what", h->before[i].what);
		put_hex(o, "uid", h->before[i].uid, 32);
		json_close(o, '}');
	}
	json_close(o, ']');
	json_open(o, "streams", '[');
	for (const struct stream *s = h->streams; s; s = s->next) {
		json_open(o, NULL, '{');
		json_put_int(o, "n", s->n);
		json_put_int(o, "since", s->since);
		json_put_int(o, "sent", (int64_t)s->sent);
		json_put_int(o, "sent_at", s->sent_at);
		json_put_bool(o, "ends", s->ends);
		told_save(s->told, o, "told");
		json_close(o, '}');
	}
	json_close(o, ']');
	json_close(o, '}');
}

static void load_before(struct book *b, struct book_host *h, const struct json *list)
{
	for (size_t i = 0; i < json_len(list) && h->n_before < CASE_BEFORE; i++) {
		if (!h->before)
			book_before_room(b, h);
		const struct json *j = json_at(list, i);
		struct case_before *to = &h->before[h->n_before];

		to->time = json_int(json_get(j, "time"), 0);
		to->title = strings_add(b->pool, json_str(json_get(j, "title"), ""));
		to->rule = strings_add(b->pool, json_str(json_get(j, "rule"), ""));
		to->what = strings_add(b->pool, json_str(json_get(j, "what"), ""));
		if (!get_hex(json_get(j, "uid"), to->uid, 32))
			continue;
		h->n_before++;
		b->bytes += book_before_bytes(to);
	}
}

static void load_host(struct book *b, const struct ruleset *rs, const struct json *j)
{
	struct book_host *h = book_host(b, json_str(json_get(j, "host"), ""));
	const struct json *list = json_get(j, "tallies");

	for (size_t i = 0; i < json_len(list) && i < BOOK_CAUSES; i++)
		load_tally(&h->tallies[i], json_at(list, i));
	load_times(h->seen_at, 16, json_get(j, "seen_at"));
	list = json_get(j, "closed");
	for (size_t i = 0; i < json_len(list) && i < BOOK_CAUSES; i++)
		h->closed_id[i] = (uint32_t)json_int(json_at(list, i), 0);
	load_times(h->closed_at, BOOK_CAUSES, json_get(j, "closed_at"));
	load_before(b, h, json_get(j, "before"));
	list = json_get(j, "streams");
	for (size_t i = json_len(list); i > 0; i--) {
		const struct json *one = json_at(list, i - 1);
		struct told *t = told_load(b->pool, rs, json_get(one, "told"));
		struct stream *s;

		if (!t)
			continue;
		s = xcalloc(1, sizeof *s);
		s->told = t;
		s->n = (uint32_t)json_int(json_get(one, "n"), 1);
		s->since = json_int(json_get(one, "since"), t->time);
		s->sent = (uint64_t)json_int(json_get(one, "sent"), 0);
		s->sent_at = json_int(json_get(one, "sent_at"), 0);
		s->ends = json_bool(json_get(one, "ends"), false);
		book_weigh(b, s);
		s->next = h->streams;
		h->streams = s;
	}
}

void book_save(const struct book *b, struct json_out *o, const char *key)
{
	json_open(o, key, '{');
	json_put_int(o, "next_id", b->next_id);
	json_open(o, "hosts", '[');
	for (size_t i = 0; i < b->room; i++)
		for (const struct book_host *h = b->buckets[i]; h; h = h->next)
			save_host(h, o);
	json_close(o, ']');
	json_open(o, "cases", '[');
	for (size_t i = 0; i < b->n; i++)
		save_case(b->cases[i], o);
	json_close(o, ']');
	json_close(o, '}');
}

void book_load(struct book *b, const struct ruleset *rs, const struct json *j)
{
	const struct json *list = json_get(j, "hosts");
	size_t most = b->most_bytes;

	b->most_bytes = 0; /* what was kept stays */
	for (size_t i = 0; i < json_len(list); i++)
		load_host(b, rs, json_at(list, i));
	list = json_get(j, "cases");
	for (size_t i = 0; i < json_len(list); i++)
		load_case(b, json_at(list, i));
	b->next_id = (uint32_t)json_int(json_get(j, "next_id"), 1);
	b->most_bytes = most;
}
