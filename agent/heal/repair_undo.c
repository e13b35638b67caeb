/* repair_undo.c - takes the steps of a repair back, newest first: of one that failed, or of one that a person does not want.
 *
 * Exists because an undo is a change like any other. Promises: nothing is taken back that another has touched since; each undo
 * has its intent and its outcome in the ledger; what is called rolled back was proven to work as before. Refuses to try an undo
 * twice: a person is called instead. */
#include <stdlib.h>

#include "base/killpoint.h"
#include "heal/repair_write.h"

/* Before the first undo: is it all ours still? -1: not now (ERR_IO), or never. */
static int look_before_undo(struct repair *r, struct err *e)
{
	struct host_state *now = xcalloc(1, sizeof(*now));
	int done = repair_connect(r, e);

	if (done == 0)
		done = r->host->ops->observe(r->host, HOST_PART_RECORDS | HOST_PART_CERTS | HOST_PART_SITES | HOST_PART_ITC, now,
			repair_step_deadline(r), e);
	if (done == 0)
		done = check_ours(r, now, e);
	free(now);
	return done;
}

/* What the service showed before the first act: as the record that the plan is about stood there, whether or not its step was
 * taken. NULL: the plan is about none. */
static const uint8_t *shown_before(const struct repair *r, const struct host_state *before)
{
	for (size_t i = 0; i < r->d->plan.n; i++) {
		const struct host_step *step = &r->d->plan.steps[i].step;
		const struct host_record *old = step->kind == STEP_RECORD_SET ? repair_record(before, step->endpoint) : NULL;

		if (old != NULL)
			return old->thumbprint;
	}
	return NULL;
}

static int64_t not_undone(struct repair *r, const char *what, const struct err *e)
{
	char text[600];

	if (e->code == ERR_IO) {
		repair_drop_host(r);
		if (++r->tries < PROOF_TRIES)
			return repair_mono(r) + r->tries * US_SECOND;
	}
	say_text(text, sizeof(text), "%s; %s: %s", r->failure, what, e->text);
	return repair_finish(r, REPAIR_NEEDS_PERSON, text);
}

/* An undo counts as little as a step: only the service says whether the state before is back. */
static int64_t undone(struct repair *r)
{
	const struct diagnosis *before = r->kept ? &r->kept->d : r->d;
	const uint8_t *shown = shown_before(r, &before->state);
	struct err e = {.code = ERR_NONE};
	char text[600];

	if (shown == NULL) {
		(void)err_set(&e, ERR_NEEDS_PERSON, "what 444 showed before is not known");
		return not_undone(r, "every step was undone, but the state before is not proven", &e);
	}
	if (repair_connect(r, &e) < 0 || r->o.remedy->verify(r->host, r->o.clock, repair_mono(r) + 2 * r->o.policy->step_limit, before, shown,
		&r->proof, &e) < 0 || !r->proof.ok) {
		if (e.code == ERR_NONE)
			(void)err_set(&e, ERR_IO, "%s", r->proof.summary);
		return not_undone(r, "every step was undone, but the state before is not proven", &e);
	}
	if (r->asked)
		say_text(text, sizeof(text), "the repair was undone, asked for by %s", r->o.by);
	else
		say_text(text, sizeof(text), "%s; every step was undone: the state before worked", r->failure);
	return repair_finish(r, REPAIR_ROLLED_BACK, text);
}

int64_t repair_undo_one(struct repair *r)
{
	char text[600];
	struct err e = {.code = ERR_NONE}, written;
	int done;

	if (!r->checked && look_before_undo(r, &e) < 0)
		return not_undone(r, "nothing is undone", &e);
	if (!r->checked)
		r->tries = 0;
	r->checked = true;
	while (r->at > 0 && !r->did[r->at - 1])
		r->at--;
	if (r->at == 0)
		return undone(r);
	if (write_undo_intent(r, repair_wall(r), r->at - 1, &e) < 0)
		return repair_lost(r, &e);
	done = repair_connect(r, &e) < 0 ? -1 : r->host->ops->undo(r->host, &r->acts[r->at - 1], &r->results[r->at - 1], repair_step_deadline(r),
		&e);
	kill_point("heal.in-undo");
	/* without an answer nobody knows whether it was done */
	if ((done < 0 && e.code == ERR_IO ? write_interrupted(r->o.db, repair_wall(r), &r->row, (int64_t)r->at, e.text, &written) :
	    write_undo_outcome(r, repair_wall(r), r->at - 1, done == 0 ? NULL : &e, &written)) < 0)
		return repair_lost(r, &written);
	if (done < 0) {
		say_text(text, sizeof(text), "%s; and the undo failed: %s", r->failure, e.text);
		return repair_finish(r, REPAIR_NEEDS_PERSON, text);
	}
	repair_say(r, "undone: %s", r->d->plan.steps[r->at - 1].what);
	r->at--;
	return repair_mono(r);
}
