/* main.c - the verb table: the only file that knows all verbs.
 *
 * Promises that a word on the command line means one verb or an error with the nearest name. Refuses to do anything itself. */
#include <stddef.h>

#include "cli/cli.h"
#include "cli/verbs.h"

static const struct cli_verb *const verbs[] = {
	&verb_scan, &verb_run, &verb_check, &verb_rules,
	&verb_diagnose, &verb_collect, &verb_repair, &verb_probe,
	&verb_cases, &verb_case, &verb_explain, &verb_approve, &verb_close, &verb_hold, &verb_silence, &verb_undo, &verb_ledger, &verb_status,
	&verb_sink, &verb_spool,
	&verb_version, &verb_help,
	&verb_role,
	NULL,
};

int main(int argc, char **argv)
{
	return cli_main(verbs, argc, argv);
}
