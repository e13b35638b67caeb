/* literal.c - Sigma strings as bytes.
 *
 * Why: nearly all strings of rules are one run of characters with or without a star at an end; memory comparisons decide them.
 * Promises: the same answer as pattern_match, which it asks for the rest. In valid UTF-8 a run of bytes is a run of characters, and
 * a damaged byte never looks like the beginning of one; a pattern that is damaged itself is left to pattern_match.
 * Refuses: nothing. */
#include "rules/match/literal.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "rules/fold.h"
#include "rules/match/glob.h"

static bool is_plain(uint32_t token)
{
	return token < 0x110000;
}

/* The longest run of plain tokens, as bytes. */
static void longest_run(struct literal *l, const struct pattern *p, struct arena *a)
{
	size_t best = 0, best_at = 0, run = 0, bytes = 0;
	char unit[4], *to;

	for (size_t i = 0; i < p->n; i++) {
		run = is_plain(p->tokens[i]) ? run + 1 : 0;
		if (run > best) {
			best = run;
			best_at = i + 1 - run;
		}
	}
	for (size_t i = 0; i < best; i++)
		bytes += fold_put(unit, p->tokens[best_at + i]);
	l->text = to = arena_alloc(a, bytes + 1);
	l->n = 0;
	for (size_t i = 0; i < best; i++) {
		size_t n = fold_put(unit, p->tokens[best_at + i]);

		memcpy(to + l->n, unit, n);
		l->n += (uint32_t)n;
	}
}

struct literal literal_make(const struct pattern *p, struct arena *a)
{
	struct literal l = {.cased = p->cased, .pattern = p};
	bool before = p->n > 0 && p->tokens[0] == PATTERN_ANY, after = p->n > 0 && p->tokens[p->n - 1] == PATTERN_ANY;
	size_t from = before, to = p->n - (after && p->n > 1);
	bool plain = true;

	for (size_t i = from; i < to && plain; i++)
		plain = is_plain(p->tokens[i]);
	longest_run(&l, p, a);
	l.glob = plain ? NULL : glob_new(p, a);
	l.shape = !plain ? SHAPE_GLOB : before && after ? SHAPE_PART : before ? SHAPE_SUFFIX : after ? SHAPE_PREFIX : SHAPE_EQUAL;
	return l;
}

struct folded folded_of(const char *raw, size_t n, char *to)
{
	struct folded v = {.raw = raw, .raw_n = (uint32_t)n, .text = to};

	v.n = (uint32_t)fold_text(to, raw, n, &v.high);
	v.trimmed = (uint32_t)fold_trim(to, v.n);
	return v;
}

#ifdef __SSE2__
/* The last place of part with another byte than its first: a value that is one byte over and over never gets further. */
static size_t telling(const char *part, size_t k)
{
	size_t at = k - 1;

	while (at > 1 && part[at] == part[0])
		at--;
	return part[at] == part[0] ? k - 1 : at;
}

/* Sixteen places at a time, by two bytes of part; k >= 2. */
size_t bytes_find(const char *s, size_t n, const char *part, size_t k)
{
	size_t i = 0, second;

	if (k > n)
		return SIZE_MAX;
	if (k < 2) {
		const char *at = k ? memchr(s, part[0], n) : s;

		return at ? (size_t)(at - s) : SIZE_MAX;
	}
	second = telling(part, k);
	__m128i one = _mm_set1_epi8(part[0]), other = _mm_set1_epi8(part[second]);

	for (; i + k + 15 <= n; i += 16) {
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)(s + i));
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(s + i + second));
		unsigned both = (unsigned)_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(a, one), _mm_cmpeq_epi8(b, other)));

		for (; both; both &= both - 1) {
			size_t at = i + (size_t)__builtin_ctz(both);

			if (memcmp(s + at, part, k) == 0)
				return at;
		}
	}
	for (; i + k <= n; i++)
		if (s[i] == part[0] && s[i + second] == part[second] && memcmp(s + i, part, k) == 0)
			return i;
	return SIZE_MAX;
}
#else
size_t bytes_find(const char *s, size_t n, const char *part, size_t k)
{
	const char *at = k ? memmem(s, n, part, k) : s;

	return at ? (size_t)(at - s) : SIZE_MAX;
}
#endif

bool folded_has(const struct folded *v, const char *part, size_t k)
{
	enum value_has known = v->index ? value_index_ask(v->index, part, k) : VALUE_MAY_HAVE;

	return known == VALUE_MAY_HAVE ? bytes_find(v->text, v->n, part, k) != SIZE_MAX : known == VALUE_HAS;
}

static bool blank_end(const struct literal *l)
{
	char c = l->n ? l->text[l->n - 1] : 'x';

	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool glob_literal_holds(const struct literal *l, const struct folded *v, const char *s, size_t n)
{
	if ((v->high || v->index) && !(l->cased ? bytes_find(s, n, l->text, l->n) != SIZE_MAX : folded_has(v, l->text, l->n)))
		return false;
	if (v->high && !(l->glob && glob_is_wide(l->glob)))
		return pattern_match(l->pattern, v->raw, v->raw_n);
	if (!l->glob)
		return false;
	if (!l->pattern->keep_blanks)
		n = l->cased ? fold_trim(s, n) : v->trimmed;
	return v->high ? glob_holds_wide(l->glob, s, n) : glob_holds(l->glob, s, n);
}

bool literal_holds(const struct literal *l, const struct folded *v)
{
	const char *s = l->cased ? v->raw : v->text;
	size_t n = l->cased ? v->raw_n : v->n;

	if (l->shape == SHAPE_PREFIX)
		return n >= l->n && memcmp(s, l->text, l->n) == 0;
	if (l->shape == SHAPE_PART)
		return l->cased ? bytes_find(s, n, l->text, l->n) != SIZE_MAX : folded_has(v, l->text, l->n);
	if (l->shape == SHAPE_GLOB)
		return glob_literal_holds(l, v, s, n);
	if (!blank_end(l))
		n = l->cased ? fold_trim(s, n) : v->trimmed;
	if (l->shape == SHAPE_EQUAL)
		return n == l->n && memcmp(s, l->text, n) == 0;
	return n >= l->n && memcmp(s + n - l->n, l->text, l->n) == 0;
}
