/* tls_client.c - knocks at a port: TCP, TLS, and one GET.
 *
 * Why: a back end counts as dead or healed only when somebody has really used it.
 * Promises: an outcome for every server, also a silent, rude or lying one, within the time limits; no signal (a reset peer raises
 * no SIGPIPE); at most 16 kB of an answer are read.
 * Refuses: to verify chains, to follow redirects, to send anything of an event. */
#include "tls/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#define ANSWER_BYTES (16 * 1024) /* IIS refuses heads above 16 kB as well */

/* One knock. The socket and the last system error live here, so that OpenSSL's view and ours cannot differ. */
struct knock {
	const struct probe_target *target;
	const struct clock *clock;
	struct probe_result *to;
	int fd;
	int error;     /* errno of the last socket call */
	bool ended;    /* the peer closed */
	SSL *ssl;
};

static void say(struct probe_result *to, const char *what, int error)
{
	char words[96];

	if (error)
		snprintf(to->detail, sizeof to->detail, "%s: %s", what, err_os(error, words));
	else
		text_copy(to->detail, sizeof to->detail, what);
}

static int64_t deadline_of(const struct knock *k)
{
	int ms = k->target->timeout_ms > 0 ? k->target->timeout_ms : 10000;

	return clock_monotonic(k->clock) + (int64_t)ms * 1000;
}

/* true: ready. false: the time is over. */
static bool wait_for(const struct knock *k, short events, int64_t deadline)
{
	struct pollfd p = {.fd = k->fd, .events = events};

	for (;;) {
		int64_t left = deadline - clock_monotonic(k->clock);
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, (int)(left / 1000 + 1));
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* ---- TCP ---- */

static enum probe_tcp connect_one(struct knock *k, const struct addrinfo *a, int64_t deadline)
{
	int error = 0;
	socklen_t n = sizeof error;

	k->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (k->fd < 0) {
		k->error = errno;
		return TCP_ERROR;
	}
	if (connect(k->fd, a->ai_addr, a->ai_addrlen) == 0)
		return TCP_OK;
	if (errno == EINPROGRESS) {
		if (!wait_for(k, POLLOUT, deadline))
			return TCP_TIMEOUT;
		if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
			error = errno;
	} else {
		error = errno;
	}
	k->error = error;
	return error == 0 ? TCP_OK : error == ECONNREFUSED ? TCP_REFUSED : error == ETIMEDOUT ? TCP_TIMEOUT : TCP_ERROR;
}

static enum probe_tcp tcp_connect(struct knock *k)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
	enum probe_tcp outcome = TCP_ERROR;
	int64_t deadline;
	char port[8];
	int r;

	snprintf(port, sizeof port, "%u", (unsigned)k->target->port);
	r = getaddrinfo(k->target->address, port, &hints, &list);
	if (r != 0) {
		say(k->to, gai_strerror(r), 0);
		return TCP_ERROR;
	}
	deadline = deadline_of(k);
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		outcome = connect_one(k, a, deadline);
		if (outcome == TCP_OK || outcome == TCP_TIMEOUT)
			break;
		if (k->fd >= 0)
			close(k->fd);
		k->fd = -1;
	}
	freeaddrinfo(list);
	if (outcome != TCP_OK)
		say(k->to, outcome == TCP_TIMEOUT ? "no answer to the connection" : "the connection failed", k->error);
	return outcome;
}

/* ---- the socket as OpenSSL sees it: send with MSG_NOSIGNAL ---- */

static int bio_answer(BIO *b, struct knock *k, ssize_t n, int retry)
{
	if (n < 0) {
		k->error = errno;
		if (errno == EAGAIN || errno == EINTR)
			BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
		return -1;
	}
	return (int)n;
}

static int bio_write(BIO *b, const char *p, int n)
{
	struct knock *k = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	return bio_answer(b, k, send(k->fd, p, (size_t)n, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int bio_read(BIO *b, char *p, int n)
{
	struct knock *k = BIO_get_data(b);
	ssize_t got;

	BIO_clear_retry_flags(b);
	got = recv(k->fd, p, (size_t)n, 0);
	k->ended = k->ended || got == 0;
	return bio_answer(b, k, got, BIO_FLAGS_READ);
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	const struct knock *k = BIO_get_data(b);

	(void)num, (void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return k->ended;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "knock");

	if (!m || !BIO_meth_set_write(m, bio_write) || !BIO_meth_set_read(m, bio_read) || !BIO_meth_set_ctrl(m, bio_ctrl))
		die("out of memory");
	return m;
}

/* ---- TLS ---- */

static SSL_CTX *client_context(enum probe_version version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		die("OpenSSL cannot make a client context");
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_min_proto_version(ctx, version == TLS_ONLY_1_2 ? TLS1_2_VERSION : TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, version == TLS_ONLY_1_2 ? TLS1_2_VERSION : 0);
	return ctx;
}

/* What a failed call to OpenSSL means. A fatal alert of the peer is reported as 1000 + its number (SSL_AD_REASON_OFFSET). */
static enum probe_tls tls_failure(struct knock *k, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
	const char *words = ERR_reason_error_string(code);
	char text[160];

	ERR_clear_error();
	if (reason > SSL_AD_REASON_OFFSET) {
		k->to->alert = reason - SSL_AD_REASON_OFFSET;
		snprintf(text, sizeof text, "%s: the server sent alert %d (%s)", what, k->to->alert,
			SSL_alert_desc_string_long(k->to->alert));
		say(k->to, text, 0);
		return TLS_ALERT;
	}
	if (reason == SSL_R_UNSUPPORTED_PROTOCOL) {
		k->to->alert = SSL_AD_PROTOCOL_VERSION;
		say(k->to, "the server chose a TLS version that was not offered", 0);
		return TLS_ALERT;
	}
	snprintf(text, sizeof text, "%s: %s", what, words ? words : "the connection broke");
	say(k->to, reason ? text : what, reason ? 0 : k->error);
	if (reason && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return TLS_ERROR;
	if (k->error == ECONNRESET || k->error == EPIPE)
		return TLS_RESET;
	return TLS_EOF;
}

static enum probe_tls shake_hands(struct knock *k)
{
	static const char what[] = "the handshake failed";
	int64_t deadline = deadline_of(k);

	for (;;) {
		int r, why;

		ERR_clear_error();
		k->error = 0;
		r = SSL_connect(k->ssl);
		if (r > 0)
			return TLS_OK;
		why = SSL_get_error(k->ssl, r);
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
			if (wait_for(k, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
				continue;
			snprintf(k->to->detail, sizeof k->to->detail, "%s: no answer within %d ms", what, k->target->timeout_ms);
			return TLS_TIMEOUT;
		}
		return why == SSL_ERROR_ZERO_RETURN ? TLS_EOF : tls_failure(k, what);
	}
}

static bool is_number_address(const char *s)
{
	uint8_t any[16];

	return inet_pton(AF_INET, s, any) == 1 || inet_pton(AF_INET6, s, any) == 1;
}

static void describe(struct knock *k)
{
	struct probe_result *to = k->to;
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(k->ssl);
	X509 *leaf = SSL_get0_peer_certificate(k->ssl);
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	if (!b)
		die("out of memory");
	text_copy(to->tls_version, sizeof to->tls_version, SSL_get_version(k->ssl));
	text_copy(to->cipher, sizeof to->cipher, SSL_get_cipher(k->ssl));
	to->chain_length = chain ? sk_X509_num(chain) : 0;
	if (leaf && PEM_write_bio_X509(b, leaf) == 1 && (n = BIO_get_mem_data(b, &p)) > 0) {
		to->has_leaf = cert_parse_pem(p, (size_t)n, &to->leaf, NULL) == 0;
		if ((size_t)n < sizeof to->leaf_pem)
			memcpy(to->leaf_pem, p, (size_t)n);
	}
	BIO_free(b);
}

/* ---- HTTP ---- */

static bool path_ok(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static void keep_header(struct probe_result *to, const char *line, size_t n)
{
	static const char *const wanted[] = {"X-FEServer:", "X-BEServer:", "X-CalculatedBETarget:"};
	size_t have = strlen(to->answer_header);

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		if (n < strlen(wanted[i]) || !text_same_n(line, strlen(wanted[i]), wanted[i], strlen(wanted[i])))
			continue;
		if (have + n + 2 > sizeof to->answer_header)
			return;
		if (have)
			to->answer_header[have++] = '\n';
		for (size_t k = 0; k < n; k++)
			to->answer_header[have++] = line[k] >= ' ' && line[k] < 0x7f ? line[k] : '?';
		to->answer_header[have] = '\0';
		return;
	}
}

static void read_head(struct probe_result *to, const char *p, size_t n)
{
	int64_t status;
	const char *end = p + n;
	bool first = true;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

		if (len && p[len - 1] == '\r')
			len--;
		if (len == 0)
			return;
		if (first && (len < 12 || strncmp(p, "HTTP/1.", 7) != 0 || !text_int(p + 9, 3, &status) || status < 100)) {
			say(to, "the answer is not HTTP", 0);
			return;
		}
		if (first)
			to->http_status = (int)status;
		else
			keep_header(to, p, len);
		first = false;
		p = nl ? nl + 1 : end;
	}
}

static void request(struct knock *k, const char *host)
{
	struct probe_result *to = k->to;
	char in[ANSWER_BYTES], out[768];
	size_t have = 0;
	int64_t deadline = deadline_of(k);
	int n = snprintf(out, sizeof out,
		"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: evmend\r\nAccept: */*\r\nConnection: close\r\n\r\n", k->target->path, host);

	if (n < 0 || (size_t)n >= sizeof out || SSL_write(k->ssl, out, n) <= 0) {
		tls_failure(k, "the request could not be sent");
		return;
	}
	while (have < sizeof in) {
		int r = SSL_read(k->ssl, in + have, (int)(sizeof in - have)), why;

		if (r > 0) {
			have += (size_t)r;
			if (text_has(in, have, "\r\n\r\n"))
				break;
			continue;
		}
		why = SSL_get_error(k->ssl, r);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			break;
		if (!wait_for(k, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
			break;
	}
	ERR_clear_error();
	read_head(to, in, have);
	if (have == 0)
		say(to, "the request was not answered", k->error == EAGAIN ? 0 : k->error);
}

static void handshake(struct knock *k)
{
	const struct probe_target *t = k->target;
	SSL_CTX *ctx = client_context(t->version);
	BIO_METHOD *method = bio_method();
	BIO *b = BIO_new(method);
	char name[sizeof t->sni]; /* OpenSSL's macro wants it without const */

	k->ssl = SSL_new(ctx);
	if (!k->ssl || !b)
		die("out of memory");
	BIO_set_data(b, k);
	BIO_set_init(b, 1);
	SSL_set_bio(k->ssl, b, b);
	if (t->sni[0] && text_host_ok(t->sni) && !is_number_address(t->sni))
		SSL_set_tlsext_host_name(k->ssl, text_copy(name, sizeof name, t->sni));
	k->to->tls = shake_hands(k);
	if (k->to->tls == TLS_OK) {
		describe(k);
		if (t->path[0])
			request(k, t->sni[0] ? t->sni : t->address);
		SSL_shutdown(k->ssl);
	}
	SSL_free(k->ssl);
	SSL_CTX_free(ctx);
	BIO_meth_free(method);
	ERR_clear_error();
}

void tls_probe(const struct probe_target *t, const struct clock *clock, struct probe_result *to)
{
	struct knock k = {.target = t, .clock = clock, .to = to, .fd = -1};
	int64_t start = clock_monotonic(clock);

	memset(to, 0, sizeof *to);
	to->tls = TLS_NOT_TRIED;
	to->tcp = TCP_ERROR;
	if (!is_number_address(t->address) && !text_host_ok(t->address))
		say(to, "this is neither an address nor a host name", 0);
	else if (!path_ok(t->path) || (t->path[0] && t->path[0] != '/'))
		say(to, "a path starts with '/' and holds no blanks or odd characters", 0);
	else if ((to->tcp = tcp_connect(&k)) == TCP_OK)
		handshake(&k);
	if (k.fd >= 0)
		close(k.fd);
	to->took_us = clock_monotonic(clock) - start;
}

/* ---- words ---- */

static const char *const tcp_words[] = {
	[TCP_OK] = "ok", [TCP_REFUSED] = "refused", [TCP_TIMEOUT] = "timeout", [TCP_ERROR] = "error"};
static const char *const tls_words[] = {[TLS_OK] = "ok", [TLS_RESET] = "reset", [TLS_EOF] = "eof", [TLS_ALERT] = "alert",
	[TLS_TIMEOUT] = "timeout", [TLS_NOT_TRIED] = "not-tried", [TLS_ERROR] = "error"};

static int word_at(const char *const *words, size_t n, const char *s)
{
	for (size_t i = 0; s && i < n; i++)
		if (strcmp(words[i], s) == 0)
			return (int)i;
	return -1;
}

const char *probe_tcp_text(enum probe_tcp t)
{
	return tcp_words[t];
}

const char *probe_tls_text(enum probe_tls t)
{
	return tls_words[t];
}

bool probe_tcp_parse(const char *s, enum probe_tcp *t)
{
	int i = word_at(tcp_words, sizeof tcp_words / sizeof tcp_words[0], s);

	if (i >= 0)
		*t = (enum probe_tcp)i;
	return i >= 0;
}

bool probe_tls_parse(const char *s, enum probe_tls *t)
{
	int i = word_at(tls_words, sizeof tls_words / sizeof tls_words[0], s);

	if (i >= 0)
		*t = (enum probe_tls)i;
	return i >= 0;
}

const char *tls_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
