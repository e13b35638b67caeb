/* program.c - from conditions to a program.
 *
 * Why: 2,900 rules ask 40,000 questions, 30,000 of them different; and the order in which they are asked decides the cost.
 * Promises: the same answer as the tree it is made from. One step for each node of it, so that an answer can be explained.
 * Refuses: nothing; what it does not know how to make cheap it asks as it stands (ATOM_VALUE). */
#include "rules/match/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/match/rarity.h"

#define SET_LEAST 5 /* so many texts of one list are looked for at once */

struct made { /* a step, its node, and what it is worth */
	struct step step;
	const struct node *from;
	double cost, share;
};

struct parts { /* an item's values as literals; made once, shared by its variants */
	const struct value *values;
	struct literal **literals; /* of values that are patterns and not in the set */
	struct needle_set *set;   /* NULL: too few */
};

struct build {
	struct program *p;
	const struct ruleset *rs;
	struct arena *arena;
	size_t atoms_cap, steps_cap;
	uint32_t *atom_slots; /* index + 1 */
	size_t atom_room;
	struct parts *parts;  /* open addressing by values */
	size_t parts_room, n_parts;
};

static uint64_t blend(uint64_t h, uint64_t v)
{
	return (h ^ v) * UINT64_C(0x9E3779B97F4A7C15) ^ (h >> 29);
}

static uint64_t literal_key(const struct literal *l, uint16_t field)
{
	uint64_t h = blend(field, (uint64_t)l->shape * 2 + l->cased);

	for (uint32_t i = 0; i < l->n; i++)
		h = blend(h, (unsigned char)l->text[i]);
	return h;
}

static bool same_literal(const struct literal *a, const struct literal *b)
{
	if (a->shape != b->shape || a->cased != b->cased || a->n != b->n || memcmp(a->text, b->text, a->n) != 0)
		return false;
	return a->shape != SHAPE_GLOB || (a->pattern->n == b->pattern->n &&
					  memcmp(a->pattern->tokens, b->pattern->tokens, a->pattern->n * sizeof *a->pattern->tokens) == 0);
}

static uint64_t atom_key(const struct atom *a)
{
	if (a->kind == ATOM_LITERAL)
		return literal_key(a->of.literal, a->field);
	return blend(blend(a->field, a->kind), (uint64_t)(uintptr_t)a->of.value);
}

static bool same_atom(const struct atom *a, const struct atom *b)
{
	if (a->kind != b->kind || a->field != b->field || a->variant != b->variant)
		return false;
	return a->kind == ATOM_LITERAL ? same_literal(a->of.literal, b->of.literal) : a->of.value == b->of.value;
}

static uint32_t *atom_slot(const struct build *b, const struct atom *a)
{
	size_t at = atom_key(a) & (b->atom_room - 1);

	while (b->atom_slots[at] && !same_atom(&b->p->atoms[b->atom_slots[at] - 1], a))
		at = (at + 1) & (b->atom_room - 1);
	return &b->atom_slots[at];
}

static void more_atoms(struct build *b)
{
	b->atoms_cap = b->atoms_cap ? 2 * b->atoms_cap : 1024;
	b->p->atoms = xrealloc(b->p->atoms, b->atoms_cap, sizeof *b->p->atoms);
	free(b->atom_slots);
	b->atom_room = 2 * b->atoms_cap;
	b->atom_slots = xcalloc(b->atom_room, sizeof *b->atom_slots);
	for (size_t i = 0; i < b->p->n_atoms; i++)
		*atom_slot(b, &b->p->atoms[i]) = (uint32_t)i + 1;
}

static void price(struct atom *a)
{
	a->cost = 3;
	a->share = 0.3f;
	if (a->kind == ATOM_LITERAL) {
		const struct literal *l = a->of.literal;

		a->cost = l->shape == SHAPE_PART ? 2 : l->shape == SHAPE_GLOB ? 10 : 1;
		a->share = (float)rarity_text(l->text, l->n) * (l->shape == SHAPE_PART ? 1.0f : 0.5f);
	} else if (a->kind == ATOM_SET) {
		a->cost = 6;
		a->share = 0.1f;
	} else if (a->kind == ATOM_VALUE && a->of.value->kind == VALUE_NUMBER) {
		a->share = 0.05f;
	} else if (a->kind == ATOM_VALUE && a->of.value->kind == VALUE_REGEX) {
		a->cost = 60;
		a->share = 0.05f;
	}
	if (a->field == FIELD_ANY)
		a->cost *= 20;
}

static struct made atom_step(struct build *b, struct atom a)
{
	uint32_t *slot, n;

	if (b->p->n_atoms == b->atoms_cap)
		more_atoms(b);
	slot = atom_slot(b, &a);
	if (*slot == 0) {
		price(&a);
		b->p->atoms[b->p->n_atoms++] = a;
		*slot = (uint32_t)b->p->n_atoms;
	}
	n = *slot - 1;
	return (struct made){{.kind = ASK_ATOM, .first = n}, NULL, b->p->atoms[n].cost, b->p->atoms[n].share};
}

static uint32_t take_steps(struct build *b, size_t n)
{
	uint32_t first = (uint32_t)b->p->n_steps;

	if (b->p->n_steps + n > b->steps_cap) {
		b->steps_cap = 2 * b->steps_cap + n + 1024;
		b->p->steps = xrealloc(b->p->steps, b->steps_cap, sizeof *b->p->steps);
		b->p->from = xrealloc(b->p->from, b->steps_cap, sizeof *b->p->from);
	}
	b->p->n_steps += n;
	return first;
}

/* AND: what is cheap and mostly fails comes first; OR: what is cheap and mostly holds. */
static int by_worth_and(const void *a, const void *b)
{
	const struct made *x = a, *y = b;
	double l = x->cost * (1.0001 - y->share), r = y->cost * (1.0001 - x->share);

	return l < r ? -1 : l > r;
}

static int by_worth_or(const void *a, const void *b)
{
	const struct made *x = a, *y = b;
	double l = x->cost * (y->share + 0.0001), r = y->cost * (x->share + 0.0001);

	return l < r ? -1 : l > r;
}

static struct made group(struct build *b, enum step_kind kind, struct made *kids, size_t n)
{
	struct made m = {.step = {.kind = (uint8_t)kind, .n = (uint32_t)n}, .share = kind == ASK_AND};
	double reached = 1;

	qsort(kids, n, sizeof *kids, kind == ASK_AND ? by_worth_and : by_worth_or);
	m.step.first = take_steps(b, n);
	for (size_t i = 0; i < n; i++) {
		b->p->steps[m.step.first + i] = kids[i].step;
		b->p->from[m.step.first + i] = kids[i].from;
		m.cost += reached * kids[i].cost;
		reached *= kind == ASK_AND ? kids[i].share : kind == ASK_OR ? 1 - kids[i].share : 1;
	}
	m.share = kind == ASK_AND ? reached : kind == ASK_OR ? 1 - reached : 0.5;
	return m;
}

static bool fits_set(const struct literal *l)
{
	return l->shape != SHAPE_GLOB && !l->cased && l->n > 0;
}

/* The values that are patterns, as literals; those that one set will answer are left out. */
static void make_literals(struct build *b, struct parts *to, size_t n, bool any)
{
	struct literal *l = xcalloc(n + 1, sizeof *l);
	struct needle *list = NULL;
	size_t many = 0, k = 0;

	to->literals = arena_alloc(b->arena, n * sizeof(struct literal *) + 1);
	for (size_t i = 0; i < n; i++)
		if (to->values[i].kind == VALUE_PATTERN) {
			l[i] = literal_make(&to->values[i].pattern, b->arena);
			many += fits_set(&l[i]);
		}
	if (any && many >= SET_LEAST) {
		to->set = arena_alloc(b->arena, sizeof *to->set);
		to->set->list = list = arena_alloc(b->arena, many * sizeof *list);
	}
	for (size_t i = 0; i < n; i++) {
		if (list && l[i].pattern && fits_set(&l[i])) {
			list[k++] = (struct needle){.text = l[i].text, .n = l[i].n, .kind = l[i].shape};
		} else if (l[i].pattern) {
			to->literals[i] = arena_alloc(b->arena, sizeof l[i]);
			*to->literals[i] = l[i];
		}
	}
	if (to->set) {
		to->set->n = k;
		to->set->needles = needles_new(b->arena, list, k);
	}
	free(l);
}

static struct parts *parts_slot(struct build *b, const struct value *values)
{
	size_t at = blend(1, (uint64_t)(uintptr_t)values) >> 20 & (b->parts_room - 1);

	while (b->parts[at].values && b->parts[at].values != values)
		at = (at + 1) & (b->parts_room - 1);
	return &b->parts[at];
}

/* any: the values are alternatives, so that many of them can be one question. */
static const struct parts *parts_of(struct build *b, const struct value *values, size_t n, bool any)
{
	struct parts *to;

	if (2 * b->n_parts >= b->parts_room) {
		struct parts *old = b->parts;
		size_t room = b->parts_room;

		b->parts_room = room ? 2 * room : 1024;
		b->parts = xcalloc(b->parts_room, sizeof *b->parts);
		for (size_t i = 0; i < room; i++)
			if (old[i].values)
				*parts_slot(b, old[i].values) = old[i];
		free(old);
	}
	to = parts_slot(b, values);
	if (to->values)
		return to;
	b->n_parts++;
	to->values = values;
	make_literals(b, to, n, any);
	return to;
}

static struct made values_step(struct build *b, const struct item *it, size_t variant, const struct value *values, size_t n, bool all)
{
	const struct parts p = *parts_of(b, values, n, !all);
	struct made *kids = xcalloc(n + 1, sizeof *kids), m;
	struct atom a = {.field = it->fields ? it->fields[variant] : FIELD_ANY, .item = it};
	size_t k = 0;

	if (p.set) {
		a.kind = ATOM_SET;
		a.of.set = p.set;
		kids[k++] = atom_step(b, a);
	}
	for (size_t i = 0; i < n; i++) {
		if (values[i].kind == VALUE_GROUP) {
			kids[k++] = values_step(b, it, variant, values[i].any, values[i].n_any, false);
		} else if (values[i].kind != VALUE_PATTERN) {
			a.kind = ATOM_VALUE;
			a.variant = values[i].kind == VALUE_FIELD ? (uint16_t)variant : 0;
			a.of.value = &values[i];
			kids[k++] = atom_step(b, a);
		} else if (p.literals[i]) {
			a.kind = ATOM_LITERAL;
			a.variant = 0;
			a.of.literal = p.literals[i];
			kids[k++] = atom_step(b, a);
		}
	}
	m = k == 1 ? kids[0] : group(b, all ? ASK_AND : ASK_OR, kids, k);
	free(kids);
	return m;
}

static struct made item_step(struct build *b, const struct item *it, size_t variant)
{
	struct made m;

	if (it->exists) {
		m = atom_step(b, (struct atom){.kind = ATOM_EXISTS, .field = it->fields[variant], .item = it});
		m.step.negated = !it->exists_truth;
	} else {
		m = values_step(b, it, variant, it->values, it->n, it->all);
		m.step.negated = it->negated;
	}
	if (m.step.negated)
		m.share = 1 - m.share;
	return m;
}

static struct made node_step(struct build *b, const struct node *n, size_t variant)
{
	static const uint8_t kinds[] = {[NODE_AND] = ASK_AND, [NODE_OR] = ASK_OR, [NODE_NOT] = ASK_NOT, [NODE_SOME] = ASK_SOME};
	struct made *kids, m;

	if (n->kind == NODE_ITEM) {
		m = item_step(b, n->item, variant);
	} else {
		kids = xcalloc(n->n, sizeof *kids);
		for (size_t i = 0; i < n->n; i++)
			kids[i] = node_step(b, n->kids[i], variant);
		m = group(b, kinds[n->kind], kids, n->n);
		m.step.at_least = (uint32_t)n->at_least;
		if (n->kind == NODE_NOT)
			m.share = 1 - kids[0].share;
		free(kids);
	}
	m.from = n;
	return m;
}

static bool asks_id(const struct program *p, uint32_t at)
{
	const struct step *s = &p->steps[at];

	if (s->kind == ASK_ATOM)
		return p->atoms[s->first].field == p->event_id;
	for (uint32_t i = 0; i < s->n; i++)
		if (asks_id(p, s->first + i))
			return true;
	return false;
}

static uint16_t set_number(struct program *p, const struct log_set *set)
{
	size_t i = 0;

	if (!set)
		return 0;
	while (i < p->n_sets && p->sets[i] != set)
		i++;
	if (i == p->n_sets) {
		p->sets = xrealloc(p->sets, p->n_sets + 1, sizeof *p->sets);
		p->sets[p->n_sets++] = set;
	}
	return (uint16_t)(i + 1);
}

static void add_checks(struct build *b, uint32_t rule)
{
	const struct compiled *c = b->rs->rules[rule];
	struct program *p = b->p;

	for (size_t v = 0; v < c->n_variants && !c->no_source; v++) {
		uint32_t root = take_steps(b, 1);
		struct made m = node_step(b, c->condition, v);

		p->steps[root] = m.step;
		p->from[root] = m.from;
		p->checks = xrealloc(p->checks, p->n_checks + 1, sizeof *p->checks);
		p->checks[p->n_checks++] = (struct check){.rule = rule, .root = root, .variant = (uint16_t)v,
			.product = set_number(p, c->product), .service = set_number(p, c->service),
			.category = set_number(p, c->category), .asks_id = asks_id(p, root)};
	}
}

struct program *program_new(const struct ruleset *rs)
{
	struct program *p = xcalloc(1, sizeof *p);
	struct build b = {.p = p, .rs = rs, .arena = rs->arena};

	p->event_id = names_find(rs->names, "EventID", 7);
	p->first_check = xcalloc(rs->n + 1, sizeof *p->first_check);
	for (size_t r = 0; r < rs->n; r++) {
		p->first_check[r] = (uint32_t)p->n_checks;
		if (rs->rules[r]->rule.kind == RULE_DETECTION)
			add_checks(&b, (uint32_t)r);
	}
	p->first_check[rs->n] = (uint32_t)p->n_checks;
	free(b.atom_slots);
	free(b.parts);
	return p;
}

void program_free(struct program *p)
{
	if (!p)
		return;
	free(p->atoms);
	free(p->steps);
	free(p->from);
	free(p->checks);
	free(p->first_check);
	free(p->sets);
	free(p);
}
