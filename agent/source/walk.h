/* walk.h - the files of a folder, sorted by path. Private to source/. */
#ifndef EVMEND_SOURCE_WALK_H
#define EVMEND_SOURCE_WALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "os/os.h"

struct walked {
	char **path;
	int64_t *size;
	size_t n, cap;
	char note[700]; /* the first folder that was left out, and why: it was visited already, or lies too deep; "": none */
};

/* Adds path when it is a file, or every file below it when it is a folder, as base/walk.h goes. An entry that cannot be looked at, or is
 * no plain file, is added all the same: opening it will say why. -1 and *e: as walk(). */
int walked_fill(struct walked *w, const struct os_file_ops *files, const char *path, struct err *e);
void walked_free(struct walked *w);

#endif
