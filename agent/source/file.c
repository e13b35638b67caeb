/* file.c - files that are read once from beginning to end: one file, a folder of them, or standard input.
 *
 * Promises: files in the order of their paths; each gives a batch that begins and, at last, one that ends, also after damage in the
 * middle. One bad file does not keep the others from being read.
 * Refuses: nothing of what is inside; a path that does not exist. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/kinds.h"
#include "source/position.h"
#include "source/stream.h"
#include "source/walk.h"

struct file_source {
	struct walked list;
	size_t at;          /* the file that is being read */
	bool open, begun;
	bool broken;        /* reading failed; the end is still to be told */
	struct stream stream;
	int64_t file_time;
	struct source_counts counts;
	int64_t before;     /* raw bytes of files that are done */
	struct resumes resumes;
};

static void *make(const struct source_options *o)
{
	struct file_source *f = xcalloc(1, sizeof(*f));

	(void)o;
	f->stream.fd = -1;
	return f;
}

static int open_files(struct source *s, struct err *e)
{
	struct file_source *f = s->self;

	if (walked_fill(&f->list, s->options.files, s->options.path, e))
		return -1;
	for (size_t i = 0; i < f->list.n; i++)
		f->counts.total_bytes += f->list.size[i];
	return 0;
}

static int open_stdin(struct source *s, struct err *e)
{
	struct file_source *f = s->self;

	(void)e;
	stream_start(&f->stream, s->options.files, 0, "-", false);
	f->open = true;
	f->counts.files = 1;
	return 0;
}

static int no_fd(struct source *s)
{
	(void)s;
	return -1;
}

static int stdin_fd(struct source *s)
{
	(void)s;
	return 0;
}

/* Goes on at a stored position when it still fits; else at the beginning. */
static int resume_file(struct file_source *f, const struct os_file_ops *files, const char *path, struct err *e)
{
	const char *text = resumes_find(&f->resumes, path);
	struct position p;
	int fits;

	if (!text)
		return 0;
	fits = position_parse(text, &p) ? position_fits(files, f->stream.fd, &p) : 0;
	resumes_drop(&f->resumes, path);
	if (fits <= 0) {
		f->counts.truncations++;
		return 0;
	}
	f->begun = p.offset > 0;
	return p.offset ? stream_skip(&f->stream, p.offset, e) : 0;
}

static int open_next(struct source *s, struct err *e)
{
	struct file_source *f = s->self;
	const struct os_file_ops *files = s->options.files;
	const char *path = f->list.path[f->at];
	struct os_stat st = { 0 };
	char why[96];
	bool named = strcmp(path, s->options.path) == 0;
	int fd = files->open(path, named && s->options.may_wait ? OS_READ : OS_PLAIN);

	if (fd < 0) {
		f->counts.errors++;
		f->at++;
		return err_set(e, ERR_IO, "%s cannot be opened: %s", path, err_os(fd, why));
	}
	f->file_time = files->stat(NULL, fd, &st) < 0 ? 0 : st.mtime_us;
	stream_start(&f->stream, files, fd, path, !st.is_special);
	f->open = true;
	f->begun = f->broken = false;
	f->counts.files++;
	if (resume_file(f, files, path, e) < 0) {
		f->counts.errors++;
		f->broken = true;
		return -1;
	}
	return 0;
}

static void end_file(struct file_source *f, struct source_batch *b)
{
	f->before += f->stream.raw;
	stream_close(&f->stream);
	f->open = false;
	f->at++;
	b->n = 0;
	b->ends = true;
}

static int next(struct source *s, struct source_batch *b, struct err *e)
{
	struct file_source *f = s->self;
	bool is_stdin = s->options.kind == SOURCE_STDIN;
	int r = 0;

	*b = (struct source_batch){ .bytes = "" };
	if (!f->open) {
		if (f->at >= f->list.n)
			return 0;
		if (open_next(s, e))
			return -1;
	}
	b->partition = is_stdin ? "-" : f->list.path[f->at];
	b->file_time = f->file_time;
	b->offset = f->stream.offset;
	if (!f->broken)
		r = stream_read(&f->stream, &b->bytes, &b->n, e);
	if (r == -EAGAIN) {
		b->idle = true;
		return 1;
	}
	f->counts.read_bytes = f->before + f->stream.raw;
	b->begins = !f->begun;
	if (r < 0) {
		f->counts.errors++;
		f->broken = true;
		return -1;
	}
	f->begun = true;
	f->counts.bytes += b->n;
	if (!r)
		end_file(f, b);
	return 1;
}

static void ack(struct source *s, const char *partition, int64_t offset)
{
	(void)s, (void)partition, (void)offset; /* a file need not be told */
}

static void counts(const struct source *s, struct source_counts *c)
{
	const struct file_source *f = s->self;

	*c = f->counts;
	c->note = f->list.note[0] ? f->list.note : NULL;
}

static void close_source(struct source *s)
{
	struct file_source *f = s->self;

	stream_close(&f->stream);
	f->open = false;
	walked_free(&f->list);
	resumes_free(&f->resumes);
}

static void position(const struct source *s, const char *partition, int64_t offset, char *to, size_t n)
{
	const struct os_file_ops *files = s->options.files;
	struct position p;
	uint8_t head[6];
	ssize_t got;
	int fd = files->open(partition, OS_PLAIN);

	if (fd < 0)
		return; /* no position: read from the beginning next time */
	got = files->read(fd, head, sizeof(head), 0);
	if (got >= 0 && !position_measure(files, fd, offset, compression_of(head, (size_t)got) != COMPRESS_NONE, &p))
		position_text(&p, to, n);
	files->close(fd);
}

static void resume(struct source *s, const char *partition, const char *text)
{
	struct file_source *f = s->self;

	resumes_add(&f->resumes, partition, text);
}

/* A pipe has no position: what was read from it is gone. */
static void no_position(const struct source *s, const char *partition, int64_t offset, char *to, size_t n)
{
	(void)s, (void)partition, (void)offset, (void)to, (void)n;
}

static void no_resume(struct source *s, const char *partition, const char *text)
{
	(void)s, (void)partition, (void)text;
}

static const struct source_ops file_ops = { open_files, no_fd, next, ack, counts, close_source };
static const struct source_ops stdin_ops = { open_stdin, stdin_fd, next, ack, counts, close_source };

const struct source_kind_row source_file_row = { SOURCE_FILE, &file_ops, make, position, resume };
const struct source_kind_row source_stdin_row = { SOURCE_STDIN, &stdin_ops, make, no_position, no_resume };
