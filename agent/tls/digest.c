/* digest.c - fingerprints of bytes.
 *
 * Why: the ledger's chain, ids of plans, findings and events, and thumbprints all need one and the same answer.
 * Promises: the same pieces give the same digest on every machine (lengths and numbers go in as 8 bytes, big end first).
 * Refuses: nothing; a library that cannot hash ends the process.
 *
 * SHA-256 is asked for by its old name: EVP looks the algorithm up anew, under a lock, for each digest, and a scan makes
 * hundreds of thousands of short ones in several threads (8,000 instructions with EVP, 700 without). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct digest {
	SHA256_CTX ctx;
};

void digest_sha256(const void *p, size_t n, uint8_t to[static 32])
{
	SHA256_CTX ctx;

	if (SHA256_Init(&ctx) != 1 || SHA256_Update(&ctx, n ? p : "", n) != 1 || SHA256_Final(to, &ctx) != 1)
		die("OpenSSL cannot compute a digest");
}

void digest_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t to[static 32])
{
	unsigned length = 0;

	if (key_n > INT32_MAX || !HMAC(EVP_sha256(), key, (int)key_n, n ? p : (const void *)"", n, to, &length) || length != 32)
		die("OpenSSL cannot compute a digest");
}

void digest_sha1(const void *p, size_t n, uint8_t to[static 20])
{
	if (EVP_Digest(n ? p : "", n, to, NULL, EVP_sha1(), NULL) != 1)
		die("OpenSSL cannot compute a digest");
}

struct digest *digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof *d);

	if (SHA256_Init(&d->ctx) != 1)
		die("OpenSSL cannot start a digest");
	return d;
}

static void update(struct digest *d, const void *p, size_t n)
{
	if (n && SHA256_Update(&d->ctx, p, n) != 1)
		die("OpenSSL cannot compute a digest");
}

static void big_end(uint8_t to[static 8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		to[i] = (uint8_t)(v & 0xff);
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	uint8_t length[8];

	big_end(length, n);
	update(d, length, sizeof length);
	update(d, p, n);
}

void digest_add_str(struct digest *d, const char *s)
{
	digest_add(d, s, strlen(s));
}

void digest_add_int(struct digest *d, int64_t v)
{
	uint8_t number[8];

	big_end(number, (uint64_t)v);
	digest_add(d, number, sizeof number);
}

void digest_finish(struct digest *d, uint8_t to[static 32])
{
	if (SHA256_Final(to, &d->ctx) != 1)
		die("OpenSSL cannot finish a digest");
	free(d);
}
