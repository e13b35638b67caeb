/* explain_inside.h - the parts of rule_explain. Private to rules/. */
#ifndef EVMEND_RULES_EXPLAIN_INSIDE_H
#define EVMEND_RULES_EXPLAIN_INSIDE_H

#include "rules/explain/explain.h"
#include "rules/match/program.h"

/* Fills field, wants, has and why of one line of a detection; `holds` is set. */
void explain_item(const struct item *it, struct run *r, size_t variant, struct arena *a, struct explained *to);
/* 'text' in quotes, fit for a line: cut around [at, at + n) when it is long. */
const char *explain_quote(struct arena *a, const char *s, size_t len, size_t at, size_t n);

/* Only what is asked for: field and wants. */
void outline_item(const struct item *it, struct arena *a, struct explained *to);

#endif
