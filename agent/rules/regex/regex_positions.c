/* regex_positions.c - sets of positions as words of bits, and a step from one to the next.
 *
 * Why: most characters of an expression follow the one before, or themselves; two shifts and a mask step all of them at once.
 * Promises: a step costs positions_work words, whatever the set and the character.
 * Refuses: nothing; regex_compile refuses what takes too many words. */
#include <string.h>

#include "rules/regex/regex_private.h"

static bool has(const uint64_t *set, size_t p)
{
	return set[p / 64] >> p % 64 & 1;
}

static void put(uint64_t *set, size_t p)
{
	set[p / 64] |= UINT64_C(1) << p % 64;
}

static uint64_t *copy_of(struct arena *a, const uint64_t *set, size_t words)
{
	uint64_t *to = arena_alloc(a, words * sizeof *to);

	memcpy(to, set, words * sizeof *to);
	return to;
}

static void span(const uint64_t *set, size_t words, size_t *from, size_t *end)
{
	*from = 0;
	*end = words;
	while (*from < *end && set[*from] == 0)
		++*from;
	while (*end > *from && set[*end - 1] == 0)
		--*end;
}

static void end_jumps(struct positions *p)
{
	for (size_t i = 0; i < p->n_jumps; i++) {
		struct jump *j = &p->jumps[i];

		span(j->from, p->words, &j->from_word, &j->from_end);
		span(j->to, p->words, &j->to_word, &j->to_end);
	}
}

/* Followers that a shift reaches go into its mask; what is left becomes jumps, one for all that have the same followers. */
static void fill_steps(struct arena *a, const struct glushkov *g, struct positions *to)
{
	uint64_t rest[(LIMIT_REGEX_POSITIONS + 63) / 64];

	to->jumps = arena_alloc(a, (g->n + g->from.n) * sizeof *to->jumps);
	for (size_t p = 0; p < g->n; p++) {
		uint64_t *const masks[] = {to->stay, to->one, to->two};
		uint64_t any = 0;
		size_t k = 0;

		memcpy(rest, g->follow + p * g->words, g->words * sizeof rest[0]);
		for (size_t by = 0; by < 3 && p + by < g->n; by++) {
			if (has(rest, p + by)) {
				put(masks[by], p);
				rest[(p + by) / 64] &= ~(UINT64_C(1) << (p + by) % 64);
			}
		}
		for (size_t w = 0; w < g->words; w++)
			any |= rest[w];
		if (!any)
			continue;
		while (k < to->n_jumps && memcmp(to->jumps[k].to, rest, g->words * sizeof rest[0]) != 0)
			k++;
		if (k == to->n_jumps)
			to->jumps[to->n_jumps++] = (struct jump){.near = NEAR_ALL, .from = arena_alloc(a, g->words * sizeof rest[0]),
				.to = copy_of(a, rest, g->words)};
		put(to->jumps[k].from, p);
	}
	for (size_t i = 0; i < g->from.n; i++)
		to->jumps[to->n_jumps++] = (struct jump){.near = g->from.g[i].near, .from = copy_of(a, g->from.g[i].set, g->words),
			.to = copy_of(a, g->to.g[i].set, g->words)};
	end_jumps(to);
}

static uint64_t *split(struct arena *a, const struct guards *from, size_t words, struct guards *some)
{
	uint64_t *all = arena_alloc(a, words * sizeof *all);

	some->g = arena_alloc(a, (from->n + 1) * sizeof *some->g);
	for (size_t i = 0; i < from->n; i++) {
		if (from->g[i].near != NEAR_ALL)
			some->g[some->n++] = (struct guarded){from->g[i].near, copy_of(a, from->g[i].set, words)};
		for (size_t w = 0; w < words && from->g[i].near == NEAR_ALL; w++)
			all[w] |= from->g[i].set[w];
	}
	return all;
}

static uint32_t before_row(uint32_t near, unsigned before)
{
	return near >> before * BEHIND_KINDS & ((1u << BEHIND_KINDS) - 1);
}

static uint32_t behind_column(uint32_t near, unsigned behind)
{
	uint32_t column = 0;

	for (unsigned b = 0; b < BEFORE_KINDS; b++)
		column |= (near & NEAR_BIT(b, behind)) ? 1u << b : 0;
	return column;
}

/* Marks the neighbours that this mask tells apart. */
static void tell_apart(uint32_t near, bool before_apart[][BEFORE_KINDS], bool behind_apart[][BEHIND_KINDS])
{
	for (unsigned i = 0; i < BEFORE_KINDS; i++)
		for (unsigned k = 0; k < i; k++)
			before_apart[i][k] |= before_row(near, i) != before_row(near, k);
	for (unsigned i = 0; i < BEHIND_KINDS; i++)
		for (unsigned k = 0; k < i; k++)
			behind_apart[i][k] |= behind_column(near, i) != behind_column(near, k);
}

static void fill_neighbours(struct positions *p)
{
	bool before[BEFORE_KINDS][BEFORE_KINDS] = {{false}}, behind[BEHIND_KINDS][BEHIND_KINDS] = {{false}};

	tell_apart(p->empty, before, behind);
	for (size_t i = 0; i < p->n_jumps; i++)
		tell_apart(p->jumps[i].near, before, behind);
	for (size_t i = 0; i < p->firsts.n; i++)
		tell_apart(p->firsts.g[i].near, before, behind);
	for (size_t i = 0; i < p->lasts.n; i++)
		tell_apart(p->lasts.g[i].near, before, behind);
	for (unsigned i = 0; i < BEFORE_KINDS; i++)
		while (before[i][p->before_as[i]])
			p->before_as[i]++;
	for (unsigned i = 0; i < BEHIND_KINDS; i++)
		while (behind[i][p->behind_as[i]])
			p->behind_as[i]++;
}

static bool meet(const uint64_t *a, const uint64_t *b, size_t from, size_t end)
{
	uint64_t any = 0;

	for (size_t w = from; w < end; w++)
		any |= a[w] & b[w];
	return any != 0;
}

/* What each kind of character can lead to: most jumps are none of its business. */
static void fill_kinds(struct arena *a, struct positions *p, size_t n)
{
	uint32_t k = 0;

	p->jump_of = arena_alloc(a, (n * p->n_jumps + 1) * sizeof *p->jump_of);
	p->jumps_from = arena_alloc(a, (n + 1) * sizeof *p->jumps_from);
	p->begins = arena_alloc(a, n * sizeof *p->begins);
	for (size_t kind = 0; kind < n; kind++) {
		const uint64_t *member = p->member + kind * p->words;

		for (size_t i = 0; i < p->n_jumps; i++)
			if (meet(p->jumps[i].to, member, p->jumps[i].to_word, p->jumps[i].to_end))
				p->jump_of[k++] = (uint16_t)i;
		p->jumps_from[kind + 1] = k;
		p->begins[kind] = meet(p->first, member, 0, p->words);
		for (size_t i = 0; i < p->firsts.n; i++)
			p->begins[kind] |= meet(p->firsts.g[i].set, member, 0, p->words);
	}
}

void regex_positions(struct arena *a, const struct glushkov *g, const struct regex_tree *t, const struct kinds *k,
	const uint32_t *sample, struct positions *to)
{
	*to = (struct positions){.words = g->words, .empty = g->empty};
	to->one = arena_alloc(a, g->words * sizeof(uint64_t));
	to->two = arena_alloc(a, g->words * sizeof(uint64_t));
	to->stay = arena_alloc(a, g->words * sizeof(uint64_t));
	fill_steps(a, g, to);
	to->first = split(a, &g->first, g->words, &to->firsts);
	to->last = split(a, &g->last, g->words, &to->lasts);
	to->member = arena_alloc(a, k->n * g->words * sizeof(uint64_t));
	for (size_t kind = 0; kind < k->n; kind++) {
		bool in[LIMIT_REGEX_SETS] = {false};

		for (size_t s = 0; s < t->n; s++)
			in[s] = chars_have(t->chars[s], sample[kind]);
		for (size_t p = 0; p < g->n; p++)
			if (in[g->chars[p]])
				put(to->member + kind * g->words, p);
	}
	fill_kinds(a, to, k->n);
	fill_neighbours(to);
}

size_t positions_work(const struct positions *p)
{
	size_t work = p->words * (2 + p->firsts.n + p->lasts.n);

	for (size_t i = 0; i < p->n_jumps; i++)
		work += p->jumps[i].from_end - p->jumps[i].from_word + p->jumps[i].to_end - p->jumps[i].to_word;
	return work;
}

bool positions_step(const struct positions *p, const uint64_t *s, uint32_t place, size_t kind, uint64_t *t)
{
	const uint64_t *member = p->member + kind * p->words;
	const uint16_t *jump = p->jump_of + p->jumps_from[kind], *end = p->jump_of + p->jumps_from[kind + 1];
	uint64_t one = 0, two = 0, any = 0;

	for (size_t w = 0; w < p->words; w++) {
		uint64_t by_one = s[w] & p->one[w], by_two = s[w] & p->two[w];

		t[w] = p->first[w] | (s[w] & p->stay[w]) | by_one << 1 | one | by_two << 2 | two;
		one = by_one >> 63;
		two = by_two >> 62;
	}
	for (; jump < end; jump++) {
		const struct jump *j = &p->jumps[*jump];

		if ((j->near & place) && meet(s, j->from, j->from_word, j->from_end))
			for (size_t w = j->to_word; w < j->to_end; w++)
				t[w] |= j->to[w];
	}
	for (size_t i = 0; i < p->firsts.n; i++)
		for (size_t w = 0; w < p->words && (p->firsts.g[i].near & place); w++)
			t[w] |= p->firsts.g[i].set[w];
	for (size_t w = 0; w < p->words; w++)
		any |= t[w] &= member[w];
	return any != 0;
}

bool positions_match(const struct positions *p, const uint64_t *s, uint32_t place)
{
	if ((p->empty & place) || meet(s, p->last, 0, p->words))
		return true;
	for (size_t i = 0; i < p->lasts.n; i++)
		if ((p->lasts.g[i].near & place) && meet(s, p->lasts.g[i].set, 0, p->words))
			return true;
	return false;
}
