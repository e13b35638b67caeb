/* window.c - the entries of one window and the question whether they make a correlation true.
 *
 * Why: the meaning of each correlation type stands here, free of bookkeeping.
 * Promises: with entries in any order of arrival the answer depends on their times alone. An event counts once.
 * Refuses: to grow beyond `most` entries: then the oldest entry of the rule that has most of them goes. */
#include "correlate/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct window *window_new(const struct rule *r, const struct correlation *corr, const char *key, uint64_t hash)
{
	struct window *w = xcalloc(1, sizeof *w);

	w->rule = r;
	w->corr = corr;
	w->key = xstrdup(key);
	w->hash = hash;
	w->quiet_until = INT64_MIN;
	w->bytes = sizeof *w + strlen(key) + 1;
	return w;
}

void window_free(struct window *w)
{
	for (size_t i = 0; i < w->n; i++)
		match_unref(w->entries[i]);
	free(w->entries);
	free(w->key);
	free(w);
}

size_t window_most(const struct correlation *corr)
{
	return corr->type == CORR_EVENT_COUNT && corr->at_least > WINDOW_ENTRIES ? corr->at_least : WINDOW_ENTRIES;
}

void window_remove(struct window *w, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		w->bytes -= match_bytes(w->entries[i]);
		match_unref(w->entries[i]);
	}
	memmove(&w->entries[at], &w->entries[at + n], (w->n - at - n) * sizeof(struct match *));
	w->n -= n;
}

static size_t place(const struct correlation *corr, const struct match *m)
{
	size_t i = 0;

	while (i < corr->n_rules && corr->rules[i] != m->rule->index)
		i++;
	return i;
}

void window_prune(struct window *w, int64_t t)
{
	bool absent = w->corr->type == CORR_ABSENT;
	size_t i = 0;

	while (i < w->n && w->entries[i]->time < t)
		if (absent && place(w->corr, w->entries[i]) == 0)
			i++;
		else
			window_remove(w, i, 1);
}

bool window_refers(const struct window *w, const struct match *m)
{
	return place(w->corr, m) < w->corr->n_rules;
}

/* Which entry to give up: the oldest of the rule with most entries. */
static size_t least_wanted(const struct window *w)
{
	size_t count[CORR_RULES] = {0}, most = 0;

	for (size_t i = 0; i < w->n; i++)
		count[place(w->corr, w->entries[i]) % CORR_RULES]++;
	for (size_t i = 1; i < w->corr->n_rules && i < CORR_RULES; i++)
		if (count[i] > count[most])
			most = i;
	for (size_t i = 0; i < w->n; i++)
		if (place(w->corr, w->entries[i]) == most)
			return i;
	return 0;
}

size_t window_put(struct window *w, struct match *m, size_t most, uint64_t *dropped)
{
	size_t at = w->n;

	while (at > 0 && w->entries[at - 1]->time > m->time)
		at--;
	for (size_t i = at; i > 0 && w->entries[i - 1]->time == m->time; i--) {
		bool same_rule = w->corr->type == CORR_EVENT_COUNT || w->entries[i - 1]->rule == m->rule;

		if (same_rule && memcmp(w->entries[i - 1]->uid, m->uid, sizeof m->uid) == 0)
			return SIZE_MAX;
	}
	if (w->n >= most) {
		size_t gone = least_wanted(w);

		window_remove(w, gone, 1);
		at -= gone < at;
		++*dropped;
	}
	if (w->n == w->cap) {
		w->bytes += (w->cap ? w->cap : 4) * sizeof(struct match *);
		w->cap = w->cap ? 2 * w->cap : 4;
		w->entries = xrealloc(w->entries, w->cap, sizeof(struct match *));
	}
	memmove(&w->entries[at + 1], &w->entries[at], (w->n - at) * sizeof(struct match *));
	w->entries[at] = match_ref(m);
	w->bytes += match_bytes(m);
	w->n++;
	return at;
}

static bool within(const struct window *w, size_t first, size_t last)
{
	return w->entries[last]->time - w->entries[first]->time <= w->corr->timespan;
}

static bool count_holds(const struct window *w, size_t p, struct match **picked, size_t *n)
{
	size_t k = w->corr->at_least;

	for (size_t i = p + 1 >= k ? p + 1 - k : 0; i <= p && i + k <= w->n; i++) {
		if (!within(w, i, i + k - 1))
			continue;
		memcpy(picked, &w->entries[i], k * sizeof(struct match *));
		*n = k;
		return true;
	}
	return false;
}

static bool temporal_holds(const struct window *w, size_t p, struct match **picked, size_t *n)
{
	for (size_t i = 0; i <= p; i++) {
		uint64_t seen = 0;

		if (!within(w, i, p))
			continue;
		*n = 0;
		for (size_t k = i; k < w->n && within(w, i, k); k++) {
			uint64_t bit = UINT64_C(1) << place(w->corr, w->entries[k]);

			if (!(seen & bit))
				picked[(*n)++] = w->entries[k];
			seen |= bit;
		}
		if (*n >= w->corr->at_least)
			return true;
		if (p + 1 == w->n)
			return false; /* nothing behind p: the widest span was the only one */
	}
	return false;
}

static bool taken(struct match *const *picked, size_t n, const struct match *m)
{
	for (size_t i = 0; i < n; i++)
		if (memcmp(picked[i]->uid, m->uid, sizeof m->uid) == 0)
			return true;
	return false;
}

/* From entry `first`, for each next rule the earliest entry that is not before the one picked last. Equal times fit in any
 * order. */
static bool chain_from(const struct window *w, size_t first, struct match **picked)
{
	picked[0] = w->entries[first];
	for (size_t r = 1; r < w->corr->n_rules; r++) {
		struct match *next = NULL;

		for (size_t i = 0; i < w->n && !next; i++) {
			struct match *m = w->entries[i];

			if (m->time >= picked[r - 1]->time && place(w->corr, m) == r && !taken(picked, r, m))
				next = m;
		}
		if (!next || next->time - picked[0]->time > w->corr->timespan)
			return false;
		picked[r] = next;
	}
	return true;
}

static bool ordered_holds(const struct window *w, struct match **picked, size_t *n)
{
	for (size_t i = w->n; i > 0; i--)
		if (place(w->corr, w->entries[i - 1]) == 0 && chain_from(w, i - 1, picked)) {
			*n = w->corr->n_rules;
			return true;
		}
	return false;
}

bool window_holds(const struct window *w, size_t p, struct match **picked, size_t *n)
{
	switch (w->corr->type) {
	case CORR_EVENT_COUNT:
		return count_holds(w, p, picked, n);
	case CORR_TEMPORAL:
		return temporal_holds(w, p, picked, n);
	case CORR_TEMPORAL_ORDERED:
		return ordered_holds(w, picked, n);
	case CORR_ABSENT:
		break;
	}
	return false;
}

int64_t window_due(const struct window *w, size_t *at)
{
	for (*at = 0; *at < w->n; ++*at)
		if (place(w->corr, w->entries[*at]) == 0)
			return w->entries[*at]->time + w->corr->timespan;
	return INT64_MAX;
}

bool window_alone(const struct window *w, size_t at)
{
	int64_t span = w->corr->timespan;

	for (size_t i = 0; i < w->n; i++) {
		int64_t behind = w->entries[i]->time - w->entries[at]->time;

		if (place(w->corr, w->entries[i]) != 0 && behind <= span && behind >= (w->corr->around ? -span : 0))
			return false;
	}
	return true;
}
