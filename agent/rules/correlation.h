/* correlation.h - what the files that read correlation documents share. Private to rules/. */
#ifndef EVMEND_RULES_CORRELATION_H
#define EVMEND_RULES_CORRELATION_H

#include "rules/compiled.h"

#define CORR_LONGEST (INT64_C(315576000) * 1000000) /* us: ten years */
#define CORR_COUNT 100000 /* a window keeps as many matches as its threshold counts */

/* The names of an extended condition ("a and not (b or c)") in the order of their first appearance; false: refused. */
bool expression_names(struct loader *l, const struct yaml_node *at, const char *const **to, size_t *n);
/* `condition:` of any type, after type, rules and fields are known. */
bool correlation_condition(struct loader *l, struct compiled *c, const struct yaml_node *corr);
/* Does this alias speak of reference number ref? By its text, or by the id or name of its rule. */
bool correlation_alias_means(const struct compiled *c, const struct alias *a, size_t ref);

#endif
