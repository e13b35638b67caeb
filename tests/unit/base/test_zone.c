/* test_zone.c - local time: the skipped hour, the doubled hour, both hemispheres, damaged files, and the C library as a witness. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/zone.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "lib/zone_file.h"

#define BERLIN ZONE_BERLIN
#define SYDNEY ZONE_SYDNEY
#define LORD_HOWE ZONE_LORD_HOWE
#define NUUK "<-02>2<-01>,M3.5.0/-1,M10.5.0/0"           /* changes on the day before */

static void wall_clocks(void **state)
{
	static const struct { const char *rule, *local, *first, *last; } rows[] = {
		{BERLIN, "2026-01-10 12:00:00", "2026-01-10 11:00:00", "2026-01-10 11:00:00"},
		{BERLIN, "2026-07-10 12:00:00", "2026-07-10 10:00:00", "2026-07-10 10:00:00"},
		{BERLIN, "2026-03-29 01:59:59", "2026-03-29 00:59:59", "2026-03-29 00:59:59"},
		{BERLIN, "2026-03-29 02:00:00", "2026-03-29 01:00:00", "2026-03-29 01:00:00"}, /* skipped: the jump */
		{BERLIN, "2026-03-29 02:59:59", "2026-03-29 01:00:00", "2026-03-29 01:00:00"},
		{BERLIN, "2026-03-29 03:00:00", "2026-03-29 01:00:00", "2026-03-29 01:00:00"},
		{BERLIN, "2026-10-25 01:59:59", "2026-10-24 23:59:59", "2026-10-24 23:59:59"},
		{BERLIN, "2026-10-25 02:00:00", "2026-10-25 00:00:00", "2026-10-25 01:00:00"}, /* comes twice */
		{BERLIN, "2026-10-25 02:59:59", "2026-10-25 00:59:59", "2026-10-25 01:59:59"},
		{BERLIN, "2026-10-25 03:00:00", "2026-10-25 02:00:00", "2026-10-25 02:00:00"},
		{SYDNEY, "2026-10-04 02:30:00", "2026-10-03 16:00:00", "2026-10-03 16:00:00"}, /* the south: skipped in October */
		{SYDNEY, "2026-04-05 02:30:00", "2026-04-04 15:30:00", "2026-04-04 16:30:00"}, /* and doubled in April */
		{SYDNEY, "2026-12-31 12:00:00", "2026-12-31 01:00:00", "2026-12-31 01:00:00"},
		{LORD_HOWE, "2026-10-04 02:15:00", "2026-10-03 15:30:00", "2026-10-03 15:30:00"},
		{LORD_HOWE, "2026-04-05 01:45:00", "2026-04-04 14:45:00", "2026-04-04 15:15:00"},
		{NUUK, "2026-03-28 23:30:00", "2026-03-29 01:00:00", "2026-03-29 01:00:00"},
		{"EST5EDT,0/0,J365/25", "2026-01-10 12:00:00", "2026-01-10 16:00:00", "2026-01-10 16:00:00"}, /* summer all year */
		{"EST5EDT,0/0,J365/25", "2026-12-31 23:59:59", "2027-01-01 03:59:59", "2027-01-01 03:59:59"},
		{"EET-2EEST,J60/0,J300/0", "2028-03-01 00:30:00", "2028-02-29 22:00:00", "2028-02-29 22:00:00"}, /* J60 is 1 March */
		{"<+0545>-5:45", "2026-03-29 02:30:00", "2026-03-28 20:45:00", "2026-03-28 20:45:00"},
		{"UTC0", "2026-03-29 02:30:00", "2026-03-29 02:30:00", "2026-03-29 02:30:00"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena *a = arena_new(4096);
		const struct zone *z = zone_of_rule(a, rows[i].rule);
		int64_t first = zone_instant(z, time_of(rows[i].local), ZONE_FIRST), last = zone_instant(z, time_of(rows[i].local), ZONE_LAST);
		char one[32], two[32];

		if (first != time_of(rows[i].first) || last != time_of(rows[i].last))
			fail_msg("%s %s: first %s, last %s", rows[i].rule, rows[i].local, time_text(first, one), time_text(last, two));
		arena_free(a);
	}
}

static void changes_follow_each_other(void **state)
{
	struct arena *a = arena_new(4096);
	const struct zone *berlin = zone_of_rule(a, BERLIN), *always = zone_of_rule(a, "EST5EDT,0/0,J365/25"), *utc;
	struct err e = {.text = ""};
	int64_t t = zone_next(berlin, time_of("2026-01-01"));

	(void)state;
	assert_int_equal(t, time_of("2026-03-29T01:00:00"));
	t = zone_next(berlin, t);
	assert_int_equal(t, time_of("2026-10-25T01:00:00"));
	assert_int_equal(zone_next(berlin, t - 1), t);
	assert_int_equal(zone_next(berlin, t), time_of("2027-03-28T01:00:00"));
	assert_int_equal(zone_next(always, t), INT64_MAX);
	utc = zone_read(a, &os_file, "/nowhere", "UTC", &e); /* needs no file */
	assert_non_null(utc);
	assert_int_equal(zone_offset(utc, t), 0);
	assert_int_equal(zone_next(utc, t), INT64_MAX);
	assert_int_equal(zone_instant(utc, t, ZONE_FIRST), t);
	assert_string_equal(zone_name(utc), "UTC");
	arena_free(a);
}

/* Every change of the system's own files, and what the C library says around it. */
static void the_c_library_agrees(void **state)
{
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe",
		"America/Santiago", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "America/Nuuk", "Asia/Tehran", "UTC"};
	struct os_stat st;
	int compared = 0;

	(void)state;
	if (os_file.stat(ZONE_FOLDER "/Europe/Berlin", -1, &st) < 0)
		skip(); /* no tzdata on this machine */
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		struct arena *a = arena_new(65536);
		struct err e = {.text = ""};
		const struct zone *z = zone_read(a, &os_file, NULL, zones[i], &e);

		if (z == NULL)
			fail_msg("%s", e.text);
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t t = time_of("1930-01-01"); t < time_of("2150-01-01");) {
			int64_t next = zone_next(z, t);

			for (int k = -1; k < 2; k++) {
				time_t at = (time_t)((next == INT64_MAX || k < 0 ? t : next) / US_SECOND) + (k < 0 ? 12345 : k - 1);
				struct tm tm;

				assert_non_null(localtime_r(&at, &tm));
				if (zone_offset(z, at * US_SECOND) != tm.tm_gmtoff * US_SECOND)
					fail_msg("%s at %lld: %lld s, the library says %ld s", zones[i], (long long)at,
						(long long)(zone_offset(z, at * US_SECOND) / US_SECOND), tm.tm_gmtoff);
				compared++;
			}
			if (next == INT64_MAX)
				break;
			t = next;
		}
		arena_free(a);
	}
	setenv("TZ", "UTC", 1);
	tzset();
	assert_true(compared > 5000);
}

static void unknown_names_are_told_with_the_nearest(void **state)
{
	static const struct { const char *name, *says; } rows[] = {
		{"Europe/Berlni", "did you mean 'Europe/Berlin'"},
		{"Eurpe/Berlin", "did you mean 'Europe/Berlin'"},
		{"Europe/Xyzzyxyzzy", "there is no time zone"},
		{"Europe", "there is no time zone"},
		{"../Berlin", "is no name"},
		{"/etc/passwd", "is no name"},
		{"Europe//Berlin", "is no name"},
		{"", "is no name"},
	};
	struct scratch s;
	struct arena *a = arena_new(4096);
	uint8_t bytes[512];
	size_t n = zone_file(bytes, BERLIN);
	struct err e;
	char folder[300];

	(void)state;
	scratch_init(&s);
	memcpy(folder, s.folder, strlen(s.folder) + 1);
	strcat(folder, "/z");
	assert_int_equal(os_make_folder(folder), 0);
	strcat(folder, "/Europe");
	assert_int_equal(os_make_folder(folder), 0);
	scratch_write(&s, "z/Europe/Berlin", bytes, n);
	folder[strlen(folder) - 7] = '\0';
	assert_non_null(zone_read(a, &os_file, folder, "Europe/Berlin", &e));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(&e, 0, sizeof e);
		assert_null(zone_read(a, &os_file, folder, rows[i].name, &e));
		assert_int_equal(e.code, ERR_USAGE);
		if (strstr(e.text, rows[i].says) == NULL)
			fail_msg("'%s': %s", rows[i].name, e.text);
	}
	assert_null(zone_read(a, &os_file, "/nowhere", "Europe/Berlin", &e));
	assert_non_null(strstr(e.text, "install the tzdata package"));
	os_file_remove(scratch_path(&s, "z/Europe/Berlin"));
	arena_free(a);
	scratch_free(&s);
}

/* Each byte of a file changed, and each shorter file: an answer or a refusal, never more than that. */
static void damaged_files_are_refused(void **state)
{
	uint8_t bytes[512], broken[512];
	size_t n = zone_file(bytes, BERLIN), taken = 0;
	struct arena *a = arena_new(65536);
	struct err e;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (zone_parse(a, bytes, i, "Short", &e) != NULL)
			fail_msg("taken with %zu of %zu bytes", i, n);
		for (int bit = 0; bit < 8; bit++) {
			const struct zone *z;

			memcpy(broken, bytes, n);
			broken[i] ^= (uint8_t)(1 << bit);
			z = zone_parse(a, broken, n, "Broken", &e);
			if (z != NULL) {
				taken++;
				(void)zone_instant(z, time_of("2026-03-29T02:30:00"), ZONE_LAST);
			}
		}
		arena_reset(a);
	}
	assert_true(taken > 0 && taken < n * 8);
	bytes[4] = 0;
	assert_null(zone_parse(a, bytes, n, "Old", &e));
	assert_non_null(strstr(e.text, "version 1"));
	bytes[4] = '2';
	bytes[54 + 31] = 1; /* a leap second in the second half, and its twelve bytes */
	memmove(bytes + 108 + 12, bytes + 108, n - 108);
	assert_null(zone_parse(a, bytes, n + 12, "right/UTC", &e));
	assert_non_null(strstr(e.text, "leap seconds"));
	arena_free(a);
}

static void rules_that_are_none_are_refused(void **state)
{
	static const char *const rules[] = {"CET", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.1.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J300", "CET-1CEST,J366,J300", "CET-25", "CET-1CEST,M3.5.0/168,M10.5.0",
		"CET-1CEST,M3.5.0,M10.5.0x", "<CET-1", "CET-1:60", "CET-99999999999"};
	struct arena *a = arena_new(4096);
	uint8_t bytes[512];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (zone_parse(a, bytes, zone_file(bytes, rules[i]), "Z", &e) != NULL)
			fail_msg("taken: %s", rules[i]);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wall_clocks),
		cmocka_unit_test(changes_follow_each_other),
		cmocka_unit_test(the_c_library_agrees),
		cmocka_unit_test(unknown_names_are_told_with_the_nearest),
		cmocka_unit_test(damaged_files_are_refused),
		cmocka_unit_test(rules_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
