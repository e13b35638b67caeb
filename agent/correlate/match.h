/* match.h - what is kept of an event that a rule matched: who, when, where it stands, and the fields that will be asked for.
 *
 * Counted references: a match waits in several windows at once. All texts belong to the pool of its engine. */
#ifndef EVMEND_CORRELATE_MATCH_H
#define EVMEND_CORRELATE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "correlate/strings.h"
#include "event/event.h"
#include "rules/ruleset.h"

#define MATCH_VALUE_BYTES 512 /* of one field; hints and group keys need no more */

#define MATCH_NO_HOST "unknown" /* host of a match that names none: told, but nobody is asked */

struct match {
	unsigned refs;
	const struct rule *rule; /* a correlation's when it fired and others refer to it */
	int64_t time;
	const char *host;     /* the one in trouble; "" when nobody says */
	const char *reporter; /* System/Computer */
	const char *channel, *provider, *source;
	uint32_t event_id;
	uint64_t record_id;
	uint8_t uid[32];      /* of the event */
	bool replay;
	unsigned counted;     /* causes whose case has counted this event already: bit per cause */
	size_t n;
	const char *const *names; /* the rule's wanted fields */
	const char *values[];     /* NULL: the event has no such field */
};

/* host is not settled here: it is what the event says, the engine makes it one of the names it knows. */
struct match *match_new(struct strings *pool, const struct ruleset *rs, const struct rule *r, const struct event *ev);
/* For a correlation that fired: everything but the values from the last event. */
struct match *match_of_group(const struct ruleset *rs, const struct rule *r, struct match *const *entries, size_t n);
struct match *match_ref(struct match *m);
void match_unref(struct match *m); /* NULL allowed */
const char *match_value(const struct match *m, const char *field); /* NULL: absent */
size_t match_bytes(const struct match *m);

void match_save(const struct match *m, struct json_out *o, const char *key);
/* NULL: not readable, or its rule is gone. */
struct match *match_load(struct strings *pool, const struct ruleset *rs, const struct json *j);

#endif
