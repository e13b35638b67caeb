/* rules_check.h - the linter of rules, for people, programs and code scanning. */
#ifndef EVMEND_CLI_RULES_CHECK_H
#define EVMEND_CLI_RULES_CHECK_H

#include "base/arena.h"
#include "cli/cli.h"
#include "rules/ruleset.h"

struct problem_list { /* sorted by file in the order of reading, line and column; texts in the arena */
	struct rule_problem *list;
	size_t n, cap, errors, warnings, rules, refused;
	struct arena *arena;
};

/* Checks the paths (none: the rules that are used). Returns the exit code: ERR_RULES when a rule is refused or, with --strict, when
 * there is a warning. */
int rules_check(struct cli *c, struct arena *a, int argc, char **argv);
/* SARIF 2.1.0 (OASIS, 2020): one run with every kind of check as a rule and each problem as a result. */
void rules_sarif(const struct problem_list *all, struct buf *to);

#endif
