/* healer_inside.h - what the files of the healer share. For healer.c, patient.c and heal_outbox.c only. */
#ifndef EVMEND_HEAL_HEALER_INSIDE_H
#define EVMEND_HEAL_HEALER_INSIDE_H

#include "heal/healer.h"
#include "heal/repair.h"

#define DIAGNOSE_GAP (10 * US_SECOND)  /* a host is read no more often than this, whatever events say */
#define LOST_GAP (15 * US_SECOND)      /* heal.db is tried again this often when a repair waits for it */
#define RETRY_GAP US_MINUTE            /* a host that cannot be reached, or a refusal that may end by itself */
#define QUIET (24 * US_HOUR)           /* a case without news is closed */

/* One configured host. */
struct patient {
	struct healer *healer;
	const struct heal_host *config;
	const struct remedy *remedy;
	int64_t due;               /* monotonic: the next diagnosis; INT64_MAX: none planned */
	int64_t last;              /* monotonic: of the last one; 0: never */
	struct repair *repair;     /* NULL: none under way */
	int64_t repair_due;
	bool lost;                 /* its repair could not be written down: it is taken up again when that is possible */
	uint8_t told_plan[32];     /* the diagnosis that is in the ledger */
	char verdict[40];          /* of the last diagnosis, for status */
	char trouble[480];         /* why the last diagnosis failed; "" */
};

struct healer {
	struct healer_options o;
	struct db *db;
	struct patient *patients;
	int64_t tilt_until;        /* monotonic; 0: calm */
	char tilt_why[200];
	int64_t wall_was, mono_was;/* at the last look at the clocks */
	int64_t sweep_due;         /* monotonic: closing of quiet cases, and the end of holds */
	int64_t clock_due;         /* monotonic: when both clocks are written down again */
	int64_t given;             /* outbox: last seq given to the sink */
	struct fleet_round *round; /* who reaches whom */
};

/* patient.c */
void patient_diagnose(struct patient *p);
void patient_repair(struct patient *p);     /* one step of the repair that is under way */
int patient_resume(struct patient *p, struct err *e); /* at start: takes up a repair that has no end */
void patient_soon(struct patient *p, int64_t not_before); /* plans a diagnosis, the limited rate holds */
struct repair_options patient_options(struct patient *p, const char *by, int64_t case_id);

/* fleet_round.c */
struct fleet_round *fleet_round_new(struct healer *h, struct err *e); /* NULL: the ledger cannot be read */
void fleet_round_free(struct fleet_round *r);
int64_t fleet_round_next(const struct fleet_round *r);
void fleet_round_run(struct fleet_round *r); /* one piece */
void fleet_round_status(const struct fleet_round *r, struct json_out *o); /* a member of an open object */

void healer_tilt(struct healer *h, const char *why);
bool healer_tilted(const struct healer *h);

#endif
