/* test_trouble.c - a repair in a world that does not stand still: two faults at once, a fault while it is under way, other people
 * and other agents at work on the same server, a clock that jumps, a disk that is full. */
#include <stdio.h>
#include <string.h>

#include "heal/healer_inside.h"
#include "heal/repair_write.h"
#include "lib/check.h"
#include "lib/heal_bench.h"
#include "lib/heal_oracle.h"

/* What happens to the server right before the n-th step reaches it, or right before the n-th operation. */
struct scene {
	struct heal_bench b;
	struct oracle oracle;
	int steps, at_step, at_operation;
	int set_at[8], n_set; /* operations that set the record, or took it back */
	void (*happens)(struct scene *s);
};

static void on_step(void *arg, const struct host_step *step, bool undo)
{
	struct scene *s = arg;

	oracle_step(&s->oracle, step, undo);
	if (step->kind == STEP_RECORD_SET && s->n_set < 8)
		s->set_at[s->n_set++] = s->b.world.operations + 1;
	if (++s->steps == s->at_step)
		s->happens(s);
}

static void on_operation(void *arg, int n)
{
	struct scene *s = arg;

	if (n == s->at_operation)
		s->happens(s);
}

static void begin(struct scene *s, void (*broken)(struct fake_world *w))
{
	memset(s, 0, sizeof(*s));
	heal_bench_init(&s->b, MODE_AUTO);
	heal_bench_start(&s->b);
	heal_bench_run(&s->b, US_MINUTE);
	broken(&s->b.world);
	oracle_begin(&s->oracle, &s->b.world, s->b.db_path);
	s->b.world.at_step = on_step;
	s->b.world.at_operation = on_operation;
	s->b.world.arg = s;
}

static void sound(struct scene *s)
{
	if (!oracle_check(&s->oracle))
		fail_msg("%s", s->oracle.wrong);
}

static void end(struct scene *s)
{
	heal_bench_free(&s->b);
}

static void deleted(struct fake_world *w)
{
	fake_delete_backend_cert(w, false);
}

static void expired(struct fake_world *w)
{
	w->state->certs[0].info.not_after = w->clock->wall - US_DAY;
}

/* Repairs that ended so. */
static int has_ended(struct heal_bench *b, const char *result)
{
	struct heal_repair row;
	struct err e;

	return repair_row_last(b->healer->db, b->host.config.name, &row, &e) == 1 && strcmp(row.result, result) == 0;
}

/* ---- two faults at once ---- */

static void deleted_and_stopped(struct fake_world *w)
{
	deleted(w);
	w->state->sites[0].started = false;
}

static void the_first_of_two_faults_decides(void **state)
{
	struct heal_case c;
	struct scene s;

	(void)state;
	begin(&s, deleted_and_stopped);
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&s.b, 1, &c), CASE_ADVISED);
	assert_string_equal(c.verdict, "BE_SITE_DOWN");
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 0);
	s.b.world.state->sites[0].started = true; /* a person has followed the advice */
	oracle_begin(&s.oracle, &s.b.world, s.b.db_path);
	heal_bench_suspect(&s.b, 1, 2);
	heal_bench_run(&s.b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	sound(&s);
	end(&s);
}

static void unbound_and_hop(struct fake_world *w)
{
	fake_unbind(w);
	w->hop_fails = true;
}

/* 444 is mended and counts; that the hop is not proven is said; then the restart is a question of its own. */
static void a_hop_that_stays_open_is_a_step_of_its_own(void **state)
{
	struct err e = {.text = ""};
	struct heal_case c;
	struct scene s;

	(void)state;
	begin(&s, unbound_and_hop);
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 70 * US_SECOND);
	assert_int_equal(heal_bench_state(&s.b, 1, &c), CASE_HEALED);
	assert_non_null(strstr(c.text, "hop not proven"));
	heal_bench_run(&s.b, US_MINUTE);
	assert_int_equal(heal_bench_state(&s.b, CASE_OWN_ID, &c), CASE_WAITING_APPROVAL);
	assert_string_equal(c.verdict, "HOP_BROKEN");
	assert_int_equal(s.b.world.restarts, 0);
	assert_int_equal(heal_bench_approve(&s.b, CASE_OWN_ID, &e), 0);
	heal_bench_run(&s.b, 5 * US_MINUTE);
	assert_int_equal(s.b.world.restarts, 1);
	assert_int_equal(heal_bench_state(&s.b, CASE_OWN_ID, NULL), CASE_HEALED);
	assert_true(oracle_healthy(&s.oracle));
	end(&s);
}

static void hop_again(struct scene *s)
{
	s->b.world.hop_fails = true;
}

static void a_restart_that_does_not_help_is_told_once(void **state)
{
	struct err e = {.text = ""};
	struct heal_case c;
	struct scene s;

	(void)state;
	begin(&s, unbound_and_hop);
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 3 * US_MINUTE);
	s.at_operation = s.b.world.operations + 60; /* after the restart it is broken again */
	s.happens = hop_again;
	assert_int_equal(heal_bench_approve(&s.b, CASE_OWN_ID, &e), 0);
	for (int i = 0; i < 200 && s.b.world.restarts == 0; i++)
		heal_bench_run(&s.b, US_SECOND / 10);
	s.b.world.hop_fails = true;
	heal_bench_run(&s.b, 26 * US_HOUR);
	assert_int_equal(s.b.world.restarts, 1);
	assert_int_equal(heal_bench_state(&s.b, CASE_OWN_ID, &c), CASE_ESCALATED);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 2);
	end(&s);
}

/* ---- a fault while it is repaired ---- */

static void site_stops(struct scene *s)
{
	s->b.world.state->sites[0].started = false;
}

static void a_fault_between_two_steps(void **state)
{
	struct heal_case c;
	struct scene s;

	(void)state;
	begin(&s, deleted);
	s.at_step = 2;
	s.happens = site_stops;
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 10 * US_MINUTE);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
	assert_int_equal(heal_bench_count(&s.b, "repair-end"), 1);
	assert_int_equal(heal_bench_state(&s.b, 1, &c), CASE_ESCALATED); /* the call for a person stays */
	assert_non_null(strstr(c.advice, "is stopped")); /* and what was seen since is advice */
	s.b.world.state->sites[0].started = true;
	heal_bench_run(&s.b, 2 * US_HOUR);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	sound(&s);
	end(&s);
}

static void a_fault_while_it_settles(void **state)
{
	struct heal_case c;
	struct scene s;

	(void)state;
	begin(&s, deleted);
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 15 * US_SECOND);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_SETTLING);
	fake_unbind(&s.b.world);
	heal_bench_run(&s.b, 26 * US_HOUR);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1); /* once failed: only a person starts another */
	assert_int_equal(heal_bench_state(&s.b, 1, &c), CASE_ESCALATED);
	assert_non_null(strstr(c.advice, "evmend approve 1"));
	end(&s);
}

/* ---- other people ---- */

static void admin_binds(struct scene *s)
{
	struct fake_world *w = &s->b.world;
	struct host_record *r = fake_record(w, FAKE_BACKEND);
	const struct host_cert *c = fake_cert_add(w, "MY", "by hand", true, 800);

	if (r != NULL)
		memcpy(r->thumbprint, c->info.thumbprint, 20);
	else
		fake_bind(w, FAKE_BACKEND, 444, c->info.thumbprint, "MY");
}

static bool by_hand(const struct scene *s)
{
	const struct host_record *r = fake_record(&s->b.world, FAKE_BACKEND);
	const struct host_cert *c = r ? fake_cert(&s->b.world, r->thumbprint, "MY") : NULL;

	return c != NULL && strcmp(c->friendly_name, "by hand") == 0;
}

static bool in_the_same_call(const struct scene *s)
{
	for (int i = 0; i < s->n_set; i++)
		if (s->set_at[i] == s->at_operation)
			return true;
	return false;
}

/* Whenever another administrator mends it while we are at it, his work stays; but for the one call in which both act at once. */
static void an_administrator_at_the_same_time(void **state)
{
	static void (*const broken[])(struct fake_world *) = {deleted, fake_unbind, expired};
	int done = 0;

	(void)state;
	for (size_t k = 0; k < 3; k++)
		for (int n = 1; n < 90; n++) {
			struct err e = {.text = ""};
			struct scene s;

			begin(&s, broken[k]);
			s.at_operation = s.b.world.operations + n;
			s.happens = admin_binds;
			heal_bench_suspect(&s.b, 1, 1);
			heal_bench_run(&s.b, US_MINUTE);
			if (heal_bench_state(&s.b, 1, NULL) == CASE_WAITING_APPROVAL)
				(void)heal_bench_approve(&s.b, 1, &e);
			heal_bench_run(&s.b, 10 * US_MINUTE);
			if (s.b.world.operations < s.at_operation) {
				end(&s);
				break;
			}
			if (!by_hand(&s) && !in_the_same_call(&s))
				fail_msg("fault %zu, operation %d: his work is gone", k, n);
			done += by_hand(&s);
			assert_true(fake_backend_works(&s.b.world));
			assert_int_equal(heal_bench_pending(&s.b), 0);
			assert_true(heal_bench_ledger_ok(&s.b));
			end(&s);
		}
	assert_true(done > 100);
}

/* ---- another agent ---- */

static void another_agent_at_the_same_time(void **state)
{
	struct heal_bench other;
	struct scene s;

	(void)state;
	begin(&s, deleted);
	s.b.world.at_step = NULL;
	heal_bench_init(&other, MODE_AUTO);
	other.options.clock = &s.b.clock.clock;
	other.options.open_arg = &s.b.world;
	heal_bench_start(&other);
	heal_bench_suspect(&s.b, 1, 1);
	for (int i = 0; i < 100 && heal_bench_count(&s.b, "intent") == 0; i++)
		healer_run(s.b.healer);
	assert_true(s.b.world.locked);
	/* this one finds the same fault and must keep its hands off */
	for (int i = 0; i < 20; i++)
		healer_run(other.healer);
	assert_int_equal(heal_bench_count(&other, "intent"), 0);
	assert_int_equal(heal_bench_count(&other, "repair-begin"), 0);
	heal_bench_run(&s.b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	for (int i = 0; i < 20; i++)
		healer_run(other.healer);
	assert_int_equal(heal_bench_count(&other, "repair-begin"), 0);
	assert_int_equal(s.b.world.creations, 1);
	heal_bench_free(&other);
	end(&s);
}

/* ---- our own senses ---- */

static void wall_jumps(struct scene *s)
{
	s->b.clock.wall += US_HOUR;
}

static void a_clock_that_jumps_between_two_steps(void **state)
{
	struct scene s;
	int64_t at;

	(void)state;
	begin(&s, deleted);
	s.at_step = 1;
	s.happens = wall_jumps;
	heal_bench_suspect(&s.b, 1, 1);
	for (int i = 0; i < 100 && s.steps == 0; i++)
		heal_bench_run(&s.b, US_SECOND / 10);
	at = s.b.clock.monotonic;
	heal_bench_run(&s.b, 50 * US_SECOND);
	assert_int_equal(s.steps, 1); /* for a minute nothing more is done */
	heal_bench_run(&s.b, 10 * US_MINUTE);
	assert_true(s.b.clock.monotonic > at);
	assert_int_equal(s.steps, 2);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	sound(&s);
	end(&s);
}

static void holds(struct scene *s)
{
	struct err e = {.text = ""};

	assert_int_equal(healer_hold(s->b.healer, NULL, true, 0, "uid 0", "wait", &e), 0);
}

/* A hold between two steps: for a while the repair waits; then a person has it. */
static void a_hold_between_two_steps(void **state)
{
	struct err e = {.text = ""};

	(void)state;
	for (int long_one = 0; long_one < 2; long_one++) {
		struct scene s;

		begin(&s, deleted);
		s.at_step = 1;
		s.happens = holds;
		heal_bench_suspect(&s.b, 1, 1);
		heal_bench_run(&s.b, long_one ? 20 * US_MINUTE : 2 * US_MINUTE);
		assert_int_equal(s.steps, 1);
		assert_int_equal(healer_hold(s.b.healer, NULL, false, 0, "uid 0", "", &e), 0);
		heal_bench_run(&s.b, 3 * US_MINUTE);
		assert_int_equal(s.steps, long_one ? 1 : 2);
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), long_one ? CASE_ESCALATED : CASE_HEALED);
		sound(&s);
		end(&s);
	}
}

static void installs(struct scene *s)
{
	s->b.world.busy = HOST_INSTALLING;
}

/* Somebody begins to install between two steps: for a while the repair waits; then a person has it. */
static void others_begin_between_two_steps(void **state)
{
	(void)state;
	for (int long_one = 0; long_one < 2; long_one++) {
		struct scene s;

		begin(&s, deleted);
		s.at_step = 1;
		s.happens = installs;
		heal_bench_suspect(&s.b, 1, 1);
		heal_bench_run(&s.b, long_one ? 20 * US_MINUTE : 2 * US_MINUTE);
		assert_int_equal(s.steps, 1);
		s.b.world.busy = HOST_FREE;
		heal_bench_run(&s.b, 3 * US_MINUTE);
		assert_int_equal(s.steps, long_one ? 1 : 2);
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), long_one ? CASE_ESCALATED : CASE_HEALED);
		sound(&s);
		end(&s);
	}
}

/* 444 is proven, and events of its trouble never stop: that is not healed. A few of them are. */
static void events_that_go_on(void **state)
{
	(void)state;
	for (int n = 2; n < 60; n += 50) {
		struct scene s;

		begin(&s, deleted);
		heal_bench_suspect(&s.b, 1, 1);
		heal_bench_run(&s.b, 15 * US_SECOND);
		assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_SETTLING);
		for (int i = 0; i < n && s.b.healer->patients[0].repair != NULL; i++) {
			heal_bench_suspect(&s.b, 1, i + 2);
			heal_bench_run(&s.b, 10 * US_SECOND);
		}
		for (int i = 0; i < 20 && s.b.healer->patients[0].repair != NULL; i++)
			heal_bench_run(&s.b, 10 * US_SECOND);
		assert_true(has_ended(&s.b, n == 2 ? "healed" : "needs-person"));
		assert_int_equal(heal_bench_count(&s.b, "undo-intent"), 0);
		assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
		sound(&s);
		end(&s);
	}
}

static void a_disk_that_is_full_for_a_while(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, deleted);
	heal_bench_suspect(&s.b, 1, 1);
	for (int i = 0; i < 100 && s.steps == 0; i++)
		healer_run(s.b.healer);
	db_fail_at(s.b.healer->db, -1);
	heal_bench_run(&s.b, US_HOUR);
	assert_int_equal(s.steps, 1);
	assert_true(healer_tilted(s.b.healer));
	db_fail_at(s.b.healer->db, 0);
	heal_bench_run(&s.b, 5 * US_MINUTE);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_HEALED);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
	sound(&s);
	end(&s);
}

static void is_killed(struct scene *s)
{
	s->b.world.dead = true;
	db_fail_at(s->b.healer->db, -1);
}

/* The program dies again and again in the same step: at some time a person is called. */
static void a_repair_that_never_ends_is_given_up(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, deleted);
	s.happens = is_killed;
	heal_bench_suspect(&s.b, 1, 1);
	for (int round = 0; round < 8; round++) {
		s.at_step = s.steps + 1;
		for (int i = 0; i < 600 && !s.b.world.dead; i++)
			heal_bench_run(&s.b, US_SECOND);
		if (!s.b.world.dead)
			break;
		heal_bench_crash(&s.b);
		s.b.world.dead = false;
		heal_bench_start(&s.b);
	}
	assert_int_equal(s.steps, INTERRUPTIONS_MAX + 1);
	assert_int_equal(heal_bench_count(&s.b, "interrupted"), INTERRUPTIONS_MAX + 1);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
	assert_int_equal(heal_bench_count(&s.b, "repair-end"), 1);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_ESCALATED);
	sound(&s);
	end(&s);
}

static void hang(struct scene *s)
{
	s->b.world.fault = FAKE_HANG;
	s->b.world.fail_at = s->b.world.operations + 1;
	s->at_step = s->steps + 1;
}

static void halves(struct scene *s)
{
	s->b.world.fault = FAKE_HALF;
	s->b.world.fail_at = s->b.world.operations + 1;
}

static void foreign(struct fake_world *w)
{
	memcpy(fake_record(w, FAKE_BACKEND)->thumbprint, fake_record(w, FAKE_FRONTEND)->thumbprint, 20);
}

/* A record_set that was refused between delete and set has changed something, whatever the host says. */
static void a_refusal_that_left_a_hole(void **state)
{
	static void (*const broken[])(struct fake_world *) = {foreign, expired, deleted};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct err e = {.text = ""};
		struct heal_case c;
		struct scene s;

		begin(&s, broken[i]);
		s.at_step = i == 0 ? 1 : 2;
		s.happens = halves;
		heal_bench_suspect(&s.b, 1, 1);
		heal_bench_run(&s.b, US_MINUTE);
		if (heal_bench_state(&s.b, 1, NULL) == CASE_WAITING_APPROVAL)
			assert_int_equal(heal_bench_approve(&s.b, 1, &e), 0);
		heal_bench_run(&s.b, 10 * US_MINUTE);
		assert_true(s.steps >= s.at_step);
		assert_int_equal(heal_bench_count(&s.b, "interrupted"), 1);
		(void)heal_bench_state(&s.b, 1, &c);
		assert_null(strstr(c.text, "nothing was changed"));
		assert_null(strstr(c.text, "the state before worked"));
		assert_int_equal(c.state, CASE_HEALED); /* what remained of it was done */
		assert_true(oracle_healthy(&s.oracle));
		sound(&s);
		end(&s);
	}
}

static void front_changes(struct fake_world *w)
{
	memcpy(fake_record(w, FAKE_FRONTEND)->thumbprint, fake_cert_add(w, "MY", "mail2.lab.example", false, 90)->info.thumbprint, 20);
}

static void neighbour_goes(struct fake_world *w)
{
	struct host_state *s = w->state;

	for (size_t i = 0; i < s->n_certs; i++)
		if (strstr(s->certs[i].friendly_name, "Auth") != NULL)
			s->certs[i--] = s->certs[--s->n_certs];
}

static void nothing_changes(struct fake_world *w)
{
	(void)w;
}

/* The proof after a crash compares with the state before the first act, not with what the crash left. */
static void a_change_during_a_crash_is_seen(void **state)
{
	static void (*const changes[])(struct fake_world *) = {nothing_changes, front_changes, neighbour_goes};
	static void (*const gone[])(struct scene *) = {is_killed, hang};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct heal_case c;
		struct scene s;

		begin(&s, deleted);
		s.at_step = 2;
		s.happens = gone[i / 3];
		heal_bench_suspect(&s.b, 1, 1);
		for (int k = 0; k < 100 && s.steps < 2; k++)
			healer_run(s.b.healer);
		changes[i % 3](&s.b.world);
		if (s.b.world.dead) {
			heal_bench_crash(&s.b);
			s.b.world.dead = false;
			heal_bench_start(&s.b);
		}
		s.at_step = 0;
		heal_bench_run(&s.b, 3 * US_MINUTE);
		(void)heal_bench_state(&s.b, 1, &c);
		assert_int_equal(heal_bench_count(&s.b, "interrupted"), 1);
		assert_int_equal(heal_bench_count(&s.b, "repair-end"), 1);
		/* what was mended is seen to work at the next look; but the repair did not count */
		assert_int_equal(has_ended(&s.b, "healed"), i % 3 == 0);
		end(&s);
	}
}

/* A connection that hangs in every step: each time the host is read anew, and not more often than the limit. */
static void steps_that_hang_each_time(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, deleted);
	s.at_step = 1;
	s.happens = hang;
	heal_bench_suspect(&s.b, 1, 1);
	heal_bench_run(&s.b, 20 * US_MINUTE);
	assert_int_equal(heal_bench_count(&s.b, "interrupted"), INTERRUPTIONS_MAX + 1);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
	assert_int_equal(heal_bench_state(&s.b, 1, NULL), CASE_ESCALATED);
	assert_int_equal(s.b.world.creations, 0);
	heal_bench_run(&s.b, 26 * US_HOUR);
	assert_int_equal(heal_bench_count(&s.b, "repair-begin"), 1);
	sound(&s);
	end(&s);
}

/* ---- suspects ---- */

static void a_suspect_does_not_move_a_case(void **state)
{
	struct heal_suspect k = {.case_id = 1, .reported_by = SIZE_MAX, .host = 1, .confidence = LEVEL_HIGH, .asks = true, .count = 9,
		.port = 444};
	struct heal_bench b;
	struct heal_host hosts[2];
	struct heal_case c;
	struct err e = {.text = ""};

	(void)state;
	heal_bench_init(&b, MODE_OBSERVE);
	hosts[0] = hosts[1] = b.host;
	hosts[1].config.name = "ex2.lab.example";
	b.options.hosts = hosts;
	b.options.n_hosts = 2;
	heal_bench_start(&b);
	heal_bench_suspect(&b, 1, 1);
	memset(k.case_uid, 1, 32);
	k.last = b.clock.wall;
	k.cause = case_cause_index("exchange-backend-certificate");
	assert_int_equal(healer_suspect(b.healer, &k, &e), 0);
	(void)heal_bench_state(&b, 1, &c);
	assert_string_equal(c.host, "ex1.lab.example");
	assert_int_equal(c.count, 1);
	k.host = 0;
	k.cause = case_cause_index("exchange-backend-site");
	assert_int_equal(healer_suspect(b.healer, &k, &e), 0);
	(void)heal_bench_state(&b, 1, &c);
	assert_int_equal(c.cause, case_cause_index("exchange-backend-certificate"));
	assert_int_equal(c.count, 1);
	heal_bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_of_two_faults_decides),
		cmocka_unit_test(a_hop_that_stays_open_is_a_step_of_its_own),
		cmocka_unit_test(a_restart_that_does_not_help_is_told_once),
		cmocka_unit_test(a_fault_between_two_steps),
		cmocka_unit_test(a_fault_while_it_settles),
		cmocka_unit_test(an_administrator_at_the_same_time),
		cmocka_unit_test(another_agent_at_the_same_time),
		cmocka_unit_test(a_clock_that_jumps_between_two_steps),
		cmocka_unit_test(a_hold_between_two_steps),
		cmocka_unit_test(others_begin_between_two_steps),
		cmocka_unit_test(events_that_go_on),
		cmocka_unit_test(a_disk_that_is_full_for_a_while),
		cmocka_unit_test(a_repair_that_never_ends_is_given_up),
		cmocka_unit_test(a_change_during_a_crash_is_seen),
		cmocka_unit_test(steps_that_hang_each_time),
		cmocka_unit_test(a_refusal_that_left_a_hole),
		cmocka_unit_test(a_suspect_does_not_move_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
