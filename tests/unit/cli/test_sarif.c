/* test_sarif.c - the SARIF document has what the standard demands (2.1.0: 3.13 sarifLog, 3.14 run, 3.18 tool, 3.19 toolComponent,
 * 3.27 result, 3.28 location, 3.30 region), and docs/rules.md has a line for every check. */
#include "lib/check.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/rules_check.h"

static const struct json *at(const struct json *j, const char *path)
{
	char key[64];

	for (size_t n; *path && j; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(key, sizeof key, "%.*s", (int)n, path);
		j = key[0] >= '0' && key[0] <= '9' ? json_at(j, (size_t)(key[0] - '0')) : json_get(j, key);
	}
	return j;
}

static struct json *document(const struct problem_list *all)
{
	struct err e = {0};
	struct json *j;
	struct buf b;

	buf_init(&b, 1u << 20);
	rules_sarif(all, &b);
	assert_false(b.refused);
	j = json_parse(buf_text(&b), b.n, &e);
	if (!j)
		print_error("%s\n", e.text);
	assert_non_null(j);
	buf_free(&b);
	return j;
}

static void the_driver_names_every_check(void **state)
{
	struct problem_list none = {.n = 0};
	struct json *j = document(&none);
	const struct json *rules = at(j, "runs.0.tool.driver.rules");

	(void)state;
	assert_string_equal(json_str(json_get(j, "version"), ""), "2.1.0");
	assert_non_null(strstr(json_str(json_get(j, "$schema"), ""), "sarif-schema-2.1.0.json"));
	assert_int_equal(json_len(json_get(j, "runs")), 1);
	assert_string_equal(json_str(at(j, "runs.0.tool.driver.name"), ""), "evmend rules check");
	assert_true(json_is_array(at(j, "runs.0.results"))); /* there even when empty: "looked, found nothing" */
	assert_int_equal(json_len(at(j, "runs.0.results")), 0);
	assert_int_equal(json_len(rules), LINT_COUNT);
	for (size_t i = 0; i < LINT_COUNT; i++) {
		const struct json *r = json_at(rules, i);

		assert_string_equal(json_str(json_get(r, "id"), ""), lint_kinds[i].id);
		assert_true(*json_str(at(r, "shortDescription.text"), ""));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(lint_kinds[i].id, lint_kinds[k].id);
	}
	json_free(j);
}

static void each_problem_has_a_place(void **state)
{
	struct rule_problem list[] = {
		{.file = "./my rules/a%b.yml", .line = 3, .column = 9, .lint = LINT_UNKNOWN_FIELD, .warning = true, .text = "a \"quoted\" word"},
		{.file = "/etc/rules/\xc3\xbc.yml", .line = 1, .column = 1, .lint = LINT_REFUSED, .text = "no"},
	};
	struct problem_list all = {.list = list, .n = 2};
	struct json *j = document(&all);
	const struct json *one = at(j, "runs.0.results.0"), *two = at(j, "runs.0.results.1");
	const struct json *place = at(one, "locations.0.physicalLocation");

	(void)state;
	assert_int_equal(json_len(at(j, "runs.0.results")), 2);
	assert_string_equal(json_str(json_get(one, "ruleId"), ""), "unknown-field");
	assert_int_equal(json_int(json_get(one, "ruleIndex"), -1), LINT_UNKNOWN_FIELD);
	assert_string_equal(json_str(json_get(one, "level"), ""), "warning");
	assert_string_equal(json_str(at(one, "message.text"), ""), "a \"quoted\" word");
	assert_string_equal(json_str(at(place, "artifactLocation.uri"), ""), "my%20rules/a%25b.yml");
	assert_string_equal(json_str(at(place, "artifactLocation.uriBaseId"), ""), "%SRCROOT%");
	assert_int_equal(json_int(at(place, "region.startLine"), 0), 3);
	assert_int_equal(json_int(at(place, "region.startColumn"), 0), 9);
	assert_string_equal(json_str(json_get(two, "level"), ""), "error");
	place = at(two, "locations.0.physicalLocation.artifactLocation");
	assert_string_equal(json_str(json_get(place, "uri"), ""), "file:///etc/rules/%C3%BC.yml");
	assert_null(json_get(place, "uriBaseId"));
	json_free(j);
}

static void the_page_has_every_check(void **state)
{
	struct err e = {0};
	struct buf page;

	(void)state;
	buf_init(&page, 1u << 20);
	assert_int_equal(file_read(&os_file, "docs/rules.md", &page, &e), 0);
	for (size_t i = 0; i < LINT_COUNT; i++) {
		char line[200];

		snprintf(line, sizeof line, "\n| `%s` | %s%s |\n", lint_kinds[i].id, lint_kinds[i].error ? "**error**: " : "", lint_kinds[i].says);
		if (!strstr(buf_text(&page), line))
			fail_msg("docs/rules.md lacks the line%s", line);
	}
	buf_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_driver_names_every_check),
		cmocka_unit_test(each_problem_has_a_place),
		cmocka_unit_test(the_page_has_every_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
