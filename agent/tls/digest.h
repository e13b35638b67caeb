/* digest.h - SHA-256, HMAC with it, and SHA-1 (thumbprints) by OpenSSL. */
#ifndef EVMEND_TLS_DIGEST_H
#define EVMEND_TLS_DIGEST_H

#include <stddef.h>
#include <stdint.h>

void digest_sha256(const void *p, size_t n, uint8_t to[static 32]);
void digest_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t to[static 32]); /* RFC 2104 */
void digest_sha1(const void *p, size_t n, uint8_t to[static 20]);

/* Several pieces; each is preceded by its length, so that ("ab","c") and ("a","bc") differ. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_add_str(struct digest *d, const char *s);
void digest_add_int(struct digest *d, int64_t v);
void digest_finish(struct digest *d, uint8_t to[static 32]); /* frees d */

#endif
