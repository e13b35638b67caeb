/* rule_keeper.h - the agent's set of rules over its life: when it is loaded anew, and whether the new one may take over.
 *
 * At the start whatever can be read works: one bad rule never stops the others. Later a set is refused, and the one that runs goes on, when
 * - nothing of it can be read, or it has no rule while the running one has,
 * - a file that was there without error has one now,
 * - a rule that runs is gone, and its file has an error.
 * A file with errors that was not there, or had errors before, is told and left out; the rest of the set is taken. */
#ifndef EVMEND_PROC_RULE_KEEPER_H
#define EVMEND_PROC_RULE_KEEPER_H

#include "base/json.h"
#include "proc/link.h"
#include "rules/ruleset.h"

struct keeper;

struct keeper *keeper_new(struct link *link, const struct os_file_ops *files); /* both are borrowed */
void keeper_free(struct keeper *k); /* NULL allowed */
/* The first set. NULL and *e when nothing can be read. */
struct ruleset *keeper_start(struct keeper *k, const struct config *c, struct err *e);
/* Have the files that c names changed, and rest? Looks at most once a second. */
bool keeper_due(struct keeper *k, const struct config *c);
/* Compiles the set that c names beside the running one, which came from `before`. NULL and *e ("FILE:LINE:COLUMN: why"): refused. */
struct ruleset *keeper_next(struct keeper *k, const struct config *c, const struct ruleset *running, const struct config *before,
	struct err *e);
/* For `status`, an object: loaded (time), digest, rules, problems, dropped (open correlations that the change of rules ended), and
 * refused {time, why} until a set is taken again. */
void keeper_json(const struct keeper *k, size_t dropped, struct json_out *o);

#endif
