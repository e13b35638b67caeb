/* fault_file.c - counts the calls that reach the disk and lets one fail. Promises that the others are real; refuses
 * nothing. The table has no room for an argument, so the count is the program's. */
#include "lib/fault_file.h"

#include <unistd.h>

static struct {
	int countdown, error, open;
	bool hit;
} plan;

void fault_file_at(int n, int error)
{
	plan.countdown = n;
	plan.error = error;
	plan.open = 0;
	plan.hit = false;
}

bool fault_file_hit(void)
{
	return plan.hit;
}

int fault_file_open(void)
{
	return plan.open;
}

static bool fails(void)
{
	if (plan.countdown == 0 || --plan.countdown > 0)
		return false;
	plan.hit = true;
	return true; /* FAULT_DIES: write still has its half to do */
}

/* What the call that fails returns. */
static int failed(void)
{
	if (plan.error == FAULT_DIES)
		_exit(9);
	return -plan.error;
}

static int fault_open(const char *path, enum os_open_how how)
{
	int fd = fails() ? failed() : os_file.open(path, how);

	plan.open += fd >= 0;
	return fd;
}

static void fault_close(int fd)
{
	plan.open -= fd >= 0;
	os_file.close(fd);
}

static ssize_t fault_read(int fd, void *to, size_t n, int64_t offset)
{
	return fails() ? failed() : os_file.read(fd, to, n, offset);
}

static ssize_t fault_write(int fd, const void *from, size_t n)
{
	if (!fails())
		return os_file.write(fd, from, n);
	(void)os_file.write(fd, from, n / 2);
	return failed();
}

static int fault_sync(int fd)
{
	return fails() ? failed() : os_file.sync(fd);
}

static int fault_stat(const char *path, int fd, struct os_stat *st)
{
	return fails() ? failed() : os_file.stat(path, fd, st);
}

static int fault_list(const char *folder, os_name_fn *each, void *arg)
{
	return fails() ? failed() : os_file.list(folder, each, arg);
}

static int fault_rename(const char *from, const char *to)
{
	return fails() ? failed() : os_file.rename(from, to);
}

const struct os_file_ops fault_file = {
	.open = fault_open,
	.close = fault_close,
	.read = fault_read,
	.write = fault_write,
	.sync = fault_sync,
	.stat = fault_stat,
	.list = fault_list,
	.rename = fault_rename,
};
