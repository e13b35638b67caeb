/* emit_repair.h - the part of `evmend repair` that writes a script instead of acting. */
#ifndef EVMEND_CLI_EMIT_REPAIR_H
#define EVMEND_CLI_EMIT_REPAIR_H

#include "cli/cli.h"
#include "cli/rules_home.h"

#define CLI_OPTIONS_EMIT                                                                                                      \
	{"--from", 0, CLI_VALUE, "FOLDER", "with --emit: the plan of this folder of facts"},                                       \
		{"--emit", 0, CLI_VALUE, "FORM", "powershell: write the plan as a script instead of running it"},                      \
		{"--output", 'o', CLI_VALUE, "FILE", "with --emit: a new file for the script, instead of standard output"},            \
		{"--host", 0, CLI_VALUE, "FQDN", "with --from: the server's name, where the folder does not tell it"}, CLI_OPTION_RULES, \
		CLI_OPTION_TABLES

bool emit_repair_asked(const struct cli *c); /* one of these options is given */
int emit_repair(struct cli *c, int argc);    /* argc: words that are no options. Returns the exit code */

#endif
