/* canned_host.h - a host whose every answer is laid out beforehand: a state, and what each door shows. For tests of facts. */
#ifndef EVMEND_TESTS_CANNED_HOST_H
#define EVMEND_TESTS_CANNED_HOST_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "remedies/exchange_backend/backend.h"

#define CANNED_NOW (INT64_C(1772439300) * US_SECOND) /* 2026-03-02 */

struct canned_door {
	bool broken;             /* the probe itself fails */
	struct probe_result shows;
};

struct canned_host {
	struct host base;
	struct clock clock;
	struct host_identity identity;
	struct host_state *state;
	struct canned_door back[HOST_ADDRESSES][2], front, local, hop; /* [address][version]; local: 127.0.0.1:443 */
	int asked;               /* probes */
};

static inline int canned_identity(struct host *h, struct host_identity *to, int64_t deadline, struct err *e)
{
	(void)deadline;
	(void)e;
	*to = ((struct canned_host *)h)->identity;
	return 0;
}

static inline int canned_observe(struct host *h, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	const struct host_state *from = ((struct canned_host *)h)->state;

	(void)deadline;
	(void)e;
	memcpy(to, from, offsetof(struct host_state, certs));
	memcpy(to->certs, from->certs, from->n_certs * sizeof(from->certs[0]));
	memcpy(&to->n_certs, &from->n_certs, sizeof(*to) - offsetof(struct host_state, n_certs));
	to->known &= parts;
	return 0;
}

static inline int canned_probe(struct host *h, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline,
	struct err *e)
{
	struct canned_host *c = (struct canned_host *)h;
	bool by_name = strcmp(ask->address, c->identity.fqdn) == 0;
	const struct canned_door *d = ask->kind == HOST_PROBE_HOP ? &c->hop : by_name ? &c->front : &c->local;

	(void)deadline;
	c->asked++;
	for (size_t i = 0; ask->kind == HOST_PROBE_BACKEND && i < c->identity.n_addresses; i++)
		if (strcmp(c->identity.addresses[i], ask->address) == 0)
			d = &c->back[i][ask->version == TLS_ONLY_1_2];
	if (d->broken)
		return err_set(e, ERR_IO, "this door cannot be asked");
	*to = d->shows;
	if (ask->path[0] == '\0')
		to->http_status = 0;
	return 0;
}

static inline struct host_cert *canned_cert(struct canned_host *c, const char *store, uint8_t byte, const char *name)
{
	struct host_cert *to = &c->state->certs[c->state->n_certs++];
	struct cert_info *i = &to->info;

	memset(to, 0, sizeof(*to));
	memset(i->thumbprint, byte, 20);
	text_copy(i->san[i->n_san++], sizeof(i->san[0]), name);
	text_copy(i->common_name, sizeof(i->common_name), name);
	i->not_before = CANNED_NOW - 100 * US_DAY;
	i->not_after = CANNED_NOW + 1000 * US_DAY;
	i->key = KEY_RSA;
	i->key_bits = 2048;
	i->server_auth = i->digital_signature = i->self_signed = true;
	text_copy(i->signature, sizeof(i->signature), "sha256WithRSAEncryption");
	text_copy(to->store, sizeof(to->store), store);
	to->has_key = to->key_opens = to->key_matches = TRI_YES;
	to->csp = true;
	text_copy(to->provider, sizeof(to->provider), "Microsoft RSA SChannel Cryptographic Provider");
	return to;
}

static inline struct host_record *canned_record(struct canned_host *c, const char *endpoint, uint16_t port, uint8_t byte)
{
	struct host_record *r = &c->state->records[c->state->n_records++];

	memset(r, 0, sizeof(*r));
	text_copy(r->endpoint, sizeof(r->endpoint), endpoint);
	r->port = port;
	memset(r->thumbprint, byte, 20);
	text_copy(r->store, sizeof(r->store), "MY");
	return r;
}

static inline void canned_running(struct host_service *list, size_t *n, const char *name, bool running)
{
	text_copy(list[*n].name, sizeof(list[*n].name), name);
	list[(*n)++].running = running;
}

static inline void canned_shows(struct probe_result *to, const struct host_cert *c, int status)
{
	memset(to, 0, sizeof(*to));
	to->tcp = TCP_OK;
	to->tls = TLS_OK;
	to->has_leaf = true;
	to->leaf = c->info;
	to->http_status = status;
}

static inline void canned_fails(struct probe_result *to, enum probe_tcp tcp, enum probe_tls tls, int alert)
{
	memset(to, 0, sizeof(*to));
	to->tcp = tcp;
	to->tls = tcp == TCP_OK ? tls : TLS_NOT_TRIED;
	to->alert = alert;
}

/* A healthy server: 444 has the certificate aa, 443 and 127.0.0.1:443 the certificate cc; aa is the internal transport one. */
static inline struct canned_host *canned_new(void)
{
	static const struct host_ops ops = {.identity = canned_identity, .observe = canned_observe, .probe = canned_probe};
	static const char *const addresses[] = {"127.0.0.1", "::1", "ex1.contoso.example"};
	struct canned_host *c = xcalloc(1, sizeof(*c));
	struct host_state *s = c->state = xcalloc(1, sizeof(*s));
	struct host_cert *own, *public;

	c->base.ops = &ops;
	c->clock = clock_fixed(CANNED_NOW);
	text_copy(c->identity.netbios, sizeof(c->identity.netbios), "EX1");
	text_copy(c->identity.fqdn, sizeof(c->identity.fqdn), addresses[2]);
	c->identity.exchange = true;
	for (size_t i = 0; i < 3; i++)
		text_copy(c->identity.addresses[c->identity.n_addresses++], sizeof(c->identity.addresses[0]), addresses[i]);
	s->known = 255;
	own = canned_cert(c, "MY", 0xaa, "ex1.contoso.example");
	text_copy(own->info.san[own->info.n_san++], sizeof(own->info.san[0]), "EX1");
	text_copy(own->friendly_name, sizeof(own->friendly_name), BE_FRIENDLY);
	public = canned_cert(c, "MY", 0xcc, "mail.contoso.example");
	canned_record(c, BE_ENDPOINT, 444, 0xaa);
	canned_record(c, "0.0.0.0:443", 443, 0xcc);
	canned_record(c, "127.0.0.1:443", 443, 0xcc);
	text_copy(s->sites[0].name, sizeof(s->sites[0].name), BE_SITE);
	s->sites[0].started = true;
	text_copy(s->sites[0].bindings[0].protocol, 16, "https");
	text_copy(s->sites[0].bindings[0].information, 256, "*:444:");
	s->sites[0].n_bindings = s->n_sites = 1;
	canned_running(s->services, &s->n_services, "W3SVC", true);
	canned_running(s->services, &s->n_services, "WAS", true);
	canned_running(s->services, &s->n_services, "HTTP", true);
	canned_running(s->pools, &s->n_pools, "DefaultAppPool", false);
	canned_running(s->pools, &s->n_pools, "MSExchangeOWAAppPool", true);
	canned_running(s->pools, &s->n_pools, "MSExchangePowerShellAppPool", true);
	s->allow_internal_untrusted = TRI_YES;
	text_copy(s->tls_protocols, sizeof(s->tls_protocols), "server: TLS 1.2; client: TLS 1.2");
	s->itc_known = true;
	memset(s->itc, 0xaa, 20);
	s->boot_time = CANNED_NOW - 30 * US_DAY;
	s->update_time = CANNED_NOW - 31 * US_DAY;
	text_copy(s->update, sizeof(s->update), "Cumulative Update 14");
	for (size_t i = 0; i < 3; i++) {
		canned_shows(&c->back[i][0].shows, own, 200);
		canned_shows(&c->back[i][1].shows, own, 0);
	}
	canned_shows(&c->front.shows, public, 0);
	canned_shows(&c->local.shows, public, 0);
	canned_shows(&c->hop.shows, public, 200);
	text_copy(c->hop.shows.answer_header, sizeof(c->hop.shows.answer_header), "X-BEServer: EX1");
	return c;
}

static inline void canned_free(struct canned_host *c)
{
	free(c->state);
	free(c);
}

#endif
