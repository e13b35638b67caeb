/* lab_issue.c - certificates as a public authority issues them: signed by somebody else, who stands in the Root store.
 *
 * The authority is made anew for each certificate and its key is thrown away, so nothing else can ever be signed by it. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "lab/lab.h"
#include "os/os.h"

struct authority {
	X509 *cert;
	EVP_PKEY *key;
	char *cert_pem, *key_pem;
};

static X509 *read_cert(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return x;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

	BIO_free(b);
	return key;
}

static char *write_cert(X509 *x)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL, *copy;
	long n;

	if (PEM_write_bio_X509(b, x) != 1)
		die("a certificate cannot be written");
	n = BIO_get_mem_data(b, &text);
	copy = xstrndup(text, (size_t)n);
	BIO_free(b);
	return copy;
}

static bool is_authority(X509 *x)
{
	X509_EXTENSION *ca;
	X509V3_CTX ctx;
	int at = X509_get_ext_by_NID(x, NID_basic_constraints, -1);
	bool ok;

	if (at >= 0)
		X509_EXTENSION_free(X509_delete_ext(x, at));
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ca = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
	ok = ca && X509_add_ext(x, ca, -1) == 1;
	X509_EXTENSION_free(ca);
	return ok;
}

static int make_authority(const struct lab *l, struct authority *to, struct err *e)
{
	struct cert_template t = {.common_name = "evmend LAB Public CA", .days = 7300, .ec_key = true,
		.not_before = clock_wall(&l->clock) - 3650 * US_DAY};
	char *pem;
	int r;

	text_copy(t.organization, sizeof t.organization, LAB_ORGANIZATION);
	if (cert_create(&t, &pem, &to->key_pem, e) < 0)
		return -1;
	to->cert = read_cert(pem);
	to->key = read_key(to->key_pem);
	free(pem);
	if (!to->cert || !to->key || !is_authority(to->cert) || X509_sign(to->cert, to->key, EVP_sha256()) <= 0)
		return err_set(e, ERR_INTERNAL, "the lab's authority cannot be made");
	to->cert_pem = write_cert(to->cert);
	r = store_add(l, "Root", to->cert_pem, "", "", "", e);
	return r;
}

static void end_authority(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	cert_wipe(a->key_pem);
	free(a->cert_pem);
	ERR_clear_error();
}

/* The same certificate, issued by the authority. malloc'd PEM; NULL: it cannot be signed. */
static char *sign(const struct authority *a, const char *pem)
{
	X509 *x = read_cert(pem);
	char *signed_pem = NULL;

	if (x && X509_set_issuer_name(x, X509_get_subject_name(a->cert)) == 1 && X509_sign(x, a->key, EVP_sha256()) > 0)
		signed_pem = write_cert(x);
	X509_free(x);
	return signed_pem;
}

int store_issue(const struct lab *l, const struct cert_template *t, const char *friendly, uint8_t thumbprint[20], struct err *e)
{
	struct authority a = {.cert = NULL};
	char *pem = NULL, *key = NULL, *signed_pem = NULL;
	int r = -1;

	if (make_authority(l, &a, e) == 0 && cert_create(t, &pem, &key, e) == 0) {
		signed_pem = sign(&a, pem);
		r = signed_pem ? store_put(l, signed_pem, key, friendly, "", thumbprint, e) :
			err_set(e, ERR_INTERNAL, "the lab's authority cannot sign");
	}
	cert_wipe(key);
	free(pem);
	free(signed_pem);
	end_authority(&a);
	return r;
}
