/* test_policy.c - permission as a table. */
#include <stdlib.h>
#include <string.h>

#include "heal/policy.h"
#include "lib/check.h"

#define NOW (INT64_C(1800000000) * US_SECOND)

struct row {
	const char *what;
	enum policy_mode mode;
	enum repairable repairable;
	int steps, unknown_rows;
	bool held, hold_file, tilt, busy, failed_before, approved, restart;
	int repairs;          /* of this host, healed, each a day and an hour apart; the newest `age` ago */
	int64_t age;
	int others;           /* repairs of other hosts in the last hours */
	enum policy_answer answer;
	int64_t not_before;   /* from now */
};

#define H US_HOUR

static const struct row table[] = {
	{.what = "auto goes", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .answer = POLICY_GO},
	{.what = "approve asks", .mode = MODE_APPROVE, .repairable = REPAIR_BY_POLICY, .steps = 1, .answer = POLICY_ASK},
	{.what = "observe advises", .mode = MODE_OBSERVE, .repairable = REPAIR_BY_POLICY, .steps = 1, .answer = POLICY_ADVISE},
	{.what = "observe advises whoever asks", .mode = MODE_OBSERVE, .repairable = REPAIR_BY_POLICY, .steps = 1, .approved = true,
		.answer = POLICY_ADVISE},
	{.what = "approved goes", .mode = MODE_APPROVE, .repairable = REPAIR_BY_POLICY, .steps = 1, .approved = true, .answer = POLICY_GO},
	{.what = "never is never", .mode = MODE_AUTO, .repairable = REPAIR_NEVER, .steps = 1, .approved = true, .answer = POLICY_ADVISE},
	{.what = "an empty plan is none", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .answer = POLICY_ADVISE},
	{.what = "unknown refuses", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .unknown_rows = 1, .approved = true,
		.answer = POLICY_REFUSE},
	{.what = "by approval asks", .mode = MODE_AUTO, .repairable = REPAIR_BY_APPROVAL, .steps = 1, .answer = POLICY_ASK},
	{.what = "a restart asks", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .restart = true, .answer = POLICY_ASK},
	{.what = "held", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .held = true, .approved = true,
	.answer = POLICY_REFUSE},
	{.what = "hold file", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .hold_file = true, .approved = true,
		.answer = POLICY_REFUSE},
	{.what = "tilt", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .tilt = true, .approved = true,
	.answer = POLICY_REFUSE},
	{.what = "busy", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .busy = true, .approved = true,
	.answer = POLICY_REFUSE},
	{.what = "failed before asks", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .failed_before = true,
	.answer = POLICY_ASK},
	{.what = "one a day", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 1, .age = 2 * H,
	.answer = POLICY_REFUSE,
		.not_before = 22 * H},
	{.what = "the next day", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 1, .age = 25 * H,
	.answer = POLICY_GO},
	{.what = "broke again: twice as long", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 2, .age = 25 * H,
		.answer = POLICY_REFUSE, .not_before = 23 * H},
	{.what = "and again", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 3, .age = 49 * H,
	.answer = POLICY_REFUSE,
		.not_before = 47 * H},
	{.what = "after the wait", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 2, .age = 49 * H,
	.answer = POLICY_GO},
	{.what = "a person overrides the rate", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .repairs = 1, .age = H,
		.approved = true, .answer = POLICY_GO},
	{.what = "three a day over all hosts", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .others = 3,
	.answer = POLICY_REFUSE,
		.not_before = 21 * H},
	{.what = "two are fine", .mode = MODE_AUTO, .repairable = REPAIR_BY_POLICY, .steps = 1, .others = 2, .answer = POLICY_GO},
};

static void fill_repairs(const struct row *r, struct policy_input *in)
{
	for (int i = 0; i < r->others; i++) {
		in->repairs[in->n_repairs].host = "ex2";
		in->repairs[in->n_repairs].ok = true;
		in->repairs[in->n_repairs++].at = NOW - (i + 1) * H;
	}
	for (int i = 0; i < r->repairs; i++) {
		in->repairs[in->n_repairs].host = "ex1";
		in->repairs[in->n_repairs].ok = true;
		in->repairs[in->n_repairs++].at = NOW - r->age - i * 25 * H;
	}
}

static void the_table(void **state)
{
	struct policy_config config = {.per_host_day = 1, .per_fleet_day = 3, .hold_file = "/run/hold"};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *r = &table[i];
		struct diagnosis *d = calloc(1, sizeof(*d));
		struct policy_input in = {.config = &config, .mode = r->mode, .d = d, .now = NOW, .tilt = r->tilt, .held = r->held,
			.hold_file = r->hold_file, .busy = r->busy, .failed_before = r->failed_before, .approved = r->approved};
		struct policy_decision to;

		assert_non_null(d);
		d->verdict.name = "BE_CERT_DELETED";
		d->verdict.repairable = r->repairable;
		d->verdict.n_not_excluded = (size_t)r->unknown_rows;
		d->verdict.not_excluded[0] = "BE_SITE_DOWN";
		d->plan.n = (size_t)r->steps;
		d->plan.steps[0].by_approval_only = r->restart;
		fill_repairs(r, &in);
		policy_decide(&in, "EX1", &to);
		if (to.answer != r->answer || to.why[0] == '\0' || to.not_before != (r->not_before ? NOW + r->not_before : 0))
			fail_msg("%s: answer %d, %s, not before now + %lld s", r->what, to.answer, to.why,
				(long long)(to.not_before ? (to.not_before - NOW) / US_SECOND : 0));
		free(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
