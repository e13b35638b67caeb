/* glob.c - patterns with stars, as bytes.
 *
 * Why: a fifth of the command line rules write options with any dash, and nearly all values are ASCII, where each character that is no
 * star is one byte: a part between two stars then has a fixed length and is found by its longest plain run. In other values only a
 * dash has several widths, and it is tried on both sides of the run.
 * Promises: the same answer as pattern_match, by the same rule: each part as far left as it fits, the last at the end.
 * Refuses: a `?` in values with other characters; the caller has pattern_match for them. */
#include "rules/match/glob.h"

#include <string.h>

#include "rules/fold.h"
#include "rules/match/literal.h"

struct part { /* between stars */
	const char *text;     /* UTF-8; what stands under a mark does not count */
	const uint8_t *marks; /* of each byte */
	size_t n, run, run_n; /* the longest stretch of plain bytes */
};

enum mark { MARK_PLAIN, MARK_ONE, MARK_DASH };

struct glob {
	const struct part *parts;
	size_t n;
	bool from_start, to_end; /* no star there */
	bool narrow;             /* for ASCII values only */
};

static bool part_make(struct part *to, struct arena *a, const uint32_t *tokens, size_t n)
{
	char *text = arena_alloc(a, 4 * n + 1);
	uint8_t *marks = arena_alloc(a, 4 * n + 1);
	size_t run = 0, k = 0;

	*to = (struct part){.text = text, .marks = marks};
	for (size_t i = 0; i < n; i++) {
		uint32_t t = tokens[i];
		uint8_t mark = t == PATTERN_ONE ? MARK_ONE : t == PATTERN_DASH ? MARK_DASH : MARK_PLAIN;
		size_t bytes = 1;

		if (mark == MARK_PLAIN && t >= 0x110000)
			return false;
		if (mark == MARK_PLAIN)
			bytes = fold_put(text + k, t);
		memset(marks + k, mark, bytes);
		k += bytes;
		run = mark ? 0 : run + bytes;
		if (run > to->run_n) {
			to->run_n = run;
			to->run = k - run;
		}
	}
	to->n = k;
	return true;
}

/* A `?` is a character of any width; where it stands, so do all that are behind it. */
static bool is_narrow(const struct glob *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->parts[i].run_n == 0 || memchr(g->parts[i].marks, MARK_ONE, g->parts[i].n))
			return true;
	return false;
}

const struct glob *glob_new(const struct pattern *p, struct arena *a)
{
	struct glob *g = arena_alloc(a, sizeof *g);
	struct part *parts = arena_alloc(a, (p->n + 1) * sizeof *parts);

	g->parts = parts;
	g->from_start = p->n == 0 || p->tokens[0] != PATTERN_ANY;
	g->to_end = p->n == 0 || p->tokens[p->n - 1] != PATTERN_ANY;
	for (size_t i = 0, k; i < p->n; i = k + 1) {
		for (k = i; k < p->n && p->tokens[k] != PATTERN_ANY; k++)
			continue;
		if (k > i && !part_make(&parts[g->n++], a, p->tokens + i, k - i))
			return NULL;
	}
	g->narrow = is_narrow(g);
	return g;
}

static bool fits(const struct part *p, const char *s)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->marks[i] == MARK_PLAIN ? s[i] != p->text[i] : p->marks[i] == MARK_DASH && s[i] != '-' && s[i] != '/')
			return false;
	return true;
}

/* Where the part fits first, or SIZE_MAX. */
static size_t part_find(const struct part *p, const char *s, size_t n)
{
	if (p->n > n)
		return SIZE_MAX;
	for (size_t at = 0; at + p->n <= n; at++) {
		size_t run = bytes_find(s + at + p->run, n - at - p->n + p->run_n, p->text + p->run, p->run_n);

		if (run == SIZE_MAX)
			return SIZE_MAX;
		at += run;
		if (fits(p, s + at))
			return at;
	}
	return SIZE_MAX;
}

bool glob_holds(const struct glob *g, const char *s, size_t n)
{
	size_t at = 0, i = 0, end = g->n;

	if (g->n == 0)
		return !g->to_end || n == 0; /* stars alone, or nothing */
	if (g->from_start) {
		const struct part *p = &g->parts[i++];

		if (p->n > n || !fits(p, s))
			return false;
		at = p->n;
		if (g->n == 1 && g->to_end)
			return n == at;
	}
	if (g->to_end) {
		const struct part *p = &g->parts[--end];

		if (n - at < p->n || !fits(p, s + n - p->n))
			return false;
		n -= p->n;
	}
	for (; i < end; i++) {
		size_t found = part_find(&g->parts[i], s + at, n - at);

		if (found == SIZE_MAX)
			return false;
		at += found + g->parts[i].n;
	}
	return true;
}

bool glob_is_wide(const struct glob *g)
{
	return !g->narrow;
}

/* Bytes of the dash that s begins with; 0: none. U+2013 to U+2015 are E2 80 93 to 95. */
static size_t dash_at(const char *s, size_t n)
{
	if (n > 0 && (s[0] == '-' || s[0] == '/'))
		return 1;
	return n >= 3 && s[0] == '\xE2' && s[1] == '\x80' && s[2] >= '\x93' && s[2] <= '\x95' ? 3 : 0;
}

/* Bytes from s that marks [from, n) of the part take, or SIZE_MAX. */
static size_t ahead(const struct part *p, size_t from, const char *s, size_t n)
{
	size_t at = 0;

	for (size_t i = from; i < p->n; i++) {
		size_t step = at == n ? 0 : p->marks[i] == MARK_DASH ? dash_at(s + at, n - at) : s[at] == p->text[i];

		if (step == 0)
			return SIZE_MAX;
		at += step;
	}
	return at;
}

/* Bytes before s + n that marks [0, to) take, or SIZE_MAX. */
static size_t behind(const struct part *p, size_t to, const char *s, size_t n)
{
	size_t at = n;

	for (size_t i = to; i-- > 0;) {
		size_t step = at == 0 ? 0 : s[at - 1] == p->text[i];

		if (p->marks[i] == MARK_DASH)
			step = at >= 1 && dash_at(s + at - 1, 1) ? 1 : at >= 3 && dash_at(s + at - 3, 3) == 3 ? 3 : 0;
		if (step == 0)
			return SIZE_MAX;
		at -= step;
	}
	return n - at;
}

/* Where the part that fits first ends, or SIZE_MAX. All places where it fits have as many characters, so the first has the first end. */
static size_t wide_find(const struct part *p, const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		size_t run = bytes_find(s + at, n - at, p->text + p->run, p->run_n), end, more;

		if (run == SIZE_MAX)
			return SIZE_MAX;
		at += run;
		end = at + p->run_n;
		more = ahead(p, p->run + p->run_n, s + end, n - end);
		if (more != SIZE_MAX && behind(p, p->run, s, at) != SIZE_MAX)
			return end + more;
		at++;
	}
	return SIZE_MAX;
}

bool glob_holds_wide(const struct glob *g, const char *s, size_t n)
{
	size_t at = 0, i = 0, end = g->n;

	if (g->n == 0)
		return !g->to_end || n == 0;
	if (g->from_start) {
		at = ahead(&g->parts[i++], 0, s, n);
		if (at == SIZE_MAX)
			return false;
		if (g->n == 1 && g->to_end)
			return n == at;
	}
	if (g->to_end) {
		const struct part *p = &g->parts[--end];
		size_t last = behind(p, p->n, s + at, n - at);

		if (last == SIZE_MAX)
			return false;
		n -= last;
	}
	for (; i < end; i++) {
		size_t found = wide_find(&g->parts[i], s + at, n - at);

		if (found == SIZE_MAX)
			return false;
		at += found;
	}
	return true;
}
