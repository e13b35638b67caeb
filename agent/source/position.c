/* position.c - positions in files as text, and whether they still fit.
 *
 * Why: after a restart a log may have grown, been rotated, been cut, or been replaced by another of the same name.
 * Promises: a position fits only a file that begins with the same bytes and has the same bytes before the offset.
 * Refuses: texts of another make; the file is then read from its beginning. */
#include "source/position.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define HEAD_BYTES 256
#define TAIL_BYTES 64

/* FNV-1a, 64 bit: a fixed function, because the result is stored. */
static uint64_t fingerprint(const uint8_t *p, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* Fingerprint of exactly n bytes at offset. 1, 0 when the file is shorter, or -errno. */
static int print_of(const struct os_file_ops *files, int fd, int64_t offset, unsigned n, uint64_t *to)
{
	uint8_t bytes[HEAD_BYTES];
	size_t have = 0;

	while (have < n) {
		ssize_t got = files->read(fd, bytes + have, n - have, offset + (int64_t)have);

		if (got < 0)
			return (int)got;
		if (!got)
			return 0;
		have += (size_t)got;
	}
	*to = fingerprint(bytes, n);
	return 1;
}

static unsigned least(int64_t a, unsigned b)
{
	return a < (int64_t)b ? (unsigned)a : b;
}

int position_measure(const struct os_file_ops *files, int fd, int64_t offset, bool packed, struct position *to)
{
	struct os_stat st;
	int r = files->stat(NULL, fd, &st);

	if (r < 0)
		return r;
	*to = (struct position){ .device = st.device, .inode = st.inode, .offset = offset, .packed = packed,
		.mtime_us = st.mtime_us };
	to->head_n = least(packed ? st.size : offset, HEAD_BYTES);
	to->tail_n = packed ? 0 : least(offset, TAIL_BYTES);
	r = print_of(files, fd, 0, to->head_n, &to->head);
	if (r > 0)
		r = print_of(files, fd, offset - to->tail_n, to->tail_n, &to->tail);
	return r < 0 ? r : 0; /* a file that became shorter meanwhile: the fingerprint 0 will not fit, which is right */
}

int position_fits(const struct os_file_ops *files, int fd, const struct position *p)
{
	uint64_t print = 0;
	int r = print_of(files, fd, 0, p->head_n, &print);

	if (r <= 0 || print != p->head)
		return r < 0 ? r : 0;
	r = print_of(files, fd, p->offset - p->tail_n, p->tail_n, &print);
	return r <= 0 ? r : print == p->tail;
}

void position_text(const struct position *p, char *to, size_t n)
{
	snprintf(to, n, "file 1 device=%" PRIu64 " inode=%" PRIu64 " offset=%" PRId64 " packed=%d head=%u:%016" PRIx64 " tail=%u:%016" PRIx64
		" mtime=%" PRId64, p->device, p->inode, p->offset, p->packed, p->head_n, p->head, p->tail_n, p->tail, p->mtime_us);
}

bool position_parse(const char *text, struct position *p)
{
	int packed = 0;

	p->mtime_us = 0; /* unknown to older versions */
	if (sscanf(text, "file 1 device=%" SCNu64 " inode=%" SCNu64 " offset=%" SCNd64 " packed=%d head=%u:%" SCNx64
		    " tail=%u:%" SCNx64 " mtime=%" SCNd64,
		    &p->device, &p->inode, &p->offset, &packed, &p->head_n, &p->head, &p->tail_n, &p->tail, &p->mtime_us) < 8)
		return false;
	p->packed = packed != 0;
	return p->offset >= 0 && p->head_n <= HEAD_BYTES && p->tail_n <= TAIL_BYTES && (int64_t)p->tail_n <= p->offset;
}

void resumes_add(struct resumes *r, const char *partition, const char *position)
{
	resumes_drop(r, partition);
	r->list = xrealloc(r->list, r->n + 1, sizeof(*r->list));
	r->list[r->n].partition = xstrdup(partition);
	r->list[r->n++].position = xstrdup(position);
}

const char *resumes_find(const struct resumes *r, const char *partition)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->list[i].partition, partition))
			return r->list[i].position;
	return NULL;
}

void resumes_drop(struct resumes *r, const char *partition)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->list[i].partition, partition) != 0)
			continue;
		free(r->list[i].partition);
		free(r->list[i].position);
		r->list[i] = r->list[--r->n];
		return;
	}
}

void resumes_free(struct resumes *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->list[i].partition);
		free(r->list[i].position);
	}
	free(r->list);
	*r = (struct resumes){ 0 };
}
