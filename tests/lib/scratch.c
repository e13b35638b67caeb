/* scratch.c - a folder for a test. Promises that two tests never share one; refuses to go on without it. */
#include "lib/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "os/os.h"

void scratch_init(struct scratch *s)
{
	const char *top = getenv("TMPDIR");

	snprintf(s->folder, sizeof s->folder, "%s/evmend-unit.XXXXXX", top && strlen(top) < 200 ? top : "/tmp");
	if (!mkdtemp(s->folder))
		die("a test got no folder of its own");
}

static int remove_one(void *arg, const char *name)
{
	return os_file_remove(scratch_path(arg, name)) == 0 ? 0 : rmdir(scratch_path(arg, name)) && 0;
}

void scratch_free(struct scratch *s)
{
	os_file.list(s->folder, remove_one, s);
	rmdir(s->folder);
}

const char *scratch_path(struct scratch *s, const char *name)
{
	if (snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name) >= (int)sizeof s->path)
		die("a test's path is too long");
	return s->path;
}

void scratch_write(struct scratch *s, const char *name, const void *p, size_t n)
{
	int fd = os_file.open(scratch_path(s, name), OS_CREATE);

	if (fd < 0 || os_file.write(fd, p, n) < 0)
		die("a test's file could not be written");
	os_file.close(fd);
}
