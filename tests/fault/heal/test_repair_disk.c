/* test_repair_disk.c - for each way of repairing, the n-th write to heal.db fails, once or until somebody makes room again,
 * n = 1, 2, 3 ... until a run is clean. The program lives on: nothing is done that cannot be written down, and what was begun is
 * taken up again as soon as it can. What must hold is lib/heal_oracle's. */
#include <string.h>

#include "heal/healer_inside.h"
#include "lib/check.h"
#include "lib/heal_paths.h"

#define RUNS 600

/* false: no write failed. */
static bool one(const struct heal_path *p, int full, int n)
{
	const char *what = full ? "disk full from write" : "failed write";
	struct heal_run r;
	bool hit;
	int acts;

	heal_run_begin(&r, p);
	heal_bench_suspect(&r.bench, HEAL_RUN_CASE, 1);
	db_fail_at(r.bench.healer->db, full ? -n : n);
	heal_run_drive(&r);
	hit = db_fail_hit(r.bench.healer->db);
	acts = r.oracle.steps;
	if (full && hit) {
		heal_bench_run(&r.bench, 20 * US_MINUTE);
		assert_int_equal(r.oracle.steps, acts); /* whoever cannot write does not act */
	}
	db_fail_at(r.bench.healer->db, 0);
	heal_bench_run(&r.bench, 10 * US_MINUTE); /* without a new start */
	heal_run_check(&r, what, n);
	if (hit && heal_bench_count(&r.bench, "repair-end") != heal_bench_count(&r.bench, "repair-begin"))
		fail_msg("%s, %s %d: the repair is forgotten", p->name, what, n);
	r.bench.world.new_fails = false;
	heal_run_finish(&r);
	heal_run_check(&r, what, n);
	heal_run_end(&r);
	return hit;
}

static void every_path(void **state)
{
	(void)state;
	heal_every_path(0, 2, one, 10, RUNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_path),
	};

	heal_paths_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
