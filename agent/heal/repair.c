/* repair.c - carries out one plan, proves it, watches it settle.
 *
 * Exists so that an act is never more than its intent on disk, and a repair never more than its proof. Promises: facts are read
 * again under the host's lock and another plan is refused; each step has its limit and the whole has one; what happened is in the
 * ledger before the next step; a failure is undone only where every undo is exact and the state before was seen to work, else
 * everything stays and a person is called. Refuses to try twice. */
#include "heal/repair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/killpoint.h"
#include "base/text.h"
#include "heal/repair_write.h"
#include "os/os.h"

#define RETRY_WAIT (5 * US_SECOND) /* an interrupted repair waits this long for a host, a lock or an end of hold */
#define PROOF_TRIES 4              /* the service may need a moment to take what was set */
#define ROUNDS 3                   /* settling starts anew at most so often */

static int64_t mono(const struct repair *r)
{
	return clock_monotonic(r->o.clock);
}

static int64_t wall(const struct repair *r)
{
	return clock_wall(r->o.clock);
}

static int64_t step_deadline(const struct repair *r)
{
	return mono(r) + r->o.policy->step_limit;
}

static void say(struct repair *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct repair *r, const char *fmt, ...)
{
	char line[600];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (r->o.say)
		r->o.say(r->o.arg, line);
}

static void drop_host(struct repair *r)
{
	if (r->host)
		r->host->ops->close(r->host);
	r->host = NULL;
}

static int64_t end(struct repair *r, enum repair_end how)
{
	r->state = REPAIR_ENDED;
	r->how = how;
	drop_host(r);
	return 0;
}

static int64_t refuse(struct repair *r, const struct err *e)
{
	text_copy(r->text, sizeof(r->text), e->text);
	return end(r, REPAIR_REFUSED);
}

/* heal.db does not take records: nothing more may be done, for nobody would know of it. */
static int64_t lost(struct repair *r, const struct err *e)
{
	say_text(r->text, sizeof(r->text), "the repair stops where it is, since the ledger cannot be written: %s", e->text);
	return end(r, REPAIR_LOST);
}

/* Ends it in the ledger, in its row and in its cases. */
static int64_t finish(struct repair *r, enum repair_end how, const char *text)
{
	struct err e;

	text_copy(r->text, sizeof(r->text), text);
	if (write_end(r, wall(r), how, &e) < 0)
		return lost(r, &e);
	if (how != REPAIR_HEALED)
		say(r, "%s", r->text);
	return end(r, how);
}

/* ---- beginning: lock, busy, facts again, permission ---- */

static int connect_host(struct repair *r, struct err *e)
{
	if (r->host)
		return 0;
	r->host = r->o.open(r->o.arg, step_deadline(r), e);
	if (r->host == NULL)
		return -1;
	if (r->host->ops->lock(r->host, r->o.who, step_deadline(r), e) == 0)
		return 0;
	drop_host(r); /* nobody acts on a host that another has locked */
	return -1;
}

static int read_again(struct repair *r, bool *busy, char what[static 128], struct err *e)
{
	enum host_busy b;

	if (r->host->ops->busy(r->host, &b, what, step_deadline(r), e) < 0)
		return err_prefix(e, "whether others are at work on the host is unknown");
	*busy = b != HOST_FREE;
	return diagnose(r->o.remedy, r->host, r->o.clock, mono(r) + 2 * r->o.policy->step_limit, &r->suspicion, r->d, e);
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

/* The first half of a beginning; 0: may act. */
static int prepare(struct repair *r, struct policy_decision *decision, struct err *e)
{
	char what[128] = "";
	bool busy = false;

	if (connect_host(r, e) < 0 || chart_suspicion(r->o.db, r->o.host_name, &r->suspicion, &r->open_case, e) < 0 ||
	    read_again(r, &busy, what, e) < 0 || check_plan(r, e) < 0)
		return -1;
	if (r->resumed && r->d->verdict.healthy)
		return 0;
	if (r->o.permit(r->o.arg, r->d, busy, what, r->resumed, decision, e) < 0)
		return -1;
	return decision->answer == POLICY_GO ? 0 : err_set(e, ERR_REFUSED, "%s", decision->why);
}

/* An interrupted repair is not given up because the host is locked for a moment; but not for ever either. */
static int64_t resume_later(struct repair *r, const struct policy_decision *decision, const struct err *e)
{
	bool final = decision->answer == POLICY_ADVISE || decision->answer == POLICY_ASK || mono(r) > r->began + r->o.policy->repair_limit;
	char text[480];

	drop_host(r);
	say_text(text, sizeof(text), "the repair was interrupted and cannot be finished: %s", e->text);
	if (final)
		return finish(r, REPAIR_NEEDS_PERSON, text);
	text_copy(r->text, sizeof(r->text), text);
	return mono(r) + RETRY_WAIT;
}

static int64_t begin(struct repair *r)
{
	struct policy_decision decision = {.answer = POLICY_REFUSE};
	struct err e = {.code = ERR_NONE};
	bool failed = false;

	if (r->resumed && repair_had_failed(r->o.db, &r->row, &failed, &e) < 0)
		return lost(r, &e);
	if (failed)
		return finish(r, REPAIR_NEEDS_PERSON, "a step had failed before the program ended: it is not tried a second time");
	if (prepare(r, &decision, &e) < 0)
		return r->resumed ? resume_later(r, &decision, &e) : refuse(r, &e);
	if (r->resumed && r->d->verdict.healthy) {
		r->d->plan.n = 0;
		if (!r->row.has_wanted) {
			r->row.has_wanted = r->d->plan.has_wanted;
			memcpy(r->row.wanted, r->d->plan.wanted, 20);
		}
		r->state = REPAIR_VERIFYING;
		return mono(r);
	}
	r->began = mono(r);
	r->row.has_wanted = r->d->plan.has_wanted;
	memcpy(r->row.wanted, r->d->plan.wanted, 20);
	if (write_begin(r, wall(r), &e) < 0) {
		if (!r->resumed)
			return refuse(r, &e);
		return lost(r, &e);
	}
	r->state = REPAIR_STEPPING;
	return mono(r);
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
	say(r, "failed: %s", why);
	if (undo_allowed(r)) {
		r->state = REPAIR_UNDOING;
		return mono(r);
	}
	say_text(r->text, sizeof(r->text), "%s; %s: a person is needed", r->failure, nothing_done(r) ? "nothing was changed" :
		"nothing is undone, since the state before did not work or cannot be set again");
	return finish(r, REPAIR_NEEDS_PERSON, r->text);
}

static int64_t undo_one(struct repair *r)
{
	char text[600];
	struct err e = {.code = ERR_NONE};
	int done;

	while (r->at > 0 && !r->did[r->at - 1])
		r->at--;
	if (r->at == 0) {
		say_text(text, sizeof(text), "%s; every step was undone: the state before worked", r->failure);
		return finish(r, REPAIR_ROLLED_BACK, text);
	}
	if (write_undo_intent(r, wall(r), r->at - 1, &e) < 0)
		return lost(r, &e);
	done = connect_host(r, &e) < 0 ? -1 : r->host->ops->undo(r->host, &r->acts[r->at - 1], &r->results[r->at - 1], step_deadline(r),
		&e);
	if (write_undo_outcome(r, wall(r), r->at - 1, done == 0 ? NULL : &e, &e) < 0)
		return lost(r, &e);
	if (done < 0) {
		say_text(text, sizeof(text), "%s; and the undo failed: %s", r->failure, e.text);
		return finish(r, REPAIR_NEEDS_PERSON, text);
	}
	say(r, "undone: %s", r->d->plan.steps[r->at - 1].what);
	r->at--;
	return mono(r);
}

/* ---- steps ---- */

/* What stood there before a step whose answer never came: from the snapshot. */
static void assume_old(struct repair *r, size_t step)
{
	const struct host_state *s = &r->d->state;

	for (size_t i = 0; i < s->n_records; i++)
		if (r->acts[step].kind == STEP_RECORD_SET && strcmp(s->records[i].endpoint, r->acts[step].endpoint) == 0) {
			r->results[step].has_old = true;
			r->results[step].old = s->records[i];
		}
	r->results[step].did = true;
}

static int64_t step_failed(struct repair *r, const struct err *e)
{
	char why[600];

	say_text(why, sizeof(why), "step %zu (%s) failed: %s", r->at + 1, r->d->plan.steps[r->at].what, e->text);
	if (e->code != ERR_IO)
		return fail(r, why);
	/* Nobody knows whether it was done. An undo that repeats does no harm; else the proof tells. */
	drop_host(r);
	assume_old(r, r->at);
	r->did[r->at++] = true;
	if (undo_allowed(r) || r->at < r->d->plan.n || !r->row.has_wanted)
		return fail(r, why);
	text_copy(r->failure, sizeof(r->failure), why);
	r->tries = PROOF_TRIES - 1;
	r->state = REPAIR_VERIFYING;
	return mono(r);
}

static void make_act(struct repair *r, struct host_step *act)
{
	const struct plan_step *p = &r->d->plan.steps[r->at];

	*act = p->step;
	text_copy(act->token, sizeof(act->token), r->row.token);
	if (p->thumbprint_from_previous)
		memcpy(act->thumbprint, r->row.wanted, 20);
}

static int64_t act(struct repair *r)
{
	struct host_step *act = &r->acts[r->at];
	struct host_step_result *result = &r->results[r->at];
	const struct plan_step *p = &r->d->plan.steps[r->at];
	struct err e = {.code = ERR_NONE}, written;
	int done;

	if (mono(r) > r->began + r->o.policy->repair_limit)
		return fail(r, "the repair took longer than its limit");
	make_act(r, act);
	kill_point("heal.before-intent");
	if (write_intent(r, wall(r), &e) < 0)
		return lost(r, &e);
	kill_point("heal.after-intent");
	say(r, "step %zu of %zu: %s", r->at + 1, r->d->plan.n, p->what);
	done = r->host->ops->apply(r->host, act, result, step_deadline(r), &e);
	kill_point("heal.in-step");
	if (done == 0 && act->kind == STEP_CERT_CREATE) {
		memcpy(r->row.wanted, result->thumbprint, 20);
		r->row.has_wanted = true;
	}
	if (write_outcome(r, wall(r), done == 0 ? NULL : &e, &written) < 0)
		return lost(r, &written);
	kill_point("heal.after-outcome");
	if (done < 0)
		return step_failed(r, &e);
	r->did[r->at] = result->did;
	r->at++;
	if (r->at == r->d->plan.n)
		r->state = REPAIR_VERIFYING;
	return mono(r);
}

/* ---- proof and settling ---- */

static int prove(struct repair *r, struct err *e)
{
	if (!r->row.has_wanted)
		return err_set(e, ERR_INTERNAL, "the repair does not know which certificate it wants");
	if (connect_host(r, e) < 0)
		return -1;
	return r->o.remedy->verify(r->host, r->o.clock, mono(r) + 2 * r->o.policy->step_limit, r->d, r->row.wanted, &r->proof, e);
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
		drop_host(r);
	if (++r->tries < PROOF_TRIES)
		return mono(r) + r->tries * US_SECOND;
	proof_failure(r, e, why);
	say_text(both, sizeof(both), "%s%s%s", r->failure, r->failure[0] ? "; " : "", why);
	return fail(r, both);
}

static int64_t verify(struct repair *r)
{
	struct err e = {.code = ERR_NONE};

	kill_point("heal.in-verify");
	if (prove(r, &e) < 0 || !r->proof.ok)
		return not_proven(r, &e);
	r->tries = 0;
	r->row.settle_until = wall(r) + r->o.policy->settle;
	r->settle_until = mono(r) + r->o.policy->settle;
	if (write_proof(r, wall(r), CASE_SETTLING, &e) < 0)
		return lost(r, &e);
	say(r, "proven: %s", r->proof.summary);
	r->state = REPAIR_SETTLING;
	return mono(r) + r->o.policy->settle / 3;
}

static int64_t settle(struct repair *r)
{
	struct err e = {.code = ERR_NONE};
	int64_t next;

	kill_point("heal.in-settle");
	if (prove(r, &e) < 0 || !r->proof.ok)
		return not_proven(r, &e);
	r->tries = 0;
	if (mono(r) >= r->settle_until)
		return finish(r, REPAIR_HEALED, r->proof.summary);
	next = mono(r) + r->o.policy->settle / 3;
	return next < r->settle_until ? next : r->settle_until;
}

int64_t repair_step(struct repair *r)
{
	int64_t next;

	/* Steps and undo change things; a proof only looks. */
	if (r->o.stop && (r->state == REPAIR_STEPPING || r->state == REPAIR_UNDOING) && r->o.stop(r->o.arg))
		return mono(r) + RETRY_WAIT;
	switch (r->state) {
	case REPAIR_BEGINNING:
		next = begin(r);
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
		next = undo_one(r);
		break;
	default:
		next = 0;
	}
	return r->state == REPAIR_ENDED ? 0 : next;
}

void repair_symptom(struct repair *r)
{
	if (r->state != REPAIR_SETTLING || r->rounds >= ROUNDS)
		return;
	r->rounds++;
	r->settle_until = mono(r) + r->o.policy->settle;
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
	r->began = mono(r);
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
	return r;
}

void repair_free(struct repair *r)
{
	if (r == NULL)
		return;
	drop_host(r);
	free((void *)(uintptr_t)r->o.host_name);
	free((void *)(uintptr_t)r->o.by);
	free((void *)(uintptr_t)r->o.who);
	free(r->d);
	free(r);
}
