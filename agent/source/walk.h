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
};

/* Adds path when it is a file, or every file below it when it is a folder (names that begin with '.' are left out; 16 folders deep).
 * An entry that cannot be looked at is added all the same: opening it will say why. -1 and *e: path itself cannot be
 * read, or there are more than LIMIT_PATHS files. */
int walk(const struct os_file_ops *files, const char *path, struct walked *to, struct err *e);
void walked_free(struct walked *w);

#endif
