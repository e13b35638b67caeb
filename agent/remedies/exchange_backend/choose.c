/* choose.c - which certificate may stand on port 444, and which of them is the best.
 *
 * Exists so that the choice is one list of demands and one order, each of which a test can take away. Promises the same choice in
 * whatever order a host lists its certificates; an unknown key is never taken for a good one. Refuses what is not this server's
 * own by its alternative names, neighbours that live in the same store, and a certificate of port 443 that others issued. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

static bool names(const struct host_cert *c, const char *part)
{
	return text_has(c->friendly_name, strlen(c->friendly_name), part) || text_has(c->info.common_name, strlen(c->info.common_name), part);
}

/* Certificates of other purposes that Exchange and IIS keep in the same store. */
static bool is_neighbour(const struct host_cert *c)
{
	return names(c, "Server Auth Certificate") || names(c, "WMSvc") || names(c, "Federation");
}

/* In its alternative names, to the letter: a wildcard or a bare common name is not what setup makes. */
static bool has_san(const struct cert_info *c, const char *name)
{
	for (size_t i = 0; i < c->n_san; i++)
		if (name[0] && text_same(c->san[i], name))
			return true;
	return false;
}

/* A name with blanks is no host's; any other one that is not ours is somebody else's ("*.contoso.com" too). */
static bool is_other_host(const char *common_name, const struct host_identity *id)
{
	return common_name[0] && !strchr(common_name, ' ') && !text_same(common_name, id->netbios) && !text_same(common_name, id->fqdn);
}

static bool bound_to_443(const struct diagnosis *d, const struct host_cert *c)
{
	const struct host_state *s = &d->state;
	char hex[41];

	for (size_t i = 0; i < s->n_records; i++)
		if (s->records[i].port == 443 && memcmp(s->records[i].thumbprint, c->info.thumbprint, 20) == 0)
			return true;
	/* a central store has records without a thumbprint: what 443 shows counts as well */
	text_hex(hex, c->info.thumbprint, 20);
	return strcmp(fact_key(&d->facts, "frontend_tls"), hex) == 0;
}

bool be_fits(const struct diagnosis *d, const struct host_cert *c)
{
	const struct cert_info *i = &c->info;

	return has_san(i, d->identity.fqdn) && !is_other_host(i->common_name, &d->identity) && !is_neighbour(c) &&
		i->key == KEY_RSA && i->key_bits >= 2048 && i->server_auth && i->digital_signature && i->not_before <= d->when &&
		i->not_after >= d->when + BE_GOOD_FOR && (i->self_signed || !bound_to_443(d, c));
}

static bool good(const struct diagnosis *d, const struct host_cert *c)
{
	return be_store_is(c->store, "MY") && be_fits(d, c) && be_key_usable(c) == TRI_YES;
}

/* Exchange's own, then another self-signed one, then one that was issued: an internal authority's. */
static int class_of(const struct host_cert *c)
{
	if (!c->info.self_signed)
		return 1;
	return text_same(c->friendly_name, BE_FRIENDLY) ? 3 : 2;
}

static bool better(const struct diagnosis *d, const struct host_cert *a, const struct host_cert *b)
{
	bool a_both = has_san(&a->info, d->identity.netbios), b_both = has_san(&b->info, d->identity.netbios);

	if (class_of(a) != class_of(b))
		return class_of(a) > class_of(b);
	if (a_both != b_both)
		return a_both; /* the FQDN is the minimum */
	if (a->csp != b->csp)
		return a->csp; /* a CNG key works on 444, but is second choice */
	if (a->info.not_after != b->info.not_after)
		return a->info.not_after > b->info.not_after;
	if (a->info.not_before != b->info.not_before)
		return a->info.not_before > b->info.not_before;
	return memcmp(a->info.thumbprint, b->info.thumbprint, 20) > 0; /* the same choice in whatever order a host lists them */
}

/* The best of the good ones that end at `until` or later; NULL: none. */
static const struct host_cert *best(const struct diagnosis *d, int64_t until)
{
	const struct host_cert *found = NULL;

	for (size_t i = 0; i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (good(d, c) && c->info.not_after >= until && (found == NULL || better(d, c, found)))
			found = c;
	}
	return found;
}

const struct host_cert *be_best_cert(const struct diagnosis *d)
{
	return best(d, 0);
}

const struct host_cert *be_renewal_cert(const struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	const struct host_cert *now = r ? be_cert(&d->state, r->thumbprint, r->store) : NULL;
	int64_t end = d->when;

	if (now && now->info.not_before <= d->when && now->info.not_after > end)
		end = now->info.not_after;
	return best(d, end + BE_SOON);
}

/* Joined already, as a copy that shares the key; or a container that fits is named, though nothing joins it. */
static bool key_is_left(const struct host_cert *c)
{
	if (c->has_key == TRI_YES)
		return c->key_opens != TRI_NO && c->key_matches != TRI_NO;
	return c->container[0] && c->key_matches != TRI_NO;
}

const struct host_cert *be_restorable_cert(const struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);

	for (size_t i = 0; r && i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (memcmp(c->info.thumbprint, r->thumbprint, 20) == 0 && !be_store_is(c->store, "MY") && key_is_left(c) && be_fits(d, c))
			return c;
	}
	return NULL;
}

enum tri be_key_repairable(const struct diagnosis *d)
{
	const struct host_record *r = be_record(&d->state);
	const struct host_cert *c = r ? be_cert(&d->state, r->thumbprint, r->store) : NULL;

	if (c == NULL || !be_store_is(c->store, "MY") || !be_fits(d, c))
		return TRI_NO;
	if (c->key_opens == TRI_YES)
		return c->key_matches == TRI_NO ? TRI_UNKNOWN : TRI_NO; /* joined with a wrong key: who knows where its own is */
	if (c->key_matches == TRI_NO)
		return TRI_NO;
	/* a container that fits though nothing joins it. A key that is joined and does not open lacks rights, or is damaged */
	return c->has_key == TRI_NO && c->container[0] ? TRI_YES : TRI_NO;
}

bool be_may_have_cert(const struct diagnosis *d)
{
	for (size_t i = 0; i < d->state.n_certs; i++) {
		const struct host_cert *c = &d->state.certs[i];

		if (be_store_is(c->store, "MY") && be_fits(d, c) && be_key_usable(c) == TRI_UNKNOWN)
			return true;
	}
	return false;
}
