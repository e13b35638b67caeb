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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(both_agree)};

	return cmocka_run_group_tests_name("correlation oracle", tests, NULL, NULL);
}
