/* inside.c - does a file really lie where its path says?
 *
 * Why: a folder that a stranger sent may hold links and pipes; reading one would read our own files, or wait for ever.
 * Promises: links are followed to their end before the answer. Refuses: everything that is no plain file. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/os.h"

int os_file_inside(const char *folder, const char *path)
{
	char at[PATH_MAX], end[PATH_MAX];
	struct stat st;
	size_t n;

	if (realpath(folder, at) == NULL || realpath(path, end) == NULL || stat(end, &st) != 0)
		return -errno;
	n = strlen(at);
	if (n > 1 && (strncmp(at, end, n) != 0 || end[n] != '/'))
		return -EXDEV;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}
