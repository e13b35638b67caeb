/* rules_list.h - `rules list`: the rules that are loaded, and one rule as JSON. */
#ifndef EVMEND_CLI_RULES_LIST_H
#define EVMEND_CLI_RULES_LIST_H

#include "base/arena.h"
#include "cli/cli.h"
#include "rules/ruleset.h"

int rules_list(struct cli *c, struct arena *a);
void rules_list_json(const struct rule *r); /* one line on stdout, kind "rule" */

#endif
