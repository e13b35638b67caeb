/* updates.h - holds back what a receiver need not hear every second: the growing count of a finding. */
#ifndef EVMEND_PROC_UPDATES_H
#define EVMEND_PROC_UPDATES_H

#include <stddef.h>
#include <stdint.h>

struct updates;

/* every: at most one update of a finding in this span, us. send gives the newest one away. */
struct updates *updates_new(int64_t every, void (*send)(void *arg, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n),
	void *arg);
void updates_free(struct updates *u); /* what is held back is forgotten: updates_flush or updates_save first */
void updates_told(struct updates *u, const uint8_t uid[32], int64_t now); /* the finding itself was sent */
void updates_put(struct updates *u, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n, int64_t now);
void updates_tick(struct updates *u, int64_t now); /* sends what is due; now: monotonic us */
void updates_flush(struct updates *u);             /* sends everything */

/* What is held back outlives the process: with the place, for the engine has told it and will not say it again.
 * keep: one that is held (again: another count); json NULL: it is held no more; uid NULL: none is. -1: it could not. */
typedef int updates_keep(void *arg, const uint8_t *uid, uint64_t count, int64_t time, const char *json, size_t n);
int updates_save(const struct updates *u, updates_keep *keep, void *arg); /* what has changed since updates_saved */
void updates_saved(struct updates *u);                                    /* and all that is on disk now */
/* Due at once. */
void updates_restore(struct updates *u, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n, int64_t now);

#endif
