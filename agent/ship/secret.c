/* secret.c - a token or a password, read from its file.
 *
 * Why: what opens a SIEM must not stand in a configuration that people mail around. Promises: it lies in memory that no core file holds and
 * that is wiped before it is given back; no error repeats it. Refuses: files that everybody may read, that are large, or that hold what
 * would end a header, and headers that are not theirs to write. */
#include "ship/secret.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct secret {
	char text[SECRET_MOST + 2]; /* room to see that it is too large, and a NUL */
	size_t n;                   /* of headers: lines, each with a NUL behind it */
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

/* The line is "Name: value" (RFC 9110, 5.1), and no header that says what the body is or where it goes. */
static int check_header(const char *line, int number, const char *path, struct err *e)
{
	static const char *const ours[] = { "Host", "Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection", "Expect",
		"User-Agent" };
	size_t n = strcspn(line, ":");

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)line[i]) && !strchr("!#$%&'*+-.^_`|~", line[i]))
			n = 0;
	if (!n || line[n] != ':' || !line[n + 1 + strspn(line + n + 1, " ")])
		return err_set(e, ERR_USAGE, "line %d of %s is no header; write Name: value", number, path);
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (strlen(ours[i]) == n && !strncasecmp(ours[i], line, n))
			return err_set(e, ERR_USAGE, "line %d of %s is the header %s, which evmend writes itself; leave it out", number, path, ours[i]);
	for (const char *c = line; *c; c++)
		if ((unsigned char)*c < 32 || *c == 127)
			return err_set(e, ERR_USAGE, "line %d of %s holds a control character", number, path);
	return 0;
}

/* The lines that are headers, one behind the other. */
static int take_headers(struct secret *s, size_t n, const char *path, struct err *e)
{
	char *from = s->text, *end = s->text + n;

	if (n > SECRET_MOST)
		return err_set(e, ERR_USAGE, "%s is larger than %d bytes", path, SECRET_MOST);
	*end = '\0';
	for (int number = 1; from < end; number++) {
		size_t line = strcspn(from, "\n"), len = line;

		from[line] = '\0';
		while (len && (from[len - 1] == '\r' || from[len - 1] == ' '))
			from[--len] = '\0';
		if (*from && *from != '#') {
			if (check_header(from, number, path, e) < 0)
				return -1;
			memmove(s->text + s->n, from, len + 1);
			s->n += len + 1;
		}
		from += line + 1;
	}
	return s->n ? 0 : err_set(e, ERR_USAGE, "%s holds no header; write Name: value, one a line", path);
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

static struct secret *read_secret(const struct os_file_ops *files, const char *path, bool headers, struct err *e)
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
		did = got < 0 ? unreadable(path, (int)got, e) : headers ? take_headers(s, n, path, e) : take_line(s->text, n, path, e);
	if (did < 0) {
		secret_free(s);
		return NULL;
	}
	return s;
}

struct secret *secret_read(const struct os_file_ops *files, const char *path, struct err *e)
{
	return read_secret(files, path, false, e);
}

struct secret *secret_headers(const struct os_file_ops *files, const char *path, struct err *e)
{
	return read_secret(files, path, true, e);
}

const char *secret_next(const struct secret *s, const char *line)
{
	const char *next = line ? line + strlen(line) + 1 : s->text;

	return next < s->text + s->n ? next : NULL;
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
