/* spool.h - records wait here, on disk, until every sink has them. Keyed by uid, so a repeat is one record; a cursor for each sink and lane.
 * Narrow on purpose: the files behind it may change. ship.db, synchronous=FULL. */
#ifndef EVMEND_SHIP_SPOOL_H
#define EVMEND_SHIP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

#define SPOOL_KEPT 10000 /* of each lane, though every sink has them */

struct spool;

enum spool_lane { SPOOL_URGENT, SPOOL_BULK, SPOOL_LANES };

enum record_kind { RECORD_FINDING, RECORD_CASE, RECORD_REFUSAL, RECORD_REPAIR, RECORD_LEDGER, RECORD_AGENT, RECORD_EVENT, RECORD_KINDS };

struct spool_record {
	int64_t seq;          /* given by the spool */
	uint8_t uid[32];
	int kind;             /* enum record_kind */
	int64_t time;
	const char *json;     /* one NDJSON object without newline */
	size_t n;
	bool again;           /* for one sink alone, which refused it: it gets it again, whatever it takes of the others. spool_put asks it not */
	/* what routing asks; record_route (ship/route.h) reads it from the JSON once, when a record is taken in: the spool gives it back. Texts
	 * are never NULL behind it */
	bool urgent;          /* before others: findings, cases, refusals, repairs, what the agent says; events and the ledger are not */
	int level;            /* enum rule_level; -1: it has none */
	const char *host, *cause;
	const char *labels;   /* "k=v" lines, each with its newline: those of the source */
};

const char *record_kind_text(int kind);
enum spool_lane record_lane(int kind);

struct spool *spool_open(const char *folder, struct err *e); /* folder/ship.db */
struct spool *spool_look(const char *folder, struct err *e); /* read only, beside a running agent */
void spool_close(struct spool *s);
void spool_keep(struct spool *s, const struct clock *clock, int64_t span); /* how long uids are remembered after they came in; 30 days */
struct db *spool_db(struct spool *s); /* for tests that fill the disk */
int spool_begin(struct spool *s, struct err *e);
/* A known uid is skipped; events alone are not looked up: they are many, and a repeat has the same uid for the receiver. */
int spool_put(struct spool *s, const struct spool_record *r, struct err *e);
int spool_commit(struct spool *s, struct err *e); /* on disk when it returns 0 */
void spool_rollback(struct spool *s); /* gives up the open transaction; none: nothing happens */
/* 0 when the sink is new: it gets what is still there. */
int spool_cursor(struct spool *s, const char *sink, enum spool_lane lane, int64_t *seq, struct err *e);

/* Where one goes to that wants nothing of the lane: to its last record, or (1 then, else 0) before the first behind `after` that is for this
 * sink alone. -1. */
int spool_end(struct spool *s, const char *sink, enum spool_lane lane, int64_t after, int64_t *seq, struct err *e);

struct spool_want {
	enum spool_lane lane;
	int64_t after;
	unsigned kinds;   /* bit set of enum record_kind; 0: all */
	const char *sink; /* who asks: gets what is for it alone, too, of whatever kind; NULL: nobody */
};
/* Records behind seq `after`, oldest first, at most n and at most some MB; pointers live until the next spool_read or spool_get. *upto: all that
 * is wanted up to there was given; as `after` when the lane has no more, and above it with *got 0 when there may be more. */
int spool_read(struct spool *s, const struct spool_want *w, struct spool_record *to, size_t n, size_t *got, int64_t *upto, struct err *e);
/* Those of seqs (ascending) that are still there. *n: how many were given; then how many were looked for, which is fewer when the rest does
 * not fit; of those *got are in `to`. */
int spool_get(struct spool *s, const int64_t *seqs, size_t *n, struct spool_record *to, size_t *got, struct err *e);
int spool_done(struct spool *s, const char *sink, enum spool_lane lane, int64_t seq, struct err *e); /* everything up to seq is delivered */
/* Every urgent record whose body is still here, oldest first; non-zero from each ends it. -1 and *e, else 0. */
int spool_each(struct spool *s, int (*each)(void *arg, const struct spool_record *r), void *arg, struct err *e);
/* Of a sink that takes these kinds (as in spool_want). Records that wait, with those that it does not take for another reason, and where it takes
 * events with the ledger; -1: it cannot be told. */
int64_t spool_lag(struct spool *s, const char *sink, unsigned kinds);
bool spool_waits(struct spool *s, const char *sink); /* at least one does: cheaper */
int64_t spool_oldest(struct spool *s, const char *sink, unsigned kinds); /* when the first that waits came in; 0: none waits */

/* --- what a sink refused for good: ship/spool_dead.c --- */
struct spool_dead {
	int64_t id, refused; /* refused: when */
	const char *sink, *reason;
	struct spool_record record; /* its seq is the id */
};

/* Keeps the record as one that this sink refused; in the caller's transaction. 1; 0: its body is no longer here; -1. */
int spool_refused(struct spool *s, const char *sink, int64_t seq, const char *reason, int64_t when, struct err *e);
/* Those of a sink (NULL: of all), oldest first; non-zero from each ends it. While it is asked nothing of the file is locked. -1 and *e, else 0. */
int spool_dead_each(struct spool *s, const char *sink, int (*each)(void *arg, const struct spool_dead *d), void *arg, struct err *e);
int64_t spool_dead_count(struct spool *s, const char *sink); /* -1: it cannot be told */
int64_t spool_dead_newest(struct spool *s, const char *sink); /* when the newest of them was refused; 0: there is none, or it cannot be told */
/* One (id; 0: all) of a sink (NULL: of any): to be sent again to the sink that refused it, or forgotten. A thousand in each
 * transaction, so that an agent beside us does not wait; what is refused meanwhile stays. How many; -1: some may be done. */
int64_t spool_dead_retry(struct spool *s, const char *sink, int64_t id, struct err *e);
int64_t spool_dead_drop(struct spool *s, const char *sink, int64_t id, struct err *e);

/* A text that is kept for a sink: its counters (proc/pump.h). noted adds it; nothing when there is none. */
int spool_note(struct spool *s, const char *sink, const char *text, struct err *e);
int spool_noted(struct spool *s, const char *sink, struct buf *to, struct err *e);
/* Forgets bodies that every sink has, but the last `kept` of each lane, and uids that are old enough, some thousand rows of each a call: how
 * many; -1. */
int64_t spool_trim(struct spool *s, const char *const *sinks, size_t n, int64_t kept, struct err *e);

/* --- when there is too much: ship/spool_cap.c --- */
/* Asked of each record before it is given up: of one that waits (dead false; sink: for this one alone, NULL: for all), or of a dead letter of
 * that sink. false: it stays. The record has no body. */
typedef bool spool_may(void *arg, const struct spool_record *r, const char *sink, bool dead);

int64_t spool_bytes(struct spool *s); /* that are in use; what was given up is free and used again. -1: it cannot be told */
/* Forgets uids that came in more than an hour ago, the oldest first, some thousand: a record that is told twice is better than one that is lost.
 * How many; -1. */
int64_t spool_forget(struct spool *s, struct err *e);
/* Gives records up until no more than `bytes` are in use, or some thousand are gone: those of least worth first (events, then findings by level
 * with the ledger and the agent's own behind low ones, cases, refusals and repairs last), the oldest of each first, dead letters before what
 * waits. In the caller's transaction. How many; -1. */
int64_t spool_give_up(struct spool *s, int64_t bytes, spool_may *may, void *arg, struct err *e);

#endif
