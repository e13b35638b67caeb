/* test_healer.c - from a suspect to a healed case, with a fake clock and a fake host. */
#include <string.h>

#include "heal/healer_inside.h"
#include "heal/repair_write.h"
#include "lib/check.h"
#include "lib/heal_bench.h"

static void repairs_a_deleted_certificate(void **state)
{
	struct heal_bench b;
	uint8_t front[20];

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "state"), 0);
	memcpy(front, fake_record(&b.world, "0.0.0.0:443")->thumbprint, 20);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 17, 5);
	heal_bench_run(&b, 10 * US_SECOND);
	assert_int_equal(heal_bench_state(&b, 17, NULL), CASE_SETTLING);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 17, NULL), CASE_HEALED);
	assert_true(fake_backend_works(&b.world));
	assert_int_equal(b.world.creations, 1);
	assert_memory_equal(front, fake_record(&b.world, "0.0.0.0:443")->thumbprint, 20);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 1);
	assert_int_equal(heal_bench_count(&b, "repair-end"), 1);
	assert_int_equal(heal_bench_count(&b, "intent"), 2);
	assert_int_equal(heal_bench_pending(&b), 0);
	assert_true(heal_bench_ledger_ok(&b));
	assert_true(b.emitted > 5);
	heal_bench_free(&b);
}

static void rebinds_what_is_there_and_creates_nothing(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	assert_int_equal(b.world.creations, 0);
	assert_true(fake_backend_works(&b.world));
	heal_bench_free(&b);
}

static void forged_events_are_refuted(void **state)
{
	struct heal_bench b;
	struct heal_case c;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 100000);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_REFUTED);
	assert_string_equal(c.verdict, "HEALTHY_NOW");
	heal_bench_suspect(&b, 1, 100001); /* the rest of the same flood: nothing was broken, so nothing is healed */
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_REFUTED);
	assert_int_equal(heal_bench_count(&b, "intent"), 0);
	heal_bench_free(&b);
}

static void late_events_leave_healed_what_was_mended(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 5 * US_MINUTE);
	heal_bench_suspect(&b, 1, 2);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

static void observe_never_acts(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_OBSERVE);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 3 * US_HOUR);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(heal_bench_approve(&b, 1, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	heal_bench_run(&b, US_HOUR);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_false(fake_backend_works(&b.world));
	heal_bench_free(&b);
}

static void approve_waits_for_a_person(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 9, 1);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 9, &c), CASE_WAITING_APPROVAL);
	assert_non_null(strstr(c.advice, "evmend approve 9"));
	assert_true(c.approval_until > b.clock.wall);
	assert_int_equal(heal_bench_count(&b, "intent"), 0);
	heal_bench_run(&b, 40 * US_MINUTE); /* the question expires and is asked again */
	assert_int_equal(heal_bench_state(&b, 9, &c), CASE_WAITING_APPROVAL);
	assert_true(c.approval_until > b.clock.wall);
	assert_int_equal(heal_bench_approve(&b, 9, &e), 0);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 9, NULL), CASE_HEALED);
	assert_int_equal(heal_bench_count(&b, "approval"), 1);
	heal_bench_free(&b);
}

/* The facts change between approval and act: the approval is for another plan. */
static void an_approval_fits_one_plan(void **state)
{
	struct heal_bench b;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 9, 1);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_approve(&b, 9, &e), 0);
	fake_unbind(&b.world);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(heal_bench_state(&b, 9, NULL), CASE_WAITING_APPROVAL);
	heal_bench_free(&b);
}

static void a_latent_fault_is_found_without_events(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	fake_delete_backend_cert(&b.world, true);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, &c), CASE_WAITING_APPROVAL);
	assert_string_equal(c.verdict, "BE_CERT_LATENT");
	assert_int_equal(heal_bench_approve(&b, CASE_OWN_ID, &e), 0);
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

/* Once in a day; the refusal is told once; a person may override the rate. */
static void a_second_repair_waits(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	fake_unbind(&b.world);
	for (int i = 2; i < 8; i++) {
		heal_bench_suspect(&b, 2, i);
		heal_bench_run(&b, 10 * US_MINUTE);
	}
	assert_int_equal(heal_bench_state(&b, 2, &c), CASE_ESCALATED);
	assert_true(c.not_before > b.clock.wall);
	assert_int_equal(b.refusals, 1);
	assert_int_equal(heal_bench_approve(&b, 2, &e), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 2, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

static void a_hold_and_others_at_work_stop_it(void **state)
{
	struct heal_bench b;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	assert_int_equal(healer_hold(b.healer, NULL, true, 0, "uid 0", "maintenance", &e), 0);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HELD);
	b.world.busy = HOST_INSTALLING;
	assert_int_equal(healer_hold(b.healer, NULL, false, 0, "uid 0", "", &e), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	b.world.busy = HOST_FREE;
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

static void a_clock_that_jumps_stops_acting_for_a_minute(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	b.clock.wall += US_HOUR; /* the wall alone */
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 30 * US_SECOND);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

static void a_failed_repair_is_not_tried_again(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	fake_unbind(&b.world);
	b.world.hop_fails = true; /* 444 will work, the hop will not */
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-end"), 1);
	heal_bench_run(&b, 48 * US_HOUR);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 1);
	assert_int_equal(heal_bench_pending(&b), 0);
	heal_bench_free(&b);
}

static bool had_failed(struct heal_bench *b)
{
	struct repair_history history;
	struct heal_repair row;
	struct err e;

	assert_int_equal(repair_row_last(b->healer->db, b->host.config.name, &row, &e), 1);
	assert_int_equal(repair_history(b->healer->db, &row, &history, NULL, &e), 0);
	return history.failed;
}

/* What a start after a crash asks the ledger: a step that failed is not tried again, one that did not is finished. */
static void a_failed_step_is_known_after_a_crash(void **state)
{
	struct heal_bench b;
	bool refused = false;

	(void)state;
	for (int n = 1; n < 60 && !refused; n++) {
		heal_bench_init(&b, MODE_AUTO);
		heal_bench_start(&b);
		heal_bench_run(&b, US_MINUTE);
		fake_unbind(&b.world);
		b.world.fault = FAKE_REFUSE;
		b.world.fail_at = n;
		heal_bench_suspect(&b, 1, 1);
		heal_bench_run(&b, 10 * US_MINUTE);
		if (heal_bench_count(&b, "repair-end") == 1) {
			refused = fake_record(&b.world, "0.0.0.0:444") == NULL;
			assert_int_equal(had_failed(&b), refused);
		}
		heal_bench_free(&b);
	}
	assert_true(refused);
}

/* An expired certificate is replaced with approval; what was there worked, so a person may have it back. */
static void an_undo_leads_back_to_what_worked(void **state)
{
	struct heal_bench b;
	struct err e = {.text = ""};
	uint8_t old[20];

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	b.world.state->certs[0].info.not_after = b.clock.wall - US_DAY;
	memcpy(old, fake_record(&b.world, "0.0.0.0:444")->thumbprint, 20);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_approve(&b, CASE_OWN_ID, &e), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, CASE_OWN_ID, NULL), CASE_HEALED);
	assert_memory_not_equal(old, fake_record(&b.world, "0.0.0.0:444")->thumbprint, 20);
	if (healer_undo(b.healer, CASE_OWN_ID, "uid 0", &e) < 0)
		fail_msg("%s", e.text);
	assert_memory_equal(old, fake_record(&b.world, "0.0.0.0:444")->thumbprint, 20);
	assert_int_equal(b.world.state->n_certs, 3);
	assert_true(heal_bench_ledger_ok(&b));
	heal_bench_free(&b);
}

static void an_undo_to_a_dead_port_is_refused(void **state)
{
	struct heal_bench b;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(healer_undo(b.healer, 1, "uid 0", &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_true(fake_backend_works(&b.world));
	heal_bench_free(&b);
}

static void quiet_cases_are_closed(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 26 * US_HOUR);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_CLOSED);
	assert_int_equal(b.closed, 1);
	heal_bench_free(&b);
}

static void the_outbox_is_given_again_until_it_is_stored(void **state)
{
	struct heal_bench b;
	struct err e;
	int64_t last;
	int n;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 1);
	last = healer_outbox(b.healer, 100);
	n = b.emitted;
	assert_true(last > 0 && n > 0);
	assert_int_equal(healer_outbox(b.healer, 100), 0);
	healer_rewind(b.healer);
	assert_int_equal(healer_outbox(b.healer, 100), last);
	assert_int_equal(b.emitted, 2 * n);
	assert_int_equal(healer_stored(b.healer, last, &e), 0);
	healer_rewind(b.healer);
	assert_int_equal(healer_outbox(b.healer, 100), 0);
	heal_bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repairs_a_deleted_certificate),
		cmocka_unit_test(rebinds_what_is_there_and_creates_nothing),
		cmocka_unit_test(forged_events_are_refuted),
		cmocka_unit_test(late_events_leave_healed_what_was_mended),
		cmocka_unit_test(observe_never_acts),
		cmocka_unit_test(approve_waits_for_a_person),
		cmocka_unit_test(an_approval_fits_one_plan),
		cmocka_unit_test(a_latent_fault_is_found_without_events),
		cmocka_unit_test(a_second_repair_waits),
		cmocka_unit_test(a_hold_and_others_at_work_stop_it),
		cmocka_unit_test(a_clock_that_jumps_stops_acting_for_a_minute),
		cmocka_unit_test(a_failed_repair_is_not_tried_again),
		cmocka_unit_test(a_failed_step_is_known_after_a_crash),
		cmocka_unit_test(an_undo_leads_back_to_what_worked),
		cmocka_unit_test(an_undo_to_a_dead_port_is_refused),
		cmocka_unit_test(quiet_cases_are_closed),
		cmocka_unit_test(the_outbox_is_given_again_until_it_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
