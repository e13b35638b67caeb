/* verbs.h - every verb of the program, each in its own file. main.c is the only reader. */
#ifndef EVMEND_CLI_VERBS_H
#define EVMEND_CLI_VERBS_H

#include "cli/cli.h"

extern const struct cli_verb verb_scan, verb_rules;                            /* scan.c, rules_verbs.c */
extern const struct cli_verb verb_probe, verb_collect;                         /* probe.c collect.c */
extern const struct cli_verb verb_diagnose, verb_repair, verb_ledger, verb_undo; /* diagnose.c repair.c ledger_verb.c undo.c */
extern const struct cli_verb verb_run, verb_check, verb_status, verb_role;     /* run.c check.c status.c */
extern const struct cli_verb verb_cases, verb_case, verb_approve, verb_close, verb_hold, verb_explain; /* cases.c approve.c explain.c */
extern const struct cli_verb verb_silence, verb_sink, verb_spool;                        /* silence.c sink_verb.c spool_verb.c */

#endif
