/* lab_faults_cert.c - breaking the lab's certificates, keys and records the way people do. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "lab/lab_faults.h"
#include "os/os.h"

struct store_cert *of_record(const struct lab *l, struct lab_state *s, const char *endpoint, struct err *e)
{
	struct host_record *r = state_record(s, endpoint);
	struct store_cert *c = r ? store_find(l, r->store, r->thumbprint) : NULL;

	if (!c)
		err_set(e, ERR_REFUSED, "%s has no certificate in the store that could be broken: the lab is broken already", endpoint);
	return c;
}

void bind_record(const struct lab *l, struct lab_state *s, const char *endpoint, const uint8_t thumbprint[20])
{
	if (state_record(s, endpoint))
		lab_event(l, EV_15300, &(struct event_args){.endpoint = endpoint});
	state_set_record(s, endpoint, thumbprint, "MY");
	lab_event(l, EV_15301, &(struct event_args){.endpoint = endpoint});
}

static int delete_of(const struct lab *l, struct lab_state *s, const char *endpoint, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, endpoint, e);

	if (!c)
		return -1;
	store_remove(l, "MY", c->cert.info.thumbprint);
	if (!how->keep_key) {
		store_drop_key(l, c->cert.container);
		store_remove(l, "Root", c->cert.info.thumbprint);
	}
	if (!how->deferred)
		s->cache_epoch++;
	lab_event(l, EV_1004, &(struct event_args){.cert = &c->cert.info, .process = "mmc.exe"});
	store_free(c, 1);
	return 0;
}

int fault_delete_certificate(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	return delete_of(l, s, BACKEND_ENDPOINT, how, e);
}

int fault_front_end_certificate(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	return delete_of(l, s, FRONTEND_ENDPOINT, how, e);
}

int fault_unbind(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	if (!state_record(s, BACKEND_ENDPOINT))
		return err_set(e, ERR_REFUSED, "there is no record for %s to remove", BACKEND_ENDPOINT);
	state_drop_record(s, BACKEND_ENDPOINT);
	lab_event(l, EV_15300, &(struct event_args){.endpoint = BACKEND_ENDPOINT});
	return 0;
}

/* ---- keys ---- */

int fault_drop_key(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, BACKEND_ENDPOINT, e);

	if (!c)
		return -1;
	store_drop_key(l, c->cert.container);
	if (!how->deferred)
		s->cache_epoch++;
	store_free(c, 1);
	return 0;
}

/* Somebody hardened the access list of MachineKeys: the key is there, and nobody may open it. */
int fault_key_access(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, BACKEND_ENDPOINT, e);

	(void)how;
	if (!c)
		return -1;
	store_close_key(l, c->cert.container, true);
	s->cache_epoch++;
	store_free(c, 1);
	return 0;
}

/* Imported again as a .cer: nothing joins it with its key, which is still there. */
int fault_lost_association(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, BACKEND_ENDPOINT, e);
	int r;

	(void)how;
	if (!c)
		return -1;
	r = store_add(l, "MY", c->pem, c->cert.friendly_name, "", c->token, e);
	s->cache_epoch++;
	store_free(c, 1);
	return r;
}

/* The certificate names the container of its neighbour. */
int fault_key_mismatch(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, BACKEND_ENDPOINT, e), *other = c ? of_record(l, s, FRONTEND_ENDPOINT, e) : NULL;
	int r = -1;

	(void)how;
	if (other)
		r = store_add(l, "MY", c->pem, c->cert.friendly_name, other->cert.container, c->token, e);
	s->cache_epoch++;
	if (other)
		store_free(other, 1);
	if (c)
		store_free(c, 1);
	return r;
}

/* Dragged into another store: gone from MY, and its key goes with it. */
int fault_wrong_store(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *c = of_record(l, s, BACKEND_ENDPOINT, e);
	int r;

	(void)how;
	if (!c)
		return -1;
	r = store_add(l, "WebHosting", c->pem, c->cert.friendly_name, c->cert.container, c->token, e);
	store_remove(l, "MY", c->cert.info.thumbprint);
	s->cache_epoch++;
	lab_event(l, EV_1004, &(struct event_args){.cert = &c->cert.info, .process = "mmc.exe"});
	store_free(c, 1);
	return r;
}

/* ---- another history: the server's own certificate was always this one, so nothing is written ---- */

static int was_always(const struct lab *l, struct lab_state *s, const struct cert_template *t, struct err *e)
{
	struct store_cert *old = of_record(l, s, BACKEND_ENDPOINT, e);
	uint8_t thumbprint[20];
	int r;

	if (!old)
		return -1;
	r = store_create(l, t, "Microsoft Exchange", "", true, thumbprint, e);
	if (r == 0) {
		state_set_record(s, BACKEND_ENDPOINT, thumbprint, "MY");
		state_set_record(s, LOCAL_ENDPOINT, thumbprint, "MY");
		memcpy(s->is.itc, thumbprint, 20);
		store_remove(l, "MY", old->cert.info.thumbprint);
		store_remove(l, "Root", old->cert.info.thumbprint);
		store_drop_key(l, old->cert.container);
	}
	store_free(old, 1);
	return r;
}

/* Made that many days ago; 1826 days long, as setup does. */
static int made_before(const struct lab *l, struct lab_state *s, int days, struct err *e)
{
	struct cert_template t;

	own_template(l, &t);
	t.not_before = clock_wall(&l->clock) - days * US_DAY;
	return was_always(l, s, &t, e);
}

int fault_expire(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return made_before(l, s, 1836, e);
}

int fault_expire_soon(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return made_before(l, s, 1806, e);
}

int fault_not_yet_valid(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return made_before(l, s, -10, e);
}

static int weak(const struct lab *l, struct lab_state *s, bool sha1, int bits, bool ec, struct err *e)
{
	struct cert_template t;

	own_template(l, &t);
	t.sha1 = sha1;
	t.key_bits = bits;
	t.ec_key = ec;
	return was_always(l, s, &t, e);
}

int fault_weak(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return weak(l, s, true, 1024, false, e);
}

int fault_weak_sha1(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return weak(l, s, true, 2048, false, e);
}

int fault_weak_1024(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return weak(l, s, false, 1024, false, e);
}

int fault_ec_key(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	return weak(l, s, false, 2048, true, e);
}

/* ---- another certificate on 444 ---- */

/* Copied from a neighbour with its key, and bound by mistake. */
int fault_foreign_name(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct cert_template t;
	uint8_t thumbprint[20];

	(void)how;
	own_template(l, &t);
	text_copy(t.common_name, sizeof t.common_name, "OTHERSERVER");
	text_copy(t.san[0], sizeof t.san[0], "OTHERSERVER");
	snprintf(t.san[1], sizeof t.san[1], "otherserver.%.200s", l->domain);
	if (store_create(l, &t, "Microsoft Exchange", "", false, thumbprint, e) < 0)
		return -1;
	bind_record(l, s, BACKEND_ENDPOINT, thumbprint);
	return 0;
}

/* What remains after somebody enabled the public certificate for IIS with a tool that takes both sites. */
int fault_public_certificate(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *public = of_record(l, s, FRONTEND_ENDPOINT, e);

	(void)how;
	if (!public)
		return -1;
	bind_record(l, s, BACKEND_ENDPOINT, public->cert.info.thumbprint);
	store_free(public, 1);
	return 0;
}

/* The same with a public certificate that carries the server's own name as well. */
int fault_public_own_name(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct cert_template t;
	uint8_t thumbprint[20];

	(void)how;
	own_template(l, &t);
	snprintf(t.common_name, sizeof t.common_name, "mail.%.50s", l->domain);
	snprintf(t.san[0], sizeof t.san[0], "mail.%.200s", l->domain);
	t.days = 397;
	if (store_issue(l, &t, "public certificate (LAB)", thumbprint, e) < 0)
		return -1;
	bind_record(l, s, FRONTEND_ENDPOINT, thumbprint);
	bind_record(l, s, BACKEND_ENDPOINT, thumbprint);
	return 0;
}

/* A tool for short-lived certificates left a record for one address behind, of a certificate that is long gone. */
int fault_shadow_record(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	uint8_t gone[20];

	(void)how, (void)e;
	if (os_random(gone, sizeof gone) < 0)
		die("no random numbers");
	bind_record(l, s, "127.0.0.1:444", gone);
	return 0;
}

/* No fault, but somebody else at work: a person makes a certificate in IIS Manager and binds it, as published recipes say. */
int fault_admin_repair(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct cert_template t;
	struct store_cert *made;
	uint8_t thumbprint[20];

	(void)how;
	own_template(l, &t);
	text_copy(t.common_name, sizeof t.common_name, l->fqdn);
	text_copy(t.san[0], sizeof t.san[0], l->fqdn);
	t.n_san = 1;
	t.days = 365;
	if (store_create(l, &t, "Microsoft Exchange", "", false, thumbprint, e) < 0)
		return -1;
	made = store_find(l, "MY", thumbprint);
	if (made) {
		lab_event(l, EV_1006, &(struct event_args){.cert = &made->cert.info, .process = "inetmgr.exe"});
		store_free(made, 1);
	}
	bind_record(l, s, BACKEND_ENDPOINT, thumbprint);
	return 0;
}
