/* run.c - the program, asked about one event.
 *
 * Why: matching and explaining both come here: the program answers each condition once and for both.
 * Promises: two-valued logic: an absent field makes a question false, and `not` of it true. Any value of a field may satisfy a
 * question. Each atom is asked once for an event. Nothing is allocated.
 * Refuses: nothing; an event has no way to make this fail. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "rules/match/program.h"

void run_init(struct run *r, const struct ruleset *rs)
{
	*r = (struct run){.rs = rs, .program = rs->program};
	view_init(&r->view, rs);
	r->known = xcalloc(rs->program->n_atoms + 1, sizeof *r->known);
	r->sources = xcalloc(rs->program->n_sets + 1, sizeof *r->sources);
}

void run_free(struct run *r)
{
	view_free(&r->view);
	free(r->known);
	free(r->sources);
}

void run_begin(struct run *r, const struct event *ev)
{
	view_begin(&r->view, ev);
	if (r->view.epoch == 1) {
		memset(r->known, 0, (r->program->n_atoms + 1) * sizeof *r->known);
		memset(r->sources, 0, (r->program->n_sets + 1) * sizeof *r->sources);
	}
}

static bool stop_at_once(void *arg, uint32_t index)
{
	(void)arg;
	(void)index;
	return true;
}

/* The search is the dearest question of all: first whether the texts are there that it needs. */
static bool regex_holds(const struct regex *re, const struct folded *v)
{
	const struct regex_set *sets;
	size_t n = regex_literals(re, &sets);

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < sets[i].n && !folded_has(v, sets[i].texts[k], strlen(sets[i].texts[k])))
			k++;
		if (k == sets[i].n)
			return false;
	}
	return regex_search(re, v->raw, v->raw_n);
}

static bool value_atom_holds(struct run *r, const struct atom *a, uint16_t at)
{
	switch (a->kind) {
	case ATOM_LITERAL:
		return literal_holds(a->of.literal, view_searched(&r->view, at, 1));
	case ATOM_SET:
		return needles_find(a->of.set->needles, view_searched(&r->view, at, 1), stop_at_once, NULL);
	default:
		if (a->of.value->kind == VALUE_REGEX)
			return regex_holds(a->of.value->regex, view_searched(&r->view, at, 1));
		return value_holds(a->item, a->of.value, &r->view, a->variant, view_field(&r->view, at));
	}
}

bool atom_of_value(const struct atom *a)
{
	return a->field != FIELD_ANY && (a->kind != ATOM_VALUE || a->of.value->kind != VALUE_FIELD);
}

bool atom_holds_for(const struct atom *a, const struct folded *v)
{
	const struct event_field f = {.name = "", .value = v->raw, .len = v->raw_n};

	switch (a->kind) {
	case ATOM_LITERAL:
		return literal_holds(a->of.literal, v);
	case ATOM_SET:
		return needles_find(a->of.set->needles, v, stop_at_once, NULL);
	case ATOM_EXISTS:
		return true;
	default:
		return a->of.value->kind == VALUE_NULL ? v->raw_n == 0 : value_holds(a->item, a->of.value, NULL, 0, &f);
	}
}

static bool any_value(struct run *r, const struct atom *a)
{
	const struct event *ev = r->view.ev;

	size_t least = a->kind == ATOM_LITERAL ? a->of.literal->n : a->kind == ATOM_SET ? needles_least(a->of.set->needles) : 0;

	for (size_t i = 0; i < ev->n; i++)
		if (!ev->fields[i].derived && view_may_have(&ev->fields[i], least) && value_atom_holds(r, a, (uint16_t)i))
			return true;
	return false;
}

/* null: the field is absent, or all its values are empty. */
static bool null_holds(struct run *r, uint16_t at)
{
	for (; at != VIEW_NONE; at = view_next(&r->view, at))
		if (view_field(&r->view, at)->len > 0)
			return false;
	return true;
}

static bool ask(struct run *r, const struct atom *a)
{
	uint16_t at;

	r->asked++;
	if (a->field == FIELD_ANY)
		return any_value(r, a);
	at = view_first(&r->view, a->field);
	if (a->kind == ATOM_EXISTS)
		return at != VIEW_NONE;
	if (a->kind == ATOM_VALUE && a->of.value->kind == VALUE_NULL)
		return null_holds(r, at);
	for (; at != VIEW_NONE; at = view_next(&r->view, at))
		if (value_atom_holds(r, a, at))
			return true;
	return false;
}

static bool atom_holds(struct run *r, uint32_t atom)
{
	uint32_t known = r->known[atom], epoch = r->view.epoch;

	if (known >> 1 != epoch) {
		known = epoch << 1 | ask(r, &r->program->atoms[atom]);
		r->known[atom] = known;
	}
	return known & 1;
}

static bool some_hold(struct run *r, const struct step *s)
{
	uint32_t held = 0;

	for (uint32_t i = 0; i < s->n && held < s->at_least; i++)
		held += step_holds(r, s->first + i);
	return held == s->at_least;
}

static bool all_are(struct run *r, const struct step *s, bool wanted)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (step_holds(r, s->first + i) != wanted)
			return false;
	return true;
}

bool step_holds(struct run *r, uint32_t step)
{
	const struct step *s = &r->program->steps[step];
	bool holds;

	switch (s->kind) {
	case ASK_ATOM:
		holds = atom_holds(r, s->first);
		break;
	case ASK_NOT:
		holds = !step_holds(r, s->first);
		break;
	case ASK_AND:
		holds = all_are(r, s, true);
		break;
	case ASK_OR:
		holds = !all_are(r, s, false);
		break;
	default:
		holds = some_hold(r, s);
		break;
	}
	return holds != s->negated;
}

static int32_t source_of(struct run *r, uint16_t number)
{
	struct known_source *k = &r->sources[number];

	if (k->epoch == r->view.epoch)
		return k->source;
	k->epoch = r->view.epoch;
	k->source = log_set_holds(r->program->sets[number - 1], r->view.ev);
	return k->source;
}

bool check_meant(struct run *r, const struct check *c)
{
	if ((c->product && source_of(r, c->product) < 0) || (c->service && source_of(r, c->service) < 0))
		return false;
	return !c->category || source_of(r, c->category) == c->variant;
}
