/* pin.h - a receiver that is known by its certificate, for connections whose OpenSSL context another library made. */
#ifndef EVMEND_TLS_PIN_H
#define EVMEND_TLS_PIN_H

#include <stdbool.h>
#include <stdint.h>

struct tls_pin {
	const uint8_t *digest; /* SHA-256 of the certificate, 32 bytes */
	bool chain_too;        /* the chain is verified as well */
};

/* ssl_ctx: an SSL_CTX of OpenSSL. From now on a handshake fails unless the peer shows that certificate. pin lives as long as the context. */
void tls_pin_context(void *ssl_ctx, const struct tls_pin *pin);

#endif
