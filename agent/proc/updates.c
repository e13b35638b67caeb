/* updates.c - the newest update of each finding, until its time has come.
 *
 * Why: heal wants to know within a second that trouble goes on, a SIEM within a minute; the engine speaks every second. Promises: the last
 * update is always sent, at the latest `every` after the one before, or at updates_flush. Refuses to hold more than HELD: the
 * oldest is then sent early. */
#include "proc/updates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define HELD 512
#define JSON_MAX (256u << 10)

struct held {
	uint8_t uid[32];
	int64_t sent, time;
	uint64_t count;
	bool waits, changed, kept; /* kept: a row is on disk; changed: it says something else */
	struct buf json;
};

struct updates {
	int64_t every;
	void (*send)(void *arg, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n);
	void *arg;
	struct held held[HELD];
	size_t n;
	bool anew; /* rows are on disk that nobody here knows */
};

struct updates *updates_new(int64_t every, void (*send)(void *arg, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n),
	void *arg)
{
	struct updates *u = xcalloc(1, sizeof *u);

	u->every = every;
	u->send = send;
	u->arg = arg;
	return u;
}

void updates_free(struct updates *u)
{
	if (!u)
		return;
	for (size_t i = 0; i < u->n; i++)
		buf_free(&u->held[i].json);
	free(u);
}

static void send_one(struct updates *u, struct held *h, int64_t now)
{
	if (h->waits)
		u->send(u->arg, h->uid, h->count, h->time, h->json.p, h->json.n);
	h->waits = false;
	h->sent = now;
	buf_free(&h->json);
}

/* The entry of that finding; a new one takes the place of the one that was sent longest ago. */
static struct held *entry(struct updates *u, const uint8_t uid[32], int64_t now)
{
	struct held *oldest = &u->held[0];

	for (size_t i = 0; i < u->n; i++) {
		if (!memcmp(u->held[i].uid, uid, 32))
			return &u->held[i];
		if (u->held[i].sent < oldest->sent)
			oldest = &u->held[i];
	}
	if (u->n < HELD) {
		oldest = &u->held[u->n++];
		buf_init(&oldest->json, JSON_MAX);
	} else {
		send_one(u, oldest, now);
		u->anew = u->anew || oldest->kept;
		oldest->kept = false;
	}
	memcpy(oldest->uid, uid, 32);
	oldest->sent = now - u->every; /* nothing was sent that we know of */
	return oldest;
}

static void hold(struct held *h, uint64_t count, int64_t time, const char *json, size_t n)
{
	h->count = count;
	h->time = time;
	h->waits = true;
	buf_reset(&h->json);
	buf_add(&h->json, json, n);
}

void updates_told(struct updates *u, const uint8_t uid[32], int64_t now)
{
	entry(u, uid, now)->sent = now;
}

void updates_put(struct updates *u, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n, int64_t now)
{
	struct held *h = entry(u, uid, now);

	hold(h, count, time, json, n);
	h->changed = true;
	if (now - h->sent >= u->every)
		send_one(u, h, now);
}

void updates_tick(struct updates *u, int64_t now)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->held[i].waits && now - u->held[i].sent >= u->every)
			send_one(u, &u->held[i], now);
}

void updates_flush(struct updates *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->held[i].waits)
			send_one(u, &u->held[i], u->held[i].sent);
}

int updates_save(const struct updates *u, updates_keep *keep, void *arg)
{
	int did = u->anew ? keep(arg, NULL, 0, 0, NULL, 0) : 0;

	for (size_t i = 0; did == 0 && i < u->n; i++) {
		const struct held *h = &u->held[i];

		if (h->waits && (h->changed || u->anew))
			did = keep(arg, h->uid, h->count, h->time, h->json.p, h->json.n);
		else if (!h->waits && h->kept && !u->anew)
			did = keep(arg, h->uid, 0, 0, NULL, 0);
	}
	return did;
}

void updates_saved(struct updates *u)
{
	u->anew = false;
	for (size_t i = 0; i < u->n; i++) {
		u->held[i].kept = u->held[i].waits;
		u->held[i].changed = false;
	}
}

void updates_restore(struct updates *u, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n, int64_t now)
{
	struct held *h = entry(u, uid, now);

	hold(h, count, time, json, n);
	h->kept = true;
}
