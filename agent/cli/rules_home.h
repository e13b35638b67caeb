/* rules_home.h - loading the rules that a command line names, for every verb that needs some. */
#ifndef EVMEND_CLI_RULES_HOME_H
#define EVMEND_CLI_RULES_HOME_H

#include "base/arena.h"
#include "cli/cli.h"
#include "rules/ruleset.h"

#define CLI_OPTION_RULES {"--rules", 'r', CLI_VALUE, "DIR", "rules instead of the ones that came with the program; may be repeated"}
#define CLI_OPTION_TABLES {"--tables", 't', CLI_VALUE, "DIR", "folder with logsources.yml and fields/"}

/* Fills o from --rules and --tables, else from the rules beside the program. -1 and *e: there are none. */
int rules_home(struct cli *c, struct arena *a, struct ruleset_options *o, struct err *e);
/* Loads them; problems are told on stderr (warnings only when asked for). NULL and *e: nothing can be loaded, or no rule is left. */
struct ruleset *rules_home_load(struct cli *c, struct arena *a, struct err *e);

#endif
