/* rule_load.h - one YAML document becomes one compiled rule. Private to rules/. */
#ifndef EVMEND_RULES_RULE_LOAD_H
#define EVMEND_RULES_RULE_LOAD_H

#include "rules/compiled.h"

/* NULL: refused, and reported through l. */
struct compiled *rule_compile(struct loader *l, const struct logsources *sources, const struct yaml_node *doc);

/* Drops the second rule with an id, or with a name where that is all it has. */
void rules_drop_doubles(struct loader *l, struct ruleset *rs);
/* Resolves references over all rules: drops what refers to nothing, refuses circles, marks the silent. */
void rules_resolve(struct loader *l, struct ruleset *rs);
/* Which fields of an event a rule's finding and its correlations will ask for. After the indexes are final. */
void rules_want(struct loader *l, struct ruleset *rs);

#endif
