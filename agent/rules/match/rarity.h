/* rarity.h - how often a text stands in events, as far as a small table can know it. Private to rules/. */
#ifndef EVMEND_RULES_RARITY_H
#define EVMEND_RULES_RARITY_H

#include <stddef.h>

/* Of the events that a rule is asked about, the share that has these four folded bytes in one of its fields; 0 to 1. */
double rarity_gram(const char gram[static 4]);
/* The same for a text of any length: that of its rarest four bytes. Shorter texts: a guess by their length. */
double rarity_text(const char *text, size_t n);

#endif
