/* told.h - a finding as the engine keeps it: compact, for a scan may keep a hundred thousand. Private to cases/. */
#ifndef EVMEND_CASES_TOLD_H
#define EVMEND_CASES_TOLD_H

#include "cases/finding.h"
#include "correlate/correlate.h"

struct told {
	uint8_t uid[32];
	const struct rule *rule;
	struct match *match;    /* the event's; for a correlation what stands for its group */
	struct match **entries; /* a correlation's events, at most FINDING_EVIDENCE; NULL for a detection */
	size_t n_entries;
	uint64_t count;
	int64_t time, first, last;
};

struct told *told_of_match(struct match *m);
struct told *told_of_group(const struct fired *f);
void told_free(struct told *t); /* NULL allowed */
size_t told_bytes(const struct told *t); /* with its matches, as if nobody else had them */
void told_renew(struct told *t, struct strings *pool); /* strings_renew */
/* Makes the value that sinks get. hint is filled into `to` and lives there; NULL rule hint: NULL. */
void told_finding(const struct told *t, struct finding *f, struct buf *to);
void told_save(const struct told *t, struct json_out *o, const char *key);
struct told *told_load(struct strings *pool, const struct ruleset *rs, const struct json *j); /* NULL: unusable */

#endif
