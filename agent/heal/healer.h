/* healer.h - the heal role's whole mind, without its channels: cases that ask, diagnoses, policy, repairs, settling.
 *
 * One thread drives it: call healer_run when healer_next says so; each call does one bounded piece of work (one diagnosis, one step
 * of a repair, or bookkeeping) and may block for as long as the step limit. Everything it decides is in heal.db before it acts.
 * Freeing it at any moment is like a crash: the next healer_new finds what was under way and finishes it forward. */
#ifndef EVMEND_HEAL_HEALER_H
#define EVMEND_HEAL_HEALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "heal/case_store.h"
#include "heal/policy.h"
#include "host/host.h"
#include "os/os.h"

struct heal_host {
	struct host_config config; /* pointers are borrowed */
	enum policy_mode mode;     /* the remedy's mode, or the host's own */
};

/* What watch tells about a case; none of it permits a step. The same case may be told again: counts grow, nothing is lost. */
struct heal_suspect {
	int64_t case_id;         /* watch's */
	uint8_t case_uid[32];
	size_t host;             /* index in hosts */
	size_t reported_by;      /* index, or SIZE_MAX */
	int cause;               /* index in case_causes */
	int confidence;          /* enum rule_level */
	bool asks, replay, healed; /* healed: events say that it is well again; never stops a diagnosis */
	int64_t first, last;     /* event time */
	int64_t count;
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;
	unsigned seen;           /* set of enum rule_seen */
	int64_t reopens;
	const char *labels;      /* of the source whose event opened it, as healer_options has them; NULL: not known */
};

/* What goes to the SIEM. Each is one ledger record, so the ledger is the outbox. */
enum heal_kind { HEAL_CASE, HEAL_REFUSAL, HEAL_REPAIR, HEAL_LEDGER };

struct heal_sink {
	void *arg;
	/* One NDJSON object without newline ("v":1,"kind":"case"|"refusal"|"repair"|"ledger"). Non-zero: full, try again later. */
	int (*emit)(void *arg, enum heal_kind kind, const uint8_t uid[32], int64_t time, const char *json, size_t n);
	void (*case_closed)(void *arg, int64_t case_id); /* a case of watch's is closed: a later finding opens a new one */
	void (*silences)(void *arg); /* one has begun or ended: healer_silences has those that are left */
};

struct healer_options {
	const char *db_path;               /* STATE/heal.db */
	const struct heal_host *hosts;     /* borrowed for the life of the healer */
	size_t n_hosts;
	const struct policy_config *policy;/* borrowed */
	int64_t diagnose_every;            /* us; 0: never by itself */
	int64_t matrix_every;              /* us; 0: who reaches whom is never asked */
	const struct clock *clock;
	const struct os_process_ops *process;
	const struct log *log;             /* NULL: silent */
	const char *who;                   /* for the host's lock: "evmend on mon1, pid 812" */
	const char *const *labels;         /* of each source: an object of texts as JSON (LIMIT_LABELS), "" for none; borrowed */
	size_t n_labels;
	const char *common_labels;         /* those of all sources; NULL or "": they differ, or have none */
	const char *boot;                  /* names this run of the machine; NULL or "": not known */
	/* NULL: host_pipe_open. Tests put their own host here. */
	struct host *(*open_host)(void *arg, const struct host_config *config, int64_t deadline, struct err *e);
	void *open_arg;
	struct heal_sink sink;
};

struct healer;

struct healer *healer_new(const struct healer_options *o, struct err *e); /* NULL: heal.db is not usable */
void healer_free(struct healer *h);
/* Stored in heal.db when it returns 0 (then acknowledge it to watch). */
int healer_suspect(struct healer *h, const struct heal_suspect *s, struct err *e);
/* Monotonic time at which healer_run wants to be called; INT64_MAX: nothing is due. */
int64_t healer_next(const struct healer *h);
void healer_run(struct healer *h);
bool healer_acting(const struct healer *h); /* a repair is between its first step and its verification: do not stop now */

/* The outbox: gives at most n ledger records that were not given yet to sink.emit, oldest first, until it says full. Returns the
 * seq of the last one given, 0 for none. healer_stored moves the cursor when ship has them on disk; healer_rewind gives
 * again all that
 * is behind the cursor (ship was started anew). */
int64_t healer_outbox(struct healer *h, size_t n);
int healer_stored(struct healer *h, int64_t seq, struct err *e);
void healer_rewind(struct healer *h);

/* Control verbs. actor: who ("uid 0 (root)"), via: "control socket". ERR_REFUSED with the reason in *e. */
int healer_approve(struct healer *h, const struct approval *a, struct err *e); /* refused when the case's plan is another one by now */
int healer_close(struct healer *h, int64_t case_id, const char *actor, const char *reason, struct err *e);
/* host NULL: every host; until 0: until somebody ends it */
int healer_hold(struct healer *h, const char *host, bool on, int64_t until, const char *actor, const char *reason, struct err *e);
/* heal/silence.h */
int healer_silence(struct healer *h, const struct json *q, const char *actor, int64_t *id, struct err *e);
int healer_silence_end(struct healer *h, int64_t id, const char *actor, struct err *e);
int healer_silences(struct healer *h, struct json_out *o, struct err *e); /* an array */
int healer_undo(struct healer *h, int64_t case_id, const char *actor, struct err *e); /* one blocking undo,
	at most the repair limit */
void healer_diagnose_soon(struct healer *h, const char *host); /* NULL: every host; the limited rate holds */

void healer_status(const struct healer *h, struct json_out *o); /* members of an open object */

#endif
