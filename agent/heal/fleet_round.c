/* fleet_round.c - the matrix of who reaches whom, asked by the agent without any event, in pieces.
 *
 * Exists because a front end that cannot reach a back end is found by users otherwise. Promises: one host or one cell a call, each
 * within its own limit, and never while a repair acts; a change of what is bad is one ledger record, however often it is seen, also
 * over restarts; a back end that nobody reaches is diagnosed soon. Refuses to change anything: it only looks. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/fact.h"
#include "heal/fleet.h"
#include "heal/healer_inside.h"
#include "heal/ledger.h"
#include "host/host_pipe.h"

#define FIRST US_MINUTE          /* after the start: the diagnoses go first */
#define AGAIN_WHEN_BAD US_HOUR   /* so that it is told when all is well again */
#define WAIT_FOR_REPAIR US_SECOND

enum round_phase { ROUND_IDENTIFY, ROUND_ASK };

struct fleet_round {
	struct healer *healer;
	struct fleet *fleet;       /* NULL: none under way */
	const char **names;
	struct fleet_access access;
	enum round_phase phase;
	size_t front, back;
	struct host *kept;
	int64_t due;               /* monotonic */
	int64_t *told;             /* for each cell: outcome << 16 | number when it was told as bad, else 0 */
	int64_t last;              /* wall; 0: not yet */
	size_t ok, bad, unknown;   /* of the last one */
	char remarks[3][400];
	size_t n_remarks;
};

static struct host *open_host(void *arg, size_t i, int64_t deadline, struct err *e)
{
	const struct healer_options *o = &((struct fleet_round *)arg)->healer->o;

	if (o->open_host)
		return o->open_host(o->open_arg, &o->hosts[i].config, deadline, e);
	return host_pipe_open(&o->hosts[i].config, o->process, o->clock, deadline, e);
}

static int64_t mono(const struct fleet_round *r)
{
	return clock_monotonic(r->healer->o.clock);
}

static size_t index_of(const struct fleet_round *r, const char *name)
{
	size_t i = 0;

	while (i < r->healer->o.n_hosts && strcmp(r->names[i], name) != 0)
		i++;
	return i;
}

/* What the last record says is bad. */
static void remember_cell(struct fleet_round *r, const struct json *cell)
{
	size_t n = r->healer->o.n_hosts, front = index_of(r, json_str(json_get(cell, "from"), ""));
	size_t back = index_of(r, json_str(json_get(cell, "to"), ""));
	enum cell_outcome outcome;
	int64_t number = json_int(json_get(cell, "alert"), json_int(json_get(cell, "http_status"), 0));

	if (front < n && back < n && fleet_outcome_parse(json_str(json_get(cell, "outcome"), ""), &outcome) && outcome > CELL_OK)
		r->told[front * n + back] = (int64_t)outcome << 16 | (number & 0xffff);
}

static int remember(struct fleet_round *r, struct err *e)
{
	struct db_row *row = db_prepare(r->healer->db, "select body from ledger where kind = 'matrix' order by seq desc limit 1", e);
	int got = row ? db_step(row, e) : -1;
	struct json *j;

	if (got == 1) {
		const char *body = db_text(row, 0);

		j = json_parse(body, strlen(body), NULL);
		for (size_t i = 0; i < json_len(json_get(j, "cells")); i++)
			remember_cell(r, json_at(json_get(j, "cells"), i));
		json_free(j);
	}
	db_done(row);
	return got < 0 ? -1 : 0;
}

struct fleet_round *fleet_round_new(struct healer *h, struct err *e)
{
	struct fleet_round *r = xcalloc(1, sizeof(*r));
	size_t n = h->o.n_hosts;

	r->healer = h;
	r->names = xcalloc(n + 1, sizeof(*r->names));
	r->told = xcalloc(n * n + 1, sizeof(*r->told));
	r->access = (struct fleet_access){.open = open_host, .arg = r, .clock = h->o.clock};
	r->due = INT64_MAX;
	for (size_t i = 0; i < n; i++)
		r->names[i] = h->o.hosts[i].config.name;
	if (h->o.matrix_every && n > 1)
		r->due = mono(r) + (h->o.matrix_every < FIRST ? h->o.matrix_every : FIRST);
	if (remember(r, e) < 0) {
		fleet_round_free(r);
		return NULL;
	}
	return r;
}

void fleet_round_free(struct fleet_round *r)
{
	if (r == NULL)
		return;
	fleet_leave(&r->kept);
	fleet_free(r->fleet);
	free(r->told);
	free(r->names);
	free(r);
}

int64_t fleet_round_next(const struct fleet_round *r)
{
	return r->due;
}

/* ---- what it has shown ---- */

/* true: something is bad that was not told so, or told and not bad any more. What is unknown now stays as it was. */
static bool news(struct fleet_round *r)
{
	bool any = false;

	for (size_t i = 0; i < r->fleet->n * r->fleet->n; i++) {
		const struct fleet_cell *c = &r->fleet->cells[i];
		int64_t is = fleet_bad(c) ? (int64_t)c->outcome << 16 | (c->number & 0xffff) : 0;

		if (c->outcome == CELL_UNKNOWN || is == r->told[i])
			continue;
		r->told[i] = is;
		any = true;
	}
	return any;
}

static void tell(struct fleet_round *r)
{
	struct healer *h = r->healer;
	struct json_out o;
	struct buf b;
	struct err e;

	buf_init(&b, 256u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	fleet_json(&o, r->fleet, true);
	json_close(&o, '}');
	if (ledger_add(h->db, clock_wall(h->o.clock), "matrix", "", 0, buf_text(&b), &e) < 0) {
		memset(r->told, 0, r->fleet->n * r->fleet->n * sizeof(*r->told)); /* told the next time */
		healer_tilt(h, e.text);
	}
	buf_free(&b);
}

static void judge(struct fleet_round *r, bool is_news)
{
	struct healer *h = r->healer;
	struct fleet_remark *list = xcalloc(FLEET_REMARKS, sizeof(*list));
	size_t n = fleet_judge(r->fleet, list, FLEET_REMARKS);

	r->n_remarks = 0;
	for (size_t i = 0; i < n; i++) {
		if (r->n_remarks < sizeof(r->remarks) / sizeof(r->remarks[0]))
			text_copy(r->remarks[r->n_remarks++], sizeof(r->remarks[0]), list[i].text);
		if (is_news && h->o.log)
			log_say(h->o.log, LOG_WARN, "matrix", "text", list[i].text, NULL);
		if (list[i].front == SIZE_MAX && list[i].back != SIZE_MAX && h->patients[list[i].back].repair == NULL)
			patient_soon(&h->patients[list[i].back], mono(r));
	}
	free(list);
}

static void finish(struct fleet_round *r)
{
	int64_t every = r->healer->o.matrix_every;
	bool any;

	r->ok = r->bad = r->unknown = 0;
	for (size_t i = 0; i < r->fleet->n * r->fleet->n; i++) {
		const struct fleet_cell *c = &r->fleet->cells[i];

		r->bad += fleet_bad(c);
		r->ok += c->outcome == CELL_OK;
		r->unknown += c->outcome == CELL_UNKNOWN;
	}
	r->last = clock_wall(r->healer->o.clock);
	r->due = mono(r) + (r->bad && every > AGAIN_WHEN_BAD ? AGAIN_WHEN_BAD : every);
	any = news(r);
	judge(r, any);
	if (any)
		tell(r);
	fleet_free(r->fleet);
	r->fleet = NULL;
}

/* ---- pieces ---- */

static void begin(struct fleet_round *r)
{
	r->fleet = fleet_new(r->names, r->healer->o.n_hosts);
	r->fleet->when = clock_wall(r->healer->o.clock);
	r->phase = ROUND_IDENTIFY;
	r->front = r->back = 0;
}

/* All hosts first: a front end must know where a back end listens. */
static void identify(struct fleet_round *r)
{
	fleet_identify(r->fleet, r->front, &r->access, &r->kept, mono(r) + r->healer->o.policy->step_limit);
	fleet_leave(&r->kept); /* no connection is kept while the others are asked */
	r->fleet->hosts[r->front].opened = 0;
	if (++r->front == r->fleet->n) {
		r->phase = ROUND_ASK;
		r->front = 0;
	}
}

static void ask(struct fleet_round *r)
{
	int64_t limit = r->healer->o.policy->step_limit;
	bool more = fleet_ask(r->fleet, r->front, r->back, &r->access, &r->kept, mono(r) + (limit < FLEET_CELL ? limit : FLEET_CELL));

	if (more && ++r->back < r->fleet->n)
		return;
	fleet_leave(&r->kept);
	r->back = 0;
	r->front++;
}

void fleet_round_run(struct fleet_round *r)
{
	if (healer_acting(r->healer)) { /* what is seen while a repair acts is of no use tomorrow */
		r->due = mono(r) + WAIT_FOR_REPAIR;
		return;
	}
	r->due = mono(r);
	if (r->fleet == NULL)
		begin(r);
	else if (r->phase == ROUND_IDENTIFY)
		identify(r);
	else
		ask(r);
	if (r->phase == ROUND_ASK && r->front == r->fleet->n)
		finish(r);
}

void fleet_round_status(const struct fleet_round *r, struct json_out *o)
{
	if (r->healer->o.matrix_every == 0 || r->healer->o.n_hosts < 2)
		return;
	json_open(o, "matrix", '{');
	json_put_time(o, "last", r->last);
	json_put_bool(o, "running", r->fleet != NULL);
	if (r->last) {
		json_put_int(o, "cells_ok", (int64_t)r->ok);
		json_put_int(o, "cells_bad", (int64_t)r->bad);
		json_put_int(o, "cells_unknown", (int64_t)r->unknown);
		json_open(o, "remarks", '[');
		for (size_t i = 0; i < r->n_remarks; i++)
			json_put_str(o, NULL, r->remarks[i]);
		json_close(o, ']');
	}
	json_close(o, '}');
}
