/* regex_literal.c - texts that every matching value must hold.
 *
 * Why: looking for a literal is many times cheaper than any search, and most expressions have one.
 * Promises: no matching value lacks a text of any set; the length is a lower bound.
 * Refuses: to guess; where alternatives, repeats or classes leave nothing certain there is no set. */
#include <string.h>

#include "base/text.h"
#include "rules/fold.h"
#include "rules/regex/regex_private.h"

#define TEXTS 32      /* of a set; a longer list costs an index more than it saves */
#define TEXT_BYTES 64
#define CLASS_MOST 3  /* characters of a class that are told apart; [0-9] is no literal */

struct text {
	char s[TEXT_BYTES];
	size_t n;
};

struct texts {
	struct text t[TEXTS];
	size_t n;
};

/* What is known of a part of the expression. */
struct known {
	struct texts open;  /* it ends with one of these, and they are adjacent to what follows */
	bool exact;         /* it is one of these, nothing else */
	struct texts *sets[REGEX_SETS];
	size_t n_sets;
};

static size_t shortest(const struct texts *t)
{
	size_t n = SIZE_MAX;

	for (size_t i = 0; i < t->n; i++)
		n = t->t[i].n < n ? t->t[i].n : n;
	return n;
}

static bool better(const struct texts *a, const struct texts *b)
{
	size_t x = shortest(a), y = shortest(b);

	return x != y ? x > y : a->n < b->n;
}

/* Keeps the best sets, best first. */
static void keep_set(struct arena *temp, struct known *k, const struct texts *set)
{
	size_t at = 0;

	while (at < k->n_sets && !better(set, k->sets[at]))
		at++;
	if (at == REGEX_SETS)
		return;
	if (k->n_sets < REGEX_SETS)
		k->n_sets++;
	memmove(&k->sets[at + 1], &k->sets[at], (k->n_sets - 1 - at) * sizeof k->sets[0]);
	k->sets[at] = arena_alloc(temp, sizeof *set);
	*k->sets[at] = *set;
}

static bool holds(const struct text *whole, const struct text *part)
{
	return memmem(whole->s, whole->n, part->s, part->n) != NULL;
}

/* false: no room. A text that holds another of the set says nothing more than that one. */
static bool add_text(struct texts *to, const struct text *t, bool reduce)
{
	size_t k = 0;

	for (size_t i = 0; i < to->n; i++)
		if (reduce ? holds(t, &to->t[i]) : t->n == to->t[i].n && memcmp(t->s, to->t[i].s, t->n) == 0)
			return true;
	for (size_t i = 0; reduce && i < to->n; i++)
		if (!holds(&to->t[i], t))
			to->t[k++] = to->t[i];
	if (reduce)
		to->n = k;
	if (to->n == TEXTS)
		return false;
	to->t[to->n++] = *t;
	return true;
}

static void start_open(struct known *k)
{
	k->open.n = 1;
	k->open.t[0].n = 0;
}

/* What is open ends here: something unknown follows. */
static void cut(struct arena *temp, struct known *k)
{
	struct texts set = {.n = 0};

	if (k->open.n && shortest(&k->open) > 0) {
		for (size_t i = 0; i < k->open.n; i++)
			add_text(&set, &k->open.t[i], true);
		keep_set(temp, k, &set);
	}
	start_open(k);
	k->exact = false;
}

/* One of these follows. */
static void multiply(struct arena *temp, struct known *k, const struct texts *by)
{
	struct texts product = {.n = 0};
	bool fits = true;

	for (size_t i = 0; i < k->open.n && fits; i++) {
		for (size_t j = 0; j < by->n && fits; j++) {
			struct text t = k->open.t[i];

			fits = t.n + by->t[j].n <= TEXT_BYTES;
			if (!fits)
				break;
			memcpy(t.s + t.n, by->t[j].s, by->t[j].n);
			t.n += by->t[j].n;
			fits = add_text(&product, &t, false);
		}
	}
	if (!fits) {
		cut(temp, k);
		product = *by;
	}
	k->open = product;
}

/* The members of a small class, folded. */
static bool members(const struct chars *c, struct texts *to)
{
	size_t seen = 0;

	to->n = 0;
	for (size_t r = 0; r < c->n; r++) {
		for (uint32_t x = c->r[r].from; x <= c->r[r].to; x++) {
			struct text t = {.n = 0};
			uint32_t f = fold(x);

			if (f == 0 || f >= CHAR_DAMAGED || ++seen > 4 * CLASS_MOST)
				return false;
			t.n = utf8_put(t.s, f);
			if (!add_text(to, &t, false) || to->n > CLASS_MOST)
				return false;
		}
	}
	return to->n > 0;
}

static void add(struct arena *temp, const struct regex_tree *e, const struct tree *t, struct known *k);

static struct known *know(struct arena *temp, const struct regex_tree *e, const struct tree *t)
{
	struct known *k = arena_alloc(temp, sizeof *k);

	k->exact = true;
	start_open(k);
	add(temp, e, t, k);
	return k;
}

/* The best set of one alternative; NULL: none. */
static const struct texts *best(struct arena *temp, struct known *k)
{
	cut(temp, k);
	return k->n_sets ? k->sets[0] : NULL;
}

static bool join(struct texts *to, const struct texts *from, bool reduce)
{
	for (size_t i = 0; i < from->n; i++)
		if (!add_text(to, &from->t[i], reduce))
			return false;
	return true;
}

static void add_either(struct arena *temp, const struct regex_tree *e, const struct tree *t, struct known *k)
{
	struct texts all = {.n = 0}, set = {.n = 0};
	bool exact = true, sure = true;

	for (const struct tree *kid = t->kid; kid && (exact || sure); kid = kid->next) {
		struct known *x = know(temp, e, kid);
		const struct texts *b;

		exact = exact && x->exact && join(&all, &x->open, false);
		b = best(temp, x);
		sure = sure && b && join(&set, b, true);
	}
	if (exact) {
		multiply(temp, k, &all);
		return;
	}
	cut(temp, k);
	if (sure)
		keep_set(temp, k, &set);
}

static void add_repeat(struct arena *temp, const struct regex_tree *e, const struct tree *t, struct known *k)
{
	struct known *x = know(temp, e, t->kid);

	if (x->exact && t->least == 0 && t->most == 1 && add_text(&x->open, &(struct text){.n = 0}, false)) {
		multiply(temp, k, &x->open);
	} else if (x->exact && t->least > 0) {
		for (uint32_t i = 0; i < t->least && i < TEXT_BYTES; i++)
			multiply(temp, k, &x->open);
		if (t->most == t->least && t->least <= TEXT_BYTES)
			return;
		cut(temp, k);
		k->open = x->open; /* the last of them stands before what follows */
	} else {
		cut(temp, k);
		if (t->least > 0 && best(temp, x))
			for (size_t i = 0; i < x->n_sets; i++)
				keep_set(temp, k, x->sets[i]);
	}
}

static void add(struct arena *temp, const struct regex_tree *e, const struct tree *t, struct known *k)
{
	struct texts class;

	switch (t->kind) {
	case TREE_EMPTY:
	case TREE_NEAR: break;
	case TREE_CHARS:
		if (members(e->chars[t->chars], &class))
			multiply(temp, k, &class);
		else
			cut(temp, k);
		break;
	case TREE_CHAIN:
		for (const struct tree *kid = t->kid; kid; kid = kid->next)
			add(temp, e, kid, k);
		break;
	case TREE_EITHER: add_either(temp, e, t, k); break;
	case TREE_REPEAT: add_repeat(temp, e, t, k); break;
	}
}

size_t tree_literals(struct arena *a, struct arena *temp, const struct regex_tree *e, const struct regex_set **to)
{
	struct known *k = know(temp, e, e->root);
	struct regex_set *sets;

	*to = NULL;
	if (!best(temp, k))
		return 0;
	sets = arena_alloc(a, k->n_sets * sizeof *sets);
	for (size_t i = 0; i < k->n_sets; i++) {
		const char **texts = arena_alloc(a, k->sets[i]->n * sizeof *texts);

		for (size_t t = 0; t < k->sets[i]->n; t++)
			texts[t] = arena_copy(a, k->sets[i]->t[t].s, k->sets[i]->t[t].n);
		sets[i] = (struct regex_set){texts, k->sets[i]->n};
	}
	*to = sets;
	return k->n_sets;
}

size_t tree_least(const struct tree *t)
{
	size_t n = 0, least;

	switch (t->kind) {
	case TREE_EMPTY:
	case TREE_NEAR: return 0;
	case TREE_CHARS: return 1;
	case TREE_CHAIN:
		for (const struct tree *kid = t->kid; kid; kid = kid->next)
			n += tree_least(kid);
		return n;
	case TREE_EITHER:
		n = tree_least(t->kid);
		for (const struct tree *kid = t->kid->next; kid; kid = kid->next) {
			least = tree_least(kid);
			n = least < n ? least : n;
		}
		return n;
	case TREE_REPEAT: return t->least * tree_least(t->kid);
	}
	return 0;
}
