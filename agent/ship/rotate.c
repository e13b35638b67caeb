/* rotate.c - files beside a file.
 *
 * Why: a file of records must not grow for ever, and nobody may wait for a compressor. Promises: a rotated file is whole, under its plain or its
 * compressed name, at every moment and after every crash: compressing goes into NAME.new, in pieces; that is synced and renamed before the
 * plain file goes. All that is known is the names in the folder, so a restart goes on where a crash was. Refuses: to touch a file
 * without exactly such a name, and to rename onto one that is there. */
#include "ship/rotate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define STAMP 23              /* 20261123T122610.123456Z */
#define PIECE (512u << 10)    /* read and compressed in one step */
#define SYNC_EVERY (8 << 20)  /* compressed bytes: so that the last sync is short */
#define REMOVE_MOST 16        /* in one step */
#define NAME_ROOM (PATH_MAX + 64) /* a longer path cannot be opened at all */

static const char *const endings[] = { "", ".gz", ".zst", ".gz.new", ".zst.new" };
enum { PLAIN = 1, GZIP = 2, ZSTD = 4, GZIP_NEW = 8, ZSTD_NEW = 16 };

struct rotated {
	char stamp[STAMP + 1];
	unsigned has; /* bits, in the order of endings */
};

struct rotator {
	const struct os_file_ops *files;
	const char *path;
	int64_t keep;
	enum compression compress;
	struct rotated *found; /* by the last look, oldest first */
	size_t n, room;
	/* what is being compressed; z is NULL: nothing */
	struct deflater *z;
	char stamp[STAMP + 1];
	int from, to;
	int64_t at, unsynced;
	struct buf packed;
	char piece[PIECE];
};

struct rotator *rotator_new(const struct os_file_ops *files, const char *path, int64_t keep, enum compression compress)
{
	struct rotator *r = xcalloc(1, sizeof *r);

	r->files = files;
	r->path = path;
	r->keep = keep;
	r->compress = compress;
	buf_init(&r->packed, 8u << 20);
	return r;
}

static const char *name_of(const struct rotator *r, const char *stamp, const char *ending, char to[static NAME_ROOM])
{
	snprintf(to, NAME_ROOM, "%s.%s%s", r->path, stamp, ending);
	return to;
}

static const char *ending_of(const struct rotator *r, bool done)
{
	return r->compress == COMPRESS_GZIP ? (done ? ".gz" : ".gz.new") : done ? ".zst" : ".zst.new";
}

/* --- what is there --- */

static bool is_stamp(const char *s)
{
	static const char shape[] = "00000000T000000.000000Z";

	for (size_t i = 0; i < STAMP; i++)
		if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return false;
	return true;
}

static int look_at(void *arg, const char *name)
{
	struct rotator *r = arg;
	const char *slash = strrchr(r->path, '/'), *base = slash ? slash + 1 : r->path;
	size_t n = strlen(base), k = 0;

	if (strncmp(name, base, n) != 0 || name[n] != '.' || !is_stamp(name + n + 1))
		return 0;
	while (k < sizeof endings / sizeof *endings && strcmp(name + n + 1 + STAMP, endings[k]) != 0)
		k++;
	if (k == sizeof endings / sizeof *endings)
		return 0;
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 32;
		r->found = xrealloc(r->found, r->room, sizeof *r->found);
	}
	memcpy(r->found[r->n].stamp, name + n + 1, STAMP);
	r->found[r->n].stamp[STAMP] = '\0';
	r->found[r->n++].has = 1u << k;
	return 0;
}

static int by_stamp(const void *a, const void *b)
{
	return strcmp(((const struct rotated *)a)->stamp, ((const struct rotated *)b)->stamp);
}

static int look(struct rotator *r, struct err *e)
{
	const char *slash = strrchr(r->path, '/');
	char folder[NAME_ROOM], why[96];
	int did;

	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - r->path) + (slash == r->path) : 1, slash ? r->path : ".");
	r->n = 0;
	did = r->files->list(folder, look_at, r);
	if (did < 0)
		return err_set(e, ERR_IO, "%s cannot be listed: %s", folder, err_os(did, why));
	if (!r->n)
		return 0;
	qsort(r->found, r->n, sizeof *r->found, by_stamp);
	size_t last = 0;

	for (size_t i = 1; i < r->n; i++) /* one row for all forms of a file */
		if (!strcmp(r->found[i].stamp, r->found[last].stamp))
			r->found[last].has |= r->found[i].has;
		else
			r->found[++last] = r->found[i];
	r->n = last + 1;
	return 0;
}

/* --- names --- */

static int64_t stamp_time(const char *s)
{
	char iso[40];
	int64_t us = 0;

	snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.10s", s, s + 4, s + 6, s + 9, s + 11, s + 13);
	return time_parse(iso, strlen(iso), &us) ? us : 0;
}

static void write_stamp(int64_t us, char to[static STAMP + 1])
{
	char iso[32];
	size_t n = 0;

	for (const char *s = time_text(us, iso); *s && n < STAMP; s++)
		if (*s != '-' && *s != ':')
			to[n++] = *s;
	to[n] = '\0';
}

int rotator_move(struct rotator *r, int64_t now, struct err *e)
{
	char to[NAME_ROOM], stamp[STAMP + 1], why[96];
	struct os_stat st;
	int64_t newest;
	int did;

	if (look(r, e) < 0)
		return -1;
	newest = r->n ? stamp_time(r->found[r->n - 1].stamp) : 0;
	write_stamp(now > newest ? now : newest + 1, stamp);
	name_of(r, stamp, "", to);
	did = r->files->stat(to, -1, &st);
	did = did == -ENOENT ? r->files->rename(r->path, to) : did == 0 ? -EEXIST : did;
	return did < 0 ? err_set(e, ERR_IO, "%s cannot be renamed to %s: %s", r->path, to, err_os(did, why)) : 0;
}

/* --- compressing --- */

static void let_go(struct rotator *r)
{
	char name[NAME_ROOM];

	if (!r->z)
		return;
	deflater_free(r->z);
	r->z = NULL;
	r->files->close(r->from);
	r->files->close(r->to);
	os_file_remove(name_of(r, r->stamp, ending_of(r, false), name)); /* gone already when it was renamed */
}

void rotator_free(struct rotator *r)
{
	if (!r)
		return;
	let_go(r);
	buf_free(&r->packed);
	free(r->found);
	free(r);
}

static int not_compressed(struct rotator *r, int did, struct err *e)
{
	char name[NAME_ROOM], why[96];

	let_go(r);
	return err_set(e, ERR_IO, "%s cannot be compressed: %s; it stays as it is", name_of(r, r->stamp, "", name), err_os(did, why));
}

static int begin(struct rotator *r, const char *stamp, struct err *e)
{
	char name[NAME_ROOM];

	memcpy(r->stamp, stamp, sizeof r->stamp);
	r->from = r->files->open(name_of(r, stamp, "", name), OS_PLAIN);
	if (r->from < 0)
		return not_compressed(r, r->from, e);
	r->to = r->files->open(name_of(r, stamp, ending_of(r, false), name), OS_CREATE_GROUP);
	if (r->to < 0) {
		r->files->close(r->from);
		return not_compressed(r, r->to, e);
	}
	r->at = r->unsynced = 0;
	r->z = deflater_new(r->compress);
	return 1;
}

static int finish(struct rotator *r, struct err *e)
{
	char name[NAME_ROOM], done[NAME_ROOM];
	int did = r->files->sync(r->to);

	if (did >= 0)
		did = r->files->rename(name_of(r, r->stamp, ending_of(r, false), name), name_of(r, r->stamp, ending_of(r, true), done));
	if (did < 0)
		return not_compressed(r, did, e);
	let_go(r);
	return 1; /* the next look finds both, and removes the plain one */
}

static int go_on(struct rotator *r, struct err *e)
{
	ssize_t got = r->files->read(r->from, r->piece, sizeof r->piece, r->at), did = 0;

	if (got < 0)
		return not_compressed(r, (int)got, e);
	buf_reset(&r->packed);
	deflater_step(r->z, r->piece, (size_t)got, got == 0, &r->packed);
	if (r->packed.n)
		did = r->files->write(r->to, r->packed.p, r->packed.n);
	r->at += got;
	r->unsynced += (int64_t)r->packed.n;
	if (did >= 0 && r->unsynced >= SYNC_EVERY) {
		did = r->files->sync(r->to);
		r->unsynced = 0;
	}
	if (did < 0)
		return not_compressed(r, (int)did, e);
	return got ? 1 : finish(r, e);
}

/* --- removing, and what comes next --- */

/* Which of a file's forms have to go: the oldest files wholly, a half-made one, a plain one that is there compressed. */
static unsigned unwanted(const struct rotator *r, size_t i)
{
	unsigned has = r->found[i].has;

	if (r->keep && r->n - i > (size_t)r->keep)
		return has;
	return (has & (GZIP_NEW | ZSTD_NEW)) | (has & (GZIP | ZSTD) ? has & PLAIN : 0);
}

static int tidy(struct rotator *r, struct err *e)
{
	int removed = 0, failed = 0;

	if (look(r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		for (unsigned k = 0, go = unwanted(r, i); go && removed < REMOVE_MOST; go &= ~(1u << k++)) {
			char name[NAME_ROOM], why[96];
			int did = go & 1u << k ? os_file_remove(name_of(r, r->found[i].stamp, endings[k], name)) : 0;

			removed += go & 1u << k ? 1 : 0;
			if (did < 0 && did != -ENOENT)
				failed = err_set(e, ERR_IO, "%s cannot be removed: %s", name, err_os(did, why));
		}
	if (failed || removed)
		return failed ? -1 : 1;
	for (size_t i = 0; r->compress != COMPRESS_NONE && i + 1 < r->n; i++)
		if (r->found[i].has == PLAIN)
			return begin(r, r->found[i].stamp, e);
	return 0;
}

int rotator_step(struct rotator *r, struct err *e)
{
	return r->z ? go_on(r, e) : tidy(r, e);
}
