/* test_full_disk.c - the disk is full at the n-th write, n = 1, 2, 3 ... until none fails: what the spool has confirmed is there, what it
 * refused is taken later, nothing is there twice; and the same for the lines of a file receiver. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fault_file.h"
#include "lib/scratch.h"
#include "ship/sink.h"
#include "store/db.h"

#define RECORDS 6

static int put(struct spool *s, int id, struct err *e)
{
	char json[32];
	struct spool_record r = { .json = json, .time = 1 };

	memcpy(r.uid, &id, sizeof id);
	r.n = (size_t)snprintf(json, sizeof json, "{\"id\":%d}", id);
	if (spool_begin(s, e) < 0)
		return -1;
	if (spool_put(s, &r, e) < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e);
}

static void check_spool(struct spool *s)
{
	struct spool_record r[RECORDS + 1];
	struct spool_want w = { .lane = SPOOL_URGENT };
	int64_t upto;
	struct err e;
	size_t got;

	assert_int_equal(spool_read(s, &w, r, RECORDS + 1, &got, &upto, &e), 0);
	assert_int_equal(got, RECORDS);
	for (int i = 0; i < RECORDS; i++) {
		char want[32];

		snprintf(want, sizeof want, "{\"id\":%d}", i);
		assert_memory_equal(r[i].json, want, strlen(want));
	}
}

static void the_spool_loses_nothing(void **state)
{
	bool hit = true;
	int n;

	(void)state;
	for (n = 1; hit && n < 200; n++) {
		struct scratch dir;
		struct err e = { 0 };

		scratch_init(&dir);
		struct spool *s = spool_open(dir.folder, &e);

		assert_non_null(s);
		db_fail_at(spool_db(s), n);
		for (int i = 0; i < RECORDS; i++)
			while (put(s, i, &e) < 0) { /* as ship does: again, when there is room */
				assert_true(strlen(e.text) > 10);
				assert_true(db_fail_hit(spool_db(s)));
			}
		hit = db_fail_hit(spool_db(s));
		db_fail_at(spool_db(s), 0);
		check_spool(s);
		spool_close(s);
		s = spool_open(dir.folder, &e);
		assert_non_null(s);
		check_spool(s);
		spool_close(s);
		scratch_free(&dir);
	}
	assert_true(n > 4);
	assert_false(hit);
}

/* One record; again and again until the sink has it. How often it took. */
static int deliver(struct sink *s, struct fake_clock *clk, int id)
{
	char json[32];
	struct spool_record r = { .seq = id, .json = json };
	int tries = 0;

	r.n = (size_t)snprintf(json, sizeof json, "{\"id\":%d}", id);
	for (bool done = false; !done; tries++) {
		struct sink_result got = { 0 };
		struct err e;
		size_t n = 0;

		assert_true(tries < 10);
		fake_clock_advance(clk, 10 * US_SECOND);
		if (s->ops->open(s, &e) < 0 || s->ops->submit(s, &r, 1, &e) < 0)
			continue;
		assert_int_equal(s->ops->poll(s, &got, 1, &n, &e), 0);
		assert_int_equal(n, 1);
		done = got.outcome == SINK_ACCEPTED;
	}
	return tries;
}

static void the_file_has_each_line_whole(void **state)
{
	struct fake_clock clk;
	bool hit = true;
	int n;

	(void)state;
	fake_clock_init(&clk, US_DAY);
	for (n = 1; hit && n < 200; n++) {
		struct scratch dir;
		struct err e;
		struct buf text;
		const char *at;

		scratch_init(&dir);
		struct sink_config c = { .name = "f", .kind = SINK_FILE, .file.path = scratch_path(&dir, "out") };
		struct sink *s = sink_new(&c, &clk.clock, &fault_file);

		scratch_write(&dir, "out", "{\"id\":-1}\n{\"torn", 16);
		fault_file_at(n, ENOSPC);
		for (int i = 0; i < RECORDS; i++)
			deliver(s, &clk, i);
		hit = fault_file_hit();
		fault_file_at(0, 0);
		sink_free(s);
		buf_init(&text, 65536);
		assert_int_equal(file_read(&os_file, scratch_path(&dir, "out"), &text, &e), 0);
		at = buf_text(&text);
		for (int i = -1; i < RECORDS; i++) {
			char want[32];
			size_t len = (size_t)snprintf(want, sizeof want, "{\"id\":%d}\n", i);

			assert_memory_equal(at, want, len);
			at += len;
			while (!strncmp(at, want, len)) /* at least once: a write that went through before its sync failed */
				at += len;
		}
		assert_int_equal(*at, '\0');
		buf_free(&text);
		scratch_free(&dir);
	}
	assert_true(n > 8);
	assert_false(hit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_spool_loses_nothing),
		cmocka_unit_test(the_file_has_each_line_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
