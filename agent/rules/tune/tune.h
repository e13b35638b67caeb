/* tune.h - proposes a Sigma filter from what a person has marked: values that all false findings have and no true one has.
 *
 * Only what was seen is used: whole values, and a beginning or an end only where it is common to every false one and told apart from
 * every true one. Whoever prints the filter proves it with the engine first (cli/rules_tune.c). */
#ifndef EVMEND_RULES_TUNE_H
#define EVMEND_RULES_TUNE_H

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "rules/ruleset.h"

struct tune;

struct tune *tune_new(const struct ruleset *rs, const struct rule *r); /* borrowed; a detection rule */
void tune_free(struct tune *t);
/* An event that the rule matches; what is needed is copied. -1: more than LIMIT_TUNE. */
int tune_event(struct tune *t, const struct event *ev, bool is_false, struct err *e);
/* The filter document as YAML. ERR_RULES: there is none, and why. */
int tune_propose(struct tune *t, struct buf *to, struct err *e);

#endif
