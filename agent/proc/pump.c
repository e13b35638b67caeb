/* pump.c - brings records from the spool to each receiver, one batch at a time.
 *
 * Why: receivers fail on their own, so each has its own cursor, its own batch on its way and its own pause. Promises: the cursor moves only
 * over records that the receiver accepted (or refused for good, which is said and counted), in order; a receiver that fails is tried
 * again, never faster than it asks. Refuses nothing. */
#include "proc/pump.h"

#include <stdlib.h>
#include <string.h>

#include "ship/route.h"

#define BATCH 64
#define OPEN_AGAIN US_SECOND

struct flow {
	struct sink *sink;
	const char *name;
	const struct sink_take *take;
	struct arena *routes; /* texts of the records taken last */
	bool bad; /* bad: the trouble was told */
	int64_t not_before;
	bool more;      /* the last take was not empty */
	/* on its way: records that were submitted, in order */
	int64_t seqs[BATCH];
	bool done[BATCH];
	size_t n;
	int64_t last; /* of the batch, with those that this sink does not take */
	uint64_t dead;
};

struct pump {
	struct spool *spool;
	const struct clock *clock;
	const struct log *log;
	struct flow flows[CONFIG_SINKS];
	size_t n;
};

struct pump *pump_new(const struct config *c, struct spool *s, const struct clock *clock, const struct log *log)
{
	struct pump *p = xcalloc(1, sizeof *p);

	p->spool = s;
	p->clock = clock;
	p->log = log;
	for (size_t i = 0; i < c->n_sinks; i++)
		p->flows[p->n++] = (struct flow){ .sink = sink_new(&c->sinks[i], clock, &os_file), .name = c->sinks[i].name,
			.take = &c->sinks[i].take, .routes = arena_new(4096), .more = true };
	return p;
}

void pump_free(struct pump *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		sink_free(p->flows[i].sink);
		arena_free(p->flows[i].routes);
	}
	free(p);
}

/* Told once until it works again. */
static void trouble(struct pump *p, struct flow *f, const char *why)
{
	if (!f->bad)
		log_say(p->log, LOG_WARN, "a receiver does not take records; they wait in the spool", "sink", f->name, "why", why, NULL);
	f->bad = true;
}

/* Moves the cursor over what is done at the head of the batch. */
static void advance(struct pump *p, struct flow *f)
{
	size_t k = 0;
	struct err e;

	while (k < f->n && f->done[k])
		k++;
	if (!k)
		return;
	if (spool_done(p->spool, f->name, k == f->n ? f->last : f->seqs[k - 1], &e) < 0) {
		trouble(p, f, e.text); /* sent again later: at least once */
		return;
	}
	memmove(f->seqs, f->seqs + k, (f->n - k) * sizeof f->seqs[0]);
	memmove(f->done, f->done + k, (f->n - k) * sizeof f->done[0]);
	f->n -= k;
}

static void settle(struct pump *p, struct flow *f, const struct sink_result *r)
{
	size_t k = 0;

	while (k < f->n && f->seqs[k] != r->seq)
		k++;
	if (k == f->n)
		return;
	if (r->outcome == SINK_RETRY) {
		/* this one and all behind it are taken again from the spool, in order */
		trouble(p, f, r->why);
		f->not_before = r->not_before ? r->not_before : clock_monotonic(p->clock) + OPEN_AGAIN;
		f->n = k;
		if (k)
			f->last = f->seqs[k - 1];
		f->more = true;
		return;
	}
	if (r->outcome == SINK_DEAD) {
		f->dead++;
		log_say(p->log, LOG_ERROR, "a receiver refused a record for good; it was left out", "sink", f->name, "why", r->why, NULL);
	} else if (f->bad) {
		log_say(p->log, LOG_INFO, "a receiver takes records again", "sink", f->name, NULL);
		f->bad = false;
	}
	f->done[k] = true;
}

static void collect(struct pump *p, struct flow *f)
{
	struct sink_result results[BATCH];
	size_t got = 0;
	struct err e;

	do {
		if (f->sink->ops->poll(f->sink, results, BATCH, &got, &e) < 0) {
			trouble(p, f, e.text);
			return;
		}
		for (size_t i = 0; i < got; i++)
			settle(p, f, &results[i]);
	} while (got == BATCH);
	advance(p, f);
}

/* Takes the next records and hands over those that this sink wants. */
static void feed(struct pump *p, struct flow *f)
{
	struct spool_record records[BATCH];
	size_t got, wanted = 0;
	struct err e;

	if (spool_take(p->spool, f->name, records, BATCH, &got, &e) < 0) {
		trouble(p, f, e.text);
		f->not_before = clock_monotonic(p->clock) + OPEN_AGAIN;
		return;
	}
	f->more = got == BATCH;
	if (!got)
		return;
	f->last = records[got - 1].seq;
	arena_reset(f->routes);
	for (size_t i = 0; i < got; i++) {
		if (route_asks_json(f->take))
			record_route(&records[i], f->routes);
		if (route_takes(f->take, &records[i]))
			records[wanted++] = records[i];
	}
	if (!wanted) {
		if (spool_done(p->spool, f->name, f->last, &e) < 0)
			trouble(p, f, e.text);
		return;
	}
	int took = f->sink->ops->submit(f->sink, records, wanted, &e);

	if (took <= 0) {
		if (took < 0)
			trouble(p, f, e.text);
		f->not_before = clock_monotonic(p->clock) + OPEN_AGAIN;
		f->more = true;
		return;
	}
	if ((size_t)took < wanted) { /* the rest comes again */
		wanted = (size_t)took;
		f->last = records[wanted - 1].seq;
		f->more = true;
	}
	for (size_t i = 0; i < wanted; i++) {
		f->seqs[i] = records[i].seq;
		f->done[i] = false;
	}
	f->n = wanted;
}

static void run_one(struct pump *p, struct flow *f)
{
	struct err e;

	if (f->n)
		collect(p, f);
	if (f->n || clock_monotonic(p->clock) < f->not_before)
		return;
	/* open does nothing when it is open; a connection that broke is made again here */
	if (f->sink->ops->open(f->sink, &e) < 0) {
		trouble(p, f, e.text);
		f->not_before = clock_monotonic(p->clock) + OPEN_AGAIN;
		return;
	}
	feed(p, f);
	if (f->n)
		collect(p, f);
}

void pump_run(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		run_one(p, &p->flows[i]);
}

bool pump_busy(const struct pump *p)
{
	int64_t now = clock_monotonic(p->clock);

	for (size_t i = 0; i < p->n; i++)
		if (now >= p->flows[i].not_before && (p->flows[i].n || p->flows[i].more))
			return true;
	return false;
}

bool pump_empty(struct pump *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->flows[i].n || spool_lag(p->spool, p->flows[i].name) > 0)
			return false;
	return true;
}

size_t pump_wait(struct pump *p, struct os_poll *to, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < p->n && k < n; i++) {
		bool write = false;
		int fd = p->flows[i].sink->ops->wait_fd(p->flows[i].sink, &write);

		if (fd >= 0 && (write || p->flows[i].n))
			to[k++] = (struct os_poll){ .fd = fd, .want_read = true, .want_write = write };
	}
	return k;
}
