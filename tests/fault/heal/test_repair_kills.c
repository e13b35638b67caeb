/* test_repair_kills.c - for each way of repairing, the program is killed before and after each operation of the host, and at each
 * write to heal.db (so before and after each record of the ledger), n = 1, 2, 3 ... until a run is clean; then it is started again.
 * What must hold is lib/heal_oracle's; nobody but the program itself finishes what was begun, and once. */
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_paths.h"

#define RUNS 600

enum how { KILL_BEFORE, KILL_AFTER, KILL_AT_WRITE, HOWS };

static const char *const hows[] = {"killed before operation", "killed after operation", "killed at write"};

/* What was permitted and begun is finished without a person; what was not begun is begun now, or asked for. */
static void finished(struct heal_run *r, int how, int n)
{
	struct heal_bench *b = &r->bench;
	int begun = heal_bench_count(b, "repair-begin");

	if (begun > 1 || heal_bench_count(b, "repair-end") != begun)
		fail_msg("%s, %s %d: %d repairs begun, %d ended", r->path->name, hows[how], n, begun, heal_bench_count(b, "repair-end"));
	if (!r->path->approval && heal_bench_state(b, HEAL_RUN_CASE, NULL) != CASE_HEALED)
		fail_msg("%s, %s %d: not healed after the start (steps: %s)", r->path->name, hows[how], n, r->steps);
}

/* false: nobody was killed. */
static bool one(const struct heal_path *p, int how, int n)
{
	struct heal_run r;
	bool hit;

	heal_run_begin(&r, p);
	r.kill_after = how == KILL_AFTER;
	r.kill_write = how == KILL_AT_WRITE;
	if (how != KILL_AT_WRITE)
		r.kill_at = n;
	heal_bench_suspect(&r.bench, HEAL_RUN_CASE, 1);
	if (how == KILL_AT_WRITE)
		db_fail_at(r.bench.healer->db, -n);
	heal_run_drive(&r);
	hit = r.bench.world.dead || (r.kill_write && db_fail_hit(r.bench.healer->db));
	heal_run_restart(&r);
	finished(&r, how, n);
	heal_run_check(&r, hows[how], n);
	heal_run_finish(&r);
	heal_run_check(&r, hows[how], n);
	heal_run_end(&r);
	return hit;
}

static void every_path(void **state)
{
	(void)state;
	heal_every_path(0, HOWS, one, 15, RUNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path),
	};

	heal_paths_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
