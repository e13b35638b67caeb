/* test_watermark.c - how far event time has come. */
#include "base/clock.h"
#include "correlate/watermark.h"
#include "lib/check.h"

#include <stdio.h>

static void least_of_the_streams(void **state)
{
	struct watermarks *w = watermarks_new(60);

	(void)state;
	assert_false(watermarks_see(w, "a", "s", "System", 100, 1000));
	assert_int_equal(watermarks_of(w, "a", 1000), 100);
	watermarks_see(w, "a", "s", "Application", 80, 1000);
	assert_int_equal(watermarks_of(w, "a", 1000), 80);
	assert_true(watermarks_see(w, "a", "s", "System", 90, 1000)); /* late */
	watermarks_see(w, "a", "s", "Application", 200, 1000);
	assert_int_equal(watermarks_of(w, "a", 1000), 100);
	watermarks_see(w, "b", "s", "System", 5, 1000);
	assert_int_equal(watermarks_of(w, "a", 1000), 100); /* another computer does not hold it back */
	watermarks_free(w);
}

static void silence_holds_nothing_back(void **state)
{
	struct watermarks *w = watermarks_new(60);

	(void)state;
	watermarks_see(w, "a", "s", "System", 500, 1000);
	watermarks_see(w, "a", "s", "Application", 300, 900);
	assert_int_equal(watermarks_of(w, "a", 959), 300);
	assert_int_equal(watermarks_of(w, "a", 960), 500);   /* Application is silent */
	assert_int_equal(watermarks_of(w, "a", 1100), 1040); /* all are: the clock minus 60 */
	assert_int_equal(watermarks_of(w, "nobody", 1100), 1040);
	watermarks_free(w);
}

static void streams_are_bounded(void **state)
{
	struct watermarks *w = watermarks_new(60);
	char name[20];

	(void)state;
	for (int i = 0; i < 70000; i++) {
		snprintf(name, sizeof name, "h%d", i);
		watermarks_see(w, name, "s", "System", i, i);
	}
	assert_int_equal(watermarks_of(w, "h69999", 70000), 69999);
	assert_int_equal(watermarks_of(w, "h0", 70000), 69940);
	watermarks_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(least_of_the_streams), cmocka_unit_test(silence_holds_nothing_back), cmocka_unit_test(streams_are_bounded),
	};

	return cmocka_run_group_tests_name("watermark", tests, NULL, NULL);
}
