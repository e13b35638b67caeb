/* needles.c - texts looked for in a value by whole, beginning, end, part, number.
 *
 * Why: a rule set asks one field thousands of questions; most are settled by one look into a table.
 * Promises: finds every needle that is there. Tables are built from rules and never grow; a value can only look things up.
 * Refuses: nothing. */
#include "rules/match/needles.h"

#include <string.h>

#include "rules/match/grams.h"
#include "rules/number.h"

#define ONE_BY_ONE 128 /* parts; so many are asked of a value's index sooner than the value is read */
#define LENGTHS 256 /* longer texts share the last bit */

/* Texts by hash, for one way of reading: front to back (whole values, beginnings) or back to front (ends). */
struct table {
	uint32_t mask, longest;
	uint32_t *slots;          /* index + 1 */
	uint32_t *hashes;
	uint64_t length[LENGTHS / 64];
	uint64_t last_byte[4];    /* those that the reader may have read last: his first look, before the length */
};

struct half {                 /* needles of ASCII, or the others */
	struct table *equal, *prefix, *suffix; /* NULL: none */
	struct grams *parts;
	uint32_t *short_parts;    /* too short for grams: looked for one by one */
	uint32_t *long_parts;     /* the others */
	uint32_t n_short, n_long;
	bool any;
};

struct needles {
	const struct needle *list;
	struct half low, high;
	struct table *numbers;    /* by value; NULL: none */
	uint32_t *present;
	uint32_t n_present;
	size_t least;
};

static uint32_t step(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 0x01000193u;
}

static uint32_t spread(uint32_t h)
{
	h ^= h >> 15;
	return h * 0x2c1b3c6du;
}

static uint32_t spread_number(uint64_t v)
{
	return (uint32_t)(v * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

static uint32_t hash_of(const struct needle *d)
{
	uint32_t h = 0;

	if (d->kind == NEEDLE_NUMBER)
		return spread_number(d->number);
	for (uint32_t i = 0; i < d->n; i++)
		h = step(h, d->kind == NEEDLE_SUFFIX ? d->text[d->n - 1 - i] : d->text[i]);
	return spread(h);
}

static size_t length_bit(size_t n)
{
	return n < LENGTHS ? n : LENGTHS - 1;
}

static bool has_length(const struct table *t, size_t n)
{
	size_t bit = length_bit(n);

	return t->length[bit / 64] >> bit % 64 & 1;
}

static bool may_end(const struct table *t, char c)
{
	unsigned char byte = (unsigned char)c;

	return t->last_byte[byte / 64] >> byte % 64 & 1;
}

static void table_note(struct table *t, const struct needle *d)
{
	size_t bit = length_bit(d->n);
	unsigned char last = d->n ? (unsigned char)d->text[d->kind == NEEDLE_SUFFIX ? 0 : d->n - 1] : 0;

	t->length[bit / 64] |= UINT64_C(1) << bit % 64;
	t->longest = d->n > t->longest ? d->n : t->longest;
	t->last_byte[last / 64] |= UINT64_C(1) << last % 64;
}

static struct table *table_new(struct arena *a, const struct needle *list, const uint32_t *index, size_t n)
{
	struct table *t;
	size_t room = 2;

	if (n == 0)
		return NULL;
	t = arena_alloc(a, sizeof *t);
	while (room < 2 * n)
		room *= 2;
	t->mask = (uint32_t)room - 1;
	t->slots = arena_alloc(a, room * sizeof *t->slots);
	t->hashes = arena_alloc(a, room * sizeof *t->hashes);
	for (size_t i = 0; i < n; i++) {
		uint32_t h = hash_of(&list[index[i]]), at = h & t->mask;

		while (t->slots[at])
			at = (at + 1) & t->mask;
		t->slots[at] = index[i] + 1;
		t->hashes[at] = h;
		table_note(t, &list[index[i]]);
	}
	return t;
}

struct collect { /* indexes of one kind */
	uint32_t *list;
	size_t n;
};

static bool is_high(const struct needle *d)
{
	for (uint32_t i = 0; i < d->n; i++)
		if ((unsigned char)d->text[i] > 127)
			return true;
	return false;
}

static struct collect collect(struct arena *a, const struct needle *list, size_t n, enum needle_kind kind, bool high)
{
	struct collect c = {.n = 0};

	for (size_t i = 0; i < n; i++)
		c.n += list[i].kind == kind && is_high(&list[i]) == high;
	c.list = arena_alloc(a, (c.n + 1) * sizeof *c.list);
	c.n = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == kind && is_high(&list[i]) == high)
			c.list[c.n++] = (uint32_t)i;
	return c;
}

static void half_make(struct half *h, struct arena *a, const struct needle *list, size_t n, bool high)
{
	struct collect equal = collect(a, list, n, NEEDLE_EQUAL, high), prefix = collect(a, list, n, NEEDLE_PREFIX, high);
	struct collect suffix = collect(a, list, n, NEEDLE_SUFFIX, high), part = collect(a, list, n, NEEDLE_PART, high);
	size_t longer = 0;

	h->any = equal.n + prefix.n + suffix.n + part.n > 0;
	h->equal = table_new(a, list, equal.list, equal.n);
	h->prefix = table_new(a, list, prefix.list, prefix.n);
	h->suffix = table_new(a, list, suffix.list, suffix.n);
	h->short_parts = arena_alloc(a, (part.n + 1) * sizeof *h->short_parts);
	for (size_t i = 0; i < part.n; i++)
		if (list[part.list[i]].n < GRAM_LEAST)
			h->short_parts[h->n_short++] = part.list[i];
		else
			part.list[longer++] = part.list[i];
	h->long_parts = part.list;
	h->n_long = (uint32_t)longer;
	if (longer)
		h->parts = grams_new(a, list, part.list, longer, high);
}

struct needles *needles_new(struct arena *a, const struct needle *list, size_t n)
{
	struct needles *s = arena_alloc(a, sizeof *s);
	struct collect numbers = collect(a, list, n, NEEDLE_NUMBER, false), present = collect(a, list, n, NEEDLE_PRESENT, false);

	s->list = list;
	s->least = SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		s->least = list[i].n < s->least ? list[i].n : s->least; /* a number has no text, and 0 here */
	half_make(&s->low, a, list, n, false);
	half_make(&s->high, a, list, n, true);
	s->numbers = table_new(a, list, numbers.list, numbers.n);
	s->present = present.list;
	s->n_present = (uint32_t)present.n;
	return s;
}

size_t needles_least(const struct needles *s)
{
	return s->least;
}

uint32_t needles_short(const struct needles *s)
{
	return s->low.n_short + s->high.n_short;
}

struct search {
	const struct needle *list;
	bool (*found)(void *arg, uint32_t index);
	void *arg;
};

static bool look_up(const struct table *t, uint32_t hash, const char *text, size_t n, const struct search *x)
{
	for (uint32_t at = hash & t->mask; t->slots[at]; at = (at + 1) & t->mask) {
		const struct needle *d = &x->list[t->slots[at] - 1];

		if (t->hashes[at] == hash && d->n == n && memcmp(d->text, text, n) == 0 && x->found(x->arg, t->slots[at] - 1))
			return true;
	}
	return false;
}

static bool find_equal(const struct table *t, const char *s, size_t n, const struct search *x)
{
	uint32_t h = 0;

	if (n > t->longest || !has_length(t, n) || (n && !may_end(t, s[n - 1])))
		return false;
	for (size_t i = 0; i < n; i++)
		h = step(h, s[i]);
	return look_up(t, spread(h), s, n, x);
}

static bool find_prefix(const struct table *t, const char *s, size_t n, const struct search *x)
{
	uint32_t h = 0;

	n = n < t->longest ? n : t->longest;
	for (size_t i = 0; i < n; i++) {
		h = step(h, s[i]);
		if (may_end(t, s[i]) && has_length(t, i + 1) && look_up(t, spread(h), s, i + 1, x))
			return true;
	}
	return false;
}

static bool find_suffix(const struct table *t, const char *s, size_t n, const struct search *x)
{
	size_t most = n < t->longest ? n : t->longest;
	uint32_t h = 0;

	for (size_t i = 1; i <= most; i++) {
		char c = s[n - i];

		h = step(h, c);
		if (may_end(t, c) && has_length(t, i) && look_up(t, spread(h), s + n - i, i, x))
			return true;
	}
	return false;
}

static bool find_each(const uint32_t *index, size_t n, const struct folded *v, const struct search *x)
{
	for (size_t i = 0; i < n; i++) {
		const struct needle *d = &x->list[index[i]];

		if (folded_has(v, d->text, d->n) && x->found(x->arg, index[i]))
			return true;
	}
	return false;
}

/* The blanks at the value's end: a text that ends with a blank means them, another does not. */
static bool find_half(const struct half *h, const struct folded *v, const struct search *x)
{
	bool blanks = v->n != v->trimmed;

	if (h->equal && (find_equal(h->equal, v->text, v->trimmed, x) || (blanks && find_equal(h->equal, v->text, v->n, x))))
		return true;
	if (h->suffix && (find_suffix(h->suffix, v->text, v->trimmed, x) || (blanks && find_suffix(h->suffix, v->text, v->n, x))))
		return true;
	if (h->prefix && find_prefix(h->prefix, v->text, v->n, x))
		return true;
	if (v->index && h->n_long <= ONE_BY_ONE) {
		if (find_each(h->long_parts, h->n_long, v, x))
			return true;
	} else if (h->parts && grams_find(h->parts, v->text, v->n, x->found, x->arg)) {
		return true;
	}
	return find_each(h->short_parts, h->n_short, v, x);
}

static bool find_number(const struct needles *s, const struct folded *v, const struct search *x)
{
	struct number n;

	if (!number_parse(v->raw, v->raw_n, &n) || !n.whole || n.negative)
		return false;
	uint32_t h = spread_number(n.size);

	for (uint32_t at = h & s->numbers->mask; s->numbers->slots[at]; at = (at + 1) & s->numbers->mask)
		if (s->list[s->numbers->slots[at] - 1].number == n.size && x->found(x->arg, s->numbers->slots[at] - 1))
			return true;
	return false;
}

bool needles_find(const struct needles *s, const struct folded *v, bool (*found)(void *arg, uint32_t index), void *arg)
{
	const struct search x = {s->list, found, arg};

	for (uint32_t i = 0; i < s->n_present; i++)
		if (found(arg, s->present[i]))
			return true;
	if (s->low.any && find_half(&s->low, v, &x))
		return true;
	if (v->high && s->high.any && find_half(&s->high, v, &x))
		return true;
	return s->numbers && find_number(s, v, &x);
}
