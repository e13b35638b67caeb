/* stand_in.c - a receiver over HTTP that is never the bottleneck.
 *
 * Why: a ratio of two senders says nothing when both wait for a slow receiver. Promises: one process, an answer as soon as a body is whole,
 * the same for everybody; bodies are counted, and kept in a file when one is given. Refuses nothing: it believes what it is sent. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "bench/stand_in.h"

#define CONNECTIONS 16

struct connection {
	int fd;
	struct buf in, out;
};

static void keep(FILE *to, const char *body, size_t n)
{
	uint64_t length = n;

	if (fwrite(&length, sizeof length, 1, to) != 1 || fwrite(body, 1, n, to) != n || fflush(to) != 0)
		die("the scratch folder takes no more");
}

/* The bulk API answers about each document: two lines each. */
static void answer(struct buf *to, const char *head, const char *body, size_t n)
{
	struct buf text;
	size_t lines = 0;

	buf_init(&text, 8u << 20);
	if (strstr(head, "_bulk")) {
		for (const char *p = body; (p = memchr(p, '\n', (size_t)(body + n - p))); p++)
			lines++;
		buf_str(&text, "{\"errors\":false,\"items\":[");
		for (size_t i = 0; i < lines / 2; i++)
			buf_str(&text, &",{\"create\":{\"status\":201}}"[i == 0]);
		buf_str(&text, "]}");
	} else {
		buf_str(&text, "{\"text\":\"Success\",\"code\":0}");
	}
	buf_printf(to, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", text.n);
	buf_add(to, text.p, text.n);
	buf_free(&text);
}

/* One request that has come whole; false: it has not. */
static bool take_one(struct connection *c, FILE *bodies)
{
	char *end = c->in.n ? strstr(c->in.p, "\r\n\r\n") : NULL, *length;
	size_t head, n;

	if (!end)
		return false;
	head = (size_t)(end - c->in.p) + 4;
	length = strcasestr(c->in.p, "\r\nContent-Length:");
	n = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	if (c->in.n < head + n)
		return false;
	if (bodies)
		keep(bodies, c->in.p + head, n);
	*end = '\0';
	answer(&c->out, c->in.p, c->in.p + head, n);
	if (write(c->fd, c->out.p, c->out.n) != (ssize_t)c->out.n)
		die("a sender does not read its answer");
	buf_reset(&c->out);
	buf_cut(&c->in, head + n);
	return true;
}

static bool serve(struct connection *c, FILE *bodies)
{
	char *to = buf_room(&c->in, 1u << 20);
	ssize_t got = to ? read(c->fd, to, 1u << 20) : -1;

	if (got <= 0)
		return false;
	buf_wrote(&c->in, (size_t)got);
	while (take_one(c, bodies))
		;
	return true;
}

_Noreturn static void run(int listener, FILE *bodies)
{
	static struct connection all[CONNECTIONS];
	size_t n = 0;

	for (;;) {
		struct pollfd p[CONNECTIONS + 1] = { { .fd = n < CONNECTIONS ? listener : -1, .events = POLLIN } };

		for (size_t i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = all[i].fd, .events = POLLIN };
		if (poll(p, n + 1, -1) < 0)
			_exit(1);
		for (size_t i = n; i-- > 0;) {
			if (!p[i + 1].revents || serve(&all[i], bodies))
				continue;
			close(all[i].fd);
			buf_free(&all[i].in);
			buf_free(&all[i].out);
			all[i] = all[--n];
		}
		if (p[0].revents) {
			int on = 1;

			all[n] = (struct connection){ .fd = accept(listener, NULL, NULL) };
			setsockopt(all[n].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			buf_init(&all[n].in, 64u << 20);
			buf_init(&all[n].out, 16u << 20);
			n++;
		}
	}
}

int stand_in_start(const char *bodies, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), pid;

	if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 16) != 0 ||
		getsockname(listener, (struct sockaddr *)&a, &n) != 0)
		die("no port on 127.0.0.1");
	*port = ntohs(a.sin_port);
	pid = fork();
	if (pid < 0)
		die("no process for the stand-in");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(listener, bodies ? fopen(bodies, "w") : NULL);
	}
	close(listener);
	return pid;
}

void stand_in_end(int pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
