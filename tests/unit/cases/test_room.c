/* test_room.c - computers that somebody invents: what is kept of them has a bound, and nothing that is needed goes for them. */
#include <malloc.h>

#include "limits.h"
#include "unit/cases/bench.h"

#define SITE "evmend: {cause: exchange-backend-site, then: diagnose}\n"
#define RULES \
	DETECT("a", 1, "") DETECT("c", 2, SITE) DETECT("r", 3, "evmend: {then: remember}\n") SILENT("s", 1) \
	"title: N\nname: n\ncorrelation: {type: event_count, rules: s, group-by: host, timespan: 10m, condition: {gte: 3}}\n"
#define CAP (64u << 20)

static void begin(struct bench *b, const struct engine_host *hosts, size_t n)
{
	bench_begin(b, RULES, false);
	engine_free(b->g);
	b->o.memory_cap = CAP;
	b->o.hosts = hosts;
	b->o.n_hosts = n;
	bench_engine(b);
}

static void event(struct bench *b, uint32_t id, const char *computer, uint64_t record)
{
	char number[16];
	struct event_field f = {.name = "EventID", .value = number, .len = (uint32_t)snprintf(number, sizeof number, "%u", id),
		.id = names_find(ruleset_names(b->rs), "EventID", 7), .system = true};
	struct event ev = {.provider = "P", .channel = "System", .computer = computer, .event_id = id, .level = 4, .record_id = record,
		.time = b->clock.wall, .received = b->clock.wall, .fields = &f, .n = 1, .raw = "", .source = "test"};

	engine_event(b->g, &ev);
}

/* n events of the rule, each of a computer of its own, a second apart in every thousand; the engine ticks as often. */
static void invent(struct bench *b, uint32_t id, size_t from, size_t n)
{
	char name[64];

	for (size_t i = from; i < from + n; i++) {
		snprintf(name, sizeof name, "h%zu.invented.example", i);
		event(b, id, name, i);
		if (i % 1000 == 999) {
			fake_clock_advance(&b->clock, US_SECOND);
			engine_tick(b->g);
			bench_forget(b);
		}
	}
}

static void check_bound(const struct bench *b)
{
	struct engine_counts n;

	engine_counts(b->g, &n);
	assert_true(n.hosts <= LIMIT_HOSTS);
	assert_true(n.host_bytes <= CAP / 4 * 3);
	assert_true(n.group_bytes + n.host_bytes <= CAP + CAP / 16); /* between two ticks something is added */
	assert_true(mallinfo2().uordblks <= CAP / 2 * 3); /* that is all of it, counted or not */
	assert_true(n.hosts_evicted > 0);
	assert_int_equal(n.hosts_refused, 0);
}

static void restart(struct bench *b)
{
	struct buf saved;
	struct err e;

	buf_init(&saved, 256u << 20);
	engine_save(b->g, &saved);
	assert_false(saved.refused);
	engine_free(b->g);
	bench_engine(b);
	assert_int_equal(engine_load(b->g, buf_text(&saved), saved.n, &e), 0);
	buf_free(&saved);
}

static void invented_computers_have_a_bound(void **state)
{
	struct bench b;
	struct engine_counts before, after;
	size_t at = 0;

	(void)state;
	begin(&b, NULL, 0);
	for (; at < 100000; at += 50000) {
		invent(&b, 1, at, 50000);
		check_bound(&b);
	}
	invent(&b, 9, at, 20000); /* no rule has it: nothing is kept but some names */
	check_bound(&b);
	engine_counts(b.g, &before);
	restart(&b);
	engine_tick(b.g);
	engine_counts(b.g, &after);
	assert_int_equal(after.hosts, before.hosts);
	assert_true(after.host_bytes <= before.host_bytes);
	invent(&b, 1, at + 20000, 10000);
	check_bound(&b);
	fake_clock_advance(&b.clock, 2 * US_DAY);
	engine_tick(b.g);
	engine_counts(b.g, &after);
	assert_int_equal(after.hosts, 0); /* all is quiet */
	bench_end(&b);
}

static void what_is_needed_stays(void **state)
{
	const struct engine_host ours = {.name = "ex1.example"};
	struct bench b;
	struct engine_counts n;

	(void)state;
	begin(&b, &ours, 1);
	event(&b, 3, "ex1.example", 1);
	event(&b, 2, "ex1.example", 2);
	event(&b, 2, "stranger.example", 3); /* a case of a host that is not configured */
	event(&b, 1, "busy.example", 4);
	assert_int_equal(b.n_findings, 4);
	event(&b, 1, "busy.example", 5);
	event(&b, 2, "stranger.example", 6);
	bench_forget(&b);
	for (size_t at = 0; at < 30000; at += 900) { /* no tick: what is unsent waits */
		invent(&b, 1, at + at / 900 * 100, 900);
		if (at == 18000)
			restart(&b);
	}
	bench_forget(&b);
	fake_clock_advance(&b.clock, 2 * US_MINUTE);
	engine_tick(b.g);
	assert_non_null(strstr(buf_text(&b.findings), "+a busy.example "));
	assert_non_null(strstr(buf_text(&b.findings), "+c stranger.example "));
	assert_string_equal(buf_text(&b.cases), "2 stranger.example exchange-backend-site diagnose open x2\n");
	assert_int_equal(engine_cases(b.g), 2);
	assert_int_equal(engine_case(b.g, 0)->n_before, 1);
	engine_counts(b.g, &n);
	assert_true(n.hosts_evicted > 0);
	bench_end(&b);
}

/* Cases are never given up; whoever comes when they fill the book is told, each time, and has none. */
static void cases_fill_the_book(void **state)
{
	const struct engine_host ours = {.name = "ex1.example"};
	struct bench b;
	struct engine_counts n;

	(void)state;
	begin(&b, &ours, 1);
	b.o.memory_cap = 1u << 20;
	engine_free(b.g);
	bench_engine(&b);
	invent(&b, 2, 0, 2000);
	engine_counts(b.g, &n);
	assert_true(n.hosts_refused > 0);
	assert_true(n.cases < 2000);
	assert_int_equal(n.cases + n.hosts_refused, 2000);
	assert_int_equal(n.findings, 2000);
	assert_int_equal(engine_cases(b.g), n.cases);
	bench_forget(&b);
	event(&b, 2, "late.example", 5000);
	event(&b, 2, "late.example", 5001);
	assert_int_equal(b.n_findings, 2);
	event(&b, 2, "ex1.example", 5002);
	assert_string_equal(engine_case(b.g, engine_cases(b.g) - 1)->host, "ex1.example");
	fake_clock_advance(&b.clock, 2 * US_DAY); /* nobody else closes the cases of strangers */
	engine_tick(b.g);
	engine_tick(b.g);
	assert_int_equal(engine_cases(b.g), 1);
	event(&b, 2, "h7.invented.example", 6000);
	assert_int_equal(engine_case(b.g, 1)->reopens, 8);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invented_computers_have_a_bound), cmocka_unit_test(what_is_needed_stays),
		cmocka_unit_test(cases_fill_the_book),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
