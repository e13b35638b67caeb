/* test_status.c - which receivers a person should look at, and since when. */
#include <string.h>

#include "cli/status_sinks.h"
#include "lib/check.h"

#define NOW "2026-11-23T12:00:00Z"

static void of_a_sink_a_warning_tells_what_is_wrong(void **state)
{
	static const struct {
		const char *told, *letter, *says;
	} rows[] = {
		{ "{}", NULL, "" },
		{ "{\"trouble\":\"x\",\"trouble_since\":\"2026-11-23T11:56:00Z\"}", NULL, "" },
		{ "{\"trouble\":\"x\",\"trouble_since\":\"2026-11-23T11:55:00Z\"}", NULL, ", sink a b takes nothing since 2026-11-23T11:55:00" },
		{ "{\"held\":7,\"held_since\":\"2026-11-23T11:56:00Z\"}", NULL, "" },
		{ "{\"held\":7,\"held_since\":\"2026-11-23T10:00:00Z\"}", NULL, ", sink a b has 7 records that wait for a person" },
		{ "{\"dropped\":{\"event\":9},\"dropped_last\":\"2026-11-22T11:59:00Z\"}", NULL, "" },
		{ "{\"dropped\":{\"event\":9},\"dropped_last\":\"2026-11-22T12:01:00Z\"}", NULL,
			", sink a b lost records to caps.spool_mb until 2026-11-22T12:01:00" },
		{ "{}", "2026-11-22T11:59:00Z", "" },
		{ "{}", "2026-11-23T11:59:59Z", ", sink a b has 3 dead letters" },
	};
	struct sink_config config = { .name = "a|b" };
	int64_t now = 0;

	(void)state;
	assert_true(time_parse(NOW, strlen(NOW), &now));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct status_sink s = { .config = &config, .dead_letters = rows[i].letter ? 3 : 0 };
		struct err e;
		struct buf b;
		size_t bad;

		buf_init(&b, 4096);
		s.told = json_parse(rows[i].told, strlen(rows[i].told), &e);
		if (rows[i].letter)
			assert_true(time_parse(rows[i].letter, strlen(rows[i].letter), &s.newest_letter));
		bad = status_sinks_bad(&s, 1, now, &b);
		if (bad != (*rows[i].says ? 1 : 0) || strncmp(buf_text(&b), rows[i].says, strlen(rows[i].says)) != 0)
			fail_msg("%s: %zu, \"%s\"", rows[i].told, bad, buf_text(&b));
		status_sinks_free(&s, 1);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_sink_a_warning_tells_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
