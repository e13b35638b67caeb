/* tls_client.h - the probe: one handshake and one request, the outcome as a fact and never as a judgement.
 *
 * Runs with @SECLEVEL=0 and TLS 1.0 allowed and verifies no chain: weakness is a fact, not a failed handshake. Every wait is
 * bounded: resolving, connect, handshake and request by timeout_ms each, and all of them together by total_ms. */
#ifndef EVMEND_TLS_TLS_CLIENT_H
#define EVMEND_TLS_TLS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "tls/x509.h"

#define PROBE_PEM 8192
#define PROBE_CHAIN 10 /* certificates of a chain that are kept; the longest that browsers accept is shorter */

enum probe_tcp { TCP_OK, TCP_REFUSED, TCP_TIMEOUT, TCP_ERROR, TCP_UNRESOLVABLE };
enum probe_tls { TLS_OK, TLS_RESET, TLS_EOF, TLS_ALERT, TLS_TIMEOUT, TLS_NOT_TRIED, TLS_ERROR };
enum probe_version { TLS_DEFAULT, TLS_ONLY_1_2 };

struct probe_target {
	char address[256]; /* "127.0.0.1", "::1" or a name */
	uint16_t port;
	char sni[256];     /* "" : none */
	enum probe_version version;
	char path[256];    /* "" : no request after the handshake */
	int timeout_ms;    /* for each of resolving, connect, handshake, request; 0: 10 s */
	int total_ms;      /* for all of it; 0: what its parts take */
};

/* One certificate of a chain, as the server sent it. */
struct probe_link {
	uint8_t thumbprint[20];
	char subject[256], issuer[256];
	int64_t not_before, not_after;
	enum key_kind key;
	int key_bits;
	char signature[48];
	bool self_signed;
};

struct probe_result {
	enum probe_tcp tcp;
	enum probe_tls tls;
	int alert;             /* number, when tls is TLS_ALERT: sent by the server, or 70 when it chose a version that was not offered.
				* With TLS_OK: an alert that came after the handshake, such as 116, certificate_required; else 0 */
	char peer[64];         /* the address that was knocked at last; "" when there is none */
	char tls_version[16];  /* "TLSv1.2" */
	char cipher[64];
	bool has_leaf;
	struct cert_info leaf;
	char leaf_pem[PROBE_PEM]; /* the leaf as public PEM, to be sent on; "" when there is none or it is longer */
	int chain_length;      /* as sent; the chain keeps the first PROBE_CHAIN, the leaf in front */
	struct probe_link chain[PROBE_CHAIN];
	size_t n_chain;
	bool client_cert_asked;/* the server asked for a certificate of ours; it got none */
	int http_status;       /* 0: not asked or not answered */
	char answer_header[512]; /* the lines that matter (X-FEServer, X-BEServer, X-CalculatedBETarget), '\n' between */
	char other_header[512];  /* more for a person (Server, Location, WWW-Authenticate ...), '\n' between; not on the host protocol */
	int64_t took_us;
	char detail[256];      /* for a person */
};

/* Never fails: what went wrong is in the result; an unusable target (no address, a path with blanks) is TCP_ERROR. */
void tls_probe(const struct probe_target *t, const struct clock *clock, struct probe_result *to);
/* RFC 8446's name of an alert, "handshake_failure"; "unknown" */
const char *probe_alert_text(int number);
const char *probe_tcp_text(enum probe_tcp t); /* "ok", "refused", "timeout", "error", "unresolvable" */
const char *probe_tls_text(enum probe_tls t); /* "ok", "reset", "eof", "alert", "timeout", "not-tried", "error" */
bool probe_tcp_parse(const char *s, enum probe_tcp *t);
bool probe_tls_parse(const char *s, enum probe_tls *t);
/* "OpenSSL 3.0.15 ...", for `evmend version`. */
const char *tls_library(void);

#endif
