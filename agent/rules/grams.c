/* grams.c - a filter over four bytes at a time.
 *
 * Why: thousands of texts are looked for in each command line, and hardly any is there.
 * How: of a text with seven bytes or more, four neighbouring places of four bytes (grams) are chosen, the rarest together. Whoever
 * reads a value at every fourth byte must meet one of the four if the text is there. With five or six bytes, two grams and every
 * second byte; with four, one gram and every byte. A bitmap that fits the first cache answers nearly always with no.
 * Promises: finds every place of every text. The work for a value is its length, and what the bitmap lets through. */
#include "rules/grams.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/rarity.h"

struct entry {
	uint32_t gram;
	uint32_t index;  /* of the needle */
	uint32_t offset; /* of the gram in it */
};

struct bucket { /* entries with one gram stand together */
	uint32_t gram, first, n;
};

struct pass {
	const struct needle *list;
	size_t n;
	unsigned bit_shift, bucket_shift;
	uint64_t *bits;
	struct bucket *buckets; /* open addressing, at most half full; n 0: empty */
	struct entry *entries;
};

#define PASSES 3

static const size_t strides[PASSES] = {4, 2, 1};

struct grams {
	struct pass pass[PASSES];
};

static uint32_t mix(uint32_t gram)
{
	return gram * 0x9E3779B1u;
}

static uint32_t gram_at(const char *s)
{
	uint32_t w;

	memcpy(&w, s, sizeof w);
	return w;
}

/* The place whose `stride` grams are rarest together. */
static size_t best_place(const struct needle *d, size_t stride)
{
	size_t best = 0;
	double least = 1e9;

	for (size_t at = 0; at + stride + 3 <= d->n; at++) {
		double sum = 0;

		for (size_t k = 0; k < stride; k++)
			sum += rarity_gram(d->text + at + k);
		if (sum < least) {
			least = sum;
			best = at;
		}
	}
	return best;
}

static int by_gram(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->gram != y->gram)
		return x->gram < y->gram ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The power of two that is not less than n, as a shift of 32 bits to the right. */
static unsigned shift_for(size_t n, unsigned least_bits)
{
	unsigned bits = least_bits;

	while (bits < 24 && (size_t)1 << bits < n)
		bits++;
	return 32 - bits;
}

static void fill(struct pass *p)
{
	size_t mask = ((size_t)1 << (32 - p->bucket_shift)) - 1;

	for (size_t i = 0, k; i < p->n; i = k) {
		uint32_t gram = p->entries[i].gram, h = mix(gram) >> p->bit_shift;
		size_t b = mix(gram) >> p->bucket_shift;

		for (k = i; k < p->n && p->entries[k].gram == gram; k++)
			continue;
		p->bits[h / 64] |= UINT64_C(1) << h % 64;
		while (p->buckets[b].n)
			b = (b + 1) & mask;
		p->buckets[b] = (struct bucket){gram, (uint32_t)i, (uint32_t)(k - i)};
	}
}

static size_t stride_of(const struct needle *d)
{
	return d->n >= 7 ? 4 : d->n >= 5 ? 2 : 1;
}

static void build_pass(struct pass *p, struct arena *a, const struct needle *list, const uint32_t *index, size_t n, size_t stride)
{
	size_t many = 0, distinct = 0;

	for (size_t i = 0; i < n; i++)
		many += stride_of(&list[index[i]]) == stride;
	if (many == 0)
		return;
	p->list = list;
	p->entries = arena_alloc(a, many * stride * sizeof *p->entries);
	for (size_t i = 0; i < n; i++) {
		const struct needle *d = &list[index[i]];

		if (stride_of(d) != stride)
			continue;
		size_t at = best_place(d, stride);

		for (size_t k = at; k < at + stride; k++)
			p->entries[p->n++] = (struct entry){gram_at(d->text + k), index[i], (uint32_t)k};
	}
	qsort(p->entries, p->n, sizeof *p->entries, by_gram);
	for (size_t i = 0; i < p->n; i++)
		distinct += i == 0 || p->entries[i].gram != p->entries[i - 1].gram;
	p->bit_shift = shift_for(8 * distinct, 6);
	p->bucket_shift = shift_for(2 * distinct, 1);
	p->bits = arena_alloc(a, (((size_t)1 << (32 - p->bit_shift)) + 7) / 8);
	p->buckets = arena_alloc(a, ((size_t)1 << (32 - p->bucket_shift)) * sizeof *p->buckets);
	fill(p);
}

struct grams *grams_new(struct arena *a, const struct needle *list, const uint32_t *index, size_t n)
{
	struct grams *g = arena_alloc(a, sizeof *g);

	for (size_t i = 0; i < PASSES; i++)
		build_pass(&g->pass[i], a, list, index, n, strides[i]);
	return g;
}

/* The bitmap said yes at s + at: which needles are there? */
static bool look_closer(const struct pass *p, const char *s, size_t n, size_t at, bool (*found)(void *, uint32_t), void *arg)
{
	uint32_t gram = gram_at(s + at);
	size_t mask = ((size_t)1 << (32 - p->bucket_shift)) - 1, b = mix(gram) >> p->bucket_shift;

	while (p->buckets[b].n && p->buckets[b].gram != gram)
		b = (b + 1) & mask;
	for (size_t i = 0; i < p->buckets[b].n; i++) {
		const struct entry *en = &p->entries[p->buckets[b].first + i];
		const struct needle *d = &p->list[en->index];

		if (en->offset <= at && d->n <= n - (at - en->offset) && memcmp(s + at - en->offset, d->text, d->n) == 0 &&
		    found(arg, en->index))
			return true;
	}
	return false;
}

static bool run_pass(const struct pass *p, const char *s, size_t n, size_t stride, bool (*found)(void *, uint32_t), void *arg)
{
	const uint64_t *bits = p->bits;
	unsigned shift = p->bit_shift;

	for (size_t at = 0; at + 4 <= n; at += stride) {
		uint32_t h = mix(gram_at(s + at)) >> shift;

		if (bits[h / 64] >> h % 64 & 1 && look_closer(p, s, n, at, found, arg))
			return true;
	}
	return false;
}

bool grams_find(const struct grams *g, const char *s, size_t n, bool (*found)(void *arg, uint32_t index), void *arg)
{
	if (g->pass[0].n && run_pass(&g->pass[0], s, n, 4, found, arg))
		return true;
	if (g->pass[1].n && run_pass(&g->pass[1], s, n, 2, found, arg))
		return true;
	return g->pass[2].n && run_pass(&g->pass[2], s, n, 1, found, arg);
}
