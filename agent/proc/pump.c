/* pump.c - brings records from the spool to each receiver.
 *
 * Why: receivers fail on their own, so each has its own cursor, its own records on their way and its own pauses. Promises: the cursor moves
 * only over records that the receiver accepted, refused for good (which is said and counted), or does not want; only what failed is sent again,
 * before anything newer; a receiver that fails is tried again after a pause with jitter or when it says, for as long as it takes.
 * Refuses nothing. */
#include "proc/pump.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "proc/pace.h"
#include "proc/window.h"
#include "ship/route.h"

#define CHUNK 512 /* records offered at once */
#define ROUNDS 8  /* chunks for one sink before the next has its turn */
#define STORE_EVERY (US_SECOND / 10) /* a cursor that moves all the time */
#define TELL_EVERY US_SECOND         /* counters alone */
#define LOOK_MS 10                   /* for results of a sink without a descriptor */

/* Where a sink stands in the spool. One today; records that may not wait behind others get one of their own. */
struct lane {
	struct window *window;
	int64_t taken;  /* everything up to here was offered, or is not wanted */
	int64_t stored; /* the cursor in the spool */
};

struct counts {
	int64_t sent, acknowledged, retried, dead;
	int64_t last, trouble_since; /* wall */
};

struct flow {
	struct sink *sink;
	const char *name;
	struct lane lane;
	struct arena *routes; /* texts of the records taken last */
	struct pace_bucket bucket;
	size_t chunk;
	bool started;
	bool more;            /* the spool may have records behind taken */
	bool full;            /* the sink did not take all that was offered last */
	int64_t not_before;
	unsigned failures;    /* in a row */
	struct counts counts;
	char why[160];        /* of the trouble; "": there is none */
	bool changed;         /* counts, since they were stored */
	int64_t stored_at;
};

struct pump {
	struct spool *spool;
	const struct clock *clock;
	const struct log *log;
	struct flow flows[PUMP_SINKS];
	size_t n;
	struct spool_record records[CHUNK];
	struct sink_result results[CHUNK];
};

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
	p->flows[p->n++] = (struct flow){ .sink = s, .name = s->config->name, .lane.window = window_new(PUMP_WINDOW), .routes = arena_new(4096),
		.bucket.rate = s->config->rate, .chunk = CHUNK, .more = true };
}

/* --- what is kept beside the cursor --- */

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
	if (c->last)
		json_put_time(&o, "last", c->last);
	if (f->why[0]) {
		json_put_str(&o, "trouble", f->why);
		json_put_time(&o, "trouble_since", c->trouble_since);
	}
	json_close(&o, '}');
}

static void store(struct pump *p, struct flow *f)
{
	int64_t head = window_head(f->lane.window), cursor = head ? head - 1 : f->lane.taken;
	struct buf b;
	struct err e;

	buf_init(&b, 4096);
	note_text(f, &b);
	f->stored_at = clock_monotonic(p->clock);
	if (spool_begin(p->spool, &e) < 0 || spool_done(p->spool, f->name, cursor, &e) < 0 || spool_note(p->spool, f->name, buf_text(&b), &e) < 0 ||
		spool_commit(p->spool, &e) < 0) {
		/* sent again after a restart: at least once */
		log_say(p->log, LOG_WARN, "the place of a receiver in the spool cannot be stored", "sink", f->name, "why", e.text, NULL);
		spool_rollback(p->spool);
	} else {
		f->lane.stored = cursor;
		f->changed = false;
	}
	buf_free(&b);
}

static void store_when_due(struct pump *p, struct flow *f, bool now)
{
	int64_t head = window_head(f->lane.window), since = clock_monotonic(p->clock) - f->stored_at;
	bool moved = (head ? head - 1 : f->lane.taken) > f->lane.stored;

	if ((moved && (now || !head || since >= STORE_EVERY)) || (f->changed && (now || since >= TELL_EVERY)))
		store(p, f);
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		struct flow *f = &p->flows[i];

		if (f->started)
			store_when_due(p, f, true);
		sink_free(f->sink);
		window_free(f->lane.window);
		arena_free(f->routes);
	}
	free(p);
}

/* --- trouble and its end --- */

/* Tried again at not_before, or after a pause that we choose. Told once until it works again. */
static void pause_for(struct pump *p, struct flow *f, const char *why, int64_t not_before)
{
	uint64_t random = 0;

	os_random(&random, sizeof random);
	f->failures++;
	f->not_before = not_before ? not_before : clock_monotonic(p->clock) + pace_pause(f->failures, random);
	if (!f->why[0]) {
		log_say(p->log, LOG_WARN, "a receiver does not take records; they wait in the spool", "sink", f->name, "why", why, NULL);
		f->counts.trouble_since = clock_wall(p->clock);
	}
	text_copy(f->why, sizeof f->why, *why ? why : "it does not say why");
	f->changed = true;
}

static void works(struct pump *p, struct flow *f)
{
	f->failures = 0;
	f->counts.last = clock_wall(p->clock);
	if (f->why[0])
		log_say(p->log, LOG_INFO, "a receiver takes records again", "sink", f->name, NULL);
	f->why[0] = '\0';
}

/* Cursor and counters as they were kept. -1: the spool cannot be read now. */
static int start(struct pump *p, struct flow *f)
{
	struct buf b;
	struct json *j;
	struct err e;

	if (spool_cursor(p->spool, f->name, &f->lane.stored, &e) < 0) {
		pause_for(p, f, e.text, 0);
		return -1;
	}
	f->lane.taken = f->lane.stored;
	buf_init(&b, 4096);
	if (spool_noted(p->spool, f->name, &b, &e) == 0 && b.n && (j = json_parse(b.p, b.n, NULL))) {
		f->counts = (struct counts){ .sent = json_int(json_get(j, "sent"), 0), .acknowledged = json_int(json_get(j, "acknowledged"), 0),
			.retried = json_int(json_get(j, "retried"), 0), .dead = json_int(json_get(j, "dead"), 0), .last = json_time(json_get(j, "last")) };
		f->changed = json_get(j, "trouble"); /* of the last run: it is looked at anew */
		json_free(j);
	}
	buf_free(&b);
	f->started = true;
	return 0;
}

/* --- results --- */

struct round { /* of one poll */
	size_t accepted, retried, dead;
	const struct sink_result *retry, *refused; /* the last ones */
	int64_t not_before; /* the latest that was named */
};

static void settle(struct flow *f, const struct sink_result *r, struct round *round)
{
	if (r->outcome == SINK_RETRY) {
		if (!window_again(f->lane.window, r->seq))
			return;
		round->retried++;
		round->retry = r;
		round->not_before = r->not_before > round->not_before ? r->not_before : round->not_before;
		return;
	}
	if (!window_done(f->lane.window, r->seq))
		return;
	if (r->outcome == SINK_DEAD) {
		round->dead++;
		round->refused = r;
	} else {
		round->accepted++;
	}
}

static void count(struct pump *p, struct flow *f, const struct round *r)
{
	char many[24];

	f->counts.acknowledged += (int64_t)r->accepted;
	f->counts.retried += (int64_t)r->retried;
	f->counts.dead += (int64_t)r->dead;
	f->changed = f->changed || r->accepted || r->retried || r->dead;
	if (r->dead) {
		many[text_decimal(many, (int64_t)r->dead)] = '\0';
		log_say(p->log, LOG_ERROR, "a receiver refused records for good; they were left out", "sink", f->name, "records", many, "why",
			r->refused->why, NULL);
	}
	if (r->accepted || (r->dead && !r->retried))
		works(p, f);
	if (r->retried && r->accepted) { /* it works, but not for these */
		uint64_t random = 0;

		os_random(&random, sizeof random);
		f->not_before = r->not_before ? r->not_before : clock_monotonic(p->clock) + pace_pause(1, random);
	} else if (r->retried) {
		pause_for(p, f, r->retry->why, r->not_before);
	}
}

static void collect(struct pump *p, struct flow *f)
{
	size_t got = CHUNK;
	struct err e;

	while (got == CHUNK) {
		struct round round = { 0 };

		if (f->sink->ops->poll(f->sink, p->results, CHUNK, &got, &e) < 0) {
			pause_for(p, f, e.text, 0);
			return;
		}
		for (size_t i = 0; i < got; i++)
			settle(f, &p->results[i], &round);
		count(p, f, &round);
	}
}

/* --- what goes out --- */

/* Offers the first n of p->records. How many were taken; -1: the sink has failed. */
static int offer(struct pump *p, struct flow *f, size_t n)
{
	struct err e = { 0 };
	int took = n ? f->sink->ops->submit(f->sink, p->records, n, &e) : 0;

	if (took < 0) {
		pause_for(p, f, e.text, 0);
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
static bool send_again(struct pump *p, struct flow *f, size_t may)
{
	int64_t seqs[CHUNK];
	size_t n = window_list(f->lane.window, seqs, may), got, k = 0;
	struct err e;
	int took;

	if (spool_get(p->spool, seqs, &n, p->records, &got, &e) < 0) {
		pause_for(p, f, e.text, 0);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (k < got && p->records[k].seq == seqs[i])
			k++;
		else
			window_gone(f->lane.window, seqs[i]); /* the spool has given it up meanwhile */
	took = offer(p, f, got);
	for (int i = 0; i < took; i++)
		window_resent(f->lane.window, p->records[i].seq);
	return took > 0 && (size_t)took == got;
}

/* New records that this sink wants. false: nothing more can be done now. */
static bool send_new(struct pump *p, struct flow *f, size_t may)
{
	struct lane *l = &f->lane;
	const struct sink_take *take = &f->sink->config->take;
	int64_t last;
	size_t got, wanted = 0;
	struct err e;
	int took;

	if (spool_read(p->spool, l->taken, p->records, may, &got, &e) < 0) {
		pause_for(p, f, e.text, 0);
		return false;
	}
	f->more = got == may;
	if (!got)
		return false;
	last = p->records[got - 1].seq;
	arena_reset(f->routes);
	for (size_t i = 0; i < got; i++) {
		if (route_asks_json(take))
			record_route(&p->records[i], f->routes);
		if (route_takes(take, &p->records[i]))
			p->records[wanted++] = p->records[i];
	}
	took = offer(p, f, wanted);
	for (int i = 0; i < took; i++)
		window_add(l->window, p->records[i].seq);
	if (took >= 0 && (size_t)took == wanted) {
		l->taken = last;
		return true;
	}
	f->more = true;
	if (took > 0)
		l->taken = p->records[took - 1].seq;
	return false;
}

static void feed(struct pump *p, struct flow *f)
{
	for (int i = 0; i < ROUNDS; i++) {
		size_t may = window_waiting(f->lane.window) ? f->chunk : f->chunk < window_room(f->lane.window) ? f->chunk : window_room(f->lane.window);

		may = pace_may(&f->bucket, clock_monotonic(p->clock), may);
		if (!may)
			return;
		if (!(window_waiting(f->lane.window) ? send_again(p, f, may) : f->more && send_new(p, f, may)))
			return;
	}
}

static void run_one(struct pump *p, struct flow *f)
{
	struct err e;

	if (!f->started && (clock_monotonic(p->clock) < f->not_before || start(p, f) < 0))
		return;
	if (window_sent(f->lane.window))
		collect(p, f);
	if (clock_monotonic(p->clock) >= f->not_before && (f->more || window_waiting(f->lane.window))) {
		/* open does nothing when it is open; a connection that broke is made again here */
		if (f->sink->ops->open(f->sink, &e) < 0)
			pause_for(p, f, e.text, 0);
		else
			feed(p, f);
		if (window_sent(f->lane.window))
			collect(p, f);
	}
	store_when_due(p, f, false);
}

void pump_run(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		run_one(p, &p->flows[i]);
}

void pump_came(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		p->flows[i].more = true;
}

int pump_wait_ms(const struct pump *p, int most)
{
	int64_t now = clock_monotonic(p->clock);

	for (size_t i = 0; i < p->n; i++) {
		const struct flow *f = &p->flows[i];
		bool sent = window_sent(f->lane.window), full = f->full || !window_room(f->lane.window), waits = window_waiting(f->lane.window);
		int64_t ms = most;

		if (f->more || waits)
			ms = now < f->not_before ? (f->not_before - now) / 1000 + 1 : sent || full || f->bucket.rate ? LOOK_MS : 0;
		if (sent && ms > LOOK_MS)
			ms = LOOK_MS;
		most = ms < most ? (int)ms : most;
	}
	return most;
}

bool pump_empty(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (window_count(p->flows[i].lane.window) || spool_lag(p->spool, p->flows[i].name) > 0)
			return false;
	return true;
}

size_t pump_wait(struct pump *p, struct os_poll *to, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < p->n && k < n; i++) {
		bool write = false;
		int fd = p->flows[i].sink->ops->wait_fd(p->flows[i].sink, &write);

		if (fd >= 0 && (write || window_sent(p->flows[i].lane.window)))
			to[k++] = (struct os_poll){ .fd = fd, .want_read = true, .want_write = write };
	}
	return k;
}
