/* sink_file.c - records as lines of JSON at the end of a file.
 *
 * Why: the simplest receiver, and what a forwarder reads. Promises: a record is accepted when its line is on disk (one write and one
 * sync for a batch); a line that a crash or a full disk left torn is cut off before the next one is written, its record comes again; after
 * `reopen` the next line goes to a file of the configured name, so that rotation by renaming works. Refuses: folders. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ship/formats.h"
#include "ship/sink_kinds.h"

#define BATCH_BYTES (8u << 20) /* one write; the record that goes beyond it is the last */
#define RESULTS 512

struct file_sink {
	int fd;
	bool torn; /* the last write failed: a part of it may be there */
	struct buf text;
	struct sink_result results[RESULTS];
	size_t n;
};

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

/* Cuts off a line without an end: its record was never acknowledged, so the spool gives it again. */
static int mend_tail(struct sink *s, struct err *e)
{
	const char *path = s->config->file.path;
	struct os_stat st;
	char why[96];
	int64_t end;
	int fd, r = s->files->stat(path, -1, &st);

	if (r == -ENOENT || (r == 0 && !st.size))
		return 0;
	if (r < 0)
		return err_set(e, ERR_IO, "sink %s: %s cannot be looked at: %s", s->config->name, path, err_os(r, why));
	if (st.is_folder)
		return err_set(e, ERR_IO, "sink %s: %s is a folder; name a file", s->config->name, path);
	fd = s->files->open(path, OS_READ);
	r = fd < 0 ? fd : whole_end(s->files, fd, st.size, &end);
	if (fd >= 0)
		s->files->close(fd);
	if (!r && end < st.size)
		r = os_file_cut(path, end);
	return r < 0 ? err_set(e, ERR_IO, "sink %s: the end of %s cannot be mended: %s", s->config->name, path, err_os(r, why)) : 0;
}

static int file_open(struct sink *s, struct err *e)
{
	struct file_sink *f = s->self;
	char why[96];

	if (!f) {
		f = s->self = xcalloc(1, sizeof *f);
		buf_init(&f->text, 2 * BATCH_BYTES);
		f->fd = -1;
	}
	if (f->fd >= 0)
		return 0;
	if (mend_tail(s, e) < 0)
		return -1;
	f->fd = s->files->open(s->config->file.path, OS_APPEND);
	if (f->fd < 0)
		return err_set(e, ERR_IO, "sink %s: %s cannot be opened for writing: %s", s->config->name, s->config->file.path, err_os(f->fd, why));
	f->torn = false;
	return 0;
}

static int file_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct file_sink *f = s->self;
	format_fn *write_one = s->config->format ? s->config->format->write : format_ndjson;
	char why[96];
	ssize_t did;

	n = n < RESULTS - f->n ? n : RESULTS - f->n;
	if (!n)
		return 0;
	if (f->torn && mend_tail(s, e) < 0)
		return -1;
	f->torn = false;
	buf_reset(&f->text);
	size_t taken = 0;

	for (; taken < n && f->text.n < BATCH_BYTES; taken++) {
		struct record_view v;

		view_open(&v, &r[taken]);
		write_one(s->config, &v, FORMAT_ANY, &f->text);
		buf_char(&f->text, '\n');
		view_close(&v);
	}
	n = taken;
	did = s->files->write(f->fd, f->text.p, f->text.n);
	if (did >= 0)
		did = s->files->sync(f->fd);
	f->torn = did < 0;
	for (size_t i = 0; i < n; i++) {
		struct sink_result *q = &f->results[f->n++];

		*q = (struct sink_result){ .seq = r[i].seq, .outcome = did < 0 ? SINK_RETRY : SINK_ACCEPTED };
		if (did < 0) {
			struct err t = { 0 };

			err_set(&t, ERR_IO, "%s cannot be written: %s", s->config->file.path, err_os((int)did, why));
			memcpy(q->why, t.text, sizeof q->why - 1);
		}
	}
	return (int)n;
}

static int file_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct file_sink *f = s->self;

	(void)e;
	*got = f->n < n ? f->n : n;
	memcpy(to, f->results, *got * sizeof *to);
	memmove(f->results, f->results + *got, (f->n - *got) * sizeof *to);
	f->n -= *got;
	return 0;
}

static int file_wait_fd(struct sink *s, bool *write)
{
	(void)s;
	*write = false;
	return -1;
}

static int file_flush(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0; /* submit has synced */
}

static void shut(struct sink *s)
{
	struct file_sink *f = s->self;

	if (f && f->fd >= 0)
		s->files->close(f->fd);
	if (f)
		f->fd = -1;
}

static void file_reopen(struct sink *s)
{
	shut(s);
}

/* There already: can it be written? Not there: can it be made? Nothing is. */
static int file_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	const char *path = s->config->file.path;
	struct os_stat st;
	struct buf probe;
	char why[96];
	int fd, did = s->files->stat(path, -1, &st);

	(void)until;
	buf_str(says, path);
	if (did == 0) {
		fd = st.is_folder ? -EISDIR : s->files->open(path, OS_APPEND);
		if (fd >= 0)
			s->files->close(fd);
		return fd < 0 ? err_set(e, ERR_IO, "%s cannot be written: %s", path, err_os(fd, why)) : 0;
	}
	buf_init(&probe, 8192);
	buf_printf(&probe, "%s.evmend-check", path);
	did = os_file_replace(s->files, buf_text(&probe), "", 0);
	os_file_remove(buf_text(&probe));
	buf_free(&probe);
	return did < 0 ? err_set(e, ERR_IO, "%s cannot be made: %s", path, err_os(did, why)) : 0;
}

static void file_close(struct sink *s)
{
	struct file_sink *f = s->self;

	shut(s);
	if (f)
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
	.reopen = file_reopen,
	.check = file_check,
	.close = file_close,
};
