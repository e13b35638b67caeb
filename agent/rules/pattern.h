/* pattern.h - a Sigma string: literal characters, * and ?, and the dashes of `windash`, matched against a whole value.
 *
 * Escapes: a backslash escapes *, ? and itself; before anything else it stands for itself (Sigma specification, "String
 * Wildcard"). * and ? match line breaks too. ? is one character, not one byte. */
#ifndef EVMEND_RULES_PATTERN_H
#define EVMEND_RULES_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define PATTERN_ANY 0x80000000u  /* any run of characters */
#define PATTERN_ONE 0x80000001u  /* one character */
#define PATTERN_DASH 0x80000002u /* - / U+2013 U+2014 U+2015 */

struct pattern {
	const uint32_t *tokens; /* folded characters unless cased, and the marks above */
	size_t n;
	bool cased;
	bool keep_blanks; /* the pattern ends with a blank: blanks at the value's end count */
};

enum pattern_flag {
	PATTERN_CASED = 1,
	PATTERN_FREE_START = 2, /* contains, endswith */
	PATTERN_FREE_END = 4,   /* contains, startswith */
	PATTERN_WINDASH = 8,
	PATTERN_VERBATIM = 16,  /* no escapes, no wildcards: a number's text */
};

void pattern_make(struct pattern *p, struct arena *a, const char *s, size_t n, unsigned flags);
bool pattern_match(const struct pattern *p, const char *value, size_t n);
bool pattern_has_wildcard(const char *s, size_t n); /* an unescaped * or ? */

#endif
