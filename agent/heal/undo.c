/* undo.c - a repair that has ended is taken back, because a person wants it.
 *
 * Exists because a repair that was proven may still be unwanted. Promises: only what the ledger says we set is taken back, and only
 * while it is so still; afterwards the service is used, as after a repair. Refuses an undo to a state that was not seen to work
 * or cannot be set again, over a step whose undo is not exact or whose answer never came, and while somebody holds, others are at
 * work or our own senses are in doubt. The mode does not count: a person asks. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/repair_write.h"
#include "host/host_wire.h"

/* What a repair did, as the ledger has it. */
struct done {
	struct repair *r;
	bool before_works, exact;
	struct err *e;
};

static int take_done(void *arg, const char *kind, const struct json *body)
{
	struct done *t = arg;
	struct repair *r = t->r;
	int64_t step = json_int(json_get(body, "step"), 0);

	if (strcmp(kind, "repair-begin") == 0)
		t->before_works = json_bool(json_get(body, "before_works"), false);
	if (strcmp(kind, "interrupted") == 0)
		t->exact = false; /* what that step did is not known */
	if (step < 1 || step > PLAN_STEPS)
		return 0;
	if (strcmp(kind, "intent") == 0) {
		if (r->did[step - 1])
			t->exact = false; /* a resumed repair counts its steps anew: two acts of one number */
		text_copy(r->d->plan.steps[step - 1].what, sizeof(r->d->plan.steps[0].what), json_str(json_get(body, "what"), ""));
		r->d->plan.steps[step - 1].undo_kind = json_bool(json_get(body, "undo_exact"), false) ? UNDO_EXACT : UNDO_NONE;
		r->d->plan.n = (size_t)step > r->d->plan.n ? (size_t)step : r->d->plan.n;
		if (wire_get_step(json_get(body, "act"), &r->acts[step - 1], t->e) < 0)
			return -1;
		r->d->plan.steps[step - 1].step = r->acts[step - 1];
		return 0;
	}
	if (strcmp(kind, "outcome") == 0 && json_bool(json_get(body, "ok"), false)) {
		if (wire_get_step_result(json_get(body, "result"), &r->results[step - 1], t->e) < 0)
			return -1;
		r->did[step - 1] = r->results[step - 1].did;
		if (r->did[step - 1] && r->d->plan.steps[step - 1].undo_kind != UNDO_EXACT)
			t->exact = false;
	}
	if (strcmp(kind, "undo-outcome") == 0 && json_bool(json_get(body, "ok"), false))
		r->did[step - 1] = false;
	return 0;
}

/* ---- may it be now? ---- */

static int nobody_objects(struct repair *r, struct err *e)
{
	int64_t deadline = clock_monotonic(r->o.clock) + r->o.policy->step_limit;
	char why[200], what[128] = "";
	enum host_busy busy;
	int held = hold_active(r->o.db, clock_wall(r->o.clock), r->o.host_name, NULL, why, e);

	if (held != 0)
		return held < 0 ? -1 : err_set(e, ERR_REFUSED, "nothing is changed: %s", why);
	if (chart_hold_file(r->o.policy->hold_file))
		return err_set(e, ERR_REFUSED, "nothing is changed while the hold file %s exists", r->o.policy->hold_file);
	if (r->o.stop != NULL && r->o.stop(r->o.arg))
		return err_set(e, ERR_REFUSED, "our own clock or state is in doubt: nothing is changed until 60 s of calm have passed");
	if (r->host->ops->busy(r->host, &busy, what, deadline, e) < 0)
		return err_prefix(e, "whether others are at work on the host is unknown");
	return busy == HOST_FREE ? 0 : err_set(e, ERR_REFUSED, "others are at work on the host: %s", what);
}

/* ---- what must be there afterwards ---- */

static void cert_as_before(struct host_state *s, const uint8_t made[20])
{
	for (size_t k = 0; k < s->n_certs; k++)
		if (memcmp(s->certs[k].info.thumbprint, made, 20) == 0 && text_same(s->certs[k].store, "MY"))
			s->certs[k--] = s->certs[--s->n_certs];
}

static void record_as_before(struct host_state *s, const char *endpoint, const struct host_step_result *was)
{
	for (size_t k = 0; k < s->n_records; k++)
		if (strcmp(s->records[k].endpoint, endpoint) == 0)
			s->records[k--] = s->records[--s->n_records];
	if (was->has_old && s->n_records < HOST_RECORDS)
		s->records[s->n_records++] = was->old;
}

static void binding_as_before(struct host_state *s, const struct host_step *act)
{
	for (size_t i = 0; i < s->n_sites; i++)
		for (size_t k = 0; text_same(s->sites[i].name, act->site) && k < s->sites[i].n_bindings; k++) {
			struct host_binding *b = &s->sites[i].bindings[k];

			if (text_same(b->protocol, act->binding.protocol) && strcmp(b->information, act->binding.information) == 0)
				*b = s->sites[i].bindings[--s->sites[i].n_bindings];
		}
}

/* The host as it is now, but for what we take back. */
static void as_before(const struct repair *r, struct host_state *s)
{
	for (size_t i = PLAN_STEPS; i > 0; i--) {
		const struct host_step *act = &r->acts[i - 1];
		const struct host_step_result *was = &r->results[i - 1];

		if (!r->did[i - 1])
			continue;
		if (act->kind == STEP_CERT_CREATE || act->kind == STEP_CERT_RESTORE)
			cert_as_before(s, act->kind == STEP_CERT_CREATE ? was->thumbprint : act->thumbprint);
		else if (act->kind == STEP_RECORD_SET || act->kind == STEP_RECORD_REMOVE)
			record_as_before(s, act->endpoint, was);
		else if (act->kind == STEP_SITE_BINDING_ADD)
			binding_as_before(s, act);
	}
}

/* With the host open and locked: -1 before anything was changed. */
static int look(struct repair *r, struct err *e)
{
	int64_t deadline = clock_monotonic(r->o.clock) + 2 * r->o.policy->step_limit;

	if (nobody_objects(r, e) < 0)
		return -1;
	r->kept = xcalloc(1, sizeof(*r->kept));
	if (r->o.remedy->diagnose(r->host, r->o.clock, deadline, &r->kept->d, e) < 0 || check_ours(r, &r->kept->d.state, e) < 0)
		return -1;
	as_before(r, &r->kept->d.state);
	return 0;
}

/* The same machine as for a failed repair; a person waits for its end. */
static int drive(struct repair *r, struct err *e)
{
	say_text(r->failure, sizeof(r->failure), "an undo was asked for by %s", r->o.by);
	r->at = r->d->plan.n;
	r->checked = true;
	r->state = REPAIR_UNDOING;
	while (r->state != REPAIR_ENDED) {
		int64_t next = repair_undo_one(r), now = clock_monotonic(r->o.clock);

		if (r->state != REPAIR_ENDED && next > now)
			clock_sleep(r->o.clock, next - now);
	}
	if (r->how == REPAIR_ROLLED_BACK)
		return 0;
	return err_set(e, r->how == REPAIR_LOST ? ERR_IO : ERR_NEEDS_PERSON, "%s", r->text);
}

static int may_undo(const struct done *t, struct err *e)
{
	const struct repair *r = t->r;
	bool any = false;

	for (size_t i = 0; i < PLAN_STEPS; i++)
		any = any || r->did[i];
	if (!any)
		return err_set(e, ERR_REFUSED, "that repair has changed nothing that could be undone");
	if (!t->before_works)
		return err_set(e, ERR_REFUSED, "the state before that repair was not seen to work, or cannot be set again: an undo would break "
		"the "
			"service. What was there is in the ledger: 'evmend ledger --case %lld'", (long long)r->row.case_id);
	if (!t->exact)
		return err_set(e, ERR_REFUSED, "a step of that repair has no exact undo, or was interrupted");
	return 0;
}

struct newest {
	int64_t case_id;
	struct heal_repair row;
	bool found;
};

static int find_newest(void *arg, const struct heal_repair *r)
{
	struct newest *n = arg;

	if (r->case_id != n->case_id)
		return 0;
	n->row = *r;
	n->found = true;
	return 1;
}

static int find(const struct repair_options *o, int64_t case_id, struct heal_repair *to, struct err *e)
{
	struct newest newest = {.case_id = case_id};
	struct heal_repair other;
	int got;

	if (repair_row_each(o->db, 0, find_newest, &newest, e) < 0)
		return -1;
	if (!newest.found)
		return err_set(e, ERR_REFUSED, "case %lld had no repair", (long long)case_id);
	got = repair_row_unended(o->db, newest.row.host, &other, e);
	if (got == 1)
		return err_set(e, ERR_REFUSED, "the repair of case %lld is still under way, or was interrupted and is not finished",
			(long long)other.case_id);
	*to = newest.row;
	return got;
}

int repair_undo_case(const struct repair_options *o, int64_t case_id, struct err *e)
{
	struct heal_repair row;
	struct done t = {.exact = true, .e = e};
	struct repair *r;
	int got;

	if (find(o, case_id, &row, e) < 0)
		return -1;
	r = t.r = repair_resume(o, &row);
	r->resumed = false;
	r->asked = true;
	got = repair_each_record(o->db, case_id, row.token, take_done, &t, e);
	if (got == 0)
		got = may_undo(&t, e);
	if (got == 0 && repair_connect(r, e) == 0 && look(r, e) == 0)
		got = drive(r, e);
	else
		got = -1;
	repair_free(r);
	return got;
}
