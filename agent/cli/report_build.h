/* report_build.h - what a report says about a diagnosis or a case. Both read what is stored in the ledger or printed by --json, so that
 * a page of today and one of last month come from the same words. */
#ifndef EVMEND_CLI_REPORT_BUILD_H
#define EVMEND_CLI_REPORT_BUILD_H

#include "base/json.h"
#include "cli/report.h"
#include "heal/case_store.h"
#include "proc/config.h"

/* The title of a report about this diagnosis (an object of diagnosis_json). */
void report_diagnosis_title(struct report *r, const struct json *d);
/* Verdict, facts that led to it, plan, what would disprove it, advice, notes. next: what happens now; "" when nothing does. */
enum report_part {
	REPORT_ALONE,   /* the report is about this diagnosis */
	REPORT_OF_CASE, /* it stands behind a case that has told the verdict */
	REPORT_BEHIND,  /* the short form has only what happens next */
};
void report_diagnosis(struct report *r, const struct json *d, const char *next, enum report_part part);

/* A case: verdict first, then facts, evidence, plan, what would disprove it, what happens next. chain: the whole course as well. */
int report_case(struct report *r, const struct config *config, struct db *d, const struct heal_case *k, bool chain, struct err *e);
/* Made and shown. */
int report_show_case(struct cli *c, const struct config *config, struct db *d, const struct heal_case *k, bool chain, struct err *e);

#endif
