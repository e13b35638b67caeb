/* stream.c - the steps of a connection: look-up, connect, handshake, up.
 *
 * Why: a receiver of syslog is reached over TCP or TLS, from a loop that serves others meanwhile. Promises: no call waits, not even for a
 * name (a child asks); each address of a name is tried; each step has its limit; bytes are counted as the kernel took them; a dead peer is
 * noticed by keepalive. Refuses: nothing itself; stream_tls.c refuses peers. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "tls/stream_inside.h"

#define LIMIT (10 * US_SECOND)
#define DRAIN 64 /* reads at the end, so that close does not become a reset */
#define SLOW 4   /* a peer that took long for the handshake may take so many times as long to refuse us */
#define HEAR_MOST (256 << 10) /* bytes heard in one drive: a peer that talks without end holds nobody up */

struct stream *stream_new(const struct stream_config *c, const struct clock *clock, const struct os_file_ops *files)
{
	struct stream *s = xcalloc(1, sizeof *s);

	s->config = c;
	s->clock = clock;
	s->files = files;
	s->fd = -1;
	s->asking.fd = -1;
	return s;
}

int64_t stream_limit(const struct stream *s)
{
	return s->config->timeout ? s->config->timeout : LIMIT;
}

static void step(struct stream *s, enum stream_state state)
{
	s->state = state;
	s->until = clock_monotonic(s->clock) + stream_limit(s);
}

static void close_fd(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Nothing is open behind this. Returns -1. */
static int end(struct stream *s)
{
	os_resolve_stop(&s->asking);
	stream_tls_end(s);
	close_fd(s);
	s->state = STREAM_SHUT;
	s->wants_write = false;
	return -1;
}

static int end_errno(struct stream *s, const char *what, int error, struct err *e)
{
	char why[96];

	err_set(e, ERR_IO, "%s %s: %s%s", s->config->address, what, err_os(error, why),
		error == ECONNREFUSED ? "; nobody listens there, or a firewall says so" : "");
	return end(s);
}

int stream_ended(const struct stream *s, int error, struct err *e)
{
	bool soon = s->state == STREAM_HANDSHAKE || (s->ssl && s->state == STREAM_UP && !stream_settled(s));
	char why[96];

	return err_set(e, ERR_IO, "%s has %s the connection%s%s%s", s->config->address, error ? "broken" : "closed", error ? ": " : "",
		error ? err_os(error, why) : "", soon ? "; if it refuses us (our certificate or its name), its log says so" : "");
}

int stream_late(const struct stream *s, struct err *e)
{
	const char *what = s->state == STREAM_LOOK_UP ? "has no address: the name servers do not answer" :
		s->state == STREAM_CONNECT ? "does not answer; is it up, and does a firewall let us through?" :
		s->state == STREAM_HANDSHAKE ? "does not answer to TLS; does it speak TLS there?" :
		"takes no more bytes: its program does not read, or has no room to write";

	return err_set(e, ERR_IO, "%s %s", s->config->address, what);
}

/* --- the address --- */

static int split(struct stream *s, struct err *e)
{
	const char *a = s->config->address, *colon = strrchr(a, ':');
	size_t n = colon ? (size_t)(colon - a) : 0;

	if (n > 1 && a[0] == '[' && a[n - 1] == ']') {
		a++;
		n -= 2;
	}
	if (!n || n >= sizeof s->host || strlen(colon + 1) >= sizeof s->port)
		return err_set(e, ERR_USAGE, "%s is no \"host:port\"", s->config->address);
	memcpy(s->host, a, n);
	s->host[n] = '\0';
	text_copy(s->port, sizeof s->port, colon + 1);
	return 0;
}

static bool is_number(const char *host)
{
	uint8_t any[16];

	return inet_pton(AF_INET, host, any) == 1 || inet_pton(AF_INET6, host, any) == 1;
}

/* Begins with the next address; those that fail at once are passed over. */
static int connect_next(struct stream *s, struct err *e)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST };
	static const int on = 1, idle = 30, again = 10, times = 3;
	int error = EHOSTUNREACH;

	close_fd(s);
	for (; s->at < s->n && s->fd < 0; s->at++) {
		struct addrinfo *a = NULL;

		if (getaddrinfo(s->list[s->at], s->port, &hints, &a) != 0)
			continue;
		s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (s->fd >= 0 && connect(s->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
			error = errno;
			close_fd(s);
		} else if (s->fd < 0) {
			error = errno;
		}
		freeaddrinfo(a);
	}
	if (s->fd < 0)
		return end_errno(s, "cannot be reached", error, e);
	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPINTVL, &again, sizeof again);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	s->given = 0;
	s->widest = 0;
	s->begun = clock_monotonic(s->clock);
	s->ended = false;
	s->wants_write = true;
	step(s, STREAM_CONNECT);
	return 0;
}

int stream_open(struct stream *s, struct err *e)
{
	int r;

	if (s->state != STREAM_SHUT)
		return 0;
	if (split(s, e) < 0)
		return -1;
	if (s->config->tls && stream_tls_open(s, e) < 0)
		return end(s);
	s->at = 0;
	if (is_number(s->host)) {
		text_copy(s->list[0], sizeof s->list[0], s->host);
		s->n = 1;
		return connect_next(s, e);
	}
	r = os_resolve_begin(s->host, (int)(stream_limit(s) / 1000), &s->asking);
	if (r < 0)
		return end_errno(s, "cannot be looked up", -r, e);
	step(s, STREAM_LOOK_UP);
	return 0;
}

/* --- the steps --- */

static bool ready(int fd, bool write)
{
	struct os_poll p = { .fd = fd, .want_read = !write, .want_write = write };

	return os_process.wait_ready(&p, 1, 0) > 0;
}

static int go_look_up(struct stream *s, struct err *e)
{
	char why[OS_WHY];
	int n;

	if (!ready(s->asking.fd, false))
		return 0; /* the child's alarm ends it */
	n = os_resolve_end(&s->asking, s->list, why);
	if (n < 0) {
		if (n == -ETIMEDOUT)
			stream_late(s, e);
		else
			err_set(e, ERR_IO, "%s cannot be looked up: %s", s->config->address, n == -ENOENT ? why : err_os(n, why));
		return end(s);
	}
	s->n = n;
	return connect_next(s, e);
}

static int up(struct stream *s)
{
	s->state = STREAM_UP;
	s->up_since = clock_monotonic(s->clock);
	s->settle = SLOW * (s->up_since - s->begun);
	s->settle = s->settle < STREAM_SETTLE ? STREAM_SETTLE : s->settle;
	s->wants_write = false;
	return 1;
}

static int go_connect(struct stream *s, struct err *e)
{
	int error = 0;
	socklen_t n = sizeof error;

	if (ready(s->fd, true)) {
		if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
			error = errno;
	} else if (clock_monotonic(s->clock) >= s->until) {
		if (s->at < s->n)
			return connect_next(s, e);
		stream_late(s, e);
		return end(s);
	} else {
		return 0;
	}
	if (error)
		return s->at < s->n ? connect_next(s, e) : end_errno(s, "cannot be reached", error, e);
	s->wants_write = false;
	if (!s->ctx)
		return up(s);
	stream_tls_begin(s);
	step(s, STREAM_HANDSHAKE);
	return 0;
}

static int go_shake(struct stream *s, struct err *e)
{
	int r = stream_tls_shake(s, e);

	if (r > 0)
		return up(s);
	if (r == 0 && clock_monotonic(s->clock) >= s->until)
		r = stream_late(s, e);
	return r < 0 ? end(s) : 0;
}

static int hear_plain(struct stream *s, struct err *e)
{
	char chunk[512];
	ssize_t got;

	do
		got = stream_recv(s, chunk, sizeof chunk);
	while (got > 0);
	return got < 0 && s->error == EAGAIN ? 0 : stream_ended(s, got < 0 ? s->error : 0, e);
}

int stream_drive(struct stream *s, struct err *e)
{
	enum stream_state before;
	int r = 0;

	s->may_hear = HEAR_MOST;
	do {
		before = s->state;
		switch (s->state) {
		case STREAM_SHUT:
			return err_set(e, ERR_IO, "%s is not connected", s->config->address);
		case STREAM_LOOK_UP:
			r = go_look_up(s, e);
			break;
		case STREAM_CONNECT:
			r = go_connect(s, e);
			break;
		case STREAM_HANDSHAKE:
			r = go_shake(s, e);
			break;
		case STREAM_UP:
			if ((s->ssl ? stream_tls_hear(s, e) : hear_plain(s, e)) < 0)
				return end(s);
			return 1;
		}
	} while (r >= 0 && s->state != before);
	return r < 0 ? -1 : s->state == STREAM_UP;
}

/* --- bytes --- */

ssize_t stream_send(struct stream *s, const void *p, size_t n)
{
	ssize_t did;

	do
		did = send(s->fd, p, n, MSG_NOSIGNAL);
	while (did < 0 && errno == EINTR);
	s->error = did < 0 ? errno : 0;
	if (did > 0)
		s->given += (uint64_t)did;
	return did;
}

ssize_t stream_recv(struct stream *s, void *p, size_t n)
{
	ssize_t got;

	if (!s->may_hear) {
		s->error = EAGAIN;
		return -1;
	}
	do
		got = recv(s->fd, p, n < s->may_hear ? n : s->may_hear, 0);
	while (got < 0 && errno == EINTR);
	s->error = got < 0 ? errno : 0;
	s->ended = s->ended || got == 0;
	s->may_hear -= got > 0 ? (size_t)got : 0;
	return got;
}

ssize_t stream_write(struct stream *s, const void *p, size_t n, struct err *e)
{
	ssize_t did;

	if (s->state != STREAM_UP)
		return err_set(e, ERR_IO, "%s is not connected", s->config->address);
	if (s->ssl) {
		did = stream_tls_write(s, p, n, e);
		return did < 0 ? end(s) : did;
	}
	did = stream_send(s, p, n);
	s->wants_write = did < 0 && s->error == EAGAIN;
	if (did < 0 && s->error != EAGAIN) {
		stream_ended(s, s->error, e);
		return end(s);
	}
	return did < 0 ? 0 : did;
}

uint64_t stream_given(const struct stream *s)
{
	return s->given;
}

uint64_t stream_confirmed(const struct stream *s)
{
	int waiting = 0;

	if (s->fd < 0 || ioctl(s->fd, TIOCOUTQ, &waiting) != 0)
		return 0;
	return s->given - (uint64_t)waiting;
}

int64_t stream_silence(const struct stream *s)
{
	struct os_tcp_peer peer;

	os_tcp_peer(s->fd, &peer);
	return peer.silence;
}

uint64_t stream_unread(struct stream *s)
{
	struct os_tcp_peer peer;

	os_tcp_peer(s->fd, &peer);
	s->widest = peer.window > s->widest ? peer.window : s->widest;
	return s->widest - peer.window;
}

bool stream_settled(const struct stream *s)
{
	return s->state == STREAM_UP && clock_monotonic(s->clock) - s->up_since >= s->settle;
}

int stream_wait_fd(const struct stream *s, bool *write)
{
	*write = s->wants_write;
	return s->state == STREAM_LOOK_UP ? s->asking.fd : s->fd;
}

const char *stream_peer(const struct stream *s)
{
	return s->state == STREAM_UP && s->ssl ? s->peer : "";
}

void stream_shut(struct stream *s)
{
	char chunk[4096];

	s->may_hear = HEAR_MOST;
	if (s->state == STREAM_UP) {
		if (s->ssl)
			stream_tls_shut(s);
		shutdown(s->fd, SHUT_WR);
		for (int i = 0; i < DRAIN && stream_recv(s, chunk, sizeof chunk) > 0; i++)
			;
	}
	end(s);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	stream_shut(s);
	free(s);
}
