/* pump_keep.c - what the pump keeps on disk of each sink: its cursors, its counters, what it refused.
 *
 * Why: after a crash a receiver goes on where it was, and what it refused is not sent again. Promises: a cursor goes over a refused record only in
 * the transaction that keeps the record among the dead letters; what could not be stored is tried again each second, said once, and at worst
 * sent again. Refuses nothing. */
#include <stdlib.h>

#include "base/text.h"
#include "proc/pump_inside.h"

#define STORE_EVERY (US_SECOND / 10) /* a cursor that moves all the time */
#define STORE_AGAIN US_SECOND        /* when it failed: the disk is full */
#define TELL_EVERY US_SECOND         /* counters alone */

/* Everything up to here is delivered. */
static int64_t cursor_of(const struct lane *l)
{
	int64_t head = window_head(l->window);

	return head ? head - 1 : l->taken;
}

void flow_refused(struct flow *f, const struct sink_result *r)
{
	if (f->n_refused == f->most_refused) {
		f->most_refused = f->most_refused ? 2 * f->most_refused : 16;
		f->refused = xrealloc(f->refused, f->most_refused, sizeof *f->refused);
	}
	f->refused[f->n_refused].seq = r->seq;
	text_copy(f->refused[f->n_refused++].why, sizeof r->why, r->why);
}

static void put_kinds(struct json_out *o, const char *key, const int64_t counts[RECORD_KINDS])
{
	json_open(o, key, '{');
	for (int kind = 0; kind < RECORD_KINDS; kind++)
		if (counts[kind])
			json_put_int(o, record_kind_text(kind), counts[kind]);
	json_close(o, '}');
}

static void get_kinds(const struct json *j, int64_t counts[RECORD_KINDS])
{
	for (int kind = 0; kind < RECORD_KINDS; kind++)
		counts[kind] = json_int(json_get(j, record_kind_text(kind)), 0);
}

static void note_text(const struct flow *f, struct buf *to)
{
	const struct counts *c = &f->counts;
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "sent", c->sent);
	json_put_int(&o, "acknowledged", c->acknowledged);
	json_put_int(&o, "retried", c->retried);
	json_put_int(&o, "dead", c->dead);
	put_kinds(&o, "dropped", c->dropped);
	if (c->dropped_last)
		json_put_time(&o, "dropped_last", c->dropped_last);
	if (c->untold_since) {
		put_kinds(&o, "untold", c->untold);
		json_put_time(&o, "untold_since", c->untold_since);
	}
	json_put_int(&o, "unnamed", c->unnamed);
	if (c->last)
		json_put_time(&o, "last", c->last);
	if (f->why[0]) {
		json_put_str(&o, "trouble", f->why);
		json_put_time(&o, "trouble_since", c->trouble_since);
	}
	if (f->held_since) {
		json_put_int(&o, "held", (int64_t)flow_held(f));
		json_put_str(&o, "held_why", f->held_why);
		json_put_time(&o, "held_since", f->held_since);
	}
	json_close(&o, '}');
}

static int store_cursors(struct pump *p, struct flow *f, struct err *e)
{
	for (int i = 0; i < SPOOL_LANES; i++)
		if (cursor_of(&f->lanes[i]) > f->lanes[i].stored && spool_done(p->spool, f->name, (enum spool_lane)i, cursor_of(&f->lanes[i]), e) < 0)
			return -1;
	return 0;
}

/* With the cursor that goes over them: a record is in the lane or here. */
static int keep_refused(struct pump *p, struct flow *f, struct err *e)
{
	for (size_t i = 0; i < f->n_refused; i++)
		if (spool_refused(p->spool, f->name, f->refused[i].seq, f->refused[i].why, clock_wall(p->clock), e) < 0)
			return -1;
	return 0;
}

int flow_note(struct pump *p, const struct flow *f, struct err *e)
{
	struct buf b;
	int did;

	buf_init(&b, 8192);
	note_text(f, &b);
	did = spool_note(p->spool, f->name, buf_text(&b), e);
	buf_free(&b);
	return did;
}

static void store(struct pump *p, struct flow *f)
{
	struct err e;

	f->stored_at = clock_monotonic(p->clock);
	if (spool_begin(p->spool, &e) < 0 || keep_refused(p, f, &e) < 0 || store_cursors(p, f, &e) < 0 ||
		flow_note(p, f, &e) < 0 || spool_commit(p->spool, &e) < 0) {
		/* sent again after a restart: at least once */
		if (!f->store_failed)
			log_say(p->log, LOG_WARN, "the place of a receiver in the spool cannot be stored", "sink", f->name, "why", e.text, NULL);
		spool_rollback(p->spool);
		f->store_failed = true;
	} else {
		if (f->store_failed)
			log_say(p->log, LOG_INFO, "the place of a receiver in the spool is stored again", "sink", f->name, NULL);
		f->store_failed = false;
		for (int i = 0; i < SPOOL_LANES; i++)
			f->lanes[i].stored = cursor_of(&f->lanes[i]);
		f->changed = false;
		f->n_refused = 0;
	}
}

void flow_store_when_due(struct pump *p, struct flow *f, bool now)
{
	int64_t since = clock_monotonic(p->clock) - f->stored_at;
	bool moved = false, under_way = false;

	if (f->store_failed && since < STORE_AGAIN)
		return;
	for (int i = 0; i < SPOOL_LANES; i++) {
		if (cursor_of(&f->lanes[i]) > f->lanes[i].stored)
			moved = true;
		if (window_count(f->lanes[i].window))
			under_way = true;
	}
	/* what only went by, because it is not wanted, need not be on disk soon */
	if (((moved || f->changed) && (now || since >= TELL_EVERY)) || (moved && f->changed && (!under_way || since >= STORE_EVERY)))
		store(p, f);
}

int flow_start(struct pump *p, struct flow *f)
{
	struct buf b;
	struct json *j;
	struct err e;

	for (int i = 0; i < SPOOL_LANES; i++) {
		struct lane *l = &f->lanes[i];

		if (spool_cursor(p->spool, f->name, (enum spool_lane)i, &l->stored, &e) < 0) {
			flow_pause(p, f, e.text, 0);
			return -1;
		}
		l->taken = l->stored;
	}
	buf_init(&b, 8192);
	if (spool_noted(p->spool, f->name, &b, &e) == 0 && b.n && (j = json_parse(b.p, b.n, NULL))) {
		f->counts = (struct counts){ .sent = json_int(json_get(j, "sent"), 0), .acknowledged = json_int(json_get(j, "acknowledged"), 0),
			.retried = json_int(json_get(j, "retried"), 0), .dead = json_int(json_get(j, "dead"), 0),
			.unnamed = json_int(json_get(j, "unnamed"), 0), .last = json_time(json_get(j, "last")),
			.untold_since = json_time(json_get(j, "untold_since")), .dropped_last = json_time(json_get(j, "dropped_last")) };
		get_kinds(json_get(j, "dropped"), f->counts.dropped);
		get_kinds(json_get(j, "untold"), f->counts.untold);
		f->changed = json_get(j, "trouble") || json_get(j, "held"); /* of the last run: it is looked at anew */
		json_free(j);
	}
	buf_free(&b);
	f->started = true;
	return 0;
}
