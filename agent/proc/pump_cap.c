/* pump_cap.c - keeps the spool below its ceiling.
 *
 * Why: the pump knows who wants a record and who has it, so it is the one that can count a loss. Promises: what every sink has goes first, and
 * uids that are only remembered, and that is no loss; a loss is counted for each sink and kind in the transaction in which it happens; it is
 * said in the log when it begins, and told to the receivers by one record when it has ended. Refuses to give up what is with a receiver. */
#include "base/text.h"
#include "proc/pump_inside.h"
#include "ship/route.h"
#include "tls/digest.h"

#define LOOK_EVERY (US_SECOND / 10)
#define MANY 1000          /* of one look: there may be more */
#define QUIET US_MINUTE    /* without a loss: then it is told */
#define TELL_AFTER US_HOUR /* though it goes on */
#define LEAVE(bytes) ((bytes) / 20 * 19) /* not to be back at once */

static void count(struct pump *p, struct flow *f, int kind)
{
	f->counts.dropped[kind]++;
	f->counts.untold[kind]++;
	f->counts.dropped_last = clock_wall(p->clock);
	if (!f->counts.untold_since)
		f->counts.untold_since = f->counts.dropped_last;
}

static bool may(void *arg, const struct spool_record *r, const char *sink, bool dead)
{
	struct pump *p = arg;

	for (size_t i = 0; i < p->n && !dead; i++)
		if (window_has_sent(p->flows[i].lanes[record_lane(r->kind)].window, r->seq))
			return false;
	for (size_t i = 0; i < p->n; i++) {
		struct flow *f = &p->flows[i];
		const struct lane *l = &f->lanes[record_lane(r->kind)];

		if (sink && !text_same(sink, f->name))
			continue;
		if (dead || window_has_waiting(l->window, r->seq) || (r->seq > l->taken && route_takes(&f->sink->config->take, r)))
			count(p, f, r->kind);
	}
	return true;
}

/* What every sink has. How many rows; -1. */
static int64_t give_delivered(struct pump *p, struct err *e)
{
	const char *names[PUMP_SINKS];

	for (size_t i = 0; i < p->n; i++)
		names[i] = p->flows[i].name;
	return spool_trim(p->spool, names, p->n, 0, e);
}

static int note_all(struct pump *p, struct err *e)
{
	for (size_t i = 0; i < p->n; i++)
		if (flow_note(p, &p->flows[i], e) < 0)
			return -1;
	return 0;
}

static int64_t give_up(struct pump *p, int64_t bytes, struct err *e)
{
	struct counts before[PUMP_SINKS];
	int64_t gone = -1;

	for (size_t i = 0; i < p->n; i++)
		before[i] = p->flows[i].counts;
	if (spool_begin(p->spool, e) == 0)
		gone = spool_give_up(p->spool, bytes, may, p, e);
	if (gone >= 0 && note_all(p, e) == 0 && spool_commit(p->spool, e) == 0) {
		for (size_t i = 0; i < p->n; i++)
			for (int k = 0; k < SPOOL_LANES; k++)
				p->flows[i].lanes[k].wanted = 0; /* it may be among them */
		return gone;
	}
	spool_rollback(p->spool);
	for (size_t i = 0; i < p->n; i++)
		p->flows[i].counts = before[i];
	return -1;
}

static void make_room(struct pump *p, int64_t bytes)
{
	struct err e = { 0 };
	int64_t gone;

	for (size_t i = 0; i < p->n; i++) {
		if (!p->flows[i].started && flow_start(p, &p->flows[i]) < 0)
			return;
		flow_store_when_due(p, &p->flows[i], true);
		if (p->flows[i].n_refused)
			return; /* refused, and not yet kept */
	}
	gone = give_delivered(p, &e);
	if (gone >= 0 && gone < MANY && spool_bytes(p->spool) > bytes)
		gone = spool_forget(p->spool, &e);
	if (gone >= 0 && gone < MANY && spool_bytes(p->spool) > bytes) {
		gone = give_up(p, LEAVE(bytes), &e);
		if (gone > 0)
			p->dropped_at = clock_monotonic(p->clock);
		if (gone > 0 && !p->said_cap)
			log_say(p->log, LOG_ERROR, "the spool is over caps: spool_mb; records are given up, the least worth and oldest first", NULL);
		p->said_cap = p->said_cap || gone > 0;
	}
	p->over = gone > 0 && spool_bytes(p->spool) > bytes;
	if (gone < 0)
		log_say(p->log, LOG_WARN, "the spool cannot be made smaller now", "why", e.text, NULL);
}

static int64_t sum(const int64_t of[RECORD_KINDS])
{
	int64_t n = 0;

	for (int kind = 0; kind < RECORD_KINDS; kind++)
		n += of[kind];
	return n;
}

/* When the first loss that is untold was; 0: none is. */
static int64_t untold_since(const struct pump *p)
{
	int64_t since = 0;

	for (size_t i = 0; i < p->n; i++) {
		int64_t one = p->flows[i].counts.untold_since;

		since = one && (!since || one < since) ? one : since;
	}
	return since;
}

static void write_record(const struct pump *p, int64_t since, int64_t now, struct buf *to)
{
	int64_t all = 0;
	struct json_out o;

	for (size_t i = 0; i < p->n; i++)
		all += sum(p->flows[i].counts.untold);
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "spool-dropped");
	json_put_time(&o, "time", now);
	json_put_time(&o, "since", since);
	json_put_int(&o, "count", all);
	json_open(&o, "sinks", '{');
	for (size_t i = 0; i < p->n; i++) {
		const struct counts *c = &p->flows[i].counts;

		if (!sum(c->untold))
			continue;
		json_open(&o, p->flows[i].name, '{');
		for (int kind = 0; kind < RECORD_KINDS; kind++)
			if (c->untold[kind])
				json_put_int(&o, record_kind_text(kind), c->untold[kind]);
		json_close(&o, '}');
	}
	json_close(&o, '}');
	json_close(&o, '}');
}

static int put_record(struct pump *p, int64_t since, struct err *e)
{
	struct spool_record r = { .kind = RECORD_AGENT, .time = clock_wall(p->clock), .level = -1 };
	struct digest *d = digest_new();
	struct buf b;
	int did;

	digest_add_str(d, "spool dropped");
	digest_add_int(d, since);
	digest_add_int(d, r.time);
	digest_finish(d, r.uid);
	buf_init(&b, 65536);
	write_record(p, since, r.time, &b);
	r.json = buf_text(&b);
	r.n = b.n;
	did = spool_put(p->spool, &r, e);
	buf_free(&b);
	return did;
}

static void tell(struct pump *p, int64_t since)
{
	struct counts before[PUMP_SINKS];
	struct err e = { 0 };
	int did = spool_begin(p->spool, &e) == 0 ? put_record(p, since, &e) : -1;

	for (size_t i = 0; i < p->n; i++) {
		struct counts *c = &p->flows[i].counts;

		before[i] = *c;
		for (int kind = 0; kind < RECORD_KINDS; kind++)
			c->untold[kind] = 0;
		c->untold_since = 0;
	}
	if (did == 0 && note_all(p, &e) == 0 && spool_commit(p->spool, &e) == 0) {
		p->said_cap = false;
		pump_came(p);
		return;
	}
	spool_rollback(p->spool);
	for (size_t i = 0; i < p->n; i++)
		p->flows[i].counts = before[i];
	log_say(p->log, LOG_WARN, "what was given up cannot be told now", "why", e.text, NULL);
}

void pump_cap(struct pump *p, int64_t bytes)
{
	int64_t now = clock_monotonic(p->clock), since;

	/* over it, each round of the role's loop gives up 2,000 and takes in a batch of watch, 512: so it comes below, however fast they come */
	if (p->capped_at && !p->over && now - p->capped_at < LOOK_EVERY)
		return;
	p->capped_at = now;
	p->over = false;
	if (spool_bytes(p->spool) > bytes)
		make_room(p, bytes);
	since = untold_since(p);
	if (!since)
		return;
	if (!p->dropped_at)
		p->dropped_at = now; /* of the last run */
	if (now - p->dropped_at >= QUIET || clock_wall(p->clock) - since >= TELL_AFTER)
		tell(p, since);
}
