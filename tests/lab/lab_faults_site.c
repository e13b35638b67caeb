/* lab_faults_site.c - breaking sites, services and sockets of the lab, and what is no matter of certificates. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "lab/lab_faults.h"

static struct host_site *site_of(struct lab_state *s, struct err *e)
{
	struct host_site *site = state_site(s, BACKEND_SITE);

	if (!site)
		err_set(e, ERR_REFUSED, "there is no site '%s'", BACKEND_SITE);
	return site;
}

static struct host_binding *binding_of(struct lab_state *s, struct err *e)
{
	struct host_site *site = site_of(s, e);
	const struct host_binding *b = site ? binding_444(site) : NULL;

	if (!site)
		return NULL;
	if (!b) {
		err_set(e, ERR_REFUSED, "the site '%s' has no https binding on 444 to change", BACKEND_SITE);
		return NULL;
	}
	return &site->bindings[b - site->bindings];
}

int fault_stop_site(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_site *site = site_of(s, e);

	(void)l, (void)how;
	if (site)
		site->started = false;
	return site ? 0 : -1;
}

/* W3SVC: both sites go, and with them 443. */
int fault_stop_service(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how;
	for (size_t i = 0; i < s->is.n_services; i++)
		if (strcmp(s->is.services[i].name, "W3SVC") == 0) {
			s->is.services[i].running = false;
			return 0;
		}
	return err_set(e, ERR_REFUSED, "there is no service W3SVC");
}

int fault_no_site_binding(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_binding *b = binding_of(s, e);
	struct host_site *site;

	(void)how;
	if (!b)
		return -1;
	site = state_site(s, BACKEND_SITE);
	memmove(b, b + 1, (size_t)(&site->bindings[site->n_bindings] - (b + 1)) * sizeof *b);
	site->n_bindings--;
	lab_event(l, EV_IIS29, NULL);
	return 0;
}

/* IIS moves the record with the binding: the wildcard's goes, the address's comes. */
int fault_ip_bound(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_binding *b = binding_of(s, e);
	struct host_record *r = state_record(s, BACKEND_ENDPOINT);
	uint8_t thumbprint[20];

	(void)how;
	if (!b)
		return -1;
	text_copy(b->information, sizeof b->information, "192.0.2.10:444:");
	if (!r)
		return 0;
	memcpy(thumbprint, r->thumbprint, 20);
	state_drop_record(s, BACKEND_ENDPOINT);
	lab_event(l, EV_15300, &(struct event_args){.endpoint = BACKEND_ENDPOINT});
	bind_record(l, s, "192.0.2.10:444", thumbprint);
	return 0;
}

int fault_host_header(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_binding *b = binding_of(s, e);

	(void)how;
	if (b)
		snprintf(b->information, sizeof b->information, "*:444:mail.%.200s", l->domain);
	return b ? 0 : -1;
}

/* The pool of OWA serves front end and back end. */
int fault_app_pool_down(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how;
	for (size_t i = 0; i < s->is.n_pools; i++)
		if (strcmp(s->is.pools[i].name, "MSExchangeOWAAppPool") == 0) {
			s->is.pools[i].running = false;
			return 0;
		}
	return err_set(e, ERR_REFUSED, "there is no pool MSExchangeOWAAppPool");
}

int fault_tls_mismatch(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	s->wrong |= WRONG_TLS10;
	text_copy(s->is.tls_protocols, sizeof s->is.tls_protocols, "server: TLS 1.0; client: TLS 1.2");
	return 0;
}

static int goes_wrong(struct lab_state *s, unsigned wrong)
{
	s->wrong |= wrong;
	return 0;
}

int fault_hang(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_HANG);
}

int fault_mute(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_MUTE);
}

int fault_refuse(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_REFUSE);
}

int fault_stale_state(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_STALE);
}

int fault_hop_broken(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_HOP);
}

/* One address answers and the other does not, and no table says why. */
int fault_contradiction(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	if (!l->ipv6)
		return err_set(e, ERR_REFUSED, "this machine has no ::1: the lab has one address only, which cannot contradict itself");
	return goes_wrong(s, WRONG_SPLIT);
}

/* A machine without the role: the site is not there. */
int fault_no_exchange_site(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_site *site = site_of(s, e);

	(void)l, (void)how;
	if (!site)
		return -1;
	memmove(site, site + 1, (size_t)(&s->is.sites[s->is.n_sites] - (site + 1)) * sizeof *site);
	s->is.n_sites--;
	return 0;
}

int fault_not_exchange(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_NO_EXCHANGE);
}

/* A relay connector was given a name that no certificate carries. */
int fault_smtp_connector(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	text_copy(s->connector, sizeof s->connector, "relay.contoso.example");
	return 0;
}

int fault_disk_full(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	return goes_wrong(s, WRONG_DISK_FULL);
}
