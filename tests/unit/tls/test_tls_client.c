/* The probe against servers that answer, reset, fall silent, close, speak old TLS, plain text or rubbish: all on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/tls_client.h"

enum manner { ANSWERS, RESETS, CLOSES, SILENT, PLAIN, TLS10_ONLY, NO_CIPHER, CLOSES_AFTER_HANDSHAKE, SILENT_AFTER_HANDSHAKE };

struct server {
	enum manner manner;
	const char *answer;
	int listen_fd, stop[2];
	uint16_t port;
	pthread_t thread;
	SSL_CTX *ctx;
	char request[1024], sni[256];
};

static SSL_CTX *context(enum manner m)
{
	struct cert_template t = {.common_name = "EX1", .san = {"EX1"}, .n_san = 1, .key_bits = 2048, .days = 30, .not_before = 0};
	struct clock clock = clock_real();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char *cert, *key;
	BIO *b;
	X509 *x;
	EVP_PKEY *k;

	t.not_before = clock_wall(&clock);
	assert_int_equal(cert_create(&t, &cert, &key, NULL), 0);
	b = BIO_new_mem_buf(cert, -1);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	BIO_free(b);
	b = BIO_new_mem_buf(key, -1);
	k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, k);
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	if (m == TLS10_ONLY)
		SSL_CTX_set_max_proto_version(ctx, TLS1_VERSION);
	if (m == NO_CIPHER) { /* an RSA certificate and only ciphers for others */
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
		SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0");
	}
	X509_free(x);
	EVP_PKEY_free(k);
	free(cert);
	cert_wipe(key);
	return ctx;
}

static void wait_for_end(struct server *s)
{
	char c;

	if (read(s->stop[0], &c, 1) != 1)
		abort();
}

static void serve_tls(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->ctx);
	const char *name;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
		strncpy(s->sni, name ? name : "", sizeof s->sni - 1);
		if (s->manner == SILENT_AFTER_HANDSHAKE)
			wait_for_end(s);
		if (s->manner == ANSWERS || s->manner == TLS10_ONLY) {
			SSL_read(ssl, s->request, sizeof s->request - 1);
			if (s->answer)
				SSL_write(ssl, s->answer, (int)strlen(s->answer));
		}
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct linger hard = {.l_onoff = 1};
	char junk[2048];
	sigset_t pipe_signal;
	int fd;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL); /* this server's own; the probe's thread keeps the deadly default */
	fd = accept(s->listen_fd, NULL, NULL);

	switch (s->manner) {
	case RESETS:
		if (recv(fd, junk, 1, 0) != 1)
			abort();
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		break;
	case CLOSES:
		if (recv(fd, junk, sizeof junk, 0) < 1)
			abort();
		break;
	case SILENT:
		wait_for_end(s);
		break;
	case PLAIN:
		if (recv(fd, junk, sizeof junk, 0) < 1 || send(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) < 0)
			abort();
		break;
	default:
		serve_tls(s, fd);
	}
	close(fd);
	return NULL;
}

static void start(struct server *s, enum manner m, const char *answer)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;

	memset(s, 0, sizeof *s);
	s->manner = m;
	s->answer = answer;
	s->ctx = context(m);
	s->listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(s->listen_fd, 4), 0);
	getsockname(s->listen_fd, (struct sockaddr *)&a, &n);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	assert_int_equal(write(s->stop[1], "x", 1), 1);
	pthread_join(s->thread, NULL);
	close(s->listen_fd);
	close(s->stop[0]);
	close(s->stop[1]);
	SSL_CTX_free(s->ctx);
}

static struct probe_result ask(uint16_t port, enum probe_version version, const char *path)
{
	struct probe_target t = {.address = "127.0.0.1", .port = port, .version = version, .timeout_ms = 1000,
		.sni = "ex1.contoso.example"};
	struct clock clock = clock_real();
	struct probe_result r;

	snprintf(t.path, sizeof t.path, "%s", path);
	tls_probe(&t, &clock, &r);
	return r;
}

static struct probe_result meet(enum manner m, const char *answer, enum probe_version version, const char *path)
{
	struct server s;
	struct probe_result r;

	start(&s, m, answer);
	r = ask(s.port, version, path);
	stop(&s);
	return r;
}

static void all_well(void **state)
{
	struct server s;
	struct probe_result r;

	(void)state;
	start(&s, ANSWERS, "HTTP/1.1 200 OK\r\nX-FEServer: EX1\r\nX-Other: no\r\nx-beserver: EX2\r\n\r\nbody");
	r = ask(s.port, TLS_DEFAULT, "/owa/exhealth.check");
	stop(&s);
	assert_int_equal(r.tcp, TCP_OK);
	assert_int_equal(r.tls, TLS_OK);
	assert_string_equal(r.tls_version, "TLSv1.3");
	assert_int_equal(r.http_status, 200);
	assert_string_equal(r.answer_header, "X-FEServer: EX1\nx-beserver: EX2");
	assert_true(r.has_leaf);
	assert_string_equal(r.leaf.common_name, "EX1");
	assert_int_equal(r.chain_length, 1);
	assert_non_null(strstr(r.leaf_pem, "BEGIN CERTIFICATE"));
	assert_string_equal(s.sni, "ex1.contoso.example");
	assert_ptr_equal(strstr(s.request, "GET /owa/exhealth.check HTTP/1.1\r\nHost: ex1.contoso.example\r\n"), s.request);
	assert_true(r.took_us > 0);
}

static void without_a_request(void **state)
{
	struct probe_result r = meet(CLOSES_AFTER_HANDSHAKE, NULL, TLS_ONLY_1_2, "");

	(void)state;
	assert_int_equal(r.tls, TLS_OK);
	assert_string_equal(r.tls_version, "TLSv1.2");
	assert_int_equal(r.http_status, 0);
}

static void broken_handshakes(void **state)
{
	struct probe_result r;

	(void)state;
	r = meet(RESETS, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tcp, TCP_OK);
	assert_int_equal(r.tls, TLS_RESET);
	assert_false(r.has_leaf);
	r = meet(CLOSES, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_EOF);
	r = meet(SILENT, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_TIMEOUT);
	assert_true(r.took_us >= 900000 && r.took_us < 5000000);
	r = meet(PLAIN, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_ERROR);
	r = meet(NO_CIPHER, NULL, TLS_ONLY_1_2, "/");
	assert_int_equal(r.tls, TLS_ALERT);
	assert_int_equal(r.alert, SSL_AD_HANDSHAKE_FAILURE);
}

/* The back end after hardening of one side only: the default passes, TLS 1.2 alone meets an alert. */
static void old_tls(void **state)
{
	struct probe_result r;

	(void)state;
	r = meet(TLS10_ONLY, "HTTP/1.1 401 Unauthorized\r\n\r\n", TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_string_equal(r.tls_version, "TLSv1");
	assert_int_equal(r.http_status, 401);
	r = meet(TLS10_ONLY, NULL, TLS_ONLY_1_2, "/");
	assert_int_equal(r.tls, TLS_ALERT);
	assert_int_equal(r.alert, SSL_AD_PROTOCOL_VERSION);
}

static void refused(void **state)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct probe_result r;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0); /* bound and not listening: refused, and nobody else gets the port */
	getsockname(fd, (struct sockaddr *)&a, &n);
	r = ask(ntohs(a.sin_port), TLS_DEFAULT, "");
	close(fd);
	assert_int_equal(r.tcp, TCP_REFUSED);
	assert_int_equal(r.tls, TLS_NOT_TRIED);
	assert_non_null(strstr(r.detail, "refused"));
}

static void answers_that_are_none(void **state)
{
	struct probe_result r;

	(void)state;
	r = meet(ANSWERS, "SSH-2.0-OpenSSH\r\n\r\n", TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.http_status, 0);
	assert_string_equal(r.detail, "the answer is not HTTP");
	r = meet(CLOSES_AFTER_HANDSHAKE, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.http_status, 0);
	r = meet(SILENT_AFTER_HANDSHAKE, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.http_status, 0);
	assert_non_null(strstr(r.detail, "not answered"));
	r = meet(ANSWERS, "HTTP/1.1 200 OK\r\nX-BEServer: \x1b[2Jgone\r\n\r\n", TLS_DEFAULT, "/");
	assert_string_equal(r.answer_header, "X-BEServer: ?[2Jgone");
}

/* A server that never ends its head: 16 kB are read and no more. */
static void endless_head(void **state)
{
	size_t n = 200000;
	char *answer = malloc(n + 1);
	struct probe_result r;

	(void)state;
	memset(answer, 'a', n);
	memcpy(answer, "HTTP/1.1 200 OK\r\nX-BEServer: ", 29);
	answer[n] = '\0';
	r = meet(ANSWERS, answer, TLS_DEFAULT, "/");
	assert_int_equal(r.http_status, 200);
	assert_string_equal(r.answer_header, ""); /* too long to be kept */
	free(answer);
}

static void targets_that_are_refused(void **state)
{
	struct probe_target t = {.address = "127.0.0.1; rm", .port = 1, .timeout_ms = 100};
	struct clock clock = clock_real();
	struct probe_result r;

	(void)state;
	tls_probe(&t, &clock, &r);
	assert_int_equal(r.tcp, TCP_ERROR);
	snprintf(t.address, sizeof t.address, "127.0.0.1");
	snprintf(t.path, sizeof t.path, "/a HTTP/1.1\r\nEvil: yes");
	tls_probe(&t, &clock, &r);
	assert_int_equal(r.tcp, TCP_ERROR);
	assert_int_equal(r.tls, TLS_NOT_TRIED);
}

static void words(void **state)
{
	enum probe_tls t;
	enum probe_tcp c;

	(void)state;
	for (int i = TLS_OK; i <= TLS_ERROR; i++)
		assert_true(probe_tls_parse(probe_tls_text((enum probe_tls)i), &t) && (int)t == i);
	for (int i = TCP_OK; i <= TCP_ERROR; i++)
		assert_true(probe_tcp_parse(probe_tcp_text((enum probe_tcp)i), &c) && (int)c == i);
	assert_false(probe_tls_parse("fine", &t));
	assert_false(probe_tcp_parse(NULL, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_well),
		cmocka_unit_test(without_a_request),
		cmocka_unit_test(broken_handshakes),
		cmocka_unit_test(old_tls),
		cmocka_unit_test(refused),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(endless_head),
		cmocka_unit_test(targets_that_are_refused),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
