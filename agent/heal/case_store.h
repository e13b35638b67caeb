/* case_store.h - heal.db: cases as heal knows them, the ledger, approvals, holds, repairs, and how far the ledger was sent.
 *
 * Whoever has heal.db may use this: the agent's heal role, and verbs when no agent runs. Every change of a case's state is one
 * transaction with its ledger record. Ids of cases that watch opened are watch's; cases that a diagnosis opened by itself count
 * from CASE_OWN_ID, so that the two never meet. */
#ifndef EVMEND_HEAL_CASE_STORE_H
#define EVMEND_HEAL_CASE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "cases/case.h"
#include "limits.h"
#include "store/db.h"

#define CASE_OWN_ID 1000001

extern const struct db_schema heal_schema; /* for db_open; full_sync */

struct heal_case {
	int64_t id;
	uint8_t uid[32];
	char host[256];            /* configured name */
	char reported_by[256];     /* configured name, or "" */
	int cause;                 /* index in case_causes */
	enum case_state state;
	bool asks, replay;         /* its rules ask for a diagnosis; all of it is older than replay_after */
	int64_t opened, updated;   /* by our clock */
	int64_t first, last;       /* event time */
	int64_t count;
	int confidence;            /* enum rule_level */
	unsigned seen;             /* set of enum rule_seen */
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;
	int64_t reopens;           /* id of the closed case it follows; 0: none */
	char verdict[40];          /* of the last diagnosis; "" */
	char text[400];            /* what that means, for a person */
	char advice[1200];         /* what to do, with the exact commands; what stands in the way */
	bool has_plan;
	uint8_t plan_id[32];
	int64_t approval_until;    /* waiting-approval: the question's end; 0 */
	int64_t not_before;        /* refused until then; 0 */
	bool has_labels;           /* events opened it, and their source is known */
	char labels[LIMIT_LABELS + 1]; /* of that source: an object of texts as JSON, "" when it has none */
};

/* 1: found, 0: there is none, -1. */
int case_store_get(struct db *d, int64_t id, struct heal_case *to, struct err *e);
int case_store_by_uid(struct db *d, const uint8_t uid[32], struct heal_case *to, struct err *e);
/* The open case of this host and cause (the oldest); cause -1: of any cause. */
int case_store_open_of(struct db *d, const char *host, int cause, struct heal_case *to, struct err *e);
/* Inserts or overwrites; id 0 is given one from CASE_OWN_ID on. */
int case_store_put(struct db *d, struct heal_case *c, struct err *e);
/* Each case by id; open_only leaves closed, refuted and healed ones out; host NULL: all. Non-zero ends. */
int case_store_each(struct db *d, const char *host, bool open_only, int (*each)(void *arg, const struct heal_case *c), void *arg,
	struct err *e);
/* The labels of the host's cases that have some or are known to have none (""), each set once. Non-zero ends. */
int case_store_labels(struct db *d, const char *host, int (*each)(void *arg, const char *labels), void *arg, struct err *e);
bool case_is_open(enum case_state s);
/* Changes the state: case and ledger record `state` in one transaction (or inside the caller's). The same state and text:
 * nothing. */
int case_store_state(struct db *d, int64_t now, struct heal_case *c, enum case_state state, struct err *e);
void case_store_json(struct json_out *o, const struct heal_case *c); /* members of an open object */

/* Approvals: for one case and one plan, once. What a person (or a page that speaks for one) says: */
struct approval {
	int64_t case_id;
	uint8_t plan_id[32];       /* the plan that was read; another one by now is refused */
	const char *actor, *via;   /* "uid 0, pid 812", "command line" */
	int64_t until;             /* 0: as long as it may; never longer than that */
};

/* 1: there is an unexpired, unused one for this host's plan; *actor says who. */
int approval_find(struct db *d, int64_t now, const char *host, const uint8_t plan_id[32], char actor[static 128], struct err *e);
int approval_use(struct db *d, const char *host, const uint8_t *plan_id, struct err *e); /* it is spent; NULL: each of the host's */

/* What a person asks for: used by healer.h and, when no agent runs, by the verbs. Each writes the ledger. ERR_REFUSED: the
 * reason. life: the longest an approval may last. */
int control_approve(struct db *d, int64_t now, const struct approval *a, int64_t life, struct err *e);
int control_close(struct db *d, int64_t now, int64_t case_id, const char *actor, const char *reason, struct err *e);
/* host NULL: every host. on false: the hold ends. until: when it ends by itself; 0: never. */
int control_hold(struct db *d, int64_t now, const char *host, bool on, int64_t until, const char *actor, const char *reason,
	struct err *e);
/* Holds whose end has come are taken away, each with its ledger record. *next: the earliest end to come; INT64_MAX: none. */
int control_end_holds(struct db *d, int64_t now, int64_t *next, struct err *e);
/* 1: yes, until *until (0: until somebody ends it; NULL allowed); of several the one that ends last. */
int hold_active(struct db *d, int64_t now, const char *host, int64_t *until, char why[static 200], struct err *e);

/* Both clocks at one moment, so that the next start knows whether time went on as it should. boot: names this run of the machine;
 * "" where that is not known. check: 1 and *why: it did not; 0; -1. */
#define CLOCK_CALM US_MINUTE     /* so long nothing is changed after a clock jumped */
#define CLOCK_JUMP (5 * US_SECOND) /* wall and monotonic time that drift apart by this much: the clock jumped */
int clock_row_put(struct db *d, int64_t wall, int64_t monotonic, const char *boot, struct err *e);
int clock_row_check(struct db *d, int64_t wall, int64_t monotonic, const char *boot, char why[static 200], struct err *e);

/* Repairs: one row each, so that a start after a crash knows what was under way. */
struct heal_repair {
	int64_t id;
	char token[80], host[256], by[128];
	int64_t case_id, started, ended; /* ended 0: under way, or interrupted */
	int64_t settle_until;            /* wall; 0: not settling yet */
	char result[32];                 /* "", "healed", "rolled-back", "needs-person"; a person undoes it: "undoing", "undone" */
	uint8_t plan_id[32];
	bool has_wanted;
	uint8_t wanted[20];              /* thumbprint that the repair bound; set with the outcome of the step */
};

int repair_row_add(struct db *d, struct heal_repair *r, struct err *e); /* sets id */
int repair_row_put(struct db *d, const struct heal_repair *r, struct err *e);
/* 1: there is one; host NULL: any */
int repair_row_unended(struct db *d, const char *host, struct heal_repair *to, struct err *e);
int repair_row_last(struct db *d, const char *host, struct heal_repair *to, struct err *e);    /* 1: the last ended one */
/* Repairs since `from`, newest first. */
int repair_row_each(struct db *d, int64_t from, int (*each)(void *arg, const struct heal_repair *r), void *arg, struct err *e);

/* How far the ledger was stored by ship. */
int outbox_get(struct db *d, int64_t *seq, struct err *e);
int outbox_set(struct db *d, int64_t seq, struct err *e);

#endif
