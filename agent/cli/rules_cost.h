/* rules_cost.h - `evmend rules cost FILE...`. */
#ifndef EVMEND_CLI_RULES_COST_H
#define EVMEND_CLI_RULES_COST_H

#include "base/arena.h"
#include "cli/cli.h"

int rules_cost(struct cli *c, struct arena *a, int argc, char **argv); /* paths; the exit code */

#endif
