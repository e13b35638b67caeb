/* compress_zstd.h - zstd, for compress.c alone. */
#ifndef EVMEND_BASE_COMPRESS_ZSTD_H
#define EVMEND_BASE_COMPRESS_ZSTD_H

#include "base/buf.h"

void zstd_all(const void *from, size_t n, struct buf *to); /* compress_all */

#endif
