/* holds.c - is a correlation true?
 *
 * Why: the meaning of each type stands here, free of bookkeeping.
 * Promises: with entries in any order of arrival the answer hangs on their times alone. A window is all entries from one back to
 * `timespan` before it, ends included; a new entry is asked for each window that it is in, the earliest first.
 * Refuses: nothing. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"

void pick_none(struct correlator *c)
{
	c->n_picked = 0;
	c->picked_events = 0;
}

void pick(struct correlator *c, struct match *m)
{
	if (c->n_picked == c->cap_picked) {
		c->cap_picked = c->cap_picked ? 2 * c->cap_picked : 64;
		c->picked = xrealloc(c->picked, c->cap_picked, sizeof(struct match *));
	}
	c->picked[c->n_picked++] = m;
	c->picked_events++;
}

void tally_begin(struct tally *t, struct correlator *c, enum correlation_type type, size_t most)
{
	t->c = c;
	t->type = type;
	t->n = 0;
	t->distinct = 0;
	t->places = 0;
	t->sum = 0;
	if (type == CORR_TEMPORAL || type == CORR_TEMPORAL_ORDERED)
		memset(t->of_place, 0, sizeof t->of_place);
	if (type != CORR_VALUE_COUNT)
		return;
	while (c->kinds_room < 2 * most + 2) {
		free(c->kinds);
		c->kinds_room = c->kinds_room ? 2 * c->kinds_room : 64;
		c->kinds = xcalloc(c->kinds_room, sizeof *c->kinds);
		c->stamp = 0;
	}
	if (++c->stamp == 0) {
		memset(c->kinds, 0, c->kinds_room * sizeof *c->kinds);
		c->stamp = 1;
	}
}

static struct counted *kind_slot(const struct tally *t, uint64_t kind)
{
	struct correlator *c = t->c;
	size_t i = kind & (c->kinds_room - 1);

	while (c->kinds[i].stamp == c->stamp && c->kinds[i].kind != kind)
		i = (i + 1) & (c->kinds_room - 1);
	if (c->kinds[i].stamp != c->stamp)
		c->kinds[i] = (struct counted){.kind = kind, .stamp = c->stamp};
	return &c->kinds[i];
}

void tally_add(struct tally *t, const struct entry *e)
{
	t->n += e->weight;
	if (t->type == CORR_VALUE_COUNT)
		t->distinct += kind_slot(t, e->of.kind)->n++ == 0;
	else if (t->type == CORR_TEMPORAL || t->type == CORR_TEMPORAL_ORDERED)
		t->places |= t->of_place[e->of.kind]++ == 0 ? UINT64_C(1) << e->of.kind : 0;
	else if (t->type >= CORR_VALUE_SUM && t->type <= CORR_VALUE_PERCENTILE)
		t->sum += e->of.number;
}

static void tally_sub(struct tally *t, const struct entry *e)
{
	t->n -= e->weight;
	if (t->type == CORR_VALUE_COUNT)
		t->distinct -= --kind_slot(t, e->of.kind)->n == 0;
	else if (t->type == CORR_TEMPORAL || t->type == CORR_TEMPORAL_ORDERED)
		t->places &= --t->of_place[e->of.kind] == 0 ? ~(UINT64_C(1) << e->of.kind) : UINT64_MAX;
	else
		t->sum -= e->of.number;
}

static int by_number(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Between two values it lies where the straight line between them has it. */
static double percentile(const struct entry *e, size_t n, double percent)
{
	double *v = xcalloc(n, sizeof *v), at = percent / 100 * (double)(n - 1), low = floor(at);
	size_t i = (size_t)low;

	for (size_t k = 0; k < n; k++)
		v[k] = e[k].of.number;
	qsort(v, n, sizeof *v, by_number);
	double found = i + 1 < n ? v[i] + (v[i + 1] - v[i]) * (at - low) : v[i];

	free(v);
	return found;
}

static void pick_all(struct correlator *c, const struct entry *e, size_t n)
{
	pick_none(c);
	for (size_t i = 0; i < n; i++) {
		pick(c, e[i].m);
		c->picked_events += e[i].weight - 1;
	}
}

/* The first of each kind says what there was. */
static void pick_kinds(struct correlator *c, const struct entry *e, size_t n)
{
	struct tally t;

	pick_none(c);
	tally_begin(&t, c, CORR_VALUE_COUNT, n);
	for (size_t i = 0; i < n; i++) {
		size_t before = t.distinct;

		tally_add(&t, &e[i]);
		if (t.distinct > before)
			pick(c, e[i].m);
	}
}

/* An order counts in the narrowest run that has one: what is true of its rules alone, and they stand in their order. */
static bool ordered_holds(struct correlator *c, const struct correlation *corr, struct tally t, const struct entry *e, size_t n)
{
	bool every = corr->n_steps == 0 && corr->at_least == corr->n_rules;

	for (size_t i = 0; i < n && correlation_rules_hold(corr, t.places); i++) {
		if (chain_find(c, e + i, n - i, t.places))
			return true;
		if (every || corr->closes)
			return false; /* a narrower run has no more than this one, or is not what was asked for */
		tally_sub(&t, &e[i]);
	}
	return false;
}

static bool window_is(struct correlator *c, const struct correlation *corr, const struct tally *t, const struct entry *e, size_t n)
{
	switch (corr->type) {
	case CORR_VALUE_COUNT:
		if (!correlation_bounds_hold(corr, (double)t->distinct))
			return false;
		pick_kinds(c, e, n);
		return true;
	case CORR_TEMPORAL:
		if (!correlation_rules_hold(corr, t->places))
			return false;
		pick_kinds(c, e, n);
		return true;
	case CORR_TEMPORAL_ORDERED:
		return ordered_holds(c, corr, *t, e, n);
	case CORR_EVENT_COUNT:
	case CORR_VALUE_SUM:
	case CORR_VALUE_AVG:
	case CORR_VALUE_MEDIAN:
	case CORR_VALUE_PERCENTILE:
		break;
	case CORR_ABSENT:
		return false;
	}
	double v = corr->type == CORR_EVENT_COUNT ? (double)n : corr->type == CORR_VALUE_SUM ? t->sum :
		   corr->type == CORR_VALUE_AVG ? t->sum / (double)t->n : percentile(e, n, corr->percentile);

	if (!correlation_bounds_hold(corr, v))
		return false;
	pick_all(c, e, n);
	return true;
}

static bool count_holds(struct correlator *c, const struct correlation *corr, const struct entry *e, size_t n, size_t at, size_t *end)
{
	size_t k = (size_t)corr->at_least;

	for (size_t j = at + 1 > k ? at : k - 1; j < n && j < at + k; j++) {
		const struct entry *first = &e[j + 1 - k];

		if (e[j].time - first->time > corr->timespan)
			continue;
		pick_all(c, first, k);
		*end = j;
		return true;
	}
	return false;
}

/* The newest entry changes nothing when its window has its like already, or when an order cannot end with it. */
static bool adds_nothing(const struct plan *p, const struct entry *e, size_t n)
{
	const struct entry *new = &e[n - 1];

	if (p->corr->type == CORR_TEMPORAL_ORDERED)
		return p->corr->n_steps == 0 && p->corr->at_least == p->corr->n_rules && new->of.kind + 1 != p->corr->n_rules &&
		       (n == 1 || e[n - 2].time < new->time);
	for (size_t i = n - 1; p->kinds && i > 0 && new->time - e[i - 1].time <= p->corr->timespan; i--)
		if (e[i - 1].of.kind == new->of.kind)
			return true;
	return false;
}

bool window_holds(struct correlator *c, const struct plan *p, struct group *g, size_t at, size_t *end)
{
	const struct correlation *corr = p->corr;
	const struct entry *e = group_entries(g);
	size_t low = at, n = g->n;
	struct tally t;

	if (corr->type == CORR_EVENT_COUNT)
		return count_holds(c, corr, e, n, at, end);
	if (at + 1 == n && adds_nothing(p, e, n))
		return false;
	while (low > 0 && e[at].time - e[low - 1].time <= corr->timespan)
		low--;
	tally_begin(&t, c, corr->type, n);
	for (size_t i = low; i < at; i++)
		tally_add(&t, &e[i]);
	for (*end = at; *end < n && e[*end].time - e[at].time <= corr->timespan; ++*end) {
		tally_add(&t, &e[*end]);
		while (e[*end].time - e[low].time > corr->timespan)
			tally_sub(&t, &e[low++]);
		if (window_is(c, corr, &t, e + low, *end + 1 - low))
			return true;
	}
	return false;
}

bool window_closed(struct correlator *c, const struct plan *p, struct group *g, size_t n)
{
	const struct entry *e = group_entries(g);
	struct tally t;

	tally_begin(&t, c, p->corr->type, n);
	for (size_t i = 0; i < n; i++)
		tally_add(&t, &e[i]);
	return window_is(c, p->corr, &t, e, n);
}
