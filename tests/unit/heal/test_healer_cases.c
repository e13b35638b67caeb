/* test_healer_cases.c - what becomes of a case beside repairs: events that say mended, two cases of one cause, calls for a person,
 * notes, and what a person closes. */
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_bench.h"

#define BACKEND "exchange-backend-certificate"

static struct heal_suspect suspect_of(struct heal_bench *b, int64_t id, bool asks)
{
	struct heal_suspect s = {.case_id = id, .reported_by = SIZE_MAX, .cause = case_cause_index(BACKEND), .confidence = LEVEL_HIGH,
		.asks = asks, .first = b->clock.wall - US_SECOND, .last = b->clock.wall, .count = 1, .port = 444,
		.seen = SEEN_BACKEND_ENDPOINT};

	memset(s.case_uid, (int)id, 32);
	return s;
}

static void tell(struct heal_bench *b, const struct heal_suspect *s)
{
	struct err e = {.text = ""};

	if (healer_suspect(b->healer, s, &e) < 0)
		fail_msg("%s", e.text);
}

static void mended(struct heal_bench *b, int64_t id)
{
	struct heal_suspect s = suspect_of(b, id, false);

	s.healed = true; /* 15301: a record for 444 was made */
	s.count = 2;
	s.seen = SEEN_RECORD_CREATED;
	tell(b, &s);
}

static int count_open(void *arg, const struct heal_case *c)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

static int open_cases(struct heal_bench *b)
{
	struct err e;
	int n = 0;

	assert_int_equal(case_store_each(b->healer->db, b->host.config.name, true, count_open, &n, &e), 0);
	return n;
}

/* ---- events that say mended ---- */

static void the_diagnosis_decides_what_an_event_calls_mended(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	uint8_t in_store[20];

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	b.world.state->known |= HOST_PART_ITC;
	b.world.state->itc_known = true;
	memcpy(in_store, b.world.state->certs[0].info.thumbprint, 20);
	memset(b.world.state->itc, 0x11, 20);
	fake_unbind(&b.world);
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_string_equal(c.text, "back end healed; SMTP open");
	mended(&b, 1);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_string_equal(c.text, "back end healed; SMTP open");
	heal_bench_run(&b, US_MINUTE); /* looked at: so it is still */
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_string_equal(c.text, "back end healed; SMTP open");
	memcpy(b.world.state->itc, in_store, 20);
	mended(&b, 1);
	heal_bench_run(&b, 2 * US_HOUR);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

/* ---- one open case for each host and cause ---- */

static void events_take_over_what_a_diagnosis_opened(void **state)
{
	struct heal_bench b;
	struct heal_case own, c;
	struct heal_suspect s;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	fake_unbind(&b.world);
	heal_bench_start(&b);
	heal_bench_run(&b, US_SECOND);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, &own), CASE_WAITING_APPROVAL);
	s = suspect_of(&b, 1, true);
	tell(&b, &s);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, NULL), CASE_CLOSED);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_WAITING_APPROVAL); /* the question that was asked */
	assert_string_equal(c.verdict, own.verdict);
	assert_memory_equal(c.plan_id, own.plan_id, 32);
	assert_int_equal(c.approval_until, own.approval_until);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(open_cases(&b), 1);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_WAITING_APPROVAL);
	assert_non_null(strstr(c.advice, "evmend approve 1'"));
	assert_int_equal(heal_bench_approve(&b, 1, &e), 0);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	assert_int_equal(open_cases(&b), 0);
	heal_bench_free(&b);
}

/* The events' case is there and asks for nothing yet: what a diagnosis finds is that case's. */
static void a_diagnosis_takes_the_case_that_is_there(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct heal_suspect s;

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	heal_bench_start(&b);
	s = suspect_of(&b, 1, false);
	tell(&b, &s);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_ADVISED);
	fake_unbind(&b.world);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(open_cases(&b), 1);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_WAITING_APPROVAL);
	assert_true(c.asks);
	s = suspect_of(&b, 1, true);
	s.count = 2;
	tell(&b, &s);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(open_cases(&b), 1);
	heal_bench_free(&b);
}

/* While it is repaired, a case stays what the ledger names; the two become one afterwards. */
static void a_case_that_is_repaired_is_not_taken_over(void **state)
{
	struct heal_bench b;
	struct heal_suspect s;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	fake_unbind(&b.world);
	heal_bench_start(&b);
	while (b.healer->patients[0].repair == NULL)
		heal_bench_run(&b, US_SECOND);
	s = suspect_of(&b, 1, true);
	tell(&b, &s);
	assert_int_not_equal(heal_bench_state(&b, CASE_OWN_ID, NULL), CASE_CLOSED);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, NULL), CASE_HEALED);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

/* ---- a call for a person stays ---- */

static void still_called(struct heal_bench *b, int64_t id, const char *text)
{
	struct heal_case c;

	assert_int_equal(heal_bench_state(b, id, &c), CASE_ESCALATED);
	assert_string_equal(c.text, text);
}

static void a_failed_repair_calls_until_a_person_decides(void **state)
{
	struct heal_bench b;
	struct heal_case c;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	b.world.new_fails = true; /* the new certificate is served, and requests are answered with 503 */
	heal_bench_suspect(&b, 1, 1);
	for (int i = 0; i < 60 && heal_bench_count(&b, "repair-end") == 0; i++)
		heal_bench_run(&b, US_SECOND);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ESCALATED);
	for (int i = 0; i < 5; i++) {
		heal_bench_run(&b, 20 * US_SECOND << i);
		still_called(&b, 1, c.text);
	}
	b.world.dead = true; /* nor does a host that nobody reaches take the call back */
	heal_bench_run(&b, 2 * US_HOUR);
	still_called(&b, 1, c.text);
	heal_bench_free(&b);
}

static void refuse_it(void *arg, const struct host_step *s, bool undo)
{
	struct fake_world *w = arg;

	(void)s;
	(void)undo;
	w->fault = FAKE_REFUSE;
	w->fail_at = w->operations + 1;
}

static void an_approved_repair_that_does_not_begin_keeps_the_call(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	fake_unbind(&b.world);
	b.world.at_step = refuse_it;
	b.world.arg = &b.world;
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, US_SECOND);
	b.world.at_step = NULL;
	assert_int_equal(heal_bench_count(&b, "repair-end"), 1);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ESCALATED);
	heal_bench_run(&b, US_MINUTE);
	still_called(&b, 1, c.text);
	b.world.busy = HOST_INSTALLING;
	assert_int_equal(heal_bench_approve(&b, 1, &e), 0);
	for (int i = 0; i < 10; i++) {
		heal_bench_run(&b, 10 * US_SECOND);
		still_called(&b, 1, c.text);
	}
	b.world.busy = HOST_FREE;
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

/* ---- notes ---- */

static void each_note_keeps_its_case(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	const uint8_t *front;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	b.world.state->certs[0].info.not_after = b.clock.wall + 20 * US_DAY;
	front = fake_record(&b.world, FAKE_FRONTEND)->thumbprint;
	for (size_t i = 0; i < b.world.state->n_certs; i++)
		if (memcmp(b.world.state->certs[i].info.thumbprint, front, 20) == 0)
			b.world.state->certs[i] = b.world.state->certs[--b.world.state->n_certs];
	heal_bench_start(&b);
	heal_bench_run(&b, 5 * US_HOUR);
	assert_int_equal(open_cases(&b), 2);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, &c), CASE_ADVISED);
	assert_string_equal(case_causes[c.cause], "exchange-certificate-expiry");
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID + 1, &c), CASE_ADVISED);
	assert_string_equal(case_causes[c.cause], "exchange-frontend-certificate");
	heal_bench_free(&b);
}

/* ---- what a person closes ---- */

static void a_closed_case_takes_its_approval_along(void **state)
{
	struct heal_bench b;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	fake_unbind(&b.world);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(healer_hold(b.healer, NULL, true, 0, "uid 0", "wait", &e), 0);
	assert_int_equal(heal_bench_approve(&b, CASE_OWN_ID, &e), 0);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(healer_close(b.healer, CASE_OWN_ID, "uid 0", "no, leave it", &e), 0);
	assert_int_equal(healer_hold(b.healer, NULL, false, 0, "uid 0", "", &e), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID + 1, NULL), CASE_WAITING_APPROVAL);
	heal_bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_diagnosis_decides_what_an_event_calls_mended),
		cmocka_unit_test(events_take_over_what_a_diagnosis_opened),
		cmocka_unit_test(a_diagnosis_takes_the_case_that_is_there),
		cmocka_unit_test(a_case_that_is_repaired_is_not_taken_over),
		cmocka_unit_test(a_failed_repair_calls_until_a_person_decides),
		cmocka_unit_test(an_approved_repair_that_does_not_begin_keeps_the_call),
		cmocka_unit_test(each_note_keeps_its_case),
		cmocka_unit_test(a_closed_case_takes_its_approval_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
