/* repair.c - carries out one plan, proves it, watches it settle.
 *
 * Exists so that an act is never more than its intent on disk, and a repair never more than its proof. Promises: facts are read
 * again under the host's lock and another plan is refused; each step has its limit and the whole has one; what happened is in the
 * ledger before the next step; a step whose answer never came is `interrupted`, and the host is diagnosed anew as after a crash;
 * a failure is undone only where every undo is exact and the state before was seen to work, and then that state is proven again,
 * else everything stays and a person is called. Refuses to try a failed step twice, and to replace what another has set. */
#include "heal/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/killpoint.h"
#include "base/text.h"
#include "heal/repair_write.h"
#include "os/os.h"

#define ROUNDS 3                   /* settling starts anew at most so often */

void repair_say(struct repair *r, const char *fmt, ...)
{
	char line[600];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (r->o.say)
		r->o.say(r->o.arg, line);
}

void repair_drop_host(struct repair *r)
{
	if (r->host)
		r->host->ops->close(r->host);
	r->host = NULL;
}

static int64_t end(struct repair *r, enum repair_end how)
{
	r->state = REPAIR_ENDED;
	r->how = how;
	repair_drop_host(r);
	return 0;
}

int64_t repair_refuse(struct repair *r, const struct err *e)
{
	text_copy(r->text, sizeof(r->text), e->text);
	return end(r, REPAIR_REFUSED);
}

/* heal.db does not take records: nothing more may be done, for nobody would know of it. */
int64_t repair_lost(struct repair *r, const struct err *e)
{
	say_text(r->text, sizeof(r->text), "the repair stops where it is, since the ledger cannot be written: %s", e->text);
	return end(r, REPAIR_LOST);
}

/* Ends it in the ledger, in its row and in its cases. */
int64_t repair_finish(struct repair *r, enum repair_end how, const char *text)
{
	struct err e;

	text_copy(r->text, sizeof(r->text), text);
	if (write_end(r, repair_wall(r), how, &e) < 0)
		return repair_lost(r, &e);
	if (how != REPAIR_HEALED)
		repair_say(r, "%s", r->text);
	return end(r, how);
}

int repair_connect(struct repair *r, struct err *e)
{
	if (r->host)
		return 0;
	r->host = r->o.open(r->o.arg, repair_step_deadline(r), e);
	if (r->host == NULL)
		return -1;
	if (r->host->ops->lock(r->host, r->o.who, repair_step_deadline(r), e) == 0)
		return 0;
	repair_drop_host(r); /* nobody acts on a host that another has locked */
	return -1;
}

/* ---- failing ---- */

static bool undo_allowed(const struct repair *r)
{
	if (!r->d->plan.before_works || r->resumed)
		return false;
	for (size_t i = 0; i < r->at; i++)
		if (r->did[i] && r->d->plan.steps[i].undo_kind != UNDO_EXACT)
			return false;
	return r->at > 0;
}

static bool nothing_done(const struct repair *r)
{
	for (size_t i = 0; i < r->at; i++)
		if (r->did[i])
			return false;
	return !r->resumed;
}

static int64_t fail(struct repair *r, const char *why)
{
	text_copy(r->failure, sizeof(r->failure), why);
	repair_say(r, "failed: %s", why);
	if (undo_allowed(r)) {
		r->tries = 0;
		r->state = REPAIR_UNDOING;
		return repair_mono(r);
	}
	say_text(r->text, sizeof(r->text), "%s; %s: a person is needed", r->failure, nothing_done(r) ? "nothing was changed" :
		"nothing is undone, since the state before did not work or cannot be set again");
	return repair_finish(r, REPAIR_NEEDS_PERSON, r->text);
}

/* ---- steps ---- */

/* Nobody knows what was done: as after a crash, the host is read anew and the repair finished forward, within its limit. */
static int64_t again(struct repair *r)
{
	repair_drop_host(r);
	r->resumed = true;
	r->at = 0;
	r->tries = 0;
	memset(r->did, 0, sizeof(r->did));
	r->state = REPAIR_BEGINNING;
	return repair_mono(r);
}

static int64_t step_failed(struct repair *r, const struct err *e)
{
	char why[600];

	say_text(why, sizeof(why), "step %zu (%s) failed: %s", r->at + 1, r->d->plan.steps[r->at].what, e->text);
	if (e->code != ERR_IO)
		return fail(r, why);
	repair_say(r, "interrupted: %s", why);
	text_copy(r->text, sizeof(r->text), why);
	return again(r);
}

static int64_t not_as_planned(struct repair *r, const struct err *e)
{
	char why[600];

	if (e->code == ERR_IO)
		return again(r);
	say_text(why, sizeof(why), "step %zu (%s) was not taken: %s", r->at + 1, r->d->plan.steps[r->at].what, e->text);
	return fail(r, why);
}

/* A step that was refused has changed nothing; but that is only what the host says. A host that is not as it was, or cannot be seen,
 * makes of it a step whose answer never came. */
static void doubt_refusal(struct repair *r, struct err *e)
{
	struct err seen = {.code = ERR_NONE};
	char text[sizeof(e->text)];

	if (e->code == ERR_IO || check_others(r, &seen) == 0)
		return;
	text_copy(text, sizeof(text), e->text);
	(void)err_set(e, ERR_IO, "%.200s; but the host is not as it was before the step: %.200s", text, seen.text);
}

static void make_act(struct repair *r, struct host_step *act)
{
	const struct plan_step *p = &r->d->plan.steps[r->at];

	*act = p->step;
	text_copy(act->token, sizeof(act->token), r->row.token);
	if (p->thumbprint_from_previous)
		memcpy(act->thumbprint, r->row.wanted, 20);
}

/* Others may have begun since the facts were read: they are waited for, within the limit. 0: nobody is at work there. */
static int64_t wait_for_others(struct repair *r)
{
	char what[128] = "", text[300];
	enum host_busy busy;
	struct err e = {.code = ERR_NONE};
	int got = r->host->ops->busy(r->host, &busy, what, repair_step_deadline(r), &e);

	if (got == 0 && busy == HOST_FREE)
		return 0;
	if (got < 0 && e.code == ERR_IO)
		return again(r);
	if (repair_mono(r) + RETRY_WAIT <= r->began + r->o.policy->repair_limit)
		return repair_mono(r) + RETRY_WAIT;
	say_text(text, sizeof(text), "others were at work on the host (%s) until the time limit of the repair had passed; what was done stays",
		got == 0 ? what : "that is not known");
	return repair_finish(r, REPAIR_NEEDS_PERSON, text);
}

static int64_t act(struct repair *r)
{
	struct host_step *act = &r->acts[r->at];
	struct host_step_result *result = &r->results[r->at];
	const struct plan_step *p = &r->d->plan.steps[r->at];
	struct err e = {.code = ERR_NONE}, written;
	int64_t later;
	int done;

	if (repair_mono(r) > r->began + r->o.policy->repair_limit)
		return fail(r, "the repair took longer than its limit");
	if (repair_connect(r, &e) < 0)
		return again(r);
	later = wait_for_others(r);
	if (later != 0 || r->state != REPAIR_STEPPING)
		return later;
	if (check_others(r, &e) < 0)
		return not_as_planned(r, &e);
	make_act(r, act);
	kill_point("heal.before-intent");
	if (write_intent(r, repair_wall(r), &e) < 0)
		return repair_lost(r, &e);
	kill_point("heal.after-intent");
	repair_say(r, "step %zu of %zu: %s", r->at + 1, r->d->plan.n, p->what);
	memset(result, 0, sizeof(*result));
	done = r->host->ops->apply(r->host, act, result, repair_step_deadline(r), &e);
	kill_point("heal.in-step");
	if (done < 0)
		doubt_refusal(r, &e);
	if (done == 0 && act->kind == STEP_CERT_CREATE) {
		memcpy(r->row.wanted, result->thumbprint, 20);
		r->row.has_wanted = true;
	}
	if ((done < 0 && e.code == ERR_IO ? write_interrupted(r->o.db, repair_wall(r), &r->row, (int64_t)r->at + 1, e.text, &written) :
	    write_outcome(r, repair_wall(r), done == 0 ? NULL : &e, &written)) < 0)
		return repair_lost(r, &written);
	kill_point("heal.after-outcome");
	if (done < 0)
		return step_failed(r, &e);
	r->did[r->at] = result->did;
	r->at++;
	if (r->at == r->d->plan.n)
		r->state = REPAIR_VERIFYING;
	return repair_mono(r);
}

/* ---- proof and settling ---- */

static int prove(struct repair *r, struct err *e)
{
	if (!r->row.has_wanted)
		return err_set(e, ERR_INTERNAL, "the repair does not know which certificate it wants");
	if (repair_connect(r, e) < 0)
		return -1;
	return r->o.remedy->verify(r->host, r->o.clock, repair_mono(r) + 2 * r->o.policy->step_limit, r->kept ? &r->kept->d : r->d,
		r->row.wanted, &r->proof, e);
}

/* A hop that stays open is another step's business, unless this repair was that step. */
static bool proven(const struct repair *r)
{
	const struct plan *plan = r->kept ? &r->kept->d.plan : &r->d->plan;
	bool restarted = false;

	for (size_t i = 0; i < plan->n; i++)
		restarted = restarted || plan->steps[i].step.kind == STEP_IIS_RESTART;
	return r->proof.ok && !(restarted && r->proof.hop_open);
}

static void proof_failure(const struct repair *r, const struct err *e, char to[static 400])
{
	size_t n = 0;

	if (e->code != ERR_NONE) {
		say_text(to, 400, "the proof could not be taken: %s", e->text);
		return;
	}
	say_text(to, 400, "the proof failed:");
	for (size_t i = 0; i < r->proof.n; i++) {
		n = strlen(to);
		if (r->proof.checks[i].value == TRI_NO || (r->proof.checks[i].value == TRI_UNKNOWN && i + 1 < r->proof.n))
			say_text(to + n, 400 - n, " %s is %s (%s);", r->proof.checks[i].name, tri_text(r->proof.checks[i].value),
				r->proof.checks[i].seen);
	}
	n = strlen(to);
	if (to[n - 1] == ';')
		to[n - 1] = '\0';
}

/* Not yet proven: try again soon, or fail. */
static int64_t not_proven(struct repair *r, const struct err *e)
{
	char why[400], both[600];

	if (e->code == ERR_IO)
		repair_drop_host(r);
	if (++r->tries < PROOF_TRIES && (r->state == REPAIR_SETTLING || repair_mono(r) < r->began + r->o.policy->repair_limit))
		return repair_mono(r) + r->tries * US_SECOND;
	proof_failure(r, e, why);
	say_text(both, sizeof(both), "%s%s%s", r->failure, r->failure[0] ? "; " : "", why);
	return fail(r, both);
}

static int64_t verify(struct repair *r)
{
	struct err e = {.code = ERR_NONE};

	kill_point("heal.in-verify");
	if (prove(r, &e) < 0 || !proven(r))
		return not_proven(r, &e);
	r->tries = 0;
	r->proven_at = repair_wall(r);
	r->row.settle_until = repair_wall(r) + r->o.policy->settle;
	r->settle_until = repair_mono(r) + r->o.policy->settle;
	if (write_proof(r, repair_wall(r), CASE_SETTLING, &e) < 0)
		return repair_lost(r, &e);
	repair_say(r, "proven: %s", r->proof.summary);
	r->state = REPAIR_SETTLING;
	return repair_mono(r) + r->o.policy->settle / 3;
}

static int64_t settle(struct repair *r)
{
	struct err e = {.code = ERR_NONE};
	int64_t next;

	kill_point("heal.in-settle");
	if (prove(r, &e) < 0 || !proven(r))
		return not_proven(r, &e);
	r->tries = 0;
	/* it was not quiet for the settle time in any of the rounds: nothing is undone for what events say, but a person should look */
	if (repair_mono(r) >= r->settle_until && r->symptom != 0 && repair_mono(r) < r->symptom + r->o.policy->settle)
		return repair_finish(r, REPAIR_NEEDS_PERSON, "444 is proven to work, but events of its trouble go on: a person should see what "
			"they are about");
	if (repair_mono(r) >= r->settle_until)
		return repair_finish(r, REPAIR_HEALED, r->proof.summary);
	next = repair_mono(r) + r->o.policy->settle / 3;
	return next < r->settle_until ? next : r->settle_until;
}

int64_t repair_step(struct repair *r)
{
	int64_t next;

	/* Steps and undo change things; a proof only looks. Whoever holds it past its limit has it. */
	if (r->o.stop && (r->state == REPAIR_STEPPING || r->state == REPAIR_UNDOING) && r->o.stop(r->o.arg)) {
		if (repair_mono(r) <= r->began + r->o.policy->repair_limit)
			return repair_mono(r) + RETRY_WAIT;
		return repair_finish(r, REPAIR_NEEDS_PERSON, "the repair was held until its time limit had passed; what was done stays");
	}
	switch (r->state) {
	case REPAIR_BEGINNING:
		next = repair_start(r);
		break;
	case REPAIR_STEPPING:
		next = act(r);
		break;
	case REPAIR_VERIFYING:
		next = verify(r);
		break;
	case REPAIR_SETTLING:
		next = settle(r);
		break;
	case REPAIR_UNDOING:
		next = repair_undo_one(r);
		break;
	default:
		next = 0;
	}
	return r->state == REPAIR_ENDED ? 0 : next;
}

void repair_symptom(struct repair *r, int64_t time)
{
	if (r->state != REPAIR_SETTLING)
		return;
	if (time > r->proven_at)
		r->symptom = repair_mono(r);
	if (r->rounds >= ROUNDS)
		return;
	r->rounds++;
	r->settle_until = repair_mono(r) + r->o.policy->settle;
}

enum repair_state repair_state(const struct repair *r)
{
	return r->state;
}

enum repair_end repair_result(const struct repair *r)
{
	return r->how;
}

const char *repair_text(const struct repair *r)
{
	return r->text;
}

const struct policy_decision *repair_decision(const struct repair *r)
{
	return &r->decision;
}

const struct diagnosis *repair_diagnosis(const struct repair *r)
{
	return r->d;
}

static struct repair *make(const struct repair_options *o)
{
	struct repair *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	r->d = xcalloc(1, sizeof(*r->d));
	r->o.host_name = xstrdup(o->host_name);
	r->o.by = xstrdup(o->by);
	r->o.who = xstrdup(o->who);
	r->began = repair_mono(r);
	return r;
}

struct repair *repair_begin(const struct repair_options *o, const uint8_t plan_id[32])
{
	struct repair *r = make(o);
	uint8_t random[16];

	if (os_random(random, sizeof(random)) < 0)
		die("no random bytes for the name of a repair");
	text_hex(r->row.token, random, sizeof(random));
	text_copy(r->row.host, sizeof(r->row.host), o->host_name);
	text_copy(r->row.by, sizeof(r->row.by), o->by);
	r->row.case_id = o->case_id;
	memcpy(r->row.plan_id, plan_id, 32);
	return r;
}

struct repair *repair_resume(const struct repair_options *o, const struct heal_repair *row)
{
	struct repair *r = make(o);

	r->row = *row;
	r->resumed = true;
	r->asked = strcmp(row->result, "undoing") == 0;
	return r;
}

void repair_free(struct repair *r)
{
	if (r == NULL)
		return;
	repair_drop_host(r);
	free((void *)(uintptr_t)r->o.host_name);
	free((void *)(uintptr_t)r->o.by);
	free((void *)(uintptr_t)r->o.who);
	free(r->d);
	free(r->kept);
	free(r);
}
