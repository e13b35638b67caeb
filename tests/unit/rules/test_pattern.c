/* test_pattern.c - Sigma strings: escapes, wildcards, blanks, case, dashes; numbers. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "lib/check.h"
#include "rules/fold.h"
#include "rules/number.h"
#include "rules/pattern.h"

static struct arena *arena;

/* The parsed form: literals as they are, * as <ANY>, ? as <ONE>. */
static const char *parsed(const char *source)
{
	static char to[400];
	struct pattern p;
	size_t k = 0;

	pattern_make(&p, arena, source, strlen(source), PATTERN_CASED);
	for (size_t i = 0; i < p.n; i++)
		k += (size_t)snprintf(to + k, sizeof to - k, p.tokens[i] == PATTERN_ANY ? "<ANY>" : p.tokens[i] == PATTERN_ONE ? "<ONE>" : "%c",
				      (int)p.tokens[i]);
	to[k] = '\0';
	return to;
}

static bool holds(const char *source, unsigned flags, const char *value)
{
	struct pattern p;

	pattern_make(&p, arena, source, strlen(source), flags);
	return pattern_match(&p, value, strlen(value));
}

static void escapes_follow_the_specification(void **state)
{
	static const char *const vectors[][2] = {
		{"\\*", "*"}, {"C:\\Windows\\*", "C:\\Windows*"}, {"\\\\*", "\\<ANY>"}, {"C:\\Windows\\\\*", "C:\\Windows\\<ANY>"},
		{"\\\\\\*", "\\*"}, {"\\\\*\\IPC$", "\\<ANY>\\IPC$"}, {"\\\\\\\\*", "\\\\<ANY>"}, {"\\\\\\\\\\*\\\\IPC$", "\\\\*\\IPC$"},
		{"a\\b", "a\\b"}, {"a\\\\b", "a\\b"}, {"\\\\?\\C", "\\<ONE>\\C"}, {"a\\\\\\b", "a\\\\b"}, {"a\\\\\\\\b", "a\\\\b"},
		{"\\\\\\?\\C", "\\?\\C"}, {"foo\\", "foo\\"}, {"foo\\\\", "foo\\"}, {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
		assert_string_equal(parsed(vectors[i][0]), vectors[i][1]);
}

static void wildcards(void **state)
{
	(void)state;
	assert_true(holds("a*c", 0, "abc"));
	assert_true(holds("a*c", 0, "ac"));
	assert_true(holds("a*c", 0, "a\r\nc"));
	assert_false(holds("a*c", 0, "abcd"));
	assert_true(holds("a?c", 0, "a\nc"));
	assert_true(holds("a?c", 0, "a\xc3\xa4" "c")); /* one character, two bytes */
	assert_false(holds("a??c", 0, "a\xc3\xa4" "c"));
	assert_true(holds("*ab*ab*", 0, "xabyabz"));
	assert_false(holds("*ab*ab*", 0, "xaby"));
	assert_true(holds("a*b*c", 0, "aXbXbXc"));
	assert_true(holds("", 0, ""));
	assert_false(holds("", 0, "x"));
	assert_true(holds("*", 0, ""));
	assert_false(holds("?", 0, ""));
}

static void shapes(void **state)
{
	(void)state;
	assert_true(holds("mid", PATTERN_FREE_START | PATTERN_FREE_END, "a mid b"));
	assert_true(holds("mid", PATTERN_FREE_END, "mid b"));
	assert_false(holds("mid", PATTERN_FREE_END, "a mid"));
	assert_true(holds(".exe", PATTERN_FREE_START, "C:\\A.EXE"));
	assert_true(holds("a?c", PATTERN_FREE_START | PATTERN_FREE_END, "xxabcxx"));
	assert_true(holds("5*", PATTERN_VERBATIM, "5*"));
}

static void blanks_at_the_end(void **state)
{
	(void)state;
	assert_true(holds("NtLmSsp", 0, "NtLmSsp "));
	assert_true(holds("whoami", PATTERN_FREE_START, "cmd /c whoami \r\n"));
	assert_false(holds("chcp ", PATTERN_FREE_START, "chcp"));
	assert_true(holds("chcp ", PATTERN_FREE_START, "x chcp "));
	assert_false(holds("NtLmSsp", 0, " NtLmSsp"));
	assert_true(holds("", 0, "  "));
}

static void letters(void **state)
{
	(void)state;
	assert_true(holds("AbC", 0, "aBc"));
	assert_false(holds("AbC", PATTERN_CASED, "aBc"));
	assert_true(holds("AUSF\xc3\x9cHRLICH", 0, "ausf\xc3\xbchrlich"));
	assert_true(holds("\xd0\x96", 0, "\xd0\xb6"));
	assert_false(holds("stra\xc3\x9f" "e", 0, "STRASSE")); /* simple folding: one character stays one */
	assert_true(holds("a\xff" "b", 0, "A\xff" "B"));       /* damaged text equals itself */
	assert_false(holds("a\xff", 0, "a\xfe"));
}

static void dashes(void **state)
{
	unsigned f = PATTERN_WINDASH | PATTERN_FREE_START | PATTERN_FREE_END;

	(void)state;
	assert_true(holds(" -enc", f, "powershell /enc x"));
	assert_true(holds(" -enc", f, "powershell \xe2\x80\x93" "enc x"));
	assert_true(holds(" /b", f, "x -b"));
	assert_false(holds("start/b", f, "start-b")); /* no option: a letter stands before */
	assert_true(holds("-f foo /b x-y", f, "/f foo -b x-y"));
	assert_false(holds("-f foo /b x-y", f, "/f foo -b x/y"));
}

static bool same_number(const char *a, const char *b)
{
	struct number x, y;

	return number_parse(a, strlen(a), &x) && number_parse(b, strlen(b), &y) && number_compare(&x, &y) == 0;
}

static void numbers(void **state)
{
	struct number n, m;

	(void)state;
	assert_true(same_number("23", "0x17"));
	assert_true(same_number(" 999\r\n", "0x3E7"));
	assert_true(same_number("9223372036854775808", "0x8000000000000000"));
	assert_false(same_number("18446744073709551615", "18446744073709551614"));
	assert_true(same_number("1.5", "1.50"));
	assert_true(same_number("-0", "0"));
	assert_false(number_parse("", 0, &n));
	assert_false(number_parse("12a", 3, &n));
	assert_false(number_parse("1e5", 3, &n));
	assert_false(number_parse("99999999999999999999", 20, &n));
	assert_true(number_parse("-5", 2, &n) && number_parse("3", 1, &m));
	assert_true(number_compare(&n, &m) < 0 && number_compare(&m, &n) > 0);
}

static void folding_is_even(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x10000; c++)
		assert_int_equal(fold(fold(c)), fold(c));
	assert_int_equal(fold('I'), 'i');
	assert_int_equal(fold(0x212a), 'k');
	assert_int_equal(fold(0x1f600), 0x1f600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_follow_the_specification), cmocka_unit_test(wildcards), cmocka_unit_test(shapes),
		cmocka_unit_test(blanks_at_the_end), cmocka_unit_test(letters), cmocka_unit_test(dashes), cmocka_unit_test(numbers),
		cmocka_unit_test(folding_is_even),
	};
	int r;

	arena = arena_new(1u << 16);
	r = cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
	arena_free(arena);
	return r;
}
