/* rules_test.h - the tests beside the rules. */
#ifndef EVMEND_CLI_RULES_TEST_H
#define EVMEND_CLI_RULES_TEST_H

#include "base/arena.h"
#include "cli/cli.h"

enum test_result { TEST_PASSED, TEST_FAILED, TEST_UNTESTED };

struct rule_test { /* one file of events, or (untested) a rule that lacks some */
	const char *rule, *file; /* file: within the rule's folder of tests; "" when untested */
	enum test_result result;
	const char *text;    /* what went wrong; "" when passed */
	const char *explain; /* of the event that made it fail; "" */
};

/* Tests every rule of folder (NULL: of the rules that are used). Returns the exit code: ERR_RULES when one failed or has no tests. */
int rules_test(struct cli *c, struct arena *a, const char *folder);

/* -- rules_junit.c -- */
/* JUnit XML as CI servers read it: a testsuite, a testcase for each file, a failure with text and explanation. */
void rules_junit(const struct rule_test *tests, size_t n, struct buf *to);

#endif
