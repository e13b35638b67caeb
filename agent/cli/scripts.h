/* scripts.h - the PowerShell files of scripts/, compiled in: one program is all that must be copied, and the parts always fit. */
#ifndef EVMEND_CLI_SCRIPTS_H
#define EVMEND_CLI_SCRIPTS_H

struct script {
	const char *name; /* "collect.ps1", "look.ps1" */
	const char *text; /* ASCII, lines end with '\n' */
};

extern const struct script scripts[]; /* ends with a NULL name; made by scripts/embed.sh */
const char *script_text(const char *name); /* a name that is not there is a broken build, and ends the program */

#endif
