/* test_db.c - the database: kinds of values, transactions, versions, and what a person is told when it cannot be used. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "os/os.h"
#include "store/db.h"

static const char *const versions[] = {
	"CREATE TABLE t (id INTEGER PRIMARY KEY, s TEXT, b BLOB)",
	"ALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 7; CREATE TABLE u (x INTEGER UNIQUE)",
};
static const struct db_schema one = { versions, 1, true }, two = { versions, 2, false };
static struct scratch s;

static int setup(void **state)
{
	(void)state;
	scratch_init(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&s);
	return 0;
}

static struct db *open_db(const struct db_schema *schema, enum db_mode mode)
{
	struct err e;
	struct db *d = db_open(scratch_path(&s, "t.db"), schema, mode, &e);

	if (!d)
		fail_msg("%s", e.text);
	return d;
}

static void add(struct db *d, const char *text)
{
	struct db_row *r = db_prepare(d, "INSERT INTO t (s) VALUES (?)", NULL);

	assert_non_null(r);
	db_bind_text(r, 1, text);
	assert_int_equal(db_step(r, NULL), 0);
	db_done(r);
}

static int64_t rows(struct db *d)
{
	struct db_row *r = db_prepare(d, "SELECT count(*) FROM t", NULL);
	int64_t n;

	assert_int_equal(db_step(r, NULL), 1);
	n = db_int(r, 0);
	db_done(r);
	return n;
}

static void keeps_values(void **state)
{
	struct db *d = open_db(&two, DB_WRITE);
	struct db_row *r;
	const void *p;
	size_t n = 99;

	(void)state;
	r = db_prepare(d, "INSERT INTO t (s, b, n) VALUES (?, ?, ?)", NULL);
	db_bind_text(r, 1, "h\xc3\xa9llo");
	db_bind_blob(r, 2, "a\0b", 3);
	db_bind_int(r, 3, INT64_MIN);
	assert_int_equal(db_step(r, NULL), 0);
	db_done(r);
	assert_int_equal(db_last_id(d), 1);
	assert_int_equal(db_changes(d), 1);
	r = db_prepare(d, "INSERT INTO t (s, b, n) VALUES (?, ?, ?)", NULL);
	db_bind_textn(r, 1, "cut here", 3);
	db_bind_blob(r, 2, NULL, 0);
	db_bind_int(r, 3, 0);
	assert_int_equal(db_step(r, NULL), 0);
	db_done(r);
	r = db_prepare(d, "SELECT s, b, n FROM t ORDER BY id", NULL);
	assert_int_equal(db_step(r, NULL), 1);
	assert_string_equal(db_text(r, 0), "h\xc3\xa9llo");
	p = db_blob(r, 1, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "a\0b", 3);
	assert_true(db_int(r, 2) == INT64_MIN);
	assert_int_equal(db_step(r, NULL), 1);
	assert_string_equal(db_text(r, 0), "cut");
	assert_true(db_is_null(r, 1));
	assert_null(db_blob(r, 1, &n));
	assert_int_equal(n, 0);
	assert_string_equal(db_text(r, 1), "");
	assert_int_equal(db_step(r, NULL), 0);
	db_done(r);
	db_close(d);
	db_close(NULL);
}

static void statements_are_kept_and_cleared(void **state)
{
	static const char sql[] = "INSERT INTO t (s) VALUES (?)";
	struct db *d = open_db(&one, DB_WRITE);
	struct db_row *a = db_prepare(d, sql, NULL), *b;

	(void)state;
	b = db_prepare(d, sql, NULL); /* the first is still in use */
	assert_ptr_not_equal(a, b);
	db_done(b);
	db_bind_text(a, 1, "once");
	assert_int_equal(db_step(a, NULL), 0);
	db_done(a);
	assert_true(db_prepare(d, sql, NULL) == a || db_prepare(d, sql, NULL) == a);
	assert_int_equal(db_step(a, NULL), 0); /* nothing is bound now */
	db_done(a);
	a = db_prepare(d, "SELECT count(*) FROM t WHERE s IS NULL", NULL);
	assert_int_equal(db_step(a, NULL), 1);
	assert_int_equal(db_int(a, 0), 1);
	db_done(a);
	db_done(NULL);
	db_close(d);
}

static void mistakes_are_told(void **state)
{
	struct db *d = open_db(&one, DB_WRITE);
	struct db_row *r;
	struct err e;

	(void)state;
	assert_null(db_prepare(d, "SELECT * FROM nowhere", &e));
	assert_non_null(strstr(e.text, "no such table"));
	r = db_prepare(d, "INSERT INTO t (s) VALUES (?)", NULL);
	db_bind_int(r, 2, 1);
	assert_int_equal(db_step(r, &e), -1);
	assert_int_equal(e.code, ERR_INTERNAL);
	db_done(r);
	assert_int_equal(db_exec(d, "INSERT INTO t (id) VALUES (1); INSERT INTO t (id) VALUES (1)", &e), -1);
	assert_non_null(strstr(e.text, "UNIQUE"));
	db_close(d);
}

static void transactions(void **state)
{
	struct db *d = open_db(&one, DB_WRITE);

	(void)state;
	assert_int_equal(db_begin(d, NULL), 0);
	assert_true(db_in_transaction(d));
	add(d, "a");
	db_rollback(d);
	db_rollback(d);
	assert_int_equal(rows(d), 0);
	assert_int_equal(db_begin(d, NULL), 0);
	add(d, "a");
	assert_int_equal(db_commit(d, NULL), 0);
	assert_false(db_in_transaction(d));
	assert_int_equal(rows(d), 1);
	assert_int_equal(db_commit(d, NULL), -1); /* there is none */
	assert_int_equal(db_begin(d, NULL), 0);
	add(d, "lost with the handle");
	db_close(d);
	d = open_db(&one, DB_WRITE);
	assert_int_equal(rows(d), 1);
	db_close(d);
}

static void files_are_ours_alone(void **state)
{
	struct db *d;
	struct stat st;

	(void)state;
	umask(0);
	d = open_db(&one, DB_WRITE);
	add(d, "a");
	assert_int_equal(stat(scratch_path(&s, "t.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(scratch_path(&s, "t.db-wal"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	db_close(d);
}

static void versions_go_up_only(void **state)
{
	static const char *const twice[] = { "CREATE TABLE v (x)", "CREATE TABLE v (x)" };
	static const struct db_schema broken = { twice, 2, true };
	struct db *d;
	struct err e;

	(void)state;
	assert_null(db_open(scratch_path(&s, "v.db"), &broken, DB_WRITE, &e));
	assert_non_null(strstr(e.text, "already exists"));
	d = db_open(scratch_path(&s, "v.db"), &one, DB_WRITE, &e); /* nothing of the broken one was left */
	assert_non_null(d);
	db_close(d);
	d = open_db(&one, DB_WRITE);
	add(d, "from before");
	db_close(d);
	assert_null(db_open(scratch_path(&s, "t.db"), &two, DB_READ, &e));
	assert_non_null(strstr(e.text, "start the agent once"));
	d = open_db(&two, DB_WRITE);
	struct db_row *r = db_prepare(d, "SELECT s, n FROM t", NULL);
	assert_int_equal(db_step(r, NULL), 1);
	assert_string_equal(db_text(r, 0), "from before");
	assert_int_equal(db_int(r, 1), 7);
	db_done(r);
	db_close(d);
	for (int mode = 0; mode < 2; mode++) {
		assert_null(db_open(scratch_path(&s, "t.db"), &one, mode ? DB_READ : DB_WRITE, &e));
		assert_non_null(strstr(e.text, "newer program (version 2, this one knows 1)"));
	}
}

static void readers(void **state)
{
	struct db *w, *r;
	struct err e;

	(void)state;
	assert_null(db_open(scratch_path(&s, "t.db"), &one, DB_READ, &e));
	assert_non_null(strstr(e.text, "no such file"));
	assert_int_equal(e.code, ERR_IO);
	w = open_db(&one, DB_WRITE);
	add(w, "a");
	r = open_db(&one, DB_READ); /* beside a writer */
	assert_int_equal(rows(r), 1);
	assert_int_equal(db_exec(r, "DELETE FROM t", &e), -1);
	assert_non_null(strstr(e.text, "must not be written"));
	assert_int_equal(db_begin(w, NULL), 0);
	add(w, "b");
	assert_int_equal(rows(r), 1);
	assert_int_equal(db_commit(w, NULL), 0);
	assert_int_equal(rows(r), 2);
	db_close(w);
	db_close(r);
	r = open_db(&one, DB_READ); /* after the writer has gone */
	assert_int_equal(rows(r), 2);
	db_close(r);
}

static void what_is_no_database_is_refused(void **state)
{
	char text[5000];
	struct err e;

	(void)state;
	memset(text, 'x', sizeof text);
	scratch_write(&s, "t.db", text, sizeof text);
	assert_null(db_open(scratch_path(&s, "t.db"), &one, DB_WRITE, &e));
	assert_non_null(strstr(e.text, "damaged or no database"));
	assert_null(db_open(s.folder, &one, DB_WRITE, &e));
	assert_null(db_open("/nonexistent/t.db", &one, DB_WRITE, &e));
	assert_non_null(strstr(e.text, "check that its folder exists"));
	assert_int_equal(chdir(s.folder), 0);
	assert_null(db_open(":memory:", &one, DB_WRITE, &e)); /* SQLite's name for what has no file, and so no log */
	assert_non_null(strstr(e.text, "write-ahead log"));
}

static void damage_is_told(void **state)
{
	struct db *d = open_db(&one, DB_WRITE);
	struct db_row *r;
	struct err e;
	char junk[4096];
	int fd, result;

	(void)state;
	for (int i = 0; i < 2000; i++)
		add(d, "some text to fill pages with");
	db_close(d);
	memset(junk, 0x5a, sizeof junk);
	fd = os_file.open(scratch_path(&s, "t.db"), OS_LOCK); /* read and write */
	for (off_t page = 2; page < 8; page++)
		assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
	os_file.close(fd);
	d = open_db(&one, DB_WRITE);
	r = db_prepare(d, "SELECT s FROM t", &e);
	while ((result = db_step(r, &e)) == 1)
		;
	assert_int_equal(result, -1);
	assert_non_null(strstr(e.text, "damaged"));
	db_done(r);
	db_close(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_values, setup, teardown),
		cmocka_unit_test_setup_teardown(statements_are_kept_and_cleared, setup, teardown),
		cmocka_unit_test_setup_teardown(mistakes_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(transactions, setup, teardown),
		cmocka_unit_test_setup_teardown(files_are_ours_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(versions_go_up_only, setup, teardown),
		cmocka_unit_test_setup_teardown(readers, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_database_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
