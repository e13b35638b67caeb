/* regex.c - compiling an expression, and searching a value with it.
 *
 * Why: an attacker writes the values and a backtracking engine can be held up for seconds by one of them; this one cannot.
 * Promises: a search never goes back in the value, allocates nothing and changes nothing.
 * Refuses: expressions that need memory of what was read (back references, look-around), and those that are too big. */
#include "rules/regex/regex_private.h"

static bool compile(struct arena *a, struct arena *temp, const struct regex_tree *tree, struct regex *r, bool table, struct err *e)
{
	uint32_t sample[LIMIT_REGEX_KINDS];
	const struct glushkov *g;

	if (!regex_kinds(a, temp, tree, &r->kinds, sample, e) || !(g = regex_follow(temp, tree, e)))
		return false;
	r->least = tree_least(tree->root);
	r->n_literals = tree_literals(a, temp, tree, &r->literals);
	regex_positions(temp, g, tree, &r->kinds, sample, &r->positions);
	if (table && regex_table(a, temp, &r->positions, &r->kinds, &r->table))
		return true;
	if (positions_work(&r->positions) > LIMIT_REGEX_WORK) {
		err_set(e, ERR_RULES, "regular expression: too many repeats and alternatives inside each other; write several simpler ones");
		return false;
	}
	regex_positions(a, g, tree, &r->kinds, sample, &r->positions);
	return true;
}

const struct regex *regex_compile(struct arena *a, const char *text, size_t n, unsigned flags, struct err *e)
{
	struct arena *temp = arena_new(64u << 10);
	struct regex *r = arena_alloc(a, sizeof *r);
	struct regex_tree tree;
	bool ok = regex_parse(temp, text, n, flags, &tree, e) && compile(a, temp, &tree, r, !(flags & REGEX_NO_TABLE), e);

	arena_free(temp);
	return ok ? r : NULL;
}

static bool search_table(const struct regex *r, const char *value, size_t n)
{
	const uint16_t *cells = r->table.cells;
	const uint8_t *of_byte = r->kinds.of_byte;
	bool last_line = n > 0 && value[n - 1] == '\n';
	size_t end = n - last_line, start = r->table.start, row = start, match = r->table.match;

	for (size_t i = 0, step; i < end; i += step) {
		size_t kind = of_byte[(unsigned char)value[i]];

		step = 1;
		/* Most of most values begins nothing: there the loads need not wait for each other. */
		while (row == start && kind != KIND_LOOK && cells[start + kind] == start && ++i < end)
			kind = of_byte[(unsigned char)value[i]];
		if (i == end)
			break;
		if (kind == KIND_LOOK)
			kind = kind_of(&r->kinds, value + i, n - i, &step);
		row = cells[row + kind];
		if (row <= match)
			return row == match;
	}
	if (last_line)
		row = cells[row + r->kinds.n];
	return cells[row + r->kinds.n + 1] == match;
}

static bool search_positions(const struct regex *r, const char *value, size_t n)
{
	uint64_t sets[2][(LIMIT_REGEX_POSITIONS + 63) / 64] = {{0}}, *s = sets[0], *t = sets[1], *swap;
	const struct positions *p = &r->positions;
	const struct kinds *k = &r->kinds;
	unsigned before = p->before_as[BEFORE_START];
	bool any = false;

	for (size_t i = 0, step; i < n; i += step) {
		size_t kind = k->of_byte[(unsigned char)value[i]];

		step = 1;
		if (kind == KIND_LOOK)
			kind = kind_of(k, value + i, n - i, &step);
		if (any || p->empty || p->begins[kind]) {
			unsigned behind = value[i] == '\n' && i + 1 == n ? BEHIND_LAST_LINE : k->behind[kind];
			uint32_t place = NEAR_BIT(before, p->behind_as[behind]);

			if (positions_match(p, s, place))
				return true;
			any = positions_step(p, s, place, kind, t);
			swap = s;
			s = t;
			t = swap;
		}
		before = p->before_as[k->before[kind]];
	}
	return positions_match(p, s, NEAR_BIT(before, p->behind_as[BEHIND_END]));
}

bool regex_search(const struct regex *r, const char *value, size_t n)
{
	return r->table.cells ? search_table(r, value, n) : search_positions(r, value, n);
}

size_t regex_literals(const struct regex *r, const struct regex_set **sets)
{
	*sets = r->literals;
	return r->n_literals;
}

size_t regex_least(const struct regex *r)
{
	return r->least;
}
