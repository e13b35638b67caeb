/* place.h - watch.db: how far each source was read, and what the engine remembers. One transaction holds both. */
#ifndef EVMEND_PROC_PLACE_H
#define EVMEND_PROC_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "cases/engine.h"
#include "proc/updates.h"
#include "source/source.h"

#define PLACE_POSITION 1024
#define PLACE_DECODER 16384 /* decode.h: decoder_state_save */

struct place;

struct place *place_open(const char *folder, struct err *e); /* folder/watch.db */
void place_close(struct place *p);
int place_begin(struct place *p, struct err *e);
int place_put(struct place *p, const char *source, const char *partition, const char *position, const char *decoder, struct err *e);
int place_put_engine(struct place *p, const struct buf *state, struct err *e);
int place_put_noise(struct place *p, const struct buf *noise, struct err *e); /* what engine_noise says, for place_look_noise */
int place_put_rules(struct place *p, const struct buf *rules, struct err *e); /* what keeper_json says; outside of a transaction */
/* The groups of correlations that changed; engine_stored after the commit. */
int place_put_groups(struct place *p, struct engine *g, struct err *e);
int place_put_updates(struct place *p, const struct updates *u, struct err *e); /* those held back; updates_saved after the commit */
int place_commit(struct place *p, struct err *e); /* -1: nothing of it was stored */
void place_rollback(struct place *p);

/* Hands every stored position of this source to it, before it is opened. */
int place_resume(struct place *p, struct source *s, struct err *e);
/* The decoder's state that was stored with a partition; false: none. */
bool place_decoder(struct place *p, const char *source, const char *partition, char *to, size_t n);
/* Gives the engine its groups back; -1: some or all cannot be read, the others are there. digest names the set of rules: when they were
 * stored under another one, *dropped of them had rules that are gone, and the next place_put_groups writes them all anew. */
int place_groups(struct place *p, struct engine *g, const char *digest, size_t *dropped, struct err *e);
int place_updates(struct place *p, struct updates *u, int64_t now, struct err *e); /* gives them back */
/* What engine_save gave; empty when there is nothing. */
int place_engine(struct place *p, struct buf *to, struct err *e);
/* For verbs, beside a running agent: what was held back, as of the last commit. Empty when there is nothing. */
int place_look_noise(const char *folder, struct buf *to, struct err *e);
int place_look_rules(const char *folder, struct buf *to, struct err *e); /* the same of place_put_rules */

#endif
