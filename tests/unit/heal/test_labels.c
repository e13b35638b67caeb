/* test_labels.c - whose each record is: labels of the source whose event opened a case, over a restart, an own case that events take
 * over, records of no case, and a heal.db of an older program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_bench.h"

#define A "{\"tenant\":\"a\"}"
#define B "{\"tenant\":\"b\",\"site\":\"x \\\"y\\\"\"}"

static const char *const two[] = {A, B}, *const mixed[] = {A, ""}, *const changed[] = {"{\"tenant\":\"new\"}", B};

struct bench {
	struct heal_bench h;
	struct buf told; /* kind and tenant of each record: "case a\n" */
	int kinds[4];
};

static int on_emit(void *arg, enum heal_kind kind, const uint8_t uid[32], int64_t when, const char *json, size_t n)
{
	struct bench *b = arg;
	struct err e;
	struct json *j = json_parse(json, n, &e);

	(void)uid;
	(void)when;
	if (j == NULL)
		fail_msg("%s: %s", e.text, json);
	buf_printf(&b->told, "%s %s\n", json_str(json_get(j, "kind"), ""), json_str(json_get(json_get(j, "labels"), "tenant"), "-"));
	json_free(j);
	b->kinds[kind]++;
	return 0;
}

static void begin(struct bench *b, enum policy_mode mode, const char *const *labels, size_t n, const char *common)
{
	memset(b, 0, sizeof(*b));
	buf_init(&b->told, 1u << 20);
	heal_bench_init(&b->h, mode);
	b->h.options.labels = labels;
	b->h.options.n_labels = n;
	b->h.options.common_labels = common;
	b->h.options.sink = (struct heal_sink){.arg = b, .emit = on_emit};
	heal_bench_start(&b->h);
}

static void end(struct bench *b)
{
	heal_bench_free(&b->h);
	buf_free(&b->told);
}

/* Events of the host open a case. */
static void suspect(struct bench *b, int64_t id, const char *cause, const char *labels)
{
	struct heal_suspect s = {.case_id = id, .reported_by = SIZE_MAX, .cause = case_cause_index(cause), .confidence = LEVEL_HIGH,
		.asks = true, .first = b->h.clock.wall - US_SECOND, .last = b->h.clock.wall, .count = 1, .port = 444,
		.seen = SEEN_BACKEND_ENDPOINT, .labels = labels};
	struct err e = {.text = ""};

	memset(s.case_uid, (int)id, 32);
	if (healer_suspect(b->h.healer, &s, &e) < 0)
		fail_msg("%s", e.text);
}

static void tell_all(struct bench *b)
{
	struct err e;

	(void)healer_outbox(b->h.healer, 1000);
	assert_int_equal(healer_stored(b->h.healer, b->h.healer->given, &e), 0);
}

/* Something was told, and all of it is of this tenant. */
static void all_are(struct bench *b, const char *tenant)
{
	char end[64];
	size_t lines = 0, its = 0;

	tell_all(b);
	snprintf(end, sizeof end, " %s", tenant);
	for (char *at = buf_text(&b->told) ? strtok(b->told.p, "\n") : NULL; at; at = strtok(NULL, "\n")) {
		lines++;
		its += strlen(at) > strlen(end) && strcmp(at + strlen(at) - strlen(end), end) == 0;
		if (its != lines)
			fail_msg("record %zu is '%s', not of %s", lines, at, tenant);
	}
	assert_int_not_equal(lines, 0);
	buf_reset(&b->told);
}

static const char backend[] = "exchange-backend-certificate", front[] = "exchange-frontend-certificate";

static void all_that_is_told_of_a_case_has_its_labels(void **state)
{
	struct bench b;
	struct err e;

	(void)state;
	begin(&b, MODE_AUTO, two, 2, "");
	fake_delete_backend_cert(&b.h.world, false);
	assert_int_equal(healer_hold(b.h.healer, NULL, true, 0, "uid 0", "wait", &e), 0);
	all_are(&b, "-"); /* of no host */
	suspect(&b, 1, backend, B);
	heal_bench_crash(&b.h); /* nothing of it was told */
	heal_bench_start(&b.h);
	heal_bench_run(&b.h, US_MINUTE);
	assert_int_equal(b.kinds[HEAL_REFUSAL], 1);
	all_are(&b, "b");
	assert_int_equal(healer_hold(b.h.healer, NULL, false, 0, "uid 0", "", &e), 0);
	all_are(&b, "-");
	heal_bench_run(&b.h, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b.h, 1, NULL), CASE_HEALED);
	assert_int_equal(b.kinds[HEAL_REPAIR], 2);
	assert_true(b.kinds[HEAL_CASE] > 3 && b.kinds[HEAL_LEDGER] > 5);
	all_are(&b, "b");
	end(&b);
}

static void an_own_case_that_events_take_over_gets_theirs(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, MODE_APPROVE, two, 2, "");
	fake_unbind(&b.h.world);
	heal_bench_run(&b.h, US_SECOND);
	assert_int_equal(heal_bench_state(&b.h, CASE_OWN_ID, NULL), CASE_WAITING_APPROVAL);
	all_are(&b, "-"); /* two sources, and no event has named the host */
	suspect(&b, 1, backend, A);
	all_are(&b, "a");
	heal_bench_crash(&b.h);
	heal_bench_start(&b.h);
	heal_bench_run(&b.h, US_MINUTE);
	assert_int_equal(heal_bench_approve(&b.h, 1, &(struct err){.text = ""}), 0);
	heal_bench_run(&b.h, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b.h, 1, NULL), CASE_HEALED);
	all_are(&b, "a");
	end(&b);
}

/* What a case that no event opened has, by what events have opened before. */
static const struct {
	const char *const *labels;
	const char *common, *first, *second; /* first, second: of cases before; NULL: none */
	const char *const *later;            /* labels of the sources when the own case is opened */
	const char *tenant;
} own[] = {
	{two, "", NULL, NULL, two, "-"},
	{two, "", A, NULL, two, "a"},
	{two, "", B, B, two, "b"},
	{two, "", A, B, two, "-"},
	{two, "", A, NULL, changed, "-"},  /* no source has those any more */
	{two, "", A, B, changed, "b"},
	{mixed, "", "", NULL, mixed, "-"}, /* its source has none */
	{mixed, "", A, "", mixed, "-"},
	{two, A, NULL, NULL, two, "a"},    /* all sources have these */
	{two, A, B, NULL, two, "a"},
};

static void an_own_case_has_those_of_the_host_if_they_are_one_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
		struct bench b;
		struct err e;

		begin(&b, MODE_APPROVE, own[i].labels, 2, own[i].common);
		if (own[i].first)
			suspect(&b, 1, backend, own[i].first);
		if (own[i].second)
			suspect(&b, 2, front, own[i].second);
		for (int64_t id = 1; id <= (own[i].second ? 2 : own[i].first ? 1 : 0); id++)
			assert_int_equal(healer_close(b.h.healer, id, "uid 0", "done", &e), 0);
		tell_all(&b);
		buf_reset(&b.told);
		heal_bench_crash(&b.h);
		b.h.options.labels = own[i].later;
		heal_bench_start(&b.h);
		fake_unbind(&b.h.world);
		heal_bench_run(&b.h, US_MINUTE);
		assert_int_equal(heal_bench_state(&b.h, CASE_OWN_ID, NULL), CASE_WAITING_APPROVAL);
		assert_int_equal(healer_hold(b.h.healer, b.h.host.config.name, true, 0, "uid 0", "wait", &e), 0); /* a record of no case */
		print_message("row %zu: %s\n", i, own[i].tenant); /* of the failure that may follow */
		all_are(&b, own[i].tenant);
		end(&b);
	}
}

/* A later word of watch that does not know the source takes nothing away; one that has other labels (the configuration was changed) counts. */
static void labels_stay_until_others_are_known(void **state)
{
	static const char *const labels[] = {NULL, B, NULL};
	static const char *const tenants[] = {"a", "b", "b"};
	struct heal_case *c = calloc(1, sizeof(*c));
	struct bench b;

	(void)state;
	begin(&b, MODE_OBSERVE, two, 2, "");
	suspect(&b, 1, backend, A);
	for (size_t i = 0; i < 3; i++) {
		heal_bench_run(&b.h, US_MINUTE);
		buf_reset(&b.told);
		suspect(&b, 1, backend, labels[i]);
		assert_int_equal(healer_close(b.h.healer, 1, "uid 0", "done", &(struct err){.text = ""}), i == 0 ? 0 : -1);
		(void)heal_bench_state(&b.h, 1, c);
		assert_true(c->has_labels);
		assert_non_null(strstr(c->labels, tenants[i]));
	}
	free(c);
	end(&b);
}

/* Cases of before have no labels of their own. */
static void a_heal_db_of_an_older_program_is_taken_over(void **state)
{
	const struct db_schema before = {.versions = heal_schema.versions, .n = 3, .full_sync = true};
	struct heal_case *c = calloc(1, sizeof(*c));
	struct bench b;
	struct err e = {.text = ""};

	(void)state;
	begin(&b, MODE_OBSERVE, two, 2, "");
	heal_bench_crash(&b.h);
	assert_int_equal(remove(b.h.db_path), 0);
	struct db *d = db_open(b.h.db_path, &before, DB_WRITE, &e);

	assert_non_null(d);
	assert_int_equal(db_exec(d, "insert into cases values (7, zeroblob(32), 'ex1.lab.example', '', 'exchange-backend-certificate', 'advised', 1,"
		" 1, 1, 1, 1, 1, 3, 0, null, 444, 0, '', 'a text', '', null, 0, 0)", &e), 0);
	db_close(d);
	heal_bench_start(&b.h);
	assert_int_equal(heal_bench_state(&b.h, 7, c), CASE_ADVISED);
	assert_false(c->has_labels);
	assert_string_equal(c->text, "a text");
	assert_int_equal(healer_close(b.h.healer, 7, "uid 0", "done", &e), 0);
	all_are(&b, "-");
	suspect(&b, 8, backend, A);
	all_are(&b, "a");
	free(c);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_told_of_a_case_has_its_labels),
		cmocka_unit_test(an_own_case_that_events_take_over_gets_theirs),
		cmocka_unit_test(an_own_case_has_those_of_the_host_if_they_are_one_set),
		cmocka_unit_test(labels_stay_until_others_are_known),
		cmocka_unit_test(a_heal_db_of_an_older_program_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
