/* plan.c - correlations made ready for running.
 *
 * Why: which rule goes to which correlation, and where its values stand, is settled once and not for every match.
 * Promises: the order of rules and of references is kept, so that runs repeat.
 * Refuses: more than 65,535 correlations. */
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "correlate/inside.h"

#define ENTRIES 256  /* kept in one group, or the rule's own count when that is larger */
#define NUMBERS 4096 /* of a value that is summed or ranked; more than SLOTS, so that there is always room for what is summed */

static bool grouped_by_host(const struct correlation *corr)
{
	for (size_t g = 0; g < corr->n_group_by; g++)
		if (text_same(corr->group_by[g], "host"))
			return true;
	return false;
}

static uint32_t most_of(const struct correlation *corr)
{
	double most = corr->type >= CORR_VALUE_SUM && corr->type <= CORR_VALUE_PERCENTILE ? NUMBERS : ENTRIES;

	if (corr->type == CORR_EVENT_COUNT || corr->type == CORR_VALUE_COUNT)
		for (size_t i = 0; i < corr->n_bounds; i++)
			if (corr->bounds[i].than + 1 > most) /* one more than a bound: all of them are decided */
				most = corr->bounds[i].than + 1;
	return (uint32_t)most;
}

static void make_plan(struct correlator *c, struct plan *p, const struct rule *r, const struct correlation *corr)
{
	*p = (struct plan){.rule = r, .corr = corr, .most = most_of(corr), .by_host = grouped_by_host(corr),
			   .absent = corr->type == CORR_ABSENT, .closes = corr->closes && corr->type != CORR_ABSENT,
			   .kinds = corr->type == CORR_VALUE_COUNT || corr->type == CORR_TEMPORAL || corr->type == CORR_TEMPORAL_ORDERED ||
				    corr->type == CORR_ABSENT,
			   .sums = corr->type == CORR_VALUE_SUM || corr->type == CORR_VALUE_AVG};
	for (size_t i = 0; i < corr->n_rules; i++) {
		const struct rule *of = ruleset_rule(c->o.rules, corr->rules[i]);
		struct refer **list = &c->refers[of->index];
		uint32_t *n = &c->n_refers[of->index];

		*list = xrealloc(*list, *n + 1, sizeof **list);
		(*list)[(*n)++] = (struct refer){.plan = (uint16_t)(p - c->plans), .place = (uint16_t)i,
						 .group = key_slots_of(c->o.rules, r, corr->group_by, corr->n_group_by, of),
						 .fields = key_slots_of(c->o.rules, r, corr->fields, corr->n_fields, of)};
	}
}

/* A rule below that is decided late makes everything above it late. */
static void find_slack(struct correlator *c)
{
	int64_t *own = xcalloc(ruleset_count(c->o.rules) + 1, sizeof *own);

	for (int round = 0; round < 12; round++) /* deeper chains are refused at load time */
		for (size_t i = 0; i < c->n_plans; i++) {
			struct plan *p = &c->plans[i];

			for (size_t r = 0; r < p->corr->n_rules; r++)
				p->slack = own[p->corr->rules[r]] > p->slack ? own[p->corr->rules[r]] : p->slack;
			own[p->rule->index] = p->slack + (p->absent || p->closes ? p->corr->timespan : 0);
		}
	free(own);
}

void plans_make(struct correlator *c)
{
	size_t n = ruleset_count(c->o.rules);

	c->refers = xcalloc(n + 1, sizeof *c->refers);
	c->n_refers = xcalloc(n + 1, sizeof *c->n_refers);
	c->plans = xcalloc(n + 1, sizeof *c->plans);
	for (size_t i = 0; i < n && c->n_plans < UINT16_MAX; i++) {
		const struct rule *r = ruleset_rule(c->o.rules, i);
		const struct correlation *corr = ruleset_correlation(c->o.rules, r);

		if (corr)
			make_plan(c, &c->plans[c->n_plans++], r, corr);
	}
	find_slack(c);
}

void plans_free(struct correlator *c)
{
	for (size_t i = 0; i < ruleset_count(c->o.rules); i++)
		free(c->refers[i]);
	free(c->refers);
	free(c->n_refers);
	free(c->plans);
}
