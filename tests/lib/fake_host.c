/* fake_host.c - host.h answered from memory. Doors are computed from records and store, as HTTP.SYS does. */
#include "lib/fake_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct fake_host {
	struct host base;
	struct fake_world *world;
	bool gone, has_lock;
};

#define E444 "0.0.0.0:444"
#define E443 "0.0.0.0:443"

static struct host_record *find_record(const struct fake_world *w, const char *endpoint)
{
	for (size_t i = 0; i < w->state->n_records; i++)
		if (strcmp(w->state->records[i].endpoint, endpoint) == 0)
			return &w->state->records[i];
	return NULL;
}

const struct host_record *fake_record(const struct fake_world *w, const char *endpoint)
{
	return find_record(w, endpoint);
}

static struct host_cert *find_cert(const struct fake_world *w, const uint8_t t[20], const char *store)
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
	return c;
}

static void add_record(struct fake_world *w, const char *endpoint, uint16_t port, const uint8_t t[20])
{
	struct host_record *r = &w->state->records[w->state->n_records++];

	memset(r, 0, sizeof(*r));
	text_copy(r->endpoint, sizeof(r->endpoint), endpoint);
	r->port = port;
	memcpy(r->thumbprint, t, 20);
	text_copy(r->store, sizeof(r->store), "MY");
	text_copy(r->appid, sizeof(r->appid), "{4dc3e181-e14b-4a21-b022-59fc669b0914}");
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
	s->known = 127;
	add_record(w, E444, 444, fake_cert_add(w, "MY", "Microsoft Exchange", true, 1000)->info.thumbprint);
	add_record(w, E443, 443, fake_cert_add(w, "MY", "mail.lab.example", false, 300)->info.thumbprint);
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
	s->allow_internal_untrusted = TRI_YES;
}

void fake_world_free(struct fake_world *w)
{
	free(w->state);
	w->state = NULL;
}

void fake_delete_backend_cert(struct fake_world *w, bool keep_cache)
{
	struct host_record *r = find_record(w, E444);
	struct host_cert *c = find_cert(w, r->thumbprint, "MY");

	w->cached = keep_cache;
	w->cache = c->info;
	*c = w->state->certs[--w->state->n_certs];
}

void fake_unbind(struct fake_world *w)
{
	struct host_record *r = find_record(w, E444);

	*r = w->state->records[--w->state->n_records];
}

/* What 444 shows: NULL when the handshake is cut. */
static const struct cert_info *served(const struct fake_world *w)
{
	const struct host_record *r = find_record(w, E444);
	const struct host_cert *c = r ? find_cert(w, r->thumbprint, r->store) : NULL;

	if (c != NULL && c->key_opens == TRI_YES)
		return &c->info;
	return r && w->cached && memcmp(w->cache.thumbprint, r->thumbprint, 20) == 0 ? &w->cache : NULL;
}

bool fake_backend_works(const struct fake_world *w)
{
	const struct host_record *r = find_record(w, E444);
	const struct host_cert *c = r ? find_cert(w, r->thumbprint, r->store) : NULL;

	return w->state->sites[0].started && w->state->sites[0].n_bindings > 0 && c != NULL && c->key_opens == TRI_YES &&
		cert_has_name(&c->info, w->identity.fqdn);
}

/* Counts an operation. 0: go on; 1: say that it was done, and do nothing; -1: failed as the fault says.
 * *after: fail once it is done. */
static int count(struct fake_host *h, bool acts, bool *after, struct err *e)
{
	struct fake_world *w = h->world;

	*after = false;
	if (h->gone)
		return err_set(e, ERR_IO, "the connection is gone");
	w->operations++;
	if (w->at_operation)
		w->at_operation(w->arg, w->operations);
	if (w->operations != w->fail_at)
		return 0;
	switch (w->fault) {
	case FAKE_REFUSE:
		return err_set(e, ERR_REFUSED, "the host says no, as the test told it");
	case FAKE_HANG:
		fake_clock_advance(w->clock, 31 * US_SECOND);
		/* fall through */
	case FAKE_LOST_BEFORE:
		h->gone = true;
		return err_set(e, ERR_IO, "the connection was lost before");
	case FAKE_LOST_AFTER:
		*after = true;
		return 0;
	case FAKE_LIE:
		return acts ? 1 : 0;
	default:
		return 0;
	}
}

static int done(struct fake_host *h, bool after, struct err *e)
{
	if (h->world->after_operation)
		h->world->after_operation(h->world->arg, h->world->operations);
	if (!after)
		return 0;
	h->gone = true;
	return err_set(e, ERR_IO, "the connection was lost after");
}

static int fake_identity(struct host *base, struct host_identity *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	bool after;

	(void)deadline;
	if (count(h, false, &after, e) < 0)
		return -1;
	*to = h->world->identity;
	return done(h, after, e);
}

static int fake_observe(struct host *base, unsigned parts, struct host_state *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	const struct host_state *from;
	bool after;

	(void)deadline;
	if (count(h, false, &after, e) < 0)
		return -1;
	from = h->world->state;
	memcpy(to, from, offsetof(struct host_state, certs));
	memcpy(to->certs, from->certs, from->n_certs * sizeof(from->certs[0]));
	memcpy(&to->n_certs, &from->n_certs, sizeof(*to) - offsetof(struct host_state, n_certs));
	to->known &= parts;
	return done(h, after, e);
}

static int fake_busy(struct host *base, enum host_busy *to, char what[static 128], int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	bool after;

	(void)deadline;
	if (count(h, false, &after, e) < 0)
		return -1;
	*to = h->world->busy;
	text_copy(what, 128, host_busy_text(*to));
	return done(h, after, e);
}

static void show(struct probe_result *to, const struct cert_info *c)
{
	to->tls = TLS_OK;
	to->leaf = *c;
	to->has_leaf = true;
}

static void knock_backend(const struct fake_world *w, const struct host_probe_ask *ask, struct probe_result *to)
{
	const struct host_site *s = &w->state->sites[0];
	const struct cert_info *c = served(w);

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
		to->http_status = w->pool_down ? 503 : 200;
}

static int fake_probe(struct host *base, const struct host_probe_ask *ask, struct probe_result *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	const struct fake_world *w = h->world;
	const struct host_record *front = find_record(w, E443);
	struct probe_result back;
	bool after;

	(void)deadline;
	if (count(h, false, &after, e) < 0)
		return -1;
	memset(to, 0, sizeof(*to));
	memset(&back, 0, sizeof(back));
	if (ask->kind == HOST_PROBE_BACKEND) {
		knock_backend(w, ask, to);
		return done(h, after, e);
	}
	if (front == NULL || find_cert(w, front->thumbprint, "MY") == NULL) {
		to->tls = TLS_RESET;
		return done(h, after, e);
	}
	show(to, &find_cert(w, front->thumbprint, "MY")->info);
	if (ask->kind == HOST_PROBE_HOP) {
		struct host_probe_ask inner = *ask;

		inner.version = TLS_ONLY_1_2; /* the front end takes no less */
		knock_backend(w, &inner, &back);
		to->http_status = back.tls == TLS_OK && !w->hop_fails ? 200 : 500;
		if (to->http_status == 200)
			text_copy(to->answer_header, sizeof(to->answer_header), "X-BEServer: EX1");
	}
	return done(h, after, e);
}

static int create(struct fake_world *w, const struct host_step *s, struct host_step_result *to)
{
	struct host_cert *c;

	if (strcmp(w->token, s->token) == 0) {
		memcpy(to->thumbprint, w->created, 20);
		return 0;
	}
	c = fake_cert_add(w, "MY", s->friendly_name, true, s->template.days);
	c->info.not_before = s->template.not_before;
	text_copy(w->token, sizeof(w->token), s->token);
	memcpy(w->created, c->info.thumbprint, 20);
	memcpy(to->thumbprint, w->created, 20);
	w->creations++;
	to->did = true;
	return 0;
}

static int set_record(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	struct host_record *r = find_record(w, s->endpoint);
	struct host_cert *c = find_cert(w, s->thumbprint, s->store);

	if (c == NULL || c->key_opens != TRI_YES)
		return err_set(e, ERR_REFUSED, "failed: 1312, no such certificate or no key");
	if (r != NULL) {
		to->has_old = true;
		to->old = *r;
		*r = w->state->records[--w->state->n_records];
	}
	add_record(w, s->endpoint, 444, s->thumbprint);
	to->did = true;
	return 0;
}

static int act(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	struct host_site *site = &w->state->sites[0];

	switch (s->kind) {
	case STEP_CERT_CREATE:
		return create(w, s, to);
	case STEP_RECORD_SET:
		return set_record(w, s, to, e);
	case STEP_SITE_BINDING_ADD:
		site->bindings[site->n_bindings++] = s->binding;
		to->did = true;
		return 0;
	case STEP_IIS_RESTART:
		w->hop_fails = false;
		to->did = true;
		return 0;
	default:
		return err_set(e, ERR_REFUSED, "unsupported");
	}
}

static int fake_apply(struct host *base, const struct host_step *step, struct host_step_result *to, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	bool after;
	int how = count(h, true, &after, e);

	(void)deadline;
	memset(to, 0, sizeof(*to));
	if (how < 0)
		return -1;
	to->did = how == 1;
	if (how == 0 && act(h->world, step, to, e) < 0)
		return -1;
	return done(h, after, e);
}

static int fake_undo(struct host *base, const struct host_step *step, const struct host_step_result *was, int64_t deadline,
	struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	struct fake_world *w = h->world;
	struct host_record *r = find_record(w, step->endpoint);
	bool after;
	int how = count(h, true, &after, e);

	(void)deadline;
	if (how < 0)
		return -1;
	if (how == 0 && step->kind == STEP_RECORD_SET) {
		if (was->has_old && find_cert(w, was->old.thumbprint, was->old.store) == NULL)
			return err_set(e, ERR_REFUSED, "failed: 1312");
		if (r != NULL)
			*r = w->state->records[--w->state->n_records];
		if (was->has_old)
			add_record(w, step->endpoint, 444, was->old.thumbprint);
	} else if (how == 0 && step->kind == STEP_CERT_CREATE) {
		struct host_cert *c = find_cert(w, was->thumbprint, "MY");

		if (c == NULL || memcmp(was->thumbprint, w->created, 20) != 0 || strcmp(w->token, step->token) != 0)
			return err_set(e, ERR_REFUSED, "conflict: not ours");
		*c = w->state->certs[--w->state->n_certs];
		w->token[0] = '\0';
	} else if (how == 0 && step->kind == STEP_SITE_BINDING_ADD) {
		w->state->sites[0].n_bindings = 0;
	}
	return done(h, after, e);
}

static int fake_lock(struct host *base, const char *who, int64_t deadline, struct err *e)
{
	struct fake_host *h = (struct fake_host *)base;
	bool after;

	(void)who;
	(void)deadline;
	if (count(h, false, &after, e) < 0)
		return -1;
	if (h->world->locked)
		return err_set(e, ERR_REFUSED, "busy: another one has the lock");
	h->world->locked = h->has_lock = true;
	return done(h, after, e);
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

	(void)config;
	(void)deadline;
	(void)e;
	h->base.ops = &fake_ops;
	h->world = world;
	h->base.clock = &h->world->clock->clock;
	return &h->base;
}
