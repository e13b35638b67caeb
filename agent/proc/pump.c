/* pump.c - brings records from the spool to each receiver.
 *
 * Why: receivers fail on their own, so each has its own cursor, its own records on their way and its own pauses. Promises: the cursor moves
 * only over records that the receiver accepted, refused for good (which is said and counted), or does not want; only what failed is sent again,
 * before anything newer; a receiver that fails is tried again after a pause with jitter or when it says, for as long as it takes. A record
 * that waits for a person (no such index, no right for it) waits on its own: the others go on. Without room for it to wait, or after an hour, it
 * is a dead letter. What a sink does not want keeps its cursor back no longer than it takes to look, also while it is away. Refuses nothing. */
#include "proc/pump.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proc/pump_inside.h"
#include "ship/route.h"

#define ROUNDS 8  /* chunks for one sink before the next has its turn */
#define LOOK_MS 10                   /* for results of a sink without a descriptor */
#define SAY_EVERY (10 * US_MINUTE)   /* at most, of one trouble's other reasons */
#define TICK_MS 100                  /* until the disk may have room */
#define LONG (5 * US_SECOND)         /* a pause that is told, though the sink took something with what failed */
#define HELD_PAUSE US_MINUTE         /* of one that waits for a person */
#define HELD_MOST US_HOUR            /* then it is kept among the dead letters: what waits keeps the cursor */

struct pump *pump_new(struct spool *s, const struct clock *clock, const struct log *log)
{
	struct pump *p = xcalloc(1, sizeof *p);

	p->spool = s;
	p->clock = clock;
	p->log = log;
	return p;
}

void pump_add(struct pump *p, struct sink *s)
{
	if (p->n == PUMP_SINKS)
		die("more than %d sinks", PUMP_SINKS);
	struct flow *f = &p->flows[p->n++];

	s->log = p->log;
	*f = (struct flow){ .sink = s, .name = s->config->name, .bucket.rate = s->config->rate, .chunk = CHUNK };
	for (int i = 0; i < SPOOL_LANES; i++)
		f->lanes[i] = (struct lane){ .window = window_new(PUMP_WINDOW), .more = true };
}

/* Sums over the lanes. */
static size_t on_their_way(const struct flow *f)
{
	size_t n = 0;

	for (int i = 0; i < SPOOL_LANES; i++)
		n += window_sent(f->lanes[i].window);
	return n;
}

size_t flow_held(const struct flow *f)
{
	size_t n = 0;

	for (int i = 0; i < SPOOL_LANES; i++)
		n += window_held(f->lanes[i].window);
	return n;
}

/* The first time that something that failed may go again; INT64_MAX: nothing waits. */
static int64_t due(const struct flow *f)
{
	int64_t at = INT64_MAX;

	for (int i = 0; i < SPOOL_LANES; i++)
		at = window_due(f->lanes[i].window) < at ? window_due(f->lanes[i].window) : at;
	return at;
}

static bool has_work(const struct flow *f, int64_t now)
{
	if (f->ended || due(f) <= now)
		return true;
	for (int i = 0; i < SPOOL_LANES; i++)
		if (f->lanes[i].more)
			return true;
	return false;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct flow *f = &p->flows[i];

		if (f->started)
			flow_store_when_due(p, f, true);
		free(f->refused);
		sink_free(f->sink);
		for (int k = 0; k < SPOOL_LANES; k++)
			window_free(f->lanes[k].window);
	}
	free(p);
}

/* --- trouble and its end --- */

void flow_pause(struct pump *p, struct flow *f, const char *why, int64_t not_before)
{
	uint64_t random = 0;

	os_random(&random, sizeof random);
	f->failures++;
	f->not_before = not_before ? not_before : clock_monotonic(p->clock) + pace_pause(f->failures, random);
	if (!f->why[0])
		f->counts.trouble_since = clock_wall(p->clock);
	/* another reason is worth a line, too: who was not there may come back and refuse us */
	if (!f->why[0] || (strncmp(f->said, why, sizeof f->said - 1) != 0 && clock_monotonic(p->clock) - f->said_at >= SAY_EVERY)) {
		log_say(p->log, LOG_WARN, "a receiver does not take records; they wait in the spool", "sink", f->name, "why", why, NULL);
		text_copy(f->said, sizeof f->said, why);
		f->said_at = clock_monotonic(p->clock);
	}
	text_copy(f->why, sizeof f->why, *why ? why : "it does not say why");
	f->changed = true;
}

static void works(struct pump *p, struct flow *f)
{
	f->failures = 0;
	f->changed = true;
	if (f->why[0])
		log_say(p->log, LOG_INFO, "a receiver takes records again", "sink", f->name, NULL);
	f->why[0] = '\0';
}

/* --- results --- */

struct round { /* all results that are there at one time: however many records one failure gave back, it is one */
	size_t accepted, retried, held, dead, unnamed;
	struct sink_result retry, hold, refused, doubtful; /* the last ones */
	int64_t not_before; /* the latest that was named */
};

static bool mark(struct flow *f, int64_t seq, bool (*how)(struct window *w, int64_t seq))
{
	for (int i = 0; i < SPOOL_LANES; i++)
		if (how(f->lanes[i].window, seq))
			return true;
	return false;
}

static void refuse(struct flow *f, const struct sink_result *r, struct round *round)
{
	if (!mark(f, r->seq, window_done))
		return;
	round->dead++;
	round->refused = *r;
	flow_refused(f, r);
}

/* One that waits for a person. */
static void hold(struct flow *f, const struct sink_result *r, int64_t now, struct round *round)
{
	for (int i = 0; i < SPOOL_LANES; i++) {
		struct window *w = f->lanes[i].window;
		int64_t since = window_since(w, r->seq);

		if (since && (now - since >= HELD_MOST || (window_room(w) < CHUNK && since < f->accepted_at))) {
			refuse(f, r, round);
		} else if (window_hold(w, r->seq, now, r->not_before ? r->not_before : now + HELD_PAUSE)) {
			round->held++;
			round->hold = *r;
		}
	}
}

static void settle(struct flow *f, const struct sink_result *r, int64_t now, struct round *round)
{
	if (r->outcome == SINK_DEAD) {
		refuse(f, r, round);
	} else if (r->outcome == SINK_RETRY && r->alone) {
		hold(f, r, now, round);
	} else if (r->outcome == SINK_RETRY) {
		if (!mark(f, r->seq, window_again))
			return;
		round->retried++;
		round->retry = *r;
		round->not_before = r->not_before > round->not_before ? r->not_before : round->not_before;
	} else if (mark(f, r->seq, window_done)) {
		round->accepted++;
		if (r->unnamed) {
			round->unnamed += r->unnamed;
			round->doubtful = *r;
		}
	}
}

static void tell_held(struct pump *p, struct flow *f, const struct round *r)
{
	if (r->held) {
		if (!f->held_since)
			log_say(p->log, LOG_WARN, "a receiver does not take some records until a person acts; they wait, the others go on", "sink",
				f->name, "why", r->hold.why, NULL);
		f->held_since = f->held_since ? f->held_since : clock_wall(p->clock);
		text_copy(f->held_why, sizeof f->held_why, r->hold.why);
	} else if (f->held_since && !flow_held(f)) {
		log_say(p->log, LOG_INFO, "no record waits for a person any more", "sink", f->name, NULL);
		f->held_since = 0;
		f->changed = true;
	}
}

static void count(struct pump *p, struct flow *f, const struct round *r)
{
	int64_t now = clock_monotonic(p->clock);
	char many[24];

	f->counts.acknowledged += (int64_t)r->accepted;
	f->counts.retried += (int64_t)(r->retried + r->held);
	f->counts.dead += (int64_t)r->dead;
	f->counts.unnamed += (int64_t)r->unnamed;
	f->changed = f->changed || r->accepted || r->retried || r->held || r->dead;
	tell_held(p, f, r);
	if (r->dead) {
		many[text_decimal(many, (int64_t)r->dead)] = '\0';
		log_say(p->log, LOG_ERROR, "a receiver refused records for good; they are kept: evmend spool list", "sink", f->name, "records", many, "why",
			r->refused.why, NULL);
	}
	if (r->unnamed) {
		many[text_decimal(many, (int64_t)r->unnamed)] = '\0';
		log_say(p->log, LOG_ERROR, "a receiver threw records away that it had taken, and does not say which", "sink", f->name, "records", many,
			"why", r->doubtful.why, NULL);
	}
	if (r->accepted) {
		f->counts.last = clock_wall(p->clock);
		f->accepted_at = now;
	}
	if (r->retried && (!r->accepted || r->not_before > now + LONG)) {
		flow_pause(p, f, r->retry.why, r->not_before);
	} else if (r->retried) { /* it works, but not for these */
		uint64_t random = 0;

		os_random(&random, sizeof random);
		works(p, f);
		f->not_before = r->not_before ? r->not_before : now + pace_pause(1, random);
	} else if (now >= f->not_before && (r->accepted || r->held || r->dead)) {
		works(p, f); /* what comes while it pauses was sent before */
	}
}

static void collect(struct pump *p, struct flow *f)
{
	struct round round = { 0 };
	size_t got = CHUNK;
	struct err e;

	while (got == CHUNK) {
		if (f->sink->ops->poll(f->sink, p->results, CHUNK, &got, &e) < 0) {
			count(p, f, &round);
			flow_pause(p, f, e.text, 0);
			f->ended = true;
			return;
		}
		for (size_t i = 0; i < got; i++)
			settle(f, &p->results[i], clock_monotonic(p->clock), &round);
	}
	count(p, f, &round);
}

/* --- what goes out --- */

/* Offers the first n of p->records. How many were taken; -1: the sink has failed. */
static int offer(struct pump *p, struct flow *f, size_t n)
{
	struct err e = { 0 };
	int took = n ? f->sink->ops->submit(f->sink, p->records, n, &e) : 0;

	if (took < 0) {
		flow_pause(p, f, e.text, 0);
		return -1;
	}
	pace_went(&f->bucket, (size_t)took);
	f->counts.sent += took;
	f->changed = f->changed || took;
	f->full = (size_t)took < n;
	f->chunk = f->full ? (took < 16 ? 16 : (size_t)took) : f->chunk < CHUNK / 2 ? f->chunk * 2 : CHUNK;
	return took;
}

/* What failed before, oldest first. false: nothing more can be done now. */
static bool send_again(struct pump *p, struct flow *f, struct lane *l, size_t may)
{
	int64_t seqs[CHUNK];
	size_t n = window_list(l->window, clock_monotonic(p->clock), seqs, may), got, k = 0;
	struct err e;
	int took;

	if (spool_get(p->spool, seqs, &n, p->records, &got, &e) < 0) {
		flow_pause(p, f, e.text, 0);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (k < got && p->records[k].seq == seqs[i])
			k++;
		else
			window_gone(l->window, seqs[i]); /* the spool has given it up meanwhile */
	took = offer(p, f, got);
	for (int i = 0; i < took; i++)
		window_resent(l->window, p->records[i].seq);
	return took >= 0 && (size_t)took == got;
}

/* New records that this sink wants. false: nothing more can be done now. */
static bool send_new(struct pump *p, struct flow *f, struct lane *l, size_t may)
{
	const struct sink_take *take = &f->sink->config->take;
	const struct spool_want want = { .lane = l == f->lanes ? SPOOL_URGENT : SPOOL_BULK, .after = l->taken, .kinds = take->kinds, .sink = f->name };
	int64_t upto;
	size_t got, wanted = 0;
	struct err e;
	int took;

	if (spool_read(p->spool, &want, p->records, may, &got, &upto, &e) < 0) {
		flow_pause(p, f, e.text, 0);
		return false;
	}
	l->more = upto > l->taken;
	for (size_t i = 0; i < got; i++)
		if (route_takes(take, &p->records[i]))
			p->records[wanted++] = p->records[i];
	took = offer(p, f, wanted);
	for (int i = 0; i < took; i++)
		window_add(l->window, p->records[i].seq);
	if (took >= 0 && (size_t)took == wanted) {
		l->taken = upto;
		return true;
	}
	if (took > 0)
		l->taken = p->records[took - 1].seq;
	l->wanted = p->records[took > 0 ? took : 0].seq;
	return false;
}

static bool wants_lane(const struct sink_take *take, enum spool_lane lane)
{
	bool wants = !take->kinds;

	for (int kind = 0; kind < RECORD_KINDS; kind++)
		wants = wants || (take->kinds & 1u << kind && record_lane(kind) == lane);
	return wants;
}

/* Moves up to the first record that is wanted, in steps. */
static int pass_over(struct pump *p, const struct flow *f, struct lane *l, struct err *e)
{
	const struct sink_take *take = &f->sink->config->take;
	struct spool_want want = { .lane = l == f->lanes ? SPOOL_URGENT : SPOOL_BULK, .kinds = take->kinds, .sink = f->name };
	int64_t upto;
	size_t got, i = 0;

	for (int round = 0; round < ROUNDS && l->more && l->wanted <= l->taken; round++) {
		want.after = l->taken;
		if (spool_read(p->spool, &want, p->records, CHUNK, &got, &upto, e) < 0)
			return -1;
		for (i = 0; i < got && !route_takes(take, &p->records[i]); i++)
			;
		l->more = upto > l->taken;
		if (i < got)
			l->wanted = p->records[i].seq;
		l->taken = i == got ? upto : i ? p->records[i - 1].seq : l->taken;
	}
	return 0;
}

/* A lane that it wants nothing of is passed at once; others where it is not fed now. */
static void pass_unwanted(struct pump *p, struct flow *f, bool fed)
{
	struct err e;
	int did = 0;

	for (int i = 0; i < SPOOL_LANES && did == 0; i++) {
		struct lane *l = &f->lanes[i];
		int64_t end;

		if (!l->more)
			continue;
		if (wants_lane(&f->sink->config->take, (enum spool_lane)i)) {
			did = fed ? 0 : pass_over(p, f, l, &e);
		} else if ((did = spool_end(p->spool, f->name, (enum spool_lane)i, l->taken, &end, &e)) >= 0) {
			l->taken = end > l->taken ? end : l->taken;
			l->more = did > 0;
			did = 0;
		}
	}
	if (did < 0)
		flow_pause(p, f, e.text, 0);
}

/* One chunk of a lane. false: the sink can do no more now. *idle: the lane has nothing to do. */
static bool feed_lane(struct pump *p, struct flow *f, struct lane *l, bool *idle)
{
	int64_t now = clock_monotonic(p->clock);
	size_t room = window_room(l->window), may;
	bool again;

	if (!room && l->more)
		window_hurry(l->window, f->accepted_at); /* a last try of what keeps the room: the sink takes others */
	again = window_due(l->window) <= now;
	may = again || f->chunk < room ? f->chunk : room;
	*idle = !may || (!again && !l->more);
	if (*idle)
		return true;
	may = pace_may(&f->bucket, now, may);
	return may && (again ? send_again(p, f, l, may) : send_new(p, f, l, may));
}

/* What is urgent goes first, each time. */
static void feed(struct pump *p, struct flow *f)
{
	for (int i = 0; i < ROUNDS; i++) {
		bool idle = true;

		for (int k = 0; k < SPOOL_LANES && idle; k++)
			if (!feed_lane(p, f, &f->lanes[k], &idle))
				return;
		if (idle)
			return;
	}
}

static void feed_open(struct pump *p, struct flow *f)
{
	f->opened = true;
	f->ended = false;
	feed(p, f);
}

static void run_one(struct pump *p, struct flow *f)
{
	int64_t now = clock_monotonic(p->clock);
	struct err e;

	if (!f->started && (now < f->not_before || flow_start(p, f) < 0))
		return;
	if (f->opened)
		collect(p, f); /* also when there is nothing to wait for: a connection may end */
	if (f->opened && f->why[0] && !has_work(f, now) && !on_their_way(f) && f->sink->ops->flush(f->sink, &e) == 0)
		works(p, f);
	pass_unwanted(p, f, true);
	if (f->n_refused >= PUMP_WINDOW)
		flow_store_when_due(p, f, true);
	/* without room to keep what is refused nothing more is offered */
	if (now >= f->not_before && has_work(f, now) && f->n_refused < PUMP_WINDOW) {
		/* open does nothing when it is open; a connection that broke is made again here */
		if (f->sink->ops->open(f->sink, &e) < 0)
			flow_pause(p, f, e.text, 0);
		else
			feed_open(p, f);
		if (on_their_way(f))
			collect(p, f);
	}
	if (clock_monotonic(p->clock) < f->not_before || f->full)
		pass_unwanted(p, f, false);
	flow_store_when_due(p, f, false);
}

void pump_run(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		run_one(p, &p->flows[i]);
}

void pump_came(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (int k = 0; k < SPOOL_LANES; k++)
			p->flows[i].lanes[k].more = true;
}

/* Could the sink be given something, if it would take it? */
static bool has_room(const struct flow *f, int64_t now)
{
	for (int i = 0; i < SPOOL_LANES; i++) {
		const struct lane *l = &f->lanes[i];

		if (window_due(l->window) <= now || (l->more && window_room(l->window)))
			return true;
	}
	return false;
}

int pump_wait_ms(const struct pump *p, int most)
{
	int64_t now = clock_monotonic(p->clock);

	if (p->over)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct flow *f = &p->flows[i];
		bool sent = on_their_way(f);
		int64_t ms = most;

		if (f->n_refused >= PUMP_WINDOW)
			ms = TICK_MS; /* they cannot be stored now */
		else if (has_work(f, now))
			ms = now < f->not_before ? (f->not_before - now) / 1000 + 1
				: sent || f->full || !has_room(f, now) || f->bucket.rate ? LOOK_MS : 0;
		else if (due(f) != INT64_MAX)
			ms = (due(f) - now) / 1000 + 1;
		if (sent && ms > LOOK_MS)
			ms = LOOK_MS;
		most = ms < most ? (int)ms : most;
	}
	return most;
}

bool pump_empty(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct flow *f = &p->flows[i];

		for (int k = 0; k < SPOOL_LANES; k++)
			if (window_count(f->lanes[k].window))
				return false;
		if (spool_waits(p->spool, f->name))
			return false;
	}
	return true;
}

size_t pump_wait(struct pump *p, struct os_poll *to, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < p->n && k < n; i++) {
		bool write = false;
		int fd = p->flows[i].sink->ops->wait_fd(p->flows[i].sink, &write);

		if (fd >= 0 && (write || on_their_way(&p->flows[i])))
			to[k++] = (struct os_poll){ .fd = fd, .want_read = true, .want_write = write };
	}
	return k;
}
