/* heal_bench.h - a healer with a fake clock, a fake host and heal.db in a scratch folder. */
#ifndef EVMEND_TESTS_LIB_HEAL_BENCH_H
#define EVMEND_TESTS_LIB_HEAL_BENCH_H

#include "heal/healer.h"
#include "lib/fake_host.h"
#include "lib/scratch.h"

struct heal_bench {
	struct scratch scratch;
	char db_path[512];
	struct fake_clock clock;
	struct fake_world world;
	struct policy_config policy;
	struct heal_host host;
	struct healer_options options;
	struct healer *healer;
	int emitted, refusals, closed;
};

void heal_bench_init(struct heal_bench *b, enum policy_mode mode);
void heal_bench_start(struct heal_bench *b); /* fails the test when heal.db cannot be used */
void heal_bench_crash(struct heal_bench *b); /* as SIGKILL: what is in memory is gone */
void heal_bench_free(struct heal_bench *b);
/* Lets time pass from one due piece of work to the next, for at most `span`. */
void heal_bench_run(struct heal_bench *b, int64_t span);
/* Events tell of a case of cause exchange-backend-certificate. */
void heal_bench_suspect(struct heal_bench *b, int64_t id, int64_t count);
int heal_bench_approve(struct heal_bench *b, int64_t id, struct err *e); /* a person approves the plan that the case has now */
enum case_state heal_bench_state(struct heal_bench *b, int64_t id, struct heal_case *to); /* to: NULL or the whole case */
int heal_bench_count(struct heal_bench *b, const char *kind); /* ledger records of this kind */
int heal_bench_pending(struct heal_bench *b);                 /* intents without an outcome and without `interrupted` */
bool heal_bench_ledger_ok(struct heal_bench *b);

#endif
