/* test_full_disk.c - the n-th write fails, n = 1, 2, 3 ... until none does. After each: what was committed is there,
 * what was not is not, and the database works on. The same with a writer that is killed at any moment. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "store/db.h"

static const char *const versions[] = { "CREATE TABLE money (who TEXT PRIMARY KEY, n INTEGER NOT NULL);"
					"CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);"
					"INSERT INTO money VALUES ('a', 1000), ('b', 0)" };
static const struct db_schema full = { versions, 1, true }, normal = { versions, 1, false };

static int64_t ask(struct db *d, const char *sql)
{
	struct db_row *r = db_prepare(d, sql, NULL);
	int64_t v;

	assert_non_null(r);
	assert_int_equal(db_step(r, NULL), 1);
	v = db_int(r, 0);
	db_done(r);
	return v;
}

/* Money only moves, and each move has its note: true whenever nobody is inside a transaction. */
static void check_invariant(struct db *d)
{
	assert_int_equal(ask(d, "SELECT sum(n) FROM money"), 1000);
	assert_int_equal(ask(d, "SELECT n FROM money WHERE who='b'"), ask(d, "SELECT count(*) FROM note"));
}

static int move(struct db *d, struct err *e)
{
	static const char *const steps[] = { "UPDATE money SET n=n-1 WHERE who='a'",
					     "INSERT INTO note (text) VALUES (hex(zeroblob(6000)))",
					     "UPDATE money SET n=n+1 WHERE who='b'" };

	if (db_begin(d, e) != 0)
		return -1;
	for (size_t i = 0; i < 3; i++) {
		struct db_row *r = db_prepare(d, steps[i], e);
		int result = r ? db_step(r, e) : -1;

		db_done(r);
		if (result != 0) {
			db_rollback(d);
			return -1;
		}
	}
	return db_commit(d, e);
}

static void every_write(const struct db_schema *schema, int sign)
{
	struct scratch s;
	struct db *d;
	struct err e = { 0 };
	int64_t done = 0;
	int n;

	scratch_init(&s);
	d = db_open(scratch_path(&s, "t.db"), schema, DB_WRITE, &e);
	assert_non_null(d);
	for (n = 1; n < 200; n++) {
		int result;

		db_fail_at(d, sign * n);
		result = move(d, &e);
		if (!db_fail_hit(d))
			break;
		if (result != 0)
			assert_non_null(strstr(e.text, "the disk is full"));
		db_fail_at(d, 0);
		assert_false(db_in_transaction(d));
		done += result == 0;
		assert_int_equal(ask(d, "SELECT count(*) FROM note"), done);
		check_invariant(d);
		/* and after a restart */
		db_close(d);
		d = db_open(scratch_path(&s, "t.db"), schema, DB_WRITE, &e);
		assert_non_null(d);
		assert_int_equal(ask(d, "SELECT count(*) FROM note"), done);
		check_invariant(d);
	}
	assert_in_range(n, 5, 199); /* it did fail, and it did end */
	done++;
	assert_int_equal(ask(d, "SELECT count(*) FROM note"), done);
	db_close(d);
	scratch_free(&s);
}

static void one_write_fails(void **state)
{
	(void)state;
	every_write(&full, 1);
	every_write(&normal, 1);
}

static void all_writes_fail_from_then_on(void **state)
{
	(void)state;
	every_write(&full, -1);
	every_write(&normal, -1);
}

/* Full while it is being closed and its log written back: nothing committed may go. */
static void full_at_the_checkpoint(void **state)
{
	struct scratch s;
	struct err e;
	int n;

	(void)state;
	scratch_init(&s);
	for (n = 1; n < 200; n++) {
		struct db *d = db_open(scratch_path(&s, "t.db"), &full, DB_WRITE, &e);
		int64_t before;
		bool hit;

		assert_non_null(d);
		before = ask(d, "SELECT count(*) FROM note");
		assert_int_equal(move(d, &e), 0);
		db_fail_at(d, n);
		(void)db_exec(d, "PRAGMA wal_checkpoint(TRUNCATE)", &e);
		hit = db_fail_hit(d);
		db_fail_at(d, 0);
		db_close(d);
		d = db_open(scratch_path(&s, "t.db"), &full, DB_WRITE, &e);
		assert_non_null(d);
		assert_int_equal(ask(d, "SELECT count(*) FROM note"), before + 1);
		check_invariant(d);
		db_close(d);
		if (!hit)
			break;
	}
	assert_in_range(n, 3, 199);
	scratch_free(&s);
}

/* A parent kills the writer at many moments; each time the file opens and the invariant holds. Commits that were told
 * to the parent are there. */
static void killed_at_any_moment(void **state)
{
	struct clock clock = clock_real();
	struct scratch s;
	struct err e;
	int64_t told = 0;

	(void)state;
	scratch_init(&s);
	for (int round = 0; round < 40; round++) {
		int fds[2], status;
		int64_t last;
		pid_t pid;
		struct db *d;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			d = db_open(scratch_path(&s, "t.db"), &full, DB_WRITE, &e);
			while (d && move(d, &e) == 0) {
				last = ask(d, "SELECT count(*) FROM note");
				if (write(fds[1], &last, sizeof last) < 0)
					break;
			}
			_exit(1);
		}
		close(fds[1]);
		clock_sleep(&clock, 500 + round * 700);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(fds[0], &last, sizeof last) == sizeof last)
			told = last;
		close(fds[0]);
		d = db_open(scratch_path(&s, "t.db"), &full, DB_WRITE, &e);
		assert_non_null(d);
		check_invariant(d);
		assert_in_range(ask(d, "SELECT count(*) FROM note"), told, told + 1);
		told = ask(d, "SELECT count(*) FROM note");
		db_close(d);
	}
	assert_true(told > 0);
	scratch_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_write_fails),
		cmocka_unit_test(all_writes_fail_from_then_on),
		cmocka_unit_test(full_at_the_checkpoint),
		cmocka_unit_test(killed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
