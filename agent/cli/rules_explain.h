/* rules_explain.h - `rules explain`: why a rule holds or not. */
#ifndef EVMEND_CLI_RULES_EXPLAIN_H
#define EVMEND_CLI_RULES_EXPLAIN_H

#include "base/arena.h"
#include "cli/cli.h"

/* what: an id, a name, a title or a file. Returns the exit code: ERR_FINDINGS when an event of --event matches. */
int rules_explain(struct cli *c, struct arena *a, const char *what);

#endif
