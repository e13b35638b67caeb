/* coverage_inside.h - what was seen of each host: shared by coverage.c (sees) and coverage_ask.c (answers). */
#ifndef EVMEND_RULES_COVERAGE_INSIDE_H
#define EVMEND_RULES_COVERAGE_INSIDE_H

#include "base/hash.h"
#include "rules/compiled.h"
#include "rules/coverage/coverage.h"

enum { FIELD_ID, FIELD_PROVIDER, FIELD_CHANNEL, FIELD_COMPUTER, FIELDS }; /* the same in all events of a kind and host */

struct kind { /* of event, of one host */
	struct kind *next; /* same host */
	struct event ev;   /* what all of them share, with these fields alone */
	struct event_field fields[FIELDS];
	char id_text[16];
	bool shadowed[FIELDS]; /* some of these events have a field of that name in their payload, which wins */
	uint8_t *seen;     /* bit for each field id */
	size_t n_seen;     /* bytes */
};

struct host {
	struct coverage_host is;
	struct kind *kinds;
};

struct slot {
	uint64_t hash;
	struct kind *kind;
	struct host *host;
};

struct coverage {
	const struct ruleset *rs;
	struct arena *arena;
	struct hash_seed seed;
	struct slot *slots; /* kinds: open addressing, a power of two, at most half full */
	size_t room, n;
	struct host **hosts;
	size_t n_hosts, cap_hosts;
	struct host **by_name; /* as slots */
	size_t names;
	uint16_t ids[FIELDS];
	uint64_t left_out;
};

#endif
