/* undo.c - what the ledger says about a repair, for a start after a crash and for a person who wants it undone.
 *
 * Exists because after a crash only the ledger knows what was meant to be done. Promises that an intent without an outcome is
 * marked `interrupted` once. Refuses an undo that would lead to a state that was not seen to work, or over a step whose undo is
 * not exact. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/ledger.h"
#include "heal/repair_write.h"
#include "host/host_wire.h"

#define OF_CASE "select kind, body from ledger where case_id = ? and kind in ('repair-begin', 'intent', 'outcome', 'undo-intent'," \
	" 'undo-outcome', 'interrupted') order by seq"

/* Calls each record of one repair, oldest first; body is parsed. Non-zero ends. */
static int each_record(struct db *d, int64_t case_id, const char *token, int (*each)(void *arg, const char *kind,
	const struct json *body),
	void *arg, struct err *e)
{
	struct db_row *r = db_prepare(d, OF_CASE, e);
	int got = -1, end = 0;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, case_id);
	while (end == 0 && (got = db_step(r, e)) == 1) {
		const char *text = db_text(r, 1);
		struct json *body = json_parse(text, strlen(text), e);

		if (body == NULL)
			got = end = -1;
		else if (strcmp(json_str(json_get(body, "repair"), ""), token) == 0)
			end = each(arg, db_text(r, 0), body);
		json_free(body);
	}
	db_done(r);
	return got < 0 ? -1 : end;
}

static int note_pending(void *arg, const char *kind, const struct json *body)
{
	int64_t *step = arg;

	if (strcmp(kind, "intent") == 0 || strcmp(kind, "undo-intent") == 0)
		*step = json_int(json_get(body, "step"), 0);
	else if (strcmp(kind, "repair-begin") != 0)
		*step = 0;
	return 0;
}

static int mark(struct db *d, int64_t now, const struct heal_repair *row, int64_t step, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 4096);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "repair", row->token);
	json_put_int(&o, "step", step);
	json_put_str(&o, "text", "the program ended in this step; the host is read again, and the repair finished forward");
	json_close(&o, '}');
	r = ledger_add(d, now, "interrupted", row->host, row->case_id, buf_text(&b), e);
	buf_free(&b);
	return r;
}

struct unended {
	struct heal_repair rows[64];
	size_t n;
};

static int collect(void *arg, const struct heal_repair *r)
{
	struct unended *u = arg;

	if (r->ended == 0 && u->n < 64)
		u->rows[u->n++] = *r;
	return 0;
}

int repair_mark_interrupted(struct db *d, int64_t now, struct err *e)
{
	struct unended *u = xcalloc(1, sizeof(*u));
	int marked = repair_row_each(d, 0, collect, u, e) < 0 ? -1 : 0;

	for (size_t i = 0; marked >= 0 && i < u->n; i++) {
		int64_t step = 0;

		if (each_record(d, u->rows[i].case_id, u->rows[i].token, note_pending, &step, e) < 0)
			marked = -1;
		else if (step != 0)
			marked = mark(d, now, &u->rows[i], step, e) < 0 ? -1 : marked + 1;
	}
	free(u);
	return marked;
}

static int note_failure(void *arg, const char *kind, const struct json *body)
{
	bool *failed = arg;

	if (strcmp(kind, "undo-intent") == 0 || (strcmp(kind, "outcome") == 0 && !json_bool(json_get(body, "ok"), true)))
		*failed = true;
	return 0;
}

int repair_had_failed(struct db *d, const struct heal_repair *row, bool *failed, struct err *e)
{
	*failed = false;
	return each_record(d, row->case_id, row->token, note_failure, failed, e) < 0 ? -1 : 0;
}

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
	if (strcmp(kind, "outcome") == 0 && json_bool(json_get(body, "unknown"), false))
		t->exact = false;
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
		got = each_record(o->db, case_id, r->row.token, take_done, &t, e);
	if (got == 0)
		got = may_undo(&t, e);
	if (got == 0) {
		int64_t deadline = clock_monotonic(o->clock) + o->policy->step_limit;

		r->host = o->open(o->arg, deadline, e);
		got = r->host == NULL ? -1 : r->host->ops->lock(r->host, o->who, deadline, e);
	}
	if (got == 0)
		got = undo_steps(r, e);
	if (got == 0)
		got = tell_case(r, e);
	if (r->host)
		r->host->ops->close(r->host);
	free(r->d);
	free(r);
	return got;
}
