/* lab_listen.c - a port that behaves badly, for tests of whoever knocks.
 *
 * Exists because real servers do each of these: reset, hang up, fall silent, speak something else, drip their bytes. Promises to go
 * on until it is killed, each caller in a process of his own. It is on loopback only. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/lab.h"

#define DRIP_US 50000

static void swallow(int fd)
{
	char some[2048];

	while (recv(fd, some, sizeof some, 0) > 0)
		;
}

/* A record that says it is a handshake of 16 kB, a byte at a time: nobody may wait for its end. */
static void drip(const struct clock *clock, int fd)
{
	const char head[] = {0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, (char)0xfc};

	for (size_t i = 0; send(fd, i < sizeof head ? head + i : "", 1, MSG_NOSIGNAL) == 1; i++)
		clock_sleep(clock, DRIP_US);
}

static void serve(const struct clock *clock, const char *manner, int fd)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	static const char alert[] = {0x15, 3, 3, 0, 2, 2, 80};
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	char first[2048];
	bool spoke = recv(fd, first, sizeof first, 0) > 0;

	if (strcmp(manner, "reset") == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	else if (strcmp(manner, "hang") == 0)
		swallow(fd);
	else if (strcmp(manner, "drip") == 0)
		drip(clock, fd);
	else if (strcmp(manner, "plain") == 0 && spoke)
		(void)send(fd, http, sizeof http - 1, MSG_NOSIGNAL);
	else if (strcmp(manner, "alert") == 0 && spoke)
		(void)send(fd, alert, sizeof alert, MSG_NOSIGNAL);
	close(fd); /* "eof": that is all */
}

int lab_listen(const char *manner, struct err *e)
{
	static const char *const manners[] = {"reset", "eof", "hang", "drip", "plain", "alert", NULL};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct clock clock = clock_real();
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i = 0;

	while (manners[i] && strcmp(manners[i], manner) != 0)
		i++;
	if (!manners[i])
		return err_set(e, ERR_USAGE, "listen must be reset, eof, hang, drip, plain or alert");
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 16) < 0 || getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return err_set(e, ERR_IO, "no port on loopback");
	signal(SIGCHLD, SIG_IGN);
	printf("%u\n", (unsigned)ntohs(a.sin_port));
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			continue;
		if (fork() == 0) {
			close(fd); /* the port ends with us */
			serve(&clock, manner, peer);
			_exit(0);
		}
		close(peer);
	}
}
