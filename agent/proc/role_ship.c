/* role_ship.c - takes records in, keeps them on disk, brings them to the receivers.
 *
 * Why: whoever finds something must not wait for a receiver, and a receiver must not miss anything. Promises: a batch is answered when it is
 * on disk and not before; a full disk makes the sender wait, and nothing is lost when there is room again; a receiver that is away
 * stops neither intake nor the other receivers. Refuses: records that are no JSON object, and batches above the ceiling of memory. */
#include "proc/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/killpoint.h"
#include "proc/link.h"
#include "proc/pump.h"
#include "ship/route.h"
#include "ship/spool.h"

#define BATCH_BYTES (32u << 20) /* of one sender, uncommitted */
#define TICK_MS 500
#define DRAIN (2 * US_SECOND)
#define LOOK_EVERY US_SECOND      /* for what `evmend spool retry` put back */
#define TRIM_EVERY (5 * US_SECOND)
#define TRIM_MANY 1000            /* rows of one trim: there may be more to do, so the next comes soon */
#define TRIM_SOON (US_SECOND / 10)

/* What one sender has said and not yet committed: messages as they came, each behind its length. */
struct intake {
	struct buf bodies;
	bool commit;
	uint64_t batch;
};

struct ship {
	struct link link;
	struct spool *spool;
	struct pump *pump;
	struct arena *routes; /* texts of the record that is taken in */
	struct intake from[ROLES];
	int64_t retry_at, trim_at, look_at;
	bool told_full;
};

static void take_record(struct ship *s, const struct message *m)
{
	struct intake *in = &s->from[m->from];
	struct spool_record r;

	if (!message_record(m, &r)) {
		link_failed(&s->link, "a record of %s is no JSON object; it was left out", role_text(m->from));
		return;
	}
	buf_add(&in->bodies, &m->n, sizeof m->n);
	buf_add(&in->bodies, m->body, m->n);
	if (in->bodies.refused)
		die("a batch of %s is above %u MB", role_text(m->from), BATCH_BYTES >> 20);
}

static int put_all(struct ship *s, const struct buf *b, struct err *e)
{
	if (spool_begin(s->spool, e) < 0)
		return -1;
	for (size_t at = 0; at < b->n;) {
		struct message m = { 0 };
		struct spool_record r;

		memcpy(&m.n, b->p + at, sizeof m.n);
		m.body = (const uint8_t *)b->p + at + sizeof m.n;
		at += sizeof m.n + m.n;
		if (!message_record(&m, &r))
			continue;
		arena_reset(s->routes);
		record_route(&r, s->routes);
		if (spool_put(s->spool, &r, e) < 0) {
			spool_rollback(s->spool);
			return -1;
		}
	}
	kill_point("ship.before-spool");
	if (spool_commit(s->spool, e) < 0)
		return -1;
	kill_point("ship.after-spool");
	return 0;
}

/* Stores what was committed and answers; what cannot be stored waits for the next try. */
static void store(struct ship *s)
{
	struct err e;

	for (int who = 0; who < ROLES; who++) {
		struct intake *in = &s->from[who];
		uint8_t body[8];

		if (!in->commit)
			continue;
		if (in->bodies.n && put_all(s, &in->bodies, &e) < 0) {
			if (!s->told_full)
				link_failed(&s->link, "nothing can be stored now: %s", e.text);
			s->told_full = true;
			s->retry_at = clock_monotonic(&s->link.clock) + US_SECOND;
			return;
		}
		if (s->told_full)
			log_say(&s->link.log, LOG_INFO, "records are stored again", NULL);
		s->told_full = false;
		in->commit = false;
		buf_free(&in->bodies);
		pump_came(s->pump);
		message_u64(body, in->batch);
		link_send(&s->link, (enum role)who, MSG_STORED, body, sizeof body);
	}
	s->retry_at = 0;
}

static void begin_pump(struct ship *s)
{
	s->pump = pump_new(s->spool, &s->link.clock, &s->link.log);
	for (size_t i = 0; i < s->link.config->n_sinks; i++)
		pump_add(s->pump, sink_new(&s->link.config->sinks[i], &s->link.clock, &os_file));
}

static void reload(struct ship *s, const struct message *m)
{
	struct err e;
	struct config *c = link_config(m, &e);

	if (!c) {
		link_failed(&s->link, "the new configuration cannot be used: %s", e.text);
		return;
	}
	pump_free(s->pump); /* it looks into the configuration */
	config_free(s->link.config);
	s->link.config = c;
	s->link.log.level = c->log;
	spool_keep(s->spool, &s->link.clock, c->caps.keep_days * US_DAY);
	begin_pump(s);
	log_say(&s->link.log, LOG_INFO, "receivers opened again", NULL);
}

static void take(struct ship *s, const struct message *m)
{
	switch (m->type) {
	case MSG_RECORD:
		take_record(s, m);
		break;
	case MSG_COMMIT:
		if (m->n != 8)
			break;
		s->from[m->from].commit = true;
		s->from[m->from].batch = message_get_u64(m->body);
		store(s);
		break;
	case MSG_PEER_UP: /* what a dead sender had not committed comes again */
		if (m->n == 1 && m->body[0] < ROLES) {
			s->from[m->body[0]].commit = false;
			buf_free(&s->from[m->body[0]].bodies);
		}
		break;
	case MSG_RELOAD:
		reload(s, m);
		break;
	default:
		break;
	}
}

static void trim(struct ship *s)
{
	int64_t now = clock_monotonic(&s->link.clock);
	const char *names[CONFIG_SINKS];
	size_t n = s->link.config->n_sinks;
	int64_t trimmed;
	struct err e;

	if (now < s->trim_at)
		return;
	for (size_t i = 0; i < n; i++)
		names[i] = s->link.config->sinks[i].name;
	trimmed = spool_trim(s->spool, names, n, SPOOL_KEPT, &e);
	if (trimmed < 0)
		log_say(&s->link.log, LOG_WARN, "the spool cannot be trimmed", "why", e.text, NULL);
	s->trim_at = now + (trimmed >= TRIM_MANY ? TRIM_SOON : TRIM_EVERY); /* as fast as events come in */
}

static void run(struct ship *s)
{
	int64_t until = 0;
	struct message m;

	while (!s->link.gone) {
		struct os_poll extra[CONFIG_SINKS];
		size_t n = pump_wait(s->pump, extra, CONFIG_SINKS);

		if (link_wait(&s->link, extra, n, pump_wait_ms(s->pump, TICK_MS)) < 0)
			return;
		while (link_next(&s->link, &m))
			take(s, &m);
		if (s->retry_at && clock_monotonic(&s->link.clock) >= s->retry_at)
			store(s);
		if (clock_monotonic(&s->link.clock) >= s->look_at) {
			pump_came(s->pump);
			s->look_at = clock_monotonic(&s->link.clock) + LOOK_EVERY;
		}
		pump_run(s->pump);
		trim(s);
		pump_cap(s->pump, s->link.config->caps.spool_mb << 20);
		if (!s->link.stop)
			continue;
		/* a last try for what waits; the spool keeps the rest */
		if (!until)
			until = clock_monotonic(&s->link.clock) + DRAIN;
		if (pump_empty(s->pump) || clock_monotonic(&s->link.clock) >= until)
			return;
	}
}

int role_ship(void)
{
	struct ship *s = xcalloc(1, sizeof *s);
	struct err e = { 0 };
	int code = 0;

	for (int i = 0; i < ROLES; i++)
		buf_init(&s->from[i].bodies, BATCH_BYTES);
	s->routes = arena_new(4096);
	os_jail(OS_RIGHT_NETWORK);
	if (link_open(&s->link, ROLE_SHIP, &e) == 0)
		s->spool = spool_open(s->link.config->state_dir, &e);
	if (s->spool) {
		spool_keep(s->spool, &s->link.clock, s->link.config->caps.keep_days * US_DAY);
		begin_pump(s);
		link_send(&s->link, ROLE_MAIN, MSG_READY, NULL, 0);
		run(s);
	} else {
		code = e.code ? (int)e.code : ERR_INTERNAL;
		if (s->link.channel)
			link_failed(&s->link, "%s", e.text);
		else
			log_say(&s->link.log, LOG_ERROR, e.text, NULL);
	}
	pump_free(s->pump);
	spool_close(s->spool);
	for (int i = 0; i < ROLES; i++)
		buf_free(&s->from[i].bodies);
	arena_free(s->routes);
	link_close(&s->link);
	free(s);
	return code;
}
