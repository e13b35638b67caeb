/* regex_chars.c - sets of characters as ranges.
 *
 * Why: classes, negated classes and case folding must mean the same for every script, not for ASCII alone.
 * Promises: a set folds with rules/fold.h, so a rule and a value are folded by one function.
 * Refuses: nothing; the caller's arena bounds it. */
#include <stdlib.h>
#include <string.h>

#include "rules/fold.h"
#include "rules/regex/regex_private.h"

void chars_add(struct arena *a, struct chars *c, uint32_t from, uint32_t to)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 4;
		struct char_range *r = arena_alloc(a, cap * sizeof *r);

		if (c->n)
			memcpy(r, c->r, c->n * sizeof *r);
		c->r = r;
		c->cap = cap;
	}
	c->r[c->n++] = (struct char_range){from, to};
}

void chars_join(struct arena *a, struct chars *to, const struct chars *from)
{
	for (size_t i = 0; i < from->n; i++)
		chars_add(a, to, from->r[i].from, from->r[i].to);
}

static int by_from(const void *a, const void *b)
{
	const struct char_range *x = a, *y = b;

	return (x->from > y->from) - (x->from < y->from);
}

void chars_order(struct chars *c)
{
	size_t k = 0;

	if (c->n == 0)
		return;
	qsort(c->r, c->n, sizeof c->r[0], by_from);
	for (size_t i = 1; i < c->n; i++) {
		if (c->r[i].from > c->r[k].to + 1)
			c->r[++k] = c->r[i];
		else if (c->r[i].to > c->r[k].to)
			c->r[k].to = c->r[i].to;
	}
	c->n = k + 1;
}

void chars_negate(struct arena *a, struct chars *c)
{
	struct chars to = {0};
	uint32_t from = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (c->r[i].from > from)
			chars_add(a, &to, from, c->r[i].from - 1);
		from = c->r[i].to + 1;
	}
	if (from <= CHAR_DAMAGED)
		chars_add(a, &to, from, CHAR_DAMAGED);
	*c = to;
}

bool chars_have(const struct chars *c, uint32_t character)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (character > c->r[mid].to)
			low = mid + 1;
		else if (character < c->r[mid].from)
			high = mid;
		else
			return true;
	}
	return false;
}

bool chars_same(const struct chars *a, const struct chars *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->r, b->r, a->n * sizeof a->r[0]) == 0);
}

/* Every character that fold() changes, beside what it becomes. */
static struct chars *all_folds(struct arena *a)
{
	struct chars *f = arena_alloc(a, sizeof *f);

	for (uint32_t c = 0; c <= 0xffff; c++)
		if (fold(c) != c)
			chars_add(a, f, c, fold(c));
	return f;
}

static struct chars copy_of(struct arena *a, const struct chars *c)
{
	struct chars to = {0};

	chars_join(a, &to, c);
	return to;
}

/* ASCII without the search through every character: most expressions have no other. U+017F and U+212A fold to s and k. */
static void fold_ascii(struct arena *a, struct chars *c)
{
	const struct chars old = copy_of(a, c);

	for (uint32_t lower = 'a'; lower <= 'z'; lower++) {
		if (!chars_have(&old, lower) && !chars_have(&old, lower - 32))
			continue;
		chars_add(a, c, lower, lower);
		chars_add(a, c, lower - 32, lower - 32);
		if (lower == 's')
			chars_add(a, c, 0x17f, 0x17f);
		if (lower == 'k')
			chars_add(a, c, 0x212a, 0x212a);
	}
}

/* Every x for which the set has y with fold(x) = fold(y). */
static void fold_all(struct arena *a, struct chars *c, const struct chars *folds)
{
	struct chars old = copy_of(a, c);

	for (size_t i = 0; i < folds->n; i++)
		if (chars_have(&old, folds->r[i].from))
			chars_add(a, c, folds->r[i].to, folds->r[i].to);
	chars_order(c);
	old = copy_of(a, c);
	for (size_t i = 0; i < folds->n; i++)
		if (chars_have(&old, folds->r[i].to))
			chars_add(a, c, folds->r[i].from, folds->r[i].from);
}

void chars_fold(struct arena *a, struct chars *c, struct chars **folds)
{
	if (c->n == 0)
		return;
	if (c->r[c->n - 1].to < 0x80) {
		fold_ascii(a, c);
	} else {
		if (!*folds)
			*folds = all_folds(a);
		fold_all(a, c, *folds);
	}
	chars_order(c);
}
