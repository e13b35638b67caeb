/* verdicts.c - the table of root causes of a failing port 444, read from top to bottom.
 *
 * Exists so that "what is wrong" is one table that a person can read. Promises: the first row that holds is the verdict; a row
 * holds only when its facts are known; a row above it that could hold, were its unknown facts known, is named in not_excluded,
 * and then no repair starts; every further row that holds is named in `also`. A pure function of the facts and of what events
 * have shown. Refuses to guess: when no row holds, the verdict is UNKNOWN and nothing is ever repaired. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

struct view {
	const struct facts *f;
	unsigned seen;
};

struct row {
	const char *id, *name;
	const char *cause; /* of a case that a diagnosis opens by itself; NULL: none */
	enum tri (*holds)(const struct view *v);
	enum confidence confidence;
	enum repairable repairable;
	const char *needed[8]; /* the facts that led to it */
	const char *text;      /* one sentence */
	const char *advice;    /* for a person: the exact command, and what not to do */
};

static enum tri not_(enum tri a)
{
	return a == TRI_UNKNOWN ? TRI_UNKNOWN : a == TRI_YES ? TRI_NO : TRI_YES;
}

static enum tri and_(enum tri a, enum tri b)
{
	if (a == TRI_NO || b == TRI_NO)
		return TRI_NO;
	return a == TRI_YES && b == TRI_YES ? TRI_YES : TRI_UNKNOWN;
}

static enum tri or_(enum tri a, enum tri b)
{
	return not_(and_(not_(a), not_(b)));
}

static enum tri is(const struct view *v, const char *name)
{
	return fact_value(v->f, name);
}

/* Facts about a record that is not there, a site that is not there and so on were never looked at: their rows cannot hold. */
static enum tri has_record(const struct view *v)
{
	return is(v, "record_present");
}

static enum tri cert_in_store(const struct view *v)
{
	return has_record(v) == TRI_NO ? TRI_NO : is(v, "record_cert_in_store");
}

static enum tri key_usable(const struct view *v)
{
	return cert_in_store(v) == TRI_NO ? TRI_NO : is(v, "record_key_usable");
}

static enum tri record_fine(const struct view *v)
{
	return and_(has_record(v), and_(cert_in_store(v), key_usable(v)));
}

static enum tri tls_ok(const struct view *v)
{
	return is(v, "backend_tls");
}

static enum tri not_applicable(const struct view *v)
{
	return or_(not_(is(v, "is_exchange")), not_(is(v, "site_exists")));
}

static enum tri site_down(const struct view *v)
{
	/* a refused connection counts only while the plain binding is there: else it is R3 or R4 */
	enum tri plain = is(v, "binding_444") == TRI_NO ? TRI_NO : is(v, "binding_plain");
	enum tri refused = and_(is(v, "backend_refuses"), and_(plain, record_fine(v)));

	/* a site that is gone has no state: R0 has said so */
	return or_(or_(not_(is(v, "w3svc_running")), not_(is(v, "site_started"))), refused);
}

static enum tri binding_removed(const struct view *v)
{
	return not_(is(v, "binding_444"));
}

static enum tri binding_wrong(const struct view *v)
{
	enum tri plain = is(v, "binding_444") == TRI_NO ? TRI_YES : is(v, "binding_plain");

	return or_(not_(plain), is(v, "record_shadowed"));
}

static enum tri cert_latent(const struct view *v)
{
	return and_(tls_ok(v), and_(has_record(v), or_(not_(cert_in_store(v)), not_(key_usable(v)))));
}

static enum tri record_missing(const struct view *v)
{
	return and_(not_(has_record(v)), not_(tls_ok(v)));
}

static enum tri cert_deleted(const struct view *v)
{
	return and_(has_record(v), and_(not_(cert_in_store(v)), not_(is(v, "record_cert_elsewhere"))));
}

static enum tri key_missing(const struct view *v)
{
	return and_(cert_in_store(v), not_(key_usable(v)));
}

static enum tri store_mismatch(const struct view *v)
{
	enum tri elsewhere = has_record(v) == TRI_NO || cert_in_store(v) == TRI_YES ? TRI_NO : is(v, "record_cert_elsewhere");

	return and_(and_(has_record(v), not_(cert_in_store(v))), and_(elsewhere, not_(tls_ok(v))));
}

static enum tri tls_mismatch(const struct view *v)
{
	enum tri seen = v->seen & SEEN_TLS_CONFIG ? TRI_YES : TRI_NO;
	enum tri hop = and_(seen, not_(is(v, "hop_answers")));

	return and_(record_fine(v), or_(or_(is(v, "tls_protocol_alert"), is(v, "tls12_only_fails")), hop));
}

static enum tri stale_state(const struct view *v)
{
	enum tri cut = and_(not_(tls_ok(v)), and_(not_(is(v, "tls_timeout")), not_(is(v, "tls_protocol_alert"))));

	return and_(record_fine(v), and_(is(v, "backend_listens"), cut));
}

static enum tri if_tls(const struct view *v, enum tri t)
{
	return tls_ok(v) == TRI_NO ? TRI_NO : and_(tls_ok(v), t);
}

static enum tri cert_expired(const struct view *v)
{
	return if_tls(v, not_(is(v, "served_valid")));
}

static enum tri cert_foreign(const struct view *v)
{
	return if_tls(v, and_(is(v, "served_valid"), not_(is(v, "served_own"))));
}

static enum tri pool_down(const struct view *v)
{
	return if_tls(v, is(v, "backend_503"));
}

static enum tri hangs(const struct view *v)
{
	enum tri silent = if_tls(v, not_(is(v, "backend_answers")));

	return and_(record_fine(v), and_(is(v, "backend_listens"), or_(is(v, "tls_timeout"), silent)));
}

static enum tri works(const struct view *v)
{
	return if_tls(v, and_(is(v, "backend_answers"), not_(is(v, "backend_503"))));
}

static enum tri hop_broken(const struct view *v)
{
	/* an unknown hop does not count: many hosts cannot be asked */
	enum tri broken = is(v, "hop_answers") == TRI_NO ? TRI_YES : TRI_NO;

	return and_(broken, and_(works(v), is(v, "frontend_tls")));
}

static enum tri healthy_now(const struct view *v)
{
	return and_(works(v), and_(is(v, "served_own"), and_(is(v, "served_valid"), is(v, "served_in_store"))));
}

#define CERT "exchange-backend-certificate"
#define SITE "exchange-backend-site"
#define TLS "exchange-tls-configuration"

static const struct row table[] = {
	{"R0", "NOT_APPLICABLE", NULL, not_applicable, CONFIDENCE_HIGH, REPAIR_NEVER, {"is_exchange", "site_exists"},
		"This machine has no site 'Exchange Back End': it is no Exchange 2013 or later server.", "Nothing to do here."},
	{"R2", "BE_SITE_DOWN", SITE, site_down, CONFIDENCE_HIGH, REPAIR_NEVER, {"w3svc_running", "site_started", "backend_refuses"},
		"The site 'Exchange Back End' does not run. Its certificate is not the cause and is left alone.",
		"Start it: 'net start W3SVC' if that service is stopped, then 'appcmd start site \"Exchange Back End\"'. "
		"Do not touch the certificate."},
	{"R3", "BE_BINDING_REMOVED", SITE, binding_removed, CONFIDENCE_HIGH, REPAIR_BY_POLICY, {"binding_444"},
		"The site 'Exchange Back End' has lost its https binding for port 444.",
		"Add the binding https *:444: without SNI to the site, then bind the server's own certificate to it."},
	{"R4", "BE_BINDING_WRONG", SITE, binding_wrong, CONFIDENCE_HIGH, REPAIR_NEVER, {"binding_plain", "record_shadowed"},
		"A binding or record for port 444 names an address, a host name or SNI: it stands in front of the plain one.",
		"Look at 'netsh http show sslcert' and at the bindings of the site; remove what stands in front, for example 'netsh http delete "
		"sslcert ipport=ADDRESS:444'. What a person configured is not altered by evmend."},
	{"R0a", "BE_CERT_LATENT", CERT, cert_latent, CONFIDENCE_HIGH, REPAIR_BY_APPROVAL, {"backend_tls", "record_cert_in_store",
	"record_key_usable"},
		"The certificate of port 444 is gone, but HTTP.SYS still serves it from its cache: the next restart or iisreset breaks the "
		"server.",
		"Do not restart. Bind another own certificate to port 444 now; this is the only moment at which an outage can be prevented."},
	{"R5", "SSL_RECORD_MISSING", CERT, record_missing, CONFIDENCE_HIGH, REPAIR_BY_POLICY, {"record_present", "backend_tls"},
		"HTTP.SYS has no certificate record for port 444.",
		"Bind the server's own certificate to port 444. Do not use Enable-ExchangeCertificate -Services IIS: that is port 443."},
	{"R6", "BE_CERT_DELETED", CERT, cert_deleted, CONFIDENCE_HIGH, REPAIR_BY_POLICY, {"record_present", "record_cert_in_store",
	"record_cert_elsewhere"},
		"The certificate of port 444 was deleted: the record in HTTP.SYS names one that is in no store.",
		"Bind another own valid certificate to port 444; create one only if there is none. Do not delete anything."},
	{"R7", "BE_KEY_MISSING", CERT, key_missing, CONFIDENCE_HIGH, REPAIR_BY_POLICY, {"record_cert_in_store", "record_key_usable"},
		"The certificate of port 444 is there, but its private key is gone or does not open.",
		"'certutil -repairstore my THUMBPRINT' may bring the key back; else bind another own certificate."},
	{"R8", "BE_STORE_MISMATCH", CERT, store_mismatch, CONFIDENCE_HIGH, REPAIR_BY_POLICY, {"record_cert_in_store",
	"record_cert_elsewhere"},
		"The certificate of port 444 is in another store than the record says.",
		"Bind an own certificate of the store MY, or the same certificate with the right store name."},
	{"R9", "TLS_CONFIG_MISMATCH", TLS, tls_mismatch, CONFIDENCE_MEDIUM, REPAIR_NEVER, {"tls_protocol_alert", "tls12_only_fails",
	"hop_answers"},
		"The certificate is fine: front end and back end have no TLS version or cipher in common.",
		"Make the Schannel protocol and cipher settings and the .NET values SchUseStrongCrypto and SystemDefaultTlsVersions the same "
		"on all servers. Do not touch the certificate."},
	{"R10", "HTTPSYS_STALE_STATE", CERT, stale_state, CONFIDENCE_LOW, REPAIR_BY_APPROVAL, {"backend_listens", "backend_tls",
	"record_key_usable"},
		"Record, certificate and key are fine, but the handshake is cut: HTTP.SYS seems to hold an old state.",
		"Set the same record once more; if that does not help, restart HTTP and its services at a quiet time."},
	{"R11", "BE_CERT_EXPIRED", CERT, cert_expired, CONFIDENCE_MEDIUM, REPAIR_BY_APPROVAL, {"backend_tls", "served_valid"},
		"The certificate of port 444 is not valid today. By default the front end does not mind; other clients do.",
		"Renew it in a maintenance window and bind the new one to port 444 only."},
	{"R12", "BE_CERT_FOREIGN", CERT, cert_foreign, CONFIDENCE_MEDIUM, REPAIR_BY_APPROVAL, {"backend_tls", "served_own"},
		"Port 444 shows a certificate that does not carry this server's names.",
		"Bind the server's own certificate back to port 444; the public one belongs to port 443 only."},
	{"R14", "BE_APPPOOL_DOWN", SITE, pool_down, CONFIDENCE_HIGH, REPAIR_NEVER, {"backend_tls", "backend_503"},
		"Port 444 answers 503: an application pool of the back end is stopped. The certificate is fine.",
		"Look at the pools: 'appcmd list apppool /state:Stopped', then 'appcmd start apppool \"NAME\"'."},
	{"R14a", "BE_HANGS", SITE, hangs, CONFIDENCE_MEDIUM, REPAIR_NEVER, {"backend_listens", "tls_timeout", "backend_answers"},
		"The back end accepts connections and does not answer. The certificate is fine.",
		"Look at the load and at the worker processes of the back end. Do not touch the certificate."},
	{"R14b", "HOP_BROKEN", SITE, hop_broken, CONFIDENCE_MEDIUM, REPAIR_BY_APPROVAL, {"backend_tls", "backend_answers", "hop_answers"},
		"Front end and back end each answer, but a request through the front end does not reach the back end.",
		"'iisreset /noforce' at a quiet time lets the front end open new connections."},
	{"R1", "HEALTHY_NOW", NULL, healthy_now, CONFIDENCE_HIGH, REPAIR_NEVER,
		{"backend_tls", "backend_answers", "served_own", "served_valid", "served_in_store"},
		"Port 444 works with the server's own valid certificate: what the events told is over, or has another cause.", ""},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void take(struct verdict *v, const struct row *r)
{
	v->name = r->name;
	v->row = r->id;
	v->cause = r->cause;
	v->confidence = r->confidence;
	v->repairable = r->repairable;
	v->healthy = strcmp(r->id, "R1") == 0;
	text_copy(v->text, sizeof(v->text), r->text);
	text_copy(v->advice, sizeof(v->advice), r->advice);
	for (size_t i = 0; i < 8 && r->needed[i]; i++)
		v->needed[v->n_needed++] = r->needed[i];
}

static void take_unknown(struct verdict *v, bool disagree)
{
	v->name = "UNKNOWN";
	v->row = "R19";
	v->repairable = REPAIR_NEVER;
	text_copy(v->text, sizeof(v->text), disagree ? "The addresses of port 444 do not agree: one cause for all of them cannot be "
		"named." :
		"What is known does not name one cause.");
	text_copy(v->advice, sizeof(v->advice), "See which facts are unknown and why; nothing is changed on a guess.");
}

static void add(const char **list, size_t *n, size_t max, const char *name)
{
	if (*n < max)
		list[(*n)++] = name;
}

void be_judge(struct diagnosis *d, const struct suspicion *s)
{
	struct view v = {.f = &d->facts, .seen = s->seen};
	struct verdict *to = &d->verdict;

	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < ROWS; i++) {
		enum tri t = table[i].holds(&v);

		if (t == TRI_YES && to->name == NULL)
			take(to, &table[i]);
		else if (t == TRI_YES)
			add(to->also, &to->n_also, 8, table[i].name);
		else if (t == TRI_UNKNOWN && to->name == NULL)
			add(to->not_excluded, &to->n_not_excluded, 8, table[i].name);
	}
	if (to->name == NULL)
		take_unknown(to, is(&v, "addresses_agree") == TRI_NO);
	be_notes(d, s);
}
