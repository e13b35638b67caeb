/* x509.c - certificates read into plain values, and the making of one self-signed certificate.
 *
 * Why: diagnosis compares thumbprints, names, dates and keys; repair may have to make a certificate.
 * Promises: what is read is bounded and printable; OpenSSL's types do not leave this room; no key is ever logged.
 * Refuses: to judge. Weak, expired or foreign certificates are described like any other; no chain is verified. */
#include "tls/x509.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "tls/digest.h"

#define CERT_BYTES (64 * 1024) /* the largest real certificates, with hundreds of names, have some 20 kB */

static int ssl_err(struct err *e, enum err_code code, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	err_set(e, code, "%s: %s", what, reason ? reason : "OpenSSL gives no reason");
	ERR_clear_error();
	return -1;
}

/* Copies printable text; anything else becomes '?'. UTF-8 passes. */
static void clean_copy(char *to, size_t size, const char *s, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n;) {
		uint32_t cp = 0;
		size_t step = utf8_step(s + i, n - i, &cp);
		bool odd = step == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0);

		if (step == 0)
			step = 1;
		if (at + (odd ? 1 : step) >= size)
			break;
		if (odd)
			to[at++] = '?';
		else
			for (size_t k = 0; k < step; k++)
				to[at++] = s[i + k];
		i += step;
	}
	to[at] = '\0';
}

static void put_name(char *to, size_t size, const X509_NAME *name)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n;

	to[0] = '\0';
	if (!b)
		die("out of memory");
	if (X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0 && (n = BIO_get_mem_data(b, &p)) > 0)
		clean_copy(to, size, p, (size_t)n);
	BIO_free(b);
}

static void put_common_name(char *to, size_t size, const X509_NAME *name)
{
	int at = -1, next;
	unsigned char *utf8 = NULL;
	int n;

	to[0] = '\0';
	while ((next = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
		at = next; /* the last one is the most specific */
	if (at < 0)
		return;
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n > 0 && !memchr(utf8, 0, (size_t)n))
		clean_copy(to, size, (const char *)utf8, (size_t)n);
	OPENSSL_free(utf8);
}

static void put_san(struct cert_info *to, const X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && to->n_san < CERT_NAMES; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		const char *s;
		int n;

		if (g->type != GEN_DNS)
			continue;
		s = (const char *)ASN1_STRING_get0_data(g->d.dNSName);
		n = ASN1_STRING_length(g->d.dNSName);
		if (n <= 0 || n > 255 || memchr(s, 0, (size_t)n))
			continue;
		clean_copy(to->san[to->n_san++], sizeof to->san[0], s, (size_t)n);
	}
	GENERAL_NAMES_free(names);
}

static bool put_time(int64_t *us, const ASN1_TIME *t)
{
	struct tm tm;

	memset(&tm, 0, sizeof tm);
	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*us = (int64_t)timegm(&tm) * US_SECOND;
	return true;
}

static void put_key(struct cert_info *to, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int md = NID_undef, pk = NID_undef, sig = X509_get_signature_nid(x);
	const char *name = OBJ_nid2ln(sig);

	if (key) {
		int kind = EVP_PKEY_get_base_id(key);

		to->key = kind == EVP_PKEY_RSA ? KEY_RSA : kind == EVP_PKEY_EC ? KEY_EC : KEY_OTHER;
		to->key_bits = EVP_PKEY_get_bits(key);
	}
	text_copy(to->signature, sizeof to->signature, name ? name : "unknown");
	if (OBJ_find_sigid_algs(sig, &md, &pk))
		to->sha1_signature = md == NID_sha1;
}

static void put_serial(struct cert_info *to, const X509 *x)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(x);
	int n = ASN1_STRING_length(s);

	if (n > 0 && (size_t)n * 2 + 1 <= sizeof to->serial)
		text_hex(to->serial, ASN1_STRING_get0_data(s), (size_t)n);
}

static int fill(struct cert_info *to, X509 *x, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	uint32_t usage;

	memset(to, 0, sizeof *to);
	if (n <= 0)
		return ssl_err(e, ERR_IO, "the certificate cannot be encoded");
	digest_sha1(der, (size_t)n, to->thumbprint);
	OPENSSL_free(der);
	put_name(to->subject, sizeof to->subject, X509_get_subject_name(x));
	put_name(to->issuer, sizeof to->issuer, X509_get_issuer_name(x));
	put_common_name(to->common_name, sizeof to->common_name, X509_get_subject_name(x));
	put_san(to, x);
	put_key(to, x);
	put_serial(to, x);
	if (!put_time(&to->not_before, X509_get0_notBefore(x)) || !put_time(&to->not_after, X509_get0_notAfter(x)))
		return err_set(e, ERR_IO, "the certificate's dates cannot be read");
	to->self_signed = X509_self_signed(x, 1) == 1;
	usage = X509_get_extended_key_usage(x);
	to->server_auth = usage == UINT32_MAX || (usage & (XKU_SSL_SERVER | XKU_ANYEKU));
	usage = X509_get_key_usage(x);
	to->digital_signature = usage == UINT32_MAX || (usage & KU_DIGITAL_SIGNATURE);
	ERR_clear_error(); /* broken extensions leave traces that are no error of ours */
	return 0;
}

/* Asked by OpenSSL for the password of an encrypted key: there is none, and nobody is asked on a terminal. */
static int no_password(char *to, int size, int writing, void *arg)
{
	(void)to, (void)size, (void)writing, (void)arg;
	return -1;
}

static BIO *memory(const void *p, size_t n)
{
	BIO *b = BIO_new_mem_buf(p, (int)n);

	if (!b)
		die("out of memory");
	return b;
}

static X509 *read_pem(const char *pem, size_t n)
{
	BIO *b = memory(pem, n);
	X509 *x = PEM_read_bio_X509(b, NULL, no_password, NULL);

	BIO_free(b);
	return x;
}

int cert_parse_pem(const char *pem, size_t n, struct cert_info *to, struct err *e)
{
	X509 *x;
	int r;

	memset(to, 0, sizeof *to);
	if (n > CERT_BYTES)
		return err_set(e, ERR_IO, "a certificate of %zu bytes is refused; the limit is %d", n, CERT_BYTES);
	ERR_clear_error();
	x = read_pem(pem, n);
	if (!x)
		return ssl_err(e, ERR_IO, "this is not a PEM certificate");
	r = fill(to, x, e);
	X509_free(x);
	return r;
}

int cert_parse_der(const void *der, size_t n, struct cert_info *to, struct err *e)
{
	const unsigned char *p = der;
	X509 *x;
	int r;

	memset(to, 0, sizeof *to);
	if (n > CERT_BYTES)
		return err_set(e, ERR_IO, "a certificate of %zu bytes is refused; the limit is %d", n, CERT_BYTES);
	ERR_clear_error();
	x = d2i_X509(NULL, &p, (long)n);
	if (!x)
		return ssl_err(e, ERR_IO, "this is not a DER certificate");
	if (p != (const unsigned char *)der + n)
		r = err_set(e, ERR_IO, "there are bytes behind the certificate");
	else
		r = fill(to, x, e);
	X509_free(x);
	return r;
}

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static bool only(const char *s, const char *letters)
{
	return s[0] && s[strspn(s, letters)] == '\0';
}

static int check_template(const struct cert_template *t, struct err *e)
{
	if (!only(t->common_name, NAME_LETTERS " "))
		return err_set(e, ERR_USAGE, "'%s' cannot be a certificate's common name", t->common_name);
	if (strlen(t->common_name) > 64) /* ub-common-name, RFC 5280 A.1 */
		return err_set(e, ERR_USAGE, "a common name has at most 64 characters; '%s' has more", t->common_name);
	if (t->n_san > sizeof t->san / sizeof t->san[0])
		return err_set(e, ERR_USAGE, "too many names for a certificate: %zu", t->n_san);
	for (size_t i = 0; i < t->n_san; i++)
		if (!only(t->san[i], NAME_LETTERS))
			return err_set(e, ERR_USAGE, "'%s' cannot be a name in a certificate", t->san[i]);
	if (!t->ec_key && (t->key_bits < 1024 || t->key_bits > 8192))
		return err_set(e, ERR_USAGE, "an RSA key of %d bits is refused; use 2048", t->key_bits);
	if (t->days < 1 || t->days > 7300)
		return err_set(e, ERR_USAGE, "a certificate for %d days is refused; use 1826", t->days);
	return 0;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool add_san(X509 *x, const struct cert_template *t)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool ok = names != NULL;

	for (size_t i = 0; ok && i < t->n_san; i++) {
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();

		ok = g && s && ASN1_STRING_set(s, t->san[i], -1) == 1;
		if (ok)
			GENERAL_NAME_set0_value(g, GEN_DNS, s);
		else
			ASN1_IA5STRING_free(s);
		if (!ok || !sk_GENERAL_NAME_push(names, g)) {
			GENERAL_NAME_free(g);
			ok = false;
		}
	}
	ok = ok && (t->n_san == 0 || X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1);
	GENERAL_NAMES_free(names);
	return ok;
}

static bool add_names(X509 *x, const struct cert_template *t)
{
	X509_NAME *name = X509_get_subject_name(x);

	if (t->organization[0] && X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
					  (const unsigned char *)t->organization, -1, -1, 0) != 1)
		return false;
	return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)t->common_name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1;
}

static bool add_serial(X509 *x)
{
	BIGNUM *n = BN_new();
	bool ok = n && BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		  BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;

	BN_free(n);
	return ok;
}

static X509 *build(const struct cert_template *t, EVP_PKEY *key)
{
	X509 *x = X509_new();
	time_t from = (time_t)(t->not_before / US_SECOND);
	bool ok = x && X509_set_version(x, X509_VERSION_3) == 1 && add_serial(x) && add_names(x, t) &&
		  ASN1_TIME_set(X509_getm_notBefore(x), from) && ASN1_TIME_adj(X509_getm_notAfter(x), from, t->days, 0) &&
		  X509_set_pubkey(x, key) == 1 && add_san(x, t) &&
		  add_extension(x, NID_key_usage, t->ec_key ? "critical,digitalSignature" : "critical,digitalSignature,keyEncipherment") &&
		  add_extension(x, NID_ext_key_usage, "serverAuth") && add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
		  X509_sign(x, key, t->sha1 ? EVP_sha1() : EVP_sha256()) > 0;

	if (ok)
		return x;
	X509_free(x);
	return NULL;
}

/* The bytes of a memory BIO as a string of their own; the BIO is freed (and OpenSSL wipes it). */
static char *take_text(BIO *b)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);
	char *s = xstrndup(p, n > 0 ? (unsigned long)n : 0);

	BIO_free(b);
	return s;
}

int cert_create(const struct cert_template *t, char **cert_pem, char **key_pem, struct err *e)
{
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	BIO *cert_out = BIO_new(BIO_s_mem()), *key_out = BIO_new(BIO_s_mem());
	int r = -1;

	*cert_pem = *key_pem = NULL;
	if (!cert_out || !key_out)
		die("out of memory");
	if (check_template(t, e) < 0)
		goto out;
	ERR_clear_error();
	key = t->ec_key ? EVP_EC_gen("P-256") : EVP_RSA_gen((unsigned)t->key_bits);
	x = key ? build(t, key) : NULL;
	if (!x || PEM_write_bio_X509(cert_out, x) != 1 || PEM_write_bio_PrivateKey(key_out, key, NULL, NULL, 0, NULL, NULL) != 1) {
		ssl_err(e, ERR_INTERNAL, "the certificate cannot be made");
		goto out;
	}
	*cert_pem = take_text(cert_out);
	*key_pem = take_text(key_out);
	cert_out = key_out = NULL;
	r = 0;
out:
	BIO_free(cert_out);
	BIO_free(key_out);
	X509_free(x);
	EVP_PKEY_free(key);
	return r;
}

void cert_wipe(char *pem)
{
	if (!pem)
		return;
	OPENSSL_cleanse(pem, strlen(pem));
	free(pem);
}

bool cert_key_matches(const char *cert_pem, size_t cert_n, const char *key_pem, size_t key_n)
{
	EVP_PKEY *key = NULL;
	X509 *x = NULL;
	BIO *b;
	bool same;

	if (cert_n > CERT_BYTES || key_n > CERT_BYTES)
		return false;
	b = memory(key_pem, key_n);
	x = read_pem(cert_pem, cert_n);
	key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
	same = x && key && X509_check_private_key(x, key) == 1;
	BIO_free(b);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return same;
}

/* RFC 6125 6.4.3: a wildcard is a whole first label and stands for exactly one. */
static bool covers(const char *pattern, const char *name)
{
	const char *dot;

	if (text_same(pattern, name))
		return true;
	if (!text_starts(pattern, "*.") || !strchr(pattern + 2, '.'))
		return false;
	dot = strchr(name, '.');
	return dot && dot != name && text_same(pattern + 1, dot);
}

bool cert_has_name(const struct cert_info *c, const char *name)
{
	for (size_t i = 0; i < c->n_san; i++)
		if (covers(c->san[i], name))
			return true;
	return c->n_san == 0 && c->common_name[0] && covers(c->common_name, name);
}
