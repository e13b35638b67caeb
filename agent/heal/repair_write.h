/* repair_write.h - the inside of a repair, and what it writes to heal.db. For repair.c, repair_write.c and undo.c of heal/ only. */
#ifndef EVMEND_HEAL_REPAIR_WRITE_H
#define EVMEND_HEAL_REPAIR_WRITE_H

#include <stdarg.h>

#include "heal/repair.h"

struct repair {
	struct repair_options o;
	struct heal_repair row;
	struct diagnosis *d;          /* the snapshot: facts as they were read again under the lock */
	struct suspicion suspicion;
	struct host *host;            /* NULL: not connected */
	enum repair_state state;
	enum repair_end how;
	bool resumed;
	int64_t open_case, began, settle_until; /* monotonic */
	size_t at;                    /* next step; while undoing: how many are left to undo */
	bool did[PLAN_STEPS];
	struct host_step acts[PLAN_STEPS];
	struct host_step_result results[PLAN_STEPS];
	struct proof proof;
	int tries, rounds;
	char text[600], failure[600];
};

/* Each is one transaction; -1: nothing of it is on disk. */
int write_begin(struct repair *r, int64_t now, struct err *e);
int write_intent(struct repair *r, int64_t now, struct err *e);
int write_outcome(struct repair *r, int64_t now, const struct err *failure, struct err *e);
int write_undo_intent(struct repair *r, int64_t now, size_t step, struct err *e);
int write_undo_outcome(struct repair *r, int64_t now, size_t step, const struct err *failure, struct err *e);
int write_proof(struct repair *r, int64_t now, enum case_state cases, struct err *e);
/* Had a step failed, or an undo begun, before the program ended? Then nobody but a person goes on. */
int repair_had_failed(struct db *d, const struct heal_repair *row, bool *failed, struct err *e);
int write_end(struct repair *r, int64_t now, enum repair_end how, struct err *e);

#endif
