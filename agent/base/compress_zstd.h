/* compress_zstd.h - zstd, for compress.c alone. */
#ifndef EVMEND_BASE_COMPRESS_ZSTD_H
#define EVMEND_BASE_COMPRESS_ZSTD_H

#include <stdbool.h>

#include "base/buf.h"

/* As those of a deflater. */
struct zstd;
struct zstd *zstd_new(void);
void zstd_step(struct zstd *z, const void *from, size_t n, bool finish, struct buf *to);
void zstd_free(struct zstd *z);

#endif
