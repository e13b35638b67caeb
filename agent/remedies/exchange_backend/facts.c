/* facts.c - what is true on the server: records, certificates, site, handshakes, each yes, no or unknown.
 *
 * Exists to turn what a host answers into facts with names; verdicts.c reads nothing else. Promises that nothing is changed
 * and that what could not be looked at is unknown. Refuses (-1) only a host that does not say who it is. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

/* What one diagnosis carries from look to look. */
struct look {
	struct host *host;
	struct diagnosis *d;
	struct facts *f;
	int64_t deadline, now;
	/* over all addresses */
	size_t asked, tcp_ok, tcp_refused, tls_ok, tls_fail, timeouts, alerts, answered, status_503, unknown;
	struct cert_info served;
	bool has_served, served_differs;
	char shown[200];
};

bool be_store_is(const char *store, const char *name)
{
	return text_same(store, name);
}

const struct host_record *be_record(const struct host_state *s)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (!s->records[i].sni && strcmp(s->records[i].endpoint, BE_ENDPOINT) == 0)
			return &s->records[i];
	return NULL;
}

const struct host_site *be_site(const struct host_state *s)
{
	for (size_t i = 0; i < s->n_sites; i++)
		if (text_same(s->sites[i].name, BE_SITE))
			return &s->sites[i];
	return NULL;
}

const struct host_cert *be_cert(const struct host_state *s, const uint8_t thumbprint[20], const char *store)
{
	for (size_t i = 0; i < s->n_certs; i++)
		if (memcmp(s->certs[i].info.thumbprint, thumbprint, 20) == 0 && (store == NULL || be_store_is(s->certs[i].store, store)))
			return &s->certs[i];
	return NULL;
}

enum tri be_key_usable(const struct host_cert *c)
{
	if (c->has_key == TRI_NO || c->key_opens == TRI_NO || c->key_matches == TRI_NO)
		return TRI_NO;
	return c->has_key == TRI_YES && c->key_opens == TRI_YES && c->key_matches == TRI_YES ? TRI_YES : TRI_UNKNOWN;
}

bool be_names_own(const struct cert_info *c, const struct host_identity *i)
{
	return cert_has_name(c, i->fqdn) || cert_has_name(c, i->netbios);
}

bool be_probe_hop_answered(const struct probe_result *r)
{
	/* X-BEServer is absent when the back end was never reached, whatever the status */
	return r->tls == TLS_OK && r->http_status != 0 && text_has(r->answer_header, strlen(r->answer_header), "X-BEServer:");
}

static const char *hex_of(const uint8_t t[20], char to[static 41])
{
	text_hex(to, t, 20);
	return to;
}

static enum tri tri_of(bool b)
{
	return b ? TRI_YES : TRI_NO;
}

static void key_set(struct fact *f, const char *text)
{
	text_copy(f->key, sizeof(f->key), text);
}

/* R0, R2, R3, R4: the site and its bindings. A binding's information is ADDRESS:PORT:HOSTNAME; the address may hold colons. */
static bool binding_on_444(const struct host_binding *b)
{
	const char *last = strrchr(b->information, ':');
	const char *p;

	if (!text_same(b->protocol, "https") || last == NULL)
		return false;
	for (p = last; p > b->information && p[-1] != ':'; p--)
		;
	return last - p == 3 && strncmp(p, "444", 3) == 0;
}

static void look_at_site(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_site *site = be_site(s);
	const char *seen = "";
	bool any = false, plain = false;

	if (!l->d->identity.exchange_unknown)
		fact_set(l->f, "is_exchange", tri_of(l->d->identity.exchange), "identity", l->now, "%s %s", l->d->identity.fqdn,
			l->d->identity.exchange ? "is an Exchange server" : "is no Exchange 2013 or later");
	if (!(s->known & HOST_PART_SITES))
		return;
	fact_set(l->f, "site_exists", tri_of(site != NULL), "IIS", l->now, "the site '%s' %s", BE_SITE, site ? "is there" :
		"is not there");
	if (site == NULL)
		return;
	for (size_t i = 0; i < site->n_bindings; i++) {
		const struct host_binding *b = &site->bindings[i];

		if (!binding_on_444(b))
			continue;
		any = true;
		if (seen[0] == '\0' || strcmp(b->information, BE_BINDING) == 0)
			seen = b->information;
		plain = plain || (strcmp(b->information, BE_BINDING) == 0 && b->ssl_flags == 0);
	}
	if (!site->state_unknown)
		fact_set(l->f, "site_started", tri_of(site->started), "IIS", l->now, "the site '%s' is %s", BE_SITE,
			site->started ? "started" : "stopped");
	key_set(fact_set(l->f, "binding_444", tri_of(any), "IIS", l->now, any ? "https %s" : "no https binding with port 444%s", seen),
		seen);
	if (any)
		fact_set(l->f, "binding_plain", tri_of(plain), "IIS", l->now, plain ? "https %s without SNI" :
		"https %s: an address, a host name or SNI",
			seen);
}

/* What is not among certificates that somebody picked may be there all the same. */
static enum tri found(const struct host_state *s, bool there)
{
	return there ? TRI_YES : s->certs_picked ? TRI_UNKNOWN : TRI_NO;
}

static const char *found_text(const struct host_state *s, bool there)
{
	return there ? "is in" : s->certs_picked ? "is not known to be in" : "is not in";
}

static void look_at_services(struct look *l)
{
	const struct host_state *s = &l->d->state;

	for (size_t i = 0; (s->known & HOST_PART_SERVICES) && i < s->n_services; i++)
		if (text_same(s->services[i].name, "W3SVC"))
			fact_set(l->f, "w3svc_running", tri_of(s->services[i].running), "services", l->now, "W3SVC is %s",
				s->services[i].running ? "running" : "stopped");
	if (s->known & HOST_PART_SETTINGS && s->allow_internal_untrusted != TRI_UNKNOWN)
		fact_set(l->f, "internal_untrusted_allowed", s->allow_internal_untrusted, "registry", l->now, "AllowInternalUntrustedCerts is %s",
			s->allow_internal_untrusted == TRI_YES ? "1 or absent" : "0");
	if (s->known & HOST_PART_ITC && s->itc_known && s->known & HOST_PART_CERTS) {
		const struct host_cert *c = be_cert(s, s->itc, "MY");
		char hex[41];

		key_set(fact_set(l->f, "itc_in_store", found(s, c != NULL), "Active Directory, store MY", l->now,
			"internal transport certificate %s %s MY", hex_of(s->itc, hex), found_text(s, c != NULL)), hex);
	}
}

/* R6, R7, R8: where is the certificate of the record? A public copy in Root or CA is none that can be bound. */
static void look_for_record_cert(struct look *l, const struct host_record *r)
{
	const struct host_state *s = &l->d->state;
	const struct host_cert *c = be_cert(s, r->thumbprint, r->store), *copy = NULL, *other = NULL;
	char hex[41];

	hex_of(r->thumbprint, hex);
	for (size_t i = 0; i < s->n_certs; i++) {
		const struct host_cert *at = &s->certs[i];

		if (memcmp(at->info.thumbprint, r->thumbprint, 20) != 0 || be_store_is(at->store, r->store))
			continue;
		if (be_store_is(at->store, "Root") || be_store_is(at->store, "CA") || be_key_usable(at) == TRI_NO)
			copy = at;
		else
			other = at;
	}
	fact_set(l->f, "record_cert_in_store", found(s, c != NULL), r->store, l->now, "%s %s store %s", hex, found_text(s, c != NULL),
		r->store);
	key_set(fact_set(l->f, "record_cert_elsewhere", other ? be_key_usable(other) : found(s, false), other ? other->store : "stores", l->now,
		other ? "%s is in another store" : "%s is in no other store with its key", hex), other ? other->store : "");
	key_set(fact_set(l->f, "public_copy", found(s, copy != NULL), copy ? copy->store : "stores", l->now, "%s",
		copy ? "a public copy is there" : "no public copy is there"), copy ? copy->store : "");
	if (c != NULL)
		fact_set(l->f, "record_key_usable", be_key_usable(c), r->store, l->now, "private key: there %s, opens %s, matches %s",
			tri_text(c->has_key), tri_text(c->key_opens), tri_text(c->key_matches));
}

/* Another record for 444 is harmless while it names the same certificate and that is there: a change of ours would not reach it. */
static enum tri in_front(const struct look *l, const struct host_record *r, const struct host_record *other)
{
	const struct host_state *s = &l->d->state;

	if (r == NULL || memcmp(other->thumbprint, r->thumbprint, 20) != 0)
		return TRI_YES;
	if (be_cert(s, r->thumbprint, r->store) != NULL)
		return TRI_NO;
	return s->known & HOST_PART_CERTS && !s->certs_picked ? TRI_YES : TRI_UNKNOWN;
}

static void look_at_record(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *r = be_record(s), *other = NULL;
	enum tri shadowed = TRI_NO;
	char hex[41];

	if (!(s->known & HOST_PART_RECORDS))
		return;
	for (size_t i = 0; i < s->n_records; i++) {
		enum tri t = s->records[i].port == 444 && &s->records[i] != r ? in_front(l, r, &s->records[i]) : TRI_NO;

		if (t == TRI_NO || shadowed == TRI_YES)
			continue;
		shadowed = t;
		other = &s->records[i];
	}
	if (r == NULL)
		fact_set(l->f, "record_present", TRI_NO, "HTTP.SYS", l->now, "no record for %s", BE_ENDPOINT);
	else
		key_set(fact_set(l->f, "record_present", TRI_YES, "HTTP.SYS", l->now, "%s -> %s, store %s", r->endpoint,
			hex_of(r->thumbprint, hex), r->store), hex);
	key_set(fact_set(l->f, "record_shadowed", shadowed, "HTTP.SYS", l->now, other ? "a record for %s stands in front" :
		"no other record for port 444%s", other ? other->endpoint : ""), other ? other->endpoint : "");
	if (r != NULL && s->known & HOST_PART_CERTS)
		look_for_record_cert(l, r);
}

static int ask(struct look *l, enum host_probe_kind kind, const char *address, enum probe_version version, const char *path,
	struct probe_result *to)
{
	struct host_probe_ask a = {.kind = kind, .version = version};
	struct err e;

	text_copy(a.address, sizeof(a.address), address);
	text_copy(a.path, sizeof(a.path), path);
	memset(to, 0, sizeof(*to));
	return l->host->ops->probe(l->host, &a, to, l->deadline, &e);
}

/* handshake_failure, protocol_version, insufficient_security: the two ends have no protocol or cipher in common. */
static bool alert_is_protocol(const struct probe_result *r)
{
	return r->tls == TLS_ALERT && (r->alert == 40 || r->alert == 70 || r->alert == 71);
}

static void count_backend(struct look *l, const struct probe_result *r, const char *address)
{
	size_t n = strlen(l->shown);

	l->tcp_ok += r->tcp == TCP_OK;
	l->tcp_refused += r->tcp == TCP_REFUSED;
	l->tls_ok += r->tls == TLS_OK;
	if (r->tls == TLS_ERROR || r->tcp == TCP_ERROR || r->tcp == TCP_UNRESOLVABLE || r->tcp == TCP_TIMEOUT)
		l->unknown++;
	else if (r->tls != TLS_OK)
		l->tls_fail++;
	l->timeouts += r->tls == TLS_TIMEOUT;
	l->alerts += alert_is_protocol(r);
	l->answered += r->http_status != 0;
	l->status_503 += r->http_status == 503;
	(void)snprintf(l->shown + n, sizeof(l->shown) - n, "%s%s: %s", n ? ", " : "", address,
		r->tcp == TCP_OK ? probe_tls_text(r->tls) : probe_tcp_text(r->tcp));
	if (r->tls != TLS_OK || !r->has_leaf)
		return;
	if (l->has_served && memcmp(l->served.thumbprint, r->leaf.thumbprint, 20) != 0)
		l->served_differs = true;
	l->served = r->leaf;
	l->has_served = true;
}

/* All addresses yes: yes; all no: no; some unknown or a mix: unknown, and the mix is a fact of its own. */
static enum tri over_all(const struct look *l, size_t yes)
{
	if (l->asked == 0 || l->unknown != 0)
		return TRI_UNKNOWN;
	return yes == l->asked ? TRI_YES : yes == 0 ? TRI_NO : TRI_UNKNOWN;
}

static void look_at_served(struct look *l)
{
	const struct cert_info *c = &l->served;
	const struct host_record *record = be_record(&l->d->state);
	const char *store = record ? record->store : "MY";
	const struct host_cert *in_store = be_cert(&l->d->state, c->thumbprint, store);
	int64_t wall = l->now;
	char hex[41], date[32];

	hex_of(c->thumbprint, hex);
	key_set(fact_set(l->f, "served_own", tri_of(be_names_own(c, &l->d->identity)), "handshake", l->now, "444 shows %s, %s", hex,
		c->subject),
		hex);
	fact_set(l->f, "served_valid", tri_of(c->not_before <= wall && wall <= c->not_after), "handshake", l->now, "valid until %s",
		time_text(c->not_after, date));
	fact_set(l->f, "served_ends_soon", tri_of(c->not_after - wall < BE_SOON), "handshake", l->now, "valid until %s", date);
	if (l->d->state.known & HOST_PART_CERTS)
		fact_set(l->f, "served_in_store", in_store ? be_key_usable(in_store) : found(&l->d->state, false), store, l->now,
			"%s %s store %s", hex, found_text(&l->d->state, in_store != NULL), store);
	fact_set(l->f, "served_weak", tri_of(c->sha1_signature || c->key != KEY_RSA || c->key_bits < 2048 || (in_store && !in_store->csp)),
		"handshake", l->now, "%s, %s %d bit%s", c->signature, c->key == KEY_RSA ? "RSA" : c->key == KEY_EC ? "EC" : "other key",
		c->key_bits,
		in_store && !in_store->csp ? ", CNG key" : "");
}

static void look_at_backend(struct look *l)
{
	const struct host_identity *id = &l->d->identity;
	struct probe_result r;
	bool tls12_fails = false, tls12_known = false;

	for (size_t i = 0; i < id->n_addresses; i++) {
		if (ask(l, HOST_PROBE_BACKEND, id->addresses[i], TLS_DEFAULT, BE_PATH, &r) < 0)
			l->unknown++;
		else
			count_backend(l, &r, id->addresses[i]);
		l->asked++;
	}
	fact_set(l->f, "addresses_agree", l->asked == 0 || l->unknown ? TRI_UNKNOWN :
		tri_of(!l->served_differs && (l->tls_ok == 0 || l->tls_ok == l->asked)), "port 444", l->now, "%s", l->shown);
	fact_set(l->f, "backend_listens", over_all(l, l->tcp_ok), "port 444", l->now, "%s", l->shown);
	fact_set(l->f, "backend_refuses", over_all(l, l->tcp_refused), "port 444", l->now, "%s", l->shown);
	fact_set(l->f, "backend_tls", over_all(l, l->tls_ok), "port 444", l->now, "%s", l->shown);
	fact_set(l->f, "tls_timeout", over_all(l, l->timeouts), "port 444", l->now, "%s", l->shown);
	fact_set(l->f, "tls_protocol_alert", over_all(l, l->alerts), "port 444", l->now, "%s", l->shown);
	if (l->asked != 0 && l->tls_ok == l->asked) {
		fact_set(l->f, "backend_answers", over_all(l, l->answered), "port 444", l->now, "GET %s: %s", BE_PATH,
			l->answered ? "answered" : "no answer");
		fact_set(l->f, "backend_503", over_all(l, l->status_503), "port 444", l->now, "GET %s: %s", BE_PATH,
			l->status_503 ? "503" : "not 503");
		/* a handshake that passes may do so with an old protocol only: R9 */
		tls12_known = ask(l, HOST_PROBE_BACKEND, id->addresses[0], TLS_ONLY_1_2, "", &r) == 0 && r.tcp == TCP_OK && r.tls != TLS_ERROR;
		tls12_fails = tls12_known && r.tls != TLS_OK;
	}
	if (tls12_known)
		fact_set(l->f, "tls12_only_fails", tri_of(tls12_fails), "port 444", l->now, "TLS 1.2: %s", probe_tls_text(r.tls));
	else if (fact_value(l->f, "backend_tls") == TRI_NO)
		fact_set(l->f, "tls12_only_fails", TRI_NO, "port 444", l->now, "no version passes");
	if (l->has_served)
		look_at_served(l);
}

static void look_at_front(struct look *l)
{
	const struct host_identity *id = &l->d->identity;
	const char *address = id->n_addresses ? id->addresses[0] : id->fqdn;
	struct probe_result r;
	char hex[41] = "";

	if (ask(l, HOST_PROBE_FRONTEND, address, TLS_DEFAULT, "", &r) == 0 && r.tls != TLS_ERROR && r.tcp != TCP_ERROR && r.tcp != TCP_UNRESOLVABLE) {
		if (r.has_leaf)
			hex_of(r.leaf.thumbprint, hex);
		key_set(fact_set(l->f, "frontend_tls", tri_of(r.tls == TLS_OK), "port 443", l->now, "%s %s",
			r.tcp == TCP_OK ? probe_tls_text(r.tls) : probe_tcp_text(r.tcp), hex), hex);
	}
	if (ask(l, HOST_PROBE_HOP, address, TLS_DEFAULT, BE_PATH, &r) == 0 && r.tls == TLS_OK)
		fact_set(l->f, "hop_answers", tri_of(be_probe_hop_answered(&r)), "through 443", l->now, "status %d%s", r.http_status,
			be_probe_hop_answered(&r) ? ", answered by the back end" : ", not from the back end");
}

/* All but the room for certificates, which is big and counted by n_certs. */
static void clear(struct diagnosis *d)
{
	struct host_state *s = &d->state;

	memset(&d->identity, 0, sizeof(d->identity));
	memset(s, 0, offsetof(struct host_state, certs));
	memset(&s->n_certs, 0, sizeof(*s) - offsetof(struct host_state, n_certs));
	memset(&d->facts, 0, sizeof(d->facts));
	memset(&d->verdict, 0, sizeof(d->verdict));
	memset(&d->plan, 0, sizeof(d->plan));
}

int be_diagnose(struct host *h, const struct clock *clock, int64_t deadline, struct diagnosis *to, struct err *e)
{
	struct look l = {.host = h, .d = to, .f = &to->facts, .deadline = deadline, .now = clock_wall(clock)};
	unsigned parts = HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES | HOST_PART_SERVICES | HOST_PART_SETTINGS | HOST_PART_ITC |
		HOST_PART_BOOT;

	clear(to);
	to->when = l.now;
	if (h->ops->identity(h, &to->identity, deadline, e) < 0)
		return err_prefix(e, "who the host is");
	if (h->ops->observe(h, parts, &to->state, deadline, e) < 0)
		return err_prefix(e, "the state of the host");
	look_at_site(&l);
	look_at_services(&l);
	look_at_record(&l);
	look_at_backend(&l);
	look_at_front(&l);
	return 0;
}
