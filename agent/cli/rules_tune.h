/* rules_tune.h - `evmend rules tune RULE`. */
#ifndef EVMEND_CLI_RULES_TUNE_H
#define EVMEND_CLI_RULES_TUNE_H

#include "base/arena.h"
#include "cli/cli.h"

int rules_tune(struct cli *c, struct arena *a, const char *rule); /* the exit code */

#endif
