/* origin.h - what many matches have in common, kept once: the rule, and where its events come from. Counted references; the last
 * one gives it back, so that made-up names do not fill the memory. Private to correlate/. */
#ifndef EVMEND_CORRELATE_ORIGIN_H
#define EVMEND_CORRELATE_ORIGIN_H

#include <stdint.h>

#include "correlate/strings.h"
#include "rules/ruleset.h"

struct origins;

struct origin {
	struct origin *next;
	struct origins *home;
	const char *const *names; /* the rule's wanted fields */
	size_t n;
	const char *computer, *channel, *provider, *source;
	const struct rule *rule;
	uint32_t event_id, refs, hash, bytes;
	const char *host; /* the computer as a host name; lives in the pool */
};

struct origins *origins_new(void);
void origins_free(struct origins *o);
size_t origins_bytes(const struct origins *o);
void origins_renew(struct origins *o, struct strings *pool); /* strings_renew */

/* Of a match of r in an event of that origin; taken once more. */
struct origin *origin_of(struct strings *pool, const struct ruleset *rs, const struct rule *r, uint32_t event_id,
	const char *computer, const char *channel, const char *provider, const char *source);
void origin_unref(struct origin *o);

#endif
