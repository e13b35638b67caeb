/* regex_table.c - the sets of positions that can occur, each as the row of a table.
 *
 * Why: where they are few, one look for each byte is all that a search costs.
 * Promises: finds exactly what the positions find; the table never changes, so threads share it.
 * Refuses: more than LIMIT_REGEX_CELLS cells; the positions are used then. */
#include <string.h>

#include "base/hash.h"
#include "rules/regex/regex_private.h"

enum { ROW_DEAD, ROW_MATCH, ROW_START };

struct rows {
	struct arena *temp;
	const struct positions *p;
	const struct kinds *k;
	size_t columns, n, most, slots;
	uint64_t **keys;  /* the set, and one word more: what stands before */
	uint32_t *slot;   /* row + 1 */
	uint16_t *cells;  /* rows by number, until the table is finished */
};

/* Number of the row with this key; most + 1 when there are too many. */
static size_t row_of(struct rows *r, const uint64_t *key)
{
	static const struct hash_seed seed = {0, 0}; /* nothing of an event gets in here */
	size_t bytes = (r->p->words + 1) * sizeof *key, at = (size_t)hash_bytes(&seed, key, bytes) % r->slots;

	for (; r->slot[at]; at = (at + 1) % r->slots)
		if (memcmp(r->keys[r->slot[at] - 1], key, bytes) == 0)
			return r->slot[at] - 1;
	if (r->n == r->most)
		return r->most + 1;
	r->keys[r->n] = arena_alloc(r->temp, bytes);
	memcpy(r->keys[r->n], key, bytes);
	r->slot[at] = (uint32_t)r->n + 1;
	return r->n++;
}

/* The row that a character leads to; behind: as its neighbours see it. */
static size_t step(struct rows *r, const uint64_t *key, size_t kind, enum behind behind, uint64_t *next)
{
	size_t words = r->p->words;
	uint32_t place = NEAR_BIT(key[words], r->p->behind_as[behind]);

	if (positions_match(r->p, key, place))
		return ROW_MATCH;
	positions_step(r->p, key, place, kind, next);
	for (size_t w = 0; w < words; w++)
		if (next[w] & r->p->last[w])
			return ROW_MATCH;
	next[words] = r->p->before_as[r->k->before[kind]];
	return row_of(r, next);
}

static bool fill_row(struct rows *r, size_t row, uint64_t *next)
{
	uint16_t *cell = r->cells + row * r->columns;
	const uint64_t *key = r->keys[row];
	size_t n = r->k->n, line = r->k->of_byte['\n'];

	for (size_t kind = 0; kind < n; kind++) {
		size_t to = step(r, key, kind, (enum behind)r->k->behind[kind], next);

		if (to > r->most)
			return false;
		cell[kind] = (uint16_t)to;
	}
	size_t to = step(r, key, line, BEHIND_LAST_LINE, next);

	if (to > r->most)
		return false;
	cell[n] = (uint16_t)to;
	cell[n + 1] = positions_match(r->p, key, NEAR_BIT(key[r->p->words], r->p->behind_as[BEHIND_END])) ? ROW_MATCH : ROW_DEAD;
	return true;
}

/* Rows that no value can leave for a match become the dead one, so that a search can end early. */
static void bury(struct rows *r)
{
	bool *alive = arena_alloc(r->temp, r->n * sizeof *alive), more = true;

	alive[ROW_MATCH] = true;
	while (more) {
		more = false;
		for (size_t row = r->n; row-- > ROW_START;) {
			for (size_t c = 0; c < r->columns && !alive[row]; c++)
				more |= alive[row] = alive[r->cells[row * r->columns + c]];
		}
	}
	for (size_t i = ROW_START * r->columns; i < r->n * r->columns; i++)
		if (!alive[r->cells[i]])
			r->cells[i] = ROW_DEAD;
}

bool regex_table(struct arena *a, struct arena *temp, const struct positions *p, const struct kinds *k, struct table *to)
{
	struct rows r = {.temp = temp, .p = p, .k = k, .columns = k->n + 2};
	uint64_t next[(LIMIT_REGEX_POSITIONS + 63) / 64 + 1] = {0};

	r.most = LIMIT_REGEX_CELLS / r.columns;
	r.slots = 2 * r.most + 1;
	r.keys = arena_alloc(temp, r.most * sizeof *r.keys);
	r.slot = arena_alloc(temp, r.slots * sizeof *r.slot);
	r.cells = arena_alloc(temp, r.most * r.columns * sizeof *r.cells);
	r.n = ROW_START;
	for (size_t c = 0; c < r.columns; c++)
		r.cells[ROW_MATCH * r.columns + c] = ROW_MATCH;
	next[p->words] = p->before_as[BEFORE_START];
	row_of(&r, next);
	for (size_t row = ROW_START; row < r.n; row++)
		if (!fill_row(&r, row, next))
			return false;
	bury(&r);
	uint16_t *cells = arena_alloc(a, r.n * r.columns * sizeof *cells);

	for (size_t i = 0; i < r.n * r.columns; i++)
		cells[i] = (uint16_t)(r.cells[i] * r.columns);
	*to = (struct table){.cells = cells, .n = (uint16_t)r.columns, .match = (uint16_t)(ROW_MATCH * r.columns),
		.start = (uint16_t)(ROW_START * r.columns), .rows = r.n};
	return true;
}
