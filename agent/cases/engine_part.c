/* engine_part.c - matching outside the engine's thread.
 *
 * Why: reading and matching are nearly all the work of a scan, and no event needs another for them.
 * Promises: the same matches as engine_event of a scan would have kept; no lock, nothing shared but the rules, which never change.
 * Refuses: an engine that does not scan: there, time passes between two events. */
#include "cases/engine_part.h"

#include <stdlib.h>

#include "base/err.h"
#include "cases/engine_private.h"

struct engine_part {
	const struct ruleset *rules;
	struct matcher *matcher;
	struct strings *pool;
	struct list kept;
	uint64_t events;
};

struct engine_part *engine_part_new(const struct ruleset *rules)
{
	struct engine_part *p = xcalloc(1, sizeof *p);

	p->rules = rules;
	p->matcher = matcher_new(rules);
	p->pool = strings_new();
	return p;
}

void engine_part_event(struct engine_part *p, const struct event *ev)
{
	const uint32_t *hits;
	size_t n = matcher_run(p->matcher, ev, &hits);

	p->events++;
	for (size_t i = 0; i < n; i++)
		list_add(&p->kept, match_new(p->pool, p->rules, ruleset_rule(p->rules, hits[i]), ev));
}

void engine_part_take(struct engine_part *p, struct engine_haul *to)
{
	*to = (struct engine_haul){p->events, p->kept.p, p->kept.n};
	p->kept = (struct list){0};
	p->events = 0;
}

void engine_add(struct engine *g, struct engine_haul *h)
{
	if (!g->o.scan)
		die("a haul was given to an engine that does not scan");
	g->counts.events += h->events;
	g->counts.matches += h->n;
	for (size_t i = 0; i < h->n; i++)
		list_add(&g->kept, h->matches[i]);
	free(h->matches);
	*h = (struct engine_haul){0};
}

void engine_part_end(struct engine *g, struct engine_part *p)
{
	for (size_t i = 0; i < p->kept.n; i++)
		match_unref(p->kept.p[i]);
	free(p->kept.p);
	matcher_free(p->matcher);
	list_add(&g->pools, p->pool);
	free(p);
}
