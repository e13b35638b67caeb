/* lab_faults.c - breaking the lab the way people break Exchange. faults.tsv says what each fault writes.
 *
 * Only what Windows itself would write at that moment is written here; what follows from use (15021, SendFailure ...) is written by
 * the server when somebody really knocks. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lab/lab.h"

struct how {
	bool deferred, keep_key;
};

typedef int fault_fn(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e);

/* The certificate that a record names, as far as it is in the store. */
static struct store_cert *of_record(const struct lab *l, struct lab_state *s, const char *endpoint, struct err *e)
{
	struct host_record *r = state_record(s, endpoint);
	struct store_cert *c = r ? store_find(l, "MY", r->thumbprint) : NULL;

	if (!c)
		err_set(e, ERR_REFUSED, "%s has no certificate in the store that could be broken: the lab is broken already", endpoint);
	return c;
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

static int delete_certificate(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	return delete_of(l, s, BACKEND_ENDPOINT, how, e);
}

static int front_end_certificate(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	return delete_of(l, s, FRONTEND_ENDPOINT, how, e);
}

static int unbind(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)how;
	if (!state_record(s, BACKEND_ENDPOINT))
		return err_set(e, ERR_REFUSED, "there is no record for %s to remove", BACKEND_ENDPOINT);
	state_drop_record(s, BACKEND_ENDPOINT);
	lab_event(l, EV_15300, &(struct event_args){.endpoint = BACKEND_ENDPOINT});
	return 0;
}

static int drop_key(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
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

static int stop_site(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_site *site = state_site(s, BACKEND_SITE);

	(void)l, (void)how;
	if (!site)
		return err_set(e, ERR_REFUSED, "there is no site '%s'", BACKEND_SITE);
	site->started = false;
	return 0;
}

static int no_site_binding(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct host_site *site = state_site(s, BACKEND_SITE);

	(void)how;
	for (size_t i = 0; site && i < site->n_bindings; i++)
		if (strcmp(site->bindings[i].protocol, "https") == 0) {
			memmove(&site->bindings[i], &site->bindings[i + 1], (site->n_bindings - i - 1) * sizeof site->bindings[0]);
			site->n_bindings--;
			lab_event(l, EV_IIS29, NULL);
			return 0;
		}
	return err_set(e, ERR_REFUSED, "the site '%s' has no https binding to remove", BACKEND_SITE);
}

static int tls_mismatch(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)how, (void)e;
	s->backend_tls10 = true;
	text_copy(s->is.tls_protocols, sizeof s->is.tls_protocols, "server: TLS 1.0; client: TLS 1.2");
	return 0;
}

/* A history in which the server's own certificate is nearly five years old: nothing is written for what was. */
static int expire_soon(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *old = of_record(l, s, BACKEND_ENDPOINT, e);
	struct cert_template t;
	uint8_t thumbprint[20];
	int r;

	(void)how;
	if (!old)
		return -1;
	own_template(l, &t);
	t.not_before = clock_wall(&l->clock) - 1806 * US_DAY;
	r = store_create(l, &t, "Microsoft Exchange", "", true, thumbprint, e);
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

/* What remains after somebody enabled the public certificate for IIS with a tool that takes both sites. */
static int foreign_name(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	struct store_cert *public = of_record(l, s, FRONTEND_ENDPOINT, e);
	bool had = state_record(s, BACKEND_ENDPOINT) != NULL;

	(void)how;
	if (!public)
		return -1;
	state_set_record(s, BACKEND_ENDPOINT, public->cert.info.thumbprint, "MY");
	if (had)
		lab_event(l, EV_15300, &(struct event_args){.endpoint = BACKEND_ENDPOINT});
	lab_event(l, EV_15301, &(struct event_args){.endpoint = BACKEND_ENDPOINT});
	store_free(public, 1);
	return 0;
}

static int nothing(const struct lab *l, struct lab_state *s, const struct how *how, struct err *e)
{
	(void)l, (void)s, (void)how, (void)e;
	return 0;
}

const char *const lab_faults[] = {"delete-certificate", "unbind", "drop-key", "stop-site", "tls-mismatch", "no-site-binding",
	"expire-soon", "front-end-certificate", "foreign-name", "none", NULL};

static fault_fn *const fault_fns[] = {delete_certificate, unbind, drop_key, stop_site, tls_mismatch, no_site_binding, expire_soon,
	front_end_certificate, foreign_name, nothing};

static fault_fn *find(const char *name, struct err *e)
{
	const char *near;

	for (size_t i = 0; lab_faults[i]; i++)
		if (strcmp(lab_faults[i], name) == 0)
			return fault_fns[i];
	near = text_nearest(name, lab_faults);
	err_set(e, ERR_USAGE, "there is no fault '%.60s'%s%s%s; evmend-lab --help lists them", name, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	return NULL;
}

static int settle(const struct lab *l, struct lab_state *s, struct err *e)
{
	int64_t version = s->version + 1;

	if (state_write(l, s, e) < 0)
		return -1;
	if (lab_pid(l) != 0 && lab_wait_seen(l, version) < 0)
		return err_set(e, ERR_IO, "the lab's server did not take the change in within 3 s; see %s/server.log", l->folder);
	return 0;
}

int lab_break(const struct lab *l, const char *fault, bool deferred, bool keep_key, struct err *e)
{
	const struct how how = {deferred, keep_key};
	fault_fn *f = find(fault, e);
	struct lab_state *s;

	if (!f)
		return -1;
	if ((deferred || keep_key) && f != delete_certificate && f != drop_key)
		return err_set(e, ERR_USAGE, "--deferred and --keep-key go with delete-certificate (--deferred with drop-key too)");
	if (keep_key && f == drop_key)
		return err_set(e, ERR_USAGE, "drop-key cannot keep the key");
	s = state_begin(l, true, e);
	if (!s)
		return -1;
	if (f(l, s, &how, e) < 0) {
		state_end(s);
		return -1;
	}
	return settle(l, s, e);
}

int lab_restart(const struct lab *l, struct err *e)
{
	struct lab_state *s = state_begin(l, true, e);

	if (!s)
		return -1;
	s->cache_epoch++;
	return settle(l, s, e);
}
