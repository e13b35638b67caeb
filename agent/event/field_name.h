/* field_name.h - names of fields, each kept once for all events of a decoder. Private to event/.
 *
 * Names repeat from event to event; what can be known of one (its number, its other spellings) is found out once. The table is
 * bounded: names above LIMIT_FIELD_NAMES, and very long ones, live in the arena of their event and are found out anew each time. */
#ifndef EVMEND_EVENT_FIELD_NAME_H
#define EVMEND_EVENT_FIELD_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "event/names.h"

struct field_name {
	const char *text;
	uint32_t len;
	uint16_t id; /* in the names table; 0: no rule asks for it */
	/* "Threat Name" is ThreatName and Threat_Name as well; NULL: has no blank */
	const struct field_name *squeezed, *joined;
	bool kept; /* lives as long as the table */
	uint64_t hash;
	struct field_name *next; /* the name that was asked for behind this one last time */
	struct field_name *newer; /* the next one that was kept */
};

struct field_names;

struct field_names *field_names_new(const struct names *names); /* NULL: every id is 0 */
void field_names_free(struct field_names *t);
/* Lives as long as the table, or as spare (NULL: the table) when it has no place in there. */
const struct field_name *field_name(struct field_names *t, const char *s, size_t n, struct arena *spare);

#endif
