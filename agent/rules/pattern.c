/* pattern.c - Sigma strings.
 *
 * Why: every comparison of a rule with text goes through here.
 * Promises: linear in the pattern times the value at worst, no recursion, the same answer for damaged UTF-8 every time.
 * Refuses: nothing; a bad escape is literal text, as the specification says. */
#include "rules/pattern.h"

#include "rules/fold.h"

static bool is_word(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c >= 0x80 && c < PATTERN_ANY);
}

/* \B[-/]\b: the dash that begins an option, within one literal run. */
static void mark_dashes(uint32_t *t, size_t n)
{
	uint32_t before = ' ';

	for (size_t i = 0; i < n; i++) {
		uint32_t c = t[i];

		if ((c == '-' || c == '/') && !is_word(before) && i + 1 < n && is_word(t[i + 1]))
			t[i] = PATTERN_DASH;
		before = c >= PATTERN_ANY ? ' ' : c;
	}
}

void pattern_make(struct pattern *p, struct arena *a, const char *s, size_t n, unsigned flags)
{
	bool cased = flags & PATTERN_CASED;
	uint32_t *t = arena_alloc(a, (n + 2) * sizeof *t);
	size_t k = 0, step;

	if (flags & PATTERN_FREE_START)
		t[k++] = PATTERN_ANY;
	for (size_t i = 0; i < n; i += step) {
		bool special = !(flags & PATTERN_VERBATIM);
		char c = s[i];

		step = 1;
		if (special && c == '\\' && i + 1 < n && (s[i + 1] == '*' || s[i + 1] == '?' || s[i + 1] == '\\')) {
			t[k++] = (uint32_t)s[i + 1];
			step = 2;
		} else if (special && c == '*') {
			if (k == 0 || t[k - 1] != PATTERN_ANY)
				t[k++] = PATTERN_ANY;
		} else if (special && c == '?') {
			t[k++] = PATTERN_ONE;
		} else {
			t[k++] = fold_next(s + i, n - i, &step, cased);
		}
	}
	if ((flags & PATTERN_FREE_END) && (k == 0 || t[k - 1] != PATTERN_ANY))
		t[k++] = PATTERN_ANY;
	if (flags & PATTERN_WINDASH)
		mark_dashes(t, k);
	uint32_t last = k > 0 ? t[k - 1] : 0;

	*p = (struct pattern){.tokens = t, .n = k, .cased = cased};
	p->keep_blanks = last == PATTERN_ANY || last == ' ' || last == '\t' || last == '\r' || last == '\n';
}

static bool one_holds(uint32_t token, uint32_t c)
{
	if (token == PATTERN_ONE)
		return true;
	if (token == PATTERN_DASH)
		return c == '-' || c == '/' || (c >= 0x2013 && c <= 0x2015);
	return token == c;
}

bool pattern_match(const struct pattern *p, const char *value, size_t n)
{
	size_t t = 0, at = 0, step, star = SIZE_MAX, star_at = 0;

	if (!p->keep_blanks)
		n = fold_trim(value, n);
	for (;;) {
		if (t < p->n && p->tokens[t] == PATTERN_ANY) {
			star = ++t;
			star_at = at;
			if (t == p->n)
				return true;
		} else if (t == p->n && at == n) {
			return true;
		} else if (t < p->n && at < n && one_holds(p->tokens[t], fold_next(value + at, n - at, &step, p->cased))) {
			t++;
			at += step;
		} else if (star != SIZE_MAX && star_at < n) {
			fold_next(value + star_at, n - star_at, &step, true);
			star_at += step;
			at = star_at;
			t = star;
		} else {
			return false;
		}
	}
}

bool pattern_has_wildcard(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' && i + 1 < n && (s[i + 1] == '*' || s[i + 1] == '?' || s[i + 1] == '\\'))
			i++;
		else if (s[i] == '*' || s[i] == '?')
			return true;
	}
	return false;
}
