/* resolve.c - the addresses of a name, within a time limit.
 *
 * Exists because getaddrinfo blocks for as long as the resolver's settings please, and cannot be called off. Promises that
 * an answer comes in time: a child asks, and an alarm ends the child. Refuses nothing; what the resolver says is told.
 * The child makes no other call of ours, so it is safe in a process with threads as far as the C library is. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"

struct answer {
	int code; /* getaddrinfo's */
	unsigned n;
	char list[OS_ADDRESSES][OS_ADDRESS];
};

static void take(struct answer *to, const struct addrinfo *a)
{
	char text[OS_ADDRESS];

	if (to->n == OS_ADDRESSES || getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0)
		return;
	for (unsigned i = 0; i < to->n; i++)
		if (strcmp(to->list[i], text) == 0)
			return;
	memcpy(to->list[to->n++], text, sizeof text);
}

/* Of what the parent has open only the pipe: a lock or a channel must not live longer than the parent because somebody is slow to answer. */
static int keep_alone(int fd)
{
	if (fd != 3)
		dup2(fd, 3);
	(void)close_range(4, ~0u, 0);
	return 3;
}

static void ask(const char *name, int timeout_ms, int pipe)
{
	const struct itimerval end = { .it_value = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 } };
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct answer a;
	sigset_t none;
	int fd = keep_alone(pipe);

	memset(&a, 0, sizeof a);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &end, NULL);
	a.code = getaddrinfo(name, NULL, &hints, &list);
	for (const struct addrinfo *i = a.code == 0 ? list : NULL; i; i = i->ai_next)
		take(&a, i);
	_exit(write(fd, &a, sizeof a) == (ssize_t)sizeof a ? 0 : 1); /* less than PIPE_BUF: all or nothing */
}

/* What the child has written; -ETIMEDOUT when its alarm ended it first. */
static int hear(int fd, struct answer *to)
{
	ssize_t got;

	do
		got = read(fd, to, sizeof *to);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	return got == (ssize_t)sizeof *to ? 0 : -ETIMEDOUT;
}

int os_resolve_begin(const char *name, int timeout_ms, struct os_asking *a)
{
	int fds[2], r;

	*a = (struct os_asking){ .fd = -1, .pid = -1 };
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	a->pid = fork();
	if (a->pid == 0)
		ask(name, timeout_ms > 0 ? timeout_ms : 1, fds[1]);
	r = a->pid < 0 ? -errno : 0;
	close(fds[1]);
	if (r < 0)
		close(fds[0]);
	else
		a->fd = fds[0];
	return r;
}

static void reap(struct os_asking *a)
{
	close(a->fd);
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*a = (struct os_asking){ .fd = -1, .pid = -1 };
}

int os_resolve_end(struct os_asking *a, char to[OS_ADDRESSES][OS_ADDRESS], char why[static OS_WHY])
{
	struct answer answer = { .code = EAI_FAIL };
	int r = hear(a->fd, &answer);

	why[0] = '\0';
	reap(a);
	if (r < 0)
		return r;
	if (answer.code != 0 || answer.n == 0) {
		snprintf(why, OS_WHY, "%s", answer.code ? gai_strerror(answer.code) : "the name has no address");
		return -ENOENT;
	}
	memcpy(to, answer.list, sizeof answer.list);
	return (int)answer.n;
}

void os_resolve_stop(struct os_asking *a)
{
	if (a->fd < 0)
		return;
	kill(a->pid, SIGKILL);
	reap(a);
}

int os_resolve(const char *name, int timeout_ms, char to[OS_ADDRESSES][OS_ADDRESS], char why[static OS_WHY])
{
	struct os_asking a;
	int r = os_resolve_begin(name, timeout_ms, &a);

	why[0] = '\0';
	return r < 0 ? r : os_resolve_end(&a, to, why);
}
