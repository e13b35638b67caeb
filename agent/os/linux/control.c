/* control.c - the control socket: a unix socket that tells who is at its other end.
 *
 * Promises: the socket has mode 0600 from its first moment; a socket whose owner is dead is replaced, one whose owner
 * lives is not (-EADDRINUSE).
 * Refuses: to remove anything at the path that is not a socket (-EEXIST), and paths above 107 bytes (-ENAMETOOLONG). */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/os.h"

static int address_of(const char *path, struct sockaddr_un *a)
{
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof a->sun_path)
		return -ENAMETOOLONG;
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(a->sun_path, path, n);
	return 0;
}

static int control_connect(const char *path)
{
	struct sockaddr_un a;
	int fd, error = address_of(path, &a);

	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* Removes a socket that nobody answers on. */
static int clear_dead(const char *path)
{
	struct stat s;
	int fd;

	if (lstat(path, &s) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(s.st_mode))
		return -EEXIST;
	fd = control_connect(path);
	if (fd >= 0) {
		close(fd);
		return -EADDRINUSE;
	}
	if (fd != -ECONNREFUSED)
		return fd;
	return unlink(path) == 0 ? 0 : -errno;
}

static int control_listen(const char *path)
{
	struct sockaddr_un a;
	int fd, error = address_of(path, &a);

	if (error < 0)
		return error;
	error = clear_dead(path);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* On Linux bind gives the file the mode of the socket's inode, so there is no moment of a wider one. */
	if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 16) != 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static int control_accept(int fd)
{
	int peer;

	do
		peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (peer < 0 && (errno == EINTR || errno == ECONNABORTED));
	return peer < 0 ? -errno : peer;
}

static int control_peer(int fd, struct os_peer *who)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
		return -errno;
	*who = (struct os_peer){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	return 0;
}

const struct os_control_ops os_control = {
	.listen = control_listen,
	.accept = control_accept,
	.peer = control_peer,
	.connect = control_connect,
};
