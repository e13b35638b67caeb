/* literal.h - a Sigma string as bytes: what it needs of a value, compared without decoding. Private to rules/. */
#ifndef EVMEND_RULES_LITERAL_H
#define EVMEND_RULES_LITERAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "rules/match/value_index.h"
#include "rules/pattern.h"

/* A value of an event, as it came and folded (fold.h). */
struct folded {
	const char *raw, *text;
	uint32_t raw_n, n;
	uint32_t trimmed; /* length of text without the blanks at its end */
	bool high;        /* has bytes above 127 */
	uint32_t searches; /* so far, counted for long values */
	const struct value_index *index; /* of text; NULL: none (yet) */
};

enum shape { SHAPE_EQUAL, SHAPE_PREFIX, SHAPE_SUFFIX, SHAPE_PART, SHAPE_GLOB };

struct glob;

struct literal {
	const char *text; /* folded unless cased. SHAPE_GLOB: the longest run of plain characters, "" for none */
	uint32_t n;
	uint8_t shape;
	bool cased;
	const struct pattern *pattern; /* SHAPE_GLOB: these two decide */
	const struct glob *glob;
};

/* p and a must live as long as the literal. */
struct literal literal_make(const struct pattern *p, struct arena *a);
bool literal_holds(const struct literal *l, const struct folded *v);
/* Where part begins in s, or SIZE_MAX. Linear for the parts that rules have (up to some hundred bytes). */
size_t bytes_find(const char *s, size_t n, const char *part, size_t k);
/* Is a part, folded, in the value's text? */
bool folded_has(const struct folded *v, const char *part, size_t k);
/* to: n + n / 2 + FOLDED_MORE bytes, of which searches may read all. */
#define FOLDED_MORE 8
struct folded folded_of(const char *raw, size_t n, char *to);

#endif
