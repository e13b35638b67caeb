/* test_types.c - what each kind of correlation means, as a table: rules, events, what fires. */
#include "unit/correlate/streams.h"

#define ONE(body) RULES "title: C\nname: x\ncorrelation:\n    timespan: 10m\n" body
#define COUNT "    type: event_count\n    rules: a\n    condition: "
#define VALUES "    type: value_count\n    rules: a\n    condition: "
#define SUM "    type: value_sum\n    rules: a\n    condition: "
#define BY "    group-by: User\n"
#define ANY "    type: temporal\n    rules: [a, b, c]\n    condition: "
#define ORDER "    type: temporal_ordered\n    rules: [a, b, c]\n    condition: "
#define NESTED(outer) ONE(COUNT "{gte: 2}\n" BY "---\ntitle: D\nname: y\ncorrelation:\n" outer)

static const struct { const char *name, *yaml, *words, *fires; } rows[] = {
	/* operators. What more events make true fires at once, the rest when its window has closed */
	{"gte", ONE(COUNT "{gte: 2}\n"), "a0 a10", "x 0-10:2"},
	{"gte: too far apart", ONE(COUNT "{gte: 2}\n"), "a0 a11", ""},
	{"gt", ONE(COUNT "{gt: 2}\n"), "a0 a1 |5 a2", "x 0-2:3"},
	{"a fraction", ONE(COUNT "{gt: 1.5}\n"), "a0 a1", "x 0-1:2"},
	{"lt", ONE(COUNT "{lt: 3}\n"), "a0 a1 |10 |11", "x 0-1:2"},
	{"lt: too many", ONE(COUNT "{lt: 3}\n"), "a0 a1 a10 |11", ""},
	{"lte, window after window", ONE(COUNT "{lte: 2}\n"), "a0 a1 a11 a12 a21 |40", "x 0-1:2"},
	{"eq", ONE(COUNT "{eq: 2}\n"), "a0 a1 |30", "x 0-1:2"},
	{"eq: more", ONE(COUNT "{eq: 2}\n"), "a0 a1 a2 |30", ""},
	{"neq", ONE(COUNT "{neq: 2}\n"), "a0 a1 |30 a40 |60", "x 40-40:1"},
	{"a range", ONE(COUNT "{gt: 1, lte: 3}\n"), "a0 a1 a2 |30 a40 |60", "x 0-2:3"},
	{"a range in one window only", ONE(COUNT "{gte: 2, lt: 4}\n"), "a0 a1 a2 a3 |30", ""},
	{"nothing is decided while time may bring more", ONE(COUNT "{lt: 3}\n"), "a0 |10", ""},
	{"no window without any event", ONE(COUNT "{lt: 3}\n"), "b0 |60", ""},
	/* what a firing leaves */
	{"used up and quiet", ONE(COUNT "{gte: 2}\n"), "a0 a1 a2 a3 a11 a12 a13", "x 0-1:2|x 12-13:2"},
	{"quiet: 0s", ONE(COUNT "{gte: 2}\n    quiet: 0s\n"), "a0 a1 a2 a3 a4", "x 0-1:2|x 2-3:2"},
	{"quiet: longer", ONE(COUNT "{gte: 2}\n    quiet: 1h\n"), "a0 a1 a30 a31 a62 a63", "x 0-1:2|x 62-63:2"},
	/* late events and windows that wait */
	{"late", ONE(COUNT "{gte: 3}\n"), "a0 a30 a9 a4", "x 0-9:3"},
	{"late, and first of its window", ONE(COUNT "{eq: 2}\n"), "a5 a12 a0 |40", "x 0-5:2"},
	{"too late: its window is decided", ONE(COUNT "{lt: 3}\n"), "a0 |11 a5 |60", "x 0-0:1"},
	{"time of one hour ago", ONE(COUNT "{gte: 2}\n"), "a60 a0 a1", "x 0-1:2"},
	/* an event counts once */
	{"two rules, one event", RULES "title: C\nname: x\ncorrelation: {type: event_count, rules: [e, f], timespan: 10m, condition: {gte: 2}}\n",
	 "e0 ! e1", "x 0-1:2"},
	{"two rules of a temporal", RULES "title: C\nname: x\ncorrelation: {type: temporal, rules: [e, f], timespan: 10m}\n", "e0", "x 0-0:2"},
	{"an order wants two events", RULES "title: C\nname: x\ncorrelation: {type: temporal_ordered, rules: [e, f], timespan: 10m}\n",
	 "e0 e1", "x 0-1:2"},
	/* groups */
	{"groups", ONE(COUNT "{gte: 2}\n" BY), "a0:Bob a1:eve a2:BOB", "x bob 0-2:2"},
	{"no such field: no part", ONE(COUNT "{gte: 2}\n" BY), "a0 a1", ""},
	/* value_count */
	{"values", ONE(VALUES "{field: User, gte: 2}\n"), "a0:bob a1:BOB a2:eve", "x 0-2:2"},
	{"values of two fields", ONE(VALUES "{field: [User, N], gte: 3}\n"), "a0:bob=1 a1:bob=2 a2:bob a3:bob=1 a4:eve=1", "x 0-4:3"},
	{"the same value again keeps nothing alive", ONE(VALUES "{field: User, gte: 2}\n"), "a0:eve a5:bob a11:bob a12:bob", "x 0-5:2"},
	{"values that begin alike", ONE(VALUES "{field: User, gte: 3}\n"), "a0:~one a1:~two a2:~three a3:~four", "x 0-2:3"},
	{"a long value in another case", ONE(VALUES "{field: User, gte: 2}\n"), "a0:~one a1:~ONE", ""},
	{"groups that begin alike", ONE(COUNT "{gte: 2}\n    group-by: [User, N]\n"), "a0:~one=~1 a1:~two=~1 a2:~one=~2", ""},
	{"few values", ONE(VALUES "{field: User, lt: 3}\n"), "a0:bob a1:bob a2:eve a3 |20", "x 0-2:2"},
	/* sums and ranks */
	{"sum", ONE(SUM "{field: N, gte: 10}\n"), "a0=4 a1=no a2 a3=0x5 a11=1 a12=4", "x 3-12:3"},
	{"sum below", ONE(SUM "{field: N, lt: 10}\n"), "a0=4 a1=5 |30 a40=4 a41=6 |60", "x 0-1:2"},
	{"average", ONE("    type: value_avg\n    rules: a\n    condition: {field: N, gt: 2.5}\n"), "a0=100 a1=1 |30 a40=0 a41=2 |60", "x 0-1:2"},
	{"a narrow range", ONE("    type: value_avg\n    rules: a\n    condition: {field: N, gt: 2.4, lt: 2.6}\n"), "a0=2 a1=3 |30", "x 0-1:2"},
	{"median", ONE("    type: value_median\n    rules: a\n    condition: {field: N, eq: 2.5}\n"), "a0=9 a1=1 a2=2 a3=3 |30", "x 0-3:4"},
	{"percentile", ONE("    type: value_percentile\n    rules: a\n    condition: {field: N, percentile: 90, gte: 9.1}\n"),
	 "a0=1 a0=2 a0=3 a0=4 a0=5 a0=6 a0=7 a0=8 a0=9 a0=10 |30", "x 0-0:10"},
	{"no number, no window", ONE("    type: value_avg\n    rules: a\n    condition: {field: N, lt: 5}\n"), "a0=no a1 |30", ""},
	/* temporal */
	{"all of them", ONE("    type: temporal\n    rules: [a, b, c]\n"), "c0 a1 a2 b11 c12", "x 2-12:3"},
	{"two of them", ONE(ANY "{gte: 2}\n"), "c0 b11 a20", "x 11-20:2"},
	{"one only", ONE(ANY "{eq: 1}\n"), "a0 a1 |30 a40 b41 |60", "x 0-0:1"},
	{"an expression", ONE(ANY "a and (b or c)\n"), "b0 c1 a2", "x 0-2:3"},
	{"an expression without rules", ONE("    type: temporal\n    condition: a and b\n"), "b0 a2", "x 0-2:2"},
	{"an expression with not", ONE(ANY "a and not (b or c)\n"), "a0 b10 |30 a40 b51 |80", "x 40-40:1"},
	{"the end of a window belongs to it", ONE(ANY "a and b and not c\n"), "a0 b1 c10 |30 b40 a41 c51 |80", "x 40-41:2"},
	/* temporal_ordered */
	{"in order", ONE("    type: temporal_ordered\n    rules: [a, b, c]\n"), "b0 a1 c2 b3 c3", "x 1-3:3"},
	{"equal times fit in any order", ONE("    type: temporal_ordered\n    rules: [a, b, c]\n"), "c0 b0 a0", "x 0-0:3"},
	{"in order, late", ONE("    type: temporal_ordered\n    rules: [a, b, c]\n"), "a1 b2 c12 a5 b6", "x 5-12:3"},
	{"in order, two of them", ONE(ORDER "{gte: 2}\n"), "c0 b1 a2 c3", "x 2-3:2"},
	{"in order, an expression", ONE(ORDER "(a or b) and c\n"), "c0 b1 c2", "x 1-2:2"},
	/* aliases */
	{"alias of a group", ONE(ANY "{gte: 3}\n    group-by: who\n    aliases: {who: {a: User, b: N, c: User}}\n"), "a0:bob b1:x=BOB c2:bob",
	 "x bob 0-2:3"},
	{"alias of a value", ONE("    type: value_count\n    rules: [a, b]\n    condition: {field: who, gte: 2}\n    aliases: {who: {a: User, b: N}}\n"),
	 "a0:bob b1:eve=bob b2=eve", "x 0-2:2"},
	/* correlations of correlations */
	{"key and fields of the last event", NESTED("    type: event_count\n    rules: x\n    group-by: [User, N]\n    timespan: 1h\n    condition: {gte: 2}\n"),
	 "a0:bob=1 a1:bob=2 a20:bob=7 a21:Bob=2", "x bob 0-1:2|x bob 20-21:2|y bob\x1f" "2 1-21:2"},
	{"brute force: many failures of one address, then the right password", RULES "title: Many\nname: many\ncorrelation:\n"
	 "    type: event_count\n    rules: a\n    group-by: [User, N]\n    timespan: 5m\n    condition: {gte: 3}\n---\n"
	 "title: Then\nname: then\ncorrelation:\n    type: temporal_ordered\n    rules: [many, b]\n    group-by: User\n    timespan: 10m\n",
	 "a0:bob=7 a1:eve=7 b1:bob=9 a2:bob=7 a3:bob=8 a4:BOB=7 a4:eve=7 b5:eve=7 b6:bob=9", "many bob\x1f" "7 0-4:3|then bob 4-6:2"},
	{"alias of an alias", ONE(COUNT "{gte: 2}\n    group-by: who\n    aliases: {who: {a: User}}\n---\ntitle: D\nname: y\ncorrelation:\n"
	 "    type: temporal\n    rules: [x, b]\n    group-by: w\n    aliases: {w: {x: who, b: User}}\n    timespan: 1h\n"),
	 "a0:bob a1:bob b2:BOB", "x bob 0-1:2|y bob 1-2:2"},
	{"of one that closes", ONE(COUNT "{lt: 3}\n" BY "---\ntitle: D\nname: y\ncorrelation:\n    type: temporal\n    rules: [x, b]\n"
	 "    group-by: User\n    timespan: 5m\n"), "a0:bob b3:bob b12:bob |60", "x bob 0-0:1|y bob 0-3:2"},
	{"that closes, of one that closes", ONE(COUNT "{lt: 3}\n---\ntitle: D\nname: y\ncorrelation:\n    type: event_count\n    rules: [x, b]\n"
	 "    timespan: 5m\n    condition: {eq: 2}\n"), "b0 a1 |6 |11 |12 |30", "x 1-1:1|y 0-1:2"},
	/* absent */
	{"absent after", ONE("    type: absent\n    rules: [a, b]\n"), "b0 a1 |11 |12 a20 b30 |60", "x 1-1:1"},
	{"absent around", ONE("    type: absent\n    rules: [a, b]\n    where: around\n"), "b0 a10 a11 |60", "x 11-11:1"},
	{"absent, one cancels for several that wait", ONE("    type: absent\n    rules: [a, b]\n"), "a0 a1 a2 b3 |60", ""},
	{"absent around, the same", ONE("    type: absent\n    rules: [a, b]\n    where: around\n"), "b0 a5 a8 a12 |60", "x 12-12:1"},
	{"absent, two that cancel", ONE("    type: absent\n    rules: [a, b, c]\n"), "a0 c10 |30 a40 |60", "x 40-40:1"},
};

static void run(struct stream *s, const char *words)
{
	stream_words(s, words);
	for (size_t i = 0; i < s->log.n; i++)
		if (s->log.p[i] == '\n')
			s->log.p[i] = i + 1 < s->log.n ? '|' : '\0';
}

static void same(const char *name, const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		print_error("%s: '%s' instead of '%s'\n", name, got, want);
	assert_string_equal(got, want);
}

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct stream s;

		stream_begin(&s, rows[i].yaml, 100u << 20);
		run(&s, rows[i].words);
		same(rows[i].name, buf_text(&s.log), rows[i].fires);
		stream_end(&s);
	}
}

struct store {
	struct {
		char name[1600];
		struct buf value;
	} row[40];
	size_t n;
	struct stream *to;
};

static int put(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct store *d = arg;
	char key[1600];
	size_t i = 0;

	assert_true(name_n < sizeof key);
	for (size_t k = 0; k < name_n; k++)
		key[k] = ((const char *)name)[k] ? ((const char *)name)[k] : '/';
	key[name_n] = '\0';
	while (i < d->n && strcmp(d->row[i].name, key) != 0)
		i++;
	assert_true(i < 40);
	if (i == d->n) {
		buf_init(&d->row[d->n].value, 1u << 20);
		snprintf(d->row[d->n++].name, sizeof key, "%s", key);
	}
	buf_reset(&d->row[i].value);
	buf_add(&d->row[i].value, value, n);
	return 0;
}

/* After each word the correlator is stored, thrown away, and begun anew from what is stored. */
static void each_row_restarted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct store d = {.n = 0};
		struct stream s;
		const char *words = rows[i].words;

		stream_begin(&s, rows[i].yaml, 100u << 20);
		for (size_t n; *words; words += n + strspn(words + n, " ")) {
			char word[300];

			n = strcspn(words, " ");
			snprintf(word, sizeof word, "%.*s", (int)n, words);
			stream_word(&s, word);
			assert_int_equal(correlator_changes(s.c, put, &d), 0);
			correlator_stored(s.c);
			correlator_free(s.c);
			s.c = correlator_new(&s.o);
			for (size_t r = 0; r < d.n; r++)
				if (d.row[r].value.n)
					assert_int_equal(correlator_load(s.c, d.row[r].value.p, d.row[r].value.n, true), 0);
		}
		run(&s, "");
		same(rows[i].name, buf_text(&s.log), rows[i].fires);
		for (size_t r = 0; r < d.n; r++)
			buf_free(&d.row[r].value);
		stream_end(&s);
	}
}

static int count_rows(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	size_t *rows_and_gone = arg;

	(void)name;
	(void)name_n;
	(void)value;
	rows_and_gone[n == 0]++;
	return 0;
}

static void only_changes_are_stored(void **state)
{
	size_t n[2] = {0};
	struct stream s;

	(void)state;
	stream_begin(&s, ONE(COUNT "{gte: 5}\n" BY), 100u << 20);
	stream_words(&s, "a0:x a1:y a2:z");
	assert_int_equal(correlator_changes(s.c, count_rows, n), 0);
	correlator_stored(s.c);
	assert_int_equal(n[0], 3);
	stream_words(&s, "a3:y");
	assert_int_equal(correlator_changes(s.c, count_rows, n), 0); /* not stored: said again */
	assert_int_equal(correlator_changes(s.c, count_rows, n), 0);
	correlator_stored(s.c);
	assert_int_equal(n[0], 5);
	stream_words(&s, "|21"); /* x: nothing can come for it any more, once a while has passed */
	assert_int_equal(correlator_changes(s.c, count_rows, n), 0);
	assert_int_equal(n[0] + n[1], 6);
	assert_int_equal(n[1], 1);
	stream_words(&s, "a22:x"); /* it comes again before its row went */
	assert_int_equal(correlator_changes(s.c, count_rows, n), 0);
	assert_int_equal(n[0], 6);
	assert_int_equal(n[1], 1);
	stream_end(&s);
}

static void damaged_rows_are_refused(void **state)
{
	struct store d = {.n = 0};
	struct stream s;

	(void)state;
	stream_begin(&s, ONE(COUNT "{gte: 3}\n" BY), 100u << 20);
	stream_words(&s, "a0:x=12 a1:x");
	assert_int_equal(correlator_changes(s.c, put, &d), 0);
	assert_int_equal(d.n, 1);
	for (size_t n = 0; n < d.row[0].value.n; n++)
		assert_int_equal(correlator_load(s.c, d.row[0].value.p, n, true), -1);
	assert_int_equal(correlator_load(s.c, d.row[0].value.p, d.row[0].value.n, true), 0);
	for (size_t n = 0; n < d.row[0].value.n; n++) { /* as long as it was, and lengths in it are too large: whatever it says is within the row */
		char *byte = d.row[0].value.p + n, was = *byte;

		*byte = '\xff';
		(void)correlator_load(s.c, d.row[0].value.p, d.row[0].value.n, true);
		*byte = was;
	}
	buf_free(&d.row[0].value);
	stream_end(&s);
}

struct kept {
	char text[600];
	struct stream *s;
};

static void keep_user(void *arg, const struct event *ev)
{
	struct kept *to = arg;
	struct match *m = match_new(to->s->pool, to->s->rs, ruleset_find(to->s->rs, "a"), ev);

	snprintf(to->text, sizeof to->text, "%s", match_value(m, "User"));
	match_unref(m);
}

/* What is kept of a long value, sent as a value of its own, is a third one. */
static void a_cut_value_cannot_be_made_up(void **state)
{
	struct kept k = {.text = ""};
	struct stream s;
	char data[8000];
	const char *x;

	(void)state;
	stream_begin(&s, ONE(VALUES "{field: User, gte: 3}\n"), 100u << 20);
	k.s = &s;
	stream_data(data, sizeof data, "User", "~one");
	x = event_xml("EX1", "System", "P", 1, "2018-03-13T00:00:00Z", 1, data);
	assert_int_equal(events_of(s.rs, "t", x, strlen(x), &k, keep_user), 1);
	assert_int_equal(strlen(k.text), MATCH_VALUE_BYTES);
	stream_words(&s, "a0:~one a1:~two");
	stream_event(&s, 1, 2, ++s.records, k.text, NULL);
	assert_string_equal(buf_text(&s.log), "x 0-2:3\n");
	stream_end(&s);
}

static void what_is_given_up_is_counted(void **state)
{
	struct correlator_counts n;
	struct stream s;
	char word[40];

	(void)state;
	stream_begin(&s, ONE(VALUES "{field: User, gte: 3}\n"), 100u << 20);
	stream_words(&s, "a0:first");
	for (int i = 0; i < 1000; i++)
		stream_words(&s, "a2:flood"); /* drives no other value out */
	stream_words(&s, "a3:third");
	correlator_counts(s.c, &n);
	assert_true(n.cut > 500 && n.evicted == 0);
	assert_string_equal(buf_text(&s.log), "x 0-3:3\n");
	stream_end(&s);
	stream_begin(&s, ONE(COUNT "{gte: 2}\n" BY), 60000);
	for (int i = 0; i < 1000; i++) {
		snprintf(word, sizeof word, "a0:u%d", i);
		stream_word(&s, word);
		correlator_counts(s.c, &n);
		assert_true(n.bytes <= 60000);
	}
	assert_true(n.evicted > 500 && n.cut == 0 && n.groups + n.evicted == 1000);
	stream_words(&s, "a1 |5000");
	correlator_counts(s.c, &n);
	assert_int_equal(n.incomplete, 1);
	assert_int_equal(n.groups, 0); /* time has passed: no loss, and not counted as one */
	assert_true(n.evicted < 1000);
	stream_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row), cmocka_unit_test(each_row_restarted), cmocka_unit_test(only_changes_are_stored),
		cmocka_unit_test(damaged_rows_are_refused), cmocka_unit_test(what_is_given_up_is_counted),
		cmocka_unit_test(a_cut_value_cannot_be_made_up),
	};

	return cmocka_run_group_tests_name("correlation types", tests, NULL, NULL);
}
