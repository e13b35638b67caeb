/* repair_start.c - how a repair begins, and how one that was interrupted goes on.
 *
 * Exists because a permission is for one plan in one state. Promises: facts are read again under the host's lock, and another plan
 * than the permitted one is refused; an interrupted repair goes on by its old permission only with what remains of its own steps,
 * soon, and only if one of them was begun; all else is decided anew. Refuses to go on where the ledger does not know what was
 * there before. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/repair_write.h"

static int read_again(struct repair *r, enum tri *busy, char what[static 128], struct err *e)
{
	enum host_busy b;

	*busy = r->host->ops->busy(r->host, &b, what, repair_step_deadline(r), e) < 0 ? TRI_UNKNOWN : b != HOST_FREE ? TRI_YES : TRI_NO;
	return diagnose(r->o.remedy, r->host, r->o.clock, repair_mono(r) + 2 * r->o.policy->step_limit, &r->suspicion, r->d, e);
}

static int check_plan(struct repair *r, struct err *e)
{
	char was[65], is[65];

	if (r->resumed || memcmp(r->row.plan_id, r->d->plan.id, 32) == 0)
		return 0;
	text_hex(was, r->row.plan_id, 32);
	text_hex(is, r->d->plan.id, 32);
	return err_set(e, ERR_REFUSED, "the facts have changed: the plan was %.12s and is %.12s now (%s); nothing was done", was, is,
		r->d->verdict.name);
}

/* The host's lock keeps other programs away; one of ours that was interrupted is finished before another begins. */
static int single_flight(const struct repair *r, struct err *e)
{
	struct heal_repair row;
	int got = repair_row_unended(r->o.db, r->o.host_name, &row, e);

	if (got != 1)
		return got;
	return err_set(e, ERR_REFUSED, "a repair of %s is under way, or was interrupted and is not finished", r->o.host_name);
}

/* A certificate that the repair was to make: the one it made, or one that was not there before. */
static bool is_ours(const struct repair *r, const uint8_t thumbprint[20])
{
	const struct host_state *was = &r->kept->d.state;

	if (r->row.has_wanted && memcmp(r->row.wanted, thumbprint, 20) == 0)
		return true;
	for (size_t i = 0; i < was->n_certs; i++)
		if (memcmp(was->certs[i].info.thumbprint, thumbprint, 20) == 0)
			return false;
	return r->history.created && (was->known & HOST_PART_CERTS);
}

static bool is_planned(const struct repair *r, const struct plan_step *p, size_t i)
{
	uint8_t id[32];

	plan_step_id(p, id);
	if (memcmp(id, r->history.planned[i].id, 32) != 0)
		return false;
	if (r->history.planned[i].named)
		return !p->thumbprint_from_previous && memcmp(p->step.thumbprint, r->history.planned[i].thumbprint, 20) == 0;
	return p->thumbprint_from_previous || is_ours(r, p->step.thumbprint);
}

/* Does the old permission still hold? For a while, once something was begun, and for what remains of the steps that it was for. */
static bool still_permitted(const struct repair *r)
{
	const struct policy_config *policy = r->o.policy;
	int64_t age = repair_wall(r) - r->row.started, life = strcmp(r->row.by, "policy") == 0 || policy->approval_life < policy->repair_limit ?
		policy->repair_limit : policy->approval_life;
	size_t i = 0;

	if (!r->resumed || !r->history.begun || age < 0 || age > life)
		return false;
	for (size_t k = 0; k < r->d->plan.n; k++) {
		while (i < r->history.n_planned && !is_planned(r, &r->d->plan.steps[k], i))
			i++;
		if (i++ >= r->history.n_planned)
			return false;
	}
	return true;
}

/* The first half of a beginning; 0: may act. */
static int prepare(struct repair *r, struct policy_decision *decision, struct err *e)
{
	char what[128] = "";
	enum tri busy = TRI_UNKNOWN;

	if ((!r->resumed && single_flight(r, e) < 0) || repair_connect(r, e) < 0 ||
	    chart_suspicion(r->o.db, r->o.host_name, &r->suspicion, NULL, e) < 0 ||
	    read_again(r, &busy, what, e) < 0 || check_plan(r, e) < 0)
		return -1;
	if (r->resumed && r->d->verdict.healthy)
		return 0;
	if (r->o.permit(r->o.arg, r->d, busy, what, still_permitted(r), decision, e) < 0)
		return -1;
	return decision->answer == POLICY_GO ? 0 : err_set(e, ERR_REFUSED, "%s", decision->why);
}

/* An interrupted repair is not given up because the host is locked for a moment; but not for ever either. */
static int64_t resume_later(struct repair *r, const struct policy_decision *decision, const struct err *e)
{
	bool final = decision->answer == POLICY_ADVISE || decision->answer == POLICY_ASK || repair_mono(r) > r->began + r->o.policy->repair_limit;
	char text[480];

	repair_drop_host(r);
	say_text(text, sizeof(text), "the repair was interrupted and cannot be finished: %s", e->text);
	if (final)
		return repair_finish(r, REPAIR_NEEDS_PERSON, text);
	text_copy(r->text, sizeof(r->text), text);
	return repair_mono(r) + RETRY_WAIT;
}

/* What the ledger knows. 0: it may go on; else what repair_step answers is in *next. */
static int recall(struct repair *r, int64_t *next)
{
	struct repair_history *was = &r->history;
	struct err e;
	char text[480];

	if (r->kept == NULL)
		r->kept = xcalloc(1, sizeof(*r->kept));
	if (repair_history(r->o.db, &r->row, was, r->kept, &e) < 0)
		*next = repair_lost(r, &e);
	else if (r->asked)
		*next = repair_finish(r, REPAIR_NEEDS_PERSON, "the undo that a person asked for was interrupted: a part of it may be done, and "
			"nobody but a person goes on");
	else if (was->failed)
		*next = repair_finish(r, REPAIR_NEEDS_PERSON, "a step had failed before the program ended: it is not tried a second time");
	else if (was->interrupted > INTERRUPTIONS_MAX) {
		say_text(text, sizeof(text), "the repair was interrupted %d times: something ends it each time", was->interrupted);
		*next = repair_finish(r, REPAIR_NEEDS_PERSON, text);
	} else if (!was->has_snapshot) {
		say_text(text, sizeof(text), "the repair was interrupted, and the state before it is not known: %s", was->why_not);
		*next = repair_finish(r, REPAIR_NEEDS_PERSON, text);
	} else {
		return 0;
	}
	return -1;
}

static void want(struct repair *r)
{
	r->row.has_wanted = r->d->plan.has_wanted;
	memcpy(r->row.wanted, r->d->plan.wanted, 20);
}

int64_t repair_start(struct repair *r)
{
	struct policy_decision *decision = &r->decision;
	struct err e = {.code = ERR_NONE};
	int64_t next;

	if (r->resumed && recall(r, &next) < 0)
		return next;
	*decision = (struct policy_decision){.answer = POLICY_REFUSE};
	if (prepare(r, decision, &e) < 0)
		return r->resumed ? resume_later(r, decision, &e) : repair_refuse(r, &e);
	want(r);
	if (r->resumed && r->d->verdict.healthy) {
		r->d->plan.n = 0;
		r->state = REPAIR_VERIFYING;
		return repair_mono(r);
	}
	for (size_t i = 0; r->resumed && i < r->d->plan.n; i++)
		plan_put(&r->kept->d.plan, &r->d->plan.steps[i].step);
	if (!r->resumed)
		r->began = repair_mono(r);
	if (write_begin(r, repair_wall(r), &e) < 0) {
		if (!r->resumed)
			return repair_refuse(r, &e);
		return repair_lost(r, &e);
	}
	r->state = REPAIR_STEPPING;
	return repair_mono(r);
}
