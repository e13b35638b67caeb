/* facts_records.c - the records of HTTP.SYS for 444 and 443, and where their certificates and keys are.
 *
 * Exists because most causes are a record that names something which is gone. Promises that a record for another name or
 * address counts as standing in front only when it would be taken for this server, and is harmless only when it names the same
 * good certificate: a change of 0.0.0.0:444 would not reach it. Refuses nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/look.h"

#define LOCAL_443 "127.0.0.1:443"
#define ALL_443 "0.0.0.0:443"

static const struct host_record *record_for(const struct host_state *s, const char *endpoint)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (!s->records[i].sni && !s->records[i].ccs && strcmp(s->records[i].endpoint, endpoint) == 0)
			return &s->records[i];
	return NULL;
}

static bool same_cert(const struct host_record *a, const struct host_record *b)
{
	return memcmp(a->thumbprint, b->thumbprint, 20) == 0;
}

/* The certificate of a record, from the store that it names: is it there with a usable key? */
static enum tri usable(const struct host_state *s, const struct host_record *r)
{
	const struct host_cert *c = be_cert(s, r->thumbprint, r->store);

	if (!(s->known & HOST_PART_CERTS))
		return TRI_UNKNOWN;
	return c ? be_key_usable(c) : look_found(s, false);
}

/* A copy in Root or CA is public and none that can be bound; so is one whose key is not there. */
static bool is_copy(const struct host_cert *c)
{
	return be_store_is(c->store, "Root") || be_store_is(c->store, "CA") || be_key_usable(c) == TRI_NO;
}

static void look_for_copies(struct look *l, const struct host_record *r, const char *hex)
{
	const struct host_state *s = &l->d->state;
	const struct host_cert *copy = NULL, *other = NULL;

	for (size_t i = 0; i < s->n_certs; i++) {
		const struct host_cert *at = &s->certs[i];

		if (memcmp(at->info.thumbprint, r->thumbprint, 20) != 0 || be_store_is(at->store, r->store))
			continue;
		if (is_copy(at))
			copy = at;
		else
			other = at;
	}
	look_key(fact_set(l->f, "record_cert_elsewhere", other ? be_key_usable(other) : look_found(s, false), other ? other->store :
		"stores", l->now, other ? "%s is in another store" : "%s is in no other store with its key", hex), other ? other->store : "");
	look_key(fact_set(l->f, "public_copy", look_found(s, copy != NULL), copy ? copy->store : "stores", l->now, "%s",
		copy ? "a public copy is there" : "no public copy is there"), copy ? copy->store : "");
}

static void look_for_key(struct look *l, const struct host_record *r, const struct host_cert *c)
{
	const char *provider = c->provider[0] ? c->provider : "provider not known";

	fact_set(l->f, "record_key_usable", be_key_usable(c), r->store, l->now, "private key: there %s, opens %s, matches %s",
		tri_text(c->has_key), tri_text(c->key_opens), tri_text(c->key_matches));
	fact_set(l->f, "record_key_there", c->has_key, r->store, l->now, "a key is %s", c->has_key == TRI_YES ? "named" : "not named");
	fact_set(l->f, "record_key_opens", c->key_opens, r->store, l->now, "%s", provider);
	fact_set(l->f, "record_key_matches", c->key_matches, r->store, l->now, "%s", provider);
	if (c->key_denied != TRI_UNKNOWN)
		fact_set(l->f, "record_key_denied", c->key_denied, r->store, l->now, c->key_denied == TRI_YES ?
			"the key is there, and the system has no right to it" : "no right is lacking");
}

static void look_for_record_cert(struct look *l, const struct host_record *r)
{
	const struct host_state *s = &l->d->state;
	const struct host_cert *c = be_cert(s, r->thumbprint, r->store);
	char hex[41];

	look_hex(r->thumbprint, hex);
	fact_set(l->f, "record_cert_in_store", look_found(s, c != NULL), r->store, l->now, "%s %s store %s", hex,
		look_found_text(s, c != NULL), r->store);
	look_for_copies(l, r, hex);
	if (c != NULL)
		look_for_key(l, r, c);
}

/* Would somebody who asks for this server meet the name of the record? A wildcard covers one label. */
static bool is_for_us(const struct host_record *other, const struct host_identity *id)
{
	struct cert_info *as = xcalloc(1, sizeof(*as)); /* what compares names of certificates compares these */
	char *colon;
	bool yes;

	text_copy(as->san[0], sizeof(as->san[0]), other->endpoint);
	colon = strrchr(as->san[0], ':');
	if (colon)
		*colon = '\0';
	as->n_san = 1;
	yes = be_names_own(as, id) || cert_has_name(as, "localhost");
	for (size_t i = 0; i < id->n_addresses; i++)
		yes = yes || cert_has_name(as, id->addresses[i]);
	free(as);
	return yes;
}

/* Does another record for 444 win over ours with something else than ours? */
static enum tri in_front(const struct look *l, const struct host_record *r, const struct host_record *other)
{
	const struct host_state *s = &l->d->state;
	const struct host_cert *c = be_cert(s, other->thumbprint, other->store);

	if (other->sni && !is_for_us(other, &l->d->identity))
		return TRI_NO;
	if (r == NULL || other->ccs || !same_cert(other, r))
		return TRI_YES;
	if (c != NULL && (c->info.not_after < l->now || c->info.not_before > l->now || !be_names_own(&c->info, &l->d->identity)))
		return TRI_YES;
	switch (usable(s, other)) {
	case TRI_YES:
		return TRI_NO;
	case TRI_NO:
		return TRI_YES;
	default:
		return TRI_UNKNOWN;
	}
}

static void look_at_others(struct look *l, const struct host_record *r)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *front = NULL;
	enum tri shadowed = TRI_NO;
	char all[200] = "", hex[41];
	bool specific = false;

	for (size_t i = 0; i < s->n_records; i++) {
		const struct host_record *o = &s->records[i];
		enum tri t;

		if (o->port != 444 || o == r)
			continue;
		specific = specific || (!o->sni && !o->ccs);
		look_add(all, sizeof(all), "%s -> %.8s", o->endpoint, o->ccs ? "central store" : look_hex(o->thumbprint, hex));
		t = in_front(l, r, o);
		if (t == TRI_NO || shadowed == TRI_YES)
			continue;
		shadowed = t;
		front = o;
	}
	look_key(fact_set(l->f, "record_other", tri_of(all[0] != '\0'), "HTTP.SYS", l->now, "%s", all[0] ? all :
		"no other record for port 444"), all);
	fact_set(l->f, "record_specific", tri_of(specific), "HTTP.SYS", l->now, specific ? "%s" : "no record for an address", all);
	look_key(fact_set(l->f, "record_shadowed", shadowed, "HTTP.SYS", l->now, front ? "a record for %s stands in front" :
		"no record stands in front%s", front ? front->endpoint : ""), front ? front->endpoint : "");
}

/* O2: the front end's records, which are never changed. */
static void look_at_front_record(struct look *l, const char *endpoint, const char *name, const char *name_usable)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *r = record_for(s, endpoint);
	char hex[41] = "";

	if (r == NULL) {
		fact_set(l->f, name, TRI_NO, "HTTP.SYS", l->now, "no record for %s", endpoint);
		return;
	}
	look_key(fact_set(l->f, name, TRI_YES, "HTTP.SYS", l->now, "%s -> %s, store %s", endpoint, look_hex(r->thumbprint, hex), r->store),
		hex);
	fact_set(l->f, name_usable, usable(s, r), r->store, l->now, "%s %s store %s, its key %s", hex,
		look_found_text(s, be_cert(s, r->thumbprint, r->store) != NULL), r->store, usable(s, r) == TRI_YES ? "opens" :
		"does not open or is not known to");
}

static void look_at_local_443(struct look *l, const struct host_record *r)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *local = record_for(s, LOCAL_443);
	enum tri gone = TRI_NO;

	if (r == NULL || local == NULL || !(s->known & HOST_PART_CERTS))
		return;
	if (same_cert(r, local))
		gone = be_cert(s, local->thumbprint, local->store) ? TRI_NO : s->certs_picked ? TRI_UNKNOWN : TRI_YES;
	fact_set(l->f, "local_443_stale", gone, "HTTP.SYS", l->now, "%s %s", LOCAL_443, !same_cert(r, local) ? "has another certificate" :
		gone == TRI_NO ? "has the same certificate, and that is there" : "has the same certificate, and that is not seen in its store");
}

void look_at_records(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *r = be_record(s);
	char hex[41];

	if (!(s->known & HOST_PART_RECORDS))
		return;
	if (r == NULL)
		fact_set(l->f, "record_present", TRI_NO, "HTTP.SYS", l->now, "no record for %s", BE_ENDPOINT);
	else
		look_key(fact_set(l->f, "record_present", TRI_YES, "HTTP.SYS", l->now, "%s -> %s, store %s", r->endpoint,
			look_hex(r->thumbprint, hex), r->store), hex);
	look_at_others(l, r);
	if (r != NULL && s->known & HOST_PART_CERTS)
		look_for_record_cert(l, r);
	look_at_front_record(l, ALL_443, "record_443", "record_443_usable");
	look_at_front_record(l, LOCAL_443, "record_local_443", "record_local_443_usable");
	look_at_local_443(l, r);
}
