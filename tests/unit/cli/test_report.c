/* test_report.c - a report on a terminal and as a page: what is shown, what is left out, and that no text gets out of its place. */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/report.h"
#include "lib/scratch.h"

/* What stdout got while f ran. */
static void printed(struct scratch *s, struct buf *to, const struct report *r, bool full)
{
	const struct cli c = {.colour = false};
	const char *path = scratch_path(s, "out");
	struct err e;
	int was;

	fflush(stdout);
	was = dup(1);
	assert_non_null(freopen(path, "w", stdout));
	report_print(&c, r, full);
	fflush(stdout);
	assert_true(dup2(was, 1) >= 0);
	close(was);
	buf_init(to, 1u << 20);
	assert_int_equal(file_read(&os_file, path, to, &e), 0);
}

static struct report *example(const char *hostile)
{
	struct report *r = report_new();

	report_title(r, CLI_RED, hostile, "row R6");
	report_label(r, "Facts", REPORT_ALWAYS);
	report_row(r, CLI_PLAIN, "record_present", "yes", hostile, "");
	report_row(r, CLI_YELLOW, "k", "unknown", "one two three", "");
	report_where(r, REPORT_SHORT);
	report_text(r, CLI_DIM, "and 7 more");
	report_label(r, "All", REPORT_DETAIL);
	report_row(r, CLI_PLAIN, "hidden_fact", "no", hostile, hostile);
	report_label(r, "Course", REPORT_ALWAYS);
	report_moment(r, CLI_GREEN, 1700000000LL * 1000000, "finding", hostile);
	report_text(r, CLI_PLAIN, "%s", hostile);
	return r;
}

static void short_and_full_form(void **state)
{
	struct scratch s;
	struct report *r = example("plain words");
	struct buf b;

	(void)state;
	scratch_init(&s);
	printed(&s, &b, r, false);
	assert_non_null(strstr(b.p, "record_present  yes      plain words\n"));
	assert_non_null(strstr(b.p, "k               unknown  one two three\n"));
	assert_non_null(strstr(b.p, "and 7 more"));
	assert_null(strstr(b.p, "hidden_fact"));
	assert_non_null(strstr(b.p, "2023-11-14T22:13:20  finding"));
	buf_free(&b);
	printed(&s, &b, r, true);
	assert_null(strstr(b.p, "and 7 more"));
	assert_non_null(strstr(b.p, "hidden_fact"));
	buf_free(&b);
	report_free(r);
	scratch_free(&s);
}

/* However long a text or a word is, no line is wider than the page, and nothing of it is lost. */
static void long_texts_are_broken(void **state)
{
	struct scratch s;
	struct report *r = report_new();
	struct buf b;
	char words[2001], word[501];
	size_t letters = 0;

	(void)state;
	scratch_init(&s);
	for (size_t i = 0; i + 1 < sizeof(words); i++)
		words[i] = i % 7 == 6 ? ' ' : 'w';
	words[sizeof(words) - 1] = '\0';
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	report_title(r, CLI_PLAIN, "t", "");
	report_label(r, "Label", REPORT_ALWAYS);
	report_text(r, CLI_PLAIN, "%s", words);
	report_row(r, CLI_PLAIN, "name", "value", word, "");
	printed(&s, &b, r, false);
	for (const char *line = b.p; *line;) {
		size_t n = strcspn(line, "\n");

		assert_true(n <= 100);
		line += n + (line[n] == '\n');
	}
	for (size_t i = 0; i < b.n; i++)
		letters += b.p[i] == 'x';
	assert_int_equal(letters, 500);
	buf_free(&b);
	report_free(r);
	scratch_free(&s);
}

static const char hostile[] = "<script>alert(1)</script> & \"quoted\" 'single' \033[2J \xff\xfe \xe2\x80\xae</title></td>";

static void a_page_escapes_everything(void **state)
{
	struct scratch s;
	struct report *r = example(hostile);
	struct buf b;
	struct err e;
	const char *path, *at;
	size_t less = 0, more = 0;

	(void)state;
	scratch_init(&s);
	path = scratch_path(&s, "page.html");
	assert_int_equal(report_html(r, path, &e), 0);
	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	assert_null(strstr(b.p, "<script"));
	assert_null(strchr(b.p, '\033'));
	assert_null(strstr(b.p, "\xff"));
	assert_null(strstr(b.p, "\xe2\x80\xae"));
	assert_null(strstr(b.p, "\"quoted\""));
	assert_null(strstr(b.p, "'single'"));
	assert_null(strstr(b.p, "and 7 more")); /* all of it is on the page */
	assert_non_null(strstr(b.p, "hidden_fact"));
	assert_non_null(strstr(b.p, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; &#39;single&#39;"));
	assert_non_null(strstr(b.p, "default-src 'none'"));
	assert_null(strstr(b.p, "http://"));
	assert_null(strstr(b.p, "https://"));
	/* the same tags as without any hostile text */
	for (at = b.p; *at; at++)
		less += *at == '<', more += *at == '>';
	report_free(r);
	buf_reset(&b);
	r = example("tame");
	assert_int_equal(report_html(r, path, &e), 0);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	for (at = b.p; *at; at++)
		less -= *at == '<', more -= *at == '>';
	assert_int_equal(less, 0);
	assert_int_equal(more, 0);
	buf_free(&b);
	report_free(r);
	scratch_free(&s);
}

static void a_page_that_cannot_be_written_is_told(void **state)
{
	struct report *r = example("tame");
	struct err e;

	(void)state;
	assert_int_equal(report_html(r, "/nonexistent/folder/page.html", &e), -1);
	assert_non_null(strstr(e.text, "/nonexistent/folder/page.html cannot be written"));
	report_free(r);
}

static void too_many_entries_are_cut_and_said(void **state)
{
	struct scratch s;
	struct report *r = report_new();
	struct buf b;

	(void)state;
	scratch_init(&s);
	report_title(r, CLI_PLAIN, "t", "");
	for (int i = 0; i < 5000; i++)
		report_text(r, CLI_PLAIN, "line %d", i);
	printed(&s, &b, r, false);
	assert_non_null(strstr(b.p, "line 3998"));
	assert_null(strstr(b.p, "line 4000"));
	assert_non_null(strstr(b.p, "and more, which is left out here"));
	buf_free(&b);
	report_free(r);
	scratch_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_and_full_form),
		cmocka_unit_test(long_texts_are_broken),
		cmocka_unit_test(a_page_escapes_everything),
		cmocka_unit_test(a_page_that_cannot_be_written_is_told),
		cmocka_unit_test(too_many_entries_are_cut_and_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
