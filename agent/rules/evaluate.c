/* evaluate.c - does one value of a rule hold for one value of an event?
 *
 * Why: what is no plain text: numbers, comparisons, other fields.
 * Promises: nothing is allocated.
 * Refuses: nothing; an event has no way to make this fail. */
#include <string.h>

#include "base/text.h"
#include "rules/compiled.h"
#include "rules/match/view.h"

void look_begin(struct look *l, const struct ruleset *rs, const struct event *ev)
{
	size_t n = strcspn(ev->computer, ".");

	l->ev = ev;
	l->positions = fields_find(&rs->fields, ev->provider, ev->event_id);
	l->label = (struct event_field){.name = "ComputerLabel", .value = ev->computer, .len = (uint32_t)n, .id = rs->label_id};
	if (ev->computer[n] == '.')
		n++;
	l->domain = (struct event_field){.name = "ComputerDomain", .value = ev->computer + n, .len = (uint32_t)strlen(ev->computer + n),
		.id = rs->domain_id};
}

/* Stages: 0 a derived field of ours, 1 the event's own fields, 2 the positional name, 3 nothing more. */
const struct event_field *look_next(const struct look *l, struct cursor *c)
{
	const struct event_field *f;

	if (c->stage == 0) {
		const struct event_field *ours = c->id == l->label.id ? &l->label : c->id == l->domain.id ? &l->domain : NULL;

		c->stage = ours ? 3 : 1;
		if (ours)
			return ours->len ? ours : NULL;
	}
	if (c->stage == 3)
		return NULL;
	f = event_next(l->ev, c->id, &c->at);
	if (f) {
		if (c->stage == 1)
			c->stage = 4; /* the event has it: no positional name any more */
		return f;
	}
	if (c->stage == 1 && l->positions) {
		c->stage = 2;
		c->at = 0;
		for (size_t i = 0; i < l->positions->n; i++)
			if (l->positions->alias[i].name == c->id) {
				c->id = l->positions->alias[i].means;
				return look_next(l, c);
			}
	}
	c->stage = 3;
	return NULL;
}

static bool number_holds(const struct value *v, const struct event_field *f)
{
	struct number n;

	if (number_parse(f->value, f->len, &n)) /* the same text is the same number */
		return number_compare(&n, &v->number) == 0;
	return pattern_match(&v->pattern, f->value, f->len);
}

static bool compare_holds(enum compare how, const struct value *v, const struct event_field *f)
{
	struct number n;
	int order;

	if (!number_parse(f->value, f->len, &n))
		return false;
	order = number_compare(&n, &v->number);
	return how == COMPARE_LT ? order < 0 : how == COMPARE_LTE ? order <= 0 : how == COMPARE_GT ? order > 0 : order >= 0;
}

/* A value of the event as fieldref compares it: folded or as it is, without the blanks at its end. */
static struct folded side_of(struct view *view, uint16_t at, bool cased)
{
	const struct event_field *f = view_field(view, at);

	if (!cased)
		return *view_folded(view, at);
	return (struct folded){.text = f->value, .trimmed = (uint32_t)fold_trim(f->value, f->len)};
}

/* Both values are the sender's, so whatever they are this is linear (memmem is). */
static bool side_holds(enum fold_how how, const struct folded *a, const struct folded *b)
{
	if (b->trimmed > a->trimmed || (how == FOLD_EQUAL && b->trimmed != a->trimmed))
		return false;
	if (how == FOLD_PART)
		return b->trimmed == 0 || memmem(a->text, a->trimmed, b->text, b->trimmed);
	return memcmp(how == FOLD_SUFFIX ? a->text + a->trimmed - b->trimmed : a->text, b->text, b->trimmed) == 0;
}

static bool field_holds(const struct item *it, const struct value *v, struct view *view, size_t variant, const struct event_field *f)
{
	struct folded a = side_of(view, view_at(view, f), it->cased);

	for (uint16_t at = view_first(view, v->fields[variant]); at != VIEW_NONE; at = view_next(view, at)) {
		struct folded b = side_of(view, at, it->cased);

		if (side_holds(it->how, &a, &b))
			return true;
	}
	return false;
}

bool value_holds(const struct item *it, const struct value *v, struct view *view, size_t variant, const struct event_field *f)
{
	int part;

	switch (v->kind) {
	case VALUE_PATTERN:
		return pattern_match(&v->pattern, f->value, f->len);
	case VALUE_NUMBER:
		return number_holds(v, f);
	case VALUE_BOOL:
		return text_same_n(f->value, fold_trim(f->value, f->len), v->truth ? "true" : "false", v->truth ? 4 : 5);
	case VALUE_COMPARE:
		return compare_holds(it->compare, v, f);
	case VALUE_FIELD:
		return field_holds(it, v, view, variant, f);
	case VALUE_GROUP:
		for (size_t i = 0; i < v->n_any; i++)
			if (value_holds(it, &v->any[i], view, variant, f))
				return true;
		break;
	case VALUE_REGEX:
		return regex_search(v->regex, f->value, f->len);
	case VALUE_CIDR:
		return cidr_holds(v->cidr, f->value, f->len);
	case VALUE_TIME_PART:
		return time_part(it->part, f->value, f->len, &part) && part >= 0 && (uint64_t)part == v->number.size;
	case VALUE_NULL:
		break;
	}
	return false;
}
