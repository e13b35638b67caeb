/* killpoint.c - stops the process at a named place, for the kill runs.
 *
 * Why: that a crash at any moment loses nothing can only be shown by crashing at chosen moments. Promises: stops once for each name and
 * folder, and only in a build made with -DEVMEND_KILLPOINTS. Refuses: anything without both variables set. */
#include "base/killpoint.h"

#ifdef EVMEND_KILLPOINTS

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/os.h"

void kill_point(const char *name)
{
	const char *wanted = getenv("EVMEND_KILL_POINT"), *folder = getenv("EVMEND_KILL_DIR");
	struct os_stat st;
	char path[4096];
	int fd;

	if (!wanted || !folder || strcmp(wanted, name) != 0)
		return;
	snprintf(path, sizeof path, "%s/%s.hit", folder, name);
	if (os_file.stat(path, -1, &st) == 0)
		return;
	fd = os_file.open(path, OS_CREATE);
	if (fd < 0)
		return;
	os_file.close(fd);
	raise(SIGSTOP);
}

#else

typedef int killpoint_is_not_built; /* a translation unit must not be empty */

#endif
