/* glob.h - patterns with * and ? inside, and with the dashes of windash, against values as bytes. Private to rules/. */
#ifndef EVMEND_RULES_GLOB_H
#define EVMEND_RULES_GLOB_H

#include "base/arena.h"
#include "rules/pattern.h"

struct glob;
/* NULL: the pattern has bytes that are no UTF-8; no ASCII value matches it. */
const struct glob *glob_new(const struct pattern *p, struct arena *a);
/* s: ASCII, folded unless the pattern is cased; without the blanks at its end unless the pattern keeps them. Each star is tried once,
 * so that the work is at most the value's length times that of the longest part between stars. */
bool glob_holds(const struct glob *g, const char *s, size_t n);
/* The same for any value, of patterns that are wide. */
bool glob_is_wide(const struct glob *g);
bool glob_holds_wide(const struct glob *g, const char *s, size_t n);

#endif
