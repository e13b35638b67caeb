/* test_resume.c - a repair that was interrupted goes on by its old permission only with what remains of its own steps, soon, and
 * only when one was begun; all else is decided anew. */
#include <string.h>

#include "base/text.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "lib/check.h"
#include "lib/heal_bench.h"
#include "lib/heal_oracle.h"

struct scene {
	struct heal_bench b;
	struct oracle oracle;
	int steps, dies_at, lost_at;
};

static void kill_it(struct scene *s)
{
	s->b.world.dead = true;
	db_fail_at(s->b.healer->db, -1);
}

static void on_step(void *arg, const struct host_step *step, bool undo)
{
	struct scene *s = arg;

	oracle_step(&s->oracle, step, undo);
	if (++s->steps == s->dies_at)
		kill_it(s);
	if (s->steps == s->lost_at) {
		s->b.world.fault = FAKE_LOST_AFTER;
		s->b.world.fail_at = s->b.world.operations + 1;
	}
}

static void begin(struct scene *s, enum policy_mode mode, void (*broken)(struct fake_world *w))
{
	memset(s, 0, sizeof(*s));
	heal_bench_init(&s->b, mode);
	heal_bench_start(&s->b);
	heal_bench_run(&s->b, US_MINUTE);
	broken(&s->b.world);
	oracle_begin(&s->oracle, &s->b.world, s->b.db_path);
	s->b.world.at_step = on_step;
	s->b.world.arg = s;
	heal_bench_suspect(&s->b, 1, 1);
}

static void start_again(struct scene *s, int64_t later)
{
	kill_it(s);
	heal_bench_crash(&s->b);
	s->b.world.dead = false;
	s->dies_at = 0;
	s->b.clock.wall += later;
	s->b.clock.monotonic += later;
	heal_bench_start(&s->b);
	heal_bench_run(&s->b, 10 * US_MINUTE);
}

static void end(struct scene *s)
{
	if (!oracle_check(&s->oracle))
		fail_msg("%s", s->oracle.wrong);
	heal_bench_free(&s->b);
}

static void approve(struct scene *s)
{
	struct err e = {.text = ""};

	heal_bench_run(&s->b, US_MINUTE);
	assert_int_equal(heal_bench_state(&s->b, 1, NULL), CASE_WAITING_APPROVAL);
	assert_int_equal(heal_bench_approve(&s->b, 1, &e), 0);
}

static void until(struct scene *s, const char *kind)
{
	for (int i = 0; i < 100 && heal_bench_count(&s->b, kind) == 0; i++)
		healer_run(s->b.healer);
	assert_int_equal(heal_bench_count(&s->b, kind), 1);
}

static void end_asked(struct scene *s, int steps)
{
	assert_int_equal(s->steps, steps);
	assert_int_equal(s->b.world.creations, 0);
	assert_int_equal(heal_bench_count(&s->b, "repair-end"), 1);
	assert_int_equal(heal_bench_state(&s->b, 1, NULL), CASE_ESCALATED);
	end(s);
}

/* Three days after an approval other facts ask for other steps: a person is asked again. */
static void an_approval_is_for_its_plan_only(void **state)
{
	(void)state;
	for (int begun = 0; begun < 2; begun++) {
		struct scene s;

		begin(&s, MODE_APPROVE, fake_unbind);
		approve(&s);
		s.dies_at = begun;
		until(&s, begun ? "intent" : "repair-begin");
		assert_int_equal(heal_bench_count(&s.b, "intent"), begun);
		s.b.world.state->certs[0].info.not_after = s.b.clock.wall - US_DAY; /* it does not fit any more */
		start_again(&s, 3 * US_DAY);
		end_asked(&s, begun);
	}
}

/* The same steps still, but too late; or soon, but another step. */
static void it_ends_with_its_time_and_its_steps(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct scene s;

		begin(&s, MODE_APPROVE, fake_unbind);
		approve(&s);
		s.dies_at = 1;
		until(&s, "intent");
		if (!late)
			s.b.world.state->certs[0].info.not_after = s.b.clock.wall - US_DAY;
		start_again(&s, late ? US_DAY : US_MINUTE);
		end_asked(&s, 1);
	}
}

static void what_remains_is_finished(void **state)
{
	struct err e = {.text = ""};
	struct heal_repair row;
	struct scene s;

	(void)state;
	begin(&s, MODE_APPROVE, fake_unbind);
	approve(&s);
	s.dies_at = 1;
	until(&s, "intent");
	start_again(&s, US_MINUTE);
	assert_int_equal(s.steps, 2);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	assert_int_equal(heal_bench_count(&s.b, "repair-resume"), 1);
	assert_int_equal(repair_row_last(s.b.healer->db, NULL, &row, &e), 1);
	assert_string_equal(row.result, "healed");
	end(&s);
}

static void deleted(struct fake_world *w)
{
	fake_delete_backend_cert(w, false);
}

/* The certificate that was created is bound, though its plan could not name it yet. */
static void what_was_created_is_bound(void **state)
{
	(void)state;
	for (int at = 1; at <= 2; at++) {
		struct scene s;

		begin(&s, MODE_APPROVE, deleted);
		approve(&s);
		s.lost_at = at;
		heal_bench_run(&s.b, 10 * US_MINUTE);
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
		assert_int_equal(heal_bench_count(&s.b, "interrupted"), 1);
		assert_int_equal(s.b.world.creations, 1);
		end(&s);
	}
}

/* Nothing was begun in auto mode: the policy decides anew, and the repair itself is not counted against it. */
static void the_policy_decides_anew(void **state)
{
	(void)state;
	for (int lowered = 0; lowered < 2; lowered++) {
		struct scene s;

		begin(&s, MODE_AUTO, deleted);
		until(&s, "repair-begin");
		if (lowered)
			s.b.host.mode = s.b.policy.mode = MODE_APPROVE;
		start_again(&s, US_DAY / 2);
		if (lowered) {
			end_asked(&s, 0);
			continue;
		}
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
		end(&s);
	}
}

static void wrong_store(struct fake_world *w)
{
	text_copy(w->state->certs[0].store, sizeof(w->state->certs[0].store), "WebHosting");
}

static void other_appid(struct fake_world *w)
{
	w->stale = true;
	text_copy(fake_record(w, FAKE_BACKEND)->appid, 48, "{00000000-0000-0000-0000-000000000000}");
}

/* The certificate stays and the rest of its record changes: that is proven too, after an interruption. */
static void a_record_that_changes_beside_its_certificate(void **state)
{
	static void (*const broken[])(struct fake_world *) = {wrong_store, other_appid};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene s;

		begin(&s, MODE_AUTO, broken[i]);
		s.lost_at = 1;
		heal_bench_run(&s.b, US_MINUTE);
		if (heal_bench_state(&s.b, 1, NULL) == CASE_WAITING_APPROVAL)
			approve(&s);
		heal_bench_run(&s.b, 10 * US_MINUTE);
		assert_int_equal(s.steps, 1);
		assert_int_equal(heal_bench_count(&s.b, "interrupted"), 1);
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
		{
			struct err e = {.text = ""};
			struct heal_repair row;

			assert_int_equal(repair_row_last(s.b.healer->db, NULL, &row, &e), 1);
			assert_string_equal(row.result, "healed");
		}
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approval_is_for_its_plan_only),
		cmocka_unit_test(it_ends_with_its_time_and_its_steps),
		cmocka_unit_test(what_remains_is_finished),
		cmocka_unit_test(what_was_created_is_bound),
		cmocka_unit_test(the_policy_decides_anew),
		cmocka_unit_test(a_record_that_changes_beside_its_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
