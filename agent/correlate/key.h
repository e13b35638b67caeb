/* key.h - what groups matches, and what tells values apart: values of some fields, folded. Private to correlate/. */
#ifndef EVMEND_CORRELATE_KEY_H
#define EVMEND_CORRELATE_KEY_H

#include "correlate/match.h"

/* Values folded (up to 3 bytes for 2) with separators, and room for the character that would be too much. */
#define KEY_BYTES (CORR_FIELDS * (MATCH_VALUE_BYTES / 2 * 3 + 1) + 8)

struct key_slots { /* where the values stand in the matches of one rule */
	uint16_t n;
	int16_t slot[CORR_FIELDS]; /* -1: the host */
};

struct key_slots key_slots_of(const struct ruleset *rs, const struct rule *correlation, const char *const *names, size_t n,
	const struct rule *of);
/* Folded values with \x1f between them. SIZE_MAX: a field is missing, so the match takes no part; else the length. */
size_t key_of(const struct key_slots *s, const struct match *m, char key[static KEY_BYTES]);

#endif
