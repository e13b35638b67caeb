/* facts_doors.c - what is seen at the doors: 444 on each address, 443 by name and on loopback, a request through 443.
 *
 * Exists because only a handshake tells what clients meet. Promises: each address is asked as the system offers TLS and with
 * TLS 1.2 alone; a fact about 444 is yes when all addresses say so, no when none does, unknown when they differ or one could not
 * be asked. Refuses nothing; a door that cannot be told is unknown. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/look.h"

#define IN_90_DAYS (90 * US_DAY) /* for so long before the end transport writes 12018 */

/* Does this line of the answer name this server? Unknown: there is no such line. */
static enum tri line_names(const struct probe_result *r, const char *line, const struct host_identity *id)
{
	size_t n = strlen(line), len;

	for (const char *p = r->answer_header; *p; p += len + (p[len] != '\0')) {
		len = strcspn(p, "\n");
		if (len < n || !text_same_n(p, n, line, n))
			continue;
		p += n + strspn(p + n, " ");
		len = strcspn(p, "\n");
		return tri_of(text_same_n(p, len, id->netbios, strlen(id->netbios)) || text_same_n(p, len, id->fqdn, strlen(id->fqdn)));
	}
	return TRI_UNKNOWN;
}

enum tri be_probe_hop(const struct probe_result *r, const struct host_identity *id)
{
	enum tri answered = line_names(r, "X-BEServer:", id);

	if (r->tls != TLS_OK || answered == TRI_NO)
		return TRI_UNKNOWN;
	if (answered == TRI_YES)
		return r->http_status != 0 ? TRI_YES : TRI_NO;
	/* X-BEServer is absent when the back end was never reached, whatever the status: but which one was it to be? */
	return line_names(r, "X-CalculatedBETarget:", id) == TRI_NO ? TRI_UNKNOWN : TRI_NO;
}

static const char *hop_text(enum tri hop)
{
	return hop == TRI_YES ? "answered by the back end" : hop == TRI_NO ? "not from the back end" : "the front end chose another server";
}

static int ask(struct look *l, enum host_probe_kind kind, const char *address, enum probe_version version, const char *path,
	struct probe_result *to)
{
	struct host_probe_ask a = {.kind = kind, .version = version};
	struct err e;

	text_copy(a.address, sizeof(a.address), address);
	text_copy(a.path, sizeof(a.path), path);
	memset(to, 0, sizeof(*to));
	if (address[0] == '\0') /* a server without a name */
		return -1;
	return l->host->ops->probe(l->host, &a, to, l->deadline, &e);
}

static enum outcome outcome_of(const struct probe_result *r)
{
	if (r->tcp == TCP_REFUSED)
		return OUT_REFUSED;
	if (r->tcp != TCP_OK)
		return OUT_UNKNOWN;
	switch (r->tls) {
	case TLS_OK:
		return OUT_OK;
	case TLS_RESET:
	case TLS_EOF:
		return OUT_CUT;
	case TLS_ALERT:
		/* handshake_failure, protocol_version, insufficient_security: the two ends have no protocol or cipher in common */
		return r->alert == 40 || r->alert == 70 || r->alert == 71 ? OUT_PROTOCOL : OUT_CUT;
	case TLS_TIMEOUT:
		return OUT_SILENT;
	default:
		return OUT_UNKNOWN;
	}
}

static const char *word_of(const struct probe_result *r)
{
	return r->tcp == TCP_OK ? probe_tls_text(r->tls) : probe_tcp_text(r->tcp);
}

static void say_result(char *to, size_t n, const char *address, const struct probe_result *r)
{
	look_add(to, n, r->tls == TLS_ALERT ? "%s: %s %d" : "%s: %s", address, word_of(r), r->alert);
}

/* One address: twice, but where nothing listens or nothing comes one knock says it all. */
static void knock(struct look *l, struct door *to, const char *address, struct probe_result *r, char usual[200], char tls12[200])
{
	if (ask(l, HOST_PROBE_BACKEND, address, TLS_DEFAULT, BE_PATH, r) < 0) {
		look_add(usual, 200, "%s: not known", address);
		return;
	}
	to->usual = outcome_of(r);
	to->status = r->http_status;
	say_result(usual, 200, address, r);
	if (r->tls == TLS_OK && r->has_leaf) {
		to->has_leaf = true;
		memcpy(to->leaf, r->leaf.thumbprint, 20);
		if (!l->has_served)
			l->served = r->leaf;
		l->has_served = true;
	}
	to->tls12 = to->usual;
	if (to->usual == OUT_REFUSED || to->usual == OUT_SILENT || to->usual == OUT_UNKNOWN)
		return;
	to->tls12 = ask(l, HOST_PROBE_BACKEND, address, TLS_ONLY_1_2, "", r) < 0 ? OUT_UNKNOWN : outcome_of(r);
	say_result(tls12, 200, address, r);
}

/* What one door says to a question. */
typedef enum tri (*question)(const struct door *d);

static enum tri known(const struct door *d, bool yes)
{
	return d->usual == OUT_UNKNOWN ? TRI_UNKNOWN : tri_of(yes);
}

static enum tri q_listens(const struct door *d)
{
	return known(d, d->usual != OUT_REFUSED);
}

static enum tri q_refuses(const struct door *d)
{
	return known(d, d->usual == OUT_REFUSED);
}

static enum tri q_ok(const struct door *d)
{
	return known(d, d->usual == OUT_OK);
}

static enum tri q_silent(const struct door *d)
{
	return known(d, d->usual == OUT_SILENT);
}

static enum tri q_protocol(const struct door *d)
{
	return known(d, d->usual == OUT_PROTOCOL);
}

static enum tri q_cut(const struct door *d)
{
	return known(d, d->usual == OUT_CUT);
}

static enum tri q_answers(const struct door *d)
{
	return d->usual == OUT_OK ? tri_of(d->status != 0) : TRI_UNKNOWN;
}

static enum tri q_503(const struct door *d)
{
	return d->usual == OUT_OK ? tri_of(d->status == 503) : TRI_UNKNOWN;
}

static enum tri q_tls12(const struct door *d)
{
	return d->tls12 == OUT_UNKNOWN ? TRI_UNKNOWN : tri_of(d->tls12 == OUT_OK);
}

static enum tri q_tls12_only(const struct door *d)
{
	if (d->usual != OUT_UNKNOWN && d->usual != OUT_OK)
		return TRI_NO; /* nothing passes, so TLS 1.2 is not singled out */
	return q_ok(d) == TRI_YES && q_tls12(d) != TRI_UNKNOWN ? tri_of(q_tls12(d) == TRI_NO) : TRI_UNKNOWN;
}

/* All yes: yes; all no: no; else unknown: a cause holds when it holds on every address. */
static enum tri over_all(const struct look *l, question q)
{
	size_t n = l->d->identity.n_addresses, yes = 0;

	for (size_t i = 0; i < n; i++) {
		enum tri t = q(&l->doors[i]);

		if (t == TRI_UNKNOWN)
			return TRI_UNKNOWN;
		yes += t == TRI_YES;
	}
	return n == 0 ? TRI_UNKNOWN : yes == n ? TRI_YES : yes == 0 ? TRI_NO : TRI_UNKNOWN;
}

/* Do two doors show the same? How a handshake fails depends on the platform: all failures are one. */
static bool same_door(const struct door *a, const struct door *b)
{
	if (a->usual == OUT_REFUSED || b->usual == OUT_REFUSED || a->usual == OUT_OK || b->usual == OUT_OK)
		return a->usual == b->usual && a->has_leaf == b->has_leaf && memcmp(a->leaf, b->leaf, 20) == 0;
	return true;
}

static enum tri agree(const struct look *l)
{
	enum tri all = l->d->identity.n_addresses ? TRI_YES : TRI_UNKNOWN;

	for (size_t i = 0; i < l->d->identity.n_addresses; i++) {
		if (l->doors[i].usual == OUT_UNKNOWN)
			return TRI_UNKNOWN;
		if (!same_door(&l->doors[0], &l->doors[i]))
			all = TRI_NO;
	}
	return all;
}

static void say_doors(struct look *l, const char *usual, const char *tls12)
{
	static const struct { const char *name; question q; bool tls12; } all[] = {
		{"backend_listens", q_listens, false}, {"backend_refuses", q_refuses, false}, {"backend_tls", q_ok, false},
		{"backend_tls12", q_tls12, true}, {"tls_cut", q_cut, false}, {"tls_timeout", q_silent, false},
		{"tls_protocol_alert", q_protocol, false}, {"tls12_only_fails", q_tls12_only, true},
	};

	fact_set(l->f, "addresses_agree", agree(l), "port 444", l->now, "%s", usual);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		fact_set(l->f, all[i].name, over_all(l, all[i].q), "port 444", l->now, all[i].tls12 && tls12[0] ? "TLS 1.2: %s" : "%s",
			all[i].tls12 && tls12[0] ? tls12 : usual);
}

static void say_answers(struct look *l)
{
	const struct host_identity *id = &l->d->identity;
	char seen[200] = "";

	for (size_t i = 0; i < id->n_addresses; i++)
		if (l->doors[i].usual == OUT_OK)
			look_add(seen, sizeof(seen), l->doors[i].status ? "%s: status %d" : "%s: no answer", id->addresses[i],
				l->doors[i].status);
	if (!l->has_served)
		return;
	fact_set(l->f, "backend_answers", over_all(l, q_answers), "port 444", l->now, "GET %s: %s", BE_PATH, seen);
	fact_set(l->f, "backend_503", over_all(l, q_503), "port 444", l->now, "GET %s: %s", BE_PATH, seen);
}

/* A record of the central store names no certificate: then nobody can tell. */
static enum tri named_by_record(const struct look *l)
{
	const struct host_state *s = &l->d->state;
	enum tri named = s->known & HOST_PART_RECORDS ? TRI_NO : TRI_UNKNOWN;

	for (size_t i = 0; i < s->n_records; i++) {
		if (s->records[i].port != 444)
			continue;
		if (!s->records[i].ccs && memcmp(s->records[i].thumbprint, l->served.thumbprint, 20) == 0)
			return TRI_YES;
		if (s->records[i].ccs)
			named = TRI_UNKNOWN;
	}
	return named;
}

/* The public certificate, on 444 by mistake: it is 443's, somebody issued it, and it carries other names too. An issuer with DC= in
 * its name is a certification authority of Active Directory: people give one certificate of theirs to both ports on purpose. */
static bool is_public(const struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct cert_info *c = &l->served;
	bool on_443 = false, other = false;

	for (size_t i = 0; i < s->n_records; i++)
		on_443 = on_443 || (s->records[i].port == 443 && memcmp(s->records[i].thumbprint, c->thumbprint, 20) == 0);
	for (size_t i = 0; i < c->n_san; i++)
		other = other || !(text_same(c->san[i], l->d->identity.fqdn) || text_same(c->san[i], l->d->identity.netbios));
	return on_443 && other && !c->self_signed && !text_has(c->issuer, strlen(c->issuer), "DC=");
}

static bool is_cng(const struct host_cert *c)
{
	return c != NULL && !c->csp && c->provider[0]; /* without the provider's name nobody said so */
}

static void say_weak(struct look *l, const struct host_cert *in_store)
{
	const struct cert_info *c = &l->served;

	fact_set(l->f, "served_weak", tri_of(c->sha1_signature || c->key != KEY_RSA || c->key_bits < 2048 || is_cng(in_store)),
		"handshake", l->now, "%s, %s %d bit%s", c->signature, c->key == KEY_RSA ? "RSA" : c->key == KEY_EC ? "EC" : "other key", c->key_bits,
		is_cng(in_store) ? ", CNG key" : "");
}

static void say_end(struct look *l, const char *name, int64_t within, const char *date)
{
	enum tri soon = tri_of(l->served.not_after - l->now < within);

	fact_set(l->f, name, soon, "handshake", l->now, "valid until %s", date)->ages = true;
}

static void say_served(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct cert_info *c = &l->served;
	const struct host_record *record = be_record(s);
	const char *store = record ? record->store : "MY";
	const struct host_cert *in_store = be_cert(s, c->thumbprint, store);
	char hex[41], date[32];

	look_hex(c->thumbprint, hex);
	look_key(fact_set(l->f, "served_own", tri_of(be_names_own(c, &l->d->identity) && !is_public(l)), "handshake", l->now,
		"444 shows %s, %s%s", hex, c->subject, is_public(l) ? ": the public one of port 443" : ""), hex);
	fact_set(l->f, "served_by_record", named_by_record(l), "handshake, HTTP.SYS", l->now, "444 shows %s", hex);
	fact_set(l->f, "served_valid", tri_of(c->not_before <= l->now && l->now <= c->not_after), "handshake", l->now, "valid until %s",
		time_text(c->not_after, date));
	say_end(l, "served_ends_soon", BE_SOON, date);
	say_end(l, "served_ends_90", IN_90_DAYS, date);
	if (s->known & HOST_PART_CERTS)
		fact_set(l->f, "served_in_store", in_store ? be_key_usable(in_store) : look_found(s, false), store, l->now, "%s %s store %s",
			hex, look_found_text(s, in_store != NULL), store);
	say_weak(l, in_store);
}

/* 443 as people meet it is what the server's name leads to; who asks 127.0.0.1 meets another record. */
static void look_at_front(struct look *l, struct probe_result *r)
{
	const struct host_identity *id = &l->d->identity;
	char hex[41] = "", date[32];

	if (ask(l, HOST_PROBE_FRONTEND, id->fqdn, TLS_DEFAULT, "", r) == 0 && outcome_of(r) != OUT_UNKNOWN) {
		if (r->has_leaf)
			look_hex(r->leaf.thumbprint, hex);
		fact_set(l->f, "frontend_listens", tri_of(r->tcp == TCP_OK), "port 443", l->now, "%s", probe_tcp_text(r->tcp));
		look_key(fact_set(l->f, "frontend_tls", tri_of(r->tls == TLS_OK), "port 443", l->now, "%s %s", word_of(r), hex), hex);
		if (r->tls == TLS_OK && r->has_leaf)
			fact_set(l->f, "frontend_valid", tri_of(r->leaf.not_before <= l->now && l->now <= r->leaf.not_after), "port 443", l->now,
				"%s, valid until %s", r->leaf.subject, time_text(r->leaf.not_after, date));
	}
	hex[0] = '\0';
	if (ask(l, HOST_PROBE_FRONTEND, BE_LOOPBACK, TLS_DEFAULT, "", r) == 0 && r->tcp == TCP_OK && outcome_of(r) != OUT_UNKNOWN) {
		if (r->has_leaf)
			look_hex(r->leaf.thumbprint, hex);
		look_key(fact_set(l->f, "frontend_local_tls", tri_of(r->tls == TLS_OK), "port 443", l->now, "%s %s", word_of(r), hex), hex);
	}
	if (ask(l, HOST_PROBE_HOP, id->fqdn, TLS_DEFAULT, BE_PATH, r) == 0 && r->tls == TLS_OK)
		fact_set(l->f, "hop_answers", be_probe_hop(r, id), "through 443", l->now, "status %d, %s", r->http_status,
			hop_text(be_probe_hop(r, id)));
}

void look_at_doors(struct look *l)
{
	const struct host_identity *id = &l->d->identity;
	struct probe_result *r = xcalloc(1, sizeof(*r));
	char usual[200] = "", tls12[200] = "";

	for (size_t i = 0; i < id->n_addresses; i++)
		knock(l, &l->doors[i], id->addresses[i], r, usual, tls12);
	say_doors(l, usual, tls12);
	say_answers(l);
	if (l->has_served)
		say_served(l);
	look_at_front(l, r);
	free(r);
}
