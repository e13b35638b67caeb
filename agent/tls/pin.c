/* pin.c - compares the peer's certificate with the one that was named.
 *
 * Why: a receiver with a certificate of its own making can be trusted by its fingerprint. Promises: without that certificate there is no
 * handshake, whatever else was switched off. Refuses every other certificate. */
#include "tls/pin.h"

#include <openssl/ssl.h>
#include <string.h>

static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct tls_pin *pin = arg;
	const X509 *peer = X509_STORE_CTX_get0_cert(store);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!peer || !X509_digest(peer, EVP_sha256(), digest, &n) || n != 32 || memcmp(digest, pin->digest, 32) != 0) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
		return 0;
	}
	return pin->chain_too ? X509_verify_cert(store) : 1;
}

void tls_pin_context(void *ssl_ctx, const struct tls_pin *pin)
{
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, (void *)(uintptr_t)pin);
}
