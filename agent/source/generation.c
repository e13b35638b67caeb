/* generation.c - finds the generation of a log that follows the one that was read.
 *
 * Why: a log that grows fast is rotated again while its last generation is still being read; what is at its name by then is not what
 * comes next. Promises: generations are given in the order in which they were written last, none twice. Refuses: names that are no
 * generation's (a mark, then digits and marks), compressed ones, and those written before the one that was read. Two generations whose
 * last writes fall into one tick of the file system's clock (4 ms) are taken for one. */
#include "source/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/compress.h"

#define SCANS 8 /* names shift while they are listed: two lists must agree */

struct scan {
	const struct generation_search *q;
	struct os_stat current; /* inode 0: nothing is open */
	struct os_stat found;
	int fd;
};

static bool is_generation(const struct generation_search *q, const char *suffix)
{
	bool digit = false;

	if (*suffix != '.' && !(q->any_mark && (*suffix == '-' || *suffix == '_')))
		return false;
	for (const char *p = suffix; *p; p++) {
		if (!strchr("0123456789.-_:TZ", *p))
			return false;
		digit = digit || (*p >= '0' && *p <= '9');
	}
	return digit;
}

static bool same_file(const struct os_stat *a, uint64_t device, uint64_t inode)
{
	return a->device == device && a->inode == inode;
}

static bool is_packed(const struct os_file_ops *files, int fd)
{
	uint8_t head[16];
	ssize_t n = files->read(fd, head, sizeof head, 0);

	return n < 0 || (n > 0 && compression_of(head, (size_t)n) != COMPRESS_NONE);
}

static bool is_wanted(const struct scan *s, int fd, struct os_stat *st)
{
	const struct generation_search *q = s->q;

	return q->files->stat(NULL, fd, st) >= 0 && st->mtime_us > q->after && !same_file(st, q->device, q->inode) &&
		!same_file(st, s->current.device, s->current.inode) && (s->fd < 0 || st->mtime_us < s->found.mtime_us) && !is_packed(q->files, fd);
}

static int try_name(void *arg, const char *name)
{
	struct scan *s = arg;
	const struct generation_search *q = s->q;
	const char *slash = strrchr(q->path, '/'), *base = slash ? slash + 1 : q->path;
	struct os_stat st;
	struct buf path;
	int fd;

	if (strncmp(name, base, strlen(base)) != 0 || !is_generation(q, name + strlen(base)))
		return 0;
	buf_init(&path, 65536);
	buf_add(&path, q->path, (size_t)(base - q->path));
	buf_str(&path, name);
	fd = path.refused ? -ENAMETOOLONG : q->files->open(buf_text(&path), OS_PLAIN);
	buf_free(&path);
	if (fd < 0)
		return 0; /* renamed meanwhile, or not ours: the next list shows it */
	if (is_wanted(s, fd, &st)) {
		if (s->fd >= 0)
			q->files->close(s->fd);
		s->fd = fd;
		s->found = st;
	} else {
		q->files->close(fd);
	}
	return 0;
}

int generation_after(const struct generation_search *q, int current)
{
	const char *slash = strrchr(q->path, '/');
	char *folder = slash ? xstrndup(q->path, slash > q->path ? (size_t)(slash - q->path) : 1) : xstrdup(".");
	struct scan s = { .q = q, .fd = -1 };
	uint64_t before = 0;
	bool agreed = false;
	int r = 0;

	if (current >= 0)
		r = q->files->stat(NULL, current, &s.current);
	for (int i = 0; i < SCANS && !agreed && r >= 0; i++) {
		if (s.fd >= 0)
			q->files->close(s.fd);
		s.fd = -1;
		r = q->files->list(folder, try_name, &s);
		agreed = i > 0 && before == (s.fd >= 0 ? s.found.inode : 0);
		before = s.fd >= 0 ? s.found.inode : 0;
	}
	free(folder);
	if (r < 0 && s.fd >= 0) {
		q->files->close(s.fd);
		s.fd = -1;
	}
	return s.fd >= 0 ? s.fd : r < 0 ? r : -ENOENT;
}
