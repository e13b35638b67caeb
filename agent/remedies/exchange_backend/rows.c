/* rows.c - the root causes of a failing port 444, in the order in which they are read.
 *
 * Exists so that "what is wrong" is one table that a person can read. Promises that each condition is a pure function of facts
 * and of what events have shown, and is unknown when the facts that decide it are. Refuses to let an event make a cause of its
 * own: events only tell a hop that fails by TLS from one that fails by itself. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/verdict_table.h"

enum tri be_not(enum tri a)
{
	return a == TRI_UNKNOWN ? TRI_UNKNOWN : a == TRI_YES ? TRI_NO : TRI_YES;
}

enum tri be_and(enum tri a, enum tri b)
{
	if (a == TRI_NO || b == TRI_NO)
		return TRI_NO;
	return a == TRI_YES && b == TRI_YES ? TRI_YES : TRI_UNKNOWN;
}

enum tri be_or(enum tri a, enum tri b)
{
	return be_not(be_and(be_not(a), be_not(b)));
}

enum tri be_is(const struct be_view *v, const char *fact)
{
	return fact_value(v->f, fact);
}

enum tri be_saw(const struct be_view *v, unsigned seen)
{
	return v->s->seen & seen ? TRI_YES : TRI_NO;
}

/* Where an unknown counts as no: the row is none that could be missed. */
static enum tri surely(enum tri a)
{
	return a == TRI_YES ? TRI_YES : TRI_NO;
}

/* Facts about a record, a binding or a served certificate that is not there were never looked at: what needs them cannot hold. */
static enum tri has_record(const struct be_view *v)
{
	return be_is(v, "record_present");
}

static enum tri cert_in_store(const struct be_view *v)
{
	return has_record(v) == TRI_NO ? TRI_NO : be_is(v, "record_cert_in_store");
}

static enum tri key_usable(const struct be_view *v)
{
	return cert_in_store(v) == TRI_NO ? TRI_NO : be_is(v, "record_key_usable");
}

enum tri be_record_fine(const struct be_view *v)
{
	return be_and(has_record(v), be_and(cert_in_store(v), key_usable(v)));
}

static enum tri has_binding(const struct be_view *v)
{
	return be_is(v, "binding_444");
}

static enum tri plain_binding(const struct be_view *v)
{
	return has_binding(v) == TRI_NO ? TRI_NO : be_is(v, "binding_plain");
}

static enum tri tls_ok(const struct be_view *v)
{
	return be_is(v, "backend_tls");
}

static enum tri if_tls(const struct be_view *v, enum tri t)
{
	return tls_ok(v) == TRI_NO ? TRI_NO : be_and(tls_ok(v), t);
}

static enum tri differ(const struct be_view *v)
{
	return be_not(be_is(v, "addresses_agree"));
}

static enum tri always(const struct be_view *v)
{
	(void)v;
	return TRI_YES;
}

/* A folder of facts is of no configured host: that excludes nothing. */
static enum tri another_server(const struct be_view *v)
{
	return surely(be_not(be_is(v, "is_configured_host")));
}

static enum tri not_applicable(const struct be_view *v)
{
	return be_or(be_not(be_is(v, "is_exchange")), be_not(be_is(v, "site_exists")));
}

static enum tri site_down(const struct be_view *v)
{
	/* a refused connection counts only while the plain binding is there: else the binding is the cause. A certificate that is
	 * gone refuses nobody */
	enum tri refused = be_and(be_is(v, "backend_refuses"), be_and(plain_binding(v), has_record(v)));

	return be_or(be_or(be_not(be_is(v, "w3svc_running")), be_not(be_is(v, "site_started"))), refused);
}

/* Contradictions. Something that we do not see is at work; whatever else holds, nothing is changed on top of it. */
static enum tri addresses_differ(const struct be_view *v)
{
	return be_and(differ(v), be_not(be_is(v, "record_specific")));
}

static enum tri served_by_nobody(const struct be_view *v)
{
	return if_tls(v, be_not(be_is(v, "served_by_record")));
}

static enum tri works_unbound(const struct be_view *v)
{
	return be_and(be_not(has_binding(v)), be_or(tls_ok(v), differ(v)));
}

static enum tri only_tls12_passes(const struct be_view *v)
{
	return be_and(be_not(tls_ok(v)), be_and(be_is(v, "backend_tls12"), be_not(be_is(v, "tls_protocol_alert"))));
}

static enum tri binding_removed(const struct be_view *v)
{
	return be_not(has_binding(v));
}

static enum tri binding_wrong(const struct be_view *v)
{
	enum tri odd = be_and(has_binding(v), be_not(plain_binding(v)));

	return be_or(be_or(odd, be_is(v, "record_shadowed")), be_and(differ(v), be_is(v, "record_specific")));
}

static enum tri cert_latent(const struct be_view *v)
{
	return be_and(tls_ok(v), be_and(has_record(v), be_or(be_not(cert_in_store(v)), be_not(key_usable(v)))));
}

static enum tri record_missing(const struct be_view *v)
{
	return be_and(be_not(has_record(v)), be_not(tls_ok(v)));
}

static enum tri cert_deleted(const struct be_view *v)
{
	return be_and(has_record(v), be_and(be_not(cert_in_store(v)), be_not(be_is(v, "record_cert_elsewhere"))));
}

static enum tri key_broken(const struct be_view *v)
{
	return be_and(cert_in_store(v), be_not(key_usable(v)));
}

/* Both are R7: which of them decides the advice, so an unknown right does not keep the other from being said. */
static enum tri key_denied(const struct be_view *v)
{
	return be_and(key_broken(v), surely(be_is(v, "record_key_denied")));
}

static enum tri key_missing(const struct be_view *v)
{
	return be_and(key_broken(v), be_not(surely(be_is(v, "record_key_denied"))));
}

static enum tri store_mismatch(const struct be_view *v)
{
	enum tri elsewhere = has_record(v) == TRI_NO || cert_in_store(v) == TRI_YES ? TRI_NO : be_is(v, "record_cert_elsewhere");

	return be_and(be_and(has_record(v), be_not(cert_in_store(v))), be_and(elsewhere, be_not(tls_ok(v))));
}

static enum tri tls_differs(const struct be_view *v)
{
	return be_and(be_record_fine(v), be_or(be_is(v, "tls_protocol_alert"), be_is(v, "tls12_only_fails")));
}

static enum tri tls_mismatch(const struct be_view *v)
{
	enum tri hop = be_and(be_saw(v, SEEN_TLS_CONFIG), be_not(be_is(v, "hop_answers")));

	return be_or(tls_differs(v), be_and(be_record_fine(v), hop));
}

static enum tri stale_state(const struct be_view *v)
{
	/* when the record was set is told by nobody: only a known restart speaks against it */
	enum tri fresh = surely(be_is(v, "restarted_since_change"));

	return be_and(be_record_fine(v), be_and(be_is(v, "tls_cut"), be_not(fresh)));
}

static enum tri cert_expired(const struct be_view *v)
{
	return if_tls(v, be_not(be_is(v, "served_valid")));
}

static enum tri expiry_matters(const struct be_view *v)
{
	return be_not(be_is(v, "internal_untrusted_allowed"));
}

static enum tri cert_foreign(const struct be_view *v)
{
	return if_tls(v, be_and(be_is(v, "served_valid"), be_not(be_is(v, "served_own"))));
}

static enum tri pool_down(const struct be_view *v)
{
	return if_tls(v, be_is(v, "backend_503"));
}

static enum tri hangs(const struct be_view *v)
{
	enum tri silent = if_tls(v, be_not(be_is(v, "backend_answers")));

	return be_and(be_record_fine(v), be_and(be_is(v, "backend_listens"), be_or(be_is(v, "tls_timeout"), silent)));
}

static enum tri works(const struct be_view *v)
{
	return if_tls(v, be_and(be_is(v, "backend_answers"), be_not(be_is(v, "backend_503"))));
}

static enum tri hop_broken(const struct be_view *v)
{
	/* an unknown hop does not count: many hosts cannot be asked */
	return be_and(surely(be_not(be_is(v, "hop_answers"))), be_and(works(v), be_is(v, "frontend_tls")));
}

enum tri be_healthy(const struct be_view *v)
{
	return be_and(works(v), be_and(be_is(v, "served_own"), be_and(be_is(v, "served_valid"), be_is(v, "served_in_store"))));
}

/* An event names a thumbprint: it is compared with the record's, and the date must be the host's own. */
enum tri be_expiring(const struct be_view *v)
{
	char hex[41];
	enum tri named;

	text_hex(hex, v->s->thumbprint, 20);
	named = tls_ok(v) == TRI_YES && v->s->has_thumbprint && strcmp(hex, fact_key(v->f, "record_present")) == 0 ? TRI_YES : TRI_NO;
	named = be_and(be_and(be_saw(v, SEEN_EXPIRY), named), be_is(v, "served_ends_90"));
	return be_and(be_healthy(v), be_or(be_is(v, "served_ends_soon"), named));
}

#define CERT "exchange-backend-certificate"
#define SITE "exchange-backend-site"
#define TLS "exchange-tls-configuration"
#define EXPIRY "exchange-certificate-expiry"
#define GUESS "Nothing is changed on a guess. Look at the facts that do not fit: another program on port 444, a load balancer " \
	"between, a change that is being made right now. Then diagnose again."

const struct be_row be_rows[] = {
	{.id = "R19", .name = "UNKNOWN", .listed = "CONTRADICTION", .cause = SITE, .holds = another_server, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_NEVER, .needed = {"is_configured_host"},
		.text = "Another server answers: {}. Nothing more of it was read, and nothing is changed there.",
		.advice = "Correct this host in the configuration: its 'command' must reach the server of its 'name'. If it is the same "
		"server, write the name that it answers with as its 'name' or among its 'aliases'. 'evmend check' asks every host who it is."},
	{.id = "R0", .name = "NOT_APPLICABLE", .holds = not_applicable, .confidence = CONFIDENCE_HIGH, .repairable = REPAIR_NEVER,
		.needed = {"is_exchange", "site_exists"},
		.text = "No Exchange 2013 or later back end: the role or the site 'Exchange Back End' is missing.",
		.disproof = "a site 'Exchange Back End' in IIS of this machine",
		.advice = "Nothing to do here."},
	{.id = "R2", .name = "BE_SITE_DOWN", .cause = SITE, .holds = site_down, .confidence = CONFIDENCE_HIGH, .repairable = REPAIR_NEVER,
		.needed = {"w3svc_running", "site_started", "was_running", "http_running", "backend_refuses", "binding_plain", "record_present"},
		.text = "The site 'Exchange Back End' does not run. Its certificate is not the cause and is left alone.",
		.disproof = "W3SVC and the site started, and port 444 still refused",
		.advice = "Start it, in PowerShell: net start W3SVC if that service is stopped, then " BE_APPCMD " start site "
		"\"Exchange Back End\". Do not touch the certificate."},
	{.id = "R19", .name = "UNKNOWN", .listed = "CONTRADICTION", .cause = SITE, .holds = addresses_differ, .confidence = CONFIDENCE_LOW,
		.repairable = REPAIR_NEVER, .needed = {"addresses_agree", "record_specific"},
		.text = "The addresses of port 444 do not agree, and no record is for one address: one cause for all of them cannot be named.",
		.advice = GUESS},
	{.id = "R19", .name = "UNKNOWN", .listed = "CONTRADICTION", .cause = CERT, .holds = served_by_nobody, .confidence = CONFIDENCE_LOW,
		.repairable = REPAIR_NEVER, .needed = {"served_by_record", "record_present", "record_other"},
		.text = "Port 444 shows a certificate that no record of HTTP.SYS names: what answers is not what is configured.",
		.advice = GUESS},
	{.id = "R19", .name = "UNKNOWN", .listed = "CONTRADICTION", .cause = SITE, .holds = works_unbound, .confidence = CONFIDENCE_LOW,
		.repairable = REPAIR_NEVER, .needed = {"binding_444", "backend_tls", "addresses_agree"},
		.text = "Port 444 completes a handshake, yet the site 'Exchange Back End' has no https binding for it: something else answers.",
		.advice = GUESS},
	{.id = "R19", .name = "UNKNOWN", .listed = "CONTRADICTION", .cause = TLS, .holds = only_tls12_passes, .confidence = CONFIDENCE_LOW,
		.repairable = REPAIR_NEVER, .needed = {"backend_tls", "backend_tls12", "tls_protocol_alert"},
		.text = "Port 444 takes TLS 1.2 alone and cuts the handshake that the system offers, without saying why.",
		.advice = GUESS},
	{.id = "R3", .name = "BE_BINDING_REMOVED", .cause = SITE, .holds = binding_removed, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"binding_444"},
		.text = "The site 'Exchange Back End' has lost its https binding for port 444.",
		.disproof = "an https binding with port 444 in the list of: " BE_APPCMD " list site \"Exchange Back End\"",
		.advice = "Add the binding https *:444: without SNI to the site, then bind the server's own certificate to it."},
	{.id = "R4", .name = "BE_BINDING_WRONG", .cause = SITE, .holds = binding_wrong, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_NEVER, .needed = {"binding_plain", "record_shadowed", "record_specific", "addresses_agree"},
		.text = "A binding or record for port 444 names an address, a host name or SNI: it stands in front of the plain one.",
		.disproof = "the binding https *:444: alone, and one record for port 444 in 'netsh http show sslcert'",
		.advice = "Look at 'netsh http show sslcert' and at the bindings of the site; remove what stands in front, for example 'netsh "
		"http delete sslcert ipport=ADDRESS:444'. What a person configured is not altered by evmend."},
	{.id = "R0a", .name = "BE_CERT_LATENT", .cause = CERT, .holds = cert_latent, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_APPROVAL, .needed = {"backend_tls", "record_present", "record_cert_in_store", "record_key_usable"},
		.text = "The certificate of port 444 or its key is gone, but HTTP.SYS still serves it from its cache: the next restart or "
		"iisreset breaks the server.",
		.disproof = "the record's thumbprint in LocalMachine\\My, with a key that opens",
		.advice = "Do not restart. Bind another own certificate to port 444 now; this is the only moment at which an outage can be "
		"prevented."},
	{.id = "R5", .name = "SSL_RECORD_MISSING", .cause = CERT, .holds = record_missing, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"record_present", "backend_tls", "updated_lately"},
		.text = "HTTP.SYS has no certificate record for port 444.",
		.disproof = "a record for 0.0.0.0:444 in 'netsh http show sslcert', or a handshake on 444 that passes",
		.advice = "Bind the server's own certificate to port 444. Do not use Enable-ExchangeCertificate -Services IIS: that is port "
		"443."},
	{.id = "R6", .name = "BE_CERT_DELETED", .cause = CERT, .holds = cert_deleted, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"record_present", "record_cert_in_store", "record_cert_elsewhere", "backend_tls"},
		.text = "The certificate of port 444 was deleted: the record in HTTP.SYS names one that is in no store.",
		.disproof = "'certutil -store my THUMBPRINT' that finds the record's certificate",
		.advice = "Bind another own valid certificate to port 444; create one only if there is none. Do not delete anything."},
	{.id = "R7", .name = "BE_KEY_ACCESS", .cause = CERT, .holds = key_denied, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"record_cert_in_store", "record_key_usable", "record_key_denied"},
		.text = "The private key of port 444's certificate is there, but SYSTEM has no right to open it.",
		.disproof = "a handshake on 444 that passes, or a key that SYSTEM opens",
		.advice = "Bind another own certificate. Or give the rights back: 'certlm.msc', All Tasks, Manage Private Keys: SYSTEM and "
		"Administrators, full access."},
	{.id = "R7", .name = "BE_KEY_MISSING", .cause = CERT, .holds = key_missing, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"record_cert_in_store", "record_key_usable", "record_key_there", "record_key_opens",
		"record_key_matches"},
		.text = "The certificate of port 444 is there, but its private key is gone, does not open or belongs to another certificate.",
		.disproof = "a handshake on 444 that passes, or a key that opens and belongs to the certificate",
		.advice = "'certutil -repairstore my THUMBPRINT' may bring the key back; else bind another own certificate."},
	{.id = "R8", .name = "BE_STORE_MISMATCH", .cause = CERT, .holds = store_mismatch, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_BY_POLICY, .needed = {"record_cert_in_store", "record_cert_elsewhere", "backend_tls"},
		.text = "The certificate of port 444 is in another store than the record says.",
		.disproof = "the record's thumbprint in the store that the record names, or a handshake on 444 that passes",
		.advice = "Bind an own certificate of the store MY, or the same certificate with the right store name."},
	{.id = "R9", .name = "TLS_CONFIG_MISMATCH", .cause = TLS, .holds = tls_mismatch, .sure = tls_differs,
		.confidence = CONFIDENCE_MEDIUM, .repairable = REPAIR_NEVER,
		.needed = {"record_key_usable", "tls_protocol_alert", "tls12_only_fails", "hop_answers", "tls_settings_known"},
		.text = "The certificate is fine: front end and back end have no TLS version or cipher in common.",
		.disproof = "a handshake on 444 with TLS 1.2 that passes, and a request through the front end that is answered",
		.advice = "Make the Schannel protocol and cipher settings and the .NET values SchUseStrongCrypto and SystemDefaultTlsVersions "
		"the same on all servers. Do not touch the certificate."},
	{.id = "R10", .name = "HTTPSYS_STALE_STATE", .cause = CERT, .holds = stale_state, .confidence = CONFIDENCE_LOW,
		.repairable = REPAIR_BY_APPROVAL, .needed = {"tls_cut", "record_key_usable", "restarted_since_change"},
		.text = "Record, certificate and key are fine, but the handshake is cut: HTTP.SYS seems to hold an old state.",
		.disproof = "the same failure right after a restart of HTTP.SYS",
		.advice = "Set the same record once more; if that does not help, restart HTTP and its services at a quiet time."},
	{.id = "R11", .name = "BE_CERT_EXPIRED", .cause = CERT, .holds = cert_expired, .sure = expiry_matters,
		.confidence = CONFIDENCE_MEDIUM, .repairable = REPAIR_BY_APPROVAL,
		.needed = {"backend_tls", "served_valid", "internal_untrusted_allowed"},
		.text = "The certificate of port 444 is not valid today. By default the front end does not mind; other clients do.",
		.disproof = "a certificate on 444 whose dates include today; see that the server's clock is right",
		.advice = "Renew it in a maintenance window and bind the new one to port 444 only."},
	{.id = "R12", .name = "BE_CERT_FOREIGN", .cause = CERT, .holds = cert_foreign, .confidence = CONFIDENCE_MEDIUM,
		.repairable = REPAIR_BY_APPROVAL, .needed = {"backend_tls", "served_valid", "served_own"},
		.text = "Port 444 shows a certificate that does not carry this server's names.",
		.disproof = "a certificate on 444 that carries the server's FQDN or NetBIOS name",
		.advice = "Bind the server's own certificate back to port 444; the public one belongs to port 443 only."},
	{.id = "R14", .name = "BE_APPPOOL_DOWN", .cause = SITE, .holds = pool_down, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_NEVER, .needed = {"backend_tls", "backend_503", "pools_started"},
		.text = "Port 444 answers 503: an application pool of the back end is stopped. The certificate is fine.",
		.disproof = "an answer other than 503 on 444",
		.advice = "Look at the pools, in PowerShell: " BE_APPCMD " list apppool /state:Stopped, then " BE_APPCMD
		" start apppool \"NAME\"."},
	{.id = "R14a", .name = "BE_HANGS", .cause = SITE, .holds = hangs, .confidence = CONFIDENCE_MEDIUM, .repairable = REPAIR_NEVER,
		.needed = {"backend_listens", "tls_timeout", "backend_answers", "record_key_usable"},
		.text = "The back end accepts connections and does not answer. The certificate is fine.",
		.disproof = "an answer on 444 within ten seconds",
		.advice = "Look at the load and at the worker processes of the back end. Do not touch the certificate."},
	{.id = "R14b", .name = "HOP_BROKEN", .cause = SITE, .holds = hop_broken, .confidence = CONFIDENCE_MEDIUM,
		.repairable = REPAIR_BY_APPROVAL, .needed = {"backend_tls", "backend_answers", "frontend_tls", "hop_answers"},
		.text = "Front end and back end each answer, but a request through the front end does not reach the back end.",
		.disproof = "a request through the front end with X-BEServer in its answer",
		.advice = "'iisreset /noforce' at a quiet time lets the front end open new connections."},
	{.id = "R1", .name = "HEALTHY_NOW", .holds = be_healthy, .softly = be_expiring, .confidence = CONFIDENCE_HIGH,
		.repairable = REPAIR_NEVER,
		.needed = {"backend_tls", "backend_answers", "served_own", "served_valid", "served_in_store", "served_by_record"},
		.text = "Port 444 works with the server's own valid certificate.",
		.advice = ""},
	{.id = "R19", .name = "UNKNOWN", .holds = always, .confidence = CONFIDENCE_LOW, .repairable = REPAIR_NEVER,
		.text = "What is known does not name one cause.",
		.advice = "See which facts are unknown and why; nothing is changed on a guess."},
};

const size_t be_n_rows = sizeof(be_rows) / sizeof(be_rows[0]);
