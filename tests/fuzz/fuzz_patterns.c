/* fuzz_patterns.c - a Sigma string with modifiers on a value.
 *
 * Why: nearly every question of every rule is one of these, and there are three ways to answer it.
 * Promises: aborts when the pattern, its literal and the naive evaluator do not say the same.
 * Refuses: what is no UTF-8: neither a rule nor an event that was decoded has such text.
 * First byte: modifiers; second: length of the string; then the string, then the value. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/fuzz.h"
#include "naive/inside.h"
#include "rules/fold.h"
#include "rules/match/literal.h"

static bool is_text(const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0, step; i < n; i += step) {
		step = utf8_step(s + i, n - i, &c);
		if (step == 0 || c == 0)
			return false;
	}
	return true;
}

static size_t trimmed(const char *s, size_t n)
{
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	return n;
}

static bool naive_says(struct arena *a, const char *s, size_t n, unsigned flags, const char *value, size_t value_n)
{
	struct nv_chars c = nv_chars_sigma(a, s, n), whole = {.at = arena_alloc(a, (n + 3) * sizeof *whole.at)};
	struct nv_value v = {.raw = value, .n = value_n, .trim = trimmed(value, value_n)};
	struct nv_pattern p;

	if (flags & PATTERN_WINDASH)
		nv_windash(&c);
	if (flags & PATTERN_FREE_START)
		whole.at[whole.n++] = ANY;
	for (size_t i = 0; i < c.n; i++)
		whole.at[whole.n++] = c.at[i];
	if (flags & PATTERN_FREE_END)
		whole.at[whole.n++] = ANY;
	p = nv_pattern_of(a, &whole, flags & PATTERN_CASED);
	v.folded = nv_fold_text(a, value, value_n, &v.n_folded);
	v.trim_folded = trimmed(v.folded, v.n_folded);
	return nv_pattern_holds(&p, &v, flags & PATTERN_CASED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const char *text = (const char *)data + 2;
	size_t n = data[1] < size - 2 ? data[1] : size - 2, value_n = size - 2 - n;
	unsigned flags = data[0] & (PATTERN_CASED | PATTERN_FREE_START | PATTERN_FREE_END | PATTERN_WINDASH);
	const char *value = text + n;

	if (!is_text(text, n) || !is_text(value, value_n))
		return 0;
	struct arena *a = arena_new(1 << 14);
	struct pattern p;
	struct literal l;
	struct folded v = folded_of(value, value_n, arena_alloc(a, value_n + value_n / 2 + 1));
	bool naive = naive_says(a, text, n, flags, value, value_n), pattern, literal;

	pattern_make(&p, a, text, n, flags);
	l = literal_make(&p, a);
	pattern = pattern_match(&p, value, value_n) != PLANTED(naive && flags & PATTERN_CASED && flags & PATTERN_FREE_END);
	literal = literal_holds(&l, &v);
	if (pattern != naive || literal != naive)
		fuzz_wrong("'%.*s', flags %u, on '%.*s': pattern %d, literal %d, naively %d", (int)n, text, flags, (int)value_n, value, pattern,
			literal, naive);
	arena_free(a);
	return 0;
}
