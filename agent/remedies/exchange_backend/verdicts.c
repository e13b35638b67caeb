/* verdicts.c - reads the tables: which row is the verdict, which others hold, which cannot be excluded.
 *
 * Exists apart from the tables so that the way of reading is one short function. Promises: the first row that holds is the
 * verdict; a row above it that could hold, were its unknown facts known, is named in not_excluded, and then no repair starts;
 * every further row that holds is named in `also`. A pure function of the facts and of what events have shown. Refuses to
 * guess: the last row always holds, is UNKNOWN, and is never repaired. */
#include <string.h>

#include "base/text.h"
#include "remedies/exchange_backend/verdict_table.h"

/* "{}" becomes what the fact says: text of the host, never of an event. */
static void fill(char *to, size_t n, const char *text, const char *with)
{
	const char *at = strstr(text, "{}");

	if (at == NULL)
		text_copy(to, n, text);
	else
		say_text(to, n, "%.*s%s%s", (int)(at - text), text, with, at + 2);
}

static void take(const struct be_view *view, struct verdict *v, const struct be_row *r)
{
	v->name = r->name;
	v->row = r->id;
	v->cause = r->cause;
	v->confidence = r->sure && r->sure(view) == TRI_YES ? CONFIDENCE_HIGH : r->confidence;
	v->repairable = r->repairable;
	v->healthy = strcmp(r->id, "R1") == 0;
	fill(v->text, sizeof(v->text), r->text, r->needed[0] ? fact_seen(view->f, r->needed[0]) : "");
	v->disproof = r->disproof;
	text_copy(v->advice, sizeof(v->advice), r->advice);
	for (size_t i = 0; i < BE_NEEDED && r->needed[i]; i++)
		v->needed[v->n_needed++] = r->needed[i];
	if (r->softly && r->softly(view) == TRI_YES) {
		v->repairable = REPAIR_BY_APPROVAL;
		v->cause = "exchange-certificate-expiry";
	}
}

static void add(const char **list, size_t *n, size_t max, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (strcmp(list[i], name) == 0)
			return;
	if (*n < max)
		list[(*n)++] = name;
}

static void judge_rows(const struct be_tables *t, const struct be_view *view, struct verdict *v)
{
	for (size_t i = 0; i < t->n_rows; i++) {
		const struct be_row *r = &t->rows[i];
		enum tri holds = r->holds(view);

		if (holds == TRI_YES && v->name == NULL)
			take(view, v, r);
		else if (holds == TRI_YES && strcmp(r->id, "R19") != 0 && strcmp(r->name, v->name) != 0)
			add(v->also, &v->n_also, sizeof(v->also) / sizeof(v->also[0]), r->name);
		else if (holds == TRI_UNKNOWN && v->name == NULL)
			add(v->not_excluded, &v->n_not_excluded, sizeof(v->not_excluded) / sizeof(v->not_excluded[0]), r->listed ? r->listed : r->name);
	}
}

static const char *stands_for(const struct be_view *view, const struct be_remark *r)
{
	return r->key ? fact_key(view->f, r->key) : r->seen ? fact_seen(view->f, r->seen) : "";
}

static void add_note(const struct be_view *view, struct verdict *v, const struct be_remark *r, const char *cause)
{
	struct note *n;

	if (v->n_notes == VERDICT_NOTES)
		return;
	n = &v->notes[v->n_notes++];
	n->name = r->name;
	n->cause = cause;
	fill(n->text, sizeof(n->text), r->text, stands_for(view, r));
}

/* The second line: a healed back end with the internal transport certificate still gone says so. */
static void add_smtp(const struct be_view *view, struct verdict *v, const struct be_remark *r)
{
	v->smtp_open = v->smtp_open || r->state;
	if (v->smtp_name != NULL) {
		add_note(view, v, r, NULL);
		return;
	}
	v->smtp_name = r->name;
	fill(v->smtp, sizeof(v->smtp), r->text, stands_for(view, r));
}

void be_judge_by(const struct be_tables *t, struct diagnosis *d, const struct suspicion *s)
{
	struct be_view view = {.f = &d->facts, .s = s};
	struct verdict *v = &d->verdict;

	memset(v, 0, sizeof(*v));
	judge_rows(t, &view, v);
	if (v->healthy && s->seen != 0)
		say_text(v->text + strlen(v->text), sizeof(v->text) - strlen(v->text), " What the events told is over, or has another cause.");
	for (size_t i = 0; i < t->n_notes; i++)
		if (t->notes[i].holds(&view) == TRI_YES)
			add_note(&view, v, &t->notes[i], t->notes[i].cause);
	for (size_t i = 0; i < t->n_smtp; i++)
		if (t->smtp[i].holds(&view) == TRI_YES)
			add_smtp(&view, v, &t->smtp[i]);
}

void be_judge(struct diagnosis *d, const struct suspicion *s)
{
	const struct be_tables own = {
		.rows = be_rows, .n_rows = be_n_rows,
		.notes = be_note_rows, .n_notes = be_n_note_rows,
		.smtp = be_smtp_rows, .n_smtp = be_n_smtp_rows,
	};

	be_judge_by(&own, d, s);
}
