/* test_window.c - windows of maintenance, minute by minute, also in the skipped hour and in the doubled hour. */
#include <string.h>

#include "base/clock.h"
#include "heal/window.h"
#include "lib/check.h"
#include "lib/zone_file.h"

enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

struct row {
	const char *what, *rule;
	unsigned days;
	int from, to;
	const char *now, *next, *end; /* end NULL: closed */
};

#define AT(h, m) ((h) * 60 + (m))

static const struct row rows[] = {
	{"a plain one, before", "UTC0", WED, AT(10, 0), AT(11, 0), "2026-11-25 09:59:59", "2026-11-25 10:00:00", NULL},
	{"its first moment", "UTC0", WED, AT(10, 0), AT(11, 0), "2026-11-25 10:00:00", "2026-11-25 10:00:00", "2026-11-25 11:00:00"},
	{"its last second", "UTC0", WED, AT(10, 0), AT(11, 0), "2026-11-25 10:59:59", "2026-11-25 10:59:59", "2026-11-25 11:00:00"},
	{"closed again, for a week", "UTC0", WED, AT(10, 0), AT(11, 0), "2026-11-25 11:00:00", "2026-12-02 10:00:00", NULL},
	{"every day", "UTC0", WINDOW_DAYS_ALL, AT(10, 0), AT(11, 0), "2026-11-25 11:00:00", "2026-11-26 10:00:00", NULL},
	{"the whole day", "UTC0", WED, 0, 1440, "2026-11-25 23:59:59", "2026-11-25 23:59:59", "2026-11-26 00:00:00"},
	{"and not the next", "UTC0", WED, 0, 1440, "2026-11-26 00:00:00", "2026-12-02 00:00:00", NULL},
	{"over midnight, from yesterday", "UTC0", SAT, AT(22, 0), AT(4, 0), "2026-11-29 03:59:59", "2026-11-29 03:59:59", "2026-11-29 04:00:00"},
	{"over midnight, not on Sunday evening", "UTC0", SAT, AT(22, 0), AT(4, 0), "2026-11-29 22:30:00", "2026-12-05 22:00:00", NULL},
	{"over the end of a year", "UTC0", THU, AT(22, 0), AT(4, 0), "2027-01-01 01:00:00", "2027-01-01 01:00:00", "2027-01-01 04:00:00"},
	{"by local clocks, in winter", ZONE_BERLIN, SAT | SUN, AT(22, 0), AT(4, 0), "2026-11-28 20:59:59", "2026-11-28 21:00:00", NULL},
	{"by local clocks, in summer", ZONE_BERLIN, SAT | SUN, AT(22, 0), AT(4, 0), "2026-07-04 19:59:59", "2026-07-04 20:00:00", NULL},
	{"the local day counts", ZONE_SYDNEY, MON, AT(1, 0), AT(3, 0), "2026-06-14 15:30:00", "2026-06-14 15:30:00", "2026-06-14 17:00:00"},
	/* Berlin, 2026-03-29: at 01:00 UTC 02:00 becomes 03:00 */
	{"begins in the skipped hour", ZONE_BERLIN, SUN, AT(2, 30), AT(5, 0), "2026-03-29 00:59:59", "2026-03-29 01:00:00", NULL},
	{"begins in the skipped hour: open at its end", ZONE_BERLIN, SUN, AT(2, 30), AT(5, 0), "2026-03-29 01:00:00", "2026-03-29 01:00:00",
		"2026-03-29 03:00:00"},
	{"ends in the skipped hour", ZONE_BERLIN, SUN, AT(1, 0), AT(2, 30), "2026-03-29 00:59:59", "2026-03-29 00:59:59", "2026-03-29 01:00:00"},
	{"ended in the skipped hour", ZONE_BERLIN, SUN, AT(1, 0), AT(2, 30), "2026-03-29 01:00:00", "2026-04-04 23:00:00", NULL},
	{"swallowed by the skipped hour", ZONE_BERLIN, SUN, AT(2, 10), AT(2, 50), "2026-03-28 12:00:00", "2026-04-05 00:10:00", NULL},
	{"over the skipped hour", ZONE_BERLIN, SAT, AT(22, 0), AT(4, 0), "2026-03-29 01:30:00", "2026-03-29 01:30:00", "2026-03-29 02:00:00"},
	/* Berlin, 2026-10-25: at 01:00 UTC 03:00 becomes 02:00 */
	{"begins in the doubled hour: not before the first", ZONE_BERLIN, SUN, AT(2, 30), AT(5, 0), "2026-10-25 00:29:59", "2026-10-25 00:30:00",
		NULL},
	{"begins in the doubled hour: open between both", ZONE_BERLIN, SUN, AT(2, 30), AT(5, 0), "2026-10-25 01:10:00", "2026-10-25 01:10:00",
		"2026-10-25 04:00:00"},
	{"ends in the doubled hour: open through both", ZONE_BERLIN, SUN, AT(1, 0), AT(2, 30), "2026-10-25 01:29:59", "2026-10-25 01:29:59",
		"2026-10-25 01:30:00"},
	{"ended in the doubled hour", ZONE_BERLIN, SUN, AT(1, 0), AT(2, 30), "2026-10-25 01:30:00", "2026-11-01 00:00:00", NULL},
	{"lies in the doubled hour", ZONE_BERLIN, SUN, AT(2, 10), AT(2, 50), "2026-10-25 01:00:00", "2026-10-25 01:00:00", "2026-10-25 01:50:00"},
	/* the south: Sydney skips on 2026-10-04 at 16:00 UTC of the day before, doubles on 2026-04-05 */
	{"south: begins in the skipped hour", ZONE_SYDNEY, SUN, AT(2, 30), AT(5, 0), "2026-10-03 15:59:59", "2026-10-03 16:00:00", NULL},
	{"south: ends in the doubled hour", ZONE_SYDNEY, SUN, AT(1, 0), AT(2, 30), "2026-04-04 16:29:59", "2026-04-04 16:29:59",
		"2026-04-04 16:30:00"},
	{"half an hour: begins in what is skipped", ZONE_LORD_HOWE, SUN, AT(2, 15), AT(5, 0), "2026-10-03 15:29:59", "2026-10-03 15:30:00", NULL},
};

static void each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct arena *a = arena_new(4096);
		struct policy_window w = {.days = r->days, .from = r->from, .to = r->to, .zone = zone_of_rule(a, r->rule)};
		int64_t now = time_of(r->now), next = window_next(&w, 1, now), end = window_end(&w, 1, now);
		char one[32], two[32];

		if (next != time_of(r->next) || end != (r->end ? time_of(r->end) : now))
			fail_msg("%s: next %s, end %s", r->what, time_text(next, one), time_text(end, two));
		arena_free(a);
	}
}

/* What each minute of a year says must fit what the wall clock shows, and the next opening must be one. */
static void a_year_minute_by_minute(void **state)
{
	struct arena *a = arena_new(4096);
	const struct zone *z = zone_of_rule(a, ZONE_BERLIN);
	struct policy_window w = {.days = SAT | SUN, .from = AT(22, 0), .to = AT(4, 0), .zone = z};
	int64_t opened = 0, minutes = 0;

	(void)state;
	for (int64_t t = time_of("2026-01-01"); t < time_of("2027-01-01"); t += US_MINUTE) {
		int64_t local = t + zone_offset(z, t), day = local / US_DAY, minute = local % US_DAY / US_MINUTE;
		int64_t weekday = (day + 3) % 7;
		bool open = (minute >= AT(22, 0) && (weekday == 5 || weekday == 6)) || (minute < AT(4, 0) && (weekday == 6 || weekday == 0));
		int64_t next = window_next(&w, 1, t);

		assert_int_equal(next == t, open);
		minutes += open;
		if (open) {
			assert_true(window_end(&w, 1, t) > t);
			continue;
		}
		assert_int_equal(window_next(&w, 1, next), next);
		assert_int_equal(window_next(&w, 1, next - 1), next);
		if (next != opened)
			opened = next;
	}
	/* 104 nights of six hours; the one of spring has five, the one of autumn seven */
	assert_int_equal(minutes, 104 * 360);
	arena_free(a);
}

static void several_and_none(void **state)
{
	struct arena *a = arena_new(4096);
	const struct zone *utc = zone_of_rule(a, "UTC0");
	struct policy_window w[] = {{WED, AT(10, 0), AT(11, 0), utc}, {WED, AT(10, 30), AT(12, 0), utc}, {0, 0, 1440, utc}};
	int64_t t = time_of("2026-11-25 10:45:00");
	char text[128];

	(void)state;
	assert_int_equal(window_next(NULL, 0, t), t);
	assert_int_equal(window_end(w, 2, t), time_of("2026-11-25 12:00:00"));
	assert_int_equal(window_next(w, 2, time_of("2026-11-25 12:00:00")), time_of("2026-12-02 10:00:00"));
	assert_int_equal(window_next(&w[2], 1, t), INT64_MAX); /* on no day */
	assert_string_equal(window_text(&w[1], text), "wed 10:30 to 12:00 Test/Zone");
	assert_int_equal(window_day("Mon"), 0);
	assert_int_equal(window_day("sun"), 6);
	assert_int_equal(window_day("sunday"), -1);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(a_year_minute_by_minute),
		cmocka_unit_test(several_and_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
