/* repair_history.c - what the ledger knows of one repair.
 *
 * Exists because after a crash, or after a step whose answer never came, only the ledger knows what was meant and what was there.
 * Promises that an intent without an outcome is marked `interrupted` once. Refuses to guess: a snapshot that cannot be read is
 * named, and not replaced by what is there now. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/repair_write.h"
#include "host/host_wire.h"

#define OF_CASE "select kind, body from ledger where case_id = ? and kind in ('repair-begin', 'repair-resume', 'intent'," \
	" 'outcome', 'undo-intent', 'undo-outcome', 'interrupted') order by seq"

int repair_each_record(struct db *d, int64_t case_id, const char *token, int (*each)(void *arg, const char *kind,
	const struct json *body), void *arg, struct err *e)
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

/* ---- intents without an outcome ---- */

struct pending {
	int64_t step; /* 0: none */
	bool undo;
};

static int note_pending(void *arg, const char *kind, const struct json *body)
{
	struct pending *p = arg;

	p->undo = strcmp(kind, "undo-intent") == 0;
	if (p->undo || strcmp(kind, "intent") == 0)
		p->step = json_int(json_get(body, "step"), 0);
	else if (strncmp(kind, "repair-", 7) != 0)
		p->step = 0;
	return 0;
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
		struct pending p = {.step = 0};

		if (repair_each_record(d, u->rows[i].case_id, u->rows[i].token, note_pending, &p, e) < 0)
			marked = -1;
		else if (p.step != 0)
			marked = write_interrupted(d, now, &u->rows[i], p.step, p.undo ? "the program ended in the undo of this step" :
				"the program ended in this step; the host is read again, and the repair finished forward", e) < 0 ? -1 : marked + 1;
	}
	free(u);
	return marked;
}

/* ---- what a repair that goes on must know ---- */

struct telling {
	struct repair_history *to;
	struct snapshot *kept;
};

void plan_put(struct plan *p, const struct host_step *step)
{
	size_t i = 0;

	while (i < p->n && p->steps[i].step.kind != step->kind)
		i++;
	if (i == PLAN_STEPS)
		return;
	p->steps[i].step = *step;
	p->n += i == p->n;
}

static void note_planned(struct repair_history *to, const struct json *planned)
{
	to->n_planned = 0;
	for (size_t i = 0; i < json_len(planned) && i < PLAN_STEPS; i++) {
		const struct json *step = json_at(planned, i);
		const char *id = json_str(json_get(step, "id"), ""), *thumbprint = json_str(json_get(step, "thumbprint"), "");

		if (!text_unhex(to->planned[i].id, 32, id, strlen(id)))
			return;
		to->planned[i].named = text_unhex(to->planned[i].thumbprint, 20, thumbprint, strlen(thumbprint));
		to->n_planned++;
	}
}

static void note_intent(struct telling *t, const struct json *act)
{
	struct host_step step;
	struct err e;

	t->to->begun = true;
	if (wire_get_step(act, &step, &e) < 0) {
		t->to->has_snapshot = false;
		text_copy(t->to->why_not, sizeof(t->to->why_not), e.text);
		return;
	}
	t->to->created = t->to->created || step.kind == STEP_CERT_CREATE;
	if (t->kept != NULL)
		plan_put(&t->kept->d.plan, &step);
}

static int note(void *arg, const char *kind, const struct json *body)
{
	struct telling *t = arg;
	struct err e = {.text = ""};

	if (strncmp(kind, "repair-", 7) == 0)
		note_planned(t->to, json_get(body, "planned"));
	if (strcmp(kind, "intent") == 0)
		note_intent(t, json_get(body, "act"));

	if (strcmp(kind, "undo-intent") == 0 || (strcmp(kind, "outcome") == 0 && !json_bool(json_get(body, "ok"), true)))
		t->to->failed = true;
	t->to->interrupted += strcmp(kind, "interrupted") == 0;
	if (t->kept != NULL && strcmp(kind, "repair-begin") == 0) {
		t->to->has_snapshot = snapshot_read(json_get(body, "snapshot"), t->kept, &e) == 0;
		text_copy(t->to->why_not, sizeof(t->to->why_not), e.text);
	}
	return 0;
}

int repair_history(struct db *d, const struct heal_repair *row, struct repair_history *to, struct snapshot *kept, struct err *e)
{
	struct telling t = {.to = to, .kept = kept};

	memset(to, 0, sizeof(*to));
	text_copy(to->why_not, sizeof(to->why_not), "the ledger has no record of its beginning");
	return repair_each_record(d, row->case_id, row->token, note, &t, e) < 0 ? -1 : 0;
}
