/* regex_follow.c - which character of an expression can follow which (Glushkov's construction).
 *
 * Why: with this relation the expression is a machine that never goes back, so its cost is linear.
 * Promises: exact, assertions included: each step of the relation holds at the places that its mask names.
 * Refuses: more different combinations of assertions than LIMIT_REGEX_PLACES in one set, or than positions on the whole. */
#include <string.h>

#include "rules/regex/regex_private.h"

struct builder {
	struct arena *temp;
	struct glushkov *g;
	bool failed;
};

/* A part of the expression: how it begins and ends, and where it may stay empty. */
struct part {
	struct guards first, last;
	uint32_t empty;
};

static uint64_t *new_set(struct builder *b)
{
	return arena_alloc(b->temp, b->g->words * sizeof(uint64_t));
}

static void add_set(const struct builder *b, uint64_t *to, const uint64_t *from)
{
	for (size_t w = 0; w < b->g->words; w++)
		to[w] |= from[w];
}

static struct guarded *new_guard(struct builder *b, struct guards *to, uint32_t near, size_t most)
{
	if (to->n == most) {
		b->failed = true;
		return NULL;
	}
	if (to->n == to->cap) {
		size_t cap = to->cap ? 2 * to->cap : 1;
		struct guarded *g = arena_alloc(b->temp, cap * sizeof *g);

		if (to->n)
			memcpy(g, to->g, to->n * sizeof *g);
		to->g = g;
		to->cap = cap;
	}
	to->g[to->n] = (struct guarded){near, new_set(b)};
	return &to->g[to->n++];
}

static void add_guards(struct builder *b, struct guards *to, const struct guards *from, uint32_t mask)
{
	for (size_t i = 0; i < from->n; i++) {
		uint32_t near = from->g[i].near & mask;
		struct guarded *g = NULL;

		for (size_t k = 0; k < to->n && !g; k++)
			if (to->g[k].near == near)
				g = &to->g[k];
		if (near && !g)
			g = new_guard(b, to, near, LIMIT_REGEX_PLACES);
		if (near && g)
			add_set(b, g->set, from->g[i].set);
	}
}

static void add_followers(const struct builder *b, const uint64_t *of, const uint64_t *to)
{
	for (size_t w = 0; w < b->g->words; w++)
		for (uint64_t bits = of[w]; bits; bits &= bits - 1)
			add_set(b, b->g->follow + (w * 64 + (size_t)__builtin_ctzll(bits)) * b->g->words, to);
}

/* Whoever ends a goes to whoever begins b. */
static void follow(struct builder *b, const struct guards *last, const struct guards *first)
{
	struct glushkov *g = b->g;

	for (size_t i = 0; i < last->n; i++) {
		for (size_t k = 0; k < first->n; k++) {
			uint32_t near = last->g[i].near & first->g[k].near;
			struct guarded *from, *to;

			if (near == NEAR_ALL) {
				add_followers(b, last->g[i].set, first->g[k].set);
			} else if (near) {
				from = new_guard(b, &g->from, near, LIMIT_REGEX_POSITIONS);
				to = new_guard(b, &g->to, near, LIMIT_REGEX_POSITIONS);
				if (!from || !to)
					return;
				add_set(b, from->set, last->g[i].set);
				add_set(b, to->set, first->g[k].set);
			}
		}
	}
}

static struct part chain(struct builder *b, struct part x, struct part y)
{
	follow(b, &x.last, &y.first);
	add_guards(b, &x.first, &y.first, x.empty);
	add_guards(b, &y.last, &x.last, y.empty);
	return (struct part){x.first, y.last, x.empty & y.empty};
}

static struct part build(struct builder *b, const struct tree *t);

static struct part build_one(struct builder *b, const struct tree *t)
{
	struct part x = {.empty = 0};
	size_t p = b->g->n++;

	b->g->chars[p] = t->chars;
	new_guard(b, &x.first, NEAR_ALL, 1)->set[p / 64] = UINT64_C(1) << p % 64;
	new_guard(b, &x.last, NEAR_ALL, 1)->set[p / 64] = UINT64_C(1) << p % 64;
	return x;
}

/* x{2,4} is written out as xx(x(x)?)?: each copy follows the one before it only. */
static struct part build_repeat(struct builder *b, const struct tree *t)
{
	bool endless = t->most == REPEAT_FREE, bare = t->kid->positions == 0;
	uint32_t least = t->least, n = bare ? 1 : endless ? (least ? least : 1) : t->most;
	struct part *copy, x;

	if (t->most == 0)
		return (struct part){.empty = NEAR_ALL};
	copy = arena_alloc(b->temp, n * sizeof *copy);
	for (uint32_t i = 0; i < n && !b->failed; i++)
		copy[i] = build(b, t->kid);
	if (b->failed)
		return copy[0];
	if (copy[0].empty == NEAR_ALL) { /* (x?){n,m} is (x){0,m}, which has fewer ways through */
		for (uint32_t i = 0; i < n && least > 0; i++)
			copy[i].empty = 0;
		least = 0;
	}
	x = copy[n - 1];
	if (endless)
		follow(b, &x.last, &x.first);
	if (n > least)
		x.empty = NEAR_ALL;
	for (uint32_t i = n - 1; i-- > 0;) {
		x = chain(b, copy[i], x);
		if (i >= least)
			x.empty = NEAR_ALL;
	}
	return x;
}

static struct part build(struct builder *b, const struct tree *t)
{
	struct part x = {.empty = NEAR_ALL}, y;

	switch (t->kind) {
	case TREE_EMPTY: break;
	case TREE_CHARS: return build_one(b, t);
	case TREE_NEAR: x.empty = t->near; break;
	case TREE_REPEAT: return build_repeat(b, t);
	case TREE_CHAIN:
		for (const struct tree *k = t->kid; k && !b->failed; k = k->next)
			x = chain(b, x, build(b, k));
		break;
	case TREE_EITHER:
		x.empty = 0;
		for (const struct tree *k = t->kid; k && !b->failed; k = k->next) {
			y = build(b, k);
			add_guards(b, &x.first, &y.first, NEAR_ALL);
			add_guards(b, &x.last, &y.last, NEAR_ALL);
			x.empty |= y.empty;
		}
		break;
	}
	return x;
}

struct glushkov *regex_follow(struct arena *temp, const struct regex_tree *t, struct err *e)
{
	size_t n = t->root->positions;
	struct glushkov *g = arena_alloc(temp, sizeof *g);
	struct builder b = {.temp = temp, .g = g};
	struct part whole;

	g->words = n ? (n + 63) / 64 : 1;
	g->chars = arena_alloc(temp, (n + 1) * sizeof *g->chars);
	g->follow = arena_alloc(temp, (n + 1) * g->words * sizeof *g->follow);
	whole = build(&b, t->root);
	if (b.failed) {
		err_set(e, ERR_RULES, "regular expression: too many different combinations of assertions (^ $ \\b); write several shorter ones");
		return NULL;
	}
	g->first = whole.first;
	g->last = whole.last;
	g->empty = whole.empty;
	return g;
}
