/* test_clock.c - times and spans as text, and clocks that stand still. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "lib/check.h"
#include "lib/fake_clock.h"

static void parses_what_windows_writes(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "2018-03-13T21:02:11.114211000Z", "2018-03-13T21:02:11.114211Z" },
		{ "2018-03-13T21:02:11.1142119Z", "2018-03-13T21:02:11.114211Z" }, /* cut, not rounded */
		{ "2018-03-13T21:02:11Z", "2018-03-13T21:02:11.000000Z" },
		{ "2018-03-13T21:02:11", "2018-03-13T21:02:11.000000Z" },
		{ "2018-03-13T21:02:11.5+02:00", "2018-03-13T19:02:11.500000Z" },
		{ "2018-03-13T21:02:11.5-05:30", "2018-03-14T02:32:11.500000Z" },
		{ "2018-03-13", "2018-03-13T00:00:00.000000Z" },
		{ "2018-03-13 21:02:11", "2018-03-13T21:02:11.000000Z" },
		{ "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z" },
		{ "1601-01-01T00:00:00Z", "1601-01-01T00:00:00.000000Z" },
		{ "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z" },
		{ "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z" },
		{ "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z" },
	};
	char to[32];
	int64_t us;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_true(time_parse(t[i].in, strlen(t[i].in), &us));
		assert_string_equal(time_text(us, to), t[i].out);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const t[] = {
		"", "2018", "2018-3-13", "2018-13-01", "2018-02-29", "1900-02-29", "2018-04-31", "2018-00-10", "2018-01-00",
		"2018-03-13T", "2018-03-13T21:02", "2018-03-13T24:00:00Z", "2018-03-13T21:60:00Z", "2018-03-13T21:02:61Z",
		"2018-03-13T21:02:11.Z", "2018-03-13T21:02:11.1234567890Z", "2018-03-13T21:02:11+2:00",
		"2018-03-13T21:02:11+15:00", "2018-03-13T21:02:11Zx", "2018-03-13Z", " 2018-03-13", "2018-03-13T21:02:11 ",
		"-2018-03-13",
	};
	int64_t us = 7;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		assert_false(time_parse(t[i], strlen(t[i]), &us));
	assert_false(time_parse("2018-03-13T21:02:11Z", 5, &us)); /* n counts, not the NUL */
	assert_int_equal(us, 7);
}

/* The C library knows the calendar too. */
static void agrees_with_the_library(void **state)
{
	char ours[32], theirs[32];

	(void)state;
	for (int64_t s = INT64_C(-20000000000); s < INT64_C(100000000000); s += 7654321) {
		time_t t = s;
		struct tm tm;
		int64_t back;

		gmtime_r(&t, &tm);
		strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
		assert_string_equal(time_text(s * US_SECOND, ours), theirs);
		assert_true(time_parse(ours, strlen(ours), &back));
		assert_true(back == s * US_SECOND);
	}
	assert_string_equal(time_text(INT64_MAX, ours), "9999-12-31T23:59:59.999999Z");
	assert_string_equal(time_text(INT64_MIN, ours), "0000-01-01T00:00:00.000000Z");
}

static void spans(void **state)
{
	static const struct {
		const char *in;
		int64_t us;
		const char *out;
	} t[] = {
		{ "90s", 90 * US_SECOND, "1m 30s" }, { "15m", 15 * US_MINUTE, "15m" },	{ "24h", US_DAY, "1d" },
		{ "30d", 30 * US_DAY, "30d" },	     { "2w", 14 * US_DAY, "14d" },	{ "12", 12 * US_SECOND, "12s" },
		{ "250ms", US_SECOND / 4, "250ms" }, { "3900", 3900 * US_SECOND, "1h 5m" }, { "0", 0, "0s" },
	};
	static const char *const bad[] = { "", "s", "1.5h", "-1s", "5 m", "5y", "9223372036854775807d", "1h5m" };
	char to[32];
	int64_t us = 0;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_true(span_parse(t[i].in, &us));
		assert_true(us == t[i].us);
		assert_string_equal(span_text(us, to), t[i].out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(span_parse(bad[i], &us));
	assert_string_equal(span_text(-US_HOUR - 1, to), "-1h");
	assert_string_equal(span_text(US_DAY + US_MINUTE, to), "1d");
	assert_string_equal(span_text(INT64_MIN, to), "-106751991d 4h");
}

static void clocks(void **state)
{
	struct clock fixed = clock_fixed(123), real = clock_real();
	struct fake_clock fake;
	int64_t before;

	(void)state;
	clock_sleep(&fixed, US_DAY);
	assert_int_equal(clock_wall(&fixed), 123);
	assert_int_equal(clock_monotonic(&fixed), 123);
	assert_true(clock_wall(&real) > INT64_C(1700000000) * US_SECOND);
	before = clock_monotonic(&real);
	clock_sleep(&real, 2000);
	assert_true(clock_monotonic(&real) - before >= 2000);
	assert_true(clock_cpu_us() >= 0);
	fake_clock_init(&fake, 1000);
	before = clock_monotonic(&fake.clock);
	clock_sleep(&fake.clock, 50);
	assert_int_equal(clock_wall(&fake.clock), 1050);
	assert_int_equal(clock_monotonic(&fake.clock), before + 50);
	assert_int_equal(fake.slept, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_windows_writes), cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(agrees_with_the_library),    cmocka_unit_test(spans),
		cmocka_unit_test(clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
