/* scratch.h - a folder of its own for a test, and small files in it. */
#ifndef EVMEND_TESTS_LIB_SCRATCH_H
#define EVMEND_TESTS_LIB_SCRATCH_H

#include <stddef.h>

struct scratch {
	char folder[256];
	char path[512]; /* of the last scratch_path */
};

void scratch_init(struct scratch *s); /* under $TMPDIR, else /tmp; ends the test program when it cannot be made */
void scratch_free(struct scratch *s); /* removes the folder and all that is in it */
const char *scratch_path(struct scratch *s, const char *name); /* until the next call */
void scratch_write(struct scratch *s, const char *name, const void *p, size_t n);

#endif
