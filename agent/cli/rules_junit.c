/* rules_junit.c - results of `rules test` as JUnit XML.
 *
 * Why: every CI server shows JUnit files beside the merge request.
 * Promises: testsuites, testsuite with tests and failures, testcase with classname (the rule) and name (the file), failure with message
 * and text: what the readers of GitLab, Jenkins and the like have in common. No times: the same rules give the same file.
 * Refuses: nothing. */
#include "cli/rules_test.h"

static void attribute(struct buf *to, const char *name, const char *value)
{
	buf_printf(to, " %s=\"", name);
	cli_markup(to, value, false);
	buf_char(to, '"');
}

void rules_junit(const struct rule_test *tests, size_t n, struct buf *to)
{
	size_t failures = 0;

	for (size_t i = 0; i < n; i++)
		failures += tests[i].result != TEST_PASSED;
	buf_str(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_printf(to, "<testsuites tests=\"%zu\" failures=\"%zu\" errors=\"0\">\n", n, failures);
	buf_printf(to, "<testsuite name=\"evmend rules test\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", n, failures);
	for (size_t i = 0; i < n; i++) {
		const struct rule_test *t = &tests[i];

		buf_str(to, "<testcase");
		attribute(to, "classname", t->rule);
		attribute(to, "name", *t->file ? t->file : "has tests");
		if (t->result == TEST_PASSED) {
			buf_str(to, "/>\n");
			continue;
		}
		buf_str(to, "><failure");
		attribute(to, "message", t->text);
		attribute(to, "type", t->result == TEST_UNTESTED ? "untested" : "failed");
		buf_char(to, '>');
		cli_markup(to, t->text, true);
		buf_char(to, '\n');
		cli_markup(to, t->explain, true);
		buf_str(to, "</failure></testcase>\n");
	}
	buf_str(to, "</testsuite>\n</testsuites>\n");
}
