/* sink_syslog.c - records as RFC 5424 messages over TCP, framed by octet counting (RFC 6587 section 3.4.1).
 *
 * Why: log servers take it. Promises: syslog has no acknowledgement, so a record counts as delivered only when the receiver's TCP has
 * confirmed all of its bytes; what was on its way when a connection broke is sent again (the uid lets the receiver drop a repeat); a frame
 * is never longer than RFC5424_MAX. Refuses nothing.
 * A name is looked up on each connect and that may take some seconds; intake waits for it, nothing is lost. */
#include <errno.h>
#include <fcntl.h>
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
#include "ship/formats.h"
#include "ship/sink_kinds.h"

#define PENDING 256
#define OUT_BYTES (4u << 20)
#define CONNECT_LIMIT (10 * US_SECOND)
#define CONFIRM_LIMIT (60 * US_SECOND) /* a receiver that confirms nothing for so long is taken for dead */

struct pending {
	int64_t seq;
	uint64_t end; /* its last byte in the stream of this connection */
};

struct syslog_sink {
	int fd;
	bool connecting;
	int64_t since;    /* connect began, or the last time something was confirmed */
	struct buf out;
	size_t out_at;
	uint64_t written; /* bytes given to the kernel on this connection */
	struct pending pending[PENDING];
	size_t n;
	struct sink_result broken[PENDING]; /* of a connection that broke, for the next poll */
	size_t n_broken;
	char why[160];
};

static void say_why(struct syslog_sink *y, const char *what, int error)
{
	struct err e = { 0 };
	char why[96];

	err_set(&e, ERR_IO, "%s%s%s", what, error ? ": " : "", error ? err_os(error, why) : "");
	text_copy(y->why, sizeof y->why, e.text);
}

/* The connection is of no use any more: everything on its way is to be sent again. */
static void drop(struct sink *s, const char *what, int error)
{
	struct syslog_sink *y = s->self;

	if (y->fd >= 0)
		close(y->fd);
	y->fd = -1;
	y->connecting = false;
	say_why(y, what, error);
	for (size_t i = 0; i < y->n; i++) {
		struct sink_result *r = &y->broken[y->n_broken++];

		*r = (struct sink_result){ .seq = y->pending[i].seq, .outcome = SINK_RETRY };
		text_copy(r->why, sizeof r->why, y->why);
	}
	y->n = 0;
	y->written = 0;
	y->out_at = 0;
	buf_reset(&y->out);
}

static int look_up(const char *address, struct addrinfo **to)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	size_t n = (size_t)(colon - address);
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };

	if (n > 1 && address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	}
	if (n >= sizeof host)
		return EAI_NONAME;
	memcpy(host, address, n);
	host[n] = '\0';
	return getaddrinfo(host, colon + 1, &hints, to);
}

static int begin_connect(const struct addrinfo *a)
{
	int on = 1, idle = 30;
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS)
		return fd;
	int error = -errno;

	close(fd);
	return error;
}

static int syslog_open(struct sink *s, struct err *e)
{
	struct syslog_sink *y = s->self;
	struct addrinfo *list = NULL;
	int r;

	if (!y) {
		y = s->self = xcalloc(1, sizeof *y);
		buf_init(&y->out, OUT_BYTES);
		y->fd = -1;
	}
	if (y->fd >= 0)
		return 0;
	r = look_up(s->config->syslog.address, &list);
	if (r) {
		drop(s, gai_strerror(r), 0);
		return err_set(e, ERR_IO, "sink %s: %s cannot be looked up: %s", s->config->name, s->config->syslog.address, gai_strerror(r));
	}
	r = -EHOSTUNREACH;
	for (const struct addrinfo *a = list; a && r < 0; a = a->ai_next)
		r = begin_connect(a);
	freeaddrinfo(list);
	if (r < 0) {
		drop(s, "cannot be reached", -r);
		return err_set(e, ERR_IO, "sink %s: %s: %s", s->config->name, s->config->syslog.address, y->why);
	}
	y->fd = r;
	y->connecting = true;
	y->since = clock_monotonic(s->clock);
	return 0;
}

/* Connect has ended well, goes on, or has failed (then the connection is dropped). */
static void go_on_connecting(struct sink *s)
{
	struct syslog_sink *y = s->self;
	struct os_poll p = { .fd = y->fd, .want_write = true };
	int error = 0;
	socklen_t n = sizeof error;

	if (os_process.wait_ready(&p, 1, 0) <= 0) {
		if (clock_monotonic(s->clock) - y->since > CONNECT_LIMIT)
			drop(s, "does not answer", ETIMEDOUT);
		return;
	}
	if (getsockopt(y->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error) {
		drop(s, "cannot be reached", error ? error : errno);
		return;
	}
	y->connecting = false;
	y->since = clock_monotonic(s->clock);
}

/* What the receiver says means nothing, but its end does. */
static void look_for_end(struct sink *s)
{
	struct syslog_sink *y = s->self;
	char chunk[512];
	ssize_t got = 1;

	while (y->fd >= 0 && got > 0) {
		got = recv(y->fd, chunk, sizeof chunk, 0);
		if (got == 0)
			drop(s, "the receiver has closed the connection", 0);
		else if (got < 0 && errno != EAGAIN && errno != EINTR)
			drop(s, "the connection broke", errno);
	}
}

static void push(struct sink *s)
{
	struct syslog_sink *y = s->self;

	while (y->fd >= 0 && y->out_at < y->out.n) {
		ssize_t did = send(y->fd, y->out.p + y->out_at, y->out.n - y->out_at, MSG_NOSIGNAL);

		if (did < 0 && errno == EINTR)
			continue;
		if (did < 0 && errno == EAGAIN)
			return;
		if (did < 0) {
			drop(s, "the connection broke", errno);
			return;
		}
		y->out_at += (size_t)did;
		y->written += (uint64_t)did;
	}
	if (y->out_at == y->out.n) {
		y->out_at = 0;
		buf_reset(&y->out);
	}
}

static void drive(struct sink *s)
{
	struct syslog_sink *y = s->self;

	if (y->fd >= 0 && y->connecting)
		go_on_connecting(s);
	if (y->fd >= 0 && !y->connecting) {
		push(s);
		look_for_end(s);
	}
}

/* CEF and LEEF stand behind the header that their receivers expect. */
static void format_one(const struct sink_config *c, const struct record_view *v, struct buf *to)
{
	if (c->format && c->format->write != format_rfc5424)
		format_syslog(c, v, c->format, true, RFC5424_MAX, to);
	else
		format_rfc5424(c, v, RFC5424_MAX, to);
}

static int syslog_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	struct syslog_sink *y = s->self;
	struct buf one;
	size_t did = 0;

	if (!y || y->fd < 0)
		return err_set(e, ERR_IO, "sink %s: %s: %s", s->config->name, s->config->syslog.address, y ? y->why : "not connected");
	buf_init(&one, 1u << 20);
	for (; did < n && y->n + y->n_broken < PENDING && y->out.n + RFC5424_MAX + 16 < OUT_BYTES; did++) {
		struct record_view v;

		buf_reset(&one);
		view_open(&v, &r[did]);
		format_one(s->config, &v, &one);
		view_close(&v);
		buf_printf(&y->out, "%zu ", one.n);
		buf_add(&y->out, one.p, one.n);
		y->pending[y->n++] = (struct pending){ .seq = r[did].seq, .end = y->written + (y->out.n - y->out_at) };
	}
	buf_free(&one);
	drive(s);
	return (int)did;
}

static int syslog_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	struct syslog_sink *y = s->self;
	int unconfirmed = 0;
	size_t did = 0;

	(void)e;
	*got = 0;
	drive(s);
	if (y->fd >= 0 && !y->connecting && y->n) {
		if (ioctl(y->fd, TIOCOUTQ, &unconfirmed) != 0)
			unconfirmed = 0;
		uint64_t confirmed = y->written - (uint64_t)unconfirmed;

		while (did < y->n && did < n && y->pending[did].end <= confirmed) {
			to[did] = (struct sink_result){ .seq = y->pending[did].seq, .outcome = SINK_ACCEPTED };
			did++;
		}
		if (did) {
			y->since = clock_monotonic(s->clock);
			memmove(y->pending, y->pending + did, (y->n - did) * sizeof y->pending[0]);
			y->n -= did;
		} else if (clock_monotonic(s->clock) - y->since > CONFIRM_LIMIT) {
			drop(s, "the receiver confirms nothing", ETIMEDOUT);
		}
	}
	while (did < n && y->n_broken) {
		to[did++] = y->broken[0];
		memmove(y->broken, y->broken + 1, --y->n_broken * sizeof y->broken[0]);
	}
	*got = did;
	return 0;
}

static int syslog_wait_fd(struct sink *s, bool *write)
{
	struct syslog_sink *y = s->self;

	*write = y && (y->connecting || y->out_at < y->out.n);
	return y ? y->fd : -1;
}

static int syslog_flush(struct sink *s, struct err *e)
{
	struct syslog_sink *y = s->self;

	if (y)
		drive(s);
	return y && y->n ? err_set(e, ERR_IO, "sink %s: %zu records are not confirmed", s->config->name, y->n) : 0;
}

static void syslog_reopen(struct sink *s)
{
	(void)s; /* a connection has nothing that rotates */
}

/* A syslog receiver is there when the connection is made. */
static int syslog_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	const struct syslog_sink *y;

	buf_str(says, s->config->syslog.address);
	if (syslog_open(s, e) < 0)
		return -1;
	y = s->self;
	while (clock_monotonic(s->clock) < until) {
		struct os_poll p = { .fd = y->fd, .want_write = true };

		drive(s);
		if (y->fd < 0)
			return err_set(e, ERR_IO, "%s %s", s->config->syslog.address, y->why);
		if (!y->connecting)
			return 0;
		os_process.wait_ready(&p, 1, 100);
	}
	return err_set(e, ERR_IO, "%s does not answer", s->config->syslog.address);
}

static void syslog_close(struct sink *s)
{
	struct syslog_sink *y = s->self;

	if (!y)
		return;
	if (y->fd >= 0) {
		shutdown(y->fd, SHUT_WR);
		close(y->fd);
	}
	buf_free(&y->out);
	free(y);
	s->self = NULL;
}

const struct sink_ops sink_syslog_ops = {
	.open = syslog_open,
	.submit = syslog_submit,
	.poll = syslog_poll,
	.wait_fd = syslog_wait_fd,
	.flush = syslog_flush,
	.reopen = syslog_reopen,
	.check = syslog_check,
	.close = syslog_close,
};
