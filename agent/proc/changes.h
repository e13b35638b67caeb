/* changes.h - notices that the files of rules have changed, by their names, sizes, times and inodes; no file is opened.
 *
 * Looking costs two system calls a file, so it happens once a second, or more seldom when it takes long: at most 2 % of the time. A
 * change counts when everything has rested for CHANGES_REST, so that a folder that is being copied is not taken half. A file that is
 * replaced by rename, and a folder that is a link and points elsewhere, are changes too. One that keeps size, time and inode is none. */
#ifndef EVMEND_PROC_CHANGES_H
#define EVMEND_PROC_CHANGES_H

#include <stdbool.h>

#include "base/clock.h"
#include "os/os.h"
#include "rules/ruleset.h"

#define CHANGES_EVERY US_SECOND
#define CHANGES_REST (2 * US_SECOND)

struct changes;

struct changes *changes_new(const struct os_file_ops *files, const struct clock *clock); /* both are borrowed */
void changes_free(struct changes *c); /* NULL allowed */
/* Has something changed since changes_try or changes_refuse, and rests? The places are those of the set that runs. */
bool changes_due(struct changes *c, const struct ruleset_options *places);
/* A set is about to be loaded from there: call it before, so that what changes meanwhile is noticed. */
void changes_try(struct changes *c, const struct ruleset_options *places);
/* A file has an error in the set that is tried. Was it there, without one, in the set that runs? */
bool changes_spoiled(struct changes *c, const char *path);
bool changes_faulty(const struct changes *c, const char *path); /* changes_spoiled was called with it in this try */
void changes_accept(struct changes *c); /* the set that was tried runs now */
/* It does not: the files where the running set came from are not tried again as they were at changes_hold, which comes before
 * changes_try. */
void changes_hold(struct changes *c, const struct ruleset_options *running);
void changes_refuse(struct changes *c);

#endif
