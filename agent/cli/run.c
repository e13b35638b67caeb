/* run.c - `evmend run`: the agent; and the hidden `evmend role NAME`, as which it starts its other processes.
 *
 * Promises: nothing is started before the configuration is read whole. Refuses to be a role by hand: a role wants a channel to main. */
#include <string.h>

#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "proc/roles.h"

static const struct cli_option options[] = { CLI_OPTION_CONFIG, CLI_OPTION_END };

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct config *config;
	int code;

	(void)argc;
	(void)argv;
	config = agent_config(c, &e);
	if (!config)
		return cli_fail(c, &e);
	code = role_main(config, &e);
	return e.code ? cli_fail(c, &e) : code;
}

static int role(struct cli *c, int argc, char **argv)
{
	if (argc >= 1 && !strcmp(argv[0], "watch"))
		return role_watch();
	if (argc >= 1 && !strcmp(argv[0], "heal"))
		return role_heal();
	if (argc >= 1 && !strcmp(argv[0], "ship"))
		return role_ship();
	return cli_usage(c, "roles are watch, heal and ship, and `evmend run` starts them");
}

const struct cli_verb verb_run = {
	.name = "run", .summary = "the agent: watch, diagnose, repair where the policy permits, tell the SIEM", .usage = "[-c FILE]",
	.help = "Runs in the foreground until SIGTERM, which drains: what was found is stored, a step under way is finished.\n"
		"SIGHUP loads rules and configuration again and opens the receivers' files anew; when something is wrong with the new\n"
		"ones, the old ones go on and the log says so. Rules that have changed are taken without a signal, some seconds after the last\n"
		"change. A role that dies is started again.\n",
	.example = "evmend check -c /etc/evmend/config.yaml\nevmend run -c /etc/evmend/config.yaml",
	.options = options, .max_args = 0, .run = run,
};
const struct cli_verb verb_role = {
	.name = "role", .summary = "a process of the agent", .usage = "NAME -c FILE",
	.flags = CLI_HIDDEN | CLI_RAW, .min_args = 1, .max_args = -1, .run = role,
};
