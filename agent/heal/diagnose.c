/* diagnose.c - facts, then verdict, then plan; and all of it as JSON.
 *
 * Exists so that the verb, the agent and the ledger say the same about one look at a host. Promises that nothing is changed.
 * Refuses nothing: what is unknown is told as unknown. */
#include "heal/diagnose.h"

#include <string.h>

#include "base/text.h"
#include "host/host_wire.h"

int diagnose(const struct remedy *remedy, struct host *h, const struct clock *clock, int64_t deadline, const struct suspicion *s,
	struct diagnosis *to, struct err *e)
{
	if (remedy->diagnose(h, clock, deadline, to, e) < 0)
		return -1;
	remedy->judge(to, s);
	remedy->plan(to);
	return 0;
}

void diagnosis_clear(struct diagnosis *d)
{
	struct host_state *s = &d->state;

	memset(&d->identity, 0, sizeof(d->identity));
	memset(s, 0, offsetof(struct host_state, certs));
	memset(&s->n_certs, 0, sizeof(*s) - offsetof(struct host_state, n_certs));
	memset(&d->facts, 0, sizeof(d->facts));
	memset(&d->verdict, 0, sizeof(d->verdict));
	memset(&d->plan, 0, sizeof(d->plan));
}

static const char *repairable_text(enum repairable r)
{
	return r == REPAIR_BY_POLICY ? "by policy" : r == REPAIR_BY_APPROVAL ? "by approval" : "never";
}

static const char *confidence_text(enum confidence c)
{
	return c == CONFIDENCE_HIGH ? "high" : c == CONFIDENCE_MEDIUM ? "medium" : "low";
}

static void names(struct json_out *o, const char *key, const char *const *list, size_t n)
{
	json_open(o, key, '[');
	for (size_t i = 0; i < n; i++)
		json_put_str(o, NULL, list[i]);
	json_close(o, ']');
}

static void facts_json(struct json_out *o, const struct facts *f)
{
	json_open(o, "facts", '[');
	for (size_t i = 0; i < f->n; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "name", f->list[i].name);
		json_put_str(o, "value", tri_text(f->list[i].value));
		json_put_str(o, "seen", f->list[i].seen);
		json_put_str(o, "where", f->list[i].where);
		json_close(o, '}');
	}
	json_close(o, ']');
}

static void verdict_json(struct json_out *o, const struct verdict *v)
{
	json_open(o, "verdict", '{');
	json_put_str(o, "name", v->name);
	json_put_str(o, "row", v->row);
	json_put_str(o, "confidence", confidence_text(v->confidence));
	json_put_str(o, "repair", repairable_text(v->repairable));
	json_put_bool(o, "healthy", v->healthy);
	json_put_str(o, "text", v->text);
	json_put_str(o, "disproved_by", v->disproof);
	json_put_str(o, "advice", v->advice);
	names(o, "needed", v->needed, v->n_needed);
	names(o, "also", v->also, v->n_also);
	names(o, "not_excluded", v->not_excluded, v->n_not_excluded);
	json_open(o, "notes", '[');
	for (size_t i = 0; i < v->n_notes; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "name", v->notes[i].name);
		json_put_str(o, "text", v->notes[i].text);
		json_close(o, '}');
	}
	json_close(o, ']');
	json_put_str(o, "smtp_name", v->smtp_name);
	json_put_str(o, "smtp", v->smtp[0] ? v->smtp : NULL);
	json_close(o, '}');
}

static const char *undo_text(enum undo_kind k)
{
	return k == UNDO_EXACT ? "exact" : k == UNDO_PARTIAL ? "partial" : "none";
}

static void plan_json(struct json_out *o, const struct plan *p)
{
	char id[65];

	text_hex(id, p->id, 32);
	json_open(o, "plan", '{');
	json_put_str(o, "id", id);
	json_open(o, "steps", '[');
	for (size_t i = 0; i < p->n; i++) {
		const struct plan_step *s = &p->steps[i];

		json_open(o, NULL, '{');
		wire_put_step(o, "step", &s->step);
		json_put_str(o, "what", s->what);
		json_put_str(o, "why", s->why);
		json_put_str(o, "before", s->before);
		json_put_str(o, "after", s->after);
		json_put_str(o, "undo", s->undo);
		json_put_str(o, "undo_kind", undo_text(s->undo_kind));
		json_put_bool(o, "by_approval_only", s->by_approval_only);
		json_put_bool(o, "thumbprint_from_previous", s->thumbprint_from_previous);
		json_close(o, '}');
	}
	json_close(o, ']');
	json_put_str(o, "why_empty", p->why_empty[0] ? p->why_empty : NULL);
	json_close(o, '}');
}

void diagnosis_json(struct json_out *o, const struct diagnosis *d)
{
	json_put_str(o, "host", d->identity.fqdn);
	json_put_str(o, "netbios", d->identity.netbios);
	json_put_bool(o, "lab", d->identity.lab);
	json_put_time(o, "time", d->when);
	verdict_json(o, &d->verdict);
	facts_json(o, &d->facts);
	plan_json(o, &d->plan);
}

void proof_json(struct json_out *o, const struct proof *p)
{
	json_put_bool(o, "ok", p->ok);
	json_put_str(o, "summary", p->summary);
	json_open(o, "checks", '[');
	for (size_t i = 0; i < p->n; i++) {
		json_open(o, NULL, '{');
		json_put_str(o, "name", p->checks[i].name);
		json_put_str(o, "value", tri_text(p->checks[i].value));
		json_put_str(o, "seen", p->checks[i].seen);
		json_close(o, '}');
	}
	json_close(o, ']');
}

void diagnosis_text(const struct diagnosis *d, char *to, size_t n)
{
	say_text(to, n, "%s: %s", d->verdict.name, d->verdict.text);
}

void diagnosis_advice(const struct diagnosis *d, const char *why, char *to, size_t n)
{
	const struct verdict *v = &d->verdict;
	struct buf b;

	buf_init(&b, 16u << 10);
	if (why != NULL && why[0])
		buf_printf(&b, "%s. ", why);
	buf_str(&b, v->advice);
	for (size_t i = 0; i < v->n_notes; i++)
		buf_printf(&b, "%s%s: %s", b.n ? " " : "", v->notes[i].name, v->notes[i].text);
	if (v->smtp[0])
		buf_printf(&b, "%s%s", b.n ? " " : "", v->smtp);
	text_copy(to, n, buf_text(&b));
	buf_free(&b);
}
