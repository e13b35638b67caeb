/* held_back.h - what an engine counted and did not tell, for the end of a scan. */
#ifndef EVMEND_CLI_HELD_BACK_H
#define EVMEND_CLI_HELD_BACK_H

#include "base/json.h"
#include "cases/engine.h"
#include "cli/cli.h"

/* One line for each rule on trial that matched, the busiest first, twenty at most. */
void held_back_print(const struct cli *c, const struct engine *g, const struct ruleset *rs);
/* Members "shadow" (how many) and "shadow_rules" (all of them) of an open object. */
void held_back_json(struct json_out *o, const struct engine *g, const struct ruleset *rs);

#endif
