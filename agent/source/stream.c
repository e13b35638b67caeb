/* stream.c - reads one stream in chunks and unpacks it.
 *
 * Why: .gz and .xz logs, and pipes of them, must look like plain files to everybody above.
 * Promises: memory of two chunks and what the unpacker is allowed; a plain file is not copied.
 * Refuses: damaged or cut compressed files, with what came before the damage given out first. */
#include "source/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE 6 /* bytes that tell a compression */

void stream_start(struct stream *s, const struct os_file_ops *files, int fd, const char *path, bool seekable)
{
	uint8_t *in = s->in, *out = s->out;

	*s = (struct stream){ .files = files, .fd = fd, .path = path, .seekable = seekable, .in = in, .out = out };
	if (!s->in)
		s->in = xcalloc(1, STREAM_CHUNK);
}

void stream_close(struct stream *s)
{
	if (s->fd > 0) /* standard input stays open */
		s->files->close(s->fd);
	s->fd = -1;
	inflater_free(s->z);
	s->z = NULL;
	free(s->in);
	free(s->out);
	s->in = s->out = NULL;
}

/* More raw bytes behind those that wait. 0, -EAGAIN, or -1 and *e. */
static int fill(struct stream *s, struct err *e)
{
	char why[96];
	ssize_t got;

	if (s->in_at) {
		memmove(s->in, s->in + s->in_at, s->in_n - s->in_at);
		s->in_n -= s->in_at;
		s->in_at = 0;
	}
	got = s->files->read(s->fd, s->in + s->in_n, STREAM_CHUNK - s->in_n, s->seekable ? s->raw : -1);
	if (got == -EAGAIN)
		return -EAGAIN;
	if (got < 0)
		return err_set(e, ERR_IO, "%s: reading failed at byte %lld: %s", s->path, (long long)s->raw, err_os((int)got, why));
	s->drained = got == 0;
	s->in_n += (size_t)got;
	s->raw += got;
	return 0;
}

static int know_kind(struct stream *s, struct err *e)
{
	int r;

	while (s->in_n < SIGNATURE && !s->drained)
		if ((r = fill(s, e)) != 0)
			return r;
	s->known = true;
	s->kind = compression_of(s->in, s->in_n);
	if (s->kind == COMPRESS_NONE)
		return 0;
	s->z = inflater_new(s->kind, e);
	if (!s->z)
		return err_prefix(e, "%s", s->path);
	if (!s->out)
		s->out = xcalloc(1, STREAM_CHUNK);
	return 0;
}

static int unpack(struct stream *s, const void **bytes, size_t *n, struct err *e)
{
	size_t have = 0;

	while (have < STREAM_CHUNK) {
		size_t in_n = s->in_n - s->in_at, out_n = STREAM_CHUNK - have;
		int r;

		if (!in_n && !s->drained) {
			r = fill(s, e);
			if (r == -EAGAIN && have)
				break;
			if (r)
				return r;
			continue;
		}
		r = inflater_step(s->z, s->in + s->in_at, &in_n, s->out + have, &out_n, s->drained, e);
		if (r < 0 && !have && !out_n)
			return err_prefix(e, "%s", s->path);
		s->in_at += r < 0 ? 0 : in_n;
		have += out_n;
		if (r)
			break; /* the end, or damage: what came before it goes out first, the next call says it again */
	}
	*bytes = s->out;
	*n = have;
	return have > 0;
}

int stream_read(struct stream *s, const void **bytes, size_t *n, struct err *e)
{
	int r;

	if (!s->known && (r = know_kind(s, e)) != 0)
		return r;
	if (s->left_n) {
		*bytes = s->left;
		*n = s->left_n;
		s->left_n = 0;
		r = 1;
	} else if (s->kind != COMPRESS_NONE) {
		r = unpack(s, bytes, n, e);
	} else {
		if (s->in_at == s->in_n && !s->drained && (r = fill(s, e)) != 0)
			return r;
		*bytes = s->in + s->in_at;
		*n = s->in_n - s->in_at;
		s->in_at = s->in_n;
		r = *n > 0;
	}
	if (r > 0)
		s->offset += (int64_t)*n;
	return r;
}

int stream_skip(struct stream *s, int64_t offset, struct err *e)
{
	const void *bytes = NULL;
	size_t n = 0;
	int r;

	if (!s->known && (r = know_kind(s, e)) != 0)
		return r;
	if (s->kind == COMPRESS_NONE && s->seekable) {
		s->raw = s->offset = offset;
		s->in_at = s->in_n = 0;
		s->drained = false;
		return 1;
	}
	while (s->offset < offset) {
		if ((r = stream_read(s, &bytes, &n, e)) <= 0)
			return r;
		if (s->offset > offset) {
			s->left_n = (size_t)(s->offset - offset);
			s->left = (const uint8_t *)bytes + n - s->left_n;
			s->offset = offset;
		}
	}
	return 1;
}
