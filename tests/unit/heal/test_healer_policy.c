/* test_healer_policy.c - the policy at work: loops that end, windows, many hosts at once, holds with an end, restarts. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/heal_bench.h"
#include "lib/zone_file.h"

/* ---- what the ledger says ---- */

static int count(struct db *d, const char *kind, const char *host, const char *part)
{
	struct err e = {.text = ""};
	struct db_row *r = db_prepare(d, "select count(*) from ledger where kind = ? and (? = '' or host = ?) and instr(body, ?) > 0", &e);
	int n;

	assert_non_null(r);
	db_bind_text(r, 1, kind);
	db_bind_text(r, 2, host);
	db_bind_text(r, 3, host);
	db_bind_text(r, 4, part);
	assert_int_equal(db_step(r, &e), 1);
	n = (int)db_int(r, 0);
	db_done(r);
	return n;
}

static int refusals(struct heal_bench *b, const char *reason)
{
	char part[64];

	snprintf(part, sizeof part, "\"reason\":\"%s\"", reason);
	return count(b->healer->db, "refusal", "", part);
}

/* When the n-th repair (from 0) began, in hours since `from`. */
static int begun_after(struct heal_bench *b, int n, int64_t from)
{
	struct err e = {.text = ""};
	struct db_row *r = db_prepare(b->healer->db, "select started from repairs order by id limit 1 offset ?", &e);
	int64_t at = 0;

	assert_non_null(r);
	db_bind_int(r, 1, n);
	if (db_step(r, &e) == 1)
		at = db_int(r, 0);
	db_done(r);
	return at ? (int)((at - from) / US_HOUR) : -1;
}

/* Something breaks it again as soon as it was healed, for ten days: a few repairs, each further from the last, each refusal once. */
static void a_repair_loop_cannot_happen(void **state)
{
	struct heal_bench b;
	int64_t from;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_MINUTE);
	from = b.clock.wall;
	for (int i = 0; i < 10 * 24 * 6; i++) {
		if (fake_backend_works(&b.world) && b.healer->patients[0].repair == NULL) {
			fake_unbind(&b.world);
			heal_bench_suspect(&b, 1, i + 1);
		}
		heal_bench_run(&b, 10 * US_MINUTE);
	}
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 4);
	assert_int_equal(begun_after(&b, 0, from), 0);
	assert_int_equal(begun_after(&b, 1, from), 24);
	assert_int_equal(begun_after(&b, 2, from), 72);
	assert_int_equal(begun_after(&b, 3, from), 168);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_ESCALATED);
	/* each is told once for each time that it broke, with its end; nothing else is */
	assert_int_equal(refusals(&b, "host-limit"), 1);
	assert_int_equal(refusals(&b, "breaks-again"), 3);
	assert_int_equal(heal_bench_count(&b, "refusal"), 4);
	assert_true(heal_bench_ledger_ok(&b));
	heal_bench_free(&b);
}

static void answers_as(struct heal_bench *b, const char *netbios, const char *fqdn)
{
	text_copy(b->world.identity.netbios, sizeof(b->world.identity.netbios), netbios);
	text_copy(b->world.identity.fqdn, sizeof(b->world.identity.fqdn), fqdn);
}

/* The command of this host reaches another one: its mode and its limits are not that one's. */
static void another_server_is_left_alone(void **state)
{
	struct heal_case c;
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	fake_unbind(&b.world);
	answers_as(&b, "EX9", "ex9.lab.example");
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 3 * US_HOUR);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_non_null(strstr(c.text, "Another server answers: ex9.lab.example (EX9), and ex1.lab.example is configured"));
	assert_non_null(strstr(c.advice, "Correct this host in the configuration"));
	answers_as(&b, "EX1", "ex1.lab.example");
	heal_bench_run(&b, 3 * US_HOUR);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

static void outside_its_window_it_waits(void **state)
{
	struct arena *a = arena_new(4096);
	/* 1800000000 is 2027-01-15 08:00 UTC, a Friday */
	struct policy_window w = {.days = 1u << 5, .from = 22 * 60, .to = 4 * 60, .zone = zone_of_rule(a, ZONE_BERLIN)};
	struct heal_bench b;
	struct heal_case c;
	struct err e;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	b.policy.windows = &w;
	b.policy.n_windows = 1;
	heal_bench_start(&b);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, US_HOUR);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_ADVISED);
	assert_int_equal(c.not_before, time_of("2027-01-16 21:00:00"));
	assert_int_equal(refusals(&b, "window"), 1);
	heal_bench_run(&b, time_of("2027-01-16 20:59:59") - b.clock.wall);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(heal_bench_count(&b, "refusal"), 1);
	heal_bench_run(&b, 2 * US_SECOND);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 1); /* as it opens */
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_run(&b, 24 * US_HOUR);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 2, 1);
	heal_bench_run(&b, US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 1);
	assert_int_equal(heal_bench_approve(&b, 2, &e), 0); /* a person at any time */
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 2);
	heal_bench_free(&b);
	arena_free(a);
}

static void a_hold_with_an_end_ends(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	if (healer_hold(b.healer, NULL, true, b.clock.wall + 2 * US_HOUR, "uid 0", "patch day", &e) < 0)
		fail_msg("%s", e.text);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 119 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, &c), CASE_HELD);
	assert_true(c.not_before > b.clock.wall);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	assert_int_equal(refusals(&b, "hold"), 1);
	heal_bench_run(&b, 6 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	assert_int_equal(count(b.healer->db, "hold", "", "\"ended\""), 1);
	heal_bench_free(&b);
}

static void what_was_told_is_not_told_again_after_a_restart(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 10 * US_MINUTE);
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 2, 1);
	for (int i = 0; i < 5; i++) {
		heal_bench_run(&b, 10 * US_MINUTE);
		heal_bench_crash(&b);
		heal_bench_start(&b);
	}
	assert_int_equal(heal_bench_count(&b, "refusal"), 1);
	heal_bench_free(&b);
}

/* Others are at work for an hour, and each minute it looks whether they are done: one refusal. */
static void others_at_work_are_told_once(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	b.world.busy = HOST_INSTALLING;
	fake_unbind(&b.world);
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, US_HOUR);
	assert_int_equal(heal_bench_count(&b, "refusal"), 1);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	b.world.busy = HOST_FREE;
	heal_bench_run(&b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_free(&b);
}

/* While nobody runs the clock goes back over the day's limit: it looks for a minute, and acts no sooner. */
static void a_clock_set_back_while_it_was_down(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	heal_bench_run(&b, US_HOUR);
	heal_bench_crash(&b);
	b.clock.wall -= 10 * US_MINUTE;
	fake_unbind(&b.world);
	heal_bench_start(&b);
	assert_true(healer_tilted(b.healer));
	heal_bench_suspect(&b, 1, 1);
	heal_bench_run(&b, 50 * US_SECOND);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	heal_bench_run(&b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&b, 1, NULL), CASE_HEALED);
	heal_bench_crash(&b);
	heal_bench_start(&b); /* and calm remains calm */
	assert_false(healer_tilted(b.healer));
	heal_bench_free(&b);
}

/* The machine ran on, so that a clock that jumped ahead is seen as well. */
static void a_clock_set_ahead_while_it_was_down(void **state)
{
	struct heal_bench b;

	(void)state;
	heal_bench_init(&b, MODE_AUTO);
	b.options.boot = "this run";
	heal_bench_start(&b);
	heal_bench_run(&b, US_HOUR);
	heal_bench_crash(&b);
	b.clock.wall += 25 * US_HOUR;
	heal_bench_start(&b);
	assert_true(healer_tilted(b.healer));
	heal_bench_crash(&b);
	b.options.boot = "another run";
	b.clock.wall += 25 * US_HOUR;
	heal_bench_start(&b);
	assert_false(healer_tilted(b.healer));
	heal_bench_free(&b);
}

static void the_plan_that_was_read_is_not_the_plan_of_now(void **state)
{
	struct heal_bench b;
	struct heal_case c;
	struct approval a = {.case_id = 9, .actor = "uid 0", .via = "test"};
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_APPROVE);
	heal_bench_start(&b);
	fake_delete_backend_cert(&b.world, false);
	heal_bench_suspect(&b, 9, 1);
	heal_bench_run(&b, US_MINUTE);
	(void)heal_bench_state(&b, 9, &c);
	memcpy(a.plan_id, c.plan_id, 32);
	fake_unbind(&b.world); /* something else is wrong now, and it has been seen */
	heal_bench_run(&b, US_HOUR);
	assert_int_equal(healer_approve(b.healer, &a, &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "the facts have changed"));
	assert_int_equal(heal_bench_count(&b, "approval"), 0);
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 0);
	heal_bench_free(&b);
}

/* ---- many hosts ---- */

#define HOSTS 8

struct fleet_bench {
	struct heal_bench b; /* its clock, policy, database; its own host is not used */
	struct fake_world worlds[HOSTS];
	struct heal_host hosts[HOSTS];
	char names[HOSTS][32];
};

static struct host *open_one(void *arg, const struct host_config *config, int64_t deadline, struct err *e)
{
	struct fleet_bench *f = arg;

	for (size_t i = 0; i < HOSTS; i++)
		if (strcmp(config->name, f->names[i]) == 0)
			return fake_host_open(&f->worlds[i], config, deadline, e);
	err_set(e, ERR_INTERNAL, "no such host");
	return NULL;
}

static void fleet_begin(struct fleet_bench *f, const char *const groups[HOSTS])
{
	static const char *const ex1[] = {"EX1"}; /* all worlds call themselves so */

	heal_bench_init(&f->b, MODE_AUTO);
	for (size_t i = 0; i < HOSTS; i++) {
		snprintf(f->names[i], sizeof f->names[i], "ex%zu.lab.example", i + 1);
		fake_world_init(&f->worlds[i], &f->b.clock);
		f->hosts[i] = (struct heal_host){.config = {.name = f->names[i], .aliases = ex1, .n_aliases = 1,
			.group = groups ? groups[i] : NULL}, .mode = MODE_AUTO};
	}
	f->b.options.hosts = f->hosts;
	f->b.options.n_hosts = HOSTS;
	f->b.options.open_host = open_one;
	f->b.options.open_arg = f;
}

static void fleet_end(struct fleet_bench *f)
{
	for (size_t i = 0; i < HOSTS; i++)
		fake_world_free(&f->worlds[i]);
	heal_bench_free(&f->b);
}

static int working(const struct fleet_bench *f)
{
	int n = 0;

	for (size_t i = 0; i < HOSTS; i++)
		n += fake_backend_works(&f->worlds[i]);
	return n;
}

/* Somebody's script took the record from every host: what was repaired before that was plain stays, the rest waits for a person. */
static void many_at_once_have_one_cause(void **state)
{
	static struct fleet_bench f;
	int repaired;
	struct err e;

	(void)state;
	memset(&f, 0, sizeof f);
	fleet_begin(&f, NULL);
	f.b.policy.per_fleet_day = 1000;
	f.b.policy.blast_hosts = 2;
	for (size_t i = 0; i < HOSTS; i++)
		fake_unbind(&f.worlds[i]);
	heal_bench_start(&f.b);
	heal_bench_run(&f.b, 3 * US_DAY);
	repaired = count(f.b.healer->db, "repair-begin", "", "");
	assert_true(repaired <= 2);
	assert_int_equal(working(&f), repaired);
	assert_int_equal(refusals(&f.b, "blast-radius"), HOSTS - repaired);
	assert_int_equal(heal_bench_count(&f.b, "refusal"), HOSTS - repaired);
	assert_int_equal(count(f.b.healer->db, "refusal", f.names[HOSTS - 1], "\"escalate\":true"), 1);
	for (int i = repaired; i < HOSTS; i++)
		assert_int_equal(heal_bench_state(&f.b, CASE_OWN_ID + i, NULL), CASE_ESCALATED);
	assert_int_equal(heal_bench_approve(&f.b, CASE_OWN_ID + HOSTS - 1, &e), 0);
	heal_bench_run(&f.b, 5 * US_MINUTE);
	assert_int_equal(working(&f), repaired + 1);
	fleet_end(&f);
}

/* A host each hour and a half: no common cause; the group's limit ends it, and the other group has its own. */
static void a_group_has_its_own_limit(void **state)
{
	static const char *const groups[HOSTS] = {"dag1", "dag1", "dag1", "dag1", "dag2", "dag2", NULL, NULL};
	static struct fleet_bench f;

	(void)state;
	memset(&f, 0, sizeof f);
	fleet_begin(&f, groups);
	f.b.policy.per_group_day = 2;
	f.b.policy.per_fleet_day = 1000;
	heal_bench_start(&f.b);
	for (size_t i = 0; i < HOSTS; i++) {
		fake_unbind(&f.worlds[i]);
		heal_bench_run(&f.b, 90 * US_MINUTE);
	}
	assert_int_equal(working(&f), HOSTS - 2);
	assert_int_equal(refusals(&f.b, "group-limit"), 2);
	assert_int_equal(count(f.b.healer->db, "refusal", f.names[2], ""), 1);
	assert_int_equal(count(f.b.healer->db, "refusal", f.names[3], ""), 1);
	heal_bench_run(&f.b, 26 * US_HOUR);
	assert_int_equal(working(&f), HOSTS);
	fleet_end(&f);
}

static void all_hosts_have_a_limit_together(void **state)
{
	static struct fleet_bench f;

	(void)state;
	memset(&f, 0, sizeof f);
	fleet_begin(&f, NULL);
	heal_bench_start(&f.b);
	for (size_t i = 0; i < HOSTS; i++) {
		fake_unbind(&f.worlds[i]);
		heal_bench_run(&f.b, 90 * US_MINUTE);
	}
	assert_int_equal(working(&f), 3);
	assert_int_equal(refusals(&f.b, "fleet-limit"), HOSTS - 3);
	heal_bench_run(&f.b, 17 * US_HOUR);
	assert_int_equal(working(&f), 6);
	assert_true(heal_bench_ledger_ok(&f.b));
	fleet_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repair_loop_cannot_happen),
		cmocka_unit_test(another_server_is_left_alone),
		cmocka_unit_test(outside_its_window_it_waits),
		cmocka_unit_test(a_hold_with_an_end_ends),
		cmocka_unit_test(what_was_told_is_not_told_again_after_a_restart),
		cmocka_unit_test(others_at_work_are_told_once),
		cmocka_unit_test(a_clock_set_back_while_it_was_down),
		cmocka_unit_test(a_clock_set_ahead_while_it_was_down),
		cmocka_unit_test(the_plan_that_was_read_is_not_the_plan_of_now),
		cmocka_unit_test(many_at_once_have_one_cause),
		cmocka_unit_test(a_group_has_its_own_limit),
		cmocka_unit_test(all_hosts_have_a_limit_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
