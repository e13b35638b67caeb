/* filing.h - under which channels and event ids a check must be looked for. Private to rules/. */
#ifndef EVMEND_RULES_FILING_H
#define EVMEND_RULES_FILING_H

#include "event/names.h"
#include "rules/match/program.h"

struct filed { /* one place where a check is filed */
	uint16_t channel; /* 0: any */
	bool has_id;
	uint32_t id, check;
};

struct filing {
	const struct ruleset *rs;
	struct names *channels; /* numbers of channels */
	struct filed *list;
	size_t n, cap;
	uint32_t *ids; /* of one condition */
	size_t n_ids, ids_cap;
};

/* Adds the places of one check to the list: those that its sources name, and its condition's EventIDs where they name none. */
void file_check(struct filing *f, uint32_t check);

#endif
