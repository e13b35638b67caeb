/* test_text.c - errors, text and UTF-8: what a person sees, and what a stranger cannot do to a terminal. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/check.h"

static void err_is_tamed(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(err_set(&e, ERR_USAGE, "a%sb", "\x1b[2J\n\x7f\xc2\x9b" "5"), -1);
	assert_string_equal(e.text, "a?[2J????5b");
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(err_set(NULL, ERR_IO, "nobody listens"), -1);
	err_set(&e, ERR_IO, "p\xc3\xa9t\xc3\xa9");
	assert_string_equal(e.text, "p\xc3\xa9t\xc3\xa9");
}

static void err_prefix_keeps_and_cuts(void **state)
{
	char long_text[2000];
	struct err e;

	(void)state;
	err_set(&e, ERR_RULES, "no such field");
	assert_int_equal(err_prefix(&e, "rule %d", 7), -1);
	assert_string_equal(e.text, "rule 7: no such field");
	assert_int_equal(e.code, ERR_RULES);
	err_set(&e, ERR_IO, "again: %s", e.text); /* from itself */
	assert_string_equal(e.text, "again: rule 7: no such field");
	memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	err_set(&e, ERR_IO, "%s", long_text);
	err_prefix(&e, "%s", long_text);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

static void err_os_is_a_phrase(void **state)
{
	char to[96];

	(void)state;
	assert_string_equal(err_os(ENOSPC, to), "no space left on device (28)");
	assert_string_equal(err_os(-ENOENT, to), "no such file or directory (2)");
}

static void compares(void **state)
{
	(void)state;
	assert_true(text_same("EX01.contoso.com", "ex01.CONTOSO.com"));
	assert_false(text_same("ex01", "ex011"));
	assert_false(text_same("@", "`")); /* differ in the bit that letters differ in */
	assert_true(text_starts("msExchange", "ms"));
	assert_false(text_starts("m", "ms"));
	assert_true(text_ends("a.xml.gz", ".gz"));
	assert_false(text_ends("gz", ".gz"));
	assert_true(text_has("Back End Server", 15, "END"));
	assert_true(text_has("abc", 3, ""));
	assert_false(text_has("Back End", 4, "end")); /* only the first four bytes */
}

static void copies_and_hex(void **state)
{
	const uint8_t bytes[] = { 0x00, 0x9f, 0xff };
	uint8_t back[3];
	char to[8];

	(void)state;
	assert_string_equal(text_copy(to, 4, "abcdef"), "abc");
	text_hex(to, bytes, 3);
	assert_string_equal(to, "009fff");
	assert_true(text_unhex(back, 3, "009FfF", 6));
	assert_memory_equal(back, bytes, 3);
	assert_false(text_unhex(back, 3, "009ff", 5));
	assert_false(text_unhex(back, 3, "009fffff", 8));
	assert_false(text_unhex(back, 3, "009g00", 6));
}

static void whole_numbers_only(void **state)
{
	int64_t v = 42;

	(void)state;
	assert_true(text_int("9223372036854775807", 19, &v) && v == INT64_MAX);
	assert_true(text_int("-9223372036854775808", 20, &v) && v == INT64_MIN);
	assert_true(text_int("-0", 2, &v) && v == 0);
	assert_true(text_int("0012x", 4, &v) && v == 12);
	assert_false(text_int("9223372036854775808", 19, &v));
	assert_false(text_int("-9223372036854775809", 20, &v));
	assert_false(text_int("", 0, &v));
	assert_false(text_int("-", 1, &v));
	assert_false(text_int("1 ", 2, &v));
	assert_false(text_int("+1", 2, &v));
	assert_int_equal(v, 12);
}

static void host_names(void **state)
{
	char longest[257];

	(void)state;
	assert_true(text_url_user("https://u:p@h:1/x") && text_url_user("https://@h") && text_url_user("https://u@h?x"));
	assert_false(text_url_user("https://h:1/a@b") || text_url_user("https://h?a@b") || text_url_user("https://h#a@b") || text_url_user(""));
	assert_true(text_host_ok("ex01.contoso.com"));
	assert_true(text_host_ok("A"));
	assert_true(text_host_ok("EX_1.contoso.com")); /* Windows permits it, DNS does not */
	assert_false(text_host_ok(""));
	assert_false(text_host_ok("-oProxyCommand"));
	assert_false(text_host_ok("host."));
	assert_false(text_host_ok("a b"));
	assert_false(text_host_ok("a;b"));
	assert_false(text_host_ok("a/b"));
	memset(longest, 'a', 256);
	longest[256] = '\0';
	assert_false(text_host_ok(longest));
	longest[255] = '\0';
	assert_true(text_host_ok(longest));
}

static void nearest_names(void **state)
{
	static const char *const names[] = { "hosts", "sinks", "sources", "on", NULL };

	(void)state;
	assert_string_equal(text_nearest("host", names), "hosts");
	assert_string_equal(text_nearest("Sink", names), "sinks");
	assert_string_equal(text_nearest("suorces", names), "sources");
	assert_null(text_nearest("rules", names));
	assert_null(text_nearest("xy", names));
	assert_null(text_nearest("", names));
}

static void utf8_is_strict(void **state)
{
	static const struct {
		const char *s;
		size_t n, step;
		uint32_t c;
	} t[] = {
		{ "a", 1, 1, 'a' },
		{ "\xc3\xa9", 2, 2, 0xe9 },
		{ "\xe2\x82\xac", 3, 3, 0x20ac },
		{ "\xf0\x9f\x98\x80", 4, 4, 0x1f600 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\xf4\x90\x80\x80", 4, 0, 0 }, /* above U+10FFFF */
		{ "\xc0\xaf", 2, 0, 0 },         /* '/' in two bytes */
		{ "\xe0\x80\xaf", 3, 0, 0 },
		{ "\xed\xa0\x80", 3, 0, 0 }, /* a surrogate */
		{ "\xe2\x82", 2, 0, 0 },     /* cut short */
		{ "\xe2\x28\xa1", 3, 0, 0 },
		{ "\x80", 1, 0, 0 },
		{ "", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		uint32_t c = 0;

		assert_int_equal(utf8_step(t[i].s, t[i].n, &c), t[i].step);
		assert_int_equal(c, t[i].c);
	}
}

static void utf8_is_not_cut_in_its_middle(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t expected[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10 };

	(void)state;
	for (size_t most = 0; most < sizeof expected / sizeof expected[0]; most++)
		assert_int_equal(utf8_cut(text, sizeof text - 1, most), expected[most]);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80\x80", 7, 5), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_is_tamed),	  cmocka_unit_test(err_prefix_keeps_and_cuts),
		cmocka_unit_test(err_os_is_a_phrase), cmocka_unit_test(compares),
		cmocka_unit_test(copies_and_hex),     cmocka_unit_test(whole_numbers_only),
		cmocka_unit_test(host_names),	      cmocka_unit_test(nearest_names),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(utf8_is_not_cut_in_its_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
