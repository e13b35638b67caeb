/* ledger.h - append-only, hash-chained records of everything that was decided and done; in heal.db, synchronous=FULL.
 * hash = SHA-256(previous hash, seq, time, kind, host, case, body). */
#ifndef EVMEND_HEAL_LEDGER_H
#define EVMEND_HEAL_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

/* kinds: diagnosis, refusal, approval, repair-begin, intent, outcome, verify, repair-end, repair-resume, undo-intent,
 * undo-outcome, undo-end, interrupted, hold, close, state, matrix, silence */
struct ledger_record {
	int64_t seq;          /* 1, 2, 3 ... without a gap */
	int64_t time;
	const char *kind, *host, *body; /* body: JSON object text */
	int64_t case_id;      /* 0: none */
	uint8_t previous[32], hash[32];
};

int ledger_add(struct db *d, int64_t now, const char *kind, const char *host, int64_t case_id, const char *body,
	struct err *e); /* inside or outside a transaction */
/* Each record from seq on, in order; non-zero ends. */
int ledger_each(struct db *d, int64_t from_seq, int (*each)(void *arg, const struct ledger_record *r), void *arg, struct err *e);
/* 0 intact (*n records, *head hash); -1 and *e names the first record that does not fit. */
int ledger_verify(struct db *d, int64_t *n, uint8_t head[32], struct err *e);

#endif
