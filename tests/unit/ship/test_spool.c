/* test_spool.c - the spool: one record for one uid, a cursor for each sink and lane, nothing before its commit, trimming, older files. */
#include <stdio.h>
#include <string.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "rules/rule.h"
#include "ship/route.h"
#include "ship/spool.h"
#include "store/db.h"

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
	struct spool_want w = { .lane = SPOOL_URGENT };
	int64_t upto;
	struct err e;

	assert_int_equal(spool_cursor(s, sink, SPOOL_URGENT, &w.after, &e), 0);
	assert_int_equal(spool_read(s, &w, to, n, got, &upto, &e), 0);
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
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, r[1].seq, &e), 0);
	put(2);
	assert_int_equal(spool_lag(s, "a", 0), 0);
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
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, r[1].seq, &e), 0);
	assert_int_equal(spool_lag(s, "a", 0), 3);
	assert_int_equal(spool_lag(s, "b", 0), 5);
	take("a", r, 8, &got);
	assert_int_equal(got, 3);
	assert_memory_equal(r[0].json, "{\"id\":3}", 8);
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, 1, &e), 0); /* a cursor never goes back */
	assert_int_equal(spool_lag(s, "a", 0), 3);
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
	assert_int_equal(spool_lag(s, "a", 0), 0);
	put(1);
	spool_close(s);
	s = spool_open(dir.folder, &e);
	assert_int_equal(spool_lag(s, "a", 0), 1);
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
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, SPOOL_KEPT + 100, &e), 0);
	assert_true(spool_trim(s, sinks, 2, SPOOL_KEPT, &e) >= 0);
	assert_int_equal(spool_lag(s, "b", 0), SPOOL_KEPT + 100); /* b has nothing yet: all of it stays */
	assert_int_equal(spool_done(s, "b", SPOOL_URGENT, 50, &e), 0);
	assert_true(spool_trim(s, sinks, 2, SPOOL_KEPT, &e) >= 0);
	take("new", got, 1, &n);
	assert_int_equal(got[0].seq, 51);
	assert_int_equal(spool_done(s, "b", SPOOL_URGENT, SPOOL_KEPT + 100, &e), 0);
	assert_true(spool_trim(s, sinks, 2, SPOOL_KEPT, &e) >= 0);
	take("new", got, 1, &n);
	assert_int_equal(got[0].seq, 101);
}

/* The clock was years ahead for a while: what comes in now is remembered from now. */
static void a_clock_that_was_ahead_forgets_no_uid(void **state)
{
	static const char *const sinks[] = { "a" };
	struct clock ahead = clock_fixed(INT64_C(2000000000) * US_SECOND), now = clock_fixed(INT64_C(1900000000) * US_SECOND);
	struct err e;

	(void)state;
	spool_keep(s, &ahead, 30 * US_DAY);
	put(1);
	spool_keep(s, &now, 30 * US_DAY);
	put(2);
	assert_true(spool_trim(s, sinks, 1, SPOOL_KEPT, &e) >= 0);
	assert_int_equal(spool_forget(s, &e), 0);
	put(2);
	assert_int_equal(spool_lag(s, "a", 0), 2);
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
	assert_int_equal(spool_oldest(s, "a", 0), 0);
	put(1);
	put(2);
	assert_int_equal(spool_oldest(s, "a", 0), 1001);
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, 1, &e), 0);
	assert_int_equal(spool_oldest(s, "a", 0), 1002);
	assert_int_equal(spool_note(s, "a", "{}", &e), 0);
	assert_int_equal(spool_note(s, "a", "{\"sent\":1}", &e), 0);
	spool_close(s);
	s = spool_open(dir.folder, &e);
	assert_int_equal(spool_noted(s, "a", &b, &e), 0);
	assert_string_equal(buf_text(&b), "{\"sent\":1}");
	buf_free(&b);
}

static void put_kind(int id, int kind, const char *json)
{
	struct spool_record r = { .kind = kind, .time = 1000 + id, .json = json, .n = strlen(json) };
	struct arena *a = arena_new(4096);
	struct err e;

	memcpy(r.uid, &id, sizeof id);
	record_route(&r, a);
	assert_int_equal(spool_begin(s, &e), 0);
	assert_int_equal(spool_put(s, &r, &e), 0);
	assert_int_equal(spool_commit(s, &e), 0);
	arena_free(a);
}

static void a_lane_is_read_alone_and_with_what_routing_asks(void **state)
{
	static const char finding[] = "{\"level\":\"high\",\"host\":\"ex1\",\"cause\":\"disk\",\"labels\":{\"tenant\":\"a\",\"site\":\"b\"}}";
	struct spool_want w = { .lane = SPOOL_BULK };
	struct spool_record r[8];
	int64_t upto;
	struct err e;
	size_t got;

	(void)state;
	put_kind(1, RECORD_EVENT, "{\"host\":\"ex9\"}");
	put_kind(2, RECORD_FINDING, finding);
	put_kind(3, RECORD_LEDGER, "{}");
	put_kind(4, RECORD_EVENT, "{}");
	take("a", r, 8, &got);
	assert_int_equal(got, 1);
	assert_true(r[0].urgent);
	assert_int_equal(r[0].level, LEVEL_HIGH);
	assert_string_equal(r[0].host, "ex1");
	assert_string_equal(r[0].cause, "disk");
	assert_string_equal(r[0].labels, "tenant=a\nsite=b\n");
	assert_memory_equal(r[0].json, finding, sizeof finding - 1);
	assert_int_equal(spool_read(s, &w, r, 8, &got, &upto, &e), 0);
	assert_int_equal(got, 3);
	assert_int_equal(upto, 4);
	assert_string_equal(r[0].host, "ex9");
	assert_int_equal(r[0].level, -1);
	assert_string_equal(r[1].host, "");
	w.kinds = 1u << RECORD_LEDGER;
	assert_int_equal(spool_read(s, &w, r, 8, &got, &upto, &e), 0);
	assert_int_equal(got, 1);
	assert_int_equal(upto, 4); /* over what is not wanted */
	w.after = upto;
	assert_int_equal(spool_read(s, &w, r, 8, &got, &upto, &e), 0);
	assert_int_equal(got, 0);
	assert_int_equal(upto, 4);
	/* a cursor in each; who does not take a kind does not wait for it */
	assert_int_equal(spool_lag(s, "a", 0), 4);
	assert_int_equal(spool_lag(s, "a", 1u << RECORD_FINDING), 1);
	assert_int_equal(spool_oldest(s, "a", 1u << RECORD_FINDING), 1002);
	assert_int_equal(spool_lag(s, "a", 1u << RECORD_LEDGER | 1u << RECORD_CASE), 1);
	assert_int_equal(spool_oldest(s, "a", 1u << RECORD_LEDGER | 1u << RECORD_CASE), 1003);
	assert_int_equal(spool_done(s, "a", SPOOL_URGENT, 2, &e), 0);
	assert_int_equal(spool_lag(s, "a", 0), 3);
	assert_int_equal(spool_oldest(s, "a", 0), 1001);
	assert_true(spool_waits(s, "a"));
	assert_int_equal(spool_done(s, "a", SPOOL_BULK, 4, &e), 0);
	assert_false(spool_waits(s, "a"));
}

/* More of what is not wanted than one look goes over. */
static void a_long_lane_is_passed_in_steps(void **state)
{
	struct spool_want w = { .lane = SPOOL_BULK, .kinds = 1u << RECORD_LEDGER };
	struct spool_record r = { .kind = RECORD_EVENT, .json = "{}", .n = 2 }, to[4];
	size_t got = 0;
	int looks = 0;
	struct err e;

	(void)state;
	assert_int_equal(spool_begin(s, &e), 0);
	for (int i = 1; i <= 50000; i++)
		assert_int_equal(spool_put(s, &r, &e), 0);
	r.kind = RECORD_LEDGER;
	assert_int_equal(spool_put(s, &r, &e), 0);
	assert_int_equal(spool_commit(s, &e), 0);
	for (int64_t upto = 1; !got && upto > w.after; looks++) {
		w.after = looks ? upto : 0;
		assert_int_equal(spool_read(s, &w, to, 4, &got, &upto, &e), 0);
		assert_true(upto > w.after);
	}
	assert_int_equal(got, 1);
	assert_int_equal(to[0].seq, 50001);
	assert_in_range(looks, 2, 5);
}

/* As the file was made before there were lanes. */
static void a_file_of_before_is_brought_up(void **state)
{
	static const char *const before[] = {
		"create table record (seq integer primary key autoincrement, uid blob not null, kind integer not null, time integer not null,"
		" json blob not null);"
		"create table seen (uid blob primary key, at integer not null) without rowid;"
		"create index seen_at on seen (at);"
		"create table cursor (sink text primary key, seq integer not null) without rowid;",
		"create table note (sink text primary key, text text not null) without rowid;",
		"insert into record values (7, zeroblob(32), 0, 1007, cast('{\"level\":\"medium\",\"host\":\"ex1\",\"cause\":\"disk\"}' as blob)),"
		" (8, randomblob(32), 4, 1008, cast('{\"host\":\"ex2\"}' as blob)), (9, randomblob(32), 1, 1009, cast('{broken' as blob));"
		"insert into seen select uid, 55 from record where seq=7; insert into cursor values ('a', 7); insert into note values ('a', '{}');"
		"pragma user_version=2",
	};
	struct spool_want w = { .lane = SPOOL_URGENT };
	struct spool_record r[4];
	struct db *d;
	int64_t seq;
	struct err e;
	size_t got;

	(void)state;
	spool_close(s);
	scratch_free(&dir);
	scratch_init(&dir);
	d = db_open(scratch_path(&dir, "ship.db"), &(struct db_schema){ .versions = before, .n = 2 }, DB_WRITE, &e);
	assert_non_null(d);
	assert_int_equal(db_exec(d, before[2], &e), 0);
	db_close(d);
	s = spool_open(dir.folder, &e);
	if (!s)
		fail_msg("%s", e.text);
	assert_int_equal(spool_read(s, &w, r, 4, &got, &seq, &e), 0);
	assert_int_equal(got, 2);
	assert_int_equal(r[0].seq, 7);
	assert_int_equal(r[0].level, LEVEL_MEDIUM);
	assert_string_equal(r[0].host, "ex1");
	assert_string_equal(r[0].cause, "disk");
	assert_int_equal(r[1].seq, 9);
	assert_memory_equal(r[1].json, "{broken", 7);
	w.lane = SPOOL_BULK;
	assert_int_equal(spool_read(s, &w, r, 4, &got, &seq, &e), 0);
	assert_int_equal(got, 1);
	assert_string_equal(r[0].host, "ex2");
	for (int lane = 0; lane < SPOOL_LANES; lane++) {
		assert_int_equal(spool_cursor(s, "a", (enum spool_lane)lane, &seq, &e), 0);
		assert_int_equal(seq, 7);
	}
	assert_int_equal(spool_oldest(s, "b", 0), 55);
	put(0); /* its uid is known */
	assert_int_equal(spool_lag(s, "b", 0), 3);
	put(1);
	take("a", r, 4, &got);
	assert_int_equal(r[got - 1].seq, 10); /* numbers go on */
}

static int count_dead(void *arg, const struct spool_dead *d)
{
	struct spool_dead *last = arg;

	assert_string_equal(d->record.host, "ex1");
	assert_memory_equal(d->record.json, "{\"host\":\"ex1\"}", 14);
	assert_string_equal(d->reason, "no such field");
	*last = (struct spool_dead){ .id = d->id, .refused = d->refused };
	last->record.uid[0] = d->record.uid[0];
	last->record.kind = d->record.kind;
	return 0;
}

static void what_was_refused_is_kept_sent_again_to_that_sink_or_dropped(void **state)
{
	struct spool_want w = { .lane = SPOOL_BULK, .sink = "a" };
	struct spool_record r[8];
	struct spool_dead last = { 0 };
	int64_t upto;
	struct err e;
	size_t got;

	(void)state;
	for (int i = 1; i <= 3; i++)
		put_kind(i, RECORD_LEDGER, "{\"host\":\"ex1\"}");
	assert_int_equal(spool_begin(s, &e), 0);
	assert_int_equal(spool_refused(s, "a", 1, "no such field", 77, &e), 1);
	assert_int_equal(spool_refused(s, "a", 2, "no such field", 78, &e), 1);
	assert_int_equal(spool_refused(s, "b", 2, "no such field", 79, &e), 1);
	assert_int_equal(spool_refused(s, "b", 2, "no such field", 79, &e), 1); /* again, behind a crash: one, not two */
	assert_int_equal(spool_refused(s, "b", 99, "no such field", 80, &e), 0); /* its body is gone */
	assert_int_equal(spool_commit(s, &e), 0);
	assert_int_equal(spool_dead_count(s, "a"), 2);
	assert_int_equal(spool_dead_each(s, "a", count_dead, &last, &e), 0);
	assert_int_equal(last.id, 2);
	assert_int_equal(last.refused, 78);
	assert_int_equal(last.record.uid[0], 2);
	assert_int_equal(last.record.kind, RECORD_LEDGER);
	assert_int_equal(spool_dead_each(s, NULL, count_dead, &last, &e), 0);
	assert_int_equal(last.refused, 79);
	for (const char *const *sink = (const char *const[]){ "a", "b", NULL }; *sink; sink++)
		assert_int_equal(spool_done(s, *sink, SPOOL_BULK, 3, &e), 0);
	/* again: only for the sink that refused it */
	assert_int_equal(spool_dead_retry(s, "b", 1, &e), 0); /* not b's */
	assert_int_equal(spool_dead_retry(s, NULL, 1, &e), 1);
	assert_int_equal(spool_lag(s, "a", 0), 1);
	assert_int_equal(spool_lag(s, "b", 0), 0);
	assert_true(spool_waits(s, "a"));
	assert_false(spool_waits(s, "b"));
	assert_int_equal(spool_oldest(s, "a", 0), 1001);
	assert_int_equal(spool_oldest(s, "b", 0), 0);
	w.after = 3;
	assert_int_equal(spool_read(s, &w, r, 8, &got, &upto, &e), 0);
	assert_int_equal(got, 1);
	assert_int_equal(r[0].uid[0], 1);
	assert_int_equal(upto, 4);
	w.sink = "b";
	assert_int_equal(spool_read(s, &w, r, 8, &got, &upto, &e), 0);
	assert_int_equal(got, 0);
	assert_int_equal(upto, 4); /* over it */
	assert_int_equal(spool_dead_drop(s, NULL, 0, &e), 2);
	assert_int_equal(spool_dead_count(s, "a") + spool_dead_count(s, "b"), 0);
}

/* A checkpoint to the end: 0: nobody reads an older state. */
static int64_t blocked(void)
{
	struct err e;
	struct db_row *q = db_prepare(spool_db(s), "pragma wal_checkpoint(truncate)", &e);
	int64_t busy = -1;

	if (q && db_step(q, &e) == 1)
		busy = db_int(q, 0);
	db_done(q);
	return busy;
}

struct slow_reader {
	int n;
	int64_t refused; /* of the last one */
};

/* A person who looks at a page of the list for long: the agent goes on. */
static int look_slowly(void *arg, const struct spool_dead *d)
{
	struct slow_reader *l = arg;

	assert_true(d->refused > l->refused);
	assert_string_equal(d->reason, "no such field");
	assert_memory_equal(d->record.json, "{\"host\":\"ex1\"}", d->record.n);
	l->refused = d->refused;
	if (++l->n < 3) {
		put_kind(100000 + l->n, RECORD_LEDGER, "{}");
		assert_int_equal(blocked(), 0);
	}
	return 0;
}

static void however_many_were_refused_nobody_waits_for_who_looks(void **state)
{
	struct slow_reader l = { 0 };
	struct spool_want w = { .lane = SPOOL_BULK, .sink = "a", .after = 5000 };
	struct spool_record r[4];
	struct spool *other;
	int64_t upto;
	struct err e;
	size_t got;

	(void)state;
	for (int i = 1; i <= 2500; i++)
		put_kind(i, RECORD_LEDGER, "{\"host\":\"ex1\"}");
	assert_int_equal(spool_begin(s, &e), 0);
	for (int i = 0; i < 2500; i++)
		assert_int_equal(spool_refused(s, "a", 1 + i, "no such field", 1 + i, &e), 1);
	assert_int_equal(spool_commit(s, &e), 0);
	other = spool_look(dir.folder, &e);
	assert_non_null(other);
	assert_int_equal(spool_dead_each(other, NULL, look_slowly, &l, &e), 0);
	assert_int_equal(l.n, 2500);
	spool_close(other);
	assert_int_equal(spool_dead_retry(s, "b", 0, &e), 0);
	assert_int_equal(spool_dead_retry(s, "a", 0, &e), 2500);
	assert_int_equal(spool_dead_count(s, "a"), 0);
	assert_int_equal(spool_lag(s, "a", 0), 5002);
	assert_int_equal(spool_lag(s, "b", 0), 2502);
	assert_int_equal(spool_read(s, &w, r, 4, &got, &upto, &e), 0);
	assert_int_equal(got, 2);
	assert_int_equal(r[0].uid[0], 2499 & 255); /* in their order */
	assert_int_equal(r[1].uid[0], 2500 & 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_uid_is_one_record, setup, teardown),
		cmocka_unit_test_setup_teardown(each_sink_has_its_cursor, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_there_before_its_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(trims_what_all_have_but_the_last_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clock_that_was_ahead_forgets_no_uid, setup, teardown),
		cmocka_unit_test_setup_teardown(single_records_are_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_and_ages_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lane_is_read_alone_and_with_what_routing_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_lane_is_passed_in_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_of_before_is_brought_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_refused_is_kept_sent_again_to_that_sink_or_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(however_many_were_refused_nobody_waits_for_who_looks, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
