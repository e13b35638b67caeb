/* severity.h - how bad a record is, in the words and numbers of each receiver: one row for each level. */
#ifndef EVMEND_SHIP_SEVERITY_H
#define EVMEND_SHIP_SEVERITY_H

#include "ship/view.h"

struct severity {
	const char *word; /* of findings: Sigma's level; of events: the level that Windows gave, as Winlogbeat writes it */
	int syslog;       /* RFC 5424 section 6.2.1 */
	int cef;          /* 0 to 10; 9 and 10 are "very high" */
	int leef;         /* 1 to 10 */
	int otlp;         /* SeverityNumber of the OpenTelemetry log data model */
	int ocsf;         /* severity_id */
};

/* Of a finding by its level, of a case by its confidence, of an event by its Level and the two audit bits of its Keywords, of a repair by how it
 * ended. What has no level is informational. */
const struct severity *severity_of(const struct record_view *v);

#define AUDIT_FAILURE UINT64_C(0x10000000000000) /* winmeta.xml: bits of Keywords */
#define AUDIT_SUCCESS UINT64_C(0x20000000000000)
uint64_t event_keywords(const struct record_view *v); /* 0: none */

#endif
