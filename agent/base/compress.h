/* compress.h - compressed files as streams (zlib, liblzma and libzstd behind it). One call in, bytes out; known by signature. */
#ifndef EVMEND_BASE_COMPRESS_H
#define EVMEND_BASE_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum compression { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_XZ, COMPRESS_ZSTD };

/* By the first bytes (at least 6). */
enum compression compression_of(const void *head, size_t n);

struct inflater;

struct inflater *inflater_new(enum compression kind, struct err *e); /* memory capped by LIMIT_INFLATE_MEMORY */
void inflater_free(struct inflater *z);
/* Takes *in_n bytes at in, gives up to *out_n bytes at out; both are updated to what was used and given. Returns 1 at the
 * end of the stream (concatenated streams go on), 0 to go on, -1 and *e when the data is corrupt. finish: no more input
 * will come; a stream that is cut short is then an error. */
int inflater_step(struct inflater *z, const void *in, size_t *in_n, void *out, size_t *out_n, bool finish, struct err *e);

/* The other way: gzip and zstd, fast rather than small. One stream: steps, the last with finish. What comes out is added to `to`, which has
 * room for it (a step gives little more than it takes, and what earlier steps kept: at most some hundred KB). */
struct deflater;
struct deflater *deflater_new(enum compression kind);
void deflater_step(struct deflater *z, const void *from, size_t n, bool finish, struct buf *to);
void deflater_free(struct deflater *z);
void compress_all(enum compression kind, const void *from, size_t n, struct buf *to); /* all in one step */
/* "zlib 1.2.13, liblzma 5.4.1", for `evmend version`; to holds the text. */
const char *compress_library(char to[static 64]);

#endif
