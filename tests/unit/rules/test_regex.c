/* test_regex.c - regular expressions: the table of the flavour, and what the engine promises beside yes and no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "lib/check.h"
#include "lib/regex_naive.h"
#include "rules/fold.h"
#include "rules/regex/regex_private.h"

static unsigned flags_of(const char *s)
{
	return (strchr(s, 'i') ? REGEX_I : 0u) | (strchr(s, 'm') ? REGEX_M : 0u) | (strchr(s, 's') ? REGEX_S : 0u);
}

/* \n \r \t \\ \xHH; returns the length. */
static size_t plain(char *s)
{
	char *to = s;

	for (const char *p = s; *p; p++) {
		uint8_t byte;

		if (*p != '\\') {
			*to++ = *p;
		} else if (*++p == 'x' && text_unhex(&byte, 1, p + 1, 2)) {
			*to++ = (char)byte;
			p += 2;
		} else {
			*to++ = *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p == 't' ? '\t' : '\\';
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static void row(struct arena *a, const char *text, const char *flags, const char *value, size_t n, const char *expected, size_t line)
{
	const struct regex *r[2];
	struct err e = {.text = ""};

	for (unsigned i = 0; i < 2; i++) {
		r[i] = regex_compile(a, text, strlen(text), flags_of(flags) | (i ? REGEX_NO_TABLE : 0), &e);
		if (text_starts(expected, "refused: ")) {
			if (r[i] || !strstr(e.text, expected + 9))
				fail_msg("line %zu: %s was %s%s", line, text, r[i] ? "taken" : "refused: ", e.text);
			continue;
		}
		if (!r[i])
			fail_msg("line %zu: %s: %s", line, text, e.text);
		if (strcmp(expected, "yes") != 0 && strcmp(expected, "no") != 0)
			fail_msg("line %zu: yes, no, or refused: and a reason?", line);
		if (regex_search(r[i], value, n) != (strcmp(expected, "yes") == 0))
			fail_msg("line %zu: %s (%s) is not '%s'%s", line, text, flags, expected, i ? " without a table" : "");
	}
}

static void the_flavour(void **state)
{
	FILE *f = fopen("tests/data/rules/regex.tsv", "r");
	struct arena *a = arena_new(1 << 16);
	char text[1000];
	size_t rows = 0, line = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(text, sizeof text, f)) {
		char *column[4] = {text, NULL, NULL, NULL};

		line++;
		text[strcspn(text, "\n")] = '\0';
		for (size_t i = 1; i < 4 && (column[i] = strchr(column[i - 1], '\t')); i++)
			*column[i]++ = '\0';
		if (!column[3]) {
			if (!text_starts(text, "# "))
				fail_msg("line %zu has no four columns", line);
			continue;
		}
		row(a, column[0], column[1], column[2], plain(column[2]), column[3], line);
		rows++;
	}
	assert_true(rows > 400);
	fclose(f);
	arena_free(a);
}

/* -- what must occur -- */

static const struct regex *compiled(struct arena *a, const char *text)
{
	struct err e;
	const struct regex *r = regex_compile(a, text, strlen(text), 0, &e);

	if (!r)
		fail_msg("%s: %s", text, e.text);
	return r;
}

static void literals_that_must_occur(void **state)
{
	/* sets: texts with a comma between, sets with " & " between */
	static const struct { const char *text, *sets; size_t least; } rows[] = {
		{"abc", "abc", 3}, {"ABC", "abc", 3}, {"", "", 0}, {"a*", "", 0}, {".", "", 1}, {"[0-9]{3}", "", 3}, {"a?", "", 0},
		{"ab.cde", "cde & ab", 6}, {"ab+c", "ab & bc", 3}, {"abc|de", "abc,de", 2}, {"abc|", "", 0}, {"(abc|de)f", "abcf,def", 3},
		{"a(b|c)d", "abd,acd", 3}, {"x(abc|d.e)y", "x & y & abc,d", 5}, {"[Rr][Uu][Nn]", "run", 3},
		{"run(\\.exe)? x", "run.exe x,run x", 5}, {"(ab){2}", "abab", 4}, {"(ab){2,}", "abab & ab", 4}, {"(ab){0,2}c", "c", 1},
		{"a\\.b\\\\c", "a.b\\c", 5}, {"^ab$", "ab", 2}, {"ab[xy]", "abx,aby", 3}, {"ab[w-z]c", "ab & c", 4},
		{"(?i)Kelvin", "kelvin", 6}, {"(ab|abc)d", "abd,abcd", 3}, {"ab|xabx", "ab", 2}, {"(a|b.)+c", "c & a,b", 2},
		{"((abc)+d|e){2}f", "f & abcd,e", 3}, {"\\bset\\b", "set", 3}, {"\\x00a", "a", 2}, {"Ä", "ä", 1}, {"a\\sb", "a & b", 3},
		{"(?:ab|cd)(?:ef|gh)", "abef,abgh,cdef,cdgh", 4},
	};
	struct arena *a = arena_new(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct regex *r = compiled(a, rows[i].text);
		const struct regex_set *sets;
		size_t n = regex_literals(r, &sets), k = 0;
		char told[300] = "";

		for (size_t s = 0; s < n; s++)
			for (size_t t = 0; t < sets[s].n; t++)
				k += (size_t)snprintf(told + k, sizeof told - k, "%s%s", t ? "," : s ? " & " : "", sets[s].texts[t]);
		if (strcmp(told, rows[i].sets) != 0 || regex_least(r) != rows[i].least)
			fail_msg("%s: '%s', %zu", rows[i].text, told, regex_least(r));
	}
	arena_free(a);
}

/* -- cost -- */

/* Each of these takes a backtracking matcher longer than the world lasts; a second is far more than is needed. */
static void no_value_takes_long(void **state)
{
	static const char *const rows[] = {"(a*)*b", "(a+)+$x", "(a|aa)+b", "(a|a?)+b", "^(a?){30}a{30}b", "(.*)(.*)(.*)(.*)(.*)b", "a.{500}b", "(a.{1,60}){4}b",
		"([a-z]+)*\\d", "(?:a*a*a*a*a*)*b", ".{1000,}b"};
	static char value[32768];
	struct arena *a = arena_new(1 << 16);
	struct err e;

	(void)state;
	memset(value, 'a', sizeof value);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct regex *r[] = {compiled(a, rows[i]), regex_compile(a, rows[i], strlen(rows[i]), REGEX_NO_TABLE, &e)};

		for (size_t k = 0; k < 2; k++) {
			int64_t start = clock_cpu_us();

			assert_non_null(r[k]);
			assert_false(regex_search(r[k], value, sizeof value));
			if (clock_cpu_us() - start > US_SECOND)
				fail_msg("%s took %lld us", rows[i], (long long)(clock_cpu_us() - start));
		}
	}
	arena_free(a);
}

/* count times the same, or characters from U+0100 upwards. */
static char *many(struct arena *a, const char *text, size_t count)
{
	char *s = arena_alloc(a, count * 8 + 1), *to = s;

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(text);

		if (n > 0)
			memcpy(to, text, n);
		else
			n = utf8_put(to, 0x100 + 2 * (uint32_t)i);
		to += n;
	}
	return s;
}

static void limits(void **state)
{
	struct arena *a = arena_new(1 << 16);
	const struct { const char *text, *why; } rows[] = {
		{many(a, "a", LIMIT_REGEX_BYTES + 1), "too long"}, {many(a, "a", LIMIT_REGEX_POSITIONS + 1), "too big"},
		{many(a, "", LIMIT_REGEX_SETS + 1), "too many different"}, {many(a, "", LIMIT_REGEX_KINDS + 2), "kinds of characters"},
		{"((a|bb|ccc)+(d|ee)?){150}!", "too many repeats and alternatives"},
		{many(a, "(?:", 65), "too deep"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		e.text[0] = '\0';
		if (regex_compile(a, rows[i].text, strlen(rows[i].text), 0, &e) || !strstr(e.text, rows[i].why))
			fail_msg("%.40s: %s", rows[i].text, e.text[0] ? e.text : "was taken");
	}
	assert_non_null(compiled(a, many(a, "a", LIMIT_REGEX_POSITIONS)));
	assert_non_null(compiled(a, many(a, "", 200)));
	arena_free(a);
}

/* Sets of positions are words of 64: nothing may be lost where one ends. */
static void from_word_to_word(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct err e;

	(void)state;
	for (int pad = 58; pad < 68; pad++) {
		char *text = arena_printf(a, "^x{%d}a?b?c?(?:d?e?f?g?)+h$", pad);
		const struct regex *r = regex_compile(a, text, strlen(text), REGEX_NO_TABLE, &e);

		assert_non_null(r);
		for (unsigned set = 0; set < 1u << 7; set++) {
			char value[80];
			size_t n = (size_t)pad;

			memset(value, 'x', n);
			for (unsigned k = 0; k < 7; k++)
				if (set >> k & 1)
					value[n++] = (char)('a' + k);
			value[n++] = 'h';
			if (!regex_search(r, value, n) || regex_search(r, value, n - 1) || regex_search(r, value + 1, n - 1))
				fail_msg("%s: %.*s", text, (int)n, value);
		}
	}
	arena_free(a);
}

/* -- random expressions against a matcher that tries everything -- */

static uint64_t dice_state;

static unsigned dice(unsigned n)
{
	dice_state = dice_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(dice_state >> 33) % n;
}

struct made {
	char s[200];
	size_t n;
};

static void say(struct made *m, const char *text)
{
	size_t n = strlen(text);

	if (m->n + n < sizeof m->s) {
		memcpy(m->s + m->n, text, n + 1);
		m->n += n;
	}
}

static void make_either(struct made *m, int depth);

static void make_piece(struct made *m, int depth)
{
	static const char *const atoms[] = {"a", "b", "c", "1", "-", "\\n", ".", "[ab]", "[^a]", "[a-c1]", "[^\\w]", "\\d", "\\w", "\\W",
		"\\s", "B", "_"};
	static const char *const nears[] = {"^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z"};
	static const char *const repeats[] = {"*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "??", "{3}"};

	if (dice(7) == 0) {
		say(m, nears[dice(7)]);
		return;
	}
	if (depth > 0 && dice(3) == 0) {
		/* a group of assertions alone takes no repeat, so there is a character in each */
		say(m, dice(2) ? "(" : "(?:");
		say(m, dice(2) ? "a|" : "b");
		make_either(m, depth - 1);
		say(m, ")");
	} else {
		say(m, atoms[dice(sizeof atoms / sizeof atoms[0])]);
	}
	if (dice(3) == 0)
		say(m, repeats[dice(sizeof repeats / sizeof repeats[0])]);
}

static void make_either(struct made *m, int depth)
{
	for (unsigned more = dice(4); more > 0; more--)
		make_piece(m, depth);
	if (dice(4) == 0) {
		say(m, "|");
		make_piece(m, depth);
	}
}

/* Does the value hold a text of each set, as rules/regex/regex.h promises? */
static bool has_literals(const struct regex *r, const char *value, size_t n)
{
	const struct regex_set *sets;
	size_t n_sets = regex_literals(r, &sets), held = 0;

	for (size_t i = 0; i < n_sets; i++) {
		bool any = false;

		for (size_t t = 0; t < sets[i].n; t++)
			any |= fold_holds(FOLD_PART, false, value, n, sets[i].texts[t], strlen(sets[i].texts[t]));
		held += any;
	}
	return held == n_sets && regex_least(r) <= n;
}

static void random_expressions(void **state)
{
	static const char *const flags[] = {"", "", "i", "m", "s", "ims"};
	static const char letters[] = "aabbc1-_ \nAB";
	size_t pairs = 0, found = 0, undecided = 0;

	(void)state;
	dice_state = 20240229;
	for (int round = 0; round < 6000; round++) {
		struct arena *a = arena_new(1 << 14);
		const char *fl = flags[dice(6)];
		const struct regex *r, *bare;
		struct made m = {.n = 0};
		struct err e;

		make_either(&m, 3);
		r = regex_compile(a, m.s, m.n, flags_of(fl), &e);
		bare = regex_compile(a, m.s, m.n, flags_of(fl) | REGEX_NO_TABLE, &e);
		if (!r || !bare)
			fail_msg("%s: %s", m.s, e.text);
		for (int v = 0; v < 8; v++) {
			char value[12];
			size_t n = dice(v < 4 ? 5 : 12);

			for (size_t i = 0; i < n; i++)
				value[i] = letters[dice(sizeof letters - 1)];
			int expected = regex_naive(a, m.s, m.n, fl, value, n);
			bool got = regex_search(r, value, n);

			if (regex_search(bare, value, n) != got || (expected >= 0 && got != (expected == 1)))
				fail_msg("%s (%s) in '%.*s': naive %d, table %d", m.s, fl, (int)n, value, expected, got);
			if (got && !has_literals(r, value, n))
				fail_msg("%s (%s) found in '%.*s' without its literals", m.s, fl, (int)n, value);
			pairs++;
			found += got;
			undecided += expected < 0;
		}
		arena_free(a);
	}
	assert_int_equal(pairs, 48000);
	assert_in_range(found, 12000, 36000); /* else the expressions are too easy or too hard to tell anything */
	assert_true(undecided < 480);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_flavour),
		cmocka_unit_test(literals_that_must_occur),
		cmocka_unit_test(no_value_takes_long),
		cmocka_unit_test(limits),
		cmocka_unit_test(from_word_to_word),
		cmocka_unit_test(random_expressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
