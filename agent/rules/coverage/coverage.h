/* coverage.h - which rules can fire at all with what each host sends: its channels, its event ids, the fields of these events.
 *
 * First every event is seen, then questions are asked. A rule "can fire" when nothing that was never seen is needed for it; whether
 * the values it asks for will ever come is not known. */
#ifndef EVMEND_RULES_COVERAGE_H
#define EVMEND_RULES_COVERAGE_H

#include "base/buf.h"
#include "event/event.h"
#include "rules/ruleset.h"

enum coverage_why {
	COVERAGE_CAN,
	COVERAGE_NO_SOURCE,  /* the table of log sources knows no events for it: the same on every host */
	COVERAGE_NO_CHANNEL, /* never seen */
	COVERAGE_NO_EVENT,   /* the channel is there, the event id or provider never was */
	COVERAGE_NO_FIELD,   /* the events are there, a field that the rule needs never was */
	COVERAGE_NO_RULE,    /* a correlation: a rule that it needs cannot fire */
	COVERAGE_WHYS
};

struct coverage_host {
	const char *name;    /* System/Computer as it came first; "" when there was none */
	uint64_t events;
	size_t kinds;        /* channel, provider and event id */
};

struct coverage;

struct coverage *coverage_new(const struct ruleset *rs); /* borrowed */
void coverage_free(struct coverage *c);
void coverage_event(struct coverage *c, const struct event *ev);
uint64_t coverage_left_out(const struct coverage *c); /* events of kinds beyond LIMIT_KINDS: nothing is said about them */
size_t coverage_hosts(struct coverage *c); /* sorts: hosts with most events first. After the last event */
const struct coverage_host *coverage_host(const struct coverage *c, size_t i);
/* what (reset first): the channel, the ids, the field or the rule that is missing; "" where there is nothing to say. */
enum coverage_why coverage_of(const struct coverage *c, size_t host, const struct rule *r, struct buf *what);

#endif
