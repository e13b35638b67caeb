/* walk.h - the files below a folder, sorted by path: what people point at when they say "these logs" or "these rules". */
#ifndef EVMEND_BASE_WALK_H
#define EVMEND_BASE_WALK_H

#include <stdbool.h>

#include "base/err.h"
#include "os/os.h"

struct walk_found {
	const char *path;
	const struct os_stat *st; /* zero when the path could not be looked at */
	int error;                /* 0: a file that can be read; else -errno */
	bool skipped;             /* a folder that was visited before under another path, or lies too deep */
	const char *why;          /* what is wrong, behind its path: "cannot be read: ..."; "" when nothing is */
};

struct walk {
	const struct os_file_ops *files;
	void *arg;
	bool (*wanted)(void *arg, const char *path); /* false: neither looked at nor told; NULL: everything. Not asked of the path itself */
	int (*each)(void *arg, const struct walk_found *f, struct err *e); /* 0: go on; -1 and *e ends the walk */
};

/* Tells path itself when it is no folder, and then also when it is a pipe or device: somebody named it. Below a folder: every plain file,
 * and everything that is none or cannot be read. Names that begin with '.' are left out. Each folder is visited once, whatever links
 * lead to it, WALK_DEPTH deep. -1 and *e: path itself cannot be read, more than LIMIT_PATHS entries or LIMIT_FOLDERS folders, or each
 * said so. */
#define WALK_DEPTH 16
int walk(const struct walk *w, const char *path, struct err *e);

#endif
