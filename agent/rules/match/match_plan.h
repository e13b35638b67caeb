/* match_plan.h - which checks an event can pass at all, settled while rules are loaded: one plan for each channel and event id that rules
 * name. Immutable; threads share it. Private to rules/. */
#ifndef EVMEND_RULES_MATCH_PLAN_H
#define EVMEND_RULES_MATCH_PLAN_H

#include "rules/match/program.h"

struct scan { /* the witnesses that stand in one field */
	uint16_t field;
	const struct needles *needles;
	const uint32_t *first;       /* of each needle: where its checks begin in `checks`; one more at the end */
	const uint32_t *checks;
};

struct plan {
	const struct scan *keywords; /* NULL: no check needs some text in any field */
	const uint32_t *always;      /* checks without a witness */
	size_t n_always;
	const struct scan *scans;
	size_t n_scans;
};

struct match_plans *match_plans_new(const struct ruleset *rs);
void match_plans_free(struct match_plans *p);
/* The plans that ev must be asked by, at most two: of its channel, and of rules that name none. */
size_t match_plans_find(const struct match_plans *p, struct view *v, const struct plan *to[2]);

#endif
