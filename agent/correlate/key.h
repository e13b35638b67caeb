/* key.h - what groups matches: the values of a correlation's group-by fields. Private to correlate/. */
#ifndef EVMEND_CORRELATE_KEY_H
#define EVMEND_CORRELATE_KEY_H

#include "correlate/match.h"

#define KEY_BYTES 6144 /* 8 values of MATCH_VALUE_BYTES, folded (up to 3 bytes for 2), and separators */

/* Folded values with \x1f between them. false: a field is missing, so the match takes no part. */
bool group_key(const struct ruleset *rs, const struct rule *r, const struct correlation *corr, const struct match *m,
	char key[static KEY_BYTES]);

#endif
