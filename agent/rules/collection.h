/* collection.h - the older way to write several rules in one file: documents with `action: global`, `repeat` or `reset`. Private. */
#ifndef EVMEND_RULES_COLLECTION_H
#define EVMEND_RULES_COLLECTION_H

#include "rules/loader.h"

struct collection { /* of one file; starts with zeros */
	const struct yaml_node *global;   /* merged into the documents behind it */
	const struct yaml_node *previous; /* the last rule, for repeat */
	size_t made;                      /* rules that were merged */
};

/* The rule that a document stands for: itself, or merged with what came before; nodes live as long as l->file. NULL: it makes no
 * rule; then *bad says whether that is a fault, which was told. */
const struct yaml_node *collection_take(struct collection *c, struct loader *l, const struct yaml_node *doc, bool *bad);

#endif
