/* repair_write.h - the inside of a repair: what it writes to heal.db, what it reads back, and what it looks at before it changes
 * anything. For repair*.c and undo.c of heal/ only. */
#ifndef EVMEND_HEAL_REPAIR_WRITE_H
#define EVMEND_HEAL_REPAIR_WRITE_H

#include <stdarg.h>

#include "heal/repair.h"
#include "heal/snapshot.h"

#define PROOF_TRIES 4       /* the service may need a moment to take what was set */
#define RETRY_WAIT (5 * US_SECOND) /* a host, a lock, an end of hold is waited for in pieces of this */
#define INTERRUPTIONS_MAX 3 /* a repair that was interrupted more often is a person's: something ends it each time */

/* repair_history.c: what the ledger knows of a repair. */
struct repair_history {
	bool failed;        /* a step failed, or an undo began: nobody but a person goes on */
	bool begun;         /* there is an intent: something may have been done */
	bool created;       /* one of them makes a certificate */
	int interrupted;    /* so often */
	bool has_snapshot;
	char why_not[300];  /* has_snapshot false: what is wrong with it */
	/* the steps of the plan that was permitted last; named: its certificate was there, else one that the repair makes */
	struct { uint8_t id[32], thumbprint[20]; bool named; } planned[PLAN_STEPS];
	size_t n_planned;
};

struct repair {
	struct repair_options o;
	struct heal_repair row;
	struct diagnosis *d;          /* facts as they were read again under the lock */
	struct snapshot *kept;        /* resumed: what stood there before the first act, and the steps since, from the ledger; NULL: *d
		is that */
	struct repair_history history;/* resumed: of the time before */
	struct suspicion suspicion;
	struct host *host;            /* NULL: not connected */
	enum repair_state state;
	enum repair_end how;
	bool resumed;                 /* it was interrupted, by a crash or by a step whose answer never came */
	bool asked;                   /* undoing: a person wants it, and the repair itself had ended well or not */
	bool checked;                 /* undoing: what is to be undone was seen to be ours still */
	int64_t began, settle_until;  /* monotonic */
	int64_t proven_at;            /* wall: the first proof */
	int64_t symptom;              /* monotonic: when an event newer than that came last; 0: none did */
	size_t at;                    /* next step; while undoing: how many are left to undo */
	struct policy_decision decision; /* of the beginning */
	bool did[PLAN_STEPS];
	struct host_step acts[PLAN_STEPS];
	struct host_step_result results[PLAN_STEPS];
	struct proof proof;
	int tries, rounds;
	char text[600], failure[600];
};

/* The repair's own clock, and when a call to the host that begins now has to be answered. */
static inline int64_t repair_mono(const struct repair *r)
{
	return clock_monotonic(r->o.clock);
}

static inline int64_t repair_wall(const struct repair *r)
{
	return clock_wall(r->o.clock);
}

static inline int64_t repair_step_deadline(const struct repair *r)
{
	return repair_mono(r) + r->o.policy->step_limit;
}

/* repair.c; the int64_t is what repair_step answers */
void repair_say(struct repair *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int repair_connect(struct repair *r, struct err *e); /* connects and locks, once */
void repair_drop_host(struct repair *r);
int64_t repair_lost(struct repair *r, const struct err *e); /* heal.db does not take records: nothing more may be done */
int64_t repair_finish(struct repair *r, enum repair_end how, const char *text); /* ends it in ledger, row and cases */
int64_t repair_refuse(struct repair *r, const struct err *e); /* ends it before it has begun */
int64_t repair_start(struct repair *r);    /* repair_start.c: the beginning, also the second one */
int64_t repair_undo_one(struct repair *r); /* repair_undo.c: one step, or the proof after the last */

/* Each is one transaction; -1: nothing of it is on disk. */
int write_begin(struct repair *r, int64_t now, struct err *e);
int write_intent(struct repair *r, int64_t now, struct err *e);
int write_outcome(struct repair *r, int64_t now, const struct err *failure, struct err *e);
int write_undo_intent(struct repair *r, int64_t now, size_t step, struct err *e);
int write_undo_outcome(struct repair *r, int64_t now, size_t step, const struct err *failure, struct err *e);
int write_proof(struct repair *r, int64_t now, enum case_state cases, struct err *e);
int write_end(struct repair *r, int64_t now, enum repair_end how, struct err *e);
/* The record that stands in place of an outcome: what the step did is not known. */
int write_interrupted(struct db *d, int64_t now, const struct heal_repair *row, int64_t step, const char *text, struct err *e);

/* repair_history.c. kept: filled with the state before the first act, and the last step of each kind since; NULL: not wanted.
 * -1: heal.db cannot be read. */
int repair_history(struct db *d, const struct heal_repair *row, struct repair_history *to, struct snapshot *kept, struct err *e);
/* The steps that a proof must know of: one of each kind, the newest. */
void plan_put(struct plan *p, const struct host_step *step);
/* Calls each ledger record of one repair, oldest first; body is parsed. Non-zero ends. */
int repair_each_record(struct db *d, int64_t case_id, const char *token, int (*each)(void *arg, const char *kind,
	const struct json *body), void *arg, struct err *e);

/* repair_check.c; NULL: there is none */
const struct host_record *repair_record(const struct host_state *s, const char *endpoint);
/* repair_check.c: is the host still as we think? ERR_REFUSED: no, and what differs; ERR_IO: the host does not say. */
/* Before an act: what the steps from `at` on will replace is as it was when the facts were read. */
int check_others(struct repair *r, struct err *e);
/* Before an undo: what was done is as the ledger says, and what stood there before can be set again. now: records, certs, sites. */
int check_ours(const struct repair *r, const struct host_state *now, struct err *e);

#endif
