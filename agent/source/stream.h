/* stream.h - one file or pipe from its beginning to its end, unpacked when it is gzip or xz. Private to source/. */
#ifndef EVMEND_SOURCE_STREAM_H
#define EVMEND_SOURCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compress.h"
#include "base/err.h"
#include "os/os.h"

#define STREAM_CHUNK (256u << 10)

struct stream {
	const struct os_file_ops *files;
	int fd;               /* -1: not open */
	const char *path;     /* borrowed */
	bool seekable;        /* reads by offset; a pipe is read from where it stands */
	bool known;           /* compressed or not */
	enum compression kind;
	struct inflater *z;
	bool drained;         /* fd gave its last byte */
	int64_t raw;          /* bytes read of fd */
	int64_t offset;       /* bytes given out */
	uint8_t *in, *out;    /* STREAM_CHUNK each; out only when compressed */
	size_t in_at, in_n;
	const uint8_t *left;  /* read by stream_skip beyond its goal: the next to be given */
	size_t left_n;
};

void stream_start(struct stream *s, const struct os_file_ops *files, int fd, const char *path, bool seekable);
void stream_close(struct stream *s); /* and the descriptor, when it is seekable */
/* The next bytes, valid until the next call. 1; 0 at the end; -1 and *e (a damaged or cut file, or reading failed); -EAGAIN: a pipe has
 * nothing now. */
int stream_read(struct stream *s, const void **bytes, size_t *n, struct err *e);
/* Reads and forgets up to offset. 1: there; 0: the stream is shorter; -1 and *e. */
int stream_skip(struct stream *s, int64_t offset, struct err *e);

#endif
