/* The probe against servers that answer, reset, fall silent, close, speak old TLS, plain text or rubbish: all on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/tls_client.h"

enum manner { ANSWERS, RESETS, CLOSES, SILENT, PLAIN, TLS10_ONLY, NO_CIPHER, CLOSES_AFTER_HANDSHAKE, SILENT_AFTER_HANDSHAKE,
	DRIPS, FLOODS, DRIPS_ANSWER, WANTS_CERT, DEMANDS_CERT, LONG_CHAIN };

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
	if (m == WANTS_CERT || m == DEMANDS_CERT)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (m == DEMANDS_CERT ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	for (int i = 0; m == LONG_CHAIN && i < 14; i++) /* the leaf and more than are kept */
		SSL_CTX_add1_chain_cert(ctx, x);
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
		if (s->manner == DRIPS_ANSWER) {
			SSL_read(ssl, s->request, sizeof s->request - 1);
			for (const char *p = "HTTP/1.1 200 OK\r\nX-BEServer: "; SSL_write(ssl, *p ? p++ : "x", 1) == 1;)
				usleep(20000);
		}
		if (s->manner != CLOSES_AFTER_HANDSHAKE && s->manner != SILENT_AFTER_HANDSHAKE && s->manner != DRIPS_ANSWER) {
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
	case DRIPS: /* a handshake message of 16 kB, a byte at a time */
		for (int i = 0; send(fd, i < 9 ? &"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"[i] : "", 1, MSG_NOSIGNAL) == 1; i++)
			usleep(20000);
		break;
	case FLOODS: /* records without end, faster than anybody reads */
		memset(junk, 0, sizeof junk);
		memcpy(junk, "\x16\x03\x03\x07\xfb\x0b\xff\xff\xff", 9);
		while (send(fd, junk, sizeof junk, MSG_NOSIGNAL) == (ssize_t)sizeof junk)
			;
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

/* Bytes that come, but never enough of them: the deadlines hold all the same. */
static void bytes_that_drip(void **state)
{
	struct probe_result r;

	(void)state;
	r = meet(DRIPS, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_TIMEOUT);
	assert_true(r.took_us >= 900000 && r.took_us < 5000000);
	r = meet(FLOODS, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tcp, TCP_OK);
	assert_int_not_equal(r.tls, TLS_OK);
	assert_true(r.took_us < 5000000);
	r = meet(DRIPS_ANSWER, NULL, TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.http_status, 200); /* what had come by then */
	assert_true(r.took_us >= 900000 && r.took_us < 5000000);
}

static void one_deadline_for_all(void **state)
{
	struct probe_target t = {.address = "127.0.0.1", .path = "/", .timeout_ms = 60000, .total_ms = 700};
	struct clock clock = clock_real();
	struct probe_result r;
	struct server s;

	(void)state;
	start(&s, SILENT_AFTER_HANDSHAKE, NULL);
	t.port = s.port;
	tls_probe(&t, &clock, &r);
	stop(&s);
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.http_status, 0);
	assert_true(r.took_us >= 600000 && r.took_us < 5000000);
}

static void certificates_of_ours(void **state)
{
	struct probe_result r;

	(void)state;
	r = meet(WANTS_CERT, "HTTP/1.1 200 OK\r\n\r\n", TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK);
	assert_true(r.client_cert_asked);
	assert_int_equal(r.http_status, 200);
	r = meet(DEMANDS_CERT, "HTTP/1.1 200 OK\r\n\r\n", TLS_DEFAULT, "/");
	assert_int_equal(r.tls, TLS_OK); /* TLS 1.3: the client is done before the server looks */
	assert_int_equal(r.http_status, 0);
	if (r.alert != 116 || !strstr(r.detail, "certificate_required"))
		fail_msg("alert %d: %s", r.alert, r.detail);
	r = meet(DEMANDS_CERT, "HTTP/1.1 200 OK\r\n\r\n", TLS_ONLY_1_2, "/");
	assert_int_equal(r.tls, TLS_ALERT);
	assert_true(r.client_cert_asked);
	r = meet(ANSWERS, "HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\nX-Other: no\r\n\r\n", TLS_DEFAULT, "/");
	assert_false(r.client_cert_asked);
	assert_string_equal(r.answer_header, "");
	assert_string_equal(r.other_header, "Server: Microsoft-IIS/10.0");
}

static void long_chain(void **state)
{
	struct probe_result r = meet(LONG_CHAIN, NULL, TLS_DEFAULT, "");

	(void)state;
	assert_int_equal(r.tls, TLS_OK);
	assert_int_equal(r.chain_length, 15);
	assert_int_equal(r.n_chain, PROBE_CHAIN);
	assert_memory_equal(r.chain[0].thumbprint, r.leaf.thumbprint, 20);
	assert_string_equal(r.chain[0].subject, r.leaf.subject);
	assert_true(r.chain[0].self_signed);
	assert_int_equal(r.chain[0].key_bits, 2048);
}

static void other_tongues(void **state)
{
	struct probe_result r = meet(PLAIN, NULL, TLS_DEFAULT, "/");

	(void)state;
	assert_int_equal(r.tls, TLS_ERROR);
	assert_non_null(strstr(r.detail, "plain HTTP"));
	r = meet(CLOSES, NULL, TLS_DEFAULT, "/");
	assert_non_null(strstr(r.detail, "closed"));
}

/* The resolver is ours: "two.example" has an address where nobody listens in front of the good one. */
static struct sockaddr_in first_address, second_address;
static struct addrinfo second_info, first_info;

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **to)
{
	static struct sockaddr_in number;
	static struct addrinfo info;

	if (strcmp(name, "two.example") == 0) {
		first_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK + 1)}};
		second_address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
		second_info = (struct addrinfo){.ai_addr = (struct sockaddr *)&second_address, .ai_addrlen = sizeof second_address};
		first_info = (struct addrinfo){.ai_addr = (struct sockaddr *)&first_address, .ai_addrlen = sizeof first_address,
			.ai_next = &second_info};
		*to = &first_info;
		return 0;
	}
	if (hints->ai_flags & AI_NUMERICHOST) {
		number = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(service, NULL, 10))};
		inet_pton(AF_INET, name, &number.sin_addr);
		info = (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&number, .ai_addrlen = sizeof number};
		*to = &info;
		return 0;
	}
	return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list; /* all of them are ours */
}

static void names(void **state)
{
	struct probe_target t = {.address = "two.example", .timeout_ms = 2000};
	struct clock clock = clock_real();
	struct probe_result r;
	struct server s;

	(void)state;
	start(&s, CLOSES_AFTER_HANDSHAKE, NULL);
	t.port = s.port;
	tls_probe(&t, &clock, &r);
	stop(&s);
	assert_int_equal(r.tls, TLS_OK);
	assert_string_equal(r.peer, "127.0.0.1");
	assert_string_equal(r.detail, ""); /* the first address failed, and that does not matter now */
	snprintf(t.address, sizeof t.address, "nobody.example");
	tls_probe(&t, &clock, &r);
	assert_int_equal(r.tcp, TCP_UNRESOLVABLE);
	assert_int_equal(r.tls, TLS_NOT_TRIED);
	assert_true(r.detail[0]);
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
	for (int i = TCP_OK; i <= TCP_UNRESOLVABLE; i++)
		assert_true(probe_tcp_parse(probe_tcp_text((enum probe_tcp)i), &c) && (int)c == i);
	assert_string_equal(probe_alert_text(40), "handshake_failure");
	assert_string_equal(probe_alert_text(255), "unknown");
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
		cmocka_unit_test(bytes_that_drip),
		cmocka_unit_test(one_deadline_for_all),
		cmocka_unit_test(certificates_of_ours),
		cmocka_unit_test(long_chain),
		cmocka_unit_test(other_tongues),
		cmocka_unit_test(names),
		cmocka_unit_test(targets_that_are_refused),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
