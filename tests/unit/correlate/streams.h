/* streams.h - a correlator that is fed with short words, for the tests of correlate/.
 *
 * Rules a, b, c match events 1, 2, 3; e and f both match event 5. A word is "a7" (rule a at minute 7), with ":user" and "=value"
 * behind it when the event has those fields, "!" for the same event once more, "|7" for event time that has come to minute 7.
 * "~x" as user or value is 600 times "Long " and an x. */
#ifndef EVMEND_TESTS_UNIT_CORRELATE_STREAMS_H
#define EVMEND_TESTS_UNIT_CORRELATE_STREAMS_H

#include "base/clock.h"
#include "correlate/correlate.h"
#include "unit/rules/events.h"

#define DET(name, id) \
	"title: " name "\nname: " name "\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: " #id "}, condition: s}\n---\n"
#define RULES DET("a", 1) DET("b", 2) DET("c", 3) DET("e", 5) DET("f", 5)

struct stream {
	struct ruleset *rs;
	struct matcher *m;
	struct strings *pool;
	struct correlator *c;
	struct correlator_options o;
	struct buf log; /* a line for each firing: rule, key, first-last, how many */
	int64_t base, upto;
	int records, arrived;
	bool arrivals; /* lines begin with the number of events that had come */
	uint64_t events; /* of the last firing */
	char last[400];
};

static inline void stream_fired(void *arg, const struct fired *f)
{
	struct stream *s = arg;

	for (size_t i = 1; i < f->n; i++)
		assert_true(f->entries[i - 1]->time <= f->entries[i]->time);
	s->events = f->events;
	assert_true(f->events >= f->n);
	assert_true(f->first == f->entries[0]->time && f->last == f->entries[f->n - 1]->time);
	if (s->arrivals)
		buf_printf(&s->log, "%d ", s->arrived);
	buf_printf(&s->log, "%s%s%s %d-%d:%zu\n", f->rule->name, *f->key ? " " : "", f->key, (int)((f->first - s->base) / US_MINUTE),
		(int)((f->last - s->base) / US_MINUTE), f->n);
}

static inline void stream_begin(struct stream *s, const char *yaml, uint64_t cap)
{
	struct problems p;

	memset(s, 0, sizeof *s);
	s->rs = rules_of(yaml, &p);
	for (size_t i = 0; i < p.n; i++)
		print_error("%s%s\n", yaml, p.text[i]);
	assert_int_equal(p.n, 0);
	s->m = matcher_new(s->rs);
	s->pool = strings_new();
	s->o = (struct correlator_options){.rules = s->rs, .pool = s->pool, .memory_cap = cap, .stored = true, .arg = s, .fired = stream_fired};
	s->c = correlator_new(&s->o);
	buf_init(&s->log, 1u << 20);
	assert_true(time_parse("2018-03-13T00:00:00Z", 20, &s->base));
}

static inline void stream_end(struct stream *s)
{
	correlator_free(s->c);
	strings_free(s->pool);
	matcher_free(s->m);
	ruleset_free(s->rs);
	buf_free(&s->log);
}

static inline void stream_feed(void *arg, const struct event *ev)
{
	struct stream *s = arg;
	const uint32_t *hits;
	size_t n = matcher_run(s->m, ev, &hits);

	for (size_t i = 0; i < n; i++) {
		struct match *m = match_new(s->pool, s->rs, ruleset_rule(s->rs, hits[i]), ev);

		correlator_add(s->c, m);
		match_unref(m);
	}
}

static inline void stream_data(char *to, size_t room, const char *name, const char *value)
{
	snprintf(to, room, "<Data Name='%s'>", name);
	for (int i = 0; *value == '~' && i < 600; i++)
		strcat(to, "Long ");
	snprintf(to + strlen(to), room - strlen(to), "%s</Data>", value + (*value == '~'));
}

static inline void stream_event(struct stream *s, int id, int minute, int record, const char *user, const char *value)
{
	char time[32], data[8000] = "";
	const char *x;

	time_text(s->base + minute * US_MINUTE, time);
	if (user)
		stream_data(data, sizeof data / 2, "User", user);
	if (value)
		stream_data(data + strlen(data), sizeof data - strlen(data), "N", value);
	s->arrived++;
	x = event_xml("EX1", "System", "P", id, time, record, data);
	assert_int_equal(events_of(s->rs, "t", x, strlen(x), s, stream_feed), 1);
}

static inline int64_t stream_upto(void *arg, const char *host, const char *reporter)
{
	assert_non_null(host);
	assert_non_null(reporter);
	return ((struct stream *)arg)->upto;
}

static inline void stream_word(struct stream *s, const char *word)
{
	static const int ids[] = {['a'] = 1, ['b'] = 2, ['c'] = 3, ['e'] = 5};
	char user[100] = "", value[100] = "";
	int minute = 0;

	if (*word == '|') {
		s->upto = s->base + strtol(word + 1, NULL, 10) * US_MINUTE;
		correlator_pass(s->c, INT64_MAX, stream_upto, s);
		return;
	}
	if (*word == '!')
		word = s->last;
	else
		s->records++;
	const char *u = strchr(word, ':'), *v = strchr(word, '=');

	minute = (int)strtol(word + 1, NULL, 10);
	if (u)
		snprintf(user, sizeof user, "%.*s", (int)strcspn(u + 1, "="), u + 1);
	if (v)
		snprintf(value, sizeof value, "%s", v + 1);
	if (word != s->last)
		snprintf(s->last, sizeof s->last, "%s", word);
	stream_event(s, ids[(unsigned char)*word], minute, s->records, u ? user : NULL, v ? value : NULL);
}

static inline void stream_words(struct stream *s, const char *words)
{
	char word[300];

	for (size_t n; *words; words += n + strspn(words + n, " ")) {
		n = strcspn(words, " ");
		snprintf(word, sizeof word, "%.*s", (int)n, words);
		stream_word(s, word);
	}
}

#endif
