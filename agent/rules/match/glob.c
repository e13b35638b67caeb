/* glob.c - patterns with stars, for ASCII.
 *
 * Why: a fifth of the command line rules write options with any dash, and nearly all values are ASCII, where each character that is no
 * star is one byte: a part between two stars then has a fixed length and is found by its longest plain run.
 * Promises: the same answer as pattern_match, by the same rule: each part as far left as it fits, the last at the end.
 * Refuses: values with other characters; the caller has pattern_match for them. */
#include "rules/match/glob.h"

#include <string.h>

#include "rules/match/literal.h"

struct part { /* between stars */
	const char *text;     /* a byte each; what stands under a mark does not count */
	const uint8_t *marks; /* of each byte */
	size_t n, run, run_n; /* the longest stretch of plain bytes */
};

enum mark { MARK_PLAIN, MARK_ONE, MARK_DASH };

struct glob {
	const struct part *parts;
	size_t n;
	bool from_start, to_end; /* no star there */
};

static bool part_make(struct part *to, struct arena *a, const uint32_t *tokens, size_t n)
{
	char *text = arena_alloc(a, n + 1);
	uint8_t *marks = arena_alloc(a, n + 1);
	size_t run = 0;

	*to = (struct part){.text = text, .marks = marks, .n = n};
	for (size_t i = 0; i < n; i++) {
		uint32_t t = tokens[i];

		if (t >= 0x80 && t < PATTERN_ANY)
			return false;
		marks[i] = t == PATTERN_ONE ? MARK_ONE : t == PATTERN_DASH ? MARK_DASH : MARK_PLAIN;
		text[i] = marks[i] ? '\0' : (char)t;
		run = marks[i] ? 0 : run + 1;
		if (run > to->run_n) {
			to->run_n = run;
			to->run = i + 1 - run;
		}
	}
	return true;
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
