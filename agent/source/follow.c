/* follow.c - files that grow: read what is new, and know a new file from a grown one.
 *
 * Why: logs are rotated (renamed, a new file in their place), cut, rewritten in place or copied and cut, while we read and while we are
 * stopped; each of these must neither lose an event nor show the wrong half of one.
 * Promises: a file that was rotated away is read to its end first, also after a restart, when it is found in the same folder; then the
 * generations that came after it, oldest first (generation.h). Before new bytes are taken after a rest, the bytes before them must still
 * be the same. A failing read is tried again from the same place.
 * Refuses: compressed files (they do not grow) and, in a folder, NAME.suffix beside NAME: those are its older generations, which are
 * read only as far as they were not read yet. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compress.h"
#include "source/generation.h"
#include "source/kinds.h"
#include "source/position.h"
#include "source/walk.h"

#define CHUNK (256u << 10)
#define OPEN_AT_MOST 64            /* a folder with more files closes those that rest */
#define TRIES 5                    /* then an unreadable neighbour no longer keeps the new file from being read */
#define COPY_BYTES 64              /* a file is known to be a copy by no fewer bytes */
#define LOOK_EVERY (2 * US_SECOND) /* and is listed that often only */

struct followed {
	char *path;
	int fd;                /* -1: not open */
	struct position known; /* of the bytes up to known.offset, as last seen */
	int64_t offset;        /* read so far */
	bool checked;          /* known still fits: no rest since */
	bool begun;            /* its stream was begun, and is to be ended */
	bool ended;            /* its end was told: open what is at path now */
	bool gone;             /* removed from a folder, and read to its end: nothing more will come */
	bool refused;          /* compressed */
	bool complained;       /* about what keeps it from being opened */
	unsigned tries;        /* searches for the stored position's file that failed */
	bool resting;          /* closed to save descriptors; its position is in resumes */
	uint64_t past_device, past_inode; /* the generation before this one */
	int64_t after;         /* us: when it was written last, until its successor is open; 0: what is at path comes next */
};

struct follow_source {
	struct followed *file;
	size_t n, turn;
	uint8_t *bytes;
	int64_t looked; /* monotonic */
	struct resumes resumes;
	struct source_counts counts;
	char note[sizeof(((struct walked *)0)->note)]; /* of the first folder that was left out */
};

static void *make(const struct source_options *o)
{
	struct follow_source *f = xcalloc(1, sizeof(*f));

	(void)o;
	f->bytes = xcalloc(1, CHUNK);
	return f;
}

static struct followed *find(const struct follow_source *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->file[i].path, path))
			return &f->file[i];
	return NULL;
}

static void add(struct follow_source *f, const char *path)
{
	f->file = xrealloc(f->file, f->n + 1, sizeof(*f->file));
	f->file[f->n++] = (struct followed){ .path = xstrdup(path), .fd = -1 };
}

/* Is path NAME.suffix of a NAME that is in the list or followed? */
static bool older_generation(const struct follow_source *f, const struct walked *list, const char *path)
{
	for (const char *dot = strrchr(path, '/') ? strrchr(path, '/') + 1 : path; (dot = strchr(dot, '.')) != NULL; dot++) {
		size_t n = (size_t)(dot - path);

		for (size_t i = 0; i < list->n; i++)
			if (strlen(list->path[i]) == n && !strncmp(list->path[i], path, n))
				return true;
		for (size_t i = 0; i < f->n; i++)
			if (strlen(f->file[i].path) == n && !strncmp(f->file[i].path, path, n))
				return true;
	}
	return false;
}

/* A file that we read under another name: it was renamed, and is read to its end under the old one. */
static bool known_elsewhere(const struct source *s, const char *path)
{
	const struct follow_source *f = s->self;
	struct os_stat st;

	if (s->options.files->stat(path, -1, &st) < 0)
		return false;
	for (size_t i = 0; i < f->n; i++) {
		const struct followed *w = &f->file[i];

		if ((w->fd >= 0 || w->resting) && w->known.device == st.device && w->known.inode == st.inode)
			return true;
		if (w->past_inode == st.inode && w->past_device == st.device)
			return true;
	}
	return false;
}

/* Files that are new at path. A single file is followed also before it exists. */
static int look(struct source *s, struct err *e)
{
	struct follow_source *f = s->self;
	struct walked list = { 0 };
	struct os_stat st = { 0 };
	int64_t now = s->options.clock ? clock_monotonic(s->options.clock) : 0;
	int r;

	if (f->n > OPEN_AT_MOST && s->options.clock && now - f->looked < LOOK_EVERY)
		return 0;
	f->looked = now;
	r = s->options.files->stat(s->options.path, -1, &st);
	if (r == -ENOENT || (r >= 0 && !st.is_folder)) {
		if (!find(f, s->options.path))
			add(f, s->options.path);
		return 0;
	}
	if (walked_fill(&list, s->options.files, s->options.path, e)) {
		walked_free(&list);
		return -1;
	}
	if (!f->note[0])
		memcpy(f->note, list.note, sizeof f->note);
	for (size_t i = 0; i < list.n; i++)
		if (!find(f, list.path[i]) && !older_generation(f, &list, list.path[i]) && !known_elsewhere(s, list.path[i]))
			add(f, list.path[i]);
	walked_free(&list);
	return 0;
}

static int open_source(struct source *s, struct err *e)
{
	if (!s->options.path || !s->options.path[0])
		return err_set(e, ERR_USAGE, "source %s: kind follow needs a path", s->options.name ? s->options.name : "");
	return look(s, e);
}

static int wait_fd(struct source *s)
{
	(void)s;
	return -1;
}

static int failed(struct follow_source *f, struct err *e, const char *path, const char *what, int error)
{
	char why[96];

	f->counts.errors++;
	return err_set(e, ERR_IO, "%s: %s: %s", path, what, err_os(error, why));
}

/* --- going on where an earlier run stopped --- */

struct search {
	const struct source *s;
	const struct followed *w;
	const struct position *p;
	int fd;
	bool same_inode;
	int error;
};

/* Does this neighbour hold what we read? The file itself under a new name is better than a copy of it. */
static int try_neighbour(void *arg, const char *name)
{
	struct search *q = arg;
	const struct os_file_ops *files = q->s->options.files;
	const char *slash = strrchr(q->w->path, '/'), *base = slash ? slash + 1 : q->w->path;
	size_t folder = (size_t)(base - q->w->path);
	struct os_stat st;
	bool same = false;
	char *path;
	int fd, fits;

	if (strncmp(name, base, strlen(base)) != 0 || !strcmp(name, base) || q->same_inode)
		return 0;
	path = xcalloc(1, folder + strlen(name) + 1);
	memcpy(path, q->w->path, folder);
	memcpy(path + folder, name, strlen(name));
	fd = files->open(path, OS_PLAIN);
	free(path);
	fits = fd < 0 ? fd : files->stat(NULL, fd, &st);
	if (fits >= 0) {
		same = st.device == q->p->device && st.inode == q->p->inode;
		fits = same || q->p->offset >= COPY_BYTES ? position_fits(files, fd, q->p) : 0;
	}
	if (fits <= 0) {
		q->error = fits < 0 ? fits : q->error;
		if (fd >= 0)
			files->close(fd);
		return 0;
	}
	if (q->fd >= 0)
		files->close(q->fd);
	q->fd = fd;
	q->same_inode = same;
	return 0;
}

static int find_rotated(struct source *s, const struct followed *w, const struct position *p)
{
	struct search q = { .s = s, .w = w, .p = p, .fd = -1 };
	const char *slash = strrchr(w->path, '/');
	char *folder = slash ? xstrndup(w->path, slash > w->path ? (size_t)(slash - w->path) : 1) : xstrdup(".");
	int r = s->options.files->list(folder, try_neighbour, &q);

	free(folder);
	if (q.fd >= 0)
		return q.fd;
	return r < 0 ? r : q.error < 0 && q.error != -ENOENT ? q.error : -ENOENT;
}

/* With a stored position: the descriptor to read from, w set to where; -errno, and fd (what is at path now, or negative) is closed. */
static int resume_at(struct source *s, struct followed *w, int fd, const struct position *p)
{
	struct follow_source *f = s->self;
	const struct os_file_ops *files = s->options.files;
	struct os_stat st = { 0 };
	bool same = false;
	int r = 0, old;

	if (fd >= 0) {
		r = files->stat(NULL, fd, &st);
		same = r >= 0 && st.device == p->device && st.inode == p->inode;
		if (r >= 0)
			r = same ? position_fits(files, fd, p) : 0;
	}
	old = r > 0 ? fd : r < 0 ? r : find_rotated(s, w, p);
	if (old < 0 && old != -ENOENT && ++w->tries >= TRIES)
		old = -ENOENT;
	if (old >= 0) {
		w->offset = p->offset;
		w->begun = p->offset > 0;
	}
	if (old != fd && old != -ENOENT && fd >= 0)
		files->close(fd);
	if (old != -ENOENT)
		return old;
	if (fd >= 0)
		*(same ? &f->counts.truncations : &f->counts.rotations) += 1;
	w->after = same ? 0 : p->mtime_us;
	w->past_device = p->device;
	w->past_inode = p->inode;
	return fd;
}

/* Rotated more than once since the last look? Then the oldest unread generation is to be read, and not what is at path (fd, closed). */
static int in_order(struct source *s, struct followed *w, int fd)
{
	const struct os_file_ops *files = s->options.files;
	struct generation_search q = { .files = files, .path = w->path, .any_mark = !strcmp(w->path, s->options.path), .after = w->after,
		.device = w->past_device, .inode = w->past_inode };
	int next = w->after ? generation_after(&q, fd) : -ENOENT;

	if (next == -ENOENT)
		return fd;
	if (fd >= 0)
		files->close(fd);
	return next;
}

/* 1: open; 0: nothing there yet; -1 and *e: it cannot be opened (said once, tried again each time). */
static int open_file(struct source *s, struct followed *w, struct err *e)
{
	struct follow_source *f = s->self;
	const struct os_file_ops *files = s->options.files;
	const char *text = resumes_find(&f->resumes, w->path);
	int fd = files->open(w->path, OS_PLAIN), r;
	struct position p;

	w->offset = 0;
	w->begun = w->ended = w->refused = w->resting = false;
	if (text && position_parse(text, &p) && (fd >= 0 || fd == -ENOENT))
		fd = resume_at(s, w, fd, &p);
	if (fd >= 0 || fd == -ENOENT)
		fd = in_order(s, w, fd);
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : position_measure(files, fd, w->offset, false, &w->known);
	if (r < 0) {
		if (fd >= 0)
			files->close(fd);
		if (w->complained)
			return 0;
		w->complained = true;
		return failed(f, e, w->path, "cannot be opened", r);
	}
	resumes_drop(&f->resumes, w->path);
	w->fd = fd;
	w->complained = false;
	w->tries = 0;
	w->after = 0;
	w->checked = true;
	f->counts.files++;
	return 1;
}

/* --- reading --- */

static void begin_batch(const struct followed *w, struct source_batch *b)
{
	*b = (struct source_batch){ .partition = w->path, .bytes = "", .offset = w->offset, .begins = !w->begun };
}

/* The stream ends here; what is at path is opened at the next call. Nothing to say when it never began. */
static int end_stream(struct followed *w, struct source_batch *b)
{
	begin_batch(w, b);
	b->ends = true;
	w->ended = true;
	return w->begun;
}

static void forget(struct source *s, struct followed *w)
{
	if (w->fd >= 0)
		s->options.files->close(w->fd);
	w->fd = -1;
}

/* Closes a file that gives nothing now, and remembers where it was. */
static void rest(struct source *s, struct followed *w)
{
	struct follow_source *f = s->self;
	char text[256];

	if (f->n <= OPEN_AT_MOST)
		return;
	position_text(&w->known, text, sizeof(text));
	resumes_add(&f->resumes, w->path, text);
	forget(s, w);
	w->resting = true;
}

static bool still_resting(struct source *s, const struct followed *w)
{
	struct os_stat st;

	return w->resting && s->options.files->stat(w->path, -1, &st) >= 0 && st.device == w->known.device &&
		st.inode == w->known.inode && st.size == w->known.offset;
}

/* At the end of what is open: is another file at path by now, or was this one cut? 1: yes, b says that it ended (or w->ended alone). */
static int at_end(struct source *s, struct followed *w, struct source_batch *b, struct err *e)
{
	struct follow_source *f = s->self;
	const struct os_file_ops *files = s->options.files;
	struct os_stat there, here;
	uint8_t probe;
	int r = files->stat(w->path, -1, &there);
	ssize_t more;

	w->checked = false;
	if (r == -ENOENT) {
		w->gone = strcmp(w->path, s->options.path) != 0 && files->stat(NULL, w->fd, &here) >= 0 && !here.links && here.size == w->offset;
		return w->gone ? end_stream(w, b) : 0;
	}
	if (r >= 0)
		r = files->stat(NULL, w->fd, &here);
	if (r < 0)
		return failed(f, e, w->path, "cannot be looked at", r);
	if (there.device != here.device || there.inode != here.inode) {
		more = files->read(w->fd, &probe, 1, w->offset); /* written between our read and the rename? */
		if (more < 0)
			return failed(f, e, w->path, "reading failed", (int)more);
		if (more)
			return 0;
		f->counts.rotations++;
		w->past_device = here.device;
		w->past_inode = here.inode;
		w->after = here.mtime_us;
		return end_stream(w, b);
	}
	if (here.size == w->offset && !w->refused)
		rest(s, w);
	if (here.size >= w->offset)
		return 0;
	f->counts.truncations++;
	return end_stream(w, b);
}

static int check(struct source *s, struct followed *w)
{
	int r;

	if (w->checked)
		return 1;
	r = position_fits(s->options.files, w->fd, &w->known);
	w->checked = r > 0;
	return r;
}

/* 1: a batch; 0: nothing new in this file; -1 and *e. */
static int read_file(struct source *s, struct followed *w, struct source_batch *b, struct err *e)
{
	struct follow_source *f = s->self;
	const struct os_file_ops *files = s->options.files;
	struct os_stat st;
	struct position known;
	ssize_t got;
	int r;

	if (w->ended)
		forget(s, w);
	if (still_resting(s, w))
		return 0;
	if (w->fd < 0 && (r = open_file(s, w, e)) <= 0)
		return r;
	got = files->read(w->fd, f->bytes, CHUNK, w->offset);
	if (got < 0)
		return failed(f, e, w->path, "reading failed", (int)got);
	if (!got || w->refused)
		return at_end(s, w, b, e);
	r = check(s, w);
	if (r < 0)
		return failed(f, e, w->path, "reading failed", r);
	if (!r) {
		f->counts.truncations++; /* rewritten in place */
		return end_stream(w, b);
	}
	if (!w->offset && compression_of(f->bytes, (size_t)got) != COMPRESS_NONE) {
		w->refused = true;
		f->counts.errors++;
		return err_set(e, ERR_IO, "%s is compressed and cannot be followed; scan it instead", w->path);
	}
	r = position_measure(files, w->fd, w->offset + got, false, &known);
	if (r < 0)
		return failed(f, e, w->path, "reading failed", r);
	w->known = known;
	begin_batch(w, b);
	b->bytes = f->bytes;
	b->n = (size_t)got;
	b->file_time = files->stat(NULL, w->fd, &st) < 0 ? 0 : st.mtime_us;
	w->begun = true;
	w->offset += got;
	f->counts.bytes += b->n;
	f->counts.read_bytes += got;
	return 1;
}

/* A folder from which files are removed when they were read must not cost a descriptor and disk space for each of them. */
static void drop_gone(struct source *s)
{
	struct follow_source *f = s->self;

	for (size_t i = f->n; i-- > 0;) {
		struct followed *w = &f->file[i];

		if (!w->gone || !w->ended)
			continue;
		forget(s, w);
		free(w->path);
		*w = f->file[--f->n];
	}
}

static int next(struct source *s, struct source_batch *b, struct err *e)
{
	struct follow_source *f = s->self;
	int r;

	drop_gone(s);
	for (size_t i = 0; i < f->n; i++) {
		f->turn = (f->turn + 1) % f->n;
		r = read_file(s, &f->file[f->turn], b, e);
		if (r == 0 && f->file[f->turn].ended) /* its old file is gone, and never began: look at the new one now */
			r = read_file(s, &f->file[f->turn], b, e);
		if (r)
			return r;
	}
	*b = (struct source_batch){ .partition = s->options.path, .bytes = "", .idle = true };
	return look(s, e) ? -1 : 1;
}

static void ack(struct source *s, const char *partition, int64_t offset)
{
	(void)s, (void)partition, (void)offset; /* a file need not be told */
}

static void counts(const struct source *s, struct source_counts *c)
{
	const struct follow_source *f = s->self;

	*c = f->counts;
	c->note = f->note[0] ? f->note : NULL;
}

static void close_source(struct source *s)
{
	struct follow_source *f = s->self;

	for (size_t i = 0; i < f->n; i++) {
		forget(s, &f->file[i]);
		free(f->file[i].path);
	}
	free(f->file);
	free(f->bytes);
	f->file = NULL;
	f->bytes = NULL;
	f->n = 0;
	resumes_free(&f->resumes);
}

static void position(const struct source *s, const char *partition, int64_t offset, char *to, size_t n)
{
	const struct os_file_ops *files = s->options.files;
	const struct followed *w = find(s->self, partition);
	struct position p;
	int fd;

	if (!w || (w->fd < 0 && !w->resting))
		return;
	fd = w->resting ? files->open(w->path, OS_PLAIN) : w->fd;
	if (fd >= 0 && !position_measure(files, fd, offset, false, &p))
		position_text(&p, to, n);
	if (fd >= 0 && w->resting)
		files->close(fd);
}

static void resume(struct source *s, const char *partition, const char *text)
{
	struct follow_source *f = s->self;

	if (!text[0])
		return; /* it was read to its end and removed */
	resumes_add(&f->resumes, partition, text);
	if (!find(f, partition))
		add(f, partition);
}

static const struct source_ops ops = { open_source, wait_fd, next, ack, counts, close_source };

const struct source_kind_row source_follow_row = { SOURCE_FOLLOW, &ops, make, position, resume };
