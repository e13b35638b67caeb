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
		r->d->plan.n = (size_t)step;
		return wire_get_step(json_get(body, "act"), &r->acts[step - 1], t->e);
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

static int undo_steps(struct repair *r, struct err *e)
{
	int64_t now = clock_wall(r->o.clock);

	for (size_t i = r->d->plan.n; i > 0; i--) {
		int64_t deadline = clock_monotonic(r->o.clock) + r->o.policy->step_limit;
		struct err written;
		int done;

		if (!r->did[i - 1])
			continue;
		if (write_undo_intent(r, now, i - 1, e) < 0)
			return -1;
		done = r->host->ops->undo(r->host, &r->acts[i - 1], &r->results[i - 1], deadline, e);
		if (write_undo_outcome(r, now, i - 1, done < 0 ? e : NULL, &written) < 0) {
			*e = written;
			return -1;
		}
		if (done < 0) {
			e->code = ERR_NEEDS_PERSON;
			return err_prefix(e, "step %zu could not be undone", i);
		}
		if (r->o.say)
			r->o.say(r->o.arg, r->d->plan.steps[i - 1].what);
	}
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

/* ---- is it proven afterwards? ---- */

/* What we take away is not missed. */
static void without_ours(const struct repair *r, struct host_state *s)
{
	for (size_t i = 0; i < PLAN_STEPS; i++)
		for (size_t k = 0; r->did[i] && r->acts[i].kind == STEP_CERT_CREATE && k < s->n_certs; k++)
			if (memcmp(s->certs[k].info.thumbprint, r->results[i].thumbprint, 20) == 0)
				s->certs[k--] = s->certs[--s->n_certs];
}

static const uint8_t *shown_before(const struct repair *r)
{
	for (size_t i = 0; i < PLAN_STEPS; i++)
		if (r->did[i] && r->acts[i].kind == STEP_RECORD_SET && r->results[i].has_old)
			return r->results[i].old.thumbprint;
	return NULL;
}

static int prove(struct repair *r, const struct diagnosis *before, const uint8_t shown[20], struct err *e)
{
	for (int tries = 0; tries < PROOF_TRIES; tries++) {
		int64_t now = clock_monotonic(r->o.clock);

		if (tries > 0)
			clock_sleep(r->o.clock, tries * US_SECOND);
		if (r->o.remedy->verify(r->host, r->o.clock, now + 2 * r->o.policy->step_limit, before, shown, &r->proof, e) == 0) {
			if (r->proof.ok)
				return 0;
			(void)err_set(e, ERR_NEEDS_PERSON, "%s", r->proof.summary);
		}
	}
	e->code = ERR_NEEDS_PERSON;
	return err_prefix(e, "the repair is undone, but the state before is not proven");
}

/* With the host open and locked. */
static int undo_on_host(struct repair *r, struct err *e)
{
	struct diagnosis *before = xcalloc(1, sizeof(*before));
	int64_t deadline = clock_monotonic(r->o.clock) + 2 * r->o.policy->step_limit;
	uint8_t shown[20];
	const uint8_t *old = shown_before(r);
	int got = nobody_objects(r, e);

	if (old != NULL)
		memcpy(shown, old, 20);
	if (got == 0)
		got = r->o.remedy->diagnose(r->host, r->o.clock, deadline, before, e);
	if (got == 0)
		got = check_ours(r, &before->state, e);
	if (got == 0) {
		without_ours(r, &before->state);
		got = undo_steps(r, e);
	}
	if (got == 0 && old != NULL)
		got = prove(r, before, shown, e);
	free(before);
	return got;
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

static int tell_case(struct repair *r, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(r->o.db, r->row.case_id, c, e);

	if (got == 1) {
		say_text(c->text, sizeof(c->text), "the repair was undone, asked for by %s", r->o.by);
		c->has_plan = false;
		got = case_store_state(r->o.db, clock_wall(r->o.clock), c, CASE_ADVISED, e);
	}
	free(c);
	return got < 0 ? -1 : 0;
}

int repair_undo_case(const struct repair_options *o, int64_t case_id, struct err *e)
{
	struct newest newest = {.case_id = case_id};
	struct repair *r = xcalloc(1, sizeof(*r));
	struct done t = {.r = r, .exact = true, .e = e};
	int got = repair_row_each(o->db, 0, find_newest, &newest, e) < 0 ? -1 : 0;

	r->o = *o;
	r->row = newest.row;
	r->d = xcalloc(1, sizeof(*r->d));
	if (got == 0 && !newest.found)
		got = err_set(e, ERR_REFUSED, "case %lld had no repair", (long long)case_id);
	else if (got == 0 && newest.row.ended == 0)
		got = err_set(e, ERR_REFUSED, "the repair of case %lld is still under way", (long long)case_id);
	if (got == 0)
		got = repair_each_record(o->db, case_id, r->row.token, take_done, &t, e);
	if (got == 0)
		got = may_undo(&t, e);
	if (got == 0) {
		int64_t deadline = clock_monotonic(o->clock) + o->policy->step_limit;

		r->host = o->open(o->arg, deadline, e);
		got = r->host == NULL ? -1 : r->host->ops->lock(r->host, o->who, deadline, e);
	}
	if (got == 0)
		got = undo_on_host(r, e);
	if (got == 0)
		got = tell_case(r, e);
	if (r->host)
		r->host->ops->close(r->host);
	free(r->d);
	free(r);
	return got;
}
