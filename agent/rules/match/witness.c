/* witness.c - the cheapest set of texts of which one must be there.
 *
 * Why: of the rules that mean an event, one in a hundred is worth asking. Which one, a few texts tell.
 * How: of an AND the best child's witness will do; of an OR all children's are needed; of a NOT there is none. The price of a text
 * is how often events have it (rarity.h).
 * Promises: a rule whose witness is not found does not hold.
 * Refuses: to find the best of all witnesses; the best child of each AND is good enough. */
#include "rules/match/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/match/rarity.h"

#define NO_WITNESS 1e6
#define EACH 1e-4 /* the price of being looked for at all */

struct witnesses {
	const struct program *p;
	bool has_id;
	char text[16]; /* the id in decimal */
	struct folded id;
	struct sign *signs;
	size_t n, cap;
};

struct witnesses *witnesses_new(const struct program *p)
{
	struct witnesses *w = xcalloc(1, sizeof *w);

	w->p = p;
	return w;
}

void witnesses_free(struct witnesses *w)
{
	if (w)
		free(w->signs);
	free(w);
}

void witnesses_for_id(struct witnesses *w, const uint32_t *id)
{
	w->has_id = id != NULL;
	if (!id)
		return;
	uint32_t n = (uint32_t)snprintf(w->text, sizeof w->text, "%lu", (unsigned long)*id);

	w->id = (struct folded){.raw = w->text, .text = w->text, .raw_n = n, .n = n, .trimmed = n};
}

static enum settled negate(enum settled s, bool negated)
{
	return s == SETTLED_OPEN || !negated ? s : s == SETTLED_YES ? SETTLED_NO : SETTLED_YES;
}

static enum settled settle_atom(const struct witnesses *w, const struct atom *a)
{
	if (!w->has_id || a->field != w->p->event_id || !atom_of_value(a))
		return SETTLED_OPEN;
	return atom_holds_for(a, &w->id) ? SETTLED_YES : SETTLED_NO;
}

static enum settled settle_kids(const struct witnesses *w, const struct step *s)
{
	enum settled decides = s->kind == ASK_AND ? SETTLED_NO : SETTLED_YES;
	uint32_t yes = 0, open = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		enum settled kid = witness_settle(w, s->first + i);

		if (s->kind != ASK_SOME && kid == decides)
			return decides;
		yes += kid == SETTLED_YES;
		open += kid == SETTLED_OPEN;
	}
	if (s->kind == ASK_SOME)
		return yes >= s->at_least ? SETTLED_YES : yes + open < s->at_least ? SETTLED_NO : SETTLED_OPEN;
	return open ? SETTLED_OPEN : decides == SETTLED_NO ? SETTLED_YES : SETTLED_NO;
}

enum settled witness_settle(const struct witnesses *w, uint32_t step)
{
	const struct step *s = &w->p->steps[step];

	if (s->kind == ASK_ATOM)
		return negate(settle_atom(w, &w->p->atoms[s->first]), s->negated);
	if (s->kind == ASK_NOT)
		return negate(witness_settle(w, s->first), !s->negated);
	return negate(settle_kids(w, s), s->negated);
}

static double price_of(const struct needle *d)
{
	double share = d->kind == NEEDLE_NUMBER ? 0.02 : d->kind == NEEDLE_PRESENT ? 0.5 : rarity_text(d->text, d->n);

	if (d->kind == NEEDLE_PART && d->n < 4)
		share = share < 0.3 ? 0.3 : share; /* no gram: the value is searched for it alone */
	else if (d->kind != NEEDLE_PART)
		share *= 0.5;
	return share + EACH;
}

/* The signs of one atom; 0: none. to: NULL, or where they go. */
static double sign(struct witnesses *w, uint16_t field, struct needle d, bool keep)
{
	if (keep) {
		if (w->n == w->cap) {
			w->cap = w->cap ? 2 * w->cap : 256;
			w->signs = xrealloc(w->signs, w->cap, sizeof *w->signs);
		}
		w->signs[w->n++] = (struct sign){field, d};
	}
	return price_of(&d) * (field == FIELD_ANY ? 4 : 1);
}

static struct needle needle_of(const struct literal *l)
{
	return (struct needle){.text = l->text, .n = l->n, .kind = l->shape == SHAPE_GLOB ? NEEDLE_PART : l->shape};
}

static double literal_signs(struct witnesses *w, const struct atom *a, bool keep)
{
	const struct literal *l = a->of.literal;

	if ((l->shape == SHAPE_GLOB && l->n == 0) || (a->field == FIELD_ANY && l->shape != SHAPE_GLOB && l->shape != SHAPE_PART))
		return sign(w, a->field, (struct needle){.kind = NEEDLE_PRESENT}, keep);
	if (l->cased)
		return NO_WITNESS;
	return sign(w, a->field, needle_of(l), keep);
}

static double texts_signs(struct witnesses *w, const struct atom *a, const struct regex_set *set, bool keep)
{
	double sum = 0;

	for (size_t i = 0; i < set->n; i++)
		sum += sign(w, a->field, (struct needle){.text = set->texts[i], .n = (uint32_t)strlen(set->texts[i]), .kind = NEEDLE_PART}, keep);
	return sum;
}

/* The cheapest of the sets of texts that every matching value has one of. */
static double regex_signs(struct witnesses *w, const struct atom *a, bool keep)
{
	const struct regex_set *sets;
	size_t n = regex_literals(a->of.value->regex, &sets), best_at = 0;
	double best = NO_WITNESS;

	for (size_t i = 0; i < n; i++) {
		double price = texts_signs(w, a, &sets[i], false);

		if (price < best) {
			best = price;
			best_at = i;
		}
	}
	if (n == 0)
		return sign(w, a->field, (struct needle){.kind = NEEDLE_PRESENT}, keep);
	return texts_signs(w, a, &sets[best_at], keep);
}

static double value_signs(struct witnesses *w, const struct atom *a, bool keep)
{
	const struct value *v = a->of.value;

	switch (v->kind) {
	case VALUE_NUMBER:
		if (v->number.whole && !v->number.negative)
			return sign(w, a->field, (struct needle){.kind = NEEDLE_NUMBER, .number = v->number.size}, keep);
		break;
	case VALUE_BOOL:
		return sign(w, a->field, (struct needle){.text = v->truth ? "true" : "false", .n = v->truth ? 4 : 5, .kind = NEEDLE_EQUAL}, keep);
	case VALUE_REGEX:
		return regex_signs(w, a, keep);
	case VALUE_NULL:
		return NO_WITNESS;
	default:
		break;
	}
	return sign(w, a->field, (struct needle){.kind = NEEDLE_PRESENT}, keep);
}

static double atom_signs(struct witnesses *w, const struct atom *a, bool keep)
{
	double sum = 0;

	switch (a->kind) {
	case ATOM_LITERAL:
		return literal_signs(w, a, keep);
	case ATOM_SET:
		for (size_t i = 0; i < a->of.set->n; i++)
			sum += sign(w, a->field, a->of.set->list[i], keep);
		return sum;
	case ATOM_EXISTS:
		return sign(w, a->field, (struct needle){.kind = NEEDLE_PRESENT}, keep);
	default:
		return value_signs(w, a, keep);
	}
}

/* What the step's cheapest witness costs, or NO_WITNESS; keep: collects its signs as well (not when there is none). */
static double cheapest(struct witnesses *w, uint32_t step, bool keep)
{
	const struct step *s = &w->p->steps[step];
	double sum = 0, best = NO_WITNESS;
	uint32_t best_at = 0;

	if (s->negated || s->kind == ASK_NOT)
		return NO_WITNESS;
	if (s->kind == ASK_ATOM)
		return witness_settle(w, step) == SETTLED_OPEN ? atom_signs(w, &w->p->atoms[s->first], keep) : NO_WITNESS;
	for (uint32_t i = 0; i < s->n; i++) {
		double price;

		if (s->kind != ASK_AND && witness_settle(w, s->first + i) == SETTLED_NO)
			continue; /* such a child of an OR never holds */
		price = cheapest(w, s->first + i, keep && s->kind != ASK_AND);
		sum += price;
		if (price < best) {
			best = price;
			best_at = s->first + i;
		}
	}
	if (s->kind != ASK_AND)
		return sum < NO_WITNESS ? sum : NO_WITNESS;
	if (keep && best < NO_WITNESS)
		cheapest(w, best_at, true);
	return best;
}

size_t witness_find(struct witnesses *w, uint32_t step, const struct sign **signs)
{
	w->n = 0;
	if (cheapest(w, step, false) >= NO_WITNESS)
		return 0;
	cheapest(w, step, true);
	*signs = w->signs;
	return w->n;
}

