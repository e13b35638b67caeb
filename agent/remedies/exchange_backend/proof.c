/* proof.c - the proof that a repair counts: the service is used, and the neighbours are as they were.
 *
 * Exists because a step that was answered with "done" proves nothing. Promises: the host is asked anew; the record is read back,
 * its certificate and key are in the store; every address shows the wanted certificate and answers a request; 443, every other
 * record, certificate, key and site is what the snapshot says, but for what the plan lists. Refuses to count an unknown as a yes.
 * What the snapshot does not know is not compared. A hop that is not proven is said to be so, and left to a step of its own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

struct trial {
	struct host *host;
	int64_t deadline;
	const struct diagnosis *before;
	const uint8_t *wanted;
	struct host_identity identity; /* as the host says now */
	struct host_state state;
	struct proof *to;
	bool lost;                     /* the connection: nothing more can be asked */
	struct err e;                  /* then: why */
};

static void check(struct trial *t, const char *name, enum tri value, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void check(struct trial *t, const char *name, enum tri value, const char *fmt, ...)
{
	struct proof *p = t->to;
	size_t i = p->n++;
	va_list args;

	text_copy(p->checks[i].name, sizeof(p->checks[i].name), name);
	p->checks[i].value = value;
	va_start(args, fmt);
	(void)vsnprintf(p->checks[i].seen, sizeof(p->checks[i].seen), fmt, args);
	va_end(args);
}

static enum tri tri_of(bool b)
{
	return b ? TRI_YES : TRI_NO;
}

static bool knows(const struct trial *t, unsigned part)
{
	return (t->state.known & part) != 0;
}

/* The last step of this kind that the plan lists; NULL: none. */
static const struct host_step *planned(const struct trial *t, enum step_kind kind)
{
	const struct plan *p = &t->before->plan;

	for (size_t i = p->n; i > 0; i--)
		if (p->steps[i - 1].step.kind == kind)
			return &p->steps[i - 1].step;
	return NULL;
}

/* ---- what was set ---- */

/* All that a record holds. */
static bool same_record(const struct host_record *a, const struct host_record *b)
{
	return strcmp(a->endpoint, b->endpoint) == 0 && a->port == b->port && a->sni == b->sni && a->ccs == b->ccs &&
		memcmp(a->thumbprint, b->thumbprint, 20) == 0 && be_store_is(a->store, b->store) && text_same(a->appid, b->appid) &&
		a->flags == b->flags;
}

/* As the plan sets it, or as it was: a key that came back, and an undo, leave the old one. */
static bool is_as_it_should(const struct trial *t, const struct host_record *r)
{
	const struct host_record *old = be_record(&t->before->state);
	const struct host_step *s = planned(t, STEP_RECORD_SET);
	static const uint8_t none[20];

	if (r == NULL || memcmp(r->thumbprint, t->wanted, 20) != 0)
		return false;
	/* none: of one that the plan makes */
	if (s == NULL || (memcmp(s->thumbprint, t->wanted, 20) != 0 && memcmp(s->thumbprint, none, 20) != 0))
		return old == NULL || memcmp(old->thumbprint, t->wanted, 20) != 0 || same_record(r, old);
	return (be_store_is(r->store, s->store) && text_same(r->appid, s->appid) && r->flags == s->flags) || (old && same_record(r, old));
}

static void check_record(struct trial *t)
{
	const struct host_record *r = be_record(&t->state);
	bool same = is_as_it_should(t, r);
	char hex[41] = "no certificate";

	if (r != NULL)
		text_hex(hex, r->thumbprint, 20);
	check(t, "record read back", knows(t, HOST_PART_RECORDS) ? tri_of(same) : TRI_UNKNOWN, "%s -> %s, store %s", BE_ENDPOINT, hex,
		r ? r->store : "none");
}

/* Else 444 could be served from the cache of what is gone. */
static void check_key(struct trial *t)
{
	const struct host_record *r = be_record(&t->state);
	const struct host_cert *c = r ? be_cert(&t->state, t->wanted, r->store) : NULL;

	check(t, "certificate and key in the store", !knows(t, HOST_PART_CERTS) || !knows(t, HOST_PART_RECORDS) ? TRI_UNKNOWN :
		c ? be_key_usable(c) : TRI_NO, "the wanted certificate %s", c == NULL ? "is not in the record's store" :
		be_key_usable(c) == TRI_YES ? "is there, its key opens" : "is there, its key is not known to open");
}

/* ---- the doors ---- */

static bool ask(struct trial *t, enum host_probe_kind kind, const char *address, enum probe_version version, const char *path,
	struct probe_result *to)
{
	struct host_probe_ask a = {.kind = kind, .version = version};
	struct err e;

	text_copy(a.address, sizeof(a.address), address);
	text_copy(a.path, sizeof(a.path), path);
	memset(to, 0, sizeof(*to));
	if (t->lost || address[0] == '\0')
		return false;
	if (t->host->ops->probe(t->host, &a, to, t->deadline, &e) == 0)
		return true;
	t->lost = e.code == ERR_IO;
	t->e = e;
	return false;
}

static enum tri shows(const struct trial *t, const struct probe_result *r)
{
	if (r->tls == TLS_OK && r->has_leaf)
		return tri_of(memcmp(r->leaf.thumbprint, t->wanted, 20) == 0);
	return r->tls == TLS_ERROR || (r->tls == TLS_NOT_TRIED && r->tcp != TCP_REFUSED) ? TRI_UNKNOWN : TRI_NO;
}

static enum tri both(enum tri a, enum tri b)
{
	if (a == TRI_NO || b == TRI_NO)
		return TRI_NO;
	return a == TRI_YES && b == TRI_YES ? TRI_YES : TRI_UNKNOWN;
}

/* Names an address that does not show it; the first one that does not tells most. */
static void note_address(char to[static 200], enum tri value, const char *address, const struct probe_result *r)
{
	char hex[41] = "no certificate";

	if (value == TRI_YES || to[0] != '\0')
		return;
	if (r->has_leaf)
		text_hex(hex, r->leaf.thumbprint, 20);
	say_text(to, 200, "%.80s: %s, %s", address, r->tls == TLS_NOT_TRIED ? probe_tcp_text(r->tcp) : probe_tls_text(r->tls), hex);
}

static void check_addresses(struct trial *t, enum probe_version version, const char *name)
{
	const struct host_identity *id = &t->identity;
	enum tri all = id->n_addresses ? TRI_YES : TRI_UNKNOWN, answered = all;
	const char *path = version == TLS_DEFAULT ? BE_PATH : "";
	char odd[200] = "", hex[41], status[80] = "answered";
	struct probe_result r;

	for (size_t i = 0; i < id->n_addresses; i++) {
		bool asked = ask(t, HOST_PROBE_BACKEND, id->addresses[i], version, path, &r);
		enum tri one = asked ? shows(t, &r) : TRI_UNKNOWN;

		all = both(all, one);
		note_address(odd, one, id->addresses[i], &r);
		answered = both(answered, !asked || r.tls != TLS_OK ? TRI_UNKNOWN : tri_of(r.http_status != 0 && r.http_status != 503));
		if (asked && r.tls == TLS_OK && (r.http_status == 0 || r.http_status == 503))
			say_text(status, sizeof(status), "%s", r.http_status ? "503" : "no answer");
	}
	text_hex(hex, t->wanted, 20);
	check(t, name, all, "%zu addresses; %s%s", id->n_addresses, odd[0] ? odd : "each shows ", odd[0] ? "" : hex);
	if (version == TLS_DEFAULT)
		check(t, "request on the back end", answered, "GET " BE_PATH ": %s", answered == TRI_UNKNOWN ? "could not be asked" : status);
}

/* A handshake that passed with TLS 1.2 before must do so after; where nothing passed before, nothing is known of it. */
static bool tls12_before(const struct diagnosis *before)
{
	return fact_value(&before->facts, "backend_tls") == TRI_YES && fact_value(&before->facts, "tls12_only_fails") == TRI_NO;
}

static bool knew_443(const struct trial *t)
{
	return fact_key(&t->before->facts, "frontend_tls")[0] != '\0';
}

/* What was not seen to show a certificate is not compared: a key that comes back may mend more than 444. */
static void check_443(struct trial *t, const char *name, const char *fact, const char *address)
{
	const char *was = fact_key(&t->before->facts, fact);
	struct probe_result r;
	enum tri same = TRI_UNKNOWN;
	char is[41] = "nothing";

	if (was[0] == '\0')
		return;
	if (ask(t, HOST_PROBE_FRONTEND, address, TLS_DEFAULT, "", &r)) {
		if (r.has_leaf)
			text_hex(is, r.leaf.thumbprint, 20);
		if (r.tls != TLS_ERROR && (r.tls != TLS_NOT_TRIED || r.tcp == TCP_REFUSED))
			same = tri_of(strcmp(was, is) == 0);
	}
	check(t, name, same, "443 showed %s and shows %s", was, is);
}

/* ---- the neighbours, against the snapshot ---- */

/* The first record of a that is not in b, but for the one that is ours to set; NULL: all are. */
static const struct host_record *lacks(const struct host_state *a, const struct host_state *b)
{
	for (size_t i = 0; i < a->n_records; i++) {
		bool found = &a->records[i] == be_record(a);

		for (size_t k = 0; k < b->n_records; k++)
			found = found || same_record(&a->records[i], &b->records[k]);
		if (!found)
			return &a->records[i];
	}
	return NULL;
}

static void check_records(struct trial *t)
{
	const struct host_record *gone, *new;

	if (!(t->before->state.known & HOST_PART_RECORDS))
		return;
	gone = lacks(&t->before->state, &t->state);
	new = lacks(&t->state, &t->before->state);
	check(t, "other records unchanged", knows(t, HOST_PART_RECORDS) ? tri_of(!gone && !new) : TRI_UNKNOWN, "%s%s", gone ? gone->endpoint :
		new ? new->endpoint : "each one", gone ? " is not what it was" : new ? " was not there, or was another" : " is what it was");
}

static bool changed(enum tri was, enum tri is)
{
	return was != TRI_UNKNOWN && is != TRI_UNKNOWN && was != is;
}

static bool unsure(enum tri was, enum tri is)
{
	return was != TRI_UNKNOWN && is == TRI_UNKNOWN;
}

/* A key that the plan mends may change. */
static enum tri key_same(const struct trial *t, const struct host_cert *was, const struct host_cert *is)
{
	const struct host_step *mended = planned(t, STEP_KEY_REPAIR);

	if (mended && memcmp(mended->thumbprint, was->info.thumbprint, 20) == 0)
		return TRI_YES;
	if (changed(was->has_key, is->has_key) || changed(was->key_opens, is->key_opens) || changed(was->key_matches, is->key_matches) ||
	    (was->container[0] && is->container[0] && strcmp(was->container, is->container) != 0))
		return TRI_NO;
	return unsure(was->has_key, is->has_key) || unsure(was->key_opens, is->key_opens) || unsure(was->key_matches, is->key_matches) ?
		TRI_UNKNOWN : TRI_YES;
}

static void check_certs(struct trial *t)
{
	const struct host_state *was = &t->before->state;
	size_t gone = 0, keys = 0;
	enum tri key = TRI_YES;

	if (!(was->known & HOST_PART_CERTS))
		return;
	for (size_t i = 0; i < was->n_certs; i++) {
		const struct host_cert *is = be_cert(&t->state, was->certs[i].info.thumbprint, was->certs[i].store);
		enum tri same = is ? key_same(t, &was->certs[i], is) : TRI_YES;

		gone += is == NULL;
		keys += same != TRI_YES;
		key = both(key, same);
	}
	check(t, "no certificate is gone", knows(t, HOST_PART_CERTS) ? tri_of(gone == 0) : TRI_UNKNOWN, "%zu of %zu are gone", gone,
		was->n_certs);
	check(t, "no key is changed", knows(t, HOST_PART_CERTS) ? key : TRI_UNKNOWN, "%zu of %zu %s", keys, was->n_certs, key == TRI_UNKNOWN ?
		"are not known now" : "are changed");
}

static bool has_binding(const struct host_site *s, const struct host_binding *b)
{
	for (size_t i = 0; i < s->n_bindings; i++)
		if (text_same(s->bindings[i].protocol, b->protocol) && strcmp(s->bindings[i].information, b->information) == 0 &&
			s->bindings[i].ssl_flags == b->ssl_flags)
			return true;
	return false;
}

/* The only binding that this remedy ever adds. */
static bool is_planned_binding(const struct trial *t, const char *site, const struct host_binding *b)
{
	if (!planned(t, STEP_SITE_BINDING_ADD))
		return false;
	return text_same(site, BE_SITE) && text_same(b->protocol, "https") && strcmp(b->information, BE_BINDING) == 0 && b->ssl_flags == 0;
}

static const char *site_change(const struct trial *t, const struct host_site *was, const struct host_site *is)
{
	if (is == NULL)
		return "is gone";
	if (was->started && !is->started && !was->state_unknown && !is->state_unknown)
		return "is stopped";
	for (size_t i = 0; i < was->n_bindings; i++)
		if (!has_binding(is, &was->bindings[i]))
			return "has lost a binding";
	for (size_t i = 0; i < is->n_bindings; i++)
		if (!has_binding(was, &is->bindings[i]) && !is_planned_binding(t, is->name, &is->bindings[i]))
			return "has a binding that is not of the plan";
	return NULL;
}

static void check_sites(struct trial *t)
{
	const struct host_state *was = &t->before->state;
	const char *what = NULL, *name = "each one";

	if (!(was->known & HOST_PART_SITES))
		return;
	for (size_t i = 0; i < was->n_sites && what == NULL; i++) {
		const struct host_site *is = NULL;

		for (size_t k = 0; k < t->state.n_sites; k++)
			if (text_same(t->state.sites[k].name, was->sites[i].name))
				is = &t->state.sites[k];
		what = site_change(t, &was->sites[i], is);
		name = what ? was->sites[i].name : name;
	}
	check(t, "sites and bindings unchanged", knows(t, HOST_PART_SITES) ? tri_of(what == NULL) : TRI_UNKNOWN, "%s %s", name,
		what ? what : "is what it was, but for the plan");
}

/* ---- the hop ---- */

static enum tri check_hop(struct trial *t)
{
	struct probe_result r;
	bool asked = ask(t, HOST_PROBE_HOP, t->identity.fqdn, TLS_DEFAULT, BE_PATH, &r) && r.tls == TLS_OK;
	enum tri hop = asked ? be_probe_hop(&r, &t->identity) : TRI_UNKNOWN;

	check(t, "request through the front end", hop, "%s", hop == TRI_YES ? "answered by the back end" :
		hop == TRI_NO ? "not answered by the back end" : asked ? "hop not proven: the front end chose another server" :
		"hop not proven: this host cannot be asked");
	return hop;
}

/* After a restart of IIS the hop is what was to be mended; else it is a step of its own. */
static void conclude(struct trial *t, size_t bad, enum tri hop)
{
	struct proof *to = t->to;
	bool hop_is_the_matter = planned(t, STEP_IIS_RESTART) != NULL;
	const char *front = knew_443(t) ? "443 is unchanged" : "443 is not compared: what it showed before is not known";

	to->ok = bad == 0 && (hop == TRI_YES || !hop_is_the_matter);
	to->hop_open = to->ok && hop == TRI_NO;
	if (bad != 0)
		text_copy(to->summary, sizeof(to->summary), "the proof failed: see the checks");
	else if (hop == TRI_YES)
		say_text(to->summary, sizeof(to->summary), "444 shows the wanted certificate, answers, and is reached through the front end; %s",
			front);
	else if (!to->ok)
		text_copy(to->summary, sizeof(to->summary), "444 works, but after the restart the front end is not seen to reach it");
	else if (hop == TRI_NO)
		say_text(to->summary, sizeof(to->summary), "444 shows the wanted certificate and answers; %s; hop not proven: a request through "
			"the front end does not reach the back end. 'iisreset /noforce' is a step of its own, by approval", front);
	else
		say_text(to->summary, sizeof(to->summary), "444 shows the wanted certificate and answers; %s; hop not proven", front);
}

static int read_host(struct trial *t, struct err *e)
{
	const struct host_identity *was = &t->before->identity;
	unsigned parts = HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES;

	if (t->host->ops->identity(t->host, &t->identity, t->deadline, e) < 0)
		return err_prefix(e, "who the host is");
	if (was->fqdn[0] && (!text_same(t->identity.netbios, was->netbios) || !text_same(t->identity.fqdn, was->fqdn)))
		return err_set(e, ERR_REFUSED, "the host says that it is %s now, and was %s", t->identity.fqdn, was->fqdn);
	if (t->host->ops->observe(t->host, parts, &t->state, t->deadline, e) < 0)
		return err_prefix(e, "the state of the host");
	return 0;
}

int be_verify(struct host *h, const struct clock *clock, int64_t deadline, const struct diagnosis *before, const uint8_t wanted[20],
	struct proof *to, struct err *e)
{
	struct trial *t = xcalloc(1, sizeof(*t));
	size_t bad = 0;
	int r;

	(void)clock;
	memset(to, 0, sizeof(*to));
	t->host = h; /* by member: the whole of it is 4 MB */
	t->deadline = deadline;
	t->before = before;
	t->wanted = wanted;
	t->to = to;
	r = read_host(t, e);
	if (r == 0) {
		check_record(t);
		check_key(t);
		check_addresses(t, TLS_DEFAULT, "handshake on every address");
		if (tls12_before(before))
			check_addresses(t, TLS_ONLY_1_2, "TLS 1.2 on every address");
		check_443(t, "443 unchanged", "frontend_tls", t->identity.fqdn);
		check_443(t, "443 of " BE_LOOPBACK " unchanged", "frontend_local_tls", BE_LOOPBACK);
		check_records(t);
		check_certs(t);
		check_sites(t);
		for (size_t i = 0; i < to->n; i++)
			bad += to->checks[i].value != TRI_YES;
		conclude(t, bad, check_hop(t));
	}
	if (r == 0 && t->lost) {
		*e = t->e;
		r = err_prefix(e, "the proof");
	}
	free(t);
	return r;
}
