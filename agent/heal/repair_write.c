/* repair_write.c - what a repair writes: ledger record, repair row and case states, each as one transaction.
 *
 * Exists so that the order "intent, act, outcome" stands on disk whatever ends the process. Promises that a record and the row
 * that belongs to it are there together or not at all. Refuses nothing; a full disk is the caller's end. */
#include "heal/repair_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/ledger.h"
#include "host/host_wire.h"

#define BODY_MAX (240u << 10) /* what ship takes as one message, with its wrapper */

static void body_begin(struct json_out *o, struct buf *b, const struct repair *r)
{
	buf_init(b, BODY_MAX);
	json_begin(o, b);
	json_open(o, NULL, '{');
	json_put_str(o, "repair", r->row.token);
}

/* Writes the body and frees it; commits the transaction that the caller began. */
static int body_end(struct repair *r, struct json_out *o, struct buf *b, int64_t now, const char *kind, int before, struct err *e)
{
	int done;

	json_close(o, '}');
	done = before;
	if (done == 0 && b->refused)
		done = err_set(e, ERR_REFUSED, "what is to be remembered before '%s' is more than %u kB: nobody acts without it", kind,
			BODY_MAX >> 10);
	if (done == 0)
		done = ledger_add(r->o.db, now, kind, r->o.host_name, r->row.case_id, buf_text(b), e);
	buf_free(b);
	if (done == 0)
		return db_commit(r->o.db, e);
	db_rollback(r->o.db);
	return -1;
}

static void put_plan_id(struct json_out *o, const uint8_t id[32])
{
	char hex[65];

	text_hex(hex, id, 32);
	json_put_str(o, "plan", hex);
}

static int move_cases(struct repair *r, int64_t now, enum case_state state, const char *text, struct err *e)
{
	struct chart_entry entry = {.state = state, .text = text, .d = r->d};

	return chart_cases(r->o.db, now, r->o.host_name, &entry, e);
}

static int begin_rows(struct repair *r, int64_t now, struct err *e)
{
	char text[300];

	say_text(text, sizeof(text), "%s: being repaired, plan %02x%02x%02x, by %s", r->d->verdict.name, r->d->plan.id[0],
		r->d->plan.id[1],
		r->d->plan.id[2], r->row.by);
	if (!r->resumed)
		r->row.started = now;
	memcpy(r->row.plan_id, r->d->plan.id, 32);
	if ((r->resumed ? repair_row_put(r->o.db, &r->row, e) : repair_row_add(r->o.db, &r->row, e)) < 0 ||
	    approval_use(r->o.db, r->o.host_name, r->row.plan_id, e) < 0)
		return -1;
	return move_cases(r, now, CASE_REPAIRING, text, e);
}

/* What is permitted now, so that it can be told later what remains of it. */
static void put_planned(struct json_out *o, const struct plan *p)
{
	uint8_t id[32];
	char hex[65];

	json_open(o, "steps", '[');
	for (size_t i = 0; i < p->n; i++)
		json_put_str(o, NULL, p->steps[i].what);
	json_close(o, ']');
	json_open(o, "planned", '[');
	for (size_t i = 0; i < p->n; i++) {
		plan_step_id(&p->steps[i], id);
		json_open(o, NULL, '{');
		text_hex(hex, id, 32);
		json_put_str(o, "id", hex);
		text_hex(hex, p->steps[i].step.thumbprint, 20);
		json_put_str(o, "thumbprint", p->steps[i].thumbprint_from_previous ? NULL : hex);
		json_close(o, '}');
	}
	json_close(o, ']');
}

/* The snapshot goes into the ledger before anything is changed; a repair that goes on has its snapshot there already. */
int write_begin(struct repair *r, int64_t now, struct err *e)
{
	struct json_out o;
	struct buf b;
	int done;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	done = begin_rows(r, now, e);
	body_begin(&o, &b, r);
	json_put_str(&o, "what", r->resumed ? "resume" : "begin");
	put_plan_id(&o, r->row.plan_id);
	json_put_str(&o, "by", r->row.by);
	json_put_str(&o, "verdict", r->d->verdict.name);
	json_put_bool(&o, "lab", r->d->identity.lab);
	json_put_bool(&o, "before_works", r->d->plan.before_works);
	put_planned(&o, &r->d->plan);
	if (!r->resumed) {
		json_open(&o, "snapshot", '{');
		snapshot_json(&o, r->d);
		json_close(&o, '}');
	}
	return body_end(r, &o, &b, now, r->resumed ? "repair-resume" : "repair-begin", done, e);
}

static void put_act(struct json_out *o, const struct repair *r, size_t step)
{
	json_put_int(o, "step", (int64_t)step + 1);
	json_put_int(o, "of", (int64_t)r->d->plan.n);
	json_put_str(o, "what", r->d->plan.steps[step].what);
	json_put_bool(o, "undo_exact", r->d->plan.steps[step].undo_kind == UNDO_EXACT);
	wire_put_step(o, "act", &r->acts[step]);
}

static void put_outcome(struct json_out *o, const struct repair *r, size_t step, const struct err *failure)
{
	json_put_int(o, "step", (int64_t)step + 1);
	json_put_bool(o, "ok", failure == NULL);
	if (failure != NULL) {
		json_put_str(o, "error", failure->text);
		return;
	}
	json_open(o, "result", '{');
	wire_put_step_result(o, &r->results[step]);
	json_close(o, '}');
}

/* With the intent goes what the service is to show, so that a crash in the step leaves something to prove. */
int write_intent(struct repair *r, int64_t now, struct err *e)
{
	struct json_out o;
	struct buf b;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	body_begin(&o, &b, r);
	put_act(&o, r, r->at);
	return body_end(r, &o, &b, now, "intent", repair_row_put(r->o.db, &r->row, e), e);
}

int write_outcome(struct repair *r, int64_t now, const struct err *failure, struct err *e)
{
	struct json_out o;
	struct buf b;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	body_begin(&o, &b, r);
	put_outcome(&o, r, r->at, failure);
	return body_end(r, &o, &b, now, "outcome", repair_row_put(r->o.db, &r->row, e), e);
}

int write_interrupted(struct db *d, int64_t now, const struct heal_repair *row, int64_t step, const char *text, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 4096);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "repair", row->token);
	json_put_int(&o, "step", step);
	json_put_str(&o, "text", text);
	json_close(&o, '}');
	r = ledger_add(d, now, "interrupted", row->host, row->case_id, buf_text(&b), e);
	buf_free(&b);
	return r;
}

int write_undo_intent(struct repair *r, int64_t now, size_t step, struct err *e)
{
	struct json_out o;
	struct buf b;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	if (r->asked) { /* under way again, until its end is written: a crash leaves it to be found */
		r->row.ended = 0;
		text_copy(r->row.result, sizeof(r->row.result), "undoing");
	}
	body_begin(&o, &b, r);
	put_act(&o, r, step);
	if (r->asked)
		json_put_str(&o, "by", r->o.by);
	return body_end(r, &o, &b, now, "undo-intent", r->asked ? repair_row_put(r->o.db, &r->row, e) : 0, e);
}

int write_undo_outcome(struct repair *r, int64_t now, size_t step, const struct err *failure, struct err *e)
{
	struct json_out o;
	struct buf b;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	body_begin(&o, &b, r);
	json_put_int(&o, "step", (int64_t)step + 1);
	json_put_bool(&o, "ok", failure == NULL);
	if (failure != NULL)
		json_put_str(&o, "error", failure->text);
	return body_end(r, &o, &b, now, "undo-outcome", 0, e);
}

static void put_proof(struct json_out *o, const struct repair *r)
{
	char hex[41];

	text_hex(hex, r->row.wanted, 20);
	json_put_str(o, "wanted", r->row.has_wanted ? hex : NULL);
	if (r->proof.n == 0)
		return;
	json_open(o, "proof", '{');
	proof_json(o, &r->proof);
	json_close(o, '}');
}

int write_proof(struct repair *r, int64_t now, enum case_state cases, struct err *e)
{
	struct json_out o;
	struct buf b;
	int done;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	done = repair_row_put(r->o.db, &r->row, e);
	if (done == 0)
		done = move_cases(r, now, cases, "repaired; it counts when it stays well for the settle time", e);
	body_begin(&o, &b, r);
	put_proof(&o, r);
	return body_end(r, &o, &b, now, "verify", done, e);
}

static const char *end_text(const struct repair *r, enum repair_end how)
{
	return how == REPAIR_HEALED ? "healed" : how == REPAIR_NEEDS_PERSON ? "needs-person" : r->asked ? "undone" : "rolled-back";
}

/* The case of a repair that a person took back; the others of the host have ended, or are another matter. */
static int end_undone_case(struct repair *r, int64_t now, enum repair_end how, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(r->o.db, r->row.case_id, c, e);

	if (got == 1) {
		text_copy(c->text, sizeof(c->text), r->text);
		c->has_plan = false;
		got = case_store_state(r->o.db, now, c, how == REPAIR_NEEDS_PERSON ? CASE_ESCALATED : CASE_ADVISED, e);
	}
	free(c);
	return got < 0 ? -1 : 0;
}

/* A back end that is well while the SMTP side is open: healed is told, and the case stays open as advice. */
static int end_cases(struct repair *r, int64_t now, enum repair_end how, struct err *e)
{
	struct chart_entry entry = {.state = how == REPAIR_HEALED ? CASE_HEALED : CASE_ESCALATED};
	const struct verdict *v = &r->d->verdict;
	char text[400];
	bool open = how == REPAIR_HEALED && v->smtp_open;

	say_text(text, sizeof(text), "%s: %s", how == REPAIR_HEALED ? "healed" : how == REPAIR_ROLLED_BACK ?
		"repair failed and rolled back" :
		"repair failed, a person is needed", r->text);
	entry.text = how == REPAIR_HEALED ? text : r->text;
	entry.advice = how == REPAIR_HEALED ? v->smtp : NULL;
	entry.plan_done = how == REPAIR_HEALED;
	if (open) {
		/* repair-end says healed; the case goes on as advice */
		entry.text = "back end healed; SMTP open";
		entry.state = CASE_ADVISED;
	}
	return chart_cases(r->o.db, now, r->o.host_name, &entry, e);
}

int write_end(struct repair *r, int64_t now, enum repair_end how, struct err *e)
{
	struct json_out o;
	struct buf b;
	int done;

	if (db_begin(r->o.db, e) < 0)
		return -1;
	r->row.ended = now;
	text_copy(r->row.result, sizeof(r->row.result), end_text(r, how));
	done = repair_row_put(r->o.db, &r->row, e);
	if (done == 0)
		done = r->asked ? end_undone_case(r, now, how, e) : end_cases(r, now, how, e);
	body_begin(&o, &b, r);
	json_put_str(&o, "what", "end");
	json_put_str(&o, "result", end_text(r, how));
	json_put_str(&o, "text", r->text);
	put_proof(&o, r);
	return body_end(r, &o, &b, now, r->asked ? "undo-end" : "repair-end", done, e);
}
