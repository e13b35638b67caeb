/* facts.c - what is true on the server, each yes, no or unknown: who it is, its site, services and settings; and the order in
 * which the other files look.
 *
 * Exists to turn what a host answers into facts with names (docs/diagnosis.md lists them); rows.c reads nothing else. Promises
 * that nothing is changed and that what could not be looked at is unknown. Refuses (-1) only a host that does not say who it is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/diagnose.h"
#include "remedies/exchange_backend/look.h"

#define LATELY US_DAY             /* a restart that may explain events of today */
#define UPDATED_LATELY (7 * US_DAY)
#define A_MOMENT (10 * US_MINUTE) /* so soon after a restart nobody has changed anything, if nothing shows it */

bool be_store_is(const char *store, const char *name)
{
	return text_same(store, name);
}

const struct host_record *be_record(const struct host_state *s)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (!s->records[i].sni && !s->records[i].ccs && strcmp(s->records[i].endpoint, BE_ENDPOINT) == 0)
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

void look_key(struct fact *f, const char *text)
{
	text_copy(f->key, sizeof(f->key), text);
}

const char *look_hex(const uint8_t t[20], char to[static 41])
{
	text_hex(to, t, 20);
	return to;
}

void look_add(char *to, size_t n, const char *fmt, ...)
{
	size_t used = strlen(to);
	va_list args;

	if (used != 0 && used + 2 < n) {
		text_copy(to + used, n - used, ", ");
		used += 2;
	}
	va_start(args, fmt);
	(void)vsnprintf(to + used, n - used, fmt, args);
	va_end(args);
}

enum tri look_found(const struct host_state *s, bool there)
{
	return there ? TRI_YES : s->certs_picked ? TRI_UNKNOWN : TRI_NO;
}

const char *look_found_text(const struct host_state *s, bool there)
{
	return there ? "is in" : s->certs_picked ? "is not known to be in" : "is not in";
}

/* A host's name, mode and limits are those of its configuration: of another server that answers, nothing more is read. */
static bool is_another(struct look *l, const struct host_config *c)
{
	const struct host_identity *i = &l->d->identity;
	bool same;

	if (c == NULL)
		return false;
	same = host_called(c, i->fqdn) || host_called(c, i->netbios);
	fact_set(l->f, "is_configured_host", tri_of(same), "identity", l->now, same ? "%s (%s)" : "%s (%s), and %s is configured", i->fqdn,
		i->netbios, c->name)->ages = true;
	return !same;
}

static void look_at_names(struct look *l)
{
	const struct host_identity *i = &l->d->identity;

	if (i->netbios[0] && i->fqdn[0])
		fact_set(l->f, "names_known", TRI_YES, "identity", l->now, "%s, %s", i->netbios, i->fqdn);
	if (!i->exchange_unknown)
		fact_set(l->f, "is_exchange", tri_of(i->exchange), "identity", l->now, "%s %s", i->fqdn,
			i->exchange ? "is an Exchange server" : "is no Exchange 2013 or later");
}

/* A binding's information is ADDRESS:PORT:HOSTNAME; the address may hold colons. */
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

/* IIS writes all addresses as '*' or as nothing. Of the flags, 1 asks for SNI and 2 for the central store; others do no harm. */
static bool binding_is_plain(const struct host_binding *b)
{
	return (strcmp(b->information, BE_BINDING) == 0 || strcmp(b->information, ":444:") == 0) && (b->ssl_flags & 3) == 0;
}

static void look_at_bindings(struct look *l, const struct host_site *site)
{
	bool any = false, plain = false;
	char seen[200] = "";

	for (size_t i = 0; i < site->n_bindings; i++) {
		const struct host_binding *b = &site->bindings[i];

		if (!binding_on_444(b))
			continue;
		any = true;
		plain = plain || binding_is_plain(b);
		look_add(seen, sizeof(seen), "https %s sslFlags %u", b->information, b->ssl_flags);
	}
	look_key(fact_set(l->f, "binding_444", tri_of(any), "IIS", l->now, "%s", any ? seen : "no https binding with port 444"), seen);
	if (any)
		fact_set(l->f, "binding_plain", tri_of(plain), "IIS", l->now, plain ? "%s" : "%s: an address, a host name or SNI", seen);
}

static void look_at_site(struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_site *site = be_site(s);

	if (!(s->known & HOST_PART_SITES))
		return;
	fact_set(l->f, "site_exists", tri_of(site != NULL), "IIS", l->now, "the site '%s' %s", BE_SITE, site ? "is there" :
		"is not there");
	if (site == NULL)
		return;
	if (!site->state_unknown)
		fact_set(l->f, "site_started", tri_of(site->started), "IIS", l->now, "the site '%s' is %s", BE_SITE,
			site->started ? "started" : "stopped");
	look_at_bindings(l, site);
}

static void look_at_services(struct look *l)
{
	static const char *const names[][2] = {{"W3SVC", "w3svc_running"}, {"WAS", "was_running"}, {"HTTP", "http_running"}};
	const struct host_state *s = &l->d->state;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
		for (size_t i = 0; (s->known & HOST_PART_SERVICES) && i < s->n_services; i++)
			if (text_same(s->services[i].name, names[k][0]))
				fact_set(l->f, names[k][1], tri_of(s->services[i].running), "services", l->now, "%s is %s", names[k][0],
					s->services[i].running ? "running" : "stopped");
}

static void look_at_pools(struct look *l)
{
	const struct host_state *s = &l->d->state;
	char stopped[200] = "";
	size_t ours = 0;

	for (size_t i = 0; (s->known & HOST_PART_POOLS) && i < s->n_pools; i++) {
		if (!text_starts(s->pools[i].name, "MSExchange"))
			continue;
		ours++;
		if (!s->pools[i].running)
			look_add(stopped, sizeof(stopped), "%s", s->pools[i].name);
	}
	if (ours != 0)
		look_key(fact_set(l->f, "pools_started", tri_of(stopped[0] == '\0'), "IIS", l->now, "%s%s", stopped[0] ? "stopped: " :
			"all application pools of Exchange run", stopped), stopped);
}

static void look_at_settings(struct look *l)
{
	const struct host_state *s = &l->d->state;

	if (!(s->known & HOST_PART_SETTINGS))
		return;
	if (s->allow_internal_untrusted != TRI_UNKNOWN)
		fact_set(l->f, "internal_untrusted_allowed", s->allow_internal_untrusted, "registry", l->now,
			"AllowInternalUntrustedCerts is %s", s->allow_internal_untrusted == TRI_YES ? "1 or absent" : "0");
	if (s->tls_protocols[0])
		look_key(fact_set(l->f, "tls_settings_known", TRI_YES, "registry", l->now, "%s", s->tls_protocols), s->tls_protocols);
}

/* A record does not tell when it was set. A certificate or an update that is younger than the start is a change since; right
 * after a start there was no time for one. */
static enum tri restarted_since_change(const struct look *l)
{
	const struct host_state *s = &l->d->state;
	const struct host_record *r = be_record(s);
	const struct host_cert *c = r ? be_cert(s, r->thumbprint, r->store) : NULL;

	if (s->update_time > s->boot_time || (c != NULL && c->info.not_before > s->boot_time))
		return TRI_NO;
	return l->now - s->boot_time < A_MOMENT ? TRI_YES : TRI_UNKNOWN;
}

static void look_at_boot(struct look *l)
{
	const struct host_state *s = &l->d->state;
	char date[32];
	enum tri since;

	if (!(s->known & HOST_PART_BOOT))
		return;
	if (s->update_time != 0)
		fact_set(l->f, "updated_lately", tri_of(l->now - s->update_time < UPDATED_LATELY), "system", l->now, "%s, %s",
			time_text(s->update_time, date), s->update[0] ? s->update : "an update without a name")->ages = true;
	if (s->boot_time == 0)
		return;
	since = restarted_since_change(l);
	fact_set(l->f, "restarted_lately", tri_of(l->now - s->boot_time < LATELY), "system", l->now, "started at %s",
		time_text(s->boot_time, date))->ages = true;
	fact_set(l->f, "restarted_since_change", since, "system", l->now, "started at %s%s", date, since == TRI_NO ?
		", and changed since" : since == TRI_YES ? ", a moment ago" : "; when the record was set, nobody tells")->ages = true;
}

static int look_at_all(struct look *l, struct err *e)
{
	unsigned parts = HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES | HOST_PART_SERVICES | HOST_PART_SETTINGS | HOST_PART_ITC |
		HOST_PART_BOOT | HOST_PART_POOLS;

	if (l->host->ops->identity(l->host, &l->d->identity, l->deadline, e) < 0)
		return err_prefix(e, "who the host is");
	if (is_another(l, l->host->config))
		return 0;
	if (l->host->ops->observe(l->host, parts, &l->d->state, l->deadline, e) < 0)
		return err_prefix(e, "the state of the host");
	look_at_names(l);
	look_at_site(l);
	look_at_services(l);
	look_at_pools(l);
	look_at_records(l);
	look_at_doors(l);
	look_at_settings(l);
	look_at_boot(l);
	look_at_smtp(l);
	return 0;
}

int be_diagnose(struct host *h, const struct clock *clock, int64_t deadline, struct diagnosis *to, struct err *e)
{
	struct look *l = xcalloc(1, sizeof(*l));
	int r;

	diagnosis_clear(to);
	to->when = clock_wall(clock);
	*l = (struct look){.host = h, .d = to, .f = &to->facts, .deadline = deadline, .now = to->when};
	r = look_at_all(l, e);
	free(l);
	return r;
}
