/* finding.h - rule R was true for host H at time T. A value: it serialises to the NDJSON that programs rely on (README,
 * "Output"). */
#ifndef EVMEND_CASES_FINDING_H
#define EVMEND_CASES_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "rules/rule.h"

#define FINDING_EVIDENCE 16 /* event digests a finding carries; the rest is in its count */

struct evidence {
	uint8_t event_uid[32];
	const char *channel, *provider, *source;
	uint32_t event_id;
	uint64_t record_id;
	int64_t time;
};

struct finding {
	uint8_t uid[32]; /* SHA-256 of (rule id, event uid), or of (rule id, group key, first time) for a correlation */
	const struct rule *rule;
	int64_t time, first, last;
	const char *host;        /* as the event spells it, or the configured name when it is configured */
	const char *reported_by; /* System/Computer of the last event */
	const char *hint;        /* filled in; NULL: none */
	bool replay;             /* older than replay_after when it was seen: never starts a diagnosis */
	uint64_t count;          /* events it stands for */
	struct evidence evidence[FINDING_EVIDENCE];
	size_t n_evidence;
	/* compared with the host's own facts, never used as an argument */
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;           /* 0: none */
};

/* The uid of a detection rule's finding for the event with that uid. */
void finding_uid(const struct rule *r, const uint8_t event[static 32], uint8_t to[static 32]);
void finding_json(const struct finding *f, struct buf *to); /* one line with its newline */

#endif
