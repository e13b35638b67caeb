/* fake_host.c - host.h answered from memory. Doors are computed from records and store, as HTTP.SYS does. */
#include "lib/fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct fake_host {
	struct host base;
	struct fake_world *world;
	bool gone, has_lock;
};

struct host_record *fake_record(const struct fake_world *w, const char *endpoint)
{
	for (size_t i = 0; i < w->state->n_records; i++)
		if (strcmp(w->state->records[i].endpoint, endpoint) == 0)
			return &w->state->records[i];
	return NULL;
}

struct host_cert *fake_cert(const struct fake_world *w, const uint8_t t[20], const char *store)
{
	for (size_t i = 0; i < w->state->n_certs; i++)
		if (memcmp(w->state->certs[i].info.thumbprint, t, 20) == 0 && text_same(w->state->certs[i].store, store))
			return &w->state->certs[i];
	return NULL;
}

struct host_cert *fake_cert_add(struct fake_world *w, const char *store, const char *name, bool own, int64_t days)
{
	struct host_cert *c = &w->state->certs[w->state->n_certs++];
	struct cert_info *i = &c->info;

	memset(c, 0, sizeof(*c));
	w->serial++;
	memset(i->thumbprint, 0xa0 + w->serial, 20);
	i->thumbprint[19] = (uint8_t)w->serial;
	text_copy(i->common_name, sizeof(i->common_name), own ? w->identity.netbios : name);
	text_copy(i->san[i->n_san++], sizeof(i->san[0]), own ? w->identity.netbios : name);
	if (own)
		text_copy(i->san[i->n_san++], sizeof(i->san[0]), w->identity.fqdn);
	i->not_before = w->clock->wall - US_DAY;
	i->not_after = w->clock->wall + days * US_DAY;
	i->key = KEY_RSA;
	i->key_bits = 2048;
	i->self_signed = own;
	i->server_auth = i->digital_signature = true;
	text_copy(i->signature, sizeof(i->signature), "sha256WithRSAEncryption");
	text_copy(c->store, sizeof(c->store), store);
	text_copy(c->friendly_name, sizeof(c->friendly_name), name);
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	c->csp = true;
	text_copy(c->provider, sizeof(c->provider), "Microsoft RSA SChannel Cryptographic Provider");
	(void)snprintf(c->container, sizeof(c->container), "container-%d", w->serial);
	return c;
}

void fake_bind(struct fake_world *w, const char *endpoint, uint16_t port, const uint8_t t[20], const char *store)
{
	struct host_record *r = &w->state->records[w->state->n_records++];

	memset(r, 0, sizeof(*r));
	text_copy(r->endpoint, sizeof(r->endpoint), endpoint);
	r->port = port;
	memcpy(r->thumbprint, t, 20);
	text_copy(r->store, sizeof(r->store), store);
	text_copy(r->appid, sizeof(r->appid), "{4dc3e181-e14b-4a21-b022-59fc669b0914}");
}

/* All but the room for certificates that are not there. */
static void copy_state(struct host_state *to, const struct host_state *from)
{
	memcpy(to, from, offsetof(struct host_state, certs));
	memcpy(to->certs, from->certs, from->n_certs * sizeof(from->certs[0]));
	memcpy(&to->n_certs, &from->n_certs, sizeof(*to) - offsetof(struct host_state, n_certs));
}

void fake_world_init(struct fake_world *w, struct fake_clock *clock)
{
	struct host_state *s = xcalloc(1, sizeof(*s));

	memset(w, 0, sizeof(*w));
	w->state = s;
	w->clock = clock;
	text_copy(w->identity.netbios, sizeof(w->identity.netbios), "EX1");
	text_copy(w->identity.fqdn, sizeof(w->identity.fqdn), "ex1.lab.example");
	w->identity.exchange = w->identity.lab = true;
	text_copy(w->identity.addresses[0], sizeof(w->identity.addresses[0]), "127.0.0.1");
	text_copy(w->identity.addresses[1], sizeof(w->identity.addresses[1]), "::1");
	w->identity.n_addresses = 2;
	w->identity.backend_port = 444;
	w->identity.frontend_port = 443;
	s->known = 255;
	fake_bind(w, FAKE_BACKEND, 444, fake_cert_add(w, "MY", "Microsoft Exchange", true, 1000)->info.thumbprint, "MY");
	fake_bind(w, FAKE_FRONTEND, 443, fake_cert_add(w, "MY", "mail.lab.example", false, 300)->info.thumbprint, "MY");
	(void)fake_cert_add(w, "MY", "Microsoft Exchange Server Auth Certificate", true, 900);
	text_copy(s->sites[0].name, sizeof(s->sites[0].name), "Exchange Back End");
	s->sites[0].id = 2;
	s->sites[0].started = true;
	text_copy(s->sites[0].bindings[0].protocol, 16, "https");
	text_copy(s->sites[0].bindings[0].information, 256, "*:444:");
	s->sites[0].n_bindings = 1;
	s->n_sites = 1;
	text_copy(s->services[0].name, sizeof(s->services[0].name), "W3SVC");
	s->services[0].running = true;
	s->n_services = 1;
	text_copy(s->pools[0].name, sizeof(s->pools[0].name), "MSExchangeOWAAppPool");
	s->pools[0].running = true;
	s->n_pools = 1;
	s->allow_internal_untrusted = TRI_YES;
	w->first = xcalloc(1, sizeof(*w->first));
	copy_state(w->first, s);
}

void fake_world_free(struct fake_world *w)
{
	free(w->state);
	free(w->first);
	w->state = w->first = NULL;
}

void fake_delete_backend_cert(struct fake_world *w, bool keep_cache)
{
	struct host_record *r = fake_record(w, FAKE_BACKEND);
	struct host_cert *c = fake_cert(w, r->thumbprint, "MY");

	w->cached = keep_cache;
	w->cache = c->info;
	*c = w->state->certs[--w->state->n_certs];
}

void fake_unbind(struct fake_world *w)
{
	struct host_record *r = fake_record(w, FAKE_BACKEND);

	*r = w->state->records[--w->state->n_records];
}

const struct cert_info *fake_served(const struct fake_world *w)
{
	const struct host_record *r = fake_record(w, FAKE_BACKEND);
	const struct host_cert *c = r ? fake_cert(w, r->thumbprint, r->store) : NULL;

	if (w->stale)
		return NULL;
	if (c != NULL && c->key_opens == TRI_YES)
		return &c->info;
	return r && w->cached && memcmp(w->cache.thumbprint, r->thumbprint, 20) == 0 ? &w->cache : NULL;
}

bool fake_backend_works(const struct fake_world *w)
{
	const struct host_record *r = fake_record(w, FAKE_BACKEND);
	const struct host_cert *c = r ? fake_cert(w, r->thumbprint, r->store) : NULL;

	return w->state->sites[0].started && w->state->sites[0].n_bindings > 0 && !w->stale && c != NULL && c->key_opens == TRI_YES &&
		cert_has_name(&c->info, w->identity.fqdn);
}

static int lose(struct fake_host *h, struct err *e)
{
	h->gone = true;
	return err_set(e, ERR_IO, "the connection was lost");
}

/* Counts an operation; *how: what is wrong with it. -1: it does not even begin. */
static int count(struct fake_host *h, enum fake_fault *how, struct err *e)
{
	struct fake_world *w = h->world;

	*how = FAKE_NONE;
	if (h->gone || w->dead)
		return lose(h, e);
	w->operations++;
	if (w->at_operation)
		w->at_operation(w->arg, w->operations);
	if (w->dead)
		return lose(h, e);
	if (w->operations != w->fail_at)
		return 0;
	*how = w->fault;
	if (w->fault == FAKE_HANG || w->fault == FAKE_HANG_AFTER)
		fake_clock_advance(w->clock, 31 * US_SECOND);
	if (w->fault == FAKE_REFUSE)
		return err_set(e, ERR_REFUSED, "the host says no, as the test told it");
	return w->fault == FAKE_HANG || w->fault == FAKE_LOST_BEFORE ? lose(h, e) : 0;
}

static int done(struct fake_host *h, enum fake_fault how, struct err *e)
{
	if (h->world->after_operation && !h->world->dead)
		h->world->after_operation(h->world->arg, h->world->operations);
	if (how == FAKE_LOST_AFTER || how == FAKE_HANG_AFTER || h->world->dead)
		return lose(h, e);
	return how == FAKE_SLANDER ? err_set(e, ERR_REFUSED, "it failed, the host says, and it did not") : 0;
}

/* An answer that is wrong is an answer all the same. */
static int told(struct fake_host *h, enum fake_fault how, struct err *e)
{
	return done(h, how == FAKE_SLANDER ? FAKE_NONE : how, e);
}

static int fake_identity(struct host *base, struct host_identity *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	enum fake_fault how;

	(void)deadline;
	if (count(h, &how, e) < 0)
		return -1;
	*to = h->world->identity;
	if (how == FAKE_LIE)
		to->exchange = false;
	if (how == FAKE_SLANDER) {
		text_copy(to->netbios, sizeof(to->netbios), "EX9");
		text_copy(to->fqdn, sizeof(to->fqdn), "ex9.lab.example");
	}
	if (how == FAKE_HALF)
		to->n_addresses = 1;
	return told(h, how, e);
}

static int fake_observe(struct host *base, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	enum fake_fault how;

	(void)deadline;
	if (count(h, &how, e) < 0)
		return -1;
	copy_state(to, how == FAKE_LIE ? h->world->first : h->world->state);
	to->known &= parts;
	if (how == FAKE_HALF)
		to->known &= (unsigned)HOST_PART_RECORDS | HOST_PART_SITES;
	for (size_t i = 0; how == FAKE_SLANDER && i < to->n_records; i++)
		if (strcmp(to->records[i].endpoint, FAKE_BACKEND) == 0)
			to->records[i] = to->records[--to->n_records];
	return told(h, how, e);
}

static int fake_busy(struct host *base, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	enum fake_fault how;

	(void)deadline;
	if (count(h, &how, e) < 0)
		return -1;
	*to = how == FAKE_SLANDER || how == FAKE_HALF ? HOST_INSTALLING : h->world->busy;
	text_copy(what, 128, host_busy_text(*to));
	return told(h, how, e);
}

static void show(struct probe_result *to, const struct cert_info *c)
{
	to->tls = TLS_OK;
	to->leaf = *c;
	to->has_leaf = true;
}

static bool was_there(const struct fake_world *w, const struct cert_info *c)
{
	for (size_t i = 0; i < w->first->n_certs; i++)
		if (memcmp(w->first->certs[i].info.thumbprint, c->thumbprint, 20) == 0)
			return true;
	return false;
}

static void knock_backend(const struct fake_world *w, const struct host_probe_ask *ask, struct probe_result *to)
{
	const struct host_site *s = &w->state->sites[0];
	const struct cert_info *c = fake_served(w);

	to->tls = TLS_NOT_TRIED;
	if (!s->started || s->n_bindings == 0) {
		to->tcp = TCP_REFUSED;
		return;
	}
	to->tls = TLS_RESET;
	if (c == NULL || (w->tls10_only && ask->version == TLS_ONLY_1_2))
		return;
	show(to, c);
	if (ask->path[0])
		to->http_status = w->pool_down || (w->new_fails && !was_there(w, c)) ? 503 : 200;
}

static void knock_frontend(const struct fake_world *w, const struct host_probe_ask *ask, struct probe_result *to)
{
	const struct host_record *local = strcmp(ask->address, "127.0.0.1") == 0 ? fake_record(w, "127.0.0.1:443") : NULL;
	const struct host_record *front = local ? local : fake_record(w, FAKE_FRONTEND);
	const struct host_cert *c = front ? fake_cert(w, front->thumbprint, "MY") : NULL;
	struct host_probe_ask inner = *ask;
	struct probe_result back;

	to->tls = TLS_RESET;
	if (c == NULL)
		return;
	show(to, &c->info);
	if (ask->kind != HOST_PROBE_HOP)
		return;
	memset(&back, 0, sizeof(back));
	inner.version = TLS_ONLY_1_2; /* the front end takes no less */
	knock_backend(w, &inner, &back);
	to->http_status = back.tls == TLS_OK && !w->hop_fails ? 200 : 500;
	if (to->http_status == 200)
		text_copy(to->answer_header, sizeof(to->answer_header), "X-BEServer: EX1");
}

static int fake_probe(struct host *base, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	const struct fake_world *w = h->world;
	enum fake_fault how;

	(void)deadline;
	if (count(h, &how, e) < 0)
		return -1;
	memset(to, 0, sizeof(*to));
	if (ask->kind == HOST_PROBE_HOP && w->no_hop) {
		(void)told(h, how, e);
		return h->gone ? -1 : err_set(e, ERR_REFUSED, "unsupported");
	}
	if (ask->kind == HOST_PROBE_BACKEND)
		knock_backend(w, ask, to);
	else
		knock_frontend(w, ask, to);
	if (how == FAKE_LIE && ask->kind == HOST_PROBE_BACKEND) {
		to->tcp = TCP_OK;
		show(to, &w->first->certs[0].info);
		to->http_status = 200;
	} else if (how == FAKE_SLANDER) {
		memset(to, 0, sizeof(*to));
		to->tls = TLS_RESET;
	} else if (how == FAKE_HALF) {
		to->tls = TLS_ERROR;
		to->has_leaf = false;
		to->http_status = 0;
	}
	return told(h, how, e);
}

static int fake_apply(struct host *base, const struct host_step *step, struct host_step_result *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	struct fake_world *w = h->world;
	enum fake_fault how;

	(void)deadline;
	memset(to, 0, sizeof(*to));
	if (w->at_step && !w->dead)
		w->at_step(w->arg, step, false);
	if (count(h, &how, e) < 0)
		return -1;
	to->did = how == FAKE_LIE;
	if (how == FAKE_HALF) {
		fake_step_half(w, step);
		(void)done(h, how, e);
		return h->gone || w->dead ? lose(h, e) : err_set(e, ERR_REFUSED, "failed half way");
	}
	if (how != FAKE_LIE && fake_step(w, step, to, e) < 0)
		return -1;
	return done(h, how, e);
}

static int fake_undo(struct host *base, const struct host_step *step, const struct host_step_result *was, int64_t deadline,
	struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	struct fake_world *w = h->world;
	enum fake_fault how;

	(void)deadline;
	if (w->at_step && !w->dead)
		w->at_step(w->arg, step, true);
	if (count(h, &how, e) < 0)
		return -1;
	if (how == FAKE_HALF) {
		fake_step_half(w, step);
		return err_set(e, ERR_REFUSED, "failed half way");
	}
	if (how != FAKE_LIE && fake_step_undo(w, step, was, e) < 0)
		return -1;
	return done(h, how, e);
}

static int fake_lock(struct host *base, const char *who, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	enum fake_fault how;

	(void)who;
	(void)deadline;
	if (count(h, &how, e) < 0)
		return -1;
	if (h->world->locked && how != FAKE_LIE)
		return err_set(e, ERR_REFUSED, "busy: another one has the lock");
	h->has_lock = how != FAKE_LIE;
	h->world->locked = h->world->locked || h->has_lock;
	return done(h, how == FAKE_HALF ? FAKE_SLANDER : how, e);
}

static void fake_close(struct host *base)
{
	struct fake_host *h = (struct fake_host *)base;

	if (h->has_lock)
		h->world->locked = false;
	free(h);
}

static const struct host_ops fake_ops = {
	.identity = fake_identity,
	.observe = fake_observe,
	.busy = fake_busy,
	.probe = fake_probe,
	.apply = fake_apply,
	.undo = fake_undo,
	.lock = fake_lock,
	.close = fake_close,
};

struct host *fake_host_open(void *world, const struct host_config *config, int64_t deadline, struct err *e)
{
	struct fake_host *h = xcalloc(1, sizeof(*h));

	(void)deadline;
	(void)e;
	h->base.ops = &fake_ops;
	h->base.config = config;
	h->world = world;
	h->base.clock = &h->world->clock->clock;
	return &h->base;
}
