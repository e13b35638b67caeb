/* plan.c - the steps that would mend port 444: bind what is there, else restore, else create.
 *
 * Exists so that the plan is a pure function of facts and verdict, printed and performed by the same data. Promises the
 * smallest change: a key or a copy that is brought back keeps the record as it is, an existing own certificate goes before a new
 * one; the record keeps its flags, names the store MY and the application of IIS. Refuses to plan over what a person set, with
 * a certificate whose key is unknown beside it, by a clock that cannot be right; never deletes; never touches 443. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

#define CLOCK_FROM (INT64_C(1356998400) * US_SECOND) /* 2013: no Exchange of this kind is older */
#define CLOCK_TO (INT64_C(4102444800) * US_SECOND)   /* 2100 */

static struct plan_step *step(struct diagnosis *d, enum step_kind kind, enum undo_kind undo, const char *why)
{
	struct plan_step *p = &d->plan.steps[d->plan.n++];

	p->step.kind = kind;
	p->undo_kind = undo;
	text_copy(p->why, sizeof(p->why), why);
	return p;
}

static void none(struct diagnosis *d, const char *why)
{
	d->plan.n = 0;
	text_copy(d->plan.why_empty, sizeof(d->plan.why_empty), why);
}

static const char *day(int64_t time, char to[static 32])
{
	time_text(time, to);
	to[10] = '\0';
	return to;
}

/* HTTP.SYS takes an old record back only while its certificate can be loaded: else error 1312. */
static void say_undo(const struct diagnosis *d, const struct host_record *old, struct plan_step *p)
{
	const struct host_cert *c = old ? be_cert(&d->state, old->thumbprint, old->store) : NULL;
	char hex[41];

	if (old == NULL) {
		text_copy(p->before, sizeof(p->before), "no record for " BE_ENDPOINT);
		text_copy(p->undo, sizeof(p->undo), "remove the record again");
		return;
	}
	text_hex(hex, old->thumbprint, 20);
	say_text(p->before, sizeof(p->before), "%s -> %s, store %s, flags %u", old->endpoint, hex, old->store, (unsigned)old->flags);
	if (c && be_key_usable(c) == TRI_YES) {
		say_text(p->undo, sizeof(p->undo), "set the old record again: %s, store %s, flags %u", hex, old->store, (unsigned)old->flags);
		return;
	}
	p->undo_kind = UNDO_PARTIAL;
	say_text(p->undo, sizeof(p->undo), "the old record is kept as text, but cannot be set again: the certificate %s %s "
		"(HTTP.SYS answers 1312)", hex, c ? "has no key that is known to open" : "is not in its store");
}

/* c NULL: the certificate which the step before creates. store: where it is. */
static void add_record_set(struct diagnosis *d, const struct host_cert *c, const char *store, const char *why)
{
	const struct host_record *old = be_record(&d->state);
	struct plan_step *p = step(d, STEP_RECORD_SET, UNDO_EXACT, why);
	char hex[41] = "the new certificate", end[32], until[32] = "";

	if (c != NULL) {
		memcpy(p->step.thumbprint, c->info.thumbprint, 20);
		text_hex(hex, c->info.thumbprint, 20);
		say_text(until, sizeof(until), ", valid until %.10s", day(c->info.not_after, end));
	}
	p->thumbprint_from_previous = c == NULL;
	text_copy(p->step.endpoint, sizeof(p->step.endpoint), BE_ENDPOINT);
	text_copy(p->step.store, sizeof(p->step.store), store);
	text_copy(p->step.appid, sizeof(p->step.appid), BE_APPID);
	p->step.flags = old ? old->flags : 0;
	say_text(p->what, sizeof(p->what), "Bind %s to %s", hex, BE_ENDPOINT);
	say_text(p->after, sizeof(p->after), "%s -> %s, store %s, flags %u%s", BE_ENDPOINT, hex, store, (unsigned)p->step.flags, until);
	say_undo(d, old, p);
}

/* The names are the host's own; what cannot stand in a certificate, or a clock that is surely wrong, makes none. */
static bool can_create(struct diagnosis *d)
{
	const struct host_identity *id = &d->identity;
	char when[32];

	if (!text_host_ok(id->netbios) || !text_host_ok(id->fqdn)) {
		none(d, "no certificate can be created: the host does not tell its NetBIOS name and its FQDN");
	} else if (d->when < CLOCK_FROM || d->when > CLOCK_TO) {
		none(d, "");
		say_text(d->plan.why_empty, sizeof(d->plan.why_empty), "no certificate is created while the clock says %.10s: set it first",
			time_text(d->when, when));
	} else {
		return true;
	}
	return false;
}

static void add_create(struct diagnosis *d, const char *why)
{
	const struct host_identity *id = &d->identity;
	struct plan_step *p = step(d, STEP_CERT_CREATE, UNDO_EXACT, why);
	struct cert_template *t = &p->step.template;

	text_copy(t->common_name, sizeof(t->common_name), id->netbios);
	text_copy(t->san[t->n_san++], sizeof(t->san[0]), id->netbios);
	if (!text_same(id->netbios, id->fqdn))
		text_copy(t->san[t->n_san++], sizeof(t->san[0]), id->fqdn);
	t->key_bits = 2048;
	t->days = 1826; /* 60 months, as setup does */
	t->not_before = d->when - 10 * US_MINUTE;
	text_copy(p->step.friendly_name, sizeof(p->step.friendly_name), BE_FRIENDLY);
	say_text(p->what, sizeof(p->what), "Create a self-signed certificate CN=%s, names %s%s%.100s, RSA 2048, SHA-256, 1826 days",
		id->netbios, id->netbios, t->n_san > 1 ? " and " : "", t->n_san > 1 ? id->fqdn : "");
	text_copy(p->before, sizeof(p->before), "no certificate of store MY is this server's own, good for the time, and with a key that opens");
	text_copy(p->after, sizeof(p->after), "one certificate more in store MY, '" BE_FRIENDLY "', its key not exportable; it serves nothing yet");
	text_copy(p->undo, sizeof(p->undo), "remove that certificate and its key, if it is the one that this step made and it is bound nowhere");
}

/* The public part is still in another store, with its key: bringing it back keeps the thumbprint and every binding. */
static void add_restore(struct diagnosis *d, const struct host_cert *copy, const char *why)
{
	struct plan_step *p = step(d, STEP_CERT_RESTORE, UNDO_NONE, why);
	const struct host_record *r = be_record(&d->state);
	char hex[41];

	memcpy(p->step.thumbprint, copy->info.thumbprint, 20);
	text_hex(hex, copy->info.thumbprint, 20);
	say_text(p->what, sizeof(p->what), "Put %s back into store MY from its copy in store %s, and join it with its key", hex, copy->store);
	say_text(p->before, sizeof(p->before), "%s is not in store MY; its key container is still there", hex);
	say_text(p->after, sizeof(p->after), "%s is in store MY with its key; the record for %s is valid again", hex, BE_ENDPOINT);
	text_copy(p->undo, sizeof(p->undo), "none: what came back stays");
	if (!be_store_is(r->store, "MY"))
		add_record_set(d, copy, "MY", "the record names another store than MY");
}

static void create_and_bind(struct diagnosis *d, const char *why)
{
	if (d->state.certs_picked) {
		none(d, "somebody picked the certificates that are known: whether the store has an own one is unknown, and none is created beside it");
	} else if (be_may_have_cert(d)) {
		none(d, "the store MY has an own certificate, but whether its key opens is unknown: none is created beside it");
	} else if (can_create(d)) {
		add_create(d, why);
		add_record_set(d, NULL, "MY", why);
	}
}

/* R5: a missing record names nothing that could be restored. */
static void plan_missing(struct diagnosis *d, const char *why)
{
	const struct host_cert *best = be_best_cert(d);

	if (best != NULL)
		add_record_set(d, best, "MY", why);
	else
		create_and_bind(d, why);
}

static void plan_deleted(struct diagnosis *d, const char *why)
{
	const struct host_cert *copy = be_best_cert(d) ? NULL : be_restorable_cert(d);

	if (copy != NULL)
		add_restore(d, copy, why);
	else
		plan_missing(d, why);
}

static void plan_key(struct diagnosis *d, const char *why)
{
	const struct host_record *r = be_record(&d->state);
	enum tri repairable = be_key_repairable(d);
	struct plan_step *p;
	char hex[41];

	/* where it is not sure that the key is there, a certificate that is sure to serve goes before; rights are a person's to give */
	if (repairable == TRI_NO || (repairable == TRI_UNKNOWN && be_best_cert(d) != NULL)) {
		plan_missing(d, why);
		return;
	}
	p = step(d, STEP_KEY_REPAIR, UNDO_NONE, why);
	memcpy(p->step.thumbprint, r->thumbprint, 20);
	text_hex(hex, r->thumbprint, 20);
	say_text(p->what, sizeof(p->what), "Join %s in store MY with its private key again, as 'certutil -repairstore my' does", hex);
	say_text(p->before, sizeof(p->before), "%s is in store MY, but is not joined with its own key", hex);
	say_text(p->after, sizeof(p->after), "the key of %s opens; the record for %s stays as it is", hex, BE_ENDPOINT);
	text_copy(p->undo, sizeof(p->undo), "none: a key that opens again stays so");
}

/* R0a, nothing fails yet: what is gone, the certificate or its key, says how it is brought back. */
static void plan_latent(struct diagnosis *d, const char *why)
{
	if (fact_value(&d->facts, "record_cert_in_store") == TRI_NO)
		plan_deleted(d, why);
	else
		plan_key(d, why);
}

static void plan_store(struct diagnosis *d, const char *why)
{
	const struct host_record *r = be_record(&d->state);

	if (be_best_cert(d) != NULL) {
		plan_missing(d, why);
		return;
	}
	for (size_t i = 0; r && i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (memcmp(c->info.thumbprint, r->thumbprint, 20) == 0 && be_fits(d, c) && be_key_usable(c) == TRI_YES &&
			!be_store_is(c->store, "Root") && !be_store_is(c->store, "CA")) {
			add_record_set(d, c, c->store, why);
			return;
		}
	}
	create_and_bind(d, why);
}

/* R10: set once more, so that HTTP.SYS reads certificate and key anew. */
static void plan_again(struct diagnosis *d, const char *why)
{
	const struct host_record *r = be_record(&d->state);
	const struct host_cert *c = r ? be_cert(&d->state, r->thumbprint, r->store) : NULL;

	if (c != NULL)
		add_record_set(d, c, r->store, why);
}

static void plan_foreign(struct diagnosis *d, const char *why)
{
	const struct host_cert *best = be_best_cert(d);

	if (best != NULL)
		add_record_set(d, best, "MY", why);
	else
		none(d, "the store MY has no own certificate that could be bound, and what is there works: none is created for this. "
			"'New-ExchangeCertificate -Services None' makes one; answer No to the question about SMTP");
}

/* R11 and R1a: another own one that lasts clearly longer, else a new one. What is there is left in its store. */
static void plan_renew(struct diagnosis *d, const char *why)
{
	const struct host_cert *other = be_renewal_cert(d);

	if (other != NULL)
		add_record_set(d, other, "MY", why);
	else
		create_and_bind(d, why);
}

static void plan_restart(struct diagnosis *d, const char *why)
{
	struct plan_step *p = step(d, STEP_IIS_RESTART, UNDO_NONE, why);

	p->by_approval_only = true;
	text_copy(p->what, sizeof(p->what), "iisreset /noforce");
	text_copy(p->before, sizeof(p->before), "port 444 works, but requests through the front end do not reach it");
	text_copy(p->after, sizeof(p->after), "everybody is disconnected once; the front end opens new connections to the back end");
	text_copy(p->undo, sizeof(p->undo), "none");
}

static void plan_binding(struct diagnosis *d, const char *why);

static const struct path {
	const char *verdict;
	void (*steps)(struct diagnosis *d, const char *why);
	const char *why;
} paths[] = {
	{"BE_BINDING_REMOVED", plan_binding, "without this binding nothing listens on port 444"},
	{"BE_CERT_LATENT", plan_latent, "port 444 is served from HTTP.SYS's cache only: the next restart breaks it"},
	{"SSL_RECORD_MISSING", plan_missing, "HTTP.SYS takes the certificate of port 444 from this record, and there is none"},
	{"BE_CERT_DELETED", plan_deleted, "the record of port 444 names a certificate that is not in the store"},
	{"BE_KEY_MISSING", plan_key, "the certificate of port 444 has no private key that opens and matches"},
	{"BE_KEY_ACCESS", plan_missing, "the private key of the certificate of port 444 is there, but does not open for lack of rights"},
	{"BE_STORE_MISMATCH", plan_store, "the record of port 444 names a store in which its certificate is not"},
	{"HTTPSYS_STALE_STATE", plan_again, "set once more, HTTP.SYS reads certificate and key of this record anew"},
	{"BE_CERT_EXPIRED", plan_renew, "the certificate of port 444 is not valid today"},
	{"BE_CERT_FOREIGN", plan_foreign, "the certificate of port 444 does not carry this server's names"},
	{"HOP_BROKEN", plan_restart, "the front end may hold on to connections of an earlier state"},
	{"HEALTHY_NOW", plan_renew, "the certificate of port 444 ends soon"},
};

static void steps_of(struct diagnosis *d, const char *verdict)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcmp(paths[i].verdict, verdict) == 0)
			paths[i].steps(d, paths[i].why);
}

/* Is it known what the record needs? A key is known only of a certificate that is there, and that only of a record. */
static bool knows_record(const struct facts *f)
{
	return fact_value(f, "record_present") == TRI_NO || fact_value(f, "record_cert_in_store") == TRI_NO ||
		fact_value(f, "record_key_usable") != TRI_UNKNOWN;
}

/* R3; then what the record needs, as if it had been the verdict. */
static void plan_binding(struct diagnosis *d, const char *why)
{
	const struct facts *f = &d->facts;
	struct plan_step *p;

	if (!knows_record(f)) {
		none(d, "whether the record of port 444, its certificate and its key are good is unknown: the binding alone would not be proven");
		return;
	}
	p = step(d, STEP_SITE_BINDING_ADD, UNDO_EXACT, why);
	text_copy(p->step.site, sizeof(p->step.site), BE_SITE);
	text_copy(p->step.binding.protocol, sizeof(p->step.binding.protocol), "https");
	text_copy(p->step.binding.information, sizeof(p->step.binding.information), BE_BINDING);
	text_copy(p->what, sizeof(p->what), "Add the binding https " BE_BINDING " to the site '" BE_SITE "'");
	text_copy(p->before, sizeof(p->before), "the site has no https binding with port 444");
	text_copy(p->after, sizeof(p->after), "https " BE_BINDING ", no host name, sslFlags 0");
	text_copy(p->undo, sizeof(p->undo), "remove that binding again");
	if (fact_value(f, "record_present") == TRI_NO)
		steps_of(d, "SSL_RECORD_MISSING");
	else if (fact_value(f, "record_cert_in_store") == TRI_NO && fact_value(f, "record_cert_elsewhere") == TRI_YES)
		steps_of(d, "BE_STORE_MISMATCH");
	else if (fact_value(f, "record_cert_in_store") == TRI_NO)
		steps_of(d, "BE_CERT_DELETED");
	else if (fact_value(f, "record_key_usable") == TRI_NO)
		steps_of(d, "BE_KEY_MISSING");
}

/* Going back is allowed only to what was seen to work and can be set again: 444 answered; the old certificate and key are there. */
static bool before_works(const struct diagnosis *d)
{
	const struct facts *f = &d->facts;

	return fact_value(f, "backend_tls") == TRI_YES && fact_value(f, "backend_answers") == TRI_YES &&
		fact_value(f, "record_key_usable") == TRI_YES;
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
	if (d->verdict.repairable != REPAIR_NEVER && (d->state.known & needed) != needed)
		none(d, "the records or the certificates of the host are unknown");
	else if (d->verdict.repairable != REPAIR_NEVER && fact_value(&d->facts, "record_shadowed") == TRI_YES)
		none(d, "a record that a person set stands in front of " BE_ENDPOINT ": a change of that one would not be seen");
	else if (d->verdict.repairable != REPAIR_NEVER)
		steps_of(d, d->verdict.name);
	set_wanted(d);
	be_advice(d);
	plan_id_set(d);
}
