/* ordered.c - one entry for each rule, in the order of the rules.
 *
 * Why: equal times fit in any order, and one event that two rules matched may serve only one of them.
 * Promises: a pass over the entries answers for nearly all windows; what is left is searched from the latest beginning.
 * Refuses: to search longer than STEPS; then there is no order. */
#include "correlate/inside.h"

#define STEPS 4096

struct chain {
	const struct entry *e;
	size_t n;
	unsigned order[CORR_RULES]; /* places */
	unsigned rank[CORR_RULES];  /* of each place in order; CORR_RULES: not in it */
	size_t places;
	size_t at[CORR_RULES];      /* the entry picked for each */
	unsigned steps;
};

static void reach(const struct chain *s, int64_t begins[static CORR_RULES], unsigned r, int64_t time)
{
	if (r < s->places && (r == 0 || begins[r - 1] > begins[r]))
		begins[r] = r == 0 ? time : begins[r - 1];
}

/* May there be one? Says when the latest of them begins; INT64_MIN: there is none. That an event serves one place is left out. */
static int64_t latest_begin(const struct chain *s)
{
	int64_t begins[CORR_RULES];

	for (size_t r = 0; r < s->places; r++)
		begins[r] = INT64_MIN;
	for (size_t i = 0, next; i < s->n; i = next) {
		for (next = i + 1; next < s->n && s->e[next].time == s->e[i].time;)
			next++;
		if (next == i + 1) {
			reach(s, begins, s->rank[s->e[i].of.kind], s->e[i].time);
			continue;
		}
		for (unsigned r = 0; r < s->places; r++)
			for (size_t k = i; k < next; k++)
				if (s->e[k].of.kind == s->order[r])
					reach(s, begins, r, s->e[k].time);
	}
	return s->places ? begins[s->places - 1] : INT64_MIN;
}

static bool taken(const struct chain *s, size_t r, size_t i)
{
	for (size_t k = 0; k < r; k++)
		if (match_same_event(s->e[s->at[k]].m, s->e[i].m))
			return true;
	return false;
}

/* Place r and all behind it, from entry `from` on. Of those that could serve, only ones of the same time can make a difference. */
static bool go_on(struct chain *s, size_t r, size_t from)
{
	int64_t found = INT64_MIN;

	if (r == s->places)
		return true;
	while (from > 0 && s->e[from - 1].time == s->e[from].time)
		from--;
	for (size_t i = from; i < s->n && (found == INT64_MIN || s->e[i].time == found); i++) {
		if (s->e[i].of.kind != s->order[r] || taken(s, r, i))
			continue;
		if (++s->steps > STEPS)
			return false;
		found = s->e[i].time;
		s->at[r] = i;
		if (go_on(s, r + 1, i))
			return true;
	}
	return false;
}

bool chain_find(struct correlator *c, const struct entry *e, size_t n, uint64_t places)
{
	struct chain s = {.e = e, .n = n};
	int64_t begin;

	for (unsigned r = 0; r < CORR_RULES; r++) {
		s.rank[r] = places >> r & 1 ? (unsigned)s.places : CORR_RULES;
		if (places >> r & 1)
			s.order[s.places++] = r;
	}
	begin = latest_begin(&s);
	for (size_t i = begin == INT64_MIN ? 0 : n; i > 0 && s.steps <= STEPS; i--) {
		if (e[i - 1].time > begin || e[i - 1].of.kind != s.order[0])
			continue;
		s.at[0] = i - 1;
		if (!go_on(&s, 1, i - 1))
			continue;
		pick_none(c);
		for (size_t r = 0; r < s.places; r++)
			pick(c, e[s.at[r]].m);
		return true;
	}
	return false;
}
