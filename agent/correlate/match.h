/* match.h - what is kept of an event that a rule matched: who, when, where it stands, and the fields that will be asked for.
 *
 * Counted references: a match waits in several windows at once. One block holds its values, so that what goes
 * leaves nothing behind; host and computer belong to the pool of its engine, which outlives all matches. */
#ifndef EVMEND_CORRELATE_MATCH_H
#define EVMEND_CORRELATE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "correlate/strings.h"
#include "correlate/origin.h"
#include "event/event.h"
#include "rules/ruleset.h"

/* Of one field. A longer value is kept as its beginning, MATCH_CUT and a digest of all of it after case folding: what differs in the
 * event differs here. A value of an event that ends like that itself is treated as a longer one. */
#define MATCH_VALUE_BYTES 512
#define MATCH_CUT "\xE2\x80\xA6 sha256:" /* and MATCH_CUT_DIGITS, hex */
#define MATCH_CUT_DIGITS 32
#define MATCH_BYTES 60000     /* of all fields; what is behind that is left out */

#define MATCH_NO_HOST "unknown" /* host of a match that names none: told, but nobody is asked */

struct match {
	uint32_t refs;
	uint16_t bytes;       /* of the whole block */
	uint8_t counted;      /* causes whose case has counted this event already: bit per cause */
	bool replay;
	bool own_uid;         /* match_uid stands behind the values: its event has no place of its own */
	const struct rule *rule;  /* a correlation's when it fired and others refer to it */
	struct origin *origin;    /* event id, channel, provider, source; names of the values */
	const char *host;     /* the one in trouble; "" when nobody says. Lives in the pool */
	const char *reporter; /* System/Computer */
	int64_t time;
	uint64_t record_id;
	uint16_t at[];        /* of each wanted field: where its text stands in this block; 0: the event has no such field */
};

/* host is not settled here: it is what the event says, the engine makes it one of the names it knows. */
struct match *match_new(struct strings *pool, const struct ruleset *rs, const struct rule *r, const struct event *ev);
/* For a correlation that fired: its group-by fields and aliases as first spelled, all else from the last event that has it [A-22,
 * */
struct match *match_of_group(struct strings *pool, const struct ruleset *rs, const struct rule *r, struct match *const *entries,
	size_t n);
struct match *match_ref(struct match *m);
void match_unref(struct match *m); /* NULL allowed */
void match_renew(struct match *m, struct strings *pool); /* strings_renew; NULL allowed */
const char *match_value(const struct match *m, const char *field); /* NULL: absent */
void match_uid(const struct match *m, uint8_t to[static 32]); /* of its event */
bool match_same_event(const struct match *a, const struct match *b);
/* A number for each event, and 0 for equal ones: an order as good as any, always the same. */
int match_by_event(const struct match *a, const struct match *b);
const char *match_slot(const struct match *m, size_t i); /* of wanted field i; NULL: absent */
size_t match_bytes(const struct match *m);
/* values[i] of n[i] bytes for each wanted field of the origin, as matches keep them; NULL: absent. uid: NULL when the event has a
 * place of its own (event.h). Takes the origin over; the rest is zero. */
struct match *match_build(struct origin *o, const char *const *values, const size_t *n, const uint8_t *uid);

void match_save(const struct match *m, struct json_out *o, const char *key);
/* NULL: not readable, or its rule is gone. */
struct match *match_load(struct strings *pool, const struct ruleset *rs, const struct json *j);

#endif
