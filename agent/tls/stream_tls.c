/* stream_tls.c - TLS of a stream: whom it trusts, what it shows, and what went wrong in words.
 *
 * Why: records hold names of people and servers, and a receiver believes what it gets. Promises: TLS 1.2 at least; a peer without a chain to
 * a trusted certificate, with another name, or with another certificate than the pinned one gets no byte of a record, unless the
 * configuration says so; certificates are read again for each connection. Refuses: keys that everybody may read. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "tls/stream_inside.h"
#include "tls/tls_client.h"

/* The socket as OpenSSL sees it. */

static int bio_answer(BIO *b, const struct stream *s, ssize_t n, int retry)
{
	if (n < 0 && s->error == EAGAIN)
		BIO_set_flags(b, retry | BIO_FLAGS_SHOULD_RETRY);
	return n < 0 ? -1 : (int)n;
}

static int bio_write(BIO *b, const char *p, int n)
{
	BIO_clear_retry_flags(b);
	return bio_answer(b, BIO_get_data(b), stream_send(BIO_get_data(b), p, (size_t)n), BIO_FLAGS_WRITE);
}

static int bio_read(BIO *b, char *p, int n)
{
	BIO_clear_retry_flags(b);
	return bio_answer(b, BIO_get_data(b), stream_recv(BIO_get_data(b), p, (size_t)n), BIO_FLAGS_READ);
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	const struct stream *s = BIO_get_data(b);

	(void)num, (void)ptr;
	return cmd == BIO_CTRL_EOF ? s->ended : cmd == BIO_CTRL_FLUSH;
}

static void give_socket(struct stream *s)
{
	BIO_METHOD *m = s->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
	BIO *b;

	if (!m || !BIO_meth_set_write(m, bio_write) || !BIO_meth_set_read(m, bio_read) || !BIO_meth_set_ctrl(m, bio_ctrl))
		die("out of memory");
	b = BIO_new(m);
	if (!b)
		die("out of memory");
	BIO_set_data(b, s);
	BIO_set_init(b, 1);
	SSL_set_bio(s->ssl, b, b);
}

/* --- files --- */

static const char *last_words(char why[static 96])
{
	unsigned long code = ERR_peek_error(); /* the first: a file that is not there is what the rest comes from */
	const char *words = ERR_SYSTEM_ERROR(code) ? err_os(ERR_GET_REASON(code), why) : ERR_reason_error_string(code);

	return words ? words : "OpenSSL does not say why";
}

static int use_own(struct stream *s, struct err *e)
{
	const struct stream_config *c = s->config;
	char why[96];

	if (file_key_check(s->files, c->key, e) < 0)
		return -1;
	if (SSL_CTX_use_certificate_chain_file(s->ctx, c->cert) != 1)
		return err_set(e, ERR_IO, "%s (tls.cert) is no certificate that can be used: %s", c->cert, last_words(why));
	if (SSL_CTX_use_PrivateKey_file(s->ctx, c->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(s->ctx) != 1)
		return err_set(e, ERR_IO, "%s (tls.key) is no key of %s: %s", c->key, c->cert, last_words(why));
	return 0;
}

/* A key with a passphrase is refused instead of asking a terminal. */
static int no_passphrase(char *to, int n, int write, void *arg)
{
	(void)to, (void)n, (void)write, (void)arg;
	return -1;
}

int stream_tls_open(struct stream *s, struct err *e)
{
	const struct stream_config *c = s->config;
	char why[96];

	ERR_clear_error();
	s->ctx = SSL_CTX_new(TLS_client_method());
	if (!s->ctx)
		die("OpenSSL cannot make a client context");
	SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(s->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(s->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_default_passwd_cb(s->ctx, no_passphrase);
	SSL_CTX_set_verify(s->ctx, c->no_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	if (c->pin && text_unhex(s->digest, sizeof s->digest, c->pin, strlen(c->pin))) {
		s->pin = (struct tls_pin){ .digest = s->digest, .chain_too = !c->no_verify };
		tls_pin_context(s->ctx, &s->pin);
	} else if (c->pin) {
		return err_set(e, ERR_USAGE, "the pin is not 64 hex digits");
	}
	if (c->ca && SSL_CTX_load_verify_file(s->ctx, c->ca) != 1)
		return err_set(e, ERR_IO, "%s (tls.ca) holds no certificate to trust: %s", c->ca, last_words(why));
	if (!c->ca && !c->no_verify && SSL_CTX_set_default_verify_paths(s->ctx) != 1)
		return err_set(e, ERR_IO, "the system's certificates cannot be read: %s", last_words(why));
	return c->cert ? use_own(s, e) : 0;
}

/* --- the handshake --- */

static const char *wanted_name(const struct stream *s)
{
	return s->config->name ? s->config->name : s->host;
}

void stream_tls_begin(struct stream *s)
{
	const char *name = wanted_name(s);
	X509_VERIFY_PARAM *p;

	s->ssl = SSL_new(s->ctx);
	if (!s->ssl)
		die("out of memory");
	give_socket(s);
	SSL_set_connect_state(s->ssl);
	p = SSL_get0_param(s->ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, name) == 1)
		return;
	ERR_clear_error();
	if (!s->config->no_verify) {
		X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		if (X509_VERIFY_PARAM_set1_host(p, name, 0) != 1)
			die("out of memory");
	}
	if (text_host_ok(name)) {
		char sni[256];

		SSL_set_tlsext_host_name(s->ssl, text_copy(sni, sizeof sni, name)); /* OpenSSL's macro wants it without const */
	}
}

static const char *subject(const struct stream *s, char to[static 256])
{
	const X509 *peer = SSL_get0_peer_certificate(s->ssl);

	to[0] = '\0';
	if (peer)
		X509_NAME_oneline(X509_get_subject_name(peer), to, 256);
	for (char *p = to; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return to;
}

/* What a person can do about an alert. RFC 8446, section 6.2. */
static const char *alert_advice(int alert)
{
	static const struct {
		int alert;
		const char *advice;
	} table[] = {
		{ 40, "it may want a certificate of ours: tls.cert, tls.key" },
		{ 116, "it wants a certificate of ours: tls.cert, tls.key" },
		{ 42, "it does not permit the certificate of tls.cert" },
		{ 43, "it cannot use the certificate of tls.cert" },
		{ 44, "the certificate of tls.cert was revoked" },
		{ 45, "renew the certificate of tls.cert, or set a clock" },
		{ 46, "it does not take the certificate of tls.cert" },
		{ 48, "it does not trust who signed the certificate of tls.cert" },
		{ 49, "it does not permit the certificate of tls.cert" },
		{ 70, "it speaks no TLS 1.2 or 1.3" },
		{ 112, "it has no certificate for that name; see tls.name" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (table[i].alert == alert)
			return table[i].advice;
	return "its log says why";
}

static const char *verdict_advice(long verdict)
{
	switch (verdict) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "say which name it is for: tls.name";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "it must be renewed there, if our clock is right";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "is our clock right?";
	default:
		return "say who signed it: tls.ca";
	}
}

/* Our own verdict on the peer's certificate. */
static int distrust(const struct stream *s, struct err *e)
{
	long verdict = SSL_get_verify_result(s->ssl);
	const char *at = s->config->address;

	if (verdict == X509_V_ERR_APPLICATION_VERIFICATION)
		return err_set(e, ERR_IO, "%s: its certificate is not the one of tls.pin; if it was renewed, look at the new one and pin that", at);
	return err_set(e, ERR_IO, "%s: its certificate is not trusted for %s: %s; %s", at, wanted_name(s), X509_verify_cert_error_string(verdict),
		verdict_advice(verdict));
}

/* Why OpenSSL gave up. Returns -1. */
static int fault(struct stream *s, struct err *e)
{
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0, alert = reason - SSL_AD_REASON_OFFSET;
	const char *at = s->config->address;
	char why[96];

	if (alert > 0)
		err_set(e, ERR_IO, "%s refuses us with alert %d (%s): %s", at, alert, probe_alert_text(alert), alert_advice(alert));
	else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
		distrust(s, e);
	else if (reason == SSL_R_WRONG_VERSION_NUMBER)
		err_set(e, ERR_IO, "%s does not speak TLS there; leave tls out, or name its port for TLS", at);
	else if (reason)
		err_set(e, ERR_IO, "%s: TLS with it has failed: %s", at, last_words(why));
	else
		stream_ended(s, s->ended ? 0 : s->error, e);
	ERR_clear_error();
	return -1;
}

/* Must it wait? Then 0, and s->wants_write says for what. */
static int later(struct stream *s, int r, struct err *e)
{
	int why = SSL_get_error(s->ssl, r);

	s->wants_write = why == SSL_ERROR_WANT_WRITE;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return 0;
	return fault(s, e);
}

int stream_tls_shake(struct stream *s, struct err *e)
{
	char who[256];
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(s->ssl);
	if (r != 1)
		return later(s, r, e);
	text_copy(s->peer, sizeof s->peer, SSL_get_version(s->ssl));
	if (*subject(s, who)) {
		size_t n = strlen(s->peer);

		text_copy(s->peer + n, sizeof s->peer - n, ", ");
		text_copy(s->peer + n + 2, sizeof s->peer - n - 2, who);
	}
	return 1;
}

ssize_t stream_tls_write(struct stream *s, const void *p, size_t n, struct err *e)
{
	size_t did = 0;
	int r;

	ERR_clear_error();
	r = SSL_write_ex(s->ssl, p, n, &did);
	if (r == 1)
		s->wants_write = false;
	return r == 1 ? (ssize_t)did : later(s, r, e);
}

int stream_tls_hear(struct stream *s, struct err *e)
{
	bool waits = s->wants_write; /* of the writer */
	char chunk[512];
	size_t got;
	int r;

	do {
		ERR_clear_error();
		r = SSL_read_ex(s->ssl, chunk, sizeof chunk, &got);
	} while (r == 1);
	r = later(s, r, e);
	s->wants_write = s->wants_write || waits;
	return r;
}

void stream_tls_shut(struct stream *s)
{
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl); /* once: says ours, does not wait for theirs */
	ERR_clear_error();
}

void stream_tls_end(struct stream *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	BIO_meth_free(s->method);
	s->ssl = NULL;
	s->ctx = NULL;
	s->method = NULL;
}
