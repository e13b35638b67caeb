/* placeholders.h - what `%name%` stands for in values with the modifier `expand`: lists that belong to the place where the rules run,
 * in placeholders.yml of the tables or at the top of a folder of rules. Private to rules/. */
#ifndef EVMEND_RULES_PLACEHOLDERS_H
#define EVMEND_RULES_PLACEHOLDERS_H

#include <stddef.h>

#include "rules/loader.h"

struct placeholder {
	const char *name;
	const char *const *values; /* Sigma strings: wildcards and escapes count */
	size_t n;
};

struct placeholders {
	struct placeholder *list;
	size_t n, cap;
};

/* Adds one file, `name: [value, ...]`; a name that is there already gets the new list. What is wrong is reported and left out. */
void placeholders_add(struct placeholders *p, struct loader *l);

struct raw_text {
	const char *text;
	size_t n;
};

/* The value with every placeholder replaced: one text for each combination of the lists' values. \% is a percent sign.
 * NULL and a problem when a name is not defined or there are more than LIMIT_EXPANSION texts. */
const struct raw_text *placeholders_expand(struct loader *l, const struct yaml_node *value, size_t *count);

#endif
