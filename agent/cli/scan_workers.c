/* scan_workers.c - a ring of portions between one thread that reads and several that parse and match.
 *
 * Why: parsing and matching are nearly all the time of a scan; reading and cutting are little, and order matters only there.
 * Promises: memory of RING portions, whatever the input (what matched is the engine's, and grows with the answer); answers in the order
 * of the input; the threads share nothing that changes but the ring, under one lock that is taken twice for a portion of many events.
 * Refuses: nothing. What cannot be cut into events (console texts, log rows) is matched by the reading thread, in its place. */
#include "cli/scan_workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "limits.h"

#define PORTION_BYTES (256u << 10) /* some 190 events: the lock costs nothing, and the caches still hold it */
#define PORTION_EVENTS 256
#define RING_PER_THREAD 3

struct bad { /* a malformed record; a copy */
	int64_t offset;
	char *reason, *bytes;
	size_t n;
};

struct item { /* one event to parse; or, when reason is set, what the reader found malformed */
	int64_t offset;
	size_t at, n; /* in text */
	char *reason;
};

enum state { FILLING, READY, TAKEN, DONE };

struct portion {
	enum state state;
	bool begun;
	bool mine; /* matched by the reading thread */
	struct decode_options of;
	char *source; /* of `of` */
	struct buf text;
	struct item *items;
	size_t n, cap;
	size_t events; /* mine */
	/* the answer */
	struct engine_haul haul;
	struct bad *bad;
	size_t n_bad, cap_bad;
};

struct worker {
	struct scan_workers *all;
	pthread_t thread;
	struct engine_part *part;
	struct arena *arena;
	struct decoder *decoder;
	struct portion *now;
};

struct scan_workers {
	struct scan_workers_options o;
	struct worker self; /* of the reading thread, for what cannot be cut */
	struct worker *workers;
	unsigned n;
	struct portion *ring;
	size_t slots;
	size_t head, next, tail; /* counted up for ever: filled by the reader, taken by a worker, told */
	bool ended;
	pthread_mutex_t lock;    /* of head, next, ended and the states in the ring */
	pthread_cond_t ready, done;
};

/* --- one thread's work --- */

static void add_bad(struct portion *p, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	if (p->n_bad == p->cap_bad) {
		p->cap_bad = p->cap_bad ? 2 * p->cap_bad : 8;
		p->bad = xrealloc(p->bad, p->cap_bad, sizeof *p->bad);
	}
	p->bad[p->n_bad++] = (struct bad){offset, xstrdup(reason), xstrndup(bytes, n), n};
}

static int on_event(void *arg, const struct event *ev)
{
	struct worker *w = arg;

	if (ev->time >= w->all->o.since && ev->time <= w->all->o.until)
		engine_part_event(w->part, ev);
	return 0;
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct worker *w = arg;

	add_bad(w->now, offset, reason, bytes, n);
}

static void do_portion(struct worker *w, struct portion *p)
{
	const struct decode_sink sink = {.arg = w, .event = on_event, .malformed = on_malformed};

	w->now = p;
	for (size_t i = 0; i < p->n; i++) {
		const struct item *it = &p->items[i];
		const struct decode_piece piece = {it->offset, buf_text(&p->text) + it->at, it->n};

		if (it->reason)
			add_bad(p, piece.offset, it->reason, piece.text, piece.n);
		else
			decoder_piece(w->decoder, &p->of, &piece, &sink);
	}
	arena_reset(w->arena);
	engine_part_take(w->part, &p->haul);
}

static void make_worker(struct worker *w, struct scan_workers *all)
{
	const struct decode_options of = {.names = ruleset_names(all->o.rules)};

	w->all = all;
	w->part = engine_part_new(all->o.rules);
	w->arena = arena_new(PORTION_BYTES);
	w->decoder = decoder_new(FORM_XML, &of, w->arena);
}

static void end_worker(struct worker *w)
{
	struct decode_counts n;

	decoder_counts(w->decoder, &n);
	*w->all->o.cut += n.cut;
	decoder_free(w->decoder);
	arena_free(w->arena);
	engine_part_end(w->all->o.engine, w->part);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct scan_workers *all = w->all;

	pthread_mutex_lock(&all->lock);
	for (;;) {
		struct portion *p;

		while (all->next == all->head && !all->ended)
			pthread_cond_wait(&all->ready, &all->lock);
		if (all->next == all->head)
			break;
		p = &all->ring[all->next++ % all->slots];
		if (p->state != READY)
			continue; /* done by the reading thread */
		p->state = TAKEN;
		pthread_mutex_unlock(&all->lock);
		do_portion(w, p);
		pthread_mutex_lock(&all->lock);
		p->state = DONE;
		pthread_cond_signal(&all->done);
	}
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

/* --- the reading thread --- */

static void tell(struct scan_workers *w, struct portion *p)
{
	for (size_t i = 0; i < p->n_bad; i++) {
		struct bad *b = &p->bad[i];

		w->o.malformed(w->o.arg, p->source, b->offset, b->reason, b->bytes, b->n);
		free(b->reason);
		free(b->bytes);
	}
	engine_add(w->o.engine, &p->haul);
	for (size_t i = 0; i < p->n; i++)
		free(p->items[i].reason);
	free(p->source);
	p->source = NULL;
	buf_reset(&p->text);
	p->n = p->n_bad = p->events = 0;
	p->begun = false;
	p->state = FILLING;
}

/* Tells what is done at the old end of the ring; waits until no more than `left` portions are out. */
static void tell_done(struct scan_workers *w, size_t left)
{
	while (w->tail < w->head) {
		struct portion *p = &w->ring[w->tail % w->slots];
		bool done;

		pthread_mutex_lock(&w->lock);
		while (p->state != DONE && w->head - w->tail > left)
			pthread_cond_wait(&w->done, &w->lock);
		done = p->state == DONE;
		if (done && w->next == w->tail)
			w->next++; /* no worker looked at it, and none shall */
		pthread_mutex_unlock(&w->lock);
		if (!done)
			return;
		tell(w, p);
		w->tail++;
	}
}

/* The portion that is being filled goes out. */
static void send(struct scan_workers *w)
{
	struct portion *p = &w->ring[w->head % w->slots];

	if (!p->begun)
		return;
	if (p->mine)
		engine_part_take(w->self.part, &p->haul);
	pthread_mutex_lock(&w->lock);
	p->state = p->mine ? DONE : READY;
	w->head++;
	pthread_cond_signal(&w->ready);
	pthread_mutex_unlock(&w->lock);
	tell_done(w, w->slots - 1);
}

/* The portion for the next thing of this stream. */
static struct portion *filling(struct scan_workers *w, const char *source, bool mine)
{
	struct portion *p = &w->ring[w->head % w->slots];

	if (p->begun && p->mine != mine) {
		send(w);
		p = &w->ring[w->head % w->slots];
	}
	if (!p->begun) {
		p->begun = true;
		p->mine = mine;
		p->source = xstrdup(source);
	}
	return p;
}

static void add_item(struct scan_workers *w, struct portion *p, const struct decode_piece *piece, const char *reason)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->items = xrealloc(p->items, p->cap, sizeof *p->items);
	}
	p->items[p->n++] = (struct item){piece->offset, p->text.n, piece->n, reason ? xstrdup(reason) : NULL};
	buf_add(&p->text, piece->text, piece->n);
	if (p->text.n >= PORTION_BYTES)
		send(w);
}

void scan_workers_piece(struct scan_workers *w, const struct decode_options *of, const struct decode_piece *piece)
{
	struct portion *p = filling(w, of->source, false);

	p->of = *of;
	p->of.source = p->source;
	add_item(w, p, piece, NULL);
}

void scan_workers_event(struct scan_workers *w, const struct event *ev)
{
	struct portion *p = filling(w, ev->source, true);

	on_event(&w->self, ev);
	if (++p->events == PORTION_EVENTS)
		send(w);
}

void scan_workers_malformed(struct scan_workers *w, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct portion *p = &w->ring[w->head % w->slots];
	const struct decode_piece piece = {offset, bytes, n};

	p = filling(w, source, p->begun && p->mine);
	if (p->mine)
		add_bad(p, offset, reason, bytes, n);
	else
		add_item(w, p, &piece, reason);
}

void scan_workers_stream_ends(struct scan_workers *w)
{
	send(w);
}

void scan_workers_drain(struct scan_workers *w)
{
	send(w);
	tell_done(w, 0);
}

struct scan_workers *scan_workers_new(const struct scan_workers_options *o, unsigned threads)
{
	struct scan_workers *w = xcalloc(1, sizeof *w);

	w->o = *o;
	w->slots = RING_PER_THREAD * threads;
	w->ring = xcalloc(w->slots, sizeof *w->ring);
	for (size_t i = 0; i < w->slots; i++)
		buf_init(&w->ring[i].text, PORTION_BYTES + LIMIT_XML_BYTES);
	if (pthread_mutex_init(&w->lock, NULL) || pthread_cond_init(&w->ready, NULL) || pthread_cond_init(&w->done, NULL))
		die("the system gives no lock");
	make_worker(&w->self, w);
	w->workers = xcalloc(threads, sizeof *w->workers);
	while (w->n < threads) {
		struct worker *one = &w->workers[w->n];

		make_worker(one, w);
		if (pthread_create(&one->thread, NULL, work, one) != 0) {
			end_worker(one);
			break;
		}
		w->n++;
	}
	if (w->n)
		return w;
	scan_workers_free(w);
	return NULL;
}

void scan_workers_free(struct scan_workers *w)
{
	scan_workers_drain(w);
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->ready);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n; i++) {
		pthread_join(w->workers[i].thread, NULL);
		end_worker(&w->workers[i]);
	}
	end_worker(&w->self);
	for (size_t i = 0; i < w->slots; i++) {
		buf_free(&w->ring[i].text);
		free(w->ring[i].items);
		free(w->ring[i].bad);
	}
	pthread_cond_destroy(&w->done);
	pthread_cond_destroy(&w->ready);
	pthread_mutex_destroy(&w->lock);
	free(w->ring);
	free(w->workers);
	free(w);
}
