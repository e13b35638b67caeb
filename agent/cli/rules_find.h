/* rules_find.h - which rule a person means, and why it may not be there. */
#ifndef EVMEND_CLI_RULES_FIND_H
#define EVMEND_CLI_RULES_FIND_H

#include "base/arena.h"
#include "cli/cli.h"
#include "rules/ruleset.h"

/* By id, name, title, file, or the beginning of an id that no other has (FIND_PREFIX characters at least); a file that belongs to no
 * folder of rules yet is loaded alone. *rs is the caller's to free, also on -1. -1: told, and *code is the exit code; ERR_RULES when the
 * rule was refused. */
#define FIND_PREFIX 4
int rules_find(struct cli *c, struct arena *a, const char *what, struct ruleset **rs, const struct rule **found, int *code);

#endif
