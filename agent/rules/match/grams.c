/* grams.c - a filter over three or four bytes at a time.
 *
 * Why: thousands of texts are looked for in each command line, and hardly any is there.
 * How: of a text with seven bytes or more, four neighbouring places of four bytes (grams) are chosen, the rarest together. Whoever
 * reads a value at every fourth byte must meet one of the four if the text is there. Where all texts have eleven bytes, eight grams
 * and every eighth byte. Texts of four to six bytes: two grams of three bytes, and every second byte; where they are not ASCII (nearly
 * all emoji begin with the same three) one gram of four, and every byte. A bitmap that fits the first
 * cache answers nearly always with no.
 * Promises: finds every text that is there, at least once. The work for a value is its length, and what the bitmap lets through. */
#include "rules/match/grams.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/match/rarity.h"

struct entry {
	uint32_t gram;
	uint32_t index;  /* of the needle */
	uint32_t offset; /* of the gram in it */
};

struct pass {
	const struct needle *list;
	size_t n, stride;
	size_t gram_n;
	uint32_t mask; /* three bytes or four, as they lie in memory */
	uint32_t mix; /* MIX for four bytes; for three, shifted: that drops the byte behind them */
	unsigned bit_shift, bucket_shift;
	uint64_t *bits;
	uint32_t *buckets;     /* of a gram's first entry, from 1; 0: empty. Open addressing */
	struct entry *entries; /* by gram */
};

struct grams {
	struct pass shorts, longs;
};

/* Three bytes are masked and mixed as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "grams are read as little-endian numbers");

#define LONG_LEAST 7    /* bytes of a text for four grams of four */
#define LONGER_LEAST 11 /* for eight */

#define CROWD 16 /* needles with the same gram that double its price */

#define MIX 0x9E3779B1u /* multiplied with a gram; the highest bits are its hash */

static uint32_t gram_in(const struct pass *p, const struct needle *d, size_t at)
{
	uint32_t w = 0;

	if (p->gram_n == 4)
		memcpy(&w, d->text + at, 4);
	else
		memcpy(&w, d->text + at, 3);
	return w;
}

/* How many needles have a gram, by hash: of two rare grams the better one is that of fewer needles, for whoever writes a value may
 * write the grams that most needles share. */
struct crowd {
	uint16_t of[1u << 12];
};

static size_t crowd_at(const struct pass *p, const struct needle *d, size_t at)
{
	return gram_in(p, d, at) * p->mix >> 20;
}

static void crowd_count(const struct pass *p, struct crowd *c, const struct needle *d)
{
	for (size_t at = 0; at + p->gram_n <= d->n; at++) {
		uint16_t *n = &c->of[crowd_at(p, d, at)];

		if (*n < UINT16_MAX)
			++*n;
	}
}

static double price(const struct pass *p, const struct needle *d, const struct crowd *c, size_t at)
{
	size_t judged = at + 4 <= d->n ? at : d->n - 4; /* grams of three bytes are judged by four */

	return rarity_gram(d->text + judged) * (CROWD + (c ? c->of[crowd_at(p, d, at)] : 0));
}

/* The place whose `stride` grams are rarest together. c: NULL, or the crowds. */
static size_t best_place(const struct pass *p, const struct needle *d, const struct crowd *c)
{
	size_t best = 0;
	double sum = 0, least;

	for (size_t k = 0; k < p->stride; k++)
		sum += price(p, d, c, k);
	least = sum; /* of numbers that a double holds exactly, so that nothing is lost by going on from place to place */
	for (size_t at = 1; at + p->stride + p->gram_n - 1 <= d->n; at++) {
		sum += price(p, d, c, at + p->stride - 1) - price(p, d, c, at - 1);
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
		uint32_t gram = p->entries[i].gram, h = gram * p->mix >> p->bit_shift;
		size_t b = gram * p->mix >> p->bucket_shift;

		for (k = i; k < p->n && p->entries[k].gram == gram; k++)
			continue;
		p->bits[h / 64] |= UINT64_C(1) << h % 64;
		while (p->buckets[b])
			b = (b + 1) & mask;
		p->buckets[b] = (uint32_t)i + 1;
	}
}

static void build_pass(struct pass *p, struct arena *a, const struct needle *list, const uint32_t *index, size_t n, bool longs, bool high)
{
	size_t many = 0, distinct = 0, least = SIZE_MAX;

	for (size_t i = 0; i < n; i++)
		if ((list[index[i]].n >= LONG_LEAST) == longs) {
			many++;
			least = list[index[i]].n < least ? list[index[i]].n : least;
		}
	if (many == 0)
		return;
	*p = (struct pass){.list = list, .stride = !longs ? 2 : least >= LONGER_LEAST ? 8 : 4, .gram_n = longs ? 4 : 3,
		.mask = longs ? UINT32_MAX : 0xffffff, .mix = longs ? MIX : MIX << 8};
	if (high && !longs) {
		p->stride = 1;
		p->gram_n = 4;
		p->mask = UINT32_MAX;
		p->mix = MIX;
	}
	struct crowd *crowd = many < CROWD ? NULL : xcalloc(1, sizeof *crowd);

	for (size_t i = 0; i < n && crowd; i++)
		if ((list[index[i]].n >= LONG_LEAST) == longs)
			crowd_count(p, crowd, &list[index[i]]);
	p->entries = arena_alloc(a, many * p->stride * sizeof *p->entries);
	for (size_t i = 0; i < n; i++) {
		const struct needle *d = &list[index[i]];

		if ((d->n >= LONG_LEAST) != longs)
			continue;
		size_t at = best_place(p, d, crowd);

		for (size_t k = at; k < at + p->stride; k++)
			p->entries[p->n++] = (struct entry){gram_in(p, d, k), index[i], (uint32_t)k};
	}
	free(crowd);
	qsort(p->entries, p->n, sizeof *p->entries, by_gram);
	for (size_t i = 0; i < p->n; i++)
		distinct += i == 0 || p->entries[i].gram != p->entries[i - 1].gram;
	p->bit_shift = shift_for(16 * distinct, 6);
	p->bucket_shift = shift_for(distinct + distinct / 2 + 1, 1);
	p->bits = arena_alloc(a, (((size_t)1 << (32 - p->bit_shift)) + 7) / 8);
	p->buckets = arena_alloc(a, ((size_t)1 << (32 - p->bucket_shift)) * sizeof *p->buckets);
	fill(p);
}

struct grams *grams_new(struct arena *a, const struct needle *list, const uint32_t *index, size_t n, bool high)
{
	struct grams *g = arena_alloc(a, sizeof *g);

	build_pass(&g->shorts, a, list, index, n, false, high);
	build_pass(&g->longs, a, list, index, n, true, high);
	return g;
}

/* The bitmap said yes at s + at: which needles are there? */
static bool look_closer(const struct pass *p, const char *s, size_t n, size_t at, bool (*found)(void *, uint32_t), void *arg)
{
	size_t mask = ((size_t)1 << (32 - p->bucket_shift)) - 1, b;
	uint32_t gram;

	memcpy(&gram, s + at, sizeof gram); /* see maybe */
	gram &= p->mask;
	b = gram * p->mix >> p->bucket_shift;

	while (p->buckets[b] && p->entries[p->buckets[b] - 1].gram != gram)
		b = (b + 1) & mask;
	for (size_t i = p->buckets[b] ? p->buckets[b] - 1 : p->n; i < p->n && p->entries[i].gram == gram; i++) {
		const struct entry *en = &p->entries[i];
		const struct needle *d = &p->list[en->index];

		if (en->offset <= at && d->n <= n - (at - en->offset) && memcmp(s + at - en->offset, d->text, d->n) == 0 &&
		    found(arg, en->index))
			return true;
	}
	return false;
}

/* Reads four bytes whatever the gram (FOLDED_MORE). */
static inline bool maybe(const uint64_t *bits, unsigned shift, uint32_t multiplier, const char *s)
{
	uint32_t h;

	memcpy(&h, s, sizeof h);
	h = h * multiplier >> shift;
	return bits[h / 64] >> h % 64 & 1;
}

static bool run_pass(const struct pass *p, const char *s, size_t n, bool (*found)(void *, uint32_t), void *arg)
{
	const uint64_t *bits = p->bits;
	unsigned shift = p->bit_shift;
	uint32_t mixer = p->mix;
	size_t stride = p->stride, at = 0;

	for (; at + 3 * stride + p->gram_n <= n; at += 4 * stride)
		if ((maybe(bits, shift, mixer, s + at) && look_closer(p, s, n, at, found, arg)) ||
		    (maybe(bits, shift, mixer, s + at + stride) && look_closer(p, s, n, at + stride, found, arg)) ||
		    (maybe(bits, shift, mixer, s + at + 2 * stride) && look_closer(p, s, n, at + 2 * stride, found, arg)) ||
		    (maybe(bits, shift, mixer, s + at + 3 * stride) && look_closer(p, s, n, at + 3 * stride, found, arg)))
			return true;
	for (; at + p->gram_n <= n; at += stride)
		if (maybe(bits, shift, mixer, s + at) && look_closer(p, s, n, at, found, arg))
			return true;
	return false;
}

bool grams_find(const struct grams *g, const char *s, size_t n, bool (*found)(void *arg, uint32_t index), void *arg)
{
	if (g->longs.n && run_pass(&g->longs, s, n, found, arg))
		return true;
	return g->shorts.n && run_pass(&g->shorts, s, n, found, arg);
}
