/* test_oracle.c - correlations against a second opinion (oracle.h) on random streams with fixed seeds. */
#include "unit/correlate/oracle.h"

#define STREAMS 25

static const struct config configs[] = {
	{COUNT, "a", {{GTE, 3}}, .quiet = -1}, {COUNT, "ef", {{GT, 2.5}}, .quiet = 0}, {COUNT, "ab", {{LT, 3}}, .quiet = -1},
	{COUNT, "a", {{EQ, 2}}, .quiet = -1}, {COUNT, "abc", {{NEQ, 2}}, .quiet = 15}, {COUNT, "ab", {{GT, 1}, {LTE, 4}}, .quiet = -1},
	{VALUES, "abe", {{GTE, 3}}, .quiet = -1}, {VALUES, "ab", {{GT, 1}}, .quiet = 0}, {VALUES, "ab", {{LTE, 2}}, .quiet = -1},
	{ANY, "abc", {{NONE, 0}}, .quiet = -1}, {ANY, "abce", {{GTE, 3}}, .quiet = 0}, {ANY, "abc", {{EQ, 2}}, .quiet = -1},
	{ANY, "abc", {{NONE, 0}}, "a and (b or c)", a_and_either, .quiet = 0},
	{ANY, "abc", {{NONE, 0}}, "a and not b or a and not b and c", a_without_b, .quiet = -1},
	{ORDER, "abc", {{NONE, 0}}, .quiet = 0}, {ORDER, "efa", {{NONE, 0}}, .quiet = 0}, {ORDER, "cba", {{GTE, 2}}, .quiet = 0},
	{ORDER, "abc", {{NONE, 0}}, "a and (b or c)", a_and_either, .quiet = -1}, {ORDER, "aefb", {{NONE, 0}}, .quiet = -1},
	{SUM, "ab", {{GTE, 9}}, .quiet = -1}, {SUM, "abc", {{GT, 20.5}}, .quiet = 0}, {SUM, "ab", {{LT, 9}}, .quiet = -1},
	{AVG, "ab", {{GT, 4}}, .quiet = -1}, {AVG, "a", {{LTE, 3.25}}, .quiet = 20}, {MEDIAN, "ab", {{GTE, 4}}, .quiet = -1},
	{PERCENTILE, "ab", {{GT, 6.5}}, .percentile = 75, .quiet = -1}, {PERCENTILE, "abc", {{LT, 3}}, .percentile = 12.5, .quiet = -1},
	{ABSENT, "ab", {{NONE, 0}}, .quiet = -1}, {ABSENT, "ae", {{NONE, 0}}, .around = true, .quiet = -1},
};

static size_t compare(const struct config *c, unsigned seed)
{
	struct dice d = {.seed = seed};
	struct buf yaml, want, got;
	struct stream s;
	size_t lines = 0;

	buf_init(&yaml, 1u << 16);
	buf_init(&want, 1u << 20);
	buf_init(&got, 1u << 20);
	yaml_of(c, &yaml);
	stream_begin(&s, buf_text(&yaml), 100u << 20);
	play(c, &d, &s, &want, &got);
	for (size_t i = 0; i < want.n; i++)
		lines += want.p[i] == '\n';
	if (strcmp(buf_text(&want), buf_text(&got)) != 0)
		print_error("%s--- wanted:\n%s--- got:\n%s", buf_text(&yaml), buf_text(&want), buf_text(&got));
	assert_string_equal(buf_text(&want), buf_text(&got));
	stream_end(&s);
	buf_free(&yaml);
	buf_free(&want);
	buf_free(&got);
	return lines;
}

static void both_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof configs / sizeof *configs; i++) {
		size_t fired_at_all = 0;

		for (unsigned seed = 1; seed <= STREAMS; seed++)
			fired_at_all += compare(&configs[i], seed * 7919 + (unsigned)i);
		if (fired_at_all < STREAMS / 2)
			print_error("%s, number %zu: fired %zu times only\n", kinds[configs[i].kind], i, fired_at_all);
		assert_true(fired_at_all >= STREAMS / 2);
	}
}

/* --- more numbers than a group keeps --- */

#define MS INT64_C(1000)
#define NUMBERS 12000
#define WINDOW (10 * US_MINUTE)

struct numbers {
	int64_t at[NUMBERS];
	double v[NUMBERS];
	double exact, wider; /* the largest sum of a window, and of one that is longer by a thousandth */
	size_t exact_at;     /* the first event that makes it so */
};

static void draw_numbers(struct numbers *x, unsigned seed)
{
	struct dice d = {.seed = seed};
	int64_t now = 0;
	double sum = 0, wide = 0;

	*x = (struct numbers){.exact = -1, .wider = -1};
	for (size_t i = 0, low = 0, far = 0; i < NUMBERS; i++) {
		now += draw(&d, 200) ? draw(&d, 100) * MS : draw(&d, 9) * US_SECOND;
		x->at[i] = now;
		x->v[i] = draw(&d, 20);
		sum += x->v[i];
		wide += x->v[i];
		for (; now - x->at[low] > WINDOW; low++)
			sum -= x->v[low];
		for (; now - x->at[far] > WINDOW + WINDOW / 1000; far++)
			wide -= x->v[far];
		x->wider = wide > x->wider ? wide : x->wider;
		if (sum > x->exact) {
			x->exact = sum;
			x->exact_at = i;
		}
	}
}

static void give_number(struct stream *s, int64_t at, double v)
{
	char time[32], data[80];
	const char *x;

	time_text(s->base + at, time);
	snprintf(data, sizeof data, "<Data Name='N'>%g</Data>", v);
	x = event_xml("EX1", "System", "P", 1, time, ++s->records, data);
	assert_int_equal(events_of(s->rs, "t", x, strlen(x), s, stream_feed), 1);
}

/* Returns after how many events it fired; NUMBERS + 1: never. Half way it is stored and loaded. */
static size_t sum_fires(const struct numbers *x, double bound)
{
	struct correlator_counts n;
	struct stream s;
	struct buf yaml;
	size_t i = 0;

	buf_init(&yaml, 1u << 16);
	buf_printf(&yaml, RULES "title: X\nname: x\ncorrelation: {type: value_sum, rules: a, timespan: 10m, condition: {field: N, gte: %.0f}}\n", bound);
	stream_begin(&s, buf_text(&yaml), 100u << 20);
	while (i < NUMBERS && s.log.n == 0) {
		give_number(&s, x->at[i], x->v[i]);
		if (++i == NUMBERS / 2)
			restart(&s);
	}
	correlator_counts(s.c, &n);
	assert_true(n.cut == 0 && n.evicted == 0);
	i = s.log.n ? i : NUMBERS + 1;
	stream_end(&s);
	buf_free(&yaml);
	return i;
}

static void sums_lose_no_number(void **state)
{
	struct numbers *x = xcalloc(1, sizeof *x);

	(void)state;
	for (unsigned seed = 1; seed <= 3; seed++) {
		draw_numbers(x, seed);
		assert_true(x->exact_at > 8000 && x->exact > 60000); /* else it asks for nothing special */
		assert_in_range(sum_fires(x, x->exact), 4096, x->exact_at + 1);
		assert_int_equal(sum_fires(x, x->wider + 1), NUMBERS + 1);
	}
	free(x);
}

static void averages_lose_no_number(void **state)
{
	const char *yaml = RULES "title: X\nname: x\ncorrelation: {type: value_avg, rules: a, timespan: 10m, condition: {field: N, gt: 4.98, lt: 5.02}}\n";
	struct stream s;

	(void)state;
	stream_begin(&s, yaml, 100u << 20);
	for (int i = 0; i < 12000; i++) { /* the first 10,000 are the window: one each 60 ms */
		give_number(&s, i * 60 * MS, i < 5000 ? 0 : i <= 10000 ? 10 : 1000);
		if (i == 7000)
			restart(&s);
	}
	correlator_finish(s.c);
	assert_memory_equal(buf_text(&s.log), "x 0-", 4);
	assert_in_range(s.events, 9989, 10012); /* a thousandth of 10,001, at either end, and one */
	stream_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_agree), cmocka_unit_test(sums_lose_no_number), cmocka_unit_test(averages_lose_no_number),
	};

	return cmocka_run_group_tests_name("correlation oracle", tests, NULL, NULL);
}
