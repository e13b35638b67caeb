/* value_index.c - a long value, made ready for many searches.
 *
 * Why: whoever writes 32 KB of command line can make hundreds of rules candidates, and each of their texts was a search through all
 * of it.
 * How: a bit for every two bytes; places of every three by their hash, in chains. Of a text the three that is rarest in this value is
 * followed.
 * Promises: making it is linear; asking looks at as many threes as the text has, LOOKS at most, and at WALK places.
 * Refuses: texts of one byte, and those whose threes are all frequent: the caller searches for them. */
#include "rules/match/value_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define LOOKS 24
#define WALK 32
#define MIX 0x9E3779B1u
#define LEAST_BITS 10
#define MOST_BITS 18

struct value_place {
	uint32_t last; /* the last place with this hash, + 1; 0: none */
	uint32_t n;
};

#define THREE 3

static uint32_t pair(const char *s)
{
	return (uint32_t)(unsigned char)s[0] | (uint32_t)(unsigned char)s[1] << 8;
}

static uint32_t three(const char *s)
{
	return pair(s) | (uint32_t)(unsigned char)s[2] << 16;
}

static struct value_place *place_of(const struct value_index *x, const char *s)
{
	return &x->places[three(s) * MIX >> x->shift];
}

static void make_room(struct value_index *x, size_t n)
{
	unsigned bits = LEAST_BITS;

	while (bits < MOST_BITS && (size_t)1 << bits < n)
		bits++;
	x->shift = 32 - bits;
	if (x->places_room < (size_t)1 << bits) {
		free(x->places);
		x->places_room = (size_t)1 << bits;
		x->places = xcalloc(x->places_room, sizeof *x->places);
	} else {
		memset(x->places, 0, ((size_t)1 << bits) * sizeof *x->places);
	}
	if (x->before_room < n) {
		free(x->before);
		x->before_room = n;
		x->before = xcalloc(n, sizeof *x->before);
	}
}

void value_index_make(struct value_index *x, const char *s, size_t n)
{
	make_room(x, n);
	x->s = s;
	x->n = n;
	memset(x->pairs, 0, sizeof x->pairs);
	for (size_t i = 0; i + 2 <= n; i++)
		x->pairs[pair(s + i) / 64] |= UINT64_C(1) << pair(s + i) % 64;
	for (size_t i = 0; i + THREE <= n; i++) {
		struct value_place *p = place_of(x, s + i);

		x->before[i] = p->last;
		p->last = (uint32_t)i + 1;
		p->n++;
	}
}

void value_index_free(struct value_index *x)
{
	free(x->places);
	free(x->before);
}

enum value_has value_index_ask(const struct value_index *x, const char *part, size_t k)
{
	const struct value_place *rarest = NULL;
	size_t offset = 0;

	if (k < VALUE_INDEX_LEAST)
		return VALUE_MAY_HAVE;
	if (k == 2)
		return x->pairs[pair(part) / 64] >> pair(part) % 64 & 1 ? VALUE_HAS : VALUE_LACKS;
	for (size_t i = 0; i + THREE <= k && i < LOOKS; i++) {
		const struct value_place *p = place_of(x, part + i);

		if (p->n == 0)
			return VALUE_LACKS;
		if (!rarest || p->n < rarest->n) {
			rarest = p;
			offset = i;
		}
	}
	if (rarest->n > WALK)
		return VALUE_MAY_HAVE;
	for (uint32_t at = rarest->last; at; at = x->before[at - 1]) {
		size_t begin = at - 1 - offset;

		if (at - 1 >= offset && k <= x->n - begin && memcmp(x->s + begin, part, k) == 0)
			return VALUE_HAS;
	}
	return VALUE_LACKS;
}
