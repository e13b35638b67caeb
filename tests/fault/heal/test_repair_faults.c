/* test_repair_faults.c - for each way of repairing, the n-th operation of the host goes wrong, n = 1, 2, 3 ... until a run is
 * clean. An operation is a call of the host or a knock at one of its doors; it is refused, lost before or after it was done, hangs
 * past its deadline, lies, slanders, or is half done. What must hold is lib/heal_oracle's; and when the trouble is over the server
 * works. */
#include <string.h>

#include "lib/check.h"
#include "lib/heal_paths.h"

#define RUNS 400

static const char *const faults[] = {"none", "refuse", "lost before", "lost after", "hang", "hang after", "lie", "slander", "half"};

/* A run without a fault does the steps that its row says: else the loop would test something else. */
static void clean(const struct heal_path *p)
{
	struct heal_run r;

	heal_run_begin(&r, p);
	heal_run_drive(&r);
	heal_run_check(&r, "no fault", 0);
	if (p->steps != NULL && strcmp(r.steps, p->steps) != 0)
		fail_msg("%s: the steps are '%s', and should be '%s'", p->name, r.steps, p->steps);
	if (heal_bench_state(&r.bench, HEAL_RUN_CASE, NULL) != (p->undone ? CASE_ESCALATED : CASE_HEALED))
		fail_msg("%s: a clean run ends otherwise", p->name);
	heal_run_end(&r);
}

/* false: the fault did not come any more. */
static bool one(const struct heal_path *p, int fault, int n)
{
	struct heal_run r;
	bool hit;

	heal_run_begin(&r, p);
	r.bench.world.fault = (enum fake_fault)fault;
	r.bench.world.fail_at = n;
	heal_run_drive(&r);
	hit = r.bench.world.operations >= n;
	heal_run_check(&r, faults[fault], n);
	if (!heal_run_is_over(&r)) {
		heal_run_restart(&r);
		heal_run_finish(&r);
		heal_run_check(&r, faults[fault], n);
	}
	heal_run_end(&r);
	return hit;
}

static void clean_runs(void **state)
{
	(void)state;
	for (const struct heal_path *p = heal_paths; p->name; p++)
		if (heal_path_wanted(p))
			clean(p);
}

static void every_path(void **state)
{
	(void)state;
	heal_every_path(FAKE_REFUSE, FAKE_FAULTS, one, 15, RUNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_runs),
		cmocka_unit_test(every_path),
	};

	heal_paths_in_memory();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
