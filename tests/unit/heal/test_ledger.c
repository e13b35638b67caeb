/* test_ledger.c - the chain: what was written is found, and what was changed is seen. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "heal/case_store.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/scratch.h"

static struct scratch s;
static char path[512];

static int setup(void **state)
{
	struct err e = {.text = ""};
	struct db *d;

	(void)state;
	scratch_init(&s);
	strcpy(path, scratch_path(&s, "heal.db"));
	d = db_open(path, &heal_schema, DB_WRITE, &e);
	assert_non_null(d);
	for (int i = 1; i <= 5; i++)
		assert_int_equal(ledger_add(d, 1000 + i, "state", "ex1", i, "{\"n\":1}", &e), 0);
	db_close(d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&s);
	return 0;
}

static int verify(struct err *e, int64_t *n)
{
	uint8_t head[32];
	struct db *d = db_open(path, &heal_schema, DB_READ, e);
	int r;

	assert_non_null(d);
	r = ledger_verify(d, n, head, e);
	db_close(d);
	return r;
}

/* As somebody with the file and a tool would: past the triggers. */
static void tamper(const char *sql)
{
	sqlite3 *raw;

	assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, "drop trigger ledger_is_written_once; drop trigger ledger_is_kept", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(raw);
}

static void intact(void **state)
{
	struct err e;
	int64_t n;

	(void)state;
	assert_int_equal(verify(&e, &n), 0);
	assert_int_equal(n, 5);
}

static void every_change_is_seen(void **state)
{
	static const char *const all[] = {
		"update ledger set body = '{\"n\":2}' where seq = 3", "update ledger set time = time + 1 where seq = 1",
		"update ledger set kind = 'refusal' where seq = 5", "update ledger set host = 'ex2' where seq = 2",
		"update ledger set case_id = 9 where seq = 4", "delete from ledger where seq = 3", "delete from ledger where seq = 1",
		"update ledger set hash = x'00' where seq = 2", "update ledger set previous = zeroblob(32) where seq = 2",
		"update ledger set seq = 9 where seq = 5",
	};
	struct err e;
	int64_t n;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		tamper(all[i]);
		if (verify(&e, &n) == 0)
			fail_msg("not seen: %s", all[i]);
		assert_int_equal(e.code, ERR_IO);
		(void)teardown(state);
		(void)setup(state);
	}
}

static void the_program_itself_cannot_change_it(void **state)
{
	struct err e;
	struct db *d = db_open(path, &heal_schema, DB_WRITE, &e);

	(void)state;
	assert_int_equal(db_exec(d, "update ledger set body = '' where seq = 1", &e), -1);
	assert_int_equal(db_exec(d, "delete from ledger", &e), -1);
	db_close(d);
}

static void a_record_belongs_to_its_transaction(void **state)
{
	struct err e;
	int64_t n;
	struct db *d = db_open(path, &heal_schema, DB_WRITE, &e);

	(void)state;
	assert_int_equal(db_begin(d, &e), 0);
	assert_int_equal(ledger_add(d, 1, "intent", "ex1", 1, "{}", &e), 0);
	db_rollback(d);
	assert_int_equal(ledger_add(d, 2, "hold", "ex1", 1, "{}", &e), 0);
	db_close(d);
	assert_int_equal(verify(&e, &n), 0);
	assert_int_equal(n, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(intact, setup, teardown),
		cmocka_unit_test_setup_teardown(every_change_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(the_program_itself_cannot_change_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_belongs_to_its_transaction, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
