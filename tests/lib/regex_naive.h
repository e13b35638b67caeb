/* regex_naive.h - a regular expression matched the simple way, by trying everything: the opinion that the engine is compared with.
 * It has its own parser and shares nothing with agent/rules/regex*. ASCII alone; of "(?" it knows "(?:" only. */
#ifndef EVMEND_TESTS_LIB_REGEX_NAIVE_H
#define EVMEND_TESTS_LIB_REGEX_NAIVE_H

#include <stddef.h>

#include "base/arena.h"

/* flags: letters of "ims". 1: found, 0: not, -1: it does not know (beyond ASCII, a form it has not, too many steps).
 * text must be an expression that the engine takes. */
int regex_naive(struct arena *a, const char *text, size_t n, const char *flags, const char *value, size_t value_n);

#endif
