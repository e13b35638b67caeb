/* events.h - events and rule sets for the tests of rules/, correlate/ and cases/. */
#ifndef EVMEND_TESTS_UNIT_RULES_EVENTS_H
#define EVMEND_TESTS_UNIT_RULES_EVENTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "event/decode.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "rules/ruleset.h"

struct problems {
	char text[40][700];
	int line[40];
	bool warning[40];
	size_t n;
};

static inline void on_problem(void *arg, const struct rule_problem *p)
{
	struct problems *to = arg;

	assert_non_null(p->file);
	if (to->n >= 40)
		return;
	snprintf(to->text[to->n], sizeof to->text[0], "%s", p->text);
	to->line[to->n] = p->line;
	to->warning[to->n++] = p->warning;
}

/* Rules from text, with the tables of the project; placeholders: NULL or the text of placeholders.yml. */
static inline struct ruleset *rules_with(const char *yaml, const char *placeholders, struct problems *p)
{
	struct scratch s;
	struct err e = {0};
	struct ruleset *rs;

	memset(p, 0, sizeof *p);
	scratch_init(&s);
	scratch_write(&s, "r.yml", yaml, strlen(yaml));
	if (placeholders)
		scratch_write(&s, "placeholders.yml", placeholders, strlen(placeholders));
	const char *folders[] = {s.folder};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};

	rs = ruleset_load(&o, on_problem, p, &e);
	if (!rs)
		print_error("%s\n", e.text);
	scratch_free(&s);
	assert_non_null(rs);
	return rs;
}

static inline struct ruleset *rules_of(const char *yaml, struct problems *p)
{
	return rules_with(yaml, NULL, p);
}

struct each_event {
	void *arg;
	void (*each)(void *arg, const struct event *ev);
	size_t n;
};

static inline int pass_event(void *arg, const struct event *ev)
{
	struct each_event *x = arg;

	x->n++;
	x->each(x->arg, ev);
	return 0;
}

/* Calls each event of a text (any form). Returns how many. */
static inline size_t events_of(const struct ruleset *rs, const char *source, const char *text, size_t n, void *arg,
			       void (*each)(void *arg, const struct event *ev))
{
	struct arena *a = arena_new(1u << 16);
	struct decode_options o = {.names = ruleset_names(rs), .source = source, .default_time = INT64_C(1520974800000000)};
	struct each_event x = {.arg = arg, .each = each};
	struct decode_sink sink = {.arg = &x, .event = pass_event};
	struct decoder *d = decoder_new(FORM_AUTO, &o, a);
	struct err e = {0};

	assert_int_equal(decoder_feed(d, text, n, &sink, &e), 0);
	assert_int_equal(decoder_end(d, false, &sink, &e), 0);
	decoder_free(d);
	arena_free(a);
	return x.n;
}

static inline size_t events_of_file(const struct ruleset *rs, const char *path, void *arg, void (*each)(void *arg,
	const struct event *ev))
{
	struct buf b;
	struct err e = {0};
	size_t n;

	buf_init(&b, 64u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	n = events_of(rs, path, buf_text(&b), b.n, arg, each);
	buf_free(&b);
	return n;
}

/* One event of a computer: EventData by name, "Name=value" pairs with NULL at the end; no name: unnamed Data. */
static inline char *event_xml(const char *computer, const char *channel, const char *provider, int id, const char *time,
	int record, const char *data)
{
	static char text[8][10240]; /* 8,000 bytes of data, and what is around them */
	static unsigned next;
	char *to = text[next++ % 8];

	snprintf(to, sizeof text[0],
		 "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID>%d</EventID>"
		 "<Level>2</Level><TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID><Channel>%s</Channel><Computer>%s</Computer>"
		 "</System><EventData>%s</EventData></Event>",
		 provider, id, time, record, channel, computer, data);
	return to;
}

#endif
