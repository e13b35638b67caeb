/* matcher.c - which rules hold for an event.
 *
 * Why: asked for every event; all that can be settled before is settled in plans.
 * Promises: the same answer as asking every rule (tests compare it with a second, naive evaluator). Nothing is allocated for an
 * event once the scratch has grown.
 * Refuses: nothing. One matcher belongs to one thread; the rule set is shared. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "rules/match/match_plan.h"

#define LOST_LEAST 20 /* us; less is the clocks' own difference */

struct matcher {
	struct run run;
	uint32_t *stamp; /* by check: epoch of its last time as a candidate */
	uint32_t *candidates, *hits;
	size_t n, n_hits;
	uint64_t n_candidates;
	const struct scan *scan;
	struct rule_cost *costs; /* by rule; NULL: not measured */
	struct clock clock;
	struct rule_cost *dearest; /* of this event; NULL: none yet */
	int64_t dearest_us;
};

struct matcher *matcher_new(const struct ruleset *rs)
{
	struct matcher *m = xcalloc(1, sizeof *m);
	size_t n = rs->program->n_checks + 1;

	run_init(&m->run, rs);
	m->stamp = xcalloc(n, sizeof *m->stamp);
	m->candidates = xcalloc(n, sizeof *m->candidates);
	m->hits = xcalloc(n, sizeof *m->hits);
	return m;
}

void matcher_free(struct matcher *m)
{
	if (!m)
		return;
	run_free(&m->run);
	free(m->stamp);
	free(m->candidates);
	free(m->hits);
	free(m->costs);
	free(m);
}

static void add_candidate(struct matcher *m, uint32_t check)
{
	if (m->stamp[check] == m->run.view.epoch)
		return;
	m->stamp[check] = m->run.view.epoch;
	m->candidates[m->n++] = check;
}

static bool on_witness(void *arg, uint32_t index)
{
	struct matcher *m = arg;
	const struct scan *s = m->scan;

	for (uint32_t i = s->first[index]; i < s->first[index + 1]; i++)
		add_candidate(m, s->checks[i]);
	return false;
}

/* Texts that may stand in any field: all values are searched as one. */
static void consult_keywords(struct matcher *m, const struct plan *const *plans, size_t n)
{
	size_t least = SIZE_MAX;
	struct folded all;

	for (size_t i = 0; i < n; i++)
		if (plans[i]->keywords && needles_least(plans[i]->keywords->needles) < least)
			least = needles_least(plans[i]->keywords->needles);
	if (least == SIZE_MAX)
		return;
	all = view_keywords(&m->run.view, least);
	for (size_t i = 0; i < n; i++)
		if ((m->scan = plans[i]->keywords))
			needles_find(m->scan->needles, &all, on_witness, m);
}

static void consult(struct matcher *m, const struct plan *p)
{
	for (size_t i = 0; i < p->n_scans; i++) {
		const struct scan *s = m->scan = &p->scans[i];

		for (uint16_t at = view_first(&m->run.view, s->field); at != VIEW_NONE; at = view_next(&m->run.view, at))
			needles_find(s->needles, view_searched(&m->run.view, at, needles_short(s->needles)), on_witness, m);
	}
	for (size_t i = 0; i < p->n_always; i++)
		add_candidate(m, p->always[i]);
}

/* Keeps m->hits in order; hits are few. */
static void add_hit(struct matcher *m, uint32_t rule)
{
	size_t at = m->n_hits++;

	while (at > 0 && m->hits[at - 1] > rule) {
		m->hits[at] = m->hits[at - 1];
		at--;
	}
	m->hits[at] = rule;
}

static bool passes(struct matcher *m, const struct check *c)
{
	return check_meant(&m->run, c) && step_holds(&m->run, c->root);
}

static bool passes_measured(struct matcher *m, const struct check *c)
{
	struct rule_cost *cost = &m->costs[c->rule];
	int64_t start = clock_monotonic(&m->clock), us;
	bool holds = passes(m, c);

	us = clock_monotonic(&m->clock) - start;
	cost->us += us;
	if (!m->dearest || us > m->dearest_us) {
		m->dearest = cost;
		m->dearest_us = us;
	}
	cost->asked++;
	cost->held += holds;
	return holds;
}

int64_t rule_cost_lost(int64_t dearest, int64_t wall, int64_t cpu)
{
	int64_t lost = wall - cpu;

	if (lost <= LOST_LEAST || dearest <= LOST_LEAST)
		return 0;
	return lost < dearest ? lost : dearest;
}

/* The clock that is cheap enough to read at every question runs on while somebody else has the processor. What an event took longer
 * than the processor worked is taken back from the question that took longest, which is where it fell. */
static void ask_measured(struct matcher *m)
{
	int64_t wall = clock_monotonic(&m->clock), cpu = clock_cpu_us();

	m->dearest = NULL;
	m->dearest_us = 0;
	for (size_t i = 0; i < m->n; i++) {
		const struct check *c = &m->run.program->checks[m->candidates[i]];

		if (passes_measured(m, c))
			add_hit(m, c->rule);
	}
	cpu = clock_cpu_us() - cpu;
	wall = clock_monotonic(&m->clock) - wall;
	if (m->dearest)
		m->dearest->us -= rule_cost_lost(m->dearest_us, wall, cpu);
}

static void ask(struct matcher *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct check *c = &m->run.program->checks[m->candidates[i]];

		if (passes(m, c))
			add_hit(m, c->rule);
	}
}

size_t matcher_run(struct matcher *m, const struct event *ev, const uint32_t **hits)
{
	const struct program *p = m->run.program;
	const struct plan *plans[2];
	size_t n;

	run_begin(&m->run, ev);
	if (m->run.view.epoch == 1)
		memset(m->stamp, 0, (p->n_checks + 1) * sizeof *m->stamp);
	m->n = m->n_hits = 0;
	n = match_plans_find(m->run.rs->plans, &m->run.view, plans);
	consult_keywords(m, plans, n);
	for (size_t i = 0; i < n; i++)
		consult(m, plans[i]);
	m->n_candidates += m->n;
	if (m->costs)
		ask_measured(m);
	else
		ask(m);
	*hits = m->hits;
	return m->n_hits;
}

void matcher_measure(struct matcher *m)
{
	m->clock = clock_real();
	if (!m->costs)
		m->costs = xcalloc(m->run.rs->n + 1, sizeof *m->costs);
}

struct rule_cost matcher_cost(const struct matcher *m, const struct rule *r)
{
	return m->costs ? m->costs[r->index] : (struct rule_cost){0};
}

struct matcher_counts matcher_counts(const struct matcher *m)
{
	return (struct matcher_counts){.candidates = m->n_candidates, .asked = m->run.asked};
}
