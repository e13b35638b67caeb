/* process.c - other processes: starting them without a shell, talking to them, waiting for them.
 *
 * Promises: a child gets the descriptors 0, 1, 2, its channel as 3, a filtered environment and default signals, and
 * nothing else; that a program could not be started is told by spawn itself.
 * Refuses: a search along PATH, a shell, process groups and pids that are no single process. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

#define CHANNEL_FD 3
#define ABOVE 16 /* descriptors are parked from here on while 0 to 3 are laid out */
#define POLL_MAX 256

/* linux/close_range.h, since Linux 5.11 */
#define CLOSE_AT_EXEC 4u

static bool inherited(const char *entry)
{
	static const char *const names[] = { "PATH=", "LANG=", "TZ=", "EVMEND_" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The array is the caller's to free; the strings are the environment's. NULL: out of memory. */
static char **child_environment(void)
{
	size_t n = 0, k = 0;
	char **list;

	while (environ[n])
		n++;
	list = calloc(n + 2, sizeof *list);
	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (inherited(environ[i]))
			list[k++] = environ[i];
	if (!getenv("PATH")) /* execve takes char *, and never writes */
		list[k] = (char *)(uintptr_t)"PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	return list;
}

static void close_all_at_exec(unsigned from)
{
	if (syscall(SYS_close_range, from, ~0u, CLOSE_AT_EXEC) == 0)
		return;
	/* A kernel before 5.11. Our own descriptors are close-on-exec anyhow; these are what our parent left open. */
	for (unsigned fd = from; fd < 4096; fd++)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
}

static int park(int fd, int access)
{
	if (fd < 0) {
		int null = open("/dev/null", access | O_CLOEXEC);

		if (null < 0)
			return -1;
		fd = null;
	}
	return fcntl(fd, F_DUPFD_CLOEXEC, ABOVE);
}

/* In the child, between fork and exec: only calls that are safe there. Returns only when it failed. */
static void become(const struct os_spawn *how, char **environment, int tell)
{
	int fds[4] = { park(how->in, O_RDONLY), park(how->out, O_WRONLY), park(how->errout, O_WRONLY), -1 };
	int n = 3;
	sigset_t none;

	tell = fcntl(tell, F_DUPFD_CLOEXEC, ABOVE);
	if (how->channel >= 0) {
		fds[CHANNEL_FD] = fcntl(how->channel, F_DUPFD_CLOEXEC, ABOVE);
		n = 4;
	}
	for (int i = 0; i < n; i++)
		if (fds[i] < 0 || dup2(fds[i], i) < 0)
			goto failed;
	close_all_at_exec((unsigned)n);
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(how->argv[0], how->argv, environment);
failed:
	(void)!write(tell, &(int){ errno }, sizeof(int));
	_exit(127);
}

static int process_spawn(const struct os_spawn *how)
{
	char **environment;
	int tell[2], error = 0;
	ssize_t got;
	pid_t pid;

	if (!how->argv || !how->argv[0] || !strchr(how->argv[0], '/'))
		return -EINVAL; /* a path, not a name to search */
	environment = child_environment();
	if (!environment)
		return -ENOMEM;
	if (pipe2(tell, O_CLOEXEC) != 0) {
		error = errno;
		free(environment);
		return -error;
	}
	pid = fork();
	if (pid == 0)
		become(how, environment, tell[1]);
	if (pid < 0)
		error = errno;
	free(environment);
	close(tell[1]);
	if (pid > 0) {
		/* exec closes the pipe; a child that failed writes its errno into it. */
		do
			got = read(tell[0], &error, sizeof error);
		while (got < 0 && errno == EINTR);
		if (got != (ssize_t)sizeof error)
			error = 0;
		else
			while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
				;
	}
	close(tell[0]);
	return error ? -error : pid;
}

static int process_wait(int pid, bool block, int *status)
{
	int raw;
	pid_t got;

	if (pid <= 0)
		return -EINVAL;
	do
		got = waitpid(pid, &raw, block ? 0 : WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (got > 0)
		*status = WIFSIGNALED(raw) ? 256 + WTERMSIG(raw) : WEXITSTATUS(raw);
	return got;
}

static int process_kill(int pid, bool hard)
{
	if (pid <= 1)
		return -EINVAL;
	return kill(pid, hard ? SIGKILL : SIGTERM) == 0 ? 0 : -errno;
}

static int process_channel(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0 ? 0 : -errno;
}

static int process_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC) == 0 ? 0 : -errno;
}

static int process_wait_ready(struct os_poll *p, size_t n, int timeout_ms)
{
	struct pollfd list[POLL_MAX];
	int ready;

	if (n > POLL_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		list[i] = (struct pollfd){ .fd = p[i].fd };
		list[i].events = (short)((p[i].want_read ? POLLIN : 0) | (p[i].want_write ? POLLOUT : 0));
	}
	ready = poll(list, n, timeout_ms);
	if (ready < 0 && errno != EINTR)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		short what = ready > 0 ? list[i].revents : 0;

		p[i].can_read = (what & (POLLIN | POLLHUP | POLLERR)) && p[i].want_read;
		p[i].can_write = (what & (POLLOUT | POLLERR)) && p[i].want_write;
		p[i].hung_up = (what & (POLLHUP | POLLERR | POLLNVAL)) != 0;
	}
	return ready < 0 ? 0 : ready;
}

static int process_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

unsigned os_signals_take(int fd)
{
	struct signalfd_siginfo info;
	unsigned set = 0;

	while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			set |= OS_SIG_STOP;
		else if (info.ssi_signo == SIGHUP)
			set |= OS_SIG_RELOAD;
		else if (info.ssi_signo == SIGCHLD)
			set |= OS_SIG_CHILD;
	}
	return set;
}

static int process_self(char *path, size_t n)
{
	ssize_t got;

	if (n < 2)
		return -ENAMETOOLONG;
	got = readlink("/proc/self/exe", path, n - 1);
	if (got < 0)
		return -errno;
	if ((size_t)got == n - 1)
		return -ENAMETOOLONG;
	path[got] = '\0';
	return 0;
}

const struct os_process_ops os_process = {
	.spawn = process_spawn,
	.wait = process_wait,
	.kill = process_kill,
	.channel = process_channel,
	.pipe = process_pipe,
	.wait_ready = process_wait_ready,
	.signals = process_signals,
	.self = process_self,
};
