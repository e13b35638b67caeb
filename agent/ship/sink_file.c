/* sink_file.c - records as lines at the end of a file.
 *
 * Why: the simplest receiver, and what a forwarder reads. Promises: a record is accepted when its line is on disk (one sync for all that were
 * written since the last poll); of a write that a full disk cut short the whole lines count, the rest is taken back and comes again; a
 * line that a crash left torn is cut off before the next one is written; a file that was removed is made again; one that is made anew, as
 * after SIGHUP, writes to a file of the configured name, so that rotation by renaming works. Its own rotation (ship/rotate.h) begins a new file
 * before a line that would make it too large, or that belongs to the next span of time. Refuses: folders, pipes and devices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ship/formats.h"
#include "ship/rotate.h"
#include "ship/sink_kinds.h"

#define BATCH_BYTES (8u << 20) /* one write; the record that goes beyond it is the last */
#define LINES 4096             /* without a result yet */
#define AGAIN_AFTER US_MINUTE  /* rotating, compressing, removing: what failed is tried again */

enum state { WRITTEN, KEPT, AGAIN };

struct line {
	int64_t seq, end; /* where it ends in the file */
	enum state state;
};

struct file_sink {
	int fd;          /* -1: not open */
	int64_t size;    /* of the file, without what is in text */
	int64_t synced;  /* so much of it is on disk */
	int64_t period;  /* number of the span of rotate.age that its first line belongs to */
	int64_t now;     /* and of the present one */
	int64_t rotate_at, tidy_at; /* monotonic: not before */
	struct rotator *rotator;    /* NULL: somebody else rotates, or nobody */
	bool busy;       /* it has something to do */
	bool told;       /* that it cannot do it */
	struct buf text; /* lines that are not written yet */
	struct line lines[LINES];
	size_t n;
	bool failed;     /* some come again: nothing newer goes before them */
	char why[160];   /* of these */
};

/* --- opening --- */

/* Where the last whole line ends. */
static int whole_end(const struct os_file_ops *files, int fd, int64_t size, int64_t *end)
{
	char chunk[4096];

	for (*end = size; *end > 0;) {
		int64_t from = *end > (int64_t)sizeof chunk ? *end - (int64_t)sizeof chunk : 0;
		ssize_t got = files->read(fd, chunk, (size_t)(*end - from), from);

		if (got != *end - from)
			return got < 0 ? (int)got : -EIO;
		while (got > 0 && chunk[got - 1] != '\n')
			got--;
		*end = from + got;
		if (got > 0)
			return 0;
	}
	return 0;
}

/* Cuts off a line without an end: its record was never acknowledged, so the spool gives it again. The file is open for writing as fd, and
 * may have been renamed since. */
static int mend_tail(const struct sink *s, const char *path, int fd, int64_t *size)
{
	struct os_stat mine, theirs = { 0 };
	int read_fd = s->files->open(path, OS_PLAIN), did;
	int64_t end;

	if (read_fd < 0)
		return read_fd;
	did = s->files->stat(NULL, fd, &mine);
	if (did >= 0)
		did = s->files->stat(NULL, read_fd, &theirs);
	if (did >= 0)
		did = mine.device == theirs.device && mine.inode == theirs.inode ? whole_end(s->files, read_fd, mine.size, &end) : -EAGAIN;
	s->files->close(read_fd);
	if (did >= 0 && end < mine.size)
		did = os_file_cut(fd, end);
	if (did >= 0)
		*size = end;
	return did;
}

/* A new name is on disk when its folder is. */
static int sync_folder(const struct os_file_ops *files, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct buf folder;
	int fd, did;

	buf_init(&folder, 8192);
	buf_add(&folder, slash ? path : ".", slash == path ? 1 : slash ? (size_t)(slash - path) : 1);
	fd = files->open(buf_text(&folder), OS_PLAIN);
	buf_free(&folder);
	if (fd < 0)
		return fd;
	did = files->sync(fd);
	files->close(fd);
	return did == -EINVAL ? 0 : did; /* a file system that does not sync folders */
}

static void shut(struct sink *s)
{
	struct file_sink *f = s->self;

	if (f->fd >= 0)
		s->files->close(f->fd);
	f->fd = -1;
}

static struct file_sink *sink_self(struct sink *s)
{
	const struct sink_config *c = s->config;
	struct file_sink *f = xcalloc(1, sizeof *f);
	static const enum compression kinds[] = { [SINK_PLAIN] = COMPRESS_NONE, [SINK_GZIP] = COMPRESS_GZIP, [SINK_ZSTD] = COMPRESS_ZSTD };

	buf_init(&f->text, 2 * BATCH_BYTES);
	f->fd = -1;
	if (c->file.rotate.size || c->file.rotate.age)
		f->rotator = rotator_new(s->files, c->file.path, c->file.rotate.keep, kinds[c->file.rotate.compress]);
	f->busy = f->rotator; /* a crash may have left work */
	return f;
}

static int64_t period_of(const struct sink *s, int64_t wall)
{
	int64_t age = s->config->file.rotate.age;

	return age ? wall / age : 0;
}

static int file_open(struct sink *s, struct err *e)
{
	struct file_sink *f = s->self = s->self ? s->self : sink_self(s);
	const char *path = s->config->file.path;
	struct os_stat st = { 0 };
	char why[96];
	int did;

	if (f->fd >= 0)
		return 0;
	did = s->files->stat(path, -1, &st);
	if (did < 0 && did != -ENOENT)
		return err_set(e, ERR_IO, "%s cannot be looked at: %s", path, err_os(did, why));
	if (did == 0 && (st.is_folder || st.is_special))
		return err_set(e, ERR_IO, "%s is a %s; name a file", path, st.is_folder ? "folder" : "pipe, socket or device");
	f->fd = s->files->open(path, OS_APPEND_GROUP);
	if (f->fd < 0)
		return err_set(e, ERR_IO, "%s cannot be opened for writing: %s", path, err_os(f->fd, why));
	f->size = 0;
	did = did < 0 ? sync_folder(s->files, path) : mend_tail(s, path, f->fd, &f->size);
	if (did < 0) {
		shut(s);
		return err_set(e, ERR_IO, "the end of %s cannot be mended: %s", path, err_os(did, why));
	}
	f->synced = f->size;
	f->period = period_of(s, st.mtime_us);
	return 0;
}

/* --- writing --- */

/* Lines behind `end` are not in the file, and come again. */
static void take_back(struct file_sink *f, int64_t end, const char *path, int did)
{
	struct err t = { 0 };
	char why[96];

	err_set(&t, ERR_IO, "%s cannot be written: %s", path, err_os(did, why));
	text_copy(f->why, sizeof f->why, t.text);
	for (size_t i = 0; i < f->n; i++)
		if (f->lines[i].state == WRITTEN && f->lines[i].end > end) {
			f->lines[i].state = AGAIN;
			f->failed = true;
		}
}

/* Everything that was written is on disk behind it, or has been taken back (-1), and then the file is not open. */
static int sync_lines(struct sink *s)
{
	struct file_sink *f = s->self;
	int did = f->fd >= 0 && f->size > f->synced ? s->files->sync(f->fd) : 0;

	if (did < 0) {
		/* After a failed sync nobody knows what is there: it is written anew. */
		(void)os_file_cut(f->fd, f->synced);
		take_back(f, f->synced, s->config->file.path, did);
		shut(s);
	} else {
		f->synced = f->size;
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->lines[i].state == WRITTEN)
			f->lines[i].state = KEPT;
	return did < 0 ? -1 : 0;
}

/* Of the first n bytes of text: those in whole lines that are in the file after a write that failed. */
static int64_t whole_lines(const struct sink *s, size_t n)
{
	const struct file_sink *f = s->self;
	struct os_stat st;
	int64_t there;

	if (s->files->stat(NULL, f->fd, &st) < 0 || st.size <= f->size)
		return 0;
	there = st.size - f->size < (int64_t)n ? st.size - f->size : (int64_t)n;
	while (there > 0 && f->text.p[there - 1] != '\n')
		there--;
	return there;
}

/* Brings the first n bytes of text to the file. What does not get there as a whole line is cut off again at once. */
static int write_out(struct sink *s, size_t n)
{
	struct file_sink *f = s->self;
	ssize_t did = n ? s->files->write(f->fd, f->text.p, n) : 0;

	if (did < 0) {
		f->size += whole_lines(s, n);
		take_back(f, f->size, s->config->file.path, (int)did);
		if (os_file_cut(f->fd, f->size) < 0 && sync_lines(s) == 0)
			shut(s); /* file_open mends it */
	} else {
		f->size += (int64_t)n;
	}
	buf_cut(&f->text, n);
	return did < 0 ? -1 : 0;
}

/* --- rotation --- */

/* Says once what does not work, and that it works again (""). Records are written all the same. */
static void note(struct sink *s, const char *text)
{
	struct file_sink *f = s->self;
	bool bad = *text;

	if (s->log && bad != f->told)
		log_say(s->log, bad ? LOG_WARN : LOG_INFO, bad ? "rotated files cannot be kept as they should be; records are written all the same" :
			"rotation works again", "sink", s->config->name, bad ? "why" : (const char *)NULL, text, NULL);
	f->told = bad;
}

/* Does the line of `text` that begins at `from` belong into another file? */
static bool is_due(struct sink *s, size_t from)
{
	struct file_sink *f = s->self;
	int64_t most = s->config->file.rotate.size;

	if (!f->rotator)
		return false;
	if (f->size + (int64_t)from == 0) {
		f->period = f->now;
		return false;
	}
	return ((most && f->size + (int64_t)f->text.n > most) || f->now > f->period) && clock_monotonic(s->clock) >= f->rotate_at;
}

/* A new file for what is in text from there on. -1: lines before it come again, or there is no file now. */
static int rotate(struct sink *s, size_t from, struct err *e)
{
	struct file_sink *f = s->self;
	struct err t = { 0 };

	if (write_out(s, from) < 0 || sync_lines(s) < 0)
		return err_set(e, ERR_IO, "%s", f->why);
	shut(s);
	if (rotator_move(f->rotator, clock_wall(s->clock), &t) < 0) {
		note(s, t.text);
		f->rotate_at = clock_monotonic(s->clock) + AGAIN_AFTER;
	}
	f->busy = true;
	if (file_open(s, e) < 0)
		return -1;
	if (!f->size)
		f->period = f->now;
	return 0;
}

/* One piece of what is to be done with rotated files. */
static void tidy(struct sink *s)
{
	struct file_sink *f = s->self;
	struct err e = { 0 };
	int did;

	if (!f->busy || clock_monotonic(s->clock) < f->tidy_at)
		return;
	did = rotator_step(f->rotator, &e);
	f->busy = did != 0;
	if (did < 0) {
		note(s, e.text);
		f->tidy_at = clock_monotonic(s->clock) + AGAIN_AFTER;
	} else if (did == 0 && clock_monotonic(s->clock) >= f->rotate_at) {
		note(s, "");
	}
}

/* --- records --- */

/* The file as it is now: somebody may have removed or shortened it. */
static int look(struct sink *s, struct err *e)
{
	struct file_sink *f = s->self;
	struct os_stat st = { 0 };
	int did = f->fd >= 0 ? s->files->stat(NULL, f->fd, &st) : 0;

	if (f->fd >= 0 && (did < 0 || !st.links)) {
		take_back(f, -1, s->config->file.path, did < 0 ? did : -ENOENT);
		shut(s);
	} else if (f->fd >= 0 && st.size != f->size && sync_lines(s) == 0) {
		f->size = f->synced = st.size;
	}
	return file_open(s, e);
}

static void put_line(const struct sink *s, const struct spool_record *r, struct buf *to)
{
	struct record_view v;

	if (!ndjson_as_is(s->config, r, to)) {
		view_open(&v, r);
		(s->config->format ? s->config->format->write : format_ndjson)(s->config, &v, FORMAT_ANY, to);
		view_close(&v);
	}
	buf_char(to, '\n');
}

static int file_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct file_sink *f = s->self;
	size_t taken = 0;

	n = n < LINES - f->n ? n : LINES - f->n;
	if (!n || f->failed)
		return 0;
	tidy(s);
	if (look(s, e) < 0)
		return -1;
	buf_reset(&f->text);
	f->now = period_of(s, clock_wall(s->clock));
	for (; taken < n && f->text.n < BATCH_BYTES; taken++) {
		size_t before = f->text.n;

		put_line(s, &r[taken], &f->text);
		if (is_due(s, before) && rotate(s, before, e) < 0) {
			buf_reset(&f->text);
			break;
		}
		f->lines[f->n++] = (struct line){ .seq = r[taken].seq, .end = f->size + (int64_t)f->text.n };
	}
	(void)write_out(s, f->text.n);
	return taken ? (int)taken : -1;
}

static int file_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct file_sink *f = s->self;

	(void)e;
	*got = 0;
	if (!f)
		return 0;
	tidy(s);
	(void)sync_lines(s);
	n = f->n < n ? f->n : n;
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &f->lines[i];

		to[i] = (struct sink_result){ .seq = l->seq, .outcome = l->state == KEPT ? SINK_ACCEPTED : SINK_RETRY };
		if (l->state == AGAIN)
			memcpy(to[i].why, f->why, sizeof f->why);
	}
	memmove(f->lines, f->lines + n, (f->n - n) * sizeof *f->lines);
	f->n -= n;
	f->failed = f->failed && f->n;
	*got = n;
	return 0;
}

/* A file is always ready: while there are rotated files to work on, the pump comes back at once. */
static int file_wait_fd(struct sink *s, bool *write)
{
	const struct file_sink *f = s->self;

	*write = f && f->busy && clock_monotonic(s->clock) >= f->tidy_at;
	return *write ? f->fd : -1;
}

static int file_flush(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0; /* the next poll syncs and has all results */
}

/* Can a file be made beside it? Nothing stays of the try. */
static int probe(struct sink *s, struct err *e)
{
	struct buf name;
	char why[96];
	int did;

	buf_init(&name, 8192);
	buf_printf(&name, "%s.evmend-check", s->config->file.path);
	did = os_file_replace(s->files, buf_text(&name), "", 0);
	os_file_remove(buf_text(&name));
	buf_free(&name);
	return did < 0 ? err_set(e, ERR_IO, "%s cannot be made: %s", s->config->file.path, err_os(did, why)) : 0;
}

/* There already: can it be written, and rotated? Not there: can it be made? Nothing is. */
static int file_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	const char *path = s->config->file.path;
	bool rotates = s->config->file.rotate.size || s->config->file.rotate.age;
	struct os_stat st;
	char why[96];
	int fd;

	(void)until;
	buf_str(says, path);
	if (s->files->stat(path, -1, &st) < 0)
		return probe(s, e);
	fd = st.is_folder ? -EISDIR : st.is_special ? -OS_NO_FILE : s->files->open(path, OS_APPEND);
	if (fd >= 0)
		s->files->close(fd);
	if (fd < 0)
		return err_set(e, ERR_IO, "%s cannot be written: %s", path, err_os(fd, why));
	return rotates ? probe(s, e) : 0;
}

static void file_close(struct sink *s)
{
	struct file_sink *f = s->self;

	if (!f)
		return;
	(void)sync_lines(s);
	shut(s);
	rotator_free(f->rotator);
	buf_free(&f->text);
	free(f);
	s->self = NULL;
}

const struct sink_ops sink_file_ops = {
	.open = file_open,
	.submit = file_submit,
	.poll = file_poll,
	.wait_fd = file_wait_fd,
	.flush = file_flush,
	.check = file_check,
	.close = file_close,
};
