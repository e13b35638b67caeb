/* file.c - reads a whole file.
 *
 * Promises: all of it or an error that names the file.
 * Refuses: folders, and files above the buffer's ceiling - also those that grow while they are read. */
#include "base/file.h"

#include <errno.h>

static int fail(struct buf *b, size_t before, const char *path, int error, struct err *e)
{
	char words[96];

	b->n = before;
	if (b->p)
		b->p[before] = '\0';
	b->refused = false;
	return err_set(e, ERR_IO, "%s: cannot be read: %s", path, err_os(error, words));
}

static int read_as(const struct os_file_ops *ops, enum os_open_how how, const char *path, struct buf *b, struct err *e)
{
	size_t before = b->n;
	struct os_stat st;
	char piece[16384];
	ssize_t got;
	int error, fd = ops->open(path, how);

	if (fd < 0)
		return fail(b, before, path, fd, e);
	error = ops->stat(NULL, fd, &st);
	if (error == 0 && st.is_folder)
		error = -EISDIR;
	while (error == 0 && (got = ops->read(fd, piece, sizeof piece, -1)) != 0) {
		if (got < 0)
			error = (int)got;
		else
			buf_add(b, piece, (size_t)got);
		if (b->refused)
			error = -EFBIG;
	}
	ops->close(fd);
	if (error == -EFBIG) {
		fail(b, before, path, error, e);
		return err_set(e, ERR_IO, "%s: is larger than %zu bytes; such a file is refused", path, b->max - before);
	}
	return error ? fail(b, before, path, error, e) : 0;
}

int file_read(const struct os_file_ops *ops, const char *path, struct buf *b, struct err *e)
{
	return read_as(ops, OS_PLAIN, path, b, e);
}

int file_read_named(const struct os_file_ops *ops, const char *path, struct buf *b, struct err *e)
{
	return read_as(ops, OS_READ, path, b, e);
}

int file_key_check(const struct os_file_ops *ops, const char *path, struct err *e)
{
	struct os_stat st;
	char why[96];
	int r = ops->stat(path, -1, &st);

	if (r < 0)
		return err_set(e, ERR_IO, "%s (tls.key) cannot be looked at: %s", path, err_os(r, why));
	return st.mode & 0007 ? err_set(e, ERR_IO, "%s (tls.key) is a key, and everybody may read it; chmod 600 it", path) : 0;
}
