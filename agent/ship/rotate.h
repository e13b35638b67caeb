/* rotate.h - the files that were once the file at a path: named by the time of their rotation, compressed, the oldest removed.
 *
 * PATH.20261123T122610.123456Z (UTC; no later rotation has an earlier name, whatever the clock does), then .gz or .zst behind it. Only files with
 * exactly such a name are ever touched. */
#ifndef EVMEND_SHIP_ROTATE_H
#define EVMEND_SHIP_ROTATE_H

#include <stdint.h>

#include "base/compress.h"
#include "base/err.h"
#include "os/os.h"

struct rotator;

/* keep: how many stay; 0: all. The newest is not compressed, for whoever still reads it. path is borrowed. */
struct rotator *rotator_new(const struct os_file_ops *files, const char *path, int64_t keep, enum compression compress);
void rotator_free(struct rotator *r); /* what is being compressed stays as it was */
/* Gives the file at path its new name. now: wall. Nobody should write to it any more. -1: it may have either name, and is whole. */
int rotator_move(struct rotator *r, int64_t now, struct err *e);
/* One piece of compressing and removing, some milliseconds. 1: there is more to do; 0: nothing now; -1: not now; nothing is lost by it. */
int rotator_step(struct rotator *r, struct err *e);

#endif
