/* chart.h - what is written down about a host as a whole: its cases move together, since one diagnosis answers them all. */
#ifndef EVMEND_HEAL_CHART_H
#define EVMEND_HEAL_CHART_H

#include "heal/case_store.h"
#include "heal/diagnose.h"
#include "heal/policy.h"

struct chart_entry {
	enum case_state state;
	const char *text, *advice;   /* NULL: from the diagnosis, or left */
	const struct diagnosis *d;   /* NULL: verdict and plan stay */
	int64_t approval_until, not_before;
	bool plan_done;              /* there is none any more that could be approved */
	bool keep_call;              /* a failed repair's call for a person stays, with its text; what is new becomes advice */
};

/* Every open case of the host that asks for a diagnosis takes the entry. Inside the caller's transaction, or in one of its own. */
int chart_cases(struct db *d, int64_t now, const char *host, const struct chart_entry *entry, struct err *e);
/* What the open cases of this host have seen, for the notes and for comparison; *case_id: the oldest that asks, 0: none does;
 * NULL allowed. */
int chart_suspicion(struct db *d, const char *host, struct suspicion *to, int64_t *case_id, struct err *e);
/* The case of what a diagnosis found: the open one of this host and cause, which asks from now on; else a new one of our own.
 * Returns its id in *id. */
int chart_own_case(struct db *d, int64_t now, const char *host, const char *cause, const struct chart_entry *entry, int64_t *id,
	struct err *e);
/* The newest diagnosis of this host with this plan, as the ledger has it: 1 and *to (json_free), 0: there is none, -1. */
int chart_plan(struct db *d, const char *host, const uint8_t plan_id[32], struct json **to, struct err *e);
int chart_diagnosis(struct db *d, int64_t now, const char *host, int64_t case_id, const struct diagnosis *diagnosis, struct err *e);

/* What is told of a refusal, once: the same reason for the same plan is silent until the host was well or repaired, or until the
 * "not before" that was told has passed. Ledger record `refusal` (in one transaction with what was told). plan_id: 32 bytes.
 * `what` is the verdict's name. Returns 1: it was told now; 0: it was told before; -1. */
int chart_refusal(struct db *d, int64_t now, const char *host, int64_t case_id, const char *what, const uint8_t *plan_id,
	const struct policy_decision *decision, struct err *e);
int chart_refusals_end(struct db *d, const char *host, struct err *e); /* the host is well, or is being repaired */

/* Rest of the policy's question, from heal.db: what was repaired lately, whether the last repair failed, how many hosts suffer
 * alike, hold, hold file, approval. tilt, busy, group_hosts, resumed and asked_by_person are the caller's. Texts live in *texts. */
struct chart_texts {
	char hold[200];
};

/* Does somebody hold everything by a file? One that cannot be looked at counts as there. NULL: no. */
bool chart_hold_file(const char *path);
int chart_failed(struct db *d, const char *host, struct err *e); /* 1: the last repair of this host did not hold; 0; -1 */
int chart_policy_input(struct db *d, int64_t now, const char *host, const struct diagnosis *diagnosis, struct policy_input *in,
	struct chart_texts *texts, struct err *e);
/* A diagnosis begins, keeps or ends an episode: since when a host has trouble of one cause. chart_diagnosis calls it. */
int chart_episode(struct db *d, int64_t now, const char *host, const struct verdict *v, struct err *e);

#endif
