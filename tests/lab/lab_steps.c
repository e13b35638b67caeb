/* lab_steps.c - the few steps that a host can do, with HTTP.SYS's and the store's manners.
 *
 * Promises: setting a record of a certificate that is not in the store or whose key does not open fails with error 1312 and leaves
 * the old record; a repeat with the same token makes no second certificate. Refuses: to remove a certificate that was not made
 * under that token, or that is bound or is the internal transport certificate. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "host/host_wire.h"
#include "lab/lab.h"

struct deed {
	const struct lab *lab;
	struct lab_state *state;
	const struct host_step *step;
	const struct host_step_result *was; /* undo only */
	struct host_step_result *to;
	int *kind;
	struct err *e;
	bool changed; /* the state is to be written */
};

static int refuse(struct deed *d, enum wire_fault kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int refuse(struct deed *d, enum wire_fault kind, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	*d->kind = (int)kind;
	return err_set(d->e, ERR_IO, "%s", text);
}

static void tell(struct deed *d, bool did, const char *text)
{
	d->to->did = did;
	text_copy(d->to->detail, sizeof d->to->detail, text);
}

static int set_record(struct deed *d, const struct host_record *want)
{
	struct host_record *have = state_record(d->state, want->endpoint);
	struct store_cert *c = store_find(d->lab, want->store[0] ? want->store : "MY", want->thumbprint);
	bool usable = is_usable(c);

	if (c)
		store_free(c, 1);
	if (have) {
		d->to->has_old = true;
		d->to->old = *have;
	}
	if (!usable) /* delete, set, fail, put back: the same as never having touched it */
		return refuse(d, FAULT_FAILED, "setting %s failed with error 1312: the certificate is not in the store or its key cannot be used",
			want->endpoint);
	/* deleted and set also when it reads the same: what HTTP.SYS holds of it is dropped */
	state_put_record(d->state, want);
	d->changed = true;
	if (d->to->has_old)
		lab_event(d->lab, EV_15300, &(struct event_args){.endpoint = want->endpoint});
	lab_event(d->lab, EV_15301, &(struct event_args){.endpoint = want->endpoint});
	tell(d, true, "the record is set");
	return 0;
}

static bool endpoint_ok(const char *s)
{
	const char *port = strrchr(s, ':');

	return port && strspn(s, "0123456789abcdefABCDEF.:[]") == strlen(s) && (strcmp(port, ":443") == 0 || strcmp(port, ":444") == 0);
}

static int record_set(struct deed *d)
{
	const struct host_step *s = d->step;
	struct host_record r = {.flags = s->flags};
	int64_t port = 0;

	if (!endpoint_ok(s->endpoint) || !text_int(strrchr(s->endpoint, ':') + 1, strlen(strrchr(s->endpoint, ':') + 1), &port))
		return refuse(d, FAULT_BAD_CALL, "error 87: '%s' is no endpoint of this lab", s->endpoint);
	text_copy(r.endpoint, sizeof r.endpoint, s->endpoint);
	r.port = (uint16_t)port;
	memcpy(r.thumbprint, s->thumbprint, 20);
	text_copy(r.store, sizeof r.store, s->store[0] ? s->store : "MY");
	text_copy(r.appid, sizeof r.appid, s->appid[0] ? s->appid : LAB_APPID);
	return set_record(d, &r);
}

static int drop_record(struct deed *d)
{
	struct host_record *have = state_record(d->state, d->step->endpoint);

	if (!have) {
		tell(d, false, "there is no such record");
		return 0;
	}
	d->to->has_old = true;
	d->to->old = *have;
	state_drop_record(d->state, d->step->endpoint);
	d->changed = true;
	lab_event(d->lab, EV_15300, &(struct event_args){.endpoint = d->step->endpoint});
	tell(d, true, "the record is removed");
	return 0;
}

static struct host_binding *find_binding(struct host_site *site, const struct host_binding *b)
{
	for (size_t i = 0; i < site->n_bindings; i++)
		if (strcmp(site->bindings[i].protocol, b->protocol) == 0 && strcmp(site->bindings[i].information, b->information) == 0)
			return &site->bindings[i];
	return NULL;
}

static int site_binding_add(struct deed *d)
{
	struct host_site *site = state_site(d->state, d->step->site);

	if (!site)
		return refuse(d, FAULT_NOT_FOUND, "there is no site '%s'", d->step->site);
	if (find_binding(site, &d->step->binding)) {
		tell(d, false, "the binding is there already");
		return 0;
	}
	if (site->n_bindings == HOST_BINDINGS)
		return refuse(d, FAULT_FAILED, "the site '%s' has no room for another binding", d->step->site);
	site->bindings[site->n_bindings++] = d->step->binding;
	d->changed = true;
	tell(d, true, "the binding is added");
	return 0;
}

static int site_binding_remove(struct deed *d)
{
	struct host_site *site = state_site(d->state, d->step->site);
	struct host_binding *b = site ? find_binding(site, &d->step->binding) : NULL;

	if (!b) {
		tell(d, false, "the binding is gone already");
		return 0;
	}
	memmove(b, b + 1, (size_t)(&site->bindings[site->n_bindings] - (b + 1)) * sizeof *b);
	site->n_bindings--;
	d->changed = true;
	tell(d, true, "the binding is removed");
	return 0;
}

static int cert_make(struct deed *d)
{
	struct cert_template t = d->step->template;
	struct store_cert *all, *mine = NULL;
	size_t n = store_list(d->lab, "MY", &all);
	struct store_cert *made;

	for (size_t i = 0; i < n && d->step->token[0]; i++)
		if (strcmp(all[i].token, d->step->token) == 0)
			mine = &all[i];
	if (mine) {
		memcpy(d->to->thumbprint, mine->cert.info.thumbprint, 20);
		tell(d, false, "the certificate of this repair is there already");
	}
	store_free(all, n);
	if (mine)
		return 0;
	text_copy(t.organization, sizeof t.organization, LAB_ORGANIZATION);
	if (!t.not_before)
		t.not_before = clock_wall(&d->lab->clock) - 5 * US_MINUTE;
	if (store_create(d->lab, &t, d->step->friendly_name, d->step->token, false, d->to->thumbprint, d->e) < 0)
		return -1;
	made = store_find(d->lab, "MY", d->to->thumbprint);
	if (made) {
		lab_event(d->lab, EV_1006, &(struct event_args){.cert = &made->cert.info, .process = "evmend-lab"});
		store_free(made, 1);
	}
	d->changed = true;
	tell(d, true, "a certificate was made");
	return 0;
}

static int cert_restore(struct deed *d)
{
	struct store_cert *c = store_find(d->lab, "MY", d->step->thumbprint);
	char container[128];
	int r = 0;

	if (c) {
		store_free(c, 1);
		tell(d, false, "the certificate is in the store already");
		return 0;
	}
	c = store_find(d->lab, "Root", d->step->thumbprint);
	if (!c)
		return refuse(d, FAULT_NOT_FOUND, "no public copy of this certificate is left");
	if (!store_key_for(d->lab, c->pem, container))
		r = refuse(d, FAULT_NOT_FOUND, "no key container fits this certificate");
	else if (store_add(d->lab, "MY", c->pem, "Microsoft Exchange", container, d->step->token, d->e) < 0)
		r = -1;
	if (r == 0) {
		lab_event(d->lab, EV_1006, &(struct event_args){.cert = &c->cert.info, .process = "evmend-lab"});
		memcpy(d->to->thumbprint, d->step->thumbprint, 20);
		d->changed = true;
		tell(d, true, "the certificate is back with its key");
	}
	store_free(c, 1);
	return r;
}

/* The access list of setup is put back, or the key that fits is named again. */
static int mend_key(struct deed *d, const struct store_cert *c)
{
	struct store_cert *again;
	char container[128];
	bool usable;

	store_close_key(d->lab, c->cert.container, false);
	again = store_find(d->lab, "MY", c->cert.info.thumbprint);
	usable = is_usable(again);
	if (again)
		store_free(again, 1);
	if (!usable && !store_key_for(d->lab, c->pem, container))
		return refuse(d, FAULT_NOT_FOUND, "no key container fits this certificate");
	if (!usable && store_add(d->lab, "MY", c->pem, c->cert.friendly_name, container, c->token, d->e) < 0)
		return -1;
	d->changed = true;
	tell(d, true, usable ? "the key opens again" : "the key is associated again");
	return 0;
}

static int key_repair(struct deed *d)
{
	struct store_cert *c = store_find(d->lab, "MY", d->step->thumbprint);
	int r = 0;

	if (!c)
		return refuse(d, FAULT_NOT_FOUND, "the certificate is not in the store");
	if (is_usable(c))
		tell(d, false, "the key is fine already");
	else
		r = mend_key(d, c);
	store_free(c, 1);
	return r;
}

static bool is_bound(const struct lab_state *s, const uint8_t thumbprint[20])
{
	for (size_t i = 0; i < s->is.n_records; i++)
		if (memcmp(s->is.records[i].thumbprint, thumbprint, 20) == 0)
			return true;
	return s->is.itc_known && memcmp(s->is.itc, thumbprint, 20) == 0;
}

/* with_key: a certificate that was created goes with its key; one that was restored leaves the key where it was. */
static int remove_ours(struct deed *d, const uint8_t thumbprint[20], bool with_key)
{
	struct store_cert *c = store_find(d->lab, "MY", thumbprint);
	int r = 0;

	if (!c) {
		tell(d, false, "the certificate is gone already");
		return 0;
	}
	if (!d->step->token[0] || strcmp(c->token, d->step->token) != 0)
		r = refuse(d, FAULT_CONFLICT, "this certificate was not made by this repair");
	else if (is_bound(d->state, thumbprint))
		r = refuse(d, FAULT_CONFLICT, "this certificate is bound");
	if (r == 0) {
		store_remove(d->lab, "MY", thumbprint);
		if (with_key)
			store_drop_key(d->lab, c->cert.container);
		lab_event(d->lab, EV_1004, &(struct event_args){.cert = &c->cert.info, .process = "evmend-lab"});
		d->changed = true;
		tell(d, true, "the certificate is removed");
	}
	store_free(c, 1);
	return r;
}

static int restart_iis(struct deed *d)
{
	state_restart_iis(d->state);
	d->changed = true;
	tell(d, true, "IIS is restarted");
	return 0;
}

/* Keys, stores and IIS's configuration are files; HTTP.SYS's records are not. */
static bool needs_disk(enum step_kind k)
{
	return k == STEP_CERT_CREATE || k == STEP_CERT_RESTORE || k == STEP_KEY_REPAIR || k == STEP_SITE_BINDING_ADD;
}

static int do_step(struct deed *d)
{
	if (d->state->wrong & WRONG_DISK_FULL && needs_disk(d->step->kind))
		return refuse(d, FAULT_FAILED, "there is not enough space on the disk (112)");
	switch (d->step->kind) {
	case STEP_RECORD_SET:
		return record_set(d);
	case STEP_RECORD_REMOVE:
		return drop_record(d);
	case STEP_SITE_BINDING_ADD:
		return site_binding_add(d);
	case STEP_CERT_CREATE:
		return cert_make(d);
	case STEP_CERT_RESTORE:
		return cert_restore(d);
	case STEP_KEY_REPAIR:
		return key_repair(d);
	case STEP_CERT_REMOVE_OURS:
		return remove_ours(d, d->step->thumbprint, true);
	case STEP_IIS_RESTART:
		return restart_iis(d);
	}
	return refuse(d, FAULT_BAD_CALL, "this step is not known");
}

static int undo_step(struct deed *d)
{
	switch (d->step->kind) {
	case STEP_RECORD_SET:
	case STEP_RECORD_REMOVE:
		return d->was->has_old ? set_record(d, &d->was->old) : drop_record(d);
	case STEP_SITE_BINDING_ADD:
		return site_binding_remove(d);
	case STEP_CERT_CREATE:
		return remove_ours(d, d->was->thumbprint, true);
	case STEP_CERT_RESTORE:
		return remove_ours(d, d->step->thumbprint, false);
	case STEP_KEY_REPAIR:
	case STEP_CERT_REMOVE_OURS:
	case STEP_IIS_RESTART:
		break;
	}
	return refuse(d, FAULT_UNSUPPORTED, "%s has no undo", step_kind_text(d->step->kind));
}

static int run(struct deed *d, int (*deed)(struct deed *d))
{
	int64_t version;
	int r;

	memset(d->to, 0, sizeof *d->to);
	*d->kind = FAULT_FAILED;
	d->state = state_begin(d->lab, true, d->e);
	if (!d->state)
		return -1;
	version = d->state->version + 1;
	r = deed(d);
	if (r < 0 || !d->changed) {
		state_end(d->state);
		return r;
	}
	if (state_write(d->lab, d->state, d->e) < 0)
		return -1;
	if (lab_pid(d->lab) != 0)
		lab_wait_seen(d->lab, version);
	return 0;
}

int lab_apply(const struct lab *l, const struct host_step *s, struct host_step_result *to, int *kind, struct err *e)
{
	struct deed d = {.lab = l, .step = s, .to = to, .kind = kind, .e = e};

	return run(&d, do_step);
}

int lab_undo(const struct lab *l, const struct host_step *s, const struct host_step_result *was, struct host_step_result *to,
	int *kind, struct err *e)
{
	struct deed d = {.lab = l, .step = s, .was = was, .to = to, .kind = kind, .e = e};

	if (!was->did) { /* nothing was changed, so nothing is to be undone */
		memset(to, 0, sizeof *to);
		return 0;
	}
	return run(&d, undo_step);
}
