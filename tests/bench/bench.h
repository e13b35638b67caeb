/* bench.h - `make bench`: the figures that the program is held to, measured in one run. Private to tests/bench. */
#ifndef EVMEND_TESTS_BENCH_BENCH_H
#define EVMEND_TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"
#include "rules/ruleset.h"

struct bench {
	const char *evmend, *rules, *tables, *events, *folder; /* program, SigmaHQ's rules, our tables, the events (.xml, .xz), a scratch folder */
	int rounds;
	const char *only; /* one part; NULL: all */
	bool instructions; /* count them by callgrind too */
	char wrapped[256], plain[256], first[256], few[256]; /* files in the folder: events in a root, as they are, one, rules30 */
	uint64_t n_events, bytes;
	double mean_us; /* whole job of a mean event */
};

/* -- table.c: what is measured, and what it must be -- */
/* Lower is better. text: the measured value in words when it has more to say; NULL: the number alone. */
void figure(const char *name, double must, double goal, double measured, const char *unit, const char *text);
void figure_absent(const char *name, double must, double goal, const char *unit, const char *why); /* counts as missed */
void fact(const char *name, double value, const char *unit); /* shown, not judged */
/* Prints all of it. Returns how many musts were missed. */
int table_print(const struct bench *b, bool json);

/* -- process.c: programs as a whole -- */
struct cost {
	double cpu, wall; /* seconds */
	double mib;       /* peak resident memory */
	int code;         /* exit code, or -1 when it died of a signal */
};
struct cost run_program(const char *const argv[], const char *out); /* out: where its standard output goes */
void bench_prepare(struct bench *b);   /* unpacks, wraps, chooses 30 rules */
void bench_programs(struct bench *b);  /* whole job against xmllint, threads, memory */
void bench_instructions(struct bench *b);

/* -- lanes.c: stages in this process, by kind of event -- */
double now_cpu(void); /* seconds of this thread */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* progress, on standard error */
/* took: CPU seconds, the best of so many rounds. Dies when nothing can be loaded. */
struct ruleset *bench_load(const char *rules, const char *tables, int rounds, double *took);
void bench_lanes(struct bench *b);

/* -- hostile.c, groups.c, formats.c, sinks.c, syslog.c -- */
void bench_hostile(struct bench *b);
void bench_groups(struct bench *b);
void bench_formats(struct bench *b);
void bench_sinks(struct bench *b);
void bench_syslog(struct bench *b);

/* -- kafka.c -- */
void bench_kafka(struct bench *b);

#endif
