/* repair_check.c - looks at what is about to be changed, right before it is changed.
 *
 * Exists because others work on the same server: what was true when the facts were read may be another person's work by now.
 * Promises that a step replaces only what its plan saw, and that an undo takes back only what the ledger says we set. Refuses
 * what it cannot see: an unknown part is no permission. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/repair_write.h"

const struct host_record *repair_record(const struct host_state *s, const char *endpoint)
{
	for (size_t i = 0; i < s->n_records; i++)
		if (strcmp(s->records[i].endpoint, endpoint) == 0)
			return &s->records[i];
	return NULL;
}

static bool same_record(const struct host_record *a, const struct host_record *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return memcmp(a->thumbprint, b->thumbprint, 20) == 0 && text_same(a->store, b->store) && text_same(a->appid, b->appid) &&
		a->flags == b->flags;
}

static bool has_binding(const struct host_state *s, const struct host_step *act)
{
	for (size_t i = 0; i < s->n_sites; i++)
		for (size_t k = 0; text_same(s->sites[i].name, act->site) && k < s->sites[i].n_bindings; k++) {
			const struct host_binding *b = &s->sites[i].bindings[k];

			if (text_same(b->protocol, act->binding.protocol) && strcmp(b->information, act->binding.information) == 0 &&
			    b->ssl_flags == act->binding.ssl_flags)
				return true;
		}
	return false;
}

static const struct host_cert *cert_of(const struct host_state *s, const uint8_t thumbprint[20], const char *store)
{
	for (size_t i = 0; i < s->n_certs; i++)
		if (memcmp(s->certs[i].info.thumbprint, thumbprint, 20) == 0 && text_same(s->certs[i].store, store))
			return &s->certs[i];
	return NULL;
}

static int unseen(const struct host_state *s, unsigned parts, struct err *e)
{
	if ((s->known & parts) == parts)
		return 0;
	return err_set(e, ERR_IO, "the host does not say what its records, certificates and sites are");
}

/* ---- before an act ---- */

static int still_so(const struct repair *r, const struct host_state *now, const struct host_step *act, struct err *e)
{
	const struct host_state *was = &r->d->state;

	if ((act->kind == STEP_RECORD_SET || act->kind == STEP_RECORD_REMOVE) &&
	    !same_record(repair_record(was, act->endpoint), repair_record(now, act->endpoint)))
		return err_set(e, ERR_REFUSED, "somebody else has changed the record for %s since the facts were read", act->endpoint);
	if (act->kind == STEP_SITE_BINDING_ADD && has_binding(was, act) != has_binding(now, act))
		return err_set(e, ERR_REFUSED, "somebody else has changed the bindings of '%s' since the facts were read", act->site);
	return 0;
}

int check_others(struct repair *r, struct err *e)
{
	struct host_state *now = xcalloc(1, sizeof(*now));
	unsigned parts = HOST_PART_RECORDS | HOST_PART_SITES;
	int done = r->host->ops->observe(r->host, parts, now, clock_monotonic(r->o.clock) + r->o.policy->step_limit, e);

	if (done < 0)
		e->code = ERR_IO; /* whoever does not say has not said that it changed */
	else
		done = unseen(now, r->d->state.known & parts, e);
	for (size_t i = r->at; done == 0 && i < r->d->plan.n; i++)
		done = still_so(r, now, &r->d->plan.steps[i].step, e);
	free(now);
	return done;
}

/* ---- before an undo ---- */

static int record_is_ours(const struct repair *r, size_t i, const struct host_state *now, struct err *e)
{
	const struct host_step *act = &r->acts[i];
	const struct host_step_result *was = &r->results[i];
	const struct host_record *is = repair_record(now, act->endpoint);
	struct host_record set = {.flags = act->flags};
	const struct host_cert *c;

	if (act->kind == STEP_RECORD_SET) {
		memcpy(set.thumbprint, act->thumbprint, 20);
		text_copy(set.store, sizeof(set.store), act->store);
		text_copy(set.appid, sizeof(set.appid), act->appid);
	}
	if (!same_record(is, act->kind == STEP_RECORD_SET ? &set : NULL))
		return err_set(e, ERR_REFUSED, "the record for %s is not the one that this repair set: somebody has changed it since",
			act->endpoint);
	if (!was->has_old)
		return 0;
	c = cert_of(now, was->old.thumbprint, was->old.store);
	if (c != NULL && c->has_key == TRI_YES && c->key_opens == TRI_YES && c->key_matches == TRI_YES)
		return 0;
	return err_set(e, ERR_REFUSED, "the certificate that the record for %s named before is gone, or its key is not known to open: "
		"going back would break the service", act->endpoint);
}

/* A certificate that somebody has bound elsewhere since is not taken away from under him. */
static int cert_is_ours(const struct repair *r, size_t i, const struct host_state *now, struct err *e)
{
	const uint8_t *made = r->results[i].thumbprint;

	if (cert_of(now, made, "MY") == NULL)
		return err_set(e, ERR_REFUSED, "the certificate that this repair created is not in the store any more: somebody has removed it");
	for (size_t k = 0; k < now->n_records; k++) {
		bool ours = false;

		for (size_t s = 0; s < PLAN_STEPS; s++)
			ours = ours || (r->did[s] && r->acts[s].kind == STEP_RECORD_SET &&
				strcmp(r->acts[s].endpoint, now->records[k].endpoint) == 0);
		if (!ours && memcmp(now->records[k].thumbprint, made, 20) == 0)
			return err_set(e, ERR_REFUSED, "the certificate that this repair created is bound to %s by somebody else",
				now->records[k].endpoint);
	}
	if (now->itc_known && memcmp(now->itc, made, 20) == 0)
		return err_set(e, ERR_REFUSED, "the certificate that this repair created is the internal transport certificate now");
	return 0;
}

int check_ours(const struct repair *r, const struct host_state *now, struct err *e)
{
	int done = unseen(now, HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES, e);

	for (size_t i = 0; done == 0 && i < PLAN_STEPS; i++) {
		const struct host_step *act = &r->acts[i];

		if (!r->did[i])
			continue;
		if (act->kind == STEP_RECORD_SET || act->kind == STEP_RECORD_REMOVE)
			done = record_is_ours(r, i, now, e);
		else if (act->kind == STEP_CERT_CREATE)
			done = cert_is_ours(r, i, now, e);
		else if (act->kind == STEP_SITE_BINDING_ADD && !has_binding(now, act))
			done = err_set(e, ERR_REFUSED, "the binding that this repair added to '%s' is not there any more", act->site);
	}
	return done;
}
