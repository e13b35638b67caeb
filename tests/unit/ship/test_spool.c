/* test_spool.c - the spool: one record for one uid, a cursor for each sink, nothing before its commit, trimming. */
#include <stdio.h>
#include <string.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "ship/spool.h"

static struct scratch dir;
static struct spool *s;

static int setup(void **state)
{
	struct err e;

	(void)state;
	scratch_init(&dir);
	s = spool_open(dir.folder, &e);
	if (!s)
		fail_msg("%s", e.text);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool_close(s);
	scratch_free(&dir);
	return 0;
}

static void put(int id)
{
	char json[64];
	struct spool_record r = { .kind = RECORD_FINDING, .time = 1000 + id, .json = json };
	struct err e;

	memcpy(r.uid, &id, sizeof id);
	r.n = (size_t)snprintf(json, sizeof json, "{\"id\":%d}", id);
	assert_int_equal(spool_begin(s, &e), 0);
	assert_int_equal(spool_put(s, &r, &e), 0);
	assert_int_equal(spool_commit(s, &e), 0);
}

/* What a sink gets next. */
static void take(const char *sink, struct spool_record *to, size_t n, size_t *got)
{
	int64_t after;
	struct err e;

	assert_int_equal(spool_cursor(s, sink, &after, &e), 0);
	assert_int_equal(spool_read(s, after, to, n, got, &e), 0);
}

static void a_uid_is_one_record(void **state)
{
	struct spool_record r[8];
	struct err e;
	size_t got;

	(void)state;
	put(1);
	put(2);
	put(1);
	take("a", r, 8, &got);
	assert_int_equal(got, 2);
	assert_memory_equal(r[0].json, "{\"id\":1}", 8);
	assert_memory_equal(r[1].json, "{\"id\":2}", 8);
	assert_int_equal(r[0].n, 8);
	assert_int_equal(r[0].time, 1001);
	assert_true(r[0].seq < r[1].seq);
	/* even when everybody has it and its body is gone */
	assert_int_equal(spool_done(s, "a", r[1].seq, &e), 0);
	put(2);
	assert_int_equal(spool_lag(s, "a"), 0);
}

static void each_sink_has_its_cursor(void **state)
{
	struct spool_record r[8];
	struct err e;
	size_t got;

	(void)state;
	for (int i = 1; i <= 5; i++)
		put(i);
	take("a", r, 2, &got);
	assert_int_equal(got, 2);
	assert_int_equal(spool_done(s, "a", r[1].seq, &e), 0);
	assert_int_equal(spool_lag(s, "a"), 3);
	assert_int_equal(spool_lag(s, "b"), 5);
	take("a", r, 8, &got);
	assert_int_equal(got, 3);
	assert_memory_equal(r[0].json, "{\"id\":3}", 8);
	assert_int_equal(spool_done(s, "a", 1, &e), 0); /* a cursor never goes back */
	assert_int_equal(spool_lag(s, "a"), 3);
}

static void nothing_is_there_before_its_commit(void **state)
{
	struct spool_record r = { .json = "{}", .n = 2 };
	struct err e;

	(void)state;
	assert_int_equal(spool_put(s, &r, &e), -1); /* outside a transaction */
	assert_int_equal(spool_begin(s, &e), 0);
	assert_int_equal(spool_put(s, &r, &e), 0);
	spool_close(s);
	s = spool_open(dir.folder, &e);
	assert_int_equal(spool_lag(s, "a"), 0);
	put(1);
	spool_close(s);
	s = spool_open(dir.folder, &e);
	assert_int_equal(spool_lag(s, "a"), 1);
}

static void trims_what_all_have_but_the_last_ones(void **state)
{
	static const char *const sinks[] = { "a", "b" };
	struct spool_record r = { .kind = RECORD_CASE, .json = "{}", .n = 2 }, got[1];
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(spool_begin(s, &e), 0);
	for (int i = 0; i < SPOOL_KEPT + 100; i++) {
		memcpy(r.uid, &i, sizeof i);
		assert_int_equal(spool_put(s, &r, &e), 0);
	}
	assert_int_equal(spool_commit(s, &e), 0);
	assert_int_equal(spool_done(s, "a", SPOOL_KEPT + 100, &e), 0);
	assert_int_equal(spool_trim(s, sinks, 2, &e), 0);
	assert_int_equal(spool_lag(s, "b"), SPOOL_KEPT + 100); /* b has nothing yet: all of it stays */
	assert_int_equal(spool_done(s, "b", 50, &e), 0);
	assert_int_equal(spool_trim(s, sinks, 2, &e), 0);
	take("new", got, 1, &n);
	assert_int_equal(got[0].seq, 51);
	assert_int_equal(spool_done(s, "b", SPOOL_KEPT + 100, &e), 0);
	assert_int_equal(spool_trim(s, sinks, 2, &e), 0);
	take("new", got, 1, &n);
	assert_int_equal(got[0].seq, 101);
}

static void single_records_are_found_again(void **state)
{
	static const int64_t seqs[] = { 2, 4, 77 };
	struct spool_record r[3];
	size_t n = 3, got;
	struct err e;

	(void)state;
	for (int i = 1; i <= 5; i++)
		put(i);
	assert_int_equal(spool_get(s, seqs, &n, r, &got, &e), 0);
	assert_int_equal(n, 3);
	assert_int_equal(got, 2);
	assert_int_equal(r[1].seq, 4);
	assert_memory_equal(r[0].json, "{\"id\":2}", 8);
	assert_memory_equal(r[1].json, "{\"id\":4}", 8);
}

static void counters_and_ages_are_kept(void **state)
{
	struct err e;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	assert_int_equal(spool_noted(s, "a", &b, &e), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(spool_oldest(s, "a"), 0);
	put(1);
	put(2);
	assert_int_equal(spool_oldest(s, "a"), 1001);
	assert_int_equal(spool_done(s, "a", 1, &e), 0);
	assert_int_equal(spool_oldest(s, "a"), 1002);
	assert_int_equal(spool_note(s, "a", "{}", &e), 0);
	assert_int_equal(spool_note(s, "a", "{\"sent\":1}", &e), 0);
	spool_close(s);
	s = spool_open(dir.folder, &e);
	assert_int_equal(spool_noted(s, "a", &b, &e), 0);
	assert_string_equal(buf_text(&b), "{\"sent\":1}");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_uid_is_one_record, setup, teardown),
		cmocka_unit_test_setup_teardown(each_sink_has_its_cursor, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_there_before_its_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(trims_what_all_have_but_the_last_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(single_records_are_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_and_ages_are_kept, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
