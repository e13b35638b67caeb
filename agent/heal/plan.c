/* plan.c - the id of a plan, and remedies by cause.
 *
 * Exists so that an approval fits one plan in one state and no other: the id is a hash of the host, the verdict, every fact with
 * its value and the part of what was seen that counts, the steps with their arguments, and the record that a step replaces.
 * Promises the same id for the same state: times, latencies, days left, facts that only age and the token of a repair are left
 * out, and a certificate that is yet to be made counts by its template. Refuses nothing. */
#include <string.h>

#include "heal/remedy.h"
#include "tls/digest.h"

/* What a step replaces is what its undo would set again: another old record is another plan. */
static void add_old_record(struct digest *to, const struct host_state *state, const char *endpoint)
{
	for (size_t i = 0; i < state->n_records; i++) {
		const struct host_record *r = &state->records[i];

		if (r->sni || strcmp(r->endpoint, endpoint) != 0)
			continue;
		digest_add(to, r->thumbprint, sizeof(r->thumbprint));
		digest_add_str(to, r->store);
		digest_add_str(to, r->appid);
		digest_add_int(to, r->flags);
	}
}

static void add_step(struct digest *to, const struct plan_step *p)
{
	const struct host_step *s = &p->step;

	digest_add_str(to, step_kind_text(s->kind));
	digest_add_str(to, s->endpoint);
	digest_add(to, s->thumbprint, sizeof(s->thumbprint));
	digest_add_str(to, s->store);
	digest_add_str(to, s->appid);
	digest_add_int(to, s->flags);
	digest_add_str(to, s->site);
	digest_add_str(to, s->binding.protocol);
	digest_add_str(to, s->binding.information);
	digest_add_int(to, s->binding.ssl_flags);
	digest_add_str(to, s->friendly_name);
	digest_add_str(to, s->template.common_name);
	digest_add_int(to, (int64_t)s->template.n_san);
	for (size_t i = 0; i < s->template.n_san; i++)
		digest_add_str(to, s->template.san[i]);
	digest_add_int(to, s->template.key_bits);
	digest_add_int(to, s->template.days);
	digest_add_int(to, p->thumbprint_from_previous);
	digest_add_int(to, p->by_approval_only);
}

void plan_id_set(struct diagnosis *d)
{
	struct digest *to = digest_new();

	digest_add_str(to, "evmend plan 2");
	digest_add_str(to, d->identity.netbios);
	digest_add_str(to, d->identity.fqdn);
	digest_add_str(to, d->verdict.name);
	for (size_t i = 0; i < d->facts.n; i++) {
		if (d->facts.list[i].ages)
			continue;
		digest_add_str(to, d->facts.list[i].name);
		digest_add_int(to, d->facts.list[i].value);
		digest_add_str(to, d->facts.list[i].key);
	}
	digest_add_int(to, (int64_t)d->plan.n);
	for (size_t i = 0; i < d->plan.n; i++) {
		if (d->plan.steps[i].step.kind == STEP_RECORD_SET)
			add_old_record(to, &d->state, d->plan.steps[i].step.endpoint);
		add_step(to, &d->plan.steps[i]);
	}
	digest_finish(to, d->plan.id);
}

void plan_step_id(const struct plan_step *p, uint8_t id[32])
{
	struct digest *to = digest_new();
	struct plan_step any = *p;

	memset(any.step.thumbprint, 0, sizeof(any.step.thumbprint));
	any.thumbprint_from_previous = false;
	add_step(to, &any);
	digest_finish(to, id);
}

