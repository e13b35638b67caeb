/* test_chart.c - the policy's question from heal.db: exact counts, hosts alike, holds, approvals, clocks; and what is told once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/chart.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/scratch.h"

#define NOW (INT64_C(1800000000) * US_SECOND)

struct bench {
	struct scratch scratch;
	struct db *db;
	struct policy_config config;
	struct diagnosis *d;
	struct chart_texts texts;
	struct err e;
	int token;
};

static void open_db(struct bench *b)
{
	b->db = db_open(scratch_path(&b->scratch, "heal.db"), &heal_schema, DB_WRITE, &b->e);
	if (b->db == NULL)
		fail_msg("%s", b->e.text);
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof *b);
	scratch_init(&b->scratch);
	b->config = policy_defaults();
	b->d = calloc(1, sizeof *b->d);
	assert_non_null(b->d);
	b->d->verdict.name = "BE_CERT_DELETED";
	b->d->verdict.cause = "exchange-backend-certificate";
	b->d->verdict.repairable = REPAIR_BY_POLICY;
	b->d->plan.n = 1;
	memset(b->d->plan.id, 7, 32);
	open_db(b);
}

static void end(struct bench *b)
{
	db_close(b->db);
	free(b->d);
	scratch_free(&b->scratch);
}

static void again(struct bench *b) /* as a restart */
{
	db_close(b->db);
	open_db(b);
}

static void good(struct bench *b, int r)
{
	if (r < 0)
		fail_msg("%s", b->e.text);
}

static void repaired(struct bench *b, const char *host, int64_t at, const char *result)
{
	struct heal_repair r = {.started = at, .ended = result[0] ? at + US_MINUTE : 0};

	snprintf(r.token, sizeof r.token, "t%d", b->token++);
	text_copy(r.host, sizeof r.host, host);
	text_copy(r.result, sizeof r.result, result);
	good(b, repair_row_add(b->db, &r, &b->e));
}

static struct policy_input ask(struct bench *b, const char *host, int64_t now, const char *const *group, size_t n_group)
{
	struct policy_input in = {.config = &b->config, .mode = MODE_AUTO, .busy = TRI_NO, .group_hosts = group, .n_group = n_group};

	good(b, chart_policy_input(b->db, now, host, b->d, &in, &b->texts, &b->e));
	return in;
}

/* Many repairs, limits above what any array would hold. */
static void counts_are_exact(void **state)
{
	static const char *const group[] = {"a1", "a2"};
	struct policy_input in;
	struct bench b;

	(void)state;
	begin(&b);
	b.config.per_host_day = 100;
	b.config.per_group_day = 150;
	b.config.per_fleet_day = 1000;
	for (int i = 0; i < 300; i++) { /* one in four minutes, the newest 4 minutes ago */
		char host[8];

		snprintf(host, sizeof host, "%c%d", i % 2 ? 'b' : 'a', i % 3 + 1);
		repaired(&b, host, NOW - (i + 1) * 4 * US_MINUTE, "healed");
	}
	repaired(&b, "a1", NOW - 25 * US_HOUR, "healed");
	repaired(&b, "a1", NOW - 31 * US_DAY, "healed");
	in = ask(&b, "a1", NOW, group, 2);
	assert_int_equal(in.host.n, 50);
	assert_int_equal(in.host.nth, 0);
	assert_int_equal(in.group.n, 100);
	assert_int_equal(in.fleet.n, 300);
	assert_int_equal(in.healed_lately, 51);
	assert_int_equal(in.newest, NOW - 4 * US_MINUTE);
	b.config.per_host_day = 50;
	b.config.per_group_day = 3;
	b.config.per_fleet_day = 299;
	in = ask(&b, "a1", NOW, group, 2);
	assert_int_equal(in.host.nth, NOW - 295 * 4 * US_MINUTE); /* every sixth is a1's */
	assert_int_equal(in.group.nth, NOW - 7 * 4 * US_MINUTE);  /* a1, (a3), a2, a1: the first, third and seventh */
	assert_int_equal(in.fleet.nth, NOW - 299 * 4 * US_MINUTE);
	in = ask(&b, "A1", NOW, NULL, 0);
	assert_int_equal(in.host.n, 50);
	assert_int_equal(in.group.n, 0);
	end(&b);
}

static void a_day_and_a_month_have_their_edges(void **state)
{
	struct policy_input in;
	struct bench b;

	(void)state;
	begin(&b);
	repaired(&b, "ex1", NOW - US_DAY, "healed");
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).host.n, 0);
	in = ask(&b, "ex1", NOW - 1, NULL, 0);
	assert_int_equal(in.host.n, 1);
	assert_int_equal(in.host.nth, NOW - US_DAY);
	assert_int_equal(ask(&b, "ex1", NOW + 29 * US_DAY, NULL, 0).healed_lately, 0);
	assert_int_equal(ask(&b, "ex1", NOW + 29 * US_DAY - 1, NULL, 0).healed_lately, 1);
	assert_int_equal(ask(&b, "ex1", NOW + 29 * US_DAY, NULL, 0).newest, 0);
	assert_false(in.failed_before);
	repaired(&b, "ex1", NOW, "rolled-back");
	in = ask(&b, "ex1", NOW, NULL, 0);
	assert_true(in.failed_before);
	assert_int_equal(in.healed_lately, 1);
	assert_false(ask(&b, "ex2", NOW, NULL, 0).failed_before);
	repaired(&b, "ex1", NOW + 1, "");
	assert_true(ask(&b, "ex1", NOW + 1, NULL, 0).failed_before); /* one that goes on says nothing yet */
	repaired(&b, "ex1", NOW + 2, "healed");
	assert_false(ask(&b, "ex1", NOW + 2, NULL, 0).failed_before);
	end(&b);
}

static void sick(struct bench *b, const char *host, int64_t at, const char *cause, bool healthy)
{
	struct verdict v = {.name = "X", .cause = cause, .healthy = healthy};

	good(b, chart_episode(b->db, at, host, &v, &b->e));
}

/* What began within an hour of each other counts, however long ago that is; being well ends it; unknown changes nothing. */
static void hosts_alike(void **state)
{
	const char *cause = "exchange-backend-certificate";
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).alike, 1);
	sick(&b, "ex1", NOW, cause, false);
	sick(&b, "ex2", NOW - US_HOUR, cause, false);
	sick(&b, "ex3", NOW - US_HOUR - 1, cause, false);
	sick(&b, "ex4", NOW + US_HOUR, cause, false);
	sick(&b, "ex5", NOW + US_HOUR + 1, cause, false);
	sick(&b, "ex6", NOW, "exchange-tls-configuration", false);
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).alike, 3);
	assert_int_equal(ask(&b, "ex1", NOW + 30 * US_DAY, NULL, 0).alike, 3); /* time alone does not help */
	sick(&b, "ex1", NOW + 10, cause, false); /* the same trouble, seen again */
	sick(&b, "ex1", NOW + 20, NULL, false);  /* not known */
	assert_int_equal(ask(&b, "ex1", NOW + 30, NULL, 0).alike, 3);
	again(&b);
	assert_int_equal(ask(&b, "ex1", NOW + 30, NULL, 0).alike, 3);
	sick(&b, "ex2", NOW + 40, NULL, true); /* repaired: it was part of it all the same */
	assert_int_equal(ask(&b, "ex1", NOW + 50, NULL, 0).alike, 3);
	sick(&b, "ex1", NOW + 60, NULL, true);
	sick(&b, "ex1", NOW + 2 * US_DAY, cause, false); /* new trouble */
	assert_int_equal(ask(&b, "ex1", NOW + 2 * US_DAY, NULL, 0).alike, 1);
	sick(&b, "ex4", NOW + 2 * US_DAY, "exchange-tls-configuration", false); /* another cause ends the first one */
	sick(&b, "ex4", NOW + 2 * US_DAY + 5, cause, false);
	assert_int_equal(ask(&b, "ex1", NOW + 2 * US_DAY, NULL, 0).alike, 2);
	b.d->verdict.cause = NULL;
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).alike, 1);
	end(&b);
}

/* ---- holds ---- */

static int count_records(struct bench *b, const char *kind, const char *part)
{
	struct db_row *r = db_prepare(b->db, "select count(*) from ledger where kind = ? and instr(body, ?) > 0", &b->e);
	int n;

	assert_non_null(r);
	db_bind_text(r, 1, kind);
	db_bind_text(r, 2, part);
	assert_int_equal(db_step(r, &b->e), 1);
	n = (int)db_int(r, 0);
	db_done(r);
	return n;
}

static void a_hold_ends_by_itself(void **state)
{
	struct bench b;
	struct policy_input in;
	int64_t next;

	(void)state;
	begin(&b);
	assert_int_equal(control_hold(b.db, NOW, NULL, true, NOW, "uid 0", "why", &b.e), -1);
	good(&b, control_hold(b.db, NOW, "ex1", true, NOW + US_HOUR, "uid 0", "patch day", &b.e));
	in = ask(&b, "ex1", NOW + US_HOUR - 1, NULL, 0);
	assert_true(in.held);
	assert_int_equal(in.held_until, NOW + US_HOUR);
	assert_non_null(strstr(in.held_why, "patch day"));
	assert_false(ask(&b, "ex2", NOW, NULL, 0).held);
	assert_false(ask(&b, "ex1", NOW + US_HOUR, NULL, 0).held);
	good(&b, control_end_holds(b.db, NOW + US_HOUR - 1, &next, &b.e));
	assert_int_equal(next, NOW + US_HOUR);
	assert_int_equal(count_records(&b, "hold", "\"ended\""), 0);
	again(&b);
	good(&b, control_end_holds(b.db, NOW + US_HOUR, &next, &b.e));
	assert_int_equal(next, INT64_MAX);
	assert_int_equal(count_records(&b, "hold", "\"ended\""), 1);
	assert_int_equal(count_records(&b, "hold", "patch day"), 2);
	good(&b, control_end_holds(b.db, NOW + US_HOUR, &next, &b.e));
	assert_int_equal(count_records(&b, "hold", "\"ended\""), 1);
	end(&b);
}

static void of_several_holds_the_last_end_counts(void **state)
{
	struct bench b;
	int64_t next;

	(void)state;
	begin(&b);
	good(&b, control_hold(b.db, NOW, "ex1", true, NOW + US_HOUR, "uid 0", "short", &b.e));
	good(&b, control_hold(b.db, NOW, NULL, true, NOW + 2 * US_HOUR, "uid 0", "long", &b.e));
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).held_until, NOW + 2 * US_HOUR);
	good(&b, control_hold(b.db, NOW, NULL, true, 0, "uid 0", "for ever", &b.e));
	assert_int_equal(ask(&b, "ex1", NOW, NULL, 0).held_until, 0);
	assert_true(ask(&b, "ex1", NOW + 400 * US_DAY, NULL, 0).held);
	good(&b, control_end_holds(b.db, NOW + US_DAY, &next, &b.e));
	assert_int_equal(next, INT64_MAX);
	good(&b, control_hold(b.db, NOW, NULL, false, 0, "uid 0", "", &b.e));
	assert_false(ask(&b, "ex1", NOW + US_DAY, NULL, 0).held);
	end(&b);
}

/* ---- approvals ---- */

static int64_t a_case(struct bench *b, enum case_state state)
{
	struct chart_entry entry = {.state = state, .d = b->d, .approval_until = NOW + 30 * US_MINUTE};
	int64_t id;

	good(b, chart_own_case(b->db, NOW, "ex1", b->d->verdict.cause, &entry, &id, &b->e));
	return id;
}

static int approve(struct bench *b, int64_t id, uint8_t plan, int64_t now, int64_t until)
{
	struct approval a = {.case_id = id, .actor = "Ada (uid 0, pid 7)", .via = "a page", .until = until};

	memset(a.plan_id, plan, 32);
	b->e.code = ERR_NONE;
	return control_approve(b->db, now, &a, 30 * US_MINUTE, &b->e);
}

static void an_approval_is_for_the_plan_that_was_read(void **state)
{
	struct policy_decision to;
	struct policy_input in;
	struct bench b;
	int64_t id;

	(void)state;
	begin(&b);
	id = a_case(&b, CASE_WAITING_APPROVAL);
	assert_int_equal(approve(&b, id, 8, NOW, 0), -1);
	assert_int_equal(b.e.code, ERR_REFUSED);
	assert_non_null(strstr(b.e.text, "070707070707 now, not 080808080808"));
	assert_int_equal(approve(&b, id + 1, 7, NOW, 0), -1);
	assert_int_equal(b.e.code, ERR_USAGE);
	assert_int_equal(approve(&b, id, 7, NOW, NOW), -1); /* came too late */
	assert_int_equal(count_records(&b, "approval", ""), 0);
	assert_int_equal(approve(&b, id, 7, NOW, NOW + US_MINUTE), 0); /* shorter than it may */
	in = ask(&b, "ex1", NOW, NULL, 0);
	assert_true(in.approval.there);
	assert_int_equal(in.approval.until, NOW + US_MINUTE);
	assert_int_equal(approve(&b, id, 7, NOW, NOW + US_DAY), 0); /* no longer than it may */
	in = ask(&b, "ex1", NOW, NULL, 0);
	assert_int_equal(in.approval.until, NOW + 30 * US_MINUTE);
	assert_int_equal(count_records(&b, "approval", "Ada (uid 0, pid 7)"), 2);
	in.mode = MODE_APPROVE;
	policy_decide(&in, "ex1", &to);
	assert_string_equal(to.reason, "approved");
	memset(b.d->plan.id, 9, 32); /* the facts are others now */
	assert_false(ask(&b, "ex1", NOW, NULL, 0).approval.there);
	memset(b.d->plan.id, 7, 32);
	assert_false(ask(&b, "ex2", NOW, NULL, 0).approval.there);
	good(&b, approval_use(b.db, "ex1", b.d->plan.id, &b.e));
	assert_false(ask(&b, "ex1", NOW, NULL, 0).approval.there);
	assert_int_equal(approve(&b, id, 7, NOW + 30 * US_MINUTE, 0), -1); /* the question has expired */
	assert_non_null(strstr(b.e.text, "expired"));
	end(&b);
}

static void what_may_be_approved_and_closed(void **state)
{
	static const struct { enum case_state state; bool approve, close; } rows[] = {
		{CASE_OPEN, true, true}, {CASE_DIAGNOSING, true, true}, {CASE_ADVISED, true, true}, {CASE_WAITING_APPROVAL, true, true},
		{CASE_REPAIRING, false, false}, {CASE_SETTLING, false, false}, {CASE_HEALED, false, true}, {CASE_REFUTED, false, true},
		{CASE_ESCALATED, true, true}, {CASE_HELD, true, true}, {CASE_CLOSED, false, false},
	};
	struct bench b;

	(void)state;
	begin(&b);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t id = a_case(&b, rows[i].state);

		assert_int_equal(approve(&b, id, 7, NOW, 0) == 0, rows[i].approve);
		assert_int_equal(control_close(b.db, NOW, id, "uid 0", "a test", &b.e) == 0, rows[i].close);
		assert_int_equal(control_close(b.db, NOW, id, "uid 0", "a test", &b.e), -1); /* once */
		assert_int_equal(b.e.code, ERR_REFUSED);
	}
	assert_int_equal(count_records(&b, "approval", ""), 6);
	assert_int_equal(count_records(&b, "close", "a test"), 8);
	assert_int_equal(control_close(b.db, NOW, 5, "uid 0", "a test", &b.e), -1);
	assert_int_equal(b.e.code, ERR_USAGE);
	end(&b);
}

static void the_plan_of_a_case_is_in_the_ledger(void **state)
{
	struct bench b;
	struct json *j;

	(void)state;
	begin(&b);
	text_copy(b.d->plan.steps[0].what, sizeof b.d->plan.steps[0].what, "bind it");
	good(&b, chart_diagnosis(b.db, NOW, "ex1", 1, b.d, &b.e));
	memset(b.d->plan.id, 8, 32);
	good(&b, chart_diagnosis(b.db, NOW, "ex1", 1, b.d, &b.e));
	memset(b.d->plan.id, 7, 32);
	assert_int_equal(chart_plan(b.db, "ex1", b.d->plan.id, &j, &b.e), 1);
	assert_string_equal(json_str(json_get(json_at(json_get(json_get(j, "plan"), "steps"), 0), "what"), ""), "bind it");
	json_free(j);
	assert_int_equal(chart_plan(b.db, "ex2", b.d->plan.id, &j, &b.e), 0);
	assert_null(j);
	end(&b);
}

/* ---- refusals ---- */

static int tell(struct bench *b, int64_t now, const char *reason, int64_t not_before)
{
	struct policy_decision to = {.answer = POLICY_REFUSE, .reason = reason, .not_before = not_before, .why = "why"};
	int told = chart_refusal(b->db, now, "ex1", 1, "X", b->d->plan.id, &to, &b->e);

	good(b, told);
	return told;
}

static void each_refusal_is_told_once(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(tell(&b, NOW, "host-limit", NOW + US_HOUR), 1);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(tell(&b, NOW + i, "host-limit", NOW + US_HOUR), 0);
		again(&b); /* a restart does not tell it again */
	}
	assert_int_equal(tell(&b, NOW, "hold", 0), 1);
	assert_int_equal(tell(&b, NOW, "hold", 0), 0);
	assert_int_equal(tell(&b, NOW, "host-limit", NOW + US_HOUR), 0); /* its end has not come */
	assert_int_equal(tell(&b, NOW, "busy", 0), 1);
	assert_int_equal(tell(&b, NOW, "hold", 0), 1); /* it had ended, and is back */
	assert_int_equal(tell(&b, NOW + US_HOUR, "host-limit", NOW + 2 * US_HOUR), 1); /* what was promised did not come */
	assert_int_equal(tell(&b, NOW + US_HOUR, "host-limit", NOW + 2 * US_HOUR), 0);
	b.d->plan.id[0] ^= 1;
	assert_int_equal(tell(&b, NOW + US_HOUR, "host-limit", NOW + 2 * US_HOUR), 1); /* of another plan */
	assert_int_equal(count_records(&b, "refusal", ""), 6);
	assert_int_equal(count_records(&b, "refusal", "\"reason\":\"busy\""), 1);
	good(&b, chart_refusals_end(b.db, "ex1", &b.e));
	assert_int_equal(tell(&b, NOW + US_HOUR, "host-limit", NOW + 2 * US_HOUR), 1);
	end(&b);
}

/* ---- the hold file ---- */

static void a_hold_file_that_cannot_be_looked_at_counts(void **state)
{
	struct scratch s;
	char below[600];

	(void)state;
	scratch_init(&s);
	assert_false(chart_hold_file(NULL));
	assert_false(chart_hold_file(scratch_path(&s, "hold")));
	scratch_write(&s, "hold", "", 0);
	assert_true(chart_hold_file(scratch_path(&s, "hold")));
	snprintf(below, sizeof below, "%s/below", scratch_path(&s, "hold"));
	assert_true(chart_hold_file(below)); /* a file is no folder: nobody knows what was meant */
	scratch_free(&s);
}

/* ---- clocks ---- */

#define M (10 * US_HOUR) /* monotonic */

static int doubt(struct bench *b, int64_t wall, int64_t monotonic, const char *boot)
{
	char why[200];
	int r = clock_row_check(b->db, wall, monotonic, boot, why, &b->e);

	good(b, r);
	assert_int_equal(r == 1, why[0] != '\0');
	return r;
}

static void a_clock_that_jumped_meanwhile_is_noticed(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	assert_int_equal(doubt(&b, NOW, M, "a"), 0); /* the first start */
	good(&b, clock_row_put(b.db, NOW, M, "a", &b.e));
	assert_int_equal(doubt(&b, NOW + US_HOUR, M + US_HOUR, "a"), 0);
	/* 5 s, and a thousandth of the hour */
	assert_int_equal(doubt(&b, NOW + US_HOUR + 8600000, M + US_HOUR, "a"), 0);
	assert_int_equal(doubt(&b, NOW + US_HOUR + 8600001, M + US_HOUR, "a"), 1); /* ahead */
	assert_int_equal(doubt(&b, NOW + US_HOUR - 8600000, M + US_HOUR, "a"), 0);
	assert_int_equal(doubt(&b, NOW + US_HOUR - 8600001, M + US_HOUR, "a"), 1); /* back, though behind what was written */
	assert_int_equal(doubt(&b, NOW + US_HOUR, M - 1, "a"), 0); /* it cannot be the same run */
	assert_int_equal(doubt(&b, NOW + US_HOUR, 50, "b"), 0);    /* another run of the machine: nobody knows */
	assert_int_equal(doubt(&b, NOW + US_DAY, M + US_HOUR, ""), 0);
	assert_int_equal(doubt(&b, NOW - 5 * US_SECOND, 50, "b"), 0);
	assert_int_equal(doubt(&b, NOW - 5 * US_SECOND - 1, 50, "b"), 1); /* but never back */
	good(&b, clock_row_put(b.db, NOW, M, "", &b.e));
	assert_int_equal(doubt(&b, NOW + US_DAY, M + US_HOUR, ""), 0); /* a machine that does not name its runs */
	good(&b, ledger_add(b.db, NOW + US_HOUR, "close", "", 0, "{}", &b.e));
	assert_int_equal(doubt(&b, NOW + US_MINUTE, 50, "b"), 1); /* behind the ledger */
	assert_int_equal(doubt(&b, NOW + US_HOUR, 50, "b"), 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_exact),
		cmocka_unit_test(a_day_and_a_month_have_their_edges),
		cmocka_unit_test(hosts_alike),
		cmocka_unit_test(a_hold_ends_by_itself),
		cmocka_unit_test(of_several_holds_the_last_end_counts),
		cmocka_unit_test(an_approval_is_for_the_plan_that_was_read),
		cmocka_unit_test(what_may_be_approved_and_closed),
		cmocka_unit_test(the_plan_of_a_case_is_in_the_ledger),
		cmocka_unit_test(each_refusal_is_told_once),
		cmocka_unit_test(a_hold_file_that_cannot_be_looked_at_counts),
		cmocka_unit_test(a_clock_that_jumped_meanwhile_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
