/* test_regex.c - regular expressions: the table of the flavour, and what the engine promises beside yes and no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/check.h"
#include "lib/regex_naive.h"
#include "rules/fold.h"
#include "rules/regex_private.h"

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

/* Does the value hold a text of each set, as rules/regex.h promises? */
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
		cmocka_unit_test(random_expressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
