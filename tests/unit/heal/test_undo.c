/* test_undo.c - a person takes a repair back: only what is still ours, only to what works, only while nobody objects. */
#include <stdio.h>
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_bench.h"
#include "lib/heal_oracle.h"
#include "os/os.h"

#define CASE CASE_OWN_ID

struct scene {
	struct heal_bench b;
	struct oracle after; /* the picture when the repair had ended */
	uint8_t old[20], new[20];
};

/* An expired certificate that works is replaced by a new one, with approval. */
static void renew(struct scene *s, enum policy_mode mode)
{
	struct err e = {.text = ""};

	heal_bench_init(&s->b, MODE_APPROVE);
	s->b.world.state->certs[0].info.not_after = s->b.clock.wall - US_DAY;
	memcpy(s->old, fake_record(&s->b.world, FAKE_BACKEND)->thumbprint, 20);
	heal_bench_start(&s->b);
	heal_bench_run(&s->b, US_MINUTE);
	assert_int_equal(heal_bench_approve(&s->b, CASE, &e), 0);
	heal_bench_run(&s->b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&s->b, CASE, NULL), CASE_HEALED);
	memcpy(s->new, fake_record(&s->b.world, FAKE_BACKEND)->thumbprint, 20);
	assert_memory_not_equal(s->old, s->new, 20);
	s->b.host.mode = s->b.policy.mode = mode;
}

static void picture(struct scene *s)
{
	oracle_begin(&s->after, &s->b.world, s->b.db_path);
}

static void refused(struct scene *s, const char *why)
{
	int acts = heal_bench_count(&s->b, "undo-intent");
	struct err e = {.text = ""};

	picture(s);
	assert_int_equal(healer_undo(s->b.healer, CASE, "uid 0", &e), -1);
	if (strstr(e.text, why) == NULL)
		fail_msg("refused for another reason: %s", e.text);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_int_equal(heal_bench_count(&s->b, "undo-intent"), acts);
	assert_true(oracle_same(&s->after));
}

static void undone(struct scene *s)
{
	struct err e = {.text = ""};

	if (healer_undo(s->b.healer, CASE, "uid 0", &e) < 0)
		fail_msg("%s", e.text);
	assert_memory_equal(s->old, fake_record(&s->b.world, FAKE_BACKEND)->thumbprint, 20);
	assert_null(fake_cert(&s->b.world, s->new, "MY"));
	assert_int_equal(heal_bench_pending(&s->b), 0);
	assert_true(heal_bench_ledger_ok(&s->b));
}

static void end(struct scene *s)
{
	heal_bench_free(&s->b);
}

static void a_person_undoes_in_any_mode(void **state)
{
	static const enum policy_mode modes[] = {MODE_OBSERVE, MODE_APPROVE, MODE_AUTO};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct scene s;

		renew(&s, modes[i]);
		undone(&s);
		assert_int_equal(heal_bench_state(&s.b, CASE, NULL), CASE_ADVISED);
		end(&s);
	}
}

static void nothing_is_undone_twice(void **state)
{
	struct scene s;

	(void)state;
	renew(&s, MODE_APPROVE);
	undone(&s);
	refused(&s, "changed nothing");
	end(&s);
}

static void holds_doubt_and_others_at_work_stop_it(void **state)
{
	struct err e = {.text = ""};
	struct scene s;
	char path[512];

	(void)state;
	renew(&s, MODE_AUTO);
	assert_int_equal(healer_hold(s.b.healer, NULL, true, 0, "uid 0", "maintenance", &e), 0);
	refused(&s, "maintenance");
	assert_int_equal(healer_hold(s.b.healer, NULL, false, 0, "uid 0", "", &e), 0);
	snprintf(path, sizeof(path), "%s", scratch_path(&s.b.scratch, "hold"));
	scratch_write(&s.b.scratch, "hold", "", 0);
	s.b.policy.hold_file = path;
	refused(&s, "hold file");
	s.b.policy.hold_file = NULL;
	healer_tilt(s.b.healer, "a test");
	refused(&s, "in doubt");
	heal_bench_run(&s.b, 2 * US_MINUTE);
	s.b.world.busy = HOST_INSTALLING;
	refused(&s, "others are at work");
	s.b.world.busy = HOST_FREE;
	s.b.world.locked = true;
	refused(&s, "lock");
	s.b.world.locked = false;
	undone(&s);
	end(&s);
}

static void what_another_changed_is_left_alone(void **state)
{
	struct scene s;
	struct host_cert *other;

	(void)state;
	renew(&s, MODE_AUTO);
	/* the record names a third certificate */
	other = fake_cert_add(&s.b.world, "MY", "Microsoft Exchange", true, 700);
	memcpy(fake_record(&s.b.world, FAKE_BACKEND)->thumbprint, other->info.thumbprint, 20);
	refused(&s, "somebody has changed it since");
	memcpy(fake_record(&s.b.world, FAKE_BACKEND)->thumbprint, s.new, 20);
	/* only its flags differ */
	fake_record(&s.b.world, FAKE_BACKEND)->flags = 2;
	refused(&s, "somebody has changed it since");
	fake_record(&s.b.world, FAKE_BACKEND)->flags = 0;
	/* what we made serves elsewhere too */
	fake_bind(&s.b.world, "0.0.0.0:8443", 8443, s.new, "MY");
	refused(&s, "bound to 0.0.0.0:8443");
	s.b.world.state->n_records--;
	s.b.world.state->itc_known = true;
	memcpy(s.b.world.state->itc, s.new, 20);
	refused(&s, "internal transport certificate");
	s.b.world.state->itc_known = false;
	undone(&s);
	end(&s);
}

static void what_no_longer_works_does_not_come_back(void **state)
{
	struct scene s;
	struct host_cert *c, kept;

	(void)state;
	renew(&s, MODE_AUTO);
	c = fake_cert(&s.b.world, s.old, "MY");
	c->key_opens = TRI_NO;
	refused(&s, "going back would break the service");
	c->key_opens = TRI_UNKNOWN;
	refused(&s, "going back would break the service");
	c->key_opens = TRI_YES;
	kept = *c;
	*c = s.b.world.state->certs[--s.b.world.state->n_certs];
	refused(&s, "going back would break the service");
	s.b.world.state->certs[s.b.world.state->n_certs++] = kept;
	s.b.world.state->known &= ~(unsigned)HOST_PART_CERTS;
	{
		struct err e = {.text = ""};

		assert_int_equal(healer_undo(s.b.healer, CASE, "uid 0", &e), -1);
		assert_int_equal(heal_bench_count(&s.b, "undo-intent"), 0);
	}
	s.b.world.state->known |= HOST_PART_CERTS;
	undone(&s);
	end(&s);
}

static void a_lie_is_not_believed(void **state)
{
	struct err e = {.text = ""};
	struct scene s;
	bool seen = false;

	(void)state;
	for (int n = 1; n < 60 && !seen; n++) {
		renew(&s, MODE_AUTO);
		s.b.world.fault = FAKE_LIE;
		s.b.world.fail_at = s.b.world.operations + n;
		if (healer_undo(s.b.healer, CASE, "uid 0", &e) < 0 && e.code == ERR_NEEDS_PERSON) {
			seen = true; /* the undo of the record said "done" */
			assert_memory_equal(s.new, fake_record(&s.b.world, FAKE_BACKEND)->thumbprint, 20);
		}
		assert_int_equal(heal_bench_pending(&s.b), 0);
		assert_true(heal_bench_ledger_ok(&s.b));
		end(&s);
	}
	assert_true(seen);
}

/* ---- an undo that does not end ---- */

struct undo_run {
	struct scene s;
	int kill_at, refuse_at, undos;
	bool kill_after;
};

static void kill_it(struct undo_run *u)
{
	u->s.b.world.dead = true;
	db_fail_at(u->s.b.healer->db, -1);
}

static void before_operation(void *arg, int n)
{
	struct undo_run *u = arg;

	if (n == u->kill_at && !u->kill_after)
		kill_it(u);
}

static void after_operation(void *arg, int n)
{
	struct undo_run *u = arg;

	if (n == u->kill_at && u->kill_after)
		kill_it(u);
}

static void at_undo(void *arg, const struct host_step *step, bool undo)
{
	struct undo_run *u = arg;

	oracle_step(&u->s.after, step, undo);
	if (undo && ++u->undos == u->refuse_at)
		u->s.b.world.fail_at = u->s.b.world.operations + 1;
}

static void run_begin(struct undo_run *u)
{
	memset(u, 0, sizeof(*u));
	renew(&u->s, MODE_AUTO);
	picture(&u->s);
	u->s.b.world.at_operation = before_operation;
	u->s.b.world.after_operation = after_operation;
	u->s.b.world.at_step = at_undo;
	u->s.b.world.arg = u;
}

/* Nothing hangs in the air: it is undone, or as it was, or a person is called; and what came of it is written once. */
static void nothing_hangs(struct undo_run *u, const char *what, int n)
{
	struct heal_bench *b = &u->s.b;
	struct heal_repair row;
	struct heal_case c;
	struct err e = {.text = ""};
	bool begun = heal_bench_count(b, "undo-intent") > 0, done;

	if (heal_bench_pending(b) != 0 || repair_row_unended(b->healer->db, NULL, &row, &e) != 0)
		fail_msg("%s %d: something is under way for ever", what, n);
	if (heal_bench_count(b, "undo-end") != begun || heal_bench_count(b, "repair-end") != 1)
		fail_msg("%s %d: the undo has %d ends", what, n, heal_bench_count(b, "undo-end"));
	assert_int_equal(repair_row_last(b->healer->db, NULL, &row, &e), 1);
	(void)heal_bench_state(b, CASE, &c);
	done = strcmp(row.result, "undone") == 0;
	if (done && memcmp(u->s.old, fake_record(&b->world, FAKE_BACKEND)->thumbprint, 20) != 0)
		fail_msg("%s %d: undone, it says", what, n);
	if (begun && !done && (strcmp(row.result, "needs-person") != 0 || c.state != CASE_ESCALATED))
		fail_msg("%s %d: nobody was called: %s, %s", what, n, row.result, case_state_text(c.state));
	if (!begun && (strcmp(row.result, "healed") != 0 || !oracle_same(&u->s.after)))
		fail_msg("%s %d: changed without an intent", what, n);
	assert_true(heal_bench_ledger_ok(b));
	end(&u->s);
}

static void killed_at_each_operation(void **state)
{
	(void)state;
	for (int after = 0; after < 2; after++) {
		bool hit = true;

		for (int n = 1; hit; n++) {
			struct err e = {.text = ""};
			struct undo_run u;

			run_begin(&u);
			u.kill_after = after;
			u.kill_at = u.s.b.world.operations + n;
			(void)healer_undo(u.s.b.healer, CASE, "uid 0", &e);
			hit = u.s.b.world.dead;
			heal_bench_crash(&u.s.b);
			u.s.b.world.dead = false;
			u.kill_at = 0;
			u.s.b.options.diagnose_every = 0;
			heal_bench_start(&u.s.b);
			if (heal_bench_count(&u.s.b, "undo-intent") > 0) /* not the look that follows */
				for (int i = 0; i < 10 && u.s.b.healer->patients[0].repair != NULL; i++)
					healer_run(u.s.b.healer);
			nothing_hangs(&u, after ? "killed after" : "killed before", n);
			assert_in_range(n, 1, 100);
		}
	}
}

static void writes_that_fail(void **state)
{
	bool hit = true;

	(void)state;
	for (int n = 1; hit; n++) {
		struct err e = {.text = ""};
		struct undo_run u;

		run_begin(&u);
		db_fail_at(u.s.b.healer->db, n);
		(void)healer_undo(u.s.b.healer, CASE, "uid 0", &e);
		hit = db_fail_hit(u.s.b.healer->db);
		db_fail_at(u.s.b.healer->db, 0);
		for (int i = 0; i < 20 && u.s.b.healer->patients[0].lost; i++) {
			if (u.s.b.healer->patients[0].due > u.s.b.clock.monotonic)
				fake_clock_advance(&u.s.b.clock, u.s.b.healer->patients[0].due - u.s.b.clock.monotonic);
			healer_run(u.s.b.healer);
		}
		for (int i = 0; i < 10 && u.s.b.healer->patients[0].repair != NULL; i++)
			healer_run(u.s.b.healer);
		nothing_hangs(&u, "write", n);
		assert_in_range(n, 1, 100);
	}
}

static void an_undo_that_fails_calls_a_person(void **state)
{
	static const enum fake_fault faults[] = {FAKE_REFUSE, FAKE_HALF, FAKE_LOST_BEFORE, FAKE_LOST_AFTER, FAKE_HANG};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		for (int at = 1; at <= 2; at++) {
			bool unknown = faults[i] != FAKE_REFUSE && faults[i] != FAKE_HALF;
			struct err e = {.text = ""};
			struct undo_run u;

			run_begin(&u);
			u.refuse_at = at;
			u.s.b.world.fault = faults[i];
			assert_int_equal(healer_undo(u.s.b.healer, CASE, "uid 0", &e), -1);
			assert_int_equal(e.code, ERR_NEEDS_PERSON);
			assert_int_equal(heal_bench_state(&u.s.b, CASE, NULL), CASE_ESCALATED);
			assert_int_equal(heal_bench_count(&u.s.b, "interrupted"), unknown);
			nothing_hangs(&u, "fault", (int)i * 2 + at);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_person_undoes_in_any_mode),
		cmocka_unit_test(nothing_is_undone_twice),
		cmocka_unit_test(holds_doubt_and_others_at_work_stop_it),
		cmocka_unit_test(what_another_changed_is_left_alone),
		cmocka_unit_test(what_no_longer_works_does_not_come_back),
		cmocka_unit_test(a_lie_is_not_believed),
		cmocka_unit_test(killed_at_each_operation),
		cmocka_unit_test(writes_that_fail),
		cmocka_unit_test(an_undo_that_fails_calls_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
