/* grams.h - parts of a value: texts of four bytes and more, found by four of their bytes. Private to rules/. */
#ifndef EVMEND_RULES_GRAMS_H
#define EVMEND_RULES_GRAMS_H

#include "rules/match/needles.h"

#define GRAM_LEAST 4 /* shorter texts have no gram */

struct grams;
/* Of list those that index names, n of them, none shorter than GRAM_LEAST. Lives in a; list must live as long. */
struct grams *grams_new(struct arena *a, const struct needle *list, const uint32_t *index, size_t n, bool high);
/* As needles_find. */
bool grams_find(const struct grams *g, const char *s, size_t n, bool (*found)(void *arg, uint32_t index), void *arg);

#endif
