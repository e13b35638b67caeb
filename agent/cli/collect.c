/* collect.c - `evmend collect`: prints the script that gathers a server's facts, and finds every other script that is compiled in.
 *
 * Exists so that one program is all that must be at hand: the script comes out of it. Promises the very text of
 * scripts/collect.ps1. Refuses every form but PowerShell: nothing else runs on a server where nothing may be installed. */
#include <stdio.h>
#include <string.h>

#include "cli/scripts.h"
#include "cli/verbs.h"

const char *script_text(const char *name)
{
	for (const struct script *s = scripts; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s->text;
	die("the script %s was not built in", name);
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *form = cli_value(c, "--emit", NULL);
	struct err e;

	(void)argc;
	(void)argv;
	if (form == NULL)
		return cli_usage(c, "which script? --emit powershell");
	if (strcmp(form, "powershell") != 0)
		return cli_usage(c, "--emit takes powershell, and nothing else");
	if (fputs(script_text("collect.ps1"), stdout) < 0 || fflush(stdout) != 0) {
		(void)err_set(&e, ERR_IO, "the script could not be written: is the disk full?");
		return cli_fail(c, &e);
	}
	return 0;
}

static const struct cli_option options[] = {
	{"--emit", 0, CLI_VALUE, "FORM", "powershell: print the script"},
	CLI_OPTION_END,
};

const struct cli_verb verb_collect = {
	.name = "collect", .summary = "print the script that gathers a server's facts", .usage = "--emit powershell",
	.help = "Prints a PowerShell script that a person reads and runs on the Exchange server, as administrator. It only reads, and\n"
		"writes one folder, which 'evmend diagnose --from FOLDER' takes. It was not run on Windows by its authors.\n",
	.example = "evmend collect --emit powershell >collect.ps1",
	.options = options, .min_args = 0, .max_args = 0, .run = run,
};
