/* rules_coverage.h - `evmend rules coverage FILE...`. */
#ifndef EVMEND_CLI_RULES_COVERAGE_H
#define EVMEND_CLI_RULES_COVERAGE_H

#include "base/arena.h"
#include "cli/cli.h"

int rules_coverage(struct cli *c, struct arena *a, int argc, char **argv); /* paths; the exit code */

#endif
