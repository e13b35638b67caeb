/* test_plan_cert.c - the certificate that a plan creates, read field by field by OpenSSL, against what Exchange's setup makes:
 * version 3, random serial, CN is the NetBIOS name, both names, RSA 2048, SHA-256, 60 months, and four extensions to the letter.
 * What only Windows keeps beside it (provider, machine key set, not exportable, friendly name) is not in a certificate: untested. */
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

#include "base/err.h"
#include "base/text.h"
#include "lib/check.h"
#include "remedies/exchange_backend/backend.h"

#define NOW (INT64_C(1800000000) * US_SECOND)
#define FQDN "ex1.lab.example"

/* A server without any certificate of its own; the plan's first step. */
static struct cert_template planned(int64_t now)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct cert_template t;

	text_copy(d->identity.netbios, sizeof(d->identity.netbios), "EX1");
	text_copy(d->identity.fqdn, sizeof(d->identity.fqdn), FQDN);
	d->when = now;
	d->state.known = ~0u;
	d->verdict.name = "SSL_RECORD_MISSING";
	d->verdict.repairable = REPAIR_BY_POLICY;
	be_plan(d);
	assert_int_equal(d->plan.n, 2);
	assert_int_equal(d->plan.steps[0].step.kind, STEP_CERT_CREATE);
	t = d->plan.steps[0].step.template;
	free(d);
	return t;
}

static X509 *create(int64_t now)
{
	struct cert_template t = planned(now);
	char *cert, *key;
	struct err e;
	X509 *x;
	BIO *b;

	if (cert_create(&t, &cert, &key, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(cert_key_matches(cert, strlen(cert), key, strlen(key)));
	b = BIO_new_mem_buf(cert, -1);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	assert_non_null(x);
	BIO_free(b);
	free(cert);
	cert_wipe(key);
	return x;
}

static X509 *one, *two;

static int make_two(void **state)
{
	(void)state;
	one = create(NOW);
	two = create(NOW);
	return 0;
}

static int free_two(void **state)
{
	(void)state;
	X509_free(one);
	X509_free(two);
	return 0;
}

static void version_and_serial(void **state)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(one), NULL);

	(void)state;
	assert_int_equal(X509_get_version(one), X509_VERSION_3);
	assert_int_equal(BN_is_negative(n), 0);
	assert_in_range(BN_num_bits(n), 64, 159); /* random, and at most 20 bytes: RFC 5280 4.1.2.2 */
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(one), X509_get0_serialNumber(two)), 0);
	BN_free(n);
}

static void subject_and_issuer(void **state)
{
	const X509_NAME *name = X509_get_subject_name(one);
	char text[256];

	(void)state;
	assert_int_equal(X509_NAME_entry_count(name), 1);
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(one), NID_commonName, text, sizeof(text)), 3);
	assert_string_equal(text, "EX1");
	assert_int_equal(X509_NAME_cmp(name, X509_get_issuer_name(one)), 0);
}

static void key_and_signature(void **state)
{
	EVP_PKEY *key = X509_get0_pubkey(one);
	BIGNUM *exponent = NULL;

	(void)state;
	assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_RSA);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(EVP_PKEY_get_bn_param(key, "e", &exponent), 1);
	assert_true(BN_is_word(exponent, 65537));
	BN_free(exponent);
	assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(two)), 0); /* a new key each time */
	assert_int_equal(X509_get_signature_nid(one), NID_sha256WithRSAEncryption);
	assert_int_equal(OBJ_obj2nid(X509_get0_tbs_sigalg(one)->algorithm), NID_sha256WithRSAEncryption);
	assert_int_equal(X509_self_signed(one, 1), 1);
}

static int64_t seconds(const ASN1_TIME *t)
{
	struct tm tm = {.tm_year = 0};

	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	return (int64_t)timegm(&tm);
}

/* Sixty months are 1826 days, or 1827 when two leap days lie between. */
static void dates(void **state)
{
	int64_t from = seconds(X509_get0_notBefore(one)), to = seconds(X509_get0_notAfter(one)), now = NOW / US_SECOND;

	(void)state;
	assert_int_equal((to - from) % 86400, 0);
	assert_in_range((to - from) / 86400, 1826, 1827);
	assert_in_range(now - from, 60, 3600); /* valid at once, also for a clock that is a little behind */
}

static int critical_of(int nid)
{
	int at = X509_get_ext_by_NID(one, nid, -1);

	assert_true(at >= 0);
	assert_int_equal(X509_get_ext_by_NID(one, nid, at), -1); /* once */
	return X509_EXTENSION_get_critical(X509_get_ext(one, at));
}

static void extensions(void **state)
{
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(one, NID_basic_constraints, NULL, NULL);
	ASN1_BIT_STRING *ku = X509_get_ext_d2i(one, NID_key_usage, NULL, NULL);
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(one, NID_ext_key_usage, NULL, NULL);

	(void)state;
	assert_int_equal(X509_get_ext_count(one), 4); /* no SKI, no AKI, nothing else */
	assert_int_equal(critical_of(NID_subject_alt_name), 0);
	assert_int_equal(critical_of(NID_key_usage), 1);
	assert_int_equal(critical_of(NID_ext_key_usage), 0);
	assert_int_equal(critical_of(NID_basic_constraints), 1);
	assert_null(X509_get0_subject_key_id(one));
	assert_null(X509_get0_authority_key_id(one));
	for (int bit = 0; bit < 9; bit++) /* digitalSignature is 0, keyEncipherment 2 */
		assert_int_equal(ASN1_BIT_STRING_get_bit(ku, bit), bit == 0 || bit == 2);
	assert_int_equal(sk_ASN1_OBJECT_num(eku), 1);
	assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)), NID_server_auth);
	assert_int_equal(bc->ca, 0);
	assert_null(bc->pathlen);
	BASIC_CONSTRAINTS_free(bc);
	ASN1_BIT_STRING_free(ku);
	EXTENDED_KEY_USAGE_free(eku);
}

static void both_names(void **state)
{
	static const char *const wanted[] = {"EX1", FQDN};
	GENERAL_NAMES *names = X509_get_ext_d2i(one, NID_subject_alt_name, NULL, NULL);

	(void)state;
	assert_int_equal(sk_GENERAL_NAME_num(names), 2);
	for (int i = 0; i < 2; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		assert_int_equal(g->type, GEN_DNS);
		assert_int_equal(ASN1_STRING_length(g->d.dNSName), strlen(wanted[i]));
		assert_memory_equal(ASN1_STRING_get0_data(g->d.dNSName), wanted[i], strlen(wanted[i]));
	}
	GENERAL_NAMES_free(names);
}

/* As `openssl verify -CAfile c -verify_hostname NAME` does it. */
static bool accepted(X509 *trusted, X509 *shown, const char *host, int64_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok;

	X509_STORE_add_cert(store, trusted);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, shown, NULL), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set1_host(param, host, 0);
	X509_VERIFY_PARAM_set_time(param, (time_t)(at / US_SECOND));
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
	ok = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

static void who_accepts_it(void **state)
{
	static const char *const others[] = {"ex2.lab.example", "lab.example", "EX11", "EX", "x.ex1.lab.example", "mail.lab.example"};

	(void)state;
	assert_true(accepted(one, one, "EX1", NOW));
	assert_true(accepted(one, one, "ex1", NOW));
	assert_true(accepted(one, one, FQDN, NOW));
	assert_true(accepted(one, one, "EX1.LAB.EXAMPLE", NOW));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(accepted(one, one, others[i], NOW));
		assert_int_equal(X509_check_host(one, others[i], 0, 0, NULL), 0);
	}
	assert_int_equal(X509_check_host(one, "EX1", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(one, FQDN, 0, 0, NULL), 1);
	assert_false(accepted(one, two, FQDN, NOW)); /* the same names, another key */
	assert_true(accepted(one, one, FQDN, NOW + 1825 * US_DAY));
	assert_false(accepted(one, one, FQDN, NOW + 1827 * US_DAY));
	assert_false(accepted(one, one, FQDN, NOW - US_HOUR));
}

/* What was made is what the next plan chooses: no second one is created for it. */
static void the_next_plan_takes_it(void **state)
{
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct host_cert *c = &d->state.certs[d->state.n_certs++];
	unsigned char *der = NULL;
	int n = i2d_X509(one, &der);
	struct err e;

	(void)state;
	assert_int_equal(cert_parse_der(der, (size_t)n, &c->info, &e), 0);
	OPENSSL_free(der);
	text_copy(c->store, sizeof(c->store), "MY");
	text_copy(c->friendly_name, sizeof(c->friendly_name), BE_FRIENDLY);
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	text_copy(d->identity.netbios, sizeof(d->identity.netbios), "EX1");
	text_copy(d->identity.fqdn, sizeof(d->identity.fqdn), FQDN);
	d->when = NOW;
	assert_ptr_equal(be_best_cert(d), c);
	d->when = NOW + 1795 * US_DAY;
	assert_ptr_equal(be_best_cert(d), c);
	d->when = NOW + 1797 * US_DAY; /* less than 30 days are left */
	assert_null(be_best_cert(d));
	free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_and_serial),
		cmocka_unit_test(subject_and_issuer),
		cmocka_unit_test(key_and_signature),
		cmocka_unit_test(dates),
		cmocka_unit_test(extensions),
		cmocka_unit_test(both_names),
		cmocka_unit_test(who_accepts_it),
		cmocka_unit_test(the_next_plan_takes_it),
	};

	return cmocka_run_group_tests(tests, make_two, free_two);
}
