/* silence.h - what a person does not want to hear of for a while: a rule, perhaps of one host, perhaps with certain field values.
 *
 * Kept in heal.db; each begin and end is a ledger record `silence` with who, why and until when. Every silence has an end, a year
 * ahead at most. What a silence means for findings is cases/noise.h's business. */
#ifndef EVMEND_HEAL_SILENCE_H
#define EVMEND_HEAL_SILENCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "store/db.h"

#define SILENCE_FIELDS 8
#define SILENCE_YEAR (366 * US_DAY)
#define SILENCES_BYTES (192u << 10) /* all of them cross a channel in one message */

/* q: rule (its id, else its name), title, host ("": every host), fields (an object of texts), until (a time), reason. *id: of the
 * new one. ERR_USAGE where something is missing or too long, or the same is silenced already, ERR_REFUSED when there are too many. */
int silence_begin(struct db *d, int64_t now, const struct json *q, const char *actor, int64_t *id, struct err *e);
int silence_end(struct db *d, int64_t now, int64_t id, const char *actor, struct err *e); /* ERR_USAGE: there is none */
/* Silences whose end has come are taken away, each with its ledger record. *next: the earliest end to come; INT64_MAX: none.
 * Returns how many were. -1. */
int silences_expire(struct db *d, int64_t now, int64_t *next, struct err *e);
/* All of them as an array: id, rule, title, host, fields, since, until, actor, reason. */
int silences_json(struct db *d, struct json_out *o, const char *key, struct err *e);

#endif
