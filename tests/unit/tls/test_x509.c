/* Certificates: what we make is what Exchange makes, and what we read is bounded, whoever made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/text.h"
#include "tls/x509.h"

static struct cert_template usual(void)
{
	struct cert_template t = {.common_name = "EX1", .san = {"EX1", "ex1.contoso.example"}, .n_san = 2, .key_bits = 2048, .days = 1826,
		.not_before = INT64_C(1520974800) * US_SECOND};

	return t;
}

static void make(const struct cert_template *t, char **cert, char **key, struct cert_info *info)
{
	struct err e;

	if (cert_create(t, cert, key, &e) < 0)
		fail_msg("%s", e.text);
	if (cert_parse_pem(*cert, strlen(*cert), info, &e) < 0)
		fail_msg("%s", e.text);
}

static void made_as_exchange_makes_it(void **state)
{
	struct cert_template t = usual();
	struct cert_info c;
	char *cert, *key;

	(void)state;
	make(&t, &cert, &key, &c);
	assert_string_equal(c.subject, "CN=EX1");
	assert_string_equal(c.issuer, "CN=EX1");
	assert_string_equal(c.common_name, "EX1");
	assert_int_equal(c.n_san, 2);
	assert_string_equal(c.san[0], "EX1");
	assert_string_equal(c.san[1], "ex1.contoso.example");
	assert_true(c.not_before == t.not_before);
	assert_true(c.not_after == t.not_before + 1826 * US_DAY);
	assert_int_equal(c.key, KEY_RSA);
	assert_int_equal(c.key_bits, 2048);
	assert_string_equal(c.signature, "sha256WithRSAEncryption");
	assert_false(c.sha1_signature);
	assert_true(c.self_signed);
	assert_true(c.server_auth);
	assert_true(c.digital_signature);
	assert_int_equal(strlen(c.serial), 32);
	assert_true(cert_key_matches(cert, strlen(cert), key, strlen(key)));
	free(cert);
	cert_wipe(key);
}

/* The extensions, read by OpenSSL itself: critical where Exchange has them critical. */
static void extensions(void **state)
{
	struct cert_template t = usual();
	struct cert_info c;
	char *cert, *key;
	BIO *b;
	X509 *x;
	int critical;
	BASIC_CONSTRAINTS *bc;
	void *san;

	(void)state;
	make(&t, &cert, &key, &c);
	b = BIO_new_mem_buf(cert, -1);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	assert_non_null(x);
	bc = X509_get_ext_d2i(x, NID_basic_constraints, &critical, NULL);
	assert_non_null(bc);
	assert_int_equal(critical, 1);
	assert_false(bc->ca);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
	san = X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
	assert_int_equal(critical, 0);
	assert_null(X509_get0_subject_key_id(x));
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	GENERAL_NAMES_free(san);
	BASIC_CONSTRAINTS_free(bc);
	X509_free(x);
	BIO_free(b);
	free(cert);
	cert_wipe(key);
}

static void weak_ones_are_described(void **state)
{
	struct cert_template t = usual();
	struct cert_info c;
	char *cert, *key;

	(void)state;
	t.key_bits = 1024;
	t.sha1 = true;
	make(&t, &cert, &key, &c);
	assert_true(c.sha1_signature);
	assert_int_equal(c.key_bits, 1024);
	free(cert);
	cert_wipe(key);
	t = usual();
	t.ec_key = true;
	make(&t, &cert, &key, &c);
	assert_int_equal(c.key, KEY_EC);
	assert_int_equal(c.key_bits, 256);
	assert_true(c.digital_signature);
	free(cert);
	cert_wipe(key);
}

static void templates_that_are_refused(void **state)
{
	struct cert_template t = usual();
	char *cert = NULL, *key = NULL;
	struct err e;

	(void)state;
#define REFUSED(set, part) \
	do { \
		t = usual(); \
		set; \
		assert_int_equal(cert_create(&t, &cert, &key, &e), -1); \
		assert_int_equal(e.code, ERR_USAGE); \
		assert_non_null(strstr(e.text, part)); \
		assert_null(cert); \
		assert_null(key); \
	} while (0)
	REFUSED(text_copy(t.common_name, sizeof t.common_name, "EX1,O=x"), "common name");
	REFUSED(text_copy(t.common_name, sizeof t.common_name, ""), "common name");
	REFUSED(text_copy(t.common_name, sizeof t.common_name, "a23456789a123456789a123456789a123456789a123456789a123456789a12345"), "64");
	REFUSED(text_copy(t.san[1], sizeof t.san[1], "ex1.contoso.example\nDNS:evil"), "name in a certificate");
	REFUSED(t.n_san = 5, "too many");
	REFUSED(t.key_bits = 512, "512");
	REFUSED(t.days = 0, "0 days");
	REFUSED(t.days = 100000, "100000 days");
}

static void keys_that_do_not_match(void **state)
{
	struct cert_template t = usual();
	struct cert_info c;
	char *cert, *key, *cert2, *key2;
	static const char locked[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI\n"
				     "-----END ENCRYPTED PRIVATE KEY-----\n";

	(void)state;
	t.ec_key = true;
	make(&t, &cert, &key, &c);
	make(&t, &cert2, &key2, &c);
	assert_false(cert_key_matches(cert, strlen(cert), key2, strlen(key2)));
	assert_false(cert_key_matches(cert, strlen(cert), "", 0));
	assert_false(cert_key_matches(cert, strlen(cert), cert, strlen(cert)));
	assert_false(cert_key_matches(cert, strlen(cert), locked, strlen(locked)));
	assert_true(cert_key_matches(cert2, strlen(cert2), key2, strlen(key2)));
	free(cert);
	free(cert2);
	cert_wipe(key);
	cert_wipe(key2);
	cert_wipe(NULL);
}

static void rubbish_is_refused(void **state)
{
	struct cert_info c;
	struct err e;
	char *big = calloc(1, 70000);

	(void)state;
	assert_int_equal(cert_parse_pem("hello", 5, &c, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(cert_parse_der("\x30\x82\xff\xff", 4, &c, &e), -1);
	assert_int_equal(cert_parse_pem(big, 70000, &c, &e), -1);
	assert_non_null(strstr(e.text, "70000"));
	free(big);
}

/* Every cut and every changed byte of a certificate: read or refused, never a crash (the sanitizers watch). */
static void damaged_ones_do_no_harm(void **state)
{
	struct cert_template t = usual();
	struct cert_info c;
	char *cert, *key;
	unsigned char *der = NULL, *copy;
	BIO *b;
	X509 *x;
	int n, refused = 0;

	(void)state;
	t.ec_key = true;
	make(&t, &cert, &key, &c);
	b = BIO_new_mem_buf(cert, -1);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	n = i2d_X509(x, &der);
	assert_true(n > 0);
	assert_int_equal(cert_parse_der(der, (size_t)n, &c, NULL), 0);
	for (int i = 0; i < n; i++) {
		copy = malloc((size_t)n);
		memcpy(copy, der, (size_t)n);
		copy[i] ^= 0x41;
		refused += cert_parse_der(copy, (size_t)n, &c, NULL) < 0;
		free(copy);
		copy = malloc((size_t)i + 1);
		memcpy(copy, der, (size_t)i);
		assert_int_equal(cert_parse_der(copy, (size_t)i, &c, NULL), -1);
		free(copy);
	}
	assert_true(refused > 0);
	copy = malloc((size_t)n + 1);
	memcpy(copy, der, (size_t)n);
	copy[n] = 0;
	assert_int_equal(cert_parse_der(copy, (size_t)n + 1, &c, NULL), -1);
	free(copy);
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(b);
	free(cert);
	cert_wipe(key);
}

/* A certificate of a stranger: a name with a NUL in it, control characters, more names than we keep. */
static X509 *strange(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	GENERAL_NAMES *names = GENERAL_NAMES_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 5);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"a\x1b[31mred", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	for (int i = 0; i < 70; i++) {
		GENERAL_NAME *g = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();

		if (i == 0)
			ASN1_STRING_set(s, "ex1.contoso.example\0.evil.example", 33);
		else if (i == 1)
			ASN1_STRING_set(s, "bell\a.example", -1);
		else
			ASN1_STRING_set(s, "x.example", -1);
		GENERAL_NAME_set0_value(g, GEN_DNS, s);
		sk_GENERAL_NAME_push(names, g);
	}
	X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
	X509_sign(x, key, EVP_sha256());
	return x;
}

static void strangers_are_cleaned(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = strange(key);
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	struct cert_info c;
	struct err e;

	(void)state;
	assert_int_equal(cert_parse_der(der, (size_t)n, &c, &e), 0);
	assert_string_equal(c.common_name, "a?[31mred");
	assert_null(strchr(c.subject, '\x1b'));
	assert_int_equal(c.n_san, CERT_NAMES);
	assert_string_equal(c.san[0], "bell?.example"); /* the name with a NUL is left out */
	assert_false(cert_has_name(&c, "ex1.contoso.example"));
	assert_true(c.server_auth);       /* no EKU: everything is allowed */
	assert_true(c.digital_signature); /* no KU either */
	assert_string_equal(c.serial, "05");
	OPENSSL_free(der);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void names(void **state)
{
	struct cert_info c = {.common_name = "EX1", .san = {"*.contoso.example", "EX1", "*.example"}, .n_san = 3};

	(void)state;
	assert_true(cert_has_name(&c, "ex1"));
	assert_true(cert_has_name(&c, "Mail.Contoso.Example"));
	assert_false(cert_has_name(&c, "a.b.contoso.example")); /* a wildcard is one label */
	assert_false(cert_has_name(&c, "contoso.example"));
	assert_false(cert_has_name(&c, ".contoso.example"));
	assert_false(cert_has_name(&c, "fabrikam.example")); /* no wildcard over a whole top level */
	c.n_san = 1;
	assert_false(cert_has_name(&c, "EX1")); /* with a SAN the common name does not count */
	c.n_san = 0;
	assert_true(cert_has_name(&c, "ex1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_as_exchange_makes_it),
		cmocka_unit_test(extensions),
		cmocka_unit_test(weak_ones_are_described),
		cmocka_unit_test(templates_that_are_refused),
		cmocka_unit_test(keys_that_do_not_match),
		cmocka_unit_test(rubbish_is_refused),
		cmocka_unit_test(damaged_ones_do_no_harm),
		cmocka_unit_test(strangers_are_cleaned),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
