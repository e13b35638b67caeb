/* engine_part.h - the part of a scan that many threads can do: matching events, and keeping what matched.
 *
 * A part belongs to one thread at a time. What it kept is moved out as a haul and given to the engine, in the order of the events,
 * by the engine's own thread. */
#ifndef EVMEND_CASES_ENGINE_PART_H
#define EVMEND_CASES_ENGINE_PART_H

#include "cases/engine.h"

struct engine_part;

struct engine_haul { /* {0} is an empty one */
	uint64_t events;
	void **matches;
	size_t n;
};

struct engine_part *engine_part_new(const struct ruleset *rules);
void engine_part_event(struct engine_part *p, const struct event *ev); /* copies what it keeps */
/* Moves out what was kept since the last time. */
void engine_part_take(struct engine_part *p, struct engine_haul *to);
/* Gives a haul to a scanning engine; h is empty then. Its texts belong to its part: engine_part_end comes later, never before. */
void engine_add(struct engine *g, struct engine_haul *h);
/* The part matches no more. The engine keeps its texts as long as it lives itself. */
void engine_part_end(struct engine *g, struct engine_part *p);

#endif
