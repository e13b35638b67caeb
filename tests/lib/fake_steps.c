/* fake_steps.c - what each step does to a server in memory, as HTTP.SYS, IIS and the store do it. Promises that an undo of a step
 * leads back to what the step found; refuses what Windows refuses: a record without a usable certificate, to remove what a repair
 * has not made or what is bound. */
#include <string.h>

#include "base/text.h"
#include "lib/fake_host.h"

static void drop_cert(struct fake_world *w, struct host_cert *c)
{
	*c = w->state->certs[--w->state->n_certs];
}

static void remember(struct fake_world *w, const uint8_t t[20], const char *token)
{
	size_t i = w->n_made < 16 ? w->n_made++ : 15;

	memcpy(w->made[i].thumbprint, t, 20);
	text_copy(w->made[i].token, sizeof(w->made[i].token), token);
}

static bool is_made(const struct fake_world *w, const uint8_t t[20], const char *token)
{
	for (size_t i = 0; i < w->n_made; i++)
		if (memcmp(w->made[i].thumbprint, t, 20) == 0 && strcmp(w->made[i].token, token) == 0)
			return true;
	return false;
}

static int create(struct fake_world *w, const struct host_step *s, struct host_step_result *to)
{
	struct host_cert *c;

	for (size_t i = 0; i < w->n_made; i++)
		if (strcmp(w->made[i].token, s->token) == 0 && fake_cert(w, w->made[i].thumbprint, "MY") != NULL) {
			memcpy(to->thumbprint, w->made[i].thumbprint, 20);
			return 0;
		}
	c = fake_cert_add(w, "MY", s->friendly_name, true, s->template.days);
	c->info.not_before = s->template.not_before;
	remember(w, c->info.thumbprint, s->token);
	memcpy(to->thumbprint, c->info.thumbprint, 20);
	w->creations++;
	to->did = true;
	return 0;
}

static int set_record(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	struct host_record *r = fake_record(w, s->endpoint);
	const struct host_cert *c = fake_cert(w, s->thumbprint, s->store);

	if (c == NULL || c->key_opens != TRI_YES)
		return err_set(e, ERR_REFUSED, "failed: 1312, no such certificate or no key");
	if (r != NULL) {
		to->has_old = true;
		to->old = *r;
		*r = w->state->records[--w->state->n_records];
	}
	fake_bind(w, s->endpoint, 444, s->thumbprint, s->store);
	w->stale = false;
	to->did = true;
	return 0;
}

static int remove_record(struct fake_world *w, const struct host_step *s, struct host_step_result *to)
{
	struct host_record *r = fake_record(w, s->endpoint);

	if (r == NULL)
		return 0;
	to->has_old = to->did = true;
	to->old = *r;
	*r = w->state->records[--w->state->n_records];
	return 0;
}

static int add_binding(struct fake_world *w, const struct host_step *s, struct host_step_result *to)
{
	struct host_site *site = &w->state->sites[0];

	for (size_t i = 0; i < site->n_bindings; i++)
		if (strcmp(site->bindings[i].information, s->binding.information) == 0)
			return 0;
	site->bindings[site->n_bindings++] = s->binding;
	to->did = true;
	return 0;
}

/* The public copy of another store comes back, and is joined with the key that was left behind. */
static int restore(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	struct host_cert *c, *copy = NULL;

	memcpy(to->thumbprint, s->thumbprint, 20);
	if (fake_cert(w, s->thumbprint, "MY") != NULL)
		return 0;
	for (size_t i = 0; i < w->state->n_certs; i++)
		if (memcmp(w->state->certs[i].info.thumbprint, s->thumbprint, 20) == 0)
			copy = &w->state->certs[i];
	if (copy == NULL || copy->container[0] == '\0')
		return err_set(e, ERR_REFUSED, "not_found: no public copy, or no key container fits");
	c = &w->state->certs[w->state->n_certs++];
	*c = *copy;
	text_copy(c->store, sizeof(c->store), "MY");
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	remember(w, s->thumbprint, s->token);
	to->did = true;
	return 0;
}

/* A key that was left behind is found by its container's name. */
static int repair_key(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	struct host_cert *c = fake_cert(w, s->thumbprint, "MY");

	if (c == NULL || c->container[0] == '\0')
		return err_set(e, ERR_REFUSED, "not_found: no key container fits this certificate");
	to->did = c->key_opens != TRI_YES;
	c->has_key = c->key_opens = c->key_matches = TRI_YES;
	return 0;
}

static bool is_bound(const struct fake_world *w, const uint8_t t[20])
{
	for (size_t i = 0; i < w->state->n_records; i++)
		if (memcmp(w->state->records[i].thumbprint, t, 20) == 0)
			return true;
	return false;
}

static int remove_ours(struct fake_world *w, const struct host_step *s, const uint8_t t[20], struct host_step_result *to,
	struct err *e)
{
	struct host_cert *c = fake_cert(w, t, "MY");

	if (c == NULL)
		return 0;
	if (!is_made(w, t, s->token) || is_bound(w, t))
		return err_set(e, ERR_REFUSED, "conflict: not made by this repair, or bound");
	drop_cert(w, c);
	to->did = true;
	return 0;
}

int fake_step(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e)
{
	switch (s->kind) {
	case STEP_CERT_CREATE:
		return create(w, s, to);
	case STEP_RECORD_SET:
		return set_record(w, s, to, e);
	case STEP_RECORD_REMOVE:
		return remove_record(w, s, to);
	case STEP_SITE_BINDING_ADD:
		return add_binding(w, s, to);
	case STEP_CERT_RESTORE:
		return restore(w, s, to, e);
	case STEP_KEY_REPAIR:
		return repair_key(w, s, to, e);
	case STEP_CERT_REMOVE_OURS:
		return remove_ours(w, s, s->thumbprint, to, e);
	case STEP_IIS_RESTART:
		w->hop_fails = w->cached = false;
		w->restarts++;
		to->did = true;
		return 0;
	}
	return err_set(e, ERR_REFUSED, "unsupported");
}

static int put_back(struct fake_world *w, const struct host_step *s, const struct host_step_result *was, struct err *e)
{
	struct host_record *r = fake_record(w, s->endpoint);
	const struct host_cert *c = was->has_old ? fake_cert(w, was->old.thumbprint, was->old.store) : NULL;

	if (was->has_old && (c == NULL || c->key_opens != TRI_YES))
		return err_set(e, ERR_REFUSED, "failed: 1312, no such certificate or no key");
	if (r != NULL)
		*r = w->state->records[--w->state->n_records];
	if (was->has_old)
		w->state->records[w->state->n_records++] = was->old;
	return 0;
}

static int remove_binding(struct fake_world *w, const struct host_step *s)
{
	struct host_site *site = &w->state->sites[0];

	for (size_t i = 0; i < site->n_bindings; i++)
		if (strcmp(site->bindings[i].information, s->binding.information) == 0) {
			site->bindings[i] = site->bindings[--site->n_bindings];
			return 0;
		}
	return 0;
}

int fake_step_undo(struct fake_world *w, const struct host_step *s, const struct host_step_result *was, struct err *e)
{
	struct host_step_result ignored;

	if (!was->did)
		return 0;
	switch (s->kind) {
	case STEP_RECORD_SET:
	case STEP_RECORD_REMOVE:
		return put_back(w, s, was, e);
	case STEP_SITE_BINDING_ADD:
		return remove_binding(w, s);
	case STEP_CERT_CREATE:
		return remove_ours(w, s, was->thumbprint, &ignored, e);
	case STEP_CERT_RESTORE:
		return remove_ours(w, s, s->thumbprint, &ignored, e);
	default:
		return err_set(e, ERR_REFUSED, "unsupported: %s has no undo", step_kind_text(s->kind));
	}
}

void fake_step_half(struct fake_world *w, const struct host_step *s)
{
	struct host_step_result to = {.did = false};
	struct host_record *r = fake_record(w, s->endpoint);
	struct host_cert *c;
	struct err e;

	if (s->kind == STEP_RECORD_SET && r != NULL) {
		*r = w->state->records[--w->state->n_records]; /* between delete and set */
	} else if (s->kind == STEP_CERT_CREATE && create(w, s, &to) == 0 && to.did) {
		c = fake_cert(w, to.thumbprint, "MY");
		c->has_key = c->key_opens = c->key_matches = TRI_NO;
	} else if (s->kind == STEP_CERT_RESTORE && restore(w, s, &to, &e) == 0 && to.did) {
		c = fake_cert(w, s->thumbprint, "MY");
		c->has_key = c->key_opens = c->key_matches = TRI_NO;
	} else if (s->kind != STEP_RECORD_SET && s->kind != STEP_CERT_CREATE && s->kind != STEP_CERT_RESTORE) {
		(void)fake_step(w, s, &to, &e);
	}
}
