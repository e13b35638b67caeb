/* remedy.h - what a certificate (or other) module must be able to do. heal/ knows a remedy only by this.
 *
 *   diagnose -> facts      reads the host, changes nothing
 *   judge    -> verdict    a pure function of the facts and of what events have shown
 *   plan     -> steps      a pure function of facts and verdict
 *   verify                 uses the service; says whether the repair counts
 */
#ifndef EVMEND_HEAL_REMEDY_H
#define EVMEND_HEAL_REMEDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "cases/finding.h" /* enum rule_seen */
#include "heal/fact.h"
#include "host/host.h"

#define PLAN_STEPS 8
#define VERDICT_NOTES 12

/* What events have shown; chooses notes and is compared, never an argument of a step. */
struct suspicion {
	unsigned seen;          /* set of enum rule_seen */
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;
	bool remote;            /* events of this host name another back end as the one in trouble */
};

struct note {
	const char *name;  /* "FRONTEND_CERT" */
	const char *cause; /* of the case that this note opens when no event did; NULL: none */
	char text[400];    /* advice with the exact command */
};

enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum repairable { REPAIR_NEVER, REPAIR_BY_APPROVAL, REPAIR_BY_POLICY };

struct verdict {
	const char *name;          /* "BE_CERT_DELETED"; "UNKNOWN" */
	const char *row;           /* "R6" */
	const char *cause;         /* of the case that it opens when no event did; NULL: none */
	enum confidence confidence;
	enum repairable repairable;
	bool healthy;              /* nothing is wrong now */
	char text[400];            /* one sentence for a person */
	char advice[600];          /* what to do, with the exact command, and what not to do */
	const char *disproof;      /* what would show that this is not the cause; NULL */
	const char *needed[16];    /* fact names that led to it */
	size_t n_needed;
	const char *also[24];      /* other rows that hold */
	size_t n_also;
	const char *not_excluded[24]; /* rows above it whose facts are unknown: no repair starts */
	size_t n_not_excluded;
	struct note notes[VERDICT_NOTES]; /* computed on their own, beside the verdict */
	size_t n_notes;
	const char *smtp_name;     /* of the second line: "ITC_GONE"; NULL when nothing is open on the SMTP side */
	char smtp[400];            /* the second line: "" when nothing is open on the SMTP side */
	bool smtp_open;            /* the state of the host says so, not only events: a healed case stays open as advice */
};

enum undo_kind { UNDO_EXACT, UNDO_PARTIAL, UNDO_NONE };

struct plan_step {
	struct host_step step;
	char what[256], why[256], before[256], after[256], undo[256]; /* for a person */
	enum undo_kind undo_kind;
	bool by_approval_only;     /* iis_restart */
	bool thumbprint_from_previous; /* record_set of the certificate that the step before creates */
};

struct plan {
	uint8_t id[32];            /* architecture section 3: same state, same id */
	struct plan_step steps[PLAN_STEPS];
	size_t n;
	bool has_wanted;
	uint8_t wanted[20];        /* what the service must show after the steps; unless the plan creates it. n = 0: what it shows now */
	bool before_works;         /* the snapshot is a state that worked and that can be set again: only then is anything undone */
	char why_empty[300];       /* n = 0 though something is wrong: why there is no step */
};

/* SHA-256 over host, verdict, facts (name, value, key) and steps; heal/plan.c. Fills d->plan.id. */
struct diagnosis;
void plan_id_set(struct diagnosis *d);
/* SHA-256 over the arguments of one step, but for its thumbprint: the same step of another plan has the same id. */
void plan_step_id(const struct plan_step *p, uint8_t id[32]);

struct proof {
	bool ok;
	bool hop_open;             /* ok, but a request through the front end is not answered by the back end: a step of its own, by approval */
	struct { char name[64]; enum tri value; char seen[256]; } checks[16];
	size_t n;
	char summary[400];
};

/* All of one diagnosis. Big (host_state inside): allocate it. */
struct diagnosis {
	struct host_identity identity;
	struct host_state state;   /* the snapshot */
	struct facts facts;
	struct verdict verdict;
	struct plan plan;
	int64_t when;
};

struct remedy {
	const char *name;          /* "exchange_backend" */
	int (*diagnose)(struct host *h, const struct clock *clock, int64_t deadline, struct diagnosis *to, struct err *e);
	void (*judge)(struct diagnosis *d, const struct suspicion *s); /* fills verdict */
	void (*plan)(struct diagnosis *d); /* fills plan; n = 0: nothing to do */
	/* After the steps: record read back, handshakes, request, hop, 443 unchanged (against before). wanted: what 444 must show. */
	int (*verify)(struct host *h, const struct clock *clock, int64_t deadline, const struct diagnosis *before,
		const uint8_t wanted[20], struct proof *to, struct err *e);
};

/* Ends with NULL; an implementation is one line in this array (remedies/remedies.c). */
extern const struct remedy *const remedies[];

#endif
