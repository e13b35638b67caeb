/* plan.c - the steps that would mend port 444: bind what is there, else restore, else create.
 *
 * Exists so that the plan is a pure function of facts and verdict, printed and performed by the same data. Promises the
 * smallest change: an existing own certificate before a new one; the record keeps its flags, names the store MY and the
 * application of IIS. Refuses to plan with a certificate that is bound to port 443 and issued by others, or that serves Auth,
 * WMSvc or Federation; never deletes; never touches 443. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

/* Neighbours that live in the same store and look alike. */
static bool is_neighbour(const struct host_cert *c)
{
	return text_has(c->friendly_name, strlen(c->friendly_name), "Server Auth Certificate") ||
		text_has(c->info.common_name, strlen(c->info.common_name), "Server Auth Certificate") ||
		text_has(c->info.common_name, strlen(c->info.common_name), "WMSvc") ||
		text_has(c->friendly_name, strlen(c->friendly_name), "WMSVC") || text_same(c->info.common_name, "Federation");
}

static bool bound_to_443(const struct host_state *s, const struct host_cert *c)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (s->records[i].port == 443 && memcmp(s->records[i].thumbprint, c->info.thumbprint, 20) == 0)
			return true;
	return false;
}

/* A public certificate on 443 is never bound to 444 by itself; the self-signed one of a fresh server serves both. */
static bool fits(const struct diagnosis *d, const struct host_cert *c)
{
	const struct cert_info *i = &c->info;

	return be_store_is(c->store, "MY") && cert_has_name(i, d->identity.fqdn) && i->key == KEY_RSA &&
		i->key_bits >= 2048 && i->server_auth && i->digital_signature && i->not_before <= d->when &&
		i->not_after >= d->when + BE_GOOD_FOR && !is_neighbour(c) && !(bound_to_443(&d->state, c) && !i->self_signed);
}

static bool good(const struct diagnosis *d, const struct host_cert *c)
{
	return fits(d, c) && be_key_usable(c) == TRI_YES;
}

/* A certificate that might serve, if only its key were known: none is created beside it. */
static bool maybe_good(const struct diagnosis *d)
{
	for (size_t i = 0; i < d->state.n_certs; i++)
		if (fits(d, &d->state.certs[i]) && be_key_usable(&d->state.certs[i]) == TRI_UNKNOWN)
			return true;
	return false;
}

static int rank(const struct diagnosis *d, const struct host_cert *c)
{
	int points = c->info.self_signed ? 20 : 0;

	if (text_same(c->friendly_name, BE_FRIENDLY))
		points += 40;
	if (cert_has_name(&c->info, d->identity.netbios))
		points += 10; /* the FQDN is the minimum */
	return points + (c->csp ? 5 : 0); /* a CNG key works on 444, but is second choice */
}

static bool better(const struct diagnosis *d, const struct host_cert *a, const struct host_cert *b)
{
	if (rank(d, a) != rank(d, b))
		return rank(d, a) > rank(d, b);
	if (a->info.not_after != b->info.not_after)
		return a->info.not_after > b->info.not_after;
	if (a->info.not_before != b->info.not_before)
		return a->info.not_before > b->info.not_before;
	return memcmp(a->info.thumbprint, b->info.thumbprint, 20) > 0; /* the same choice in whatever order a host lists them */
}

const struct host_cert *be_best_cert(const struct diagnosis *d)
{
	const struct host_cert *best = NULL;

	for (size_t i = 0; i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (good(d, c) && (best == NULL || better(d, c, best)))
			best = c;
	}
	return best;
}

static struct plan_step *step(struct diagnosis *d, enum step_kind kind, enum undo_kind undo)
{
	struct plan_step *p = &d->plan.steps[d->plan.n++];

	p->step.kind = kind;
	p->undo_kind = undo;
	return p;
}

static void describe_record(const struct host_record *r, char *to, size_t n)
{
	char hex[41];

	if (r == NULL) {
		say_text(to, n, "no record for %s", BE_ENDPOINT);
		return;
	}
	text_hex(hex, r->thumbprint, 20);
	say_text(to, n, "%s -> %s, store %s", r->endpoint, hex, r->store);
}

/* thumbprint NULL: that of the certificate which the step before creates. */
static void add_record_set(struct diagnosis *d, const uint8_t *thumbprint, const char *store)
{
	const struct host_record *old = be_record(&d->state);
	struct plan_step *p = step(d, STEP_RECORD_SET, UNDO_EXACT);
	char hex[41] = "the new certificate";

	if (thumbprint != NULL) {
		memcpy(p->step.thumbprint, thumbprint, 20);
		text_hex(hex, thumbprint, 20);
	}
	p->thumbprint_from_previous = thumbprint == NULL;
	text_copy(p->step.endpoint, sizeof(p->step.endpoint), BE_ENDPOINT);
	text_copy(p->step.store, sizeof(p->step.store), store);
	text_copy(p->step.appid, sizeof(p->step.appid), BE_APPID);
	p->step.flags = old ? old->flags : 0;
	say_text(p->what, sizeof(p->what), "Bind %s to %s", hex, BE_ENDPOINT);
	text_copy(p->why, sizeof(p->why), "HTTP.SYS takes the certificate of port 444 from this record");
	describe_record(old, p->before, sizeof(p->before));
	say_text(p->after, sizeof(p->after), "%s -> %s, store %s", BE_ENDPOINT, hex, store);
	text_copy(p->undo, sizeof(p->undo), old ? "put the old record back" : "remove the record again");
}

static void add_create(struct diagnosis *d)
{
	const struct host_identity *id = &d->identity;
	struct plan_step *p = step(d, STEP_CERT_CREATE, UNDO_EXACT);
	struct cert_template *t = &p->step.template;

	text_copy(t->common_name, sizeof(t->common_name), id->netbios);
	text_copy(t->san[t->n_san++], sizeof(t->san[0]), id->netbios);
	if (!text_same(id->netbios, id->fqdn))
		text_copy(t->san[t->n_san++], sizeof(t->san[0]), id->fqdn);
	t->key_bits = 2048;
	t->days = 1826; /* 60 months, as setup does */
	t->not_before = d->when - 10 * US_MINUTE;
	text_copy(p->step.friendly_name, sizeof(p->step.friendly_name), BE_FRIENDLY);
	say_text(p->what, sizeof(p->what), "Create a self-signed certificate CN=%s for %s, RSA 2048, SHA-256, 5 years", id->netbios,
		id->fqdn);
	text_copy(p->why, sizeof(p->why), "no certificate of the store is this server's own, valid and with a key that opens");
	text_copy(p->before, sizeof(p->before), "no such certificate");
	text_copy(p->after, sizeof(p->after), "one certificate more in store MY, '" BE_FRIENDLY "'");
	text_copy(p->undo, sizeof(p->undo), "remove that certificate and its key, if it is bound nowhere");
}

/* The public part is still in another store, with its key: bringing it back keeps the thumbprint and every binding. */
static bool add_restore(struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	struct plan_step *p;
	char hex[41];

	for (size_t i = 0; r && i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (memcmp(c->info.thumbprint, r->thumbprint, 20) != 0 || c->has_key != TRI_YES || be_store_is(c->store, "MY") ||
			!cert_has_name(&c->info, d->identity.fqdn) || c->info.not_after < d->when || is_neighbour(c))
			continue;
		p = step(d, STEP_CERT_RESTORE, UNDO_NONE);
		memcpy(p->step.thumbprint, r->thumbprint, 20);
		text_hex(hex, r->thumbprint, 20);
		say_text(p->what, sizeof(p->what), "Put %s back into store MY from its copy in %s, and join it with its key", hex, c->store);
		text_copy(p->why, sizeof(p->why), "the certificate's key container is still there");
		text_copy(p->before, sizeof(p->before), "not in store MY");
		text_copy(p->after, sizeof(p->after), "in store MY with its key; the record is valid again as it stands");
		text_copy(p->undo, sizeof(p->undo), "none: what came back stays");
		return true;
	}
	return false;
}

static void rebind_or_create(struct diagnosis *d, bool may_restore, bool may_create)
{
	const struct host_cert *best = be_best_cert(d);

	if (best != NULL) {
		add_record_set(d, best->info.thumbprint, "MY");
	} else if (may_restore && add_restore(d)) {
		add_record_set(d, be_record(&d->state)->thumbprint, "MY");
	} else if (may_create && maybe_good(d)) {
		text_copy(d->plan.why_empty, sizeof(d->plan.why_empty),
			"the store MY has an own certificate, but whether its key opens is unknown: none is created beside it");
	} else if (may_create) {
		add_create(d);
		add_record_set(d, NULL, "MY");
	} else {
		text_copy(d->plan.why_empty, sizeof(d->plan.why_empty), "the store MY has no own certificate that could be bound");
	}
}

static void add_binding(struct diagnosis *d)
{
	struct plan_step *p = step(d, STEP_SITE_BINDING_ADD, UNDO_EXACT);

	text_copy(p->step.site, sizeof(p->step.site), BE_SITE);
	text_copy(p->step.binding.protocol, sizeof(p->step.binding.protocol), "https");
	text_copy(p->step.binding.information, sizeof(p->step.binding.information), BE_BINDING);
	text_copy(p->what, sizeof(p->what), "Add the binding https " BE_BINDING " to the site '" BE_SITE "'");
	text_copy(p->why, sizeof(p->why), "without it nothing listens on port 444");
	text_copy(p->before, sizeof(p->before), "no https binding with port 444");
	text_copy(p->after, sizeof(p->after), "https " BE_BINDING ", no SNI");
	text_copy(p->undo, sizeof(p->undo), "remove that binding again");
}

/* R3: the record may be there still, and fine. */
static void plan_binding(struct diagnosis *d)
{
	add_binding(d);
	if (fact_value(&d->facts, "record_present") == TRI_NO || fact_value(&d->facts, "record_cert_in_store") == TRI_NO ||
		fact_value(&d->facts, "record_key_usable") == TRI_NO)
		rebind_or_create(d, true, true);
}

static void plan_store_mismatch(struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	const struct host_cert *best = be_best_cert(d);

	if (best != NULL) {
		add_record_set(d, best->info.thumbprint, "MY");
		return;
	}
	for (size_t i = 0; r && i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (memcmp(c->info.thumbprint, r->thumbprint, 20) == 0 && be_key_usable(c) == TRI_YES) {
			add_record_set(d, r->thumbprint, c->store);
			return;
		}
	}
}

static void plan_restart(struct diagnosis *d)
{
	struct plan_step *p = step(d, STEP_IIS_RESTART, UNDO_NONE);

	p->by_approval_only = true;
	text_copy(p->what, sizeof(p->what), "iisreset /noforce");
	text_copy(p->why, sizeof(p->why), "the front end opens new connections to the back end");
	text_copy(p->before, sizeof(p->before), "requests through the front end fail");
	text_copy(p->after, sizeof(p->after), "everybody is disconnected once; then requests pass");
	text_copy(p->undo, sizeof(p->undo), "none");
}

/* Going back is allowed only to what was seen to work and can be set again: 444 answered; the old certificate and key are there. */
static bool before_works(const struct diagnosis *d)
{
	const struct facts *f = &d->facts;

	return fact_value(f, "backend_tls") == TRI_YES && fact_value(f, "backend_answers") == TRI_YES &&
		fact_value(f, "record_key_usable") == TRI_YES;
}

static void steps_of(struct diagnosis *d, const char *name)
{
	const struct host_record *r = be_record(&d->state);

	if (strcmp(name, "BE_BINDING_REMOVED") == 0)
		plan_binding(d);
	else if (strcmp(name, "SSL_RECORD_MISSING") == 0 || strcmp(name, "BE_CERT_LATENT") == 0)
		rebind_or_create(d, false, true);
	else if (strcmp(name, "BE_CERT_DELETED") == 0)
		rebind_or_create(d, true, true);
	else if (strcmp(name, "BE_KEY_MISSING") == 0 || strcmp(name, "BE_CERT_EXPIRED") == 0)
		rebind_or_create(d, false, true);
	else if (strcmp(name, "BE_STORE_MISMATCH") == 0)
		plan_store_mismatch(d);
	else if (strcmp(name, "HTTPSYS_STALE_STATE") == 0 && r != NULL)
		add_record_set(d, r->thumbprint, r->store);
	else if (strcmp(name, "BE_CERT_FOREIGN") == 0)
		rebind_or_create(d, false, false);
	else if (strcmp(name, "HOP_BROKEN") == 0)
		plan_restart(d);
}

/* The certificate of the last record_set, else the one that the record names now. */
static void set_wanted(struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	const uint8_t *from = r ? r->thumbprint : NULL;

	for (size_t i = 0; i < d->plan.n; i++)
		if (d->plan.steps[i].step.kind == STEP_RECORD_SET)
			from = d->plan.steps[i].thumbprint_from_previous ? NULL : d->plan.steps[i].step.thumbprint;
	d->plan.has_wanted = from != NULL;
	if (from != NULL)
		memcpy(d->plan.wanted, from, 20);
}

void be_plan(struct diagnosis *d)
{
	unsigned needed = HOST_PART_RECORDS | HOST_PART_CERTS;

	memset(&d->plan, 0, sizeof(d->plan));
	d->plan.before_works = before_works(d);
	/* unknown is not empty: a store that could not be read has certificates that we do not see */
	if (d->verdict.repairable != REPAIR_NEVER && (d->state.known & needed) == needed)
		steps_of(d, d->verdict.name);
	else if (d->verdict.repairable != REPAIR_NEVER)
		text_copy(d->plan.why_empty, sizeof(d->plan.why_empty), "the records or the certificates of the host are unknown");
	set_wanted(d);
	plan_id_set(d);
}
