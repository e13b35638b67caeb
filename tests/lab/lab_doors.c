/* lab_doors.c - one connection: TLS with the record's certificate, one HTTP request, an answer.
 *
 * The back end answers itself; the front end really goes to the back end over TLS, takes any certificate there (as Exchange does
 * by default) but only TLS 1.2 and later, and answers 500 without X-BEServer when that hop fails.
 * A back end that was told to hang, to keep silent, to cut or to answer 503 really does so.
 * A door without usable certificate resets the connection, as HTTP.SYS does, and says so in the event log. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"
#include "lab/server.h"

#define HEAD_BYTES (16 * 1024)
#define BODY_BYTES (64 * 1024)
#define PATIENCE_S 5

static void patience(int fd)
{
	struct timeval t = {.tv_sec = PATIENCE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

static void reset(int fd)
{
	struct linger hard = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	close(fd);
}

/* ---- a little HTTP ---- */

/* Reads until the head is whole (or the peer ends). Returns the number of bytes, 0 when nothing came. */
static size_t read_some(SSL *ssl, char *to, size_t size, bool head_only)
{
	size_t n = 0;
	int r;

	while (n + 1 < size && (r = SSL_read(ssl, to + n, (int)(size - n - 1))) > 0) {
		n += (size_t)r;
		if (head_only && text_has(to, n, "\r\n\r\n"))
			break;
	}
	to[n] = '\0';
	return n;
}

/* The value of the line Host, without its port. */
static void take_host(const char *head, char to[static 256])
{
	const char *at = strcasestr(head, "\r\nHost: ");
	size_t n = at ? strcspn(at + 8, ":\r") : 0;

	text_copy(to, n < 256 ? n + 1 : 256, at ? at + 8 : "");
}

/* "GET /path HTTP/1.1": what this lab understands of a request. */
static bool read_request(SSL *ssl, struct lab_request *to)
{
	char *head = xcalloc(1, HEAD_BYTES), *path, *end;
	bool ok = false;

	if (read_some(ssl, head, HEAD_BYTES, true) == 0)
		goto out;
	take_host(head, to->host);
	path = strchr(head, ' ');
	end = path ? strchr(path + 1, ' ') : NULL;
	if (!end || (size_t)(path - head) >= sizeof to->method || (size_t)(end - path) >= sizeof to->path || path[1] != '/')
		goto out;
	*path++ = *end = '\0';
	for (const char *c = path; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '<')
			goto out;
	if (strspn(head, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(head))
		goto out;
	text_copy(to->method, sizeof to->method, head);
	text_copy(to->path, sizeof to->path, path);
	ok = true;
out:
	free(head);
	return ok;
}

static const char *reason_of(int status)
{
	return status == 200 ? "OK" : status == 400 ? "Bad Request" : status == 401 ? "Unauthorized" :
		status == 503 ? "Service Unavailable" : "Internal Server Error";
}

static void answer(SSL *ssl, int status, const char *headers, const char *body)
{
	struct buf b;

	buf_init(&b, 2 * BODY_BYTES);
	buf_printf(&b, "HTTP/1.1 %d %s\r\nServer: evmend-LAB\r\n%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", status,
		reason_of(status), headers, strlen(body), body);
	SSL_write(ssl, b.p, (int)b.n);
	buf_free(&b);
}

/* ---- the hop ---- */

struct reply {
	int status;
	char be_server[128];
	char *body; /* malloc'd */
};

static int connect_backend(const struct lab *l)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(l->backend_port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	patience(fd);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

static void parse_reply(const char *text, struct reply *to)
{
	const char *be = strstr(text, "\r\nX-BEServer: "), *body = strstr(text, "\r\n\r\n");
	int64_t status;

	if (text_starts(text, "HTTP/1.") && strlen(text) > 12 && text_int(text + 9, 3, &status))
		to->status = (int)status;
	if (be) {
		size_t n = strcspn(be + 14, "\r\n");

		text_copy(to->be_server, n < sizeof to->be_server ? n + 1 : sizeof to->be_server, be + 14);
	}
	to->body = xstrdup(body ? body + 4 : "");
}

/* NULL: the back end answered; else the .NET name of what failed. */
static const char *hop(const struct lab *l, const struct lab_request *r, struct reply *to)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	char *text = xcalloc(1, BODY_BYTES), head[1200], name[256];
	const char *failure = "SendFailure";
	int fd = connect_backend(l), n;

	SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL); /* AllowInternalUntrustedCerts is true by default */
	if (fd < 0) {
		failure = "ConnectFailure";
		goto out;
	}
	SSL_set_fd(ssl, fd);
	SSL_set_tlsext_host_name(ssl, text_copy(name, sizeof name, l->fqdn));
	if (SSL_connect(ssl) != 1)
		goto out;
	n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s:444\r\nConnection: close\r\n\r\n", r->method, r->path, l->fqdn);
	if (n < 0 || (size_t)n >= sizeof head || SSL_write(ssl, head, n) <= 0)
		goto out;
	failure = "ReceiveFailure";
	if (read_some(ssl, text, BODY_BYTES, false) == 0)
		goto out;
	parse_reply(text, to);
	if (to->status)
		failure = NULL;
	SSL_shutdown(ssl);
out:
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	if (fd >= 0)
		close(fd);
	free(text);
	ERR_clear_error();
	return failure;
}

/* ---- answers ---- */

/* The pool that serves a path. Those whose names hold FrontEnd stand before the back end's own; the others serve both. */
static const char *pool_of(const char *path, enum door_kind kind)
{
	bool back = kind == DOOR_BACKEND;

	if (text_starts(path, "/powershell"))
		return back ? "MSExchangePowerShellAppPool" : "MSExchangePowerShellFrontEndAppPool";
	if (text_starts(path, "/mapi"))
		return back ? "MSExchangeMapiMailboxAppPool" : "MSExchangeMapiFrontEndAppPool";
	return text_starts(path, "/ecp") ? "MSExchangeECPAppPool" : text_starts(path, "/ews") ? "MSExchangeServicesAppPool" :
		"MSExchangeOWAAppPool";
}

static bool pool_runs(const struct opened *o, const char *name)
{
	for (size_t i = 0; i < o->n_pools; i++)
		if (strcmp(o->pools[i].name, name) == 0)
			return o->pools[i].running;
	return true;
}

static void frontend_answer(const struct lab *l, SSL *ssl, struct lab_request *r, unsigned wrong)
{
	struct reply reply = {0};
	char headers[1024];
	int n;

	lab_guid(r->id);
	r->failure = wrong & WRONG_HOP ? "SendFailure" : hop(l, r, &reply);
	r->backend_status = reply.status;
	r->status = r->failure ? 500 : reply.status;
	n = snprintf(headers, sizeof headers, "X-FEServer: %s\r\nX-CalculatedBETarget: %s\r\nrequest-id: %s\r\n", l->name, l->fqdn, r->id);
	if (!r->failure && reply.be_server[0])
		snprintf(headers + n, sizeof headers - (size_t)n, "X-BEServer: %s\r\n", reply.be_server);
	lab_httpproxy(l, r);
	if (r->failure && text_starts(r->path, "/powershell"))
		lab_console(l, r);
	answer(ssl, r->status, headers, reply.body ? reply.body : "evmend LAB: the back end did not answer\n");
	free(reply.body);
}

static void backend_answer(const struct lab *l, SSL *ssl, const struct lab_request *r)
{
	char headers[256];
	bool healthy = strcmp(r->path, HEALTH_PATH) == 0 && strcmp(r->method, "GET") == 0;

	snprintf(headers, sizeof headers, "X-BEServer: %s\r\n%s", l->name, healthy ? "" : "WWW-Authenticate: Negotiate\r\n");
	answer(ssl, healthy ? 200 : 401, headers, healthy ? "200 OK, evmend LAB\n" : "401, evmend LAB\n");
}

/* As HTTP.SYS answers before any site sees the request: nobody is meant, or the site's pool is down. */
static bool httpsys_answers(SSL *ssl, const struct opened *o, const struct lab_request *r, enum door_kind kind)
{
	if (o->host[0] && strcasecmp(o->host, r->host) != 0)
		answer(ssl, 400, "", "Bad Request - Invalid Hostname, evmend LAB\n");
	else if (!pool_runs(o, pool_of(r->path, kind)))
		answer(ssl, 503, "", "Service Unavailable, evmend LAB\n");
	else
		return false;
	return true;
}

/* Says nothing and stays, until the guest has had enough or the lab ends. */
static void say_nothing(struct server *s, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char waste[512];

	while (!atomic_load(&s->ending))
		if (poll(&p, 1, 100) > 0 && recv(fd, waste, sizeof waste, 0) <= 0)
			return;
}

/* ---- TLS ---- */

static void cannot_answer(struct server *s, enum door_kind kind, enum door_why why, const char *endpoint)
{
	bool say;

	if (why == DOOR_NO_RECORD) /* nothing is configured, so HTTP.SYS has nothing to complain about */
		return;
	pthread_mutex_lock(&s->lock);
	say = kind == DOOR_BACKEND && !s->said_36870;
	s->said_36870 = s->said_36870 || say;
	pthread_mutex_unlock(&s->lock);
	if (say)
		lab_event(s->lab, why == DOOR_NO_KEY_INFO ? EV_36869 : EV_36870, NULL);
	lab_event(s->lab, EV_15021, &(struct event_args){.endpoint = endpoint});
}

static void shake_hands(struct server *s, enum door_kind kind, SSL *ssl, const struct opened *o)
{
	struct lab_request r = {.status = 0};
	int reason;

	if (SSL_accept(ssl) != 1) {
		reason = ERR_GET_REASON(ERR_peek_error());
		if (kind == DOOR_BACKEND && (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_NO_SHARED_CIPHER))
			lab_event(s->lab, EV_36874, &(struct event_args){.protocol = "TLS 1.2"});
		ERR_clear_error();
		return;
	}
	if (kind == DOOR_BACKEND && o->wrong & WRONG_MUTE)
		say_nothing(s, SSL_get_fd(ssl));
	else if (!read_request(ssl, &r))
		answer(ssl, 400, "", "evmend LAB: this request is not understood\n");
	else if (httpsys_answers(ssl, o, &r, kind))
		;
	else if (kind == DOOR_BACKEND)
		backend_answer(s->lab, ssl, &r);
	else
		frontend_answer(s->lab, ssl, &r, o->wrong);
	SSL_shutdown(ssl);
	ERR_clear_error();
}

/* Cut by HTTP.SYS itself, for a reason that no table shows. */
static bool is_cut(enum door_kind kind, bool v6, unsigned wrong)
{
	return kind == DOOR_BACKEND && (wrong & WRONG_STALE || (!v6 && wrong & WRONG_SPLIT));
}

static void serve_opened(struct server *s, enum door_kind kind, const struct opened *o, int fd)
{
	SSL *ssl;

	if (kind == DOOR_BACKEND) {
		pthread_mutex_lock(&s->lock);
		s->said_36870 = false;
		pthread_mutex_unlock(&s->lock);
	}
	ssl = SSL_new(o->ctx);
	if (kind == DOOR_BACKEND && o->wrong & WRONG_TLS10) {
		SSL_set_min_proto_version(ssl, TLS1_VERSION);
		SSL_set_max_proto_version(ssl, TLS1_VERSION);
	}
	SSL_set_fd(ssl, fd);
	shake_hands(s, kind, ssl, o);
	SSL_free(ssl);
	close(fd);
}

void door_serve(struct server *s, enum door_kind kind, bool v6, int fd)
{
	struct opened o;
	char byte;

	patience(fd);
	/* somebody who says nothing gets and causes nothing */
	if (recv(fd, &byte, 1, MSG_PEEK) != 1 || !cache_open(s, kind, v6, &o)) {
		close(fd);
		return;
	}
	if (kind == DOOR_BACKEND && o.wrong & WRONG_HANG) {
		say_nothing(s, fd);
		close(fd);
	} else if (is_cut(kind, v6, o.wrong)) {
		reset(fd);
	} else if (!o.ctx) {
		cannot_answer(s, kind, o.why, o.endpoint);
		reset(fd);
	} else {
		serve_opened(s, kind, &o, fd);
	}
	SSL_CTX_free(o.ctx);
}
