/* test_run.c - deciding while events come in: first finding at once, updates later, replay, watermarks, restart, reload,
 * reopening. */
#include "unit/cases/bench.h"

#define BACKEND "evmend: {cause: exchange-backend-certificate, then: diagnose}\n"
#define ABSENT \
	SILENT("a", 1) SILENT("b", 2) "title: C\nname: c\ncorrelation: {type: absent, rules: [a, b], group-by: host, timespan: 10m}\n" \
	"evmend: {cause: exchange-backend-site, then: diagnose}\n"

static void to(struct bench *b, int minutes, int seconds)
{
	int64_t base;

	assert_true(time_parse("2018-03-13T00:00:00Z", 20, &base));
	fake_clock_advance(&b->clock, base + minutes * US_MINUTE + seconds * US_SECOND - b->clock.wall);
}

static void first_at_once_then_updates(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), false);
	to(&b, 1, 0);
	for (int i = 0; i < 50; i++)
		bench_event(&b, 1, "2018-03-13T00:01:00Z", i, "ex1", "");
	assert_string_equal(buf_text(&b.findings), "a ex1 2018-03-13T00:01:00.000000Z x1\n");
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x1\n");
	bench_forget(&b);
	to(&b, 1, 59);
	engine_tick(b.g);
	assert_int_equal(b.n_updates, 0);
	to(&b, 2, 0);
	engine_tick(b.g);
	assert_string_equal(buf_text(&b.findings), "+a ex1 2018-03-13T00:01:00.000000Z x50\n");
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x50\n");
	bench_forget(&b);
	engine_tick(b.g);
	assert_int_equal(b.n_updates + b.n_cases, 0); /* nothing new */
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 60, "ex2", "");
	assert_int_equal(b.n_findings, 1); /* another host */
	bench_end(&b);
}

static void old_events_ask_for_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), false);
	to(&b, 60, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	assert_string_equal(buf_text(&b.findings), "a ex1 2018-03-13T00:01:00.000000Z x1 replay\n");
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate nothing open x1\n");
	bench_forget(&b);
	bench_event(&b, 1, "2018-03-13T00:59:00Z", 2, "ex1", "");
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x2\n"); /* now it asks */
	bench_end(&b);
}

static void absence_waits_for_the_watermark(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, ABSENT, false);
	to(&b, 1, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	engine_tick(b.g);
	to(&b, 11, 30);
	bench_event(&b, 7, "2018-03-13T00:10:00Z", 2, "ex1", ""); /* event time has come to 10 only */
	engine_tick(b.g);
	assert_int_equal(b.n_findings, 0);
	bench_event(&b, 7, "2018-03-13T00:11:20Z", 3, "ex1", "");
	engine_tick(b.g);
	assert_string_equal(buf_text(&b.findings), "c ex1 2018-03-13T00:01:00.000000Z x1\n");
	bench_end(&b);
	bench_begin(&b, ABSENT, false); /* a silent host: the clock decides, idle_after later */
	to(&b, 1, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	to(&b, 11, 59);
	engine_tick(b.g);
	assert_int_equal(b.n_findings, 0);
	to(&b, 12, 1);
	engine_tick(b.g);
	assert_int_equal(b.n_findings, 1);
	bench_end(&b);
	bench_begin(&b, ABSENT, false); /* the answer came */
	to(&b, 1, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	to(&b, 5, 0);
	bench_event(&b, 2, "2018-03-13T00:05:00Z", 2, "ex1", "");
	to(&b, 59, 0);
	engine_tick(b.g);
	assert_int_equal(b.n_findings, 0);
	bench_end(&b);
}

static void consequences_wait_for_their_case(void **state)
{
	const char *rules = DETECT("a", 1, BACKEND) DETECT("k", 5, "evmend: {consequence_of: exchange-backend-certificate}\n");
	struct bench b;

	(void)state;
	bench_begin(&b, rules, false);
	to(&b, 1, 0);
	bench_event(&b, 5, "2018-03-13T00:01:00Z", 1, "ex1", "");
	bench_event(&b, 5, "2018-03-13T00:01:00Z", 2, "ex2", "");
	to(&b, 2, 0);
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 3, "ex1", "");
	engine_tick(b.g);
	assert_int_equal(b.n_findings, 1);
	to(&b, 13, 0);
	engine_tick(b.g);
	assert_non_null(strstr(buf_text(&b.findings), "k ex2 "));
	assert_null(strstr(buf_text(&b.findings), "k ex1 "));
	bench_end(&b);
}

static void a_closed_case_is_followed_by_a_new_one(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), false);
	to(&b, 1, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	engine_close_case(b.g, 1);
	bench_forget(&b);
	bench_event(&b, 1, "2018-03-13T00:01:30Z", 2, "ex1", "");
	assert_int_equal(b.n_findings, 1); /* told again, at once */
	assert_string_equal(buf_text(&b.cases), "2 ex1 exchange-backend-certificate diagnose open x1\n");
	assert_int_equal(engine_case(b.g, 0)->reopens, 1);
	bench_end(&b);
}

static void play(struct bench *b, int from, int upto)
{
	static const int ids[] = {1, 5, 2, 6, 1, 9, 5, 1, 2, 6, 6, 6, 1, 5};

	for (int i = from; i < upto; i++) {
		char t[40];

		to(b, 2 * i, 0);
		snprintf(t, sizeof t, "2018-03-13T00:%02d:00Z", 2 * i);
		bench_event(b, ids[i], t, i, i % 3 ? "ex1" : "ex1.corp.example", "<Data Name='User'>\xc3\xa4 \"q\"\\</Data>");
		engine_tick(b->g);
	}
}

/* A restart in the middle, at any place, changes nothing of what is told afterwards. */
static void restart_changes_nothing(void **state)
{
	const char *rules = ABSENT "---\n" DETECT("r", 5, "evmend: {then: remember, hint: '{User}'}\n") DETECT("h", 9,
		"evmend: {cause: exchange-backend-site, then: healed}\n") SILENT("s", 6)
		"title: N\nname: n\ncorrelation: {type: event_count, rules: s, group-by: [host, User], timespan: 10m, condition: {gte: 3}}\n"
		"evmend: {cause: exchange-backend-certificate, hint: '{User} {count}', then: diagnose}\n";

	(void)state;
	for (int cut = 0; cut < 14; cut++) {
		struct bench whole, parts;
		struct rows rows = {.n = 0};
		struct buf saved;
		struct err e;

		bench_begin(&whole, rules, false);
		play(&whole, 0, cut);
		bench_forget(&whole);
		play(&whole, cut, 14);
		to(&whole, 100, 0);
		engine_finish(whole.g);
		bench_begin(&parts, rules, false);
		play(&parts, 0, cut / 2); /* stored now and then */
		rows_store(&rows, &parts);
		play(&parts, cut / 2, cut);
		rows_store(&rows, &parts);
		bench_forget(&parts);
		buf_init(&saved, 1u << 22);
		engine_save(parts.g, &saved);
		if (cut % 2) {
			engine_free(parts.g);
			bench_engine(&parts);
			assert_int_equal(engine_load(parts.g, buf_text(&saved), saved.n, &e), 0);
			rows_load(&rows, &parts);
		} else {
			engine_renew(parts.g);
		}
		buf_free(&saved);
		rows_free(&rows);
		play(&parts, cut, 14);
		to(&parts, 100, 0);
		engine_finish(parts.g);
		assert_string_equal(buf_text(&parts.findings), buf_text(&whole.findings));
		assert_string_equal(buf_text(&parts.json), buf_text(&whole.json));
		bench_end(&whole);
		bench_end(&parts);
	}
}

static void put_source(void *arg, const struct case_ *c)
{
	buf_printf(arg, "%s ", c->source);
}

/* A case is of the stream that its first finding came from; over a restart too. */
static void a_case_keeps_the_source_that_opened_it(void **state)
{
	static const char *const sources[] = {"first", "second", "third"};
	struct engine_sink sink = {.case_changed = put_source};
	struct bench b;
	struct buf saved, told;
	struct err e;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND) DETECT("b", 2, BACKEND) DETECT("c", 3, BACKEND), false);
	buf_init(&saved, 1u << 20);
	buf_init(&told, 1u << 10);
	sink.arg = &told;
	engine_free(b.g);
	b.g = engine_new(&b.o, &sink);
	to(&b, 1, 0);
	for (int i = 0; i < 3; i++) {
		const char *text = event_xml("ex1", "System", "P", i + 1, "2018-03-13T00:01:00Z", i + 1, "");

		events_of(b.rs, sources[i], text, strlen(text), &b, give);
		buf_reset(&saved);
		engine_save(b.g, &saved);
		engine_free(b.g);
		b.g = engine_new(&b.o, &sink);
		assert_int_equal(engine_load(b.g, buf_text(&saved), saved.n, &e), 0);
		engine_renew(b.g);
	}
	assert_string_equal(buf_text(&told), "first first first ");
	buf_free(&told);
	buf_free(&saved);
	bench_end(&b);
}

static void bad_state_is_refused(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{\"v\":2}",
		"{\"v\":1,\"book\":7,\"windows\":{},\"hosts\":[1],\"watermarks\":[[]],\"waiting\":[{}]}",
					  "{\"v\":1,\"book\":{\"hosts\":[{}],\"cases\":[{},{\"cause\":\"nonsense\"}]},\"windows\":[{\"rule\":\"a\"},{}]}"};
	struct bench b;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		bench_begin(&b, DETECT("a", 1, BACKEND), false);
		assert_int_equal(engine_load(b.g, bad[i], strlen(bad[i]), &e), i < 4 ? -1 : 0);
		to(&b, 1, 0);
		bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
		assert_int_equal(b.n_findings, 1);
		bench_end(&b);
	}
}

/* A rule on trial is counted, says nothing, opens no case, and still serves the correlations above it. */
static void a_shadow_is_counted_only(void **state)
{
	const char *rules = DETECT("a", 1, "evmend: {cause: exchange-backend-site, then: [remember, diagnose], shadow: true}\n")
		"title: N\nname: n\ncorrelation: {type: event_count, rules: a, group-by: host, timespan: 10m, condition: {gte: 3}}\n"
		"evmend: {shadow: true}\n---\n"
		"title: M\nname: m\ncorrelation: {type: event_count, rules: a, group-by: host, timespan: 10m, condition: {gte: 4}}\n";
	struct rows rows = {.n = 0};
	struct engine_counts c;
	struct bench b;
	struct buf saved;
	struct err e;

	(void)state;
	bench_begin(&b, rules, false);
	to(&b, 1, 0);
	for (int i = 0; i < 3; i++)
		bench_event(&b, 1, "2018-03-13T00:01:00Z", i, "ex1", "");
	engine_counts(b.g, &c);
	assert_int_equal(c.shadow, 4); /* three events, and the correlation of three */
	assert_int_equal(c.findings + c.cases + b.n_findings + b.n_cases, 0);
	buf_init(&saved, 1u << 20);
	engine_save(b.g, &saved);
	rows_store(&rows, &b);
	engine_free(b.g);
	bench_engine(&b);
	assert_int_equal(engine_load(b.g, buf_text(&saved), saved.n, &e), 0);
	rows_load(&rows, &b);
	rows_free(&rows);
	buf_free(&saved);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 4, "ex1", "");
	engine_counts(b.g, &c);
	assert_int_equal(c.shadow, 5);
	assert_int_equal(engine_held_back(b.g, ruleset_find(b.rs, "a"))->shadow, 4);
	assert_int_equal(b.n_findings, 1); /* m: no shadow */
	assert_int_equal(engine_cases(b.g), 0);
	bench_end(&b);
}

static void on_ended(void *arg, const struct engine_silence *s)
{
	struct bench *b = arg;

	buf_printf(&b->cases, "silence %lld ended x%llu\n", (long long)s->id, (unsigned long long)s->count);
}

static void silences_are(struct bench *b, const char *text)
{
	struct err e;
	struct json *j = json_parse(text, strlen(text), &e);

	assert_non_null(j);
	engine_silences(b->g, j);
	json_free(j);
}

static void restart(struct bench *b)
{
	struct engine_sink sink = {.arg = b, .finding = on_finding, .case_changed = on_case, .silence_ended = on_ended};
	struct buf saved;
	struct err e;

	buf_init(&saved, 1u << 20);
	engine_save(b->g, &saved);
	engine_free(b->g);
	b->g = engine_new(&b->o, &sink);
	assert_int_equal(engine_load(b->g, buf_text(&saved), saved.n, &e), 0);
	buf_free(&saved);
}

#define UNTIL "\"since\":\"2018-03-13T00:00:00Z\",\"until\":\"2018-03-13T00:30:00Z\""

/* What each event finds under a silence. at: minute of event and clock. */
static const struct {
	const char *silence;
	int id, at;
	const char *host, *data;
	bool silenced;
} silenced[] = {
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{}", 1, 1, "ex1", "", true},
	{"\"rule\":\"b\",\"host\":\"\",\"fields\":{}", 1, 1, "ex1", "", false},
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{}", 1, 30, "ex1", "", false}, /* its end has come */
	{"\"rule\":\"a\",\"host\":\"EX1\",\"fields\":{}", 1, 1, "ex1", "", true},
	{"\"rule\":\"a\",\"host\":\"ex2\",\"fields\":{}", 1, 1, "ex1", "", false},
	{"\"rule\":\"a\",\"host\":\"ex1\",\"fields\":{}", 1, 1, "EX1", "", true},
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{\"User\":\"jo*\"}", 1, 1, "ex1", "<Data Name='User'>JOE</Data>", true},
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{\"User\":\"jo\"}", 1, 1, "ex1", "<Data Name='User'>JOE</Data>", false},
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{\"User\":\"*\"}", 1, 1, "ex1", "", false}, /* no such field */
	{"\"rule\":\"a\",\"host\":\"\",\"fields\":{\"Path\":\"C:\\\\x\\\\\\\\*\",\"User\":\"joe\"}", 1, 1, "ex1",
		"<Data Name='User'>joe</Data><Data Name='Path'>c:\\X\\y</Data>", true},
	{"\"rule\":\"n\",\"host\":\"ex1\",\"fields\":{\"Who\":\"j*\"}", 2, 1, "ex1", "<Data Name='Who'>jo</Data>", true},
	{"\"rule\":\"n\",\"host\":\"ex1\",\"fields\":{\"Who\":\"k*\"}", 2, 1, "ex1", "<Data Name='Who'>jo</Data>", false},
	{"\"rule\":\"s\",\"host\":\"\",\"fields\":{}", 2, 1, "ex1", "<Data Name='Who'>jo</Data>", false}, /* the correlation speaks */
};

static void a_silence_holds_what_it_names(void **state)
{
	const char *rules = DETECT("a", 1, BACKEND) SILENT("s", 2)
		"title: N\nname: n\ncorrelation: {type: event_count, rules: s, group-by: [host, Who], timespan: 10m, condition: {gte: 1}}\n" BACKEND;

	(void)state;
	for (size_t i = 0; i < sizeof silenced / sizeof silenced[0]; i++) {
		char list[400], t[40];
		struct engine_counts c;
		struct bench b;

		bench_begin(&b, rules, false);
		snprintf(list, sizeof list, "[{\"id\":7,%s," UNTIL "}]", silenced[i].silence);
		silences_are(&b, list);
		restart(&b);
		to(&b, silenced[i].at, 0);
		snprintf(t, sizeof t, "2018-03-13T00:%02d:00Z", silenced[i].at);
		bench_event(&b, silenced[i].id, t, 1, silenced[i].host, silenced[i].data);
		engine_counts(b.g, &c);
		if (b.n_findings != !silenced[i].silenced)
			print_error("row %zu: %s\n", i, silenced[i].silence);
		assert_int_equal(b.n_findings, !silenced[i].silenced);
		assert_int_equal(engine_cases(b.g), !silenced[i].silenced);
		assert_int_equal(c.silenced, silenced[i].silenced);
		bench_end(&b);
	}
}

static void a_silence_says_once_what_it_held_back(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), false);
	restart(&b);
	silences_are(&b, "[{\"id\":1,\"rule\":\"a\"," UNTIL "},{\"id\":2,\"rule\":\"gone\"," UNTIL "}]");
	for (int i = 0; i < 3; i++) {
		to(&b, 1 + i, 0);
		bench_event(&b, 1, "2018-03-13T00:01:00Z", i, "ex1", "");
		restart(&b);
	}
	silences_are(&b, "[{\"id\":1,\"rule\":\"a\"," UNTIL "}]"); /* a person has ended the other */
	assert_string_equal(buf_text(&b.cases), "silence 2 ended x0\n");
	bench_forget(&b);
	to(&b, 29, 59);
	engine_tick(b.g);
	assert_string_equal(buf_text(&b.cases), "");
	to(&b, 30, 0);
	engine_tick(b.g);
	engine_tick(b.g);
	silences_are(&b, "[{\"id\":1,\"rule\":\"a\"," UNTIL "}]"); /* heal has not noticed yet */
	silences_are(&b, "[]");
	assert_string_equal(buf_text(&b.cases), "silence 1 ended x3\n");
	assert_int_equal(b.n_findings, 0);
	bench_end(&b);
}

/* Three a ten minutes are told each by itself, then the third one counts for the rest; another host has its own budget, a new span too. */
static void a_budget_lets_so_many_through(void **state)
{
	struct engine_counts c;
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, "") DETECT("own", 2, "evmend: {budget: 1/10m}\n") DETECT("case", 3, BACKEND), false);
	b.o.budget = (struct rule_budget){.count = 3, .per = 10 * US_MINUTE};
	restart(&b);
	to(&b, 1, 0);
	for (int i = 0; i < 5; i++) {
		char t[40];

		snprintf(t, sizeof t, "2018-03-13T00:01:0%dZ", i);
		bench_event(&b, 1, t, i, "ex1", "");
		restart(&b);
	}
	assert_string_equal(buf_text(&b.findings), "a ex1 2018-03-13T00:01:00.000000Z x1\n" "a ex1 2018-03-13T00:01:01.000000Z x1\n"
		"a ex1 2018-03-13T00:01:02.000000Z x1\n");
	engine_counts(b.g, &c);
	assert_int_equal(c.over, 2);
	bench_forget(&b);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 10, "ex2", "");
	to(&b, 2, 1);
	engine_tick(b.g);
	assert_string_equal(buf_text(&b.findings), "a ex2 2018-03-13T00:01:00.000000Z x1\n+a ex1 2018-03-13T00:01:02.000000Z x3\n");
	assert_non_null(strstr(buf_text(&b.json), "\"first\":\"2018-03-13T00:01:02.000000Z\",\"last\":\"2018-03-13T00:01:04.000000Z\""));
	bench_forget(&b);
	bench_event(&b, 1, "2018-03-13T00:10:00Z", 20, "ex1", ""); /* of the same span, not told yet when the next one begins */
	to(&b, 11, 0);
	bench_event(&b, 1, "2018-03-13T00:11:00Z", 21, "ex1", "");
	assert_string_equal(buf_text(&b.findings), "+a ex1 2018-03-13T00:01:02.000000Z x4\na ex1 2018-03-13T00:11:00.000000Z x1\n");
	bench_forget(&b);
	for (int i = 0; i < 3; i++)
		bench_event(&b, 2, "2018-03-13T00:11:00Z", 30 + i, "ex1", "");
	for (int i = 0; i < 3; i++)
		bench_event(&b, 3, "2018-03-13T00:11:00Z", 40 + i, "ex1", "");
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.findings), "own ex1 2018-03-13T00:11:00.000000Z x1\ncase ex1 2018-03-13T00:11:00.000000Z x1\n"
		"+case ex1 2018-03-13T00:11:00.000000Z x3\n+own ex1 2018-03-13T00:11:00.000000Z x3\n");
	assert_int_equal(engine_case(b.g, 0)->count, 3); /* a budget changes no case */
	bench_end(&b);
}

static void a_short_name_keeps_its_case(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), false);
	to(&b, 1, 0);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "EX1", "");
	bench_event(&b, 1, "2018-03-13T00:01:01Z", 2, "ex1.corp.example", "");
	assert_int_equal(engine_cases(b.g), 1);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_at_once_then_updates), cmocka_unit_test(old_events_ask_for_nothing),
		cmocka_unit_test(absence_waits_for_the_watermark), cmocka_unit_test(consequences_wait_for_their_case),
		cmocka_unit_test(a_closed_case_is_followed_by_a_new_one), cmocka_unit_test(restart_changes_nothing),
		cmocka_unit_test(bad_state_is_refused), cmocka_unit_test(a_case_keeps_the_source_that_opened_it),
		cmocka_unit_test(a_short_name_keeps_its_case),
		cmocka_unit_test(a_shadow_is_counted_only), cmocka_unit_test(a_silence_holds_what_it_names),
		cmocka_unit_test(a_silence_says_once_what_it_held_back),
		cmocka_unit_test(a_budget_lets_so_many_through),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
