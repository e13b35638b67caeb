/* facts_smtp.c - the certificates that SMTP could use: the internal transport certificate, and those with the server's FQDN.
 *
 * Exists because 12014 has many causes, and the store tells most of them apart. Promises that only the store MY counts, that a
 * certificate must pass all questions before the one that passes the most is blamed, and that nothing of an event is read here.
 * Refuses nothing. What transport asks of a certificate: RSA, server authentication, a key usage that signs, a key that it may
 * read. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/look.h"

static void look_at_itc(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_cert *c;
	char hex[41];

	if (!(s->known & HOST_PART_ITC) || !s->itc_known || !(s->known & HOST_PART_CERTS))
		return;
	c = be_cert(s, s->itc, "MY");
	look_key(fact_set(l->f, "itc_in_store", look_found(s, c != NULL), "Active Directory, store MY", l->now,
		"internal transport certificate %s %s MY", look_hex(s->itc, hex), look_found_text(s, c != NULL)), hex);
	if (c != NULL)
		fact_set(l->f, "itc_key_usable", be_key_usable(c), "store MY", l->now, "private key: there %s, opens %s, matches %s",
			tri_text(c->has_key), tri_text(c->key_opens), tri_text(c->key_matches));
}

/* "*.contoso.com" for srv.corp.contoso.com: near, but a wildcard covers one label. */
static bool wildcard_is_near(const char *name, const char *fqdn)
{
	size_t n = strlen(name), f = strlen(fqdn);

	return n > 2 && name[0] == '*' && name[1] == '.' && f > n - 1 && text_same(name + 1, fqdn + f - (n - 1));
}

static bool has_near_wildcard(const struct cert_info *c, const char *fqdn)
{
	for (size_t i = 0; i < c->n_san; i++)
		if (wildcard_is_near(c->san[i], fqdn))
			return true;
	return wildcard_is_near(c->common_name, fqdn);
}

/* A row of questions, each asked of the certificates that passed those before. */
enum test { HAS_KEY, FITS_KIND, FITS_DATE, TESTS };

static enum tri passes(const struct look *l, const struct host_cert *c, enum test t)
{
	const struct cert_info *i = &c->info;

	switch (t) {
	case HAS_KEY:
		return be_key_usable(c);
	case FITS_KIND:
		return tri_of(i->key == KEY_RSA && i->server_auth && i->digital_signature);
	default:
		return tri_of(i->not_before <= l->now && l->now <= i->not_after);
	}
}

/* Is there one that passes this question and all before it? */
static enum tri one_passes(const struct look *l, enum test last, const struct host_cert **which)
{
	const struct host_state *s = &l->d->state;
	enum tri best = look_found(s, false);

	for (size_t i = 0; i < s->n_certs; i++) {
		const struct host_cert *c = &s->certs[i];
		enum tri all = TRI_YES;

		if (!be_store_is(c->store, "MY") || !cert_has_name(&c->info, l->d->identity.fqdn))
			continue;
		for (enum test t = 0; t <= last && all != TRI_NO; t++)
			all = passes(l, c, t) == TRI_YES ? all : passes(l, c, t);
		if (all == TRI_YES)
			*which = c;
		if (all == TRI_YES || (all == TRI_UNKNOWN && best == TRI_NO))
			best = best == TRI_YES ? TRI_YES : all;
	}
	return best;
}

static void say_tests(struct look *l, const struct host_cert *named)
{
	static const char *const names[TESTS] = {"smtp_key_there", "smtp_kind_fits", "smtp_date_fits"};
	const struct host_cert *blamed = named, *which = NULL;
	char hex[41];

	for (enum test t = 0; t < TESTS; t++) {
		enum tri r = one_passes(l, t, &which);

		if (r == TRI_YES)
			blamed = which;
		look_key(fact_set(l->f, names[t], r, "store MY", l->now, r == TRI_YES ? "%s passes" : "%s does not pass, or is not known to",
			look_hex(blamed->info.thumbprint, hex)), hex);
		if (r != TRI_YES)
			return; /* what nobody is left for is not asked */
	}
}

void look_at_smtp(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_identity *id = &l->d->identity;
	const struct host_cert *named = NULL;
	bool near = false, renamed = false;
	char hex[41] = "";

	look_at_itc(l);
	if (!(s->known & HOST_PART_CERTS) || !id->fqdn[0])
		return;
	for (size_t i = 0; i < s->n_certs; i++) {
		const struct host_cert *c = &s->certs[i];

		if (!be_store_is(c->store, "MY"))
			continue;
		if (cert_has_name(&c->info, id->fqdn))
			named = c;
		near = near || has_near_wildcard(&c->info, id->fqdn);
		renamed = renamed || (text_same(c->friendly_name, BE_FRIENDLY) && !be_names_own(&c->info, id));
	}
	look_key(fact_set(l->f, "smtp_name_there", look_found(s, named != NULL), "store MY", l->now, "%s", named ?
		look_hex(named->info.thumbprint, hex) : "no certificate with the FQDN is seen"), hex);
	if (named != NULL) {
		say_tests(l, named);
		return;
	}
	fact_set(l->f, "smtp_wildcard_misses", look_found(s, near), "store MY", l->now, near ?
		"a wildcard covers one label only, and not %s" : "no wildcard comes near %s", id->fqdn);
	fact_set(l->f, "smtp_renamed", look_found(s, renamed), "store MY", l->now, renamed ?
		"a certificate '%s' carries other names than %s" : "no certificate '%s' carries other names than %s", BE_FRIENDLY, id->fqdn);
}
