/* file.h - a whole file in memory, for files that people write: configuration, rules, answers kept on disk. */
#ifndef EVMEND_BASE_FILE_H
#define EVMEND_BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/os.h"

/* Appends the file at path to b (made by buf_init; its ceiling is the limit). -1 and *e (ERR_IO, "PATH: ...") when it
 * cannot be read, is a folder, a pipe or a device, or is larger than the ceiling allows; b then holds what it held before. */
int file_read(const struct os_file_ops *ops, const char *path, struct buf *b, struct err *e);
/* The same for a path that a person gave to a verb: it may be a pipe, and then this waits for who writes there. */
int file_read_named(const struct os_file_ops *ops, const char *path, struct buf *b, struct err *e);
/* For the key of a certificate: -1 and *e when everybody may read or write the file, or when it cannot be looked at. */
int file_key_check(const struct os_file_ops *ops, const char *path, struct err *e);

#endif
