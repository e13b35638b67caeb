/* x509.h - certificates as plain values. Parsing never trusts: every text is bounded and cleaned. */
#ifndef EVMEND_TLS_X509_H
#define EVMEND_TLS_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CERT_NAMES 64

enum key_kind { KEY_OTHER, KEY_RSA, KEY_EC };

struct cert_info {
	uint8_t thumbprint[20]; /* SHA-1 of the DER, what Windows shows */
	char subject[256], issuer[256]; /* RFC 2253 like; cleaned */
	char common_name[128];
	char san[CERT_NAMES][256]; /* DNS names */
	size_t n_san;
	int64_t not_before, not_after; /* us */
	enum key_kind key;
	int key_bits;
	char signature[48];  /* "sha256WithRSAEncryption" */
	bool sha1_signature;
	bool self_signed;
	bool server_auth;    /* EKU absent or has serverAuth */
	bool digital_signature; /* KeyUsage absent or has it */
	char serial[80];     /* hex */
};

/* What a back-end certificate should be; names come from the host's identity, never from an event.
 * The shape (KU, EKU, BasicConstraints, SHA-256, 2048 bits, 60 months) is that of Exchange's own self-signed certificates. */
struct cert_template {
	char common_name[128];
	char organization[64]; /* "": none; the lab writes here that it is one */
	char san[4][256];
	size_t n_san;
	int key_bits;          /* 2048 */
	int days;              /* 1826 */
	int64_t not_before;    /* us; backdate by some minutes */
	bool sha1;             /* the lab's weak certificates only */
	bool ec_key;           /* the lab only */
};

/* The first certificate of a PEM text, or one DER certificate and nothing behind it. At most 64 kB.
 * Names that hold a NUL are left out (they are an attack on whoever compares them); odd characters become '?'. */
int cert_parse_pem(const char *pem, size_t n, struct cert_info *to, struct err *e);
int cert_parse_der(const void *der, size_t n, struct cert_info *to, struct err *e);
/* A new key and a self-signed certificate: KU critical digitalSignature|keyEncipherment, EKU serverAuth, BasicConstraints
 * critical CA:false, random serial. PEM texts, malloc'd; the key is wiped by cert_wipe.
 * Names must be of [A-Za-z0-9._-] (the common name may have blanks), else
 * ERR_USAGE; so must 1..7300 days and, for RSA, 1024..8192 bits. */
int cert_create(const struct cert_template *t, char **cert_pem, char **key_pem, struct err *e);
void cert_wipe(char *pem); /* overwrites and frees; NULL allowed */
/* Does this key open and belong to this certificate? */
bool cert_key_matches(const char *cert_pem, size_t cert_n, const char *key_pem, size_t key_n);
/* Does a DNS name of the certificate (SAN, else CN) cover name? Wildcards cover one label. Case does not count. */
bool cert_has_name(const struct cert_info *c, const char *name);

#endif
