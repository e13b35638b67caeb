/* rules_list.h - `rules list`: the rules that are loaded. */
#ifndef EVMEND_CLI_RULES_LIST_H
#define EVMEND_CLI_RULES_LIST_H

#include "base/arena.h"
#include "cli/cli.h"

int rules_list(struct cli *c, struct arena *a);

#endif
