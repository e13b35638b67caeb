/* test_regex.c - regular expressions: the table of the flavour, and what the engine promises beside yes and no. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/check.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_flavour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
