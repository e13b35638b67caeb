/* scratch.c - a folder for a test. Promises that two tests never share one, and that none stays when the program ends, unless it is killed;
 * refuses to go on without it. */
#include "lib/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "os/os.h"

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	(void)remove(path);
	return 0;
}

/* Of this program; those of a test that failed stay behind, and are removed at its end. */
static char folders[512][sizeof(((struct scratch *)0)->folder)];
static size_t n_folders;
static int owner; /* a child of the program that exits takes nothing away */

static void remove_all(void)
{
	for (size_t i = 0; owner == os_pid() && i < n_folders; i++)
		(void)nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void scratch_init(struct scratch *s)
{
	const char *top = getenv("TMPDIR");

	snprintf(s->folder, sizeof s->folder, "%s/evmend-unit.XXXXXX", top && strlen(top) < 200 ? top : "/tmp");
	if (!mkdtemp(s->folder))
		die("a test got no folder of its own");
	if (!owner) {
		owner = os_pid();
		(void)atexit(remove_all);
	}
	if (n_folders < sizeof folders / sizeof *folders)
		memcpy(folders[n_folders++], s->folder, sizeof *folders);
}

void scratch_free(struct scratch *s)
{
	(void)nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (n_folders && strcmp(folders[n_folders - 1], s->folder) == 0)
		n_folders--;
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
