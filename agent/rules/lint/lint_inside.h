/* lint_inside.h - the parts of the linter. Private to rules/.
 *
 * It works on the document as it was written, so that each remark stands at the line and column of what it is about. */
#ifndef EVMEND_RULES_LINT_INSIDE_H
#define EVMEND_RULES_LINT_INSIDE_H

#include "rules/compiled.h"

/* One document, after it was compiled: what is not wrong, but is likely to be regretted. */
void lint_document(struct loader *l, const struct logsources *sources, const struct yaml_node *doc);
/* What only the whole set shows. */
void lint_set(struct loader *l, const struct ruleset *rs);

/* -- for the parts -- */
/* Calls each `field|modifiers: value` of a definition, at any depth; keywords have no key and are left out. */
typedef void lint_item_fn(struct loader *l, void *arg, const struct yaml_node *key, const struct yaml_node *value);
void lint_items(struct loader *l, const struct yaml_node *definition, lint_item_fn *each, void *arg);
bool lint_is_selection(const char *key);                         /* of `detection` */
bool lint_has_modifier(const struct yaml_node *key, const char *modifier);
bool lint_same_field(const struct yaml_node *key, const char *field); /* case does not count */
size_t lint_n_values(const struct yaml_node *value);
const struct yaml_node *lint_value(const struct yaml_node *value, size_t i);
/* The text means itself: a scalar without wildcards and escapes. */
bool lint_literal(const struct yaml_node *v);

void lint_values(struct loader *l, const struct yaml_node *key, const struct yaml_node *value);
void lint_condition(struct loader *l, const struct log_set *category, const struct yaml_node *detection);
void lint_fields(struct loader *l, const struct yaml_node *logsource, const struct yaml_node *detection);

#endif
