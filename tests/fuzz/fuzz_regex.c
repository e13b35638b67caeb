/* fuzz_regex.c - any bytes as a regular expression and a value, for libFuzzer.
 *
 * Why: rules are files from strangers, values are text from attackers.
 * Promises: aborts when the two ways to search differ, when a matching value lacks what the expression says it must hold, when
 * a refusal has no reason, and when the naive matcher is of another opinion.
 * Refuses: nothing. First byte: flags; second: length of the expression; then the expression, then the value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fuzz.h"
#include "lib/regex_naive.h"
#include "rules/fold.h"
#include "rules/regex/regex_private.h"

#define NAIVE_VALUE 24 /* bytes; trying everything takes its time */

static void wrong(const char *what, const char *text, size_t n, const char *flags, const char *value, size_t value_n)
{
	fprintf(stderr, "%s: /%.*s/%s on '%.*s'\n", what, (int)n, text, flags, (int)value_n, value);
	abort();
}

static bool has_literals(const struct regex *r, const char *value, size_t n)
{
	const struct regex_set *sets;
	size_t n_sets = regex_literals(r, &sets);

	for (size_t i = 0; i < n_sets; i++) {
		bool any = false;

		for (size_t t = 0; t < sets[i].n && !any; t++)
			any = fold_holds(FOLD_PART, false, value, n, sets[i].texts[t], strlen(sets[i].texts[t]));
		if (!any)
			return false;
	}
	return regex_least(r) <= n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const char *text = (const char *)data + 2;
	size_t n = data[1] < size - 2 ? data[1] : size - 2, value_n = size - 2 - n;
	const char *value = text + n, *flags = (const char *const[]){"", "i", "m", "im", "s", "is", "ms", "ims"}[data[0] % 8];
	struct err e = {.text = ""};
	struct arena *a = arena_new(1 << 14);
	const struct regex *r = regex_compile(a, text, n, data[0] % 8, &e);
	const struct regex *bare = regex_compile(a, text, n, data[0] % 8 | REGEX_NO_TABLE, &e);

	if (!r && !e.text[0])
		wrong("refused without a reason", text, n, flags, "", 0);
	if (r) {
		bool got = regex_search(r, value, value_n) && !PLANTED(data[0] % 8 == 3);
		int naive = value_n <= NAIVE_VALUE ? regex_naive(a, text, n, flags, value, value_n) : -1;

		if (bare && regex_search(bare, value, value_n) != got)
			wrong(got ? "only the table finds" : "only the positions find", text, n, flags, value, value_n);
		if (naive >= 0 && got != (naive == 1))
			wrong(got ? "the naive matcher finds nothing" : "only the naive matcher finds", text, n, flags, value, value_n);
		if (got && !has_literals(r, value, value_n))
			wrong("found without its literals", text, n, flags, value, value_n);
	}
	arena_free(a);
	return 0;
}
