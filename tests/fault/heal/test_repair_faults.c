/* test_repair_faults.c - the n-th operation of the host goes wrong, n = 1, 2, 3 ... until a run is clean; what must hold holds:
 * 443 is as it was, nothing that was there is gone, every intent has an outcome or `interrupted`, the ledger is intact, at most one
 * certificate was created, and a fresh healer finishes the repair (with a person's approval where the rules ask for it). */
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_bench.h"

#define RUNS 400

struct before {
	uint8_t front[20];
	uint8_t certs[8][20];
	size_t n;
};

static void remember(const struct heal_bench *b, struct before *to)
{
	memcpy(to->front, fake_record(&b->world, "0.0.0.0:443")->thumbprint, 20);
	to->n = b->world.state->n_certs;
	for (size_t i = 0; i < to->n; i++)
		memcpy(to->certs[i], b->world.state->certs[i].info.thumbprint, 20);
}

static bool is_there(const struct heal_bench *b, const uint8_t t[20])
{
	for (size_t i = 0; i < b->world.state->n_certs; i++)
		if (memcmp(b->world.state->certs[i].info.thumbprint, t, 20) == 0)
			return true;
	return false;
}

static void check(struct heal_bench *b, const struct before *was)
{
	const struct host_record *front = fake_record(&b->world, "0.0.0.0:443");

	assert_non_null(front);
	assert_memory_equal(front->thumbprint, was->front, 20);
	for (size_t i = 0; i < was->n; i++)
		assert_true(is_there(b, was->certs[i]));
	assert_true(b->world.creations <= 1);
	assert_true(heal_bench_ledger_ok(b));
	assert_int_equal(heal_bench_pending(b), 0);
	assert_true(heal_bench_count(b, "repair-end") <= heal_bench_count(b, "repair-begin"));
}

/* The trouble is over: a new healer, and a person who says yes when asked or when a repair has failed. */
static void finish(struct heal_bench *b, int64_t id)
{
	struct heal_case c;
	struct err e;

	for (int i = 0; i < 3; i++) {
		heal_bench_run(b, 2 * US_HOUR);
		(void)heal_bench_state(b, id, &c);
		if (fake_backend_works(&b->world) && !case_is_open(c.state))
			return;
		if (c.has_plan)
			(void)healer_approve(b->healer, id, "uid 0", "test", &e);
	}
	heal_bench_run(b, 2 * US_HOUR);
	assert_true(fake_backend_works(&b->world));
}

enum broken { DELETED, UNBOUND, NO_BINDING, LATENT, BROKENS };

static void break_world(struct heal_bench *b, enum broken how)
{
	if (how == DELETED || how == LATENT)
		fake_delete_backend_cert(&b->world, how == LATENT);
	else if (how == UNBOUND)
		fake_unbind(&b->world);
	else
		b->world.state->sites[0].n_bindings = 0;
}

static void after_approval(struct heal_bench *b)
{
	struct heal_case c;
	struct err e;

	heal_bench_run(b, US_MINUTE);
	if (heal_bench_state(b, 5, &c) == CASE_WAITING_APPROVAL)
		(void)healer_approve(b->healer, 5, "uid 0", "test", &e);
	heal_bench_run(b, 10 * US_MINUTE);
}

/* false: the fault did not come any more, the run was clean. */
static bool one_host_fault(enum broken how, enum fake_fault fault, int n)
{
	struct heal_bench b;
	struct before was;
	bool hit;

	heal_bench_init(&b, MODE_AUTO);
	b.options.diagnose_every = 0;
	heal_bench_start(&b);
	break_world(&b, how);
	remember(&b, &was);
	b.world.fault = fault;
	b.world.fail_at = n;
	heal_bench_suspect(&b, 5, 1);
	after_approval(&b);
	hit = b.world.operations >= n;
	check(&b, &was);
	b.world.fail_at = 0;
	heal_bench_crash(&b);
	b.options.diagnose_every = US_HOUR;
	heal_bench_start(&b);
	finish(&b, 5);
	check(&b, &was);
	heal_bench_free(&b);
	return hit;
}

static void host_faults(enum broken how)
{
	for (int fault = FAKE_REFUSE; fault < FAKE_FAULTS; fault++) {
		int n = 1;

		while (n < RUNS && one_host_fault(how, (enum fake_fault)fault, n))
			n++;
		assert_in_range(n, 15, RUNS - 1);
	}
}

static void a_deleted_certificate(void **state)
{
	(void)state;
	host_faults(DELETED);
}

static void a_lost_record(void **state)
{
	(void)state;
	host_faults(UNBOUND);
}

static void a_lost_binding(void **state)
{
	(void)state;
	host_faults(NO_BINDING);
}

static void a_latent_fault(void **state)
{
	(void)state;
	host_faults(LATENT);
}

/* ---- the program dies: at an operation, before it or after it, nothing more reaches heal.db ---- */

struct dying {
	struct heal_bench *b;
	int at;
	bool after, dead;
};

static void die_before(void *arg, int n)
{
	struct dying *d = arg;

	if (!d->after && n == d->at) {
		d->dead = true;
		db_fail_at(d->b->healer->db, -1);
	}
}

static void die_after(void *arg, int n)
{
	struct dying *d = arg;

	if (d->after && n == d->at) {
		d->dead = true;
		db_fail_at(d->b->healer->db, -1);
	}
}

static bool one_death(enum broken how, int n, bool after)
{
	struct heal_bench b;
	struct before was;
	struct dying d = {.b = &b, .at = n, .after = after};

	heal_bench_init(&b, MODE_AUTO);
	b.options.diagnose_every = 0;
	heal_bench_start(&b);
	break_world(&b, how);
	remember(&b, &was);
	b.world.at_operation = die_before;
	b.world.after_operation = die_after;
	b.world.arg = &d;
	heal_bench_suspect(&b, 5, 1);
	for (int i = 0; i < 200 && !d.dead; i++)
		heal_bench_run(&b, US_SECOND);
	heal_bench_crash(&b);
	heal_bench_start(&b);
	heal_bench_run(&b, 10 * US_MINUTE);
	check(&b, &was);
	/* no person is needed: what was begun is finished, what was not is done now; one repair in all */
	assert_int_equal(heal_bench_state(&b, 5, NULL), CASE_HEALED);
	assert_true(fake_backend_works(&b.world));
	assert_int_equal(heal_bench_count(&b, "repair-begin"), 1);
	assert_int_equal(heal_bench_count(&b, "repair-end"), 1);
	heal_bench_free(&b);
	return d.dead;
}

static void deaths(void **state)
{
	static const enum broken all[] = {DELETED, UNBOUND, NO_BINDING};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (int after = 0; after < 2; after++) {
			int n = 1;

			while (n < RUNS && one_death(all[i], n, after))
				n++;
			assert_in_range(n, 15, RUNS - 1);
		}
}

/* ---- the n-th write to heal.db fails once, as a full disk does ---- */

static bool one_full_disk(int n)
{
	struct heal_bench b;
	struct before was;
	struct heal_suspect ignored;
	bool hit;

	(void)ignored;
	heal_bench_init(&b, MODE_AUTO);
	heal_bench_start(&b);
	break_world(&b, DELETED);
	remember(&b, &was);
	heal_bench_suspect(&b, 5, 1);
	db_fail_at(b.healer->db, n);
	heal_bench_run(&b, 10 * US_MINUTE);
	hit = db_fail_hit(b.healer->db);
	db_fail_at(b.healer->db, 0);
	heal_bench_crash(&b);
	heal_bench_start(&b);
	finish(&b, 5);
	check(&b, &was);
	heal_bench_free(&b);
	return hit;
}

static void a_full_disk(void **state)
{
	int n = 1;

	(void)state;
	while (n < RUNS && one_full_disk(n))
		n++;
	assert_in_range(n, 10, RUNS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_certificate),
		cmocka_unit_test(a_lost_record),
		cmocka_unit_test(a_lost_binding),
		cmocka_unit_test(a_latent_fault),
		cmocka_unit_test(deaths),
		cmocka_unit_test(a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
