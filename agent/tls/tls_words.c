/* tls_words.c - the outcomes of a probe as words, and back.
 *
 * Exists so that reports, the host protocol and tests share one spelling. Promises that each word parses to what it came from.
 * Refuses words that it does not know. */
#include <openssl/crypto.h>
#include <string.h>

#include "tls/tls_client.h"

static const char *const tcp_words[] = {[TCP_OK] = "ok", [TCP_REFUSED] = "refused", [TCP_TIMEOUT] = "timeout",
	[TCP_ERROR] = "error", [TCP_UNRESOLVABLE] = "unresolvable"};
static const char *const tls_words[] = {[TLS_OK] = "ok", [TLS_RESET] = "reset", [TLS_EOF] = "eof", [TLS_ALERT] = "alert",
	[TLS_TIMEOUT] = "timeout", [TLS_NOT_TRIED] = "not-tried", [TLS_ERROR] = "error"};

/* RFC 8446 section 6 and RFC 5246 section 7.2: numbers and names of alerts. */
static const struct { int number; const char *name; } alerts[] = {
	{0, "close_notify"}, {10, "unexpected_message"}, {20, "bad_record_mac"}, {21, "decryption_failed"}, {22, "record_overflow"},
	{30, "decompression_failure"}, {40, "handshake_failure"}, {41, "no_certificate"}, {42, "bad_certificate"},
	{43, "unsupported_certificate"}, {44, "certificate_revoked"}, {45, "certificate_expired"}, {46, "certificate_unknown"},
	{47, "illegal_parameter"}, {48, "unknown_ca"}, {49, "access_denied"}, {50, "decode_error"}, {51, "decrypt_error"},
	{60, "export_restriction"}, {70, "protocol_version"}, {71, "insufficient_security"}, {80, "internal_error"},
	{86, "inappropriate_fallback"}, {90, "user_canceled"}, {100, "no_renegotiation"}, {109, "missing_extension"},
	{110, "unsupported_extension"}, {111, "certificate_unobtainable"}, {112, "unrecognized_name"},
	{113, "bad_certificate_status_response"}, {115, "unknown_psk_identity"}, {116, "certificate_required"},
	{120, "no_application_protocol"},
};

static int word_at(const char *const *words, size_t n, const char *s)
{
	for (size_t i = 0; s && i < n; i++)
		if (strcmp(words[i], s) == 0)
			return (int)i;
	return -1;
}

const char *probe_alert_text(int number)
{
	for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++)
		if (alerts[i].number == number)
			return alerts[i].name;
	return "unknown";
}

const char *probe_tcp_text(enum probe_tcp t)
{
	return tcp_words[t];
}

const char *probe_tls_text(enum probe_tls t)
{
	return tls_words[t];
}

bool probe_tcp_parse(const char *s, enum probe_tcp *t)
{
	int i = word_at(tcp_words, sizeof tcp_words / sizeof tcp_words[0], s);

	if (i >= 0)
		*t = (enum probe_tcp)i;
	return i >= 0;
}

bool probe_tls_parse(const char *s, enum probe_tls *t)
{
	int i = word_at(tls_words, sizeof tls_words / sizeof tls_words[0], s);

	if (i >= 0)
		*t = (enum probe_tls)i;
	return i >= 0;
}

const char *tls_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
