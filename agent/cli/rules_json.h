/* rules_json.h - a rule in the JSON of every verb: the same members under the same names. */
#ifndef EVMEND_CLI_RULES_JSON_H
#define EVMEND_CLI_RULES_JSON_H

#include "base/json.h"
#include "rules/ruleset.h"

/* {"id", "name", "title", "level", "file", "line"}; what the rule does not say is null. */
void rule_put(struct json_out *o, const char *key, const struct rule *r);
/* The same of the rule that a problem is in, without level; null when the file could not be read so far. */
void rule_put_of(struct json_out *o, const char *key, const struct rule_problem *p);
/* NULL for an empty text: absent is null and never "". */
const char *rule_said(const char *s);

#endif
