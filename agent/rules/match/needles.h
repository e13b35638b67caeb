/* needles.h - many texts looked for in one value at once. Immutable once built; threads share it. Private to rules/.
 *
 * The cost of a value hardly depends on how many needles there are: whole values, beginnings and ends are looked up by hash; parts by
 * their rarest four bytes (grams.h), reading only every fourth byte of the value where they are long enough. */
#ifndef EVMEND_RULES_NEEDLES_H
#define EVMEND_RULES_NEEDLES_H

#include "rules/match/literal.h"

enum needle_kind { NEEDLE_EQUAL, NEEDLE_PREFIX, NEEDLE_SUFFIX, NEEDLE_PART, NEEDLE_NUMBER, NEEDLE_PRESENT };

struct needle {
	union {
		const char *text; /* folded; borrowed */
		uint64_t number;  /* NEEDLE_NUMBER: a whole number that is not negative */
	};
	uint32_t n;
	uint8_t kind;             /* the first four as enum shape */
};

struct needles;
struct needles *needles_new(struct arena *a, const struct needle *list, size_t n);
size_t needles_least(const struct needles *s); /* bytes of the shortest folded value that can hold one */
uint32_t needles_short(const struct needles *s); /* parts that are looked for one by one */
/* Calls found with the index of each needle in v, maybe more than once; when it returns true the search ends, and so does this. */
bool needles_find(const struct needles *s, const struct folded *v, bool (*found)(void *arg, uint32_t index), void *arg);

#endif
