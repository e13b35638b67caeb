/* case.h - findings of one host and one cause are one case, however many they are. */
#ifndef EVMEND_CASES_CASE_H
#define EVMEND_CASES_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cases/finding.h"

enum case_state {
	CASE_OPEN, CASE_DIAGNOSING, CASE_ADVISED, CASE_WAITING_APPROVAL, CASE_REPAIRING, CASE_SETTLING,
	CASE_HEALED, CASE_REFUTED, CASE_ESCALATED, CASE_HELD, CASE_CLOSED,
};

const char *case_state_text(enum case_state s); /* "waiting-approval" ... */
bool case_state_parse(const char *s, enum case_state *state);

/* The causes of architecture section 8, in this order everywhere (messages carry the index). */
extern const char *const case_causes[];
int case_cause_index(const char *cause); /* -1: unknown */

#define CASE_BEFORE 32    /* remembered findings a case lists */
#define CASE_FINDINGS 256 /* finding uids a case lists; the rest is counted */

struct case_before { /* one remembered finding: what happened before */
	int64_t time;
	const char *title, *rule, *what; /* what: the filled-in hint, or the title */
	uint8_t uid[32];
};

struct case_ {
	uint32_t id;       /* 1, 2, 3 ... in one state folder or one scan */
	uint8_t uid[32];   /* SHA-256 of (host, cause, first) */
	const char *host, *cause;
	const char *source; /* the stream that the event which opened it was read from; "": not known */
	const char *const *reported_by;
	size_t n_reported_by;
	bool asks_diagnosis;
	enum case_state state;
	enum rule_level confidence; /* highest level of its findings */
	uint64_t count;             /* events */
	int64_t first, last;
	const uint8_t (*findings)[32];
	size_t n_findings;
	const struct case_before *before;
	size_t n_before;
	const char *hint;
	unsigned seen;              /* set of enum rule_seen */
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;
	uint32_t reopens;           /* id of the closed case it follows; 0: none */
};

void case_json(const struct case_ *c, struct buf *to);

#endif
