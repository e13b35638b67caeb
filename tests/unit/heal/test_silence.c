/* test_silence.c - silences in heal.db: what is refused, and that each begin and end is in the ledger. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "heal/case_store.h"
#include "heal/ledger.h"
#include "heal/silence.h"
#include "lib/check.h"
#include "lib/scratch.h"

#define NOW INT64_C(1520899200000000) /* 2018-03-13T00:00:00Z */
#define GOOD "\"rule\":\"r\",\"title\":\"T\",\"host\":\"ex1\",\"fields\":{\"User\":\"jo\"},\"until\":\"2018-03-14T00:00:00Z\",\"reason\":\"w\""
#define OTHER "\"rule\":\"q\",\"title\":\"T\",\"fields\":{\"User\":\"jo\"},\"until\":\"2018-03-14T00:00:00Z\",\"reason\":\"w\""

struct bench {
	struct scratch s;
	struct db *d;
	struct err e;
	int64_t id, next;
};

static void bench_begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	scratch_init(&b->s);
	b->d = db_open(scratch_path(&b->s, "heal.db"), &heal_schema, DB_WRITE, &b->e);
	assert_non_null(b->d);
}

static void bench_end(struct bench *b)
{
	db_close(b->d);
	scratch_free(&b->s);
}

static int begin(struct bench *b, const char *members)
{
	char text[2000];
	struct json *q;
	int did;

	snprintf(text, sizeof text, "{%s}", members);
	q = json_parse(text, strlen(text), &b->e);
	assert_non_null(q);
	did = silence_begin(b->d, NOW, q, "uid 7", &b->id, &b->e);
	json_free(q);
	return did;
}

static int note(void *arg, const struct ledger_record *r)
{
	struct json *j = json_parse(r->body, strlen(r->body), NULL);

	assert_string_equal(r->kind, "silence");
	buf_printf(arg, "%s %lld %s %s %s\n", json_str(json_get(j, "silence"), "?"), (long long)json_int(json_get(j, "id"), 0),
		json_str(json_get(j, "rule"), "?"), r->host, json_str(json_get(j, "actor"), "?"));
	json_free(j);
	return 0;
}

static void begins_and_ends_are_in_the_ledger(void **state)
{
	struct bench b;
	struct buf text;
	struct json_out o;

	(void)state;
	bench_begin(&b);
	buf_init(&text, 1u << 16);
	assert_int_equal(begin(&b, GOOD), 0);
	assert_int_equal(b.id, 1);
	assert_int_equal(begin(&b, GOOD), -1); /* a second of the same is not made */
	assert_int_equal(b.e.code, ERR_USAGE);
	assert_non_null(strstr(b.e.text, "silence 1 is the same: until 2018-03-14T"));
	assert_non_null(strstr(b.e.text, ", by uid 7;"));
	assert_int_equal(begin(&b, "\"host\":\"EX1\"," OTHER), 0);
	json_begin(&o, &text);
	assert_int_equal(silences_json(b.d, &o, NULL, &b.e), 0);
	assert_non_null(strstr(buf_text(&text), "\"id\":1,\"rule\":\"r\",\"title\":\"T\",\"host\":\"ex1\",\"fields\":{\"User\":\"jo\"}"));
	assert_int_equal(silence_end(b.d, NOW + 1, 1, "uid 8", &b.e), 0);
	assert_int_equal(silence_end(b.d, NOW + 1, 1, "uid 8", &b.e), -1);
	assert_int_equal(b.e.code, ERR_USAGE);
	assert_int_equal(silences_expire(b.d, NOW + US_DAY - 1, &b.next, &b.e), 0);
	assert_true(b.next == NOW + US_DAY);
	assert_int_equal(silences_expire(b.d, NOW + US_DAY, &b.next, &b.e), 1);
	assert_true(b.next == INT64_MAX);
	assert_int_equal(begin(&b, GOOD), 0);
	assert_int_equal(b.id, 3); /* no id twice: watch counts by it */
	buf_reset(&text);
	assert_int_equal(ledger_each(b.d, 1, note, &text, &b.e), 0);
	assert_string_equal(buf_text(&text), "on 1 r ex1 uid 7\non 2 q EX1 uid 7\noff 1 r ex1 uid 8\nended 2 q EX1 uid 7\non 3 r ex1 uid 7\n");
	buf_free(&text);
	bench_end(&b);
}

static const struct { const char *members, *says; } bad[] = {
	{"\"until\":\"2018-03-14T00:00:00Z\",\"reason\":\"w\"", "names one rule"},
	{"\"rule\":\"r\",\"until\":\"2018-03-14T00:00:00Z\"", "needs a reason"},
	{"\"rule\":\"r\",\"reason\":\"w\"", "needs an end"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2018-03-13T00:00:00Z\"", "lies ahead"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2019-03-15T00:00:00Z\"", "within a year"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2018-03-14T00:00:00Z\",\"host\":\"a b\"", "no host name"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2018-03-14T00:00:00Z\",\"fields\":[]", "object of texts"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2018-03-14T00:00:00Z\",\"fields\":{\"a\":1}", "each with a text"},
	{"\"rule\":\"r\",\"reason\":\"w\",\"until\":\"2018-03-14T00:00:00Z\",\"fields\":{\"1\":\"\",\"2\":\"\",\"3\":\"\",\"4\":\"\",\"5\":\"\","
		"\"6\":\"\",\"7\":\"\",\"8\":\"\",\"9\":\"\"}", "at most 8 fields"},
};

static void what_is_wrong_is_named(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(begin(&b, bad[i].members), -1);
		if (!strstr(b.e.text, bad[i].says))
			fail_msg("%s: %s", bad[i].members, b.e.text);
	}
	bench_end(&b);
}

/* They cross a channel in one message. */
static void too_many_are_refused(void **state)
{
	char members[1000], long_text[480];
	struct bench b;
	int n = 0;

	(void)state;
	bench_begin(&b);
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	do {
		snprintf(members, sizeof members, "\"rule\":\"%d\",\"title\":\"\",\"until\":\"2018-03-14T00:00:00Z\",\"reason\":\"%s\"", n, long_text);
	} while (begin(&b, members) == 0 && ++n < 1000);
	assert_in_range(n, 200, 500);
	assert_int_equal(b.e.code, ERR_REFUSED);
	assert_non_null(strstr(b.e.text, "too many"));
	assert_int_equal(silence_end(b.d, NOW, 1, "uid 7", &b.e), 0);
	assert_int_equal(begin(&b, members), 0); /* one fits again */
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_and_ends_are_in_the_ledger), cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(too_many_are_refused),
	};

	return cmocka_run_group_tests_name("silence", tests, NULL, NULL);
}
