/* rules_test.h - the tests beside the rules. */
#ifndef EVMEND_CLI_RULES_TEST_H
#define EVMEND_CLI_RULES_TEST_H

#include "base/arena.h"
#include "cli/cli.h"

/* Tests every rule of folder (NULL: of the rules that are used). Returns the exit code: ERR_RULES when one failed or has no tests. */
int rules_test(struct cli *c, struct arena *a, const char *folder);

#endif
