/* repair.h - one repair: re-read, steps, proof, settling; or undo. Used by the healer and by the verb `repair`.
 *
 * A state machine: repair_step does one bounded piece (a host call or a proof) and says when it wants to be called again, so that
 * settling blocks nobody. The ledger has the intent on disk before each act and the outcome after it. Ended at any moment by a
 * crash, it is found by repair_row_unended and finished forward by repair_resume. */
#ifndef EVMEND_HEAL_REPAIR_H
#define EVMEND_HEAL_REPAIR_H

#include "heal/chart.h"
#include "heal/policy.h"
#include "heal/remedy.h"

struct repair_options {
	struct db *db;
	const struct clock *clock;
	const struct remedy *remedy;
	const struct policy_config *policy;
	const char *host_name;  /* configured */
	const char *by;         /* "policy", "uid 0 (root)" */
	const char *who;        /* for the host's lock */
	int64_t case_id;        /* the case that its ledger records name */
	void *arg;
	/* A new connection; the repair owns it. */
	struct host *(*open)(void *arg, int64_t deadline, struct err *e);
	/* Asked after the facts were read again, also after an interruption: may this plan run? resumed: it is what remains of steps that
	 * were permitted a short while ago and begun. Before each act `stop` is asked, and the host whether others are at work there. */
	int (*permit)(void *arg, const struct diagnosis *d, enum tri busy, const char *what, bool resumed, struct policy_decision *to,
		struct err *e);
	bool (*stop)(void *arg);                  /* our senses are in doubt or somebody holds: wait. NULL: never */
	void (*say)(void *arg, const char *line); /* progress for a person; NULL */
};

enum repair_state { REPAIR_BEGINNING, REPAIR_STEPPING, REPAIR_VERIFYING, REPAIR_SETTLING, REPAIR_UNDOING, REPAIR_ENDED };

enum repair_end {
	REPAIR_HEALED,
	REPAIR_REFUSED,      /* nothing was done, nothing was begun */
	REPAIR_ROLLED_BACK,
	REPAIR_NEEDS_PERSON,
	REPAIR_LOST,         /* heal.db could not be written: as after a crash, a later start finishes it */
};

struct repair;

/* plan_id: what was permitted; another plan after the facts were read again is refused. Strings of *o are copied. */
struct repair *repair_begin(const struct repair_options *o, const uint8_t plan_id[32]);
struct repair *repair_resume(const struct repair_options *o, const struct heal_repair *row);
int64_t repair_step(struct repair *r);     /* monotonic time of the next call; 0: it has ended */
enum repair_state repair_state(const struct repair *r);
enum repair_end repair_result(const struct repair *r); /* once ended */
const char *repair_text(const struct repair *r);       /* one sentence about where it stands, or how it ended */
const struct diagnosis *repair_diagnosis(const struct repair *r);
/* REPAIR_REFUSED: what the policy said; its reason is NULL when it was not the policy that refused. */
const struct policy_decision *repair_decision(const struct repair *r);
/* An event of this wall time speaks of new trouble while it settles: settle anew (at most three times); when it is never quiet for
 * that long, a person is called. */
void repair_symptom(struct repair *r, int64_t time);
void repair_free(struct repair *r);        /* NULL allowed; ends the connection */

/* Intents without an outcome become `interrupted`; for the start after a crash. Returns how many, or -1. */
int repair_mark_interrupted(struct db *d, int64_t now, struct err *e);
/* Undo of the last repair of this case, which has ended, asked for by a person: steps with an exact undo, newest first, only while
 * the host is as that repair left it, and only to a state that was seen to work. ERR_REFUSED with the reason otherwise, also for a
 * hold, the hold file, others at work, and o->stop; o->permit is not asked. ERR_NEEDS_PERSON: undone in part, or not proven. */
int repair_undo_case(const struct repair_options *o, int64_t case_id, struct err *e);

#endif
