/* test_lint.c - tests/data/lint: files of rules in which `#! id` at the end of a line names the checks that must speak of that line.
 * What they say and what is expected must be the same, both ways; and every check must be expected somewhere. */
#include "unit/rules/events.h"

#include "base/text.h"
#include "os/os.h"

#define MOST 200

struct seen {
	int line[MOST];
	enum lint lint[MOST];
	char text[MOST][200];
	size_t n;
};

static bool expected_somewhere[LINT_COUNT];

static void keep_seen(void *arg, const struct rule_problem *p)
{
	struct seen *s = arg;

	if (strstr(p->text, "is not supported yet")) /* what is linted need not be built */
		return;
	assert_true(s->n < MOST);
	assert_int_equal(p->warning, !lint_kinds[p->lint].error);
	s->line[s->n] = p->line;
	s->lint[s->n] = p->lint;
	snprintf(s->text[s->n++], sizeof s->text[0], "%s", p->text);
}

/* Takes one problem of that line and kind away; false: there is none. */
static bool take(struct seen *s, int line, enum lint lint)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->line[i] == line && s->lint[i] == lint) {
			s->line[i] = 0;
			return true;
		}
	return false;
}

static size_t marks_of_line(struct seen *s, const char *path, int line, const char *marks, size_t n)
{
	size_t missing = 0;
	const char *near;

	for (size_t len; n > 0; marks += len, n -= len) {
		char id[64];

		len = strspn(marks, " \r");
		marks += len < n ? len : n;
		n -= len < n ? len : n;
		for (len = 0; len < n && marks[len] != ' ';)
			len++;
		if (len == 0)
			break;
		snprintf(id, sizeof id, "%.*s", (int)len, marks);
		enum lint lint = lint_find(id, &near);

		if (lint == LINT_COUNT)
			fail_msg("%s:%d: no check is called '%s'", path, line, id);
		expected_somewhere[lint] = true;
		if (!take(s, line, lint)) {
			print_error("%s:%d: nobody said '%s'\n", path, line, id);
			missing++;
		}
	}
	return missing;
}

static size_t compare_file(const char *path)
{
	struct seen s = {.n = 0};
	struct ruleset_options o = {.folders = &path, .n_folders = 1, .tables = "rules", .lint = true};
	struct err e = {0};
	struct ruleset *rs = ruleset_load(&o, keep_seen, &s, &e);
	struct buf b;
	size_t bad = 0;
	int line = 1;

	assert_non_null(rs);
	ruleset_free(rs);
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	for (const char *p = buf_text(&b), *end; *p; p = end + (*end == '\n'), line++) {
		end = p + strcspn(p, "\n");
		for (const char *m = p; m + 3 < end; m++)
			if (strncmp(m, "#! ", 3) == 0) {
				bad += marks_of_line(&s, path, line, m + 3, (size_t)(end - m - 3));
				break;
			}
	}
	buf_free(&b);
	for (size_t i = 0; i < s.n; i++)
		if (s.line[i]) {
			print_error("%s:%d: not expected: %s [%s]\n", path, s.line[i], s.text[i], lint_kinds[s.lint[i]].id);
			bad++;
		}
	return bad;
}

static int each_file(void *arg, const char *name)
{
	size_t *bad = arg;
	char path[512];

	if (text_ends(name, ".yml")) {
		snprintf(path, sizeof path, "tests/data/lint/%s", name);
		*bad += compare_file(path);
	}
	return 0;
}

static void each_check_speaks_where_it_must(void **state)
{
	size_t bad = 0;

	(void)state;
	assert_true(os_file.list("tests/data/lint", each_file, &bad) >= 0);
	for (size_t i = 0; i < LINT_COUNT; i++)
		if (!expected_somewhere[i] && i != LINT_NOTE) {
			print_error("no file of tests/data/lint expects '%s'\n", lint_kinds[i].id);
			bad++;
		}
	assert_int_equal(bad, 0);
}

/* A list that a program made does not fill the screen. */
static void a_long_list_is_told_once(void **state)
{
	static const char *const path = "lint.yml";
	struct seen s = {.n = 0};
	struct scratch dir;
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 1u << 20);
	buf_str(&b, "title: L\nid: 7d0f6b5e-0601-4c3f-8e39-2d0c8a64a601\nlevel: low\nlogsource: {product: windows}\ndetection:\n  s:\n"
		"    A|contains:\n    - x\n");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "    - x%d\n", i);
	buf_str(&b, "  condition: s\n");
	scratch_init(&dir);
	scratch_write(&dir, path, buf_text(&b), b.n);
	const char *folders[] = {scratch_path(&dir, path)};
	struct ruleset *rs = ruleset_load(&(struct ruleset_options){.folders = folders, .n_folders = 1, .tables = "rules", .lint = true},
		keep_seen, &s, &e);

	assert_non_null(rs);
	assert_int_equal(s.n, 11);
	assert_non_null(strstr(s.text[10], "90 more"));
	ruleset_free(rs);
	scratch_free(&dir);
	buf_free(&b);
}

/* A list of 100,000 takes no minute: its double is found, and nothing is held against everything else. */
static void a_list_of_any_length_is_read_quickly(void **state)
{
	struct seen s = {.n = 0};
	struct scratch dir;
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 8u << 20);
	buf_str(&b, "title: L\nid: 7d0f6b5e-0602-4c3f-8e39-2d0c8a64a601\nlevel: low\nlogsource: {product: windows}\ndetection:\n  s:\n"
		"    A|contains:\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "    - '%06d'\n", i);
	buf_str(&b, "    - '099999'\n  condition: s\n");
	scratch_init(&dir);
	scratch_write(&dir, "long.yml", buf_text(&b), b.n);
	const char *folders[] = {scratch_path(&dir, "long.yml")};
	struct ruleset *rs = ruleset_load(&(struct ruleset_options){.folders = folders, .n_folders = 1, .tables = "rules", .lint = true},
		keep_seen, &s, &e);

	assert_non_null(rs);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.lint[0], LINT_DUPLICATE_VALUE);
	assert_int_equal(s.line[0], 100008);
	ruleset_free(rs);
	scratch_free(&dir);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_check_speaks_where_it_must),
		cmocka_unit_test(a_long_list_is_told_once),
		cmocka_unit_test(a_list_of_any_length_is_read_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
