/* generation.h - the file that came next when a log was rotated more than once between two looks. Private to source/. */
#ifndef EVMEND_SOURCE_GENERATION_H
#define EVMEND_SOURCE_GENERATION_H

#include <stdbool.h>

#include "source/position.h"

struct generation_search {
	const struct os_file_ops *files;
	const char *path;  /* of the log */
	bool any_mark;     /* NAME-1 and NAME_1 are generations too, not only NAME.1 */
	int64_t after;     /* us: when the generation that was read last was written last */
	uint64_t device, inode; /* of it: never given again, however late it was written */
};

/* A descriptor of the oldest rotated file that was written after q->after and is not what `current` (a descriptor, or negative) has open;
 * the caller closes it. -ENOENT: there is none; another -errno: the folder cannot be listed. */
int generation_after(const struct generation_search *q, int current);

#endif
