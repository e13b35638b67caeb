/* file.c - files and folders on Linux.
 *
 * Promises: every descriptor is close-on-exec; EINTR is never seen above; a write is whole or an error; a renamed file
 * is still there after a power cut.
 * Refuses: nothing but what the kernel refuses; errors are -errno. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

static bool special(const struct stat *s)
{
	return !S_ISREG(s->st_mode) && !S_ISDIR(s->st_mode);
}

static int file_open(const char *path, enum os_open_how how)
{
	static const int flags[] = {
		[OS_READ] = O_RDONLY,
		[OS_PLAIN] = O_RDONLY | O_NONBLOCK,
		[OS_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
		[OS_CREATE] = O_WRONLY | O_CREAT | O_TRUNC,
		[OS_APPEND_GROUP] = O_WRONLY | O_CREAT | O_APPEND,
		[OS_CREATE_GROUP] = O_WRONLY | O_CREAT | O_TRUNC,
		[OS_LOCK] = O_RDWR | O_CREAT,
	};
	const mode_t mode = how == OS_APPEND_GROUP || how == OS_CREATE_GROUP ? 0640 : 0600;
	struct stat s;
	int fd, error;

	do
		fd = open(path, flags[how] | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return how == OS_PLAIN && errno == ENXIO ? -OS_NO_FILE : -errno; /* a socket, or a device that is not there */
	if (how == OS_PLAIN && (fstat(fd, &s) != 0 || special(&s))) {
		close(fd);
		return -OS_NO_FILE;
	}
	if (how == OS_LOCK && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static void file_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static ssize_t file_read(int fd, void *to, size_t n, int64_t offset)
{
	ssize_t got;

	do
		got = offset < 0 ? read(fd, to, n) : pread(fd, to, n, offset);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static ssize_t file_write(int fd, const void *from, size_t n)
{
	const char *p = from;
	size_t left = n;

	while (left) {
		ssize_t put = write(fd, p, left);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		left -= (size_t)put;
	}
	return (ssize_t)n;
}

static int file_sync(int fd)
{
	return fsync(fd) == 0 ? 0 : -errno;
}

static int file_stat(const char *path, int fd, struct os_stat *st)
{
	struct stat s;

	if ((path ? stat(path, &s) : fstat(fd, &s)) != 0)
		return -errno;
	*st = (struct os_stat){
		.device = s.st_dev,
		.inode = s.st_ino,
		.size = s.st_size,
		.mtime_us = (int64_t)s.st_mtim.tv_sec * 1000000 + s.st_mtim.tv_nsec / 1000,
		.is_folder = S_ISDIR(s.st_mode),
		.is_special = special(&s),
		.links = s.st_nlink > 0,
		.mode = s.st_mode & 07777,
	};
	return 0;
}

static int file_list(const char *folder, os_name_fn *each, void *arg)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int error = 0;

	if (!dir)
		return -errno;
	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			error = errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (each(arg, entry->d_name) != 0)
			break;
	}
	closedir(dir);
	return -error;
}

/* A new name is on disk only when its folder is. */
static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	char folder[PATH_MAX];
	int fd, error = 0;

	if (n >= sizeof folder)
		return -ENAMETOOLONG;
	if (slash && n == 0)
		n = 1; /* the root folder */
	memcpy(folder, slash ? path : ".", slash ? n : 1);
	folder[slash ? n : 1] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd) != 0 && errno != EINVAL) /* EINVAL: a file system that does not sync folders */
		error = errno;
	close(fd);
	return -error;
}

static int file_rename(const char *from, const char *to)
{
	if (rename(from, to) != 0)
		return -errno;
	return sync_folder_of(to);
}

const struct os_file_ops os_file = {
	.open = file_open,
	.close = file_close,
	.read = file_read,
	.write = file_write,
	.sync = file_sync,
	.stat = file_stat,
	.list = file_list,
	.rename = file_rename,
};

int os_file_replace(const struct os_file_ops *ops, const char *path, const void *from, size_t n)
{
	char next[PATH_MAX];
	ssize_t put;
	int fd, error;

	if (snprintf(next, sizeof next, "%s.new", path) >= (int)sizeof next)
		return -ENAMETOOLONG;
	fd = ops->open(next, OS_CREATE);
	if (fd < 0)
		return fd;
	put = ops->write(fd, from, n);
	error = put < 0 ? (int)put : ops->sync(fd);
	ops->close(fd);
	if (error < 0) {
		/* A part is of no use, and on a full disk its room is. */
		fd = ops->open(next, OS_CREATE);
		if (fd >= 0)
			ops->close(fd);
		return error;
	}
	return ops->rename(next, path);
}

int os_file_remove(const char *path)
{
	return unlink(path) == 0 ? 0 : -errno;
}

static int make_one(const char *path)
{
	struct stat s;

	if (mkdir(path, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &s) != 0)
		return -errno;
	return S_ISDIR(s.st_mode) ? 0 : -ENOTDIR;
}

int os_make_folder(const char *path)
{
	char part[PATH_MAX];
	size_t n = strlen(path);

	if (n == 0)
		return -ENOENT;
	if (n >= sizeof part)
		return -ENAMETOOLONG;
	memcpy(part, path, n + 1);
	for (size_t i = 1; i < n; i++) {
		int error;

		if (part[i] != '/')
			continue;
		part[i] = '\0';
		error = make_one(part);
		if (error < 0)
			return error;
		part[i] = '/';
	}
	return make_one(part);
}

int os_file_cut(int fd, int64_t size)
{
	int r;

	do
		r = ftruncate(fd, (off_t)size);
	while (r != 0 && errno == EINTR);
	return r == 0 ? 0 : -errno;
}
