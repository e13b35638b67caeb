/* tls_client.c - knocks at a port: TCP and TLS; tls_answer.c asks the one question.
 *
 * Why: a back end counts as dead or healed only when somebody has really used it.
 * Promises: an outcome for every server, also a silent, rude, dripping or lying one, within the time limits; no signal (a reset
 * peer raises no SIGPIPE); at most MESSAGE_BYTES of certificates are read.
 * Refuses: to verify chains, to show a certificate of ours, to send anything of an event. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "os/os.h"
#include "tls/knock.h"

#define MESSAGE_BYTES (256 * 1024) /* of one handshake message: a chain of 100 certificates has some 200 kB */

void knock_say(struct probe_result *to, const char *what, int error)
{
	char words[96];

	if (error)
		snprintf(to->detail, sizeof to->detail, "%s: %s", what, err_os(error, words));
	else
		text_copy(to->detail, sizeof to->detail, what);
}

int64_t knock_deadline(const struct knock *k)
{
	int ms = k->target->timeout_ms > 0 ? k->target->timeout_ms : 10000;
	int64_t at = clock_monotonic(k->clock) + (int64_t)ms * 1000;

	return at < k->end ? at : k->end;
}

bool knock_wait(const struct knock *k, short events, int64_t deadline)
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
		if (!knock_wait(k, POLLOUT, deadline))
			return TCP_TIMEOUT;
		if (getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
			error = errno;
	} else {
		error = errno;
	}
	k->error = error;
	return error == 0 ? TCP_OK : error == ECONNREFUSED ? TCP_REFUSED : error == ETIMEDOUT ? TCP_TIMEOUT : TCP_ERROR;
}

static bool is_number_address(const char *s)
{
	uint8_t any[16];

	return inet_pton(AF_INET, s, any) == 1 || inet_pton(AF_INET6, s, any) == 1;
}

/* A number becomes a socket address without asking anybody. */
static enum probe_tcp connect_number(struct knock *k, const char *number, int64_t deadline)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST}, *list = NULL;
	enum probe_tcp outcome;
	char port[8];
	int r;

	snprintf(port, sizeof port, "%u", (unsigned)k->target->port);
	r = getaddrinfo(number, port, &hints, &list);
	if (r != 0) {
		knock_say(k->to, gai_strerror(r), 0);
		return TCP_ERROR;
	}
	text_copy(k->to->peer, sizeof k->to->peer, number);
	k->error = 0;
	outcome = connect_one(k, list, deadline);
	freeaddrinfo(list);
	if (outcome != TCP_OK) {
		knock_say(k->to, outcome == TCP_TIMEOUT ? "no answer to the connection" : "the connection failed", k->error);
		if (k->fd >= 0)
			close(k->fd);
		k->fd = -1;
	}
	return outcome;
}

/* Each address of a name in turn, with its share of the time that is left, so that a silent one does not hide the next. */
static enum probe_tcp tcp_connect(struct knock *k)
{
	char list[OS_ADDRESSES][OS_ADDRESS], why[OS_WHY];
	int64_t deadline = knock_deadline(k), left;
	enum probe_tcp outcome = TCP_ERROR;
	int n;

	if (is_number_address(k->target->address))
		return connect_number(k, k->target->address, deadline);
	n = os_resolve(k->target->address, (int)((deadline - clock_monotonic(k->clock)) / 1000), list, why);
	if (n < 0) {
		knock_say(k->to, n == -ENOENT ? why : "the name could not be resolved", n == -ENOENT ? 0 : -n);
		return TCP_UNRESOLVABLE;
	}
	deadline = knock_deadline(k);
	for (int i = 0; i < n && outcome != TCP_OK; i++) {
		left = deadline - clock_monotonic(k->clock);
		outcome = connect_number(k, list[i], clock_monotonic(k->clock) + left / (n - i));
	}
	if (outcome == TCP_OK)
		k->to->detail[0] = '\0'; /* what an address before it said does not matter any more */
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
	for (ssize_t i = 0; i < got && k->n_first < sizeof k->first; i++)
		k->first[k->n_first++] = p[i];
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

static int asked_for_ours(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct knock *k = SSL_get_app_data(ssl);

	(void)cert, (void)key;
	k->to->client_cert_asked = true;
	return 0;
}

static SSL_CTX *client_context(enum probe_version version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		die("OpenSSL cannot make a client context");
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_max_cert_list(ctx, MESSAGE_BYTES);
	SSL_CTX_set_client_cert_cb(ctx, asked_for_ours);
	SSL_CTX_set_min_proto_version(ctx, version == TLS_ONLY_1_2 ? TLS1_2_VERSION : TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, version == TLS_ONLY_1_2 ? TLS1_2_VERSION : 0);
	return ctx;
}

static const char *spoken_instead(const struct knock *k)
{
	static const struct { const char *first, *what; } known[] = {
		{"HTTP/", "the server answered in plain HTTP"}, {"SSH-", "the server speaks SSH"}, {"220 ", "the server speaks SMTP or FTP"},
		{"220-", "the server speaks SMTP or FTP"},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (k->n_first >= strlen(known[i].first) && memcmp(k->first, known[i].first, strlen(known[i].first)) == 0)
			return known[i].what;
	return NULL;
}

/* A fatal alert of the peer is reported as 1000 + its number (SSL_AD_REASON_OFFSET). */
enum probe_tls knock_failure(struct knock *k, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
	const char *words = ERR_reason_error_string(code);
	char text[160];

	ERR_clear_error();
	if (reason > SSL_AD_REASON_OFFSET) {
		k->to->alert = reason - SSL_AD_REASON_OFFSET;
		snprintf(text, sizeof text, "%s: the server sent alert %d (%s)", what, k->to->alert,
			probe_alert_text(k->to->alert));
		knock_say(k->to, text, 0);
		return TLS_ALERT;
	}
	if (reason == SSL_R_UNSUPPORTED_PROTOCOL) {
		k->to->alert = SSL_AD_PROTOCOL_VERSION;
		knock_say(k->to, "the server chose a TLS version that was not offered", 0);
		return TLS_ALERT;
	}
	if (reason && spoken_instead(k))
		words = spoken_instead(k);
	snprintf(text, sizeof text, "%s: %s", what, words ? words : "the connection broke");
	knock_say(k->to, reason ? text : what, reason ? 0 : k->error);
	if (reason && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return TLS_ERROR;
	if (k->error == ECONNRESET || k->error == EPIPE)
		return TLS_RESET;
	return TLS_EOF;
}

static enum probe_tls shake_hands(struct knock *k)
{
	static const char what[] = "the handshake failed";
	int64_t deadline = knock_deadline(k);

	for (;;) {
		int r, why;

		ERR_clear_error();
		k->error = 0;
		r = SSL_connect(k->ssl);
		if (r > 0)
			return TLS_OK;
		why = SSL_get_error(k->ssl, r);
		if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
			if (knock_wait(k, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
				continue;
			snprintf(k->to->detail, sizeof k->to->detail, "%s: %s", what,
				k->n_first ? "the server did not finish it in time" : "no answer in time");
			return TLS_TIMEOUT;
		}
		if (why != SSL_ERROR_ZERO_RETURN)
			return knock_failure(k, what);
		knock_say(k->to, "the handshake failed: the server closed the connection", 0);
		return TLS_EOF;
	}
}

static void keep_link(struct probe_result *to, X509 *x)
{
	struct probe_link *l = &to->chain[to->n_chain];
	struct cert_info *info;
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);

	info = xcalloc(1, sizeof *info);
	if (n > 0 && cert_parse_der(der, (size_t)n, info, NULL) == 0) {
		memcpy(l->thumbprint, info->thumbprint, 20);
		text_copy(l->subject, sizeof l->subject, info->subject);
		text_copy(l->issuer, sizeof l->issuer, info->issuer);
		text_copy(l->signature, sizeof l->signature, info->signature);
		l->not_before = info->not_before;
		l->not_after = info->not_after;
		l->key = info->key;
		l->key_bits = info->key_bits;
		l->self_signed = info->self_signed;
		to->n_chain++;
	}
	OPENSSL_free(der);
	free(info);
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
	for (int i = 0; i < to->chain_length && to->n_chain < PROBE_CHAIN; i++)
		keep_link(to, sk_X509_value(chain, i));
	if (leaf && PEM_write_bio_X509(b, leaf) == 1 && (n = BIO_get_mem_data(b, &p)) > 0) {
		to->has_leaf = cert_parse_pem(p, (size_t)n, &to->leaf, NULL) == 0;
		if ((size_t)n < sizeof to->leaf_pem)
			memcpy(to->leaf_pem, p, (size_t)n);
	}
	BIO_free(b);
}

static bool path_ok(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
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
	SSL_set_app_data(k->ssl, k);
	BIO_set_data(b, k);
	BIO_set_init(b, 1);
	SSL_set_bio(k->ssl, b, b);
	if (t->sni[0] && text_host_ok(t->sni) && !is_number_address(t->sni))
		SSL_set_tlsext_host_name(k->ssl, text_copy(name, sizeof name, t->sni));
	k->to->tls = shake_hands(k);
	if (k->to->tls == TLS_OK) {
		describe(k);
		if (t->path[0])
			knock_request(k, t->sni[0] ? t->sni : t->address);
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
	k.end = t->total_ms > 0 ? start + (int64_t)t->total_ms * 1000 : INT64_MAX;
	to->tls = TLS_NOT_TRIED;
	to->tcp = TCP_ERROR;
	if (!is_number_address(t->address) && !text_host_ok(t->address))
		knock_say(to, "this is neither an address nor a host name", 0);
	else if (!path_ok(t->path) || (t->path[0] && t->path[0] != '/'))
		knock_say(to, "a path starts with '/' and holds no blanks or odd characters", 0);
	else if ((to->tcp = tcp_connect(&k)) == TCP_OK)
		handshake(&k);
	if (k.fd >= 0)
		close(k.fd);
	to->took_us = clock_monotonic(clock) - start;
}
