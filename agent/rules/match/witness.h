/* witness.h - what must be in an event for a rule to hold. Private to rules/.
 *
 * A witness is a set of texts of which at least one must be found in its field. A rule without any of them cannot hold, and most
 * rules have a witness that hardly any event has. */
#ifndef EVMEND_RULES_WITNESS_H
#define EVMEND_RULES_WITNESS_H

#include "rules/match/program.h"

struct sign { /* one text of a witness */
	uint16_t field;   /* or FIELD_ANY */
	struct needle needle;
};

enum settled { SETTLED_NO, SETTLED_YES, SETTLED_OPEN };

struct witnesses; /* the scratch of building plans */
struct witnesses *witnesses_new(const struct program *p);
void witnesses_free(struct witnesses *w);
/* The events meant have this event id, and EventID says so in decimal; NULL: nothing is known. */
void witnesses_for_id(struct witnesses *w, const uint32_t *id);
enum settled witness_settle(const struct witnesses *w, uint32_t step);
/* The cheapest witness of a step; *signs stays until the next call. Returns how many, 0: there is none, the step must be asked. */
size_t witness_find(struct witnesses *w, uint32_t step, const struct sign **signs);

#endif
