/* sinks.h - records for sinks, and what they cost: sinks.c and kafka.c share it. */
#ifndef EVMEND_TESTS_BENCH_SINKS_H
#define EVMEND_TESTS_BENCH_SINKS_H

#include "ship/sink.h"

#define BENCH_HOSTS 40
#define BENCH_TEXTS (5 * BENCH_HOSTS)
#define BENCH_RECORDS 40000

struct load {
	struct spool_record list[BENCH_RECORDS];
	struct buf text[BENCH_TEXTS];
};

struct spent {
	double wall, cpu; /* seconds; cpu: of this process with all its threads */
};

struct spent spent_now(void);
void spent_best(struct spent *of, struct spent start); /* the best of the rounds so far; of begins as zeros */
/* Facts: records a second, CPU time of a record, both against what was sent bare. */
void spent_told(const char *name, struct spent ours, struct spent bare, const char *against);

struct load *bench_load_records(void); /* five kinds of record, each of forty hosts; bench_unload */
void bench_unload(struct load *l);
void bench_through(const struct sink_config *c, const struct load *l); /* all records through a sink, as the pump does it */

#endif
