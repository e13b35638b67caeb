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
};

/* Every open case of the host that asks for a diagnosis takes the entry. Inside the caller's transaction, or in one of its own. */
int chart_cases(struct db *d, int64_t now, const char *host, const struct chart_entry *entry, struct err *e);
/* What the open cases of this host have seen, for the notes and for comparison; *case_id: the oldest that asks, 0: none does. */
int chart_suspicion(struct db *d, const char *host, struct suspicion *to, int64_t *case_id, struct err *e);
/* A case of our own, opened by a diagnosis. Returns its id in *id. */
int chart_own_case(struct db *d, int64_t now, const char *host, const char *cause, const struct chart_entry *entry, int64_t *id,
	struct err *e);
int chart_diagnosis(struct db *d, int64_t now, const char *host, int64_t case_id, const struct diagnosis *diagnosis, struct err *e);

/* Rest of the policy's question, from heal.db: repairs lately, whether the last one failed, hold, hold file, approval. tilt,
 * busy and
 * asked_by_person are the caller's. Texts live in *texts. */
struct chart_texts {
	char hosts[32][256];
	char hold[200], actor[128];
};

/* Does somebody hold everything by a file? One that cannot be looked at counts as there. NULL: no. */
bool chart_hold_file(const char *path);
int chart_policy_input(struct db *d, int64_t now, const char *host, const struct diagnosis *diagnosis, struct policy_input *in,
	struct chart_texts *texts, struct err *e);

#endif
