/* fuzz.h - what the programs of tests/fuzz share: one input in, and an end with a word when the agent is wrong about it.
 *
 * A target is tests/fuzz/fuzz_NAME.c. It is built twice: with libFuzzer (`make fuzz`), and with replay.c, which gives it its seeds and
 * what was found before (`make check`). With EVMEND_PLANTED_BUG a target gets one wrong answer wrong: PLANTED(x) is x then, else false.
 * `make fuzz-check` shows that fuzzing finds it; nothing in agent/ knows of it. */
#ifndef EVMEND_TESTS_LIB_FUZZ_H
#define EVMEND_TESTS_LIB_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "naive/naive.h"
#include "rules/ruleset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef EVMEND_PLANTED_BUG
#define PLANTED(x) (x)
#else
#define PLANTED(x) (false && (x))
#endif

/* The input shows a bug: says so and aborts. */
_Noreturn void fuzz_wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A file in memory with these bytes; its path, until the next call. */
const char *fuzz_file(const void *p, size_t n);

/* Rules from YAML, with the tables of tests/fuzz/tables. report: NULL for nobody. */
struct ruleset *fuzz_rules(const void *yaml, size_t n, bool lint, void (*report)(void *arg, const struct rule_problem *p), void *arg);
/* The naive evaluator with the rules of the last fuzz_rules(). */
struct naive *fuzz_naive(void);

/* Calls each for the events of a text, with names of these rules. What is malformed or no log at all is passed over. */
void fuzz_events(const struct ruleset *rs, const void *text, size_t n, void (*each)(void *arg, const struct event *ev), void *arg);

#endif
