/* secret.c - a token or a password, read from its file.
 *
 * Why: what opens a SIEM must not stand in a configuration that people mail around. Promises: it lies in memory that no core file holds and
 * that is wiped before it is given back; no error repeats it. Refuses: files that everybody may read, that are large, or that hold what
 * would end a header. */
#include "ship/secret.h"

#include <string.h>

struct secret {
	char text[SECRET_MOST + 2]; /* room to see that it is too large, and a NUL */
};

/* What was read is a secret: one line of printable text. */
static int take_line(char *s, size_t n, const char *path, struct err *e)
{
	if (n > SECRET_MOST)
		return err_set(e, ERR_USAGE, "%s is larger than %d bytes; a secret is one line", path, SECRET_MOST);
	while (n && (s[n - 1] == '\n' || s[n - 1] == '\r'))
		n--;
	s[n] = '\0';
	if (!n)
		return err_set(e, ERR_USAGE, "%s is empty; write the secret into it, in one line", path);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 32 || s[i] == 127)
			return err_set(e, ERR_USAGE, "%s holds more than one line of plain text", path);
	return 0;
}

static int unreadable(const char *path, int error, struct err *e)
{
	char why[96];

	return err_set(e, ERR_IO, "the secret in %s cannot be read: %s", path, err_os(error, why));
}

/* A plain file, and not everybody's. */
static int look_at(const struct os_file_ops *files, const char *path, int fd, struct err *e)
{
	struct os_stat st;
	int did = files->stat(fd < 0 ? path : NULL, fd, &st);

	if (did < 0)
		return unreadable(path, did, e);
	if (st.is_folder || st.is_special)
		return err_set(e, ERR_USAGE, "%s is no plain file; a secret is", path);
	return st.mode & 07 ? err_set(e, ERR_USAGE, "%s is open to everybody; chmod 600 it", path) : 0;
}

struct secret *secret_read(const struct os_file_ops *files, const char *path, struct err *e)
{
	struct secret *s;
	ssize_t got = 0;
	size_t n = 0;
	int fd, did;

	if (look_at(files, path, -1, e) < 0) /* before it is opened: a pipe would wait for a writer */
		return NULL;
	fd = files->open(path, OS_READ);
	if (fd < 0) {
		unreadable(path, fd, e);
		return NULL;
	}
	s = os_private(sizeof *s);
	if (!s)
		die("out of memory");
	did = look_at(files, path, fd, e);
	while (!did && n <= SECRET_MOST && (got = files->read(fd, s->text + n, SECRET_MOST + 1 - n, -1)) > 0)
		n += (size_t)got;
	files->close(fd);
	if (!did)
		did = got < 0 ? unreadable(path, (int)got, e) : take_line(s->text, n, path, e);
	if (did < 0) {
		secret_free(s);
		return NULL;
	}
	return s;
}

const char *secret_text(const struct secret *s)
{
	return s->text;
}

void secret_free(struct secret *s)
{
	if (s)
		os_private_free(s, sizeof *s);
}
