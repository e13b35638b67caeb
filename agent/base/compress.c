/* compress.c - gzip and xz as streams, and gzip and zstd the other way.
 *
 * Promises: output as it comes, in the caller's buffer; concatenated streams go on as one; memory within
 * LIMIT_INFLATE_MEMORY, whatever the header asks for.
 * Refuses: streams that are cut short, damaged, or followed by anything but zeros or another stream. How much comes out
 * is the caller's to limit. */
#include "base/compress.h"

#include <limits.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/compress_zstd.h"
#include "limits.h"

#define GZIP_ONLY (15 + 16) /* inflateInit2: the largest window, and a gzip header */

struct inflater {
	enum compression kind;
	bool between; /* gzip: a member has ended, another may follow */
	bool ended;
	z_stream gzip;
	lzma_stream xz;
};

enum compression compression_of(const void *head, size_t n)
{
	if (n >= 3 && memcmp(head, "\x1f\x8b\x08", 3) == 0) /* RFC 1952, 2.3.1 */
		return COMPRESS_GZIP;
	if (n >= 6 && memcmp(head, "\xfd" "7zXZ\0", 6) == 0) /* the .xz file format, 2.1.1.1 */
		return COMPRESS_XZ;
	return COMPRESS_NONE;
}

struct inflater *inflater_new(enum compression kind, struct err *e)
{
	struct inflater *z = xcalloc(1, sizeof *z);
	bool good = false;

	z->kind = kind;
	if (kind == COMPRESS_GZIP)
		good = inflateInit2(&z->gzip, GZIP_ONLY) == Z_OK;
	else if (kind == COMPRESS_XZ)
		good = lzma_stream_decoder(&z->xz, LIMIT_INFLATE_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
	if (good)
		return z;
	free(z);
	err_set(e, ERR_IO, kind == COMPRESS_NONE ? "the file is not compressed" : "the decompressor does not start; out of memory");
	return NULL;
}

void inflater_free(struct inflater *z)
{
	if (!z)
		return;
	if (z->kind == COMPRESS_GZIP)
		inflateEnd(&z->gzip);
	else
		lzma_end(&z->xz);
	free(z);
}

static int gzip_fault(const struct inflater *z, int code, struct err *e)
{
	if (code == Z_MEM_ERROR)
		die("out of memory while decompressing");
	return err_set(e, ERR_IO, "the gzip data is damaged (%s); fetch the file again", z->gzip.msg ? z->gzip.msg : "bad data");
}

/* After a member: zeros are padding, anything else starts another member. 1: nothing more is there. */
static int gzip_between(struct inflater *z, bool finish, struct err *e)
{
	while (z->gzip.avail_in && *z->gzip.next_in == 0) {
		z->gzip.next_in++;
		z->gzip.avail_in--;
	}
	if (!z->gzip.avail_in)
		return finish;
	if (inflateReset(&z->gzip) != Z_OK)
		return gzip_fault(z, Z_STREAM_ERROR, e);
	z->between = false;
	return 0;
}

static int gzip_step(struct inflater *z, bool finish, struct err *e)
{
	for (;;) {
		int code;

		if (z->between) {
			int end = gzip_between(z, finish, e);

			if (end != 0 || z->between)
				return end;
		}
		code = inflate(&z->gzip, Z_NO_FLUSH);
		if (code == Z_STREAM_END) {
			z->between = true;
			continue;
		}
		if (code != Z_OK && code != Z_BUF_ERROR)
			return gzip_fault(z, code, e);
		if (finish && !z->gzip.avail_in && z->gzip.avail_out)
			return err_set(e, ERR_IO, "the gzip data ends too early; the file was cut short");
		return 0;
	}
}

static int xz_step(struct inflater *z, bool finish, struct err *e)
{
	lzma_ret code = lzma_code(&z->xz, finish ? LZMA_FINISH : LZMA_RUN);

	switch (code) {
	case LZMA_STREAM_END:
		return 1;
	case LZMA_OK:
		return 0;
	case LZMA_BUF_ERROR:
		if (!finish || !z->xz.avail_out)
			return 0;
		return err_set(e, ERR_IO, "the xz data ends too early; the file was cut short");
	case LZMA_MEMLIMIT_ERROR:
		return err_set(e, ERR_IO, "the xz data asks for more than %u MiB of memory; compress it with xz -9 or less",
			       LIMIT_INFLATE_MEMORY >> 20);
	case LZMA_MEM_ERROR:
		die("out of memory while decompressing");
	default:
		return err_set(e, ERR_IO, "the xz data is damaged (liblzma code %d); fetch the file again", (int)code);
	}
}

int inflater_step(struct inflater *z, const void *in, size_t *in_n, void *out, size_t *out_n, bool finish, struct err *e)
{
	static const unsigned char nothing[1];
	const unsigned char *from = in ? in : nothing;
	unsigned given, room;
	int end;

	if (z->ended) {
		*in_n = *out_n = 0;
		return 1;
	}
	if (z->kind == COMPRESS_XZ) {
		z->xz.next_in = from;
		z->xz.avail_in = *in_n;
		z->xz.next_out = out;
		z->xz.avail_out = *out_n;
		end = xz_step(z, finish, e);
		*in_n -= z->xz.avail_in;
		*out_n -= z->xz.avail_out;
	} else {
		/* zlib counts in unsigned int; what does not fit waits for the next call, and so does the end. */
		given = *in_n > UINT_MAX ? UINT_MAX : (unsigned)*in_n;
		room = *out_n > UINT_MAX ? UINT_MAX : (unsigned)*out_n;
		finish = finish && given == *in_n;
		z->gzip.next_in = (unsigned char *)(uintptr_t)from; /* zlib only reads it */
		z->gzip.avail_in = given;
		z->gzip.next_out = out;
		z->gzip.avail_out = room;
		end = gzip_step(z, finish, e);
		*in_n = given - z->gzip.avail_in;
		*out_n = room - z->gzip.avail_out;
	}
	z->ended = end == 1;
	return end;
}

/* --- the other way --- */

struct deflater {
	enum compression kind;
	z_stream gzip;
	struct zstd *zstd;
};

struct deflater *deflater_new(enum compression kind)
{
	struct deflater *z = xcalloc(1, sizeof *z);

	z->kind = kind;
	if (kind == COMPRESS_ZSTD)
		z->zstd = zstd_new();
	else if (kind != COMPRESS_GZIP || deflateInit2(&z->gzip, 1, Z_DEFLATED, GZIP_ONLY, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die("compression %d does not start", (int)kind);
	return z;
}

static void gzip_out(z_stream *z, const void *from, size_t n, bool finish, struct buf *to)
{
	int code = Z_OK;

	if (n > UINT_MAX / 2)
		die("%zu bytes cannot be compressed at once", n);
	z->next_in = (unsigned char *)(uintptr_t)from; /* zlib only reads it */
	z->avail_in = (unsigned)n;
	while (finish ? code != Z_STREAM_END : z->avail_in) {
		size_t room = deflateBound(z, z->avail_in);
		char *at = buf_room(to, room);

		if (!at)
			die("no room for %zu compressed bytes", room);
		z->next_out = (unsigned char *)at;
		z->avail_out = (unsigned)room;
		code = deflate(z, finish ? Z_FINISH : Z_NO_FLUSH);
		if (code != Z_OK && code != Z_STREAM_END)
			die("zlib: code %d", code);
		buf_wrote(to, room - z->avail_out);
	}
}

void deflater_step(struct deflater *z, const void *from, size_t n, bool finish, struct buf *to)
{
	if (z->kind == COMPRESS_ZSTD)
		zstd_step(z->zstd, from, n, finish, to);
	else
		gzip_out(&z->gzip, from, n, finish, to);
}

void deflater_free(struct deflater *z)
{
	if (!z)
		return;
	if (z->kind == COMPRESS_ZSTD)
		zstd_free(z->zstd);
	else
		deflateEnd(&z->gzip);
	free(z);
}

void compress_all(enum compression kind, const void *from, size_t n, struct buf *to)
{
	struct deflater *z = deflater_new(kind);

	deflater_step(z, from, n, true, to);
	deflater_free(z);
}

const char *compress_library(char to[static 64])
{
	snprintf(to, 64, "zlib %s, liblzma %s", zlibVersion(), lzma_version_string());
	return to;
}
