/* outbox.c - stop and wait: what was said is kept until the peers have it on disk.
 *
 * Why: a position may be stored only after what it produced is. Promises: everything said is sent again, under a new number, when the peer
 * was restarted in between, so that an answer to an older question never counts; ship knows records by uid and heal suspects by case and
 * evidence, so a repeat does nothing. Refuses: nothing. */
#include "proc/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ship/spool.h"

#define KEEP_BYTES (24u << 20) /* below ship's ceiling for a batch */
#define FULL_BYTES (2u << 20)
#define FULL_RECORDS 512
#define SUSPECTS 2048          /* cases that changed in one batch: more than hosts x causes */

struct outbox {
	struct link *link;
	struct buf kept; /* length (u32) and body of each record */
	size_t records;
	struct suspect suspects[SUSPECTS];
	bool suspect_stored[SUSPECTS];
	size_t n_suspects;
	uint64_t number; /* of the last question to either peer */
	uint64_t ship_batch;
	bool committing, ship_stored;
};

struct outbox *outbox_new(struct link *l)
{
	struct outbox *o = xcalloc(1, sizeof *o);

	o->link = l;
	buf_init(&o->kept, KEEP_BYTES + MESSAGE_MAX + 16);
	os_random(&o->number, sizeof o->number); /* a restarted watch must not meet answers to its predecessor */
	o->number &= UINT64_MAX >> 2;
	return o;
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	buf_free(&o->kept);
	free(o);
}

void outbox_record(struct outbox *o, const uint8_t uid[32], int kind, int64_t when, const char *json, size_t n)
{
	uint8_t head[RECORD_HEAD];
	uint32_t all;

	while (n && json[n - 1] == '\n')
		n--;
	if (n + RECORD_HEAD > MESSAGE_MAX || o->kept.n + n > KEEP_BYTES) {
		link_failed(o->link, "a record of %zu bytes is too large and was left out", n);
		return;
	}
	message_record_head(head, uid, kind, when);
	all = (uint32_t)(RECORD_HEAD + n);
	size_t at = o->kept.n + sizeof all;

	buf_add(&o->kept, &all, sizeof all);
	buf_add(&o->kept, head, sizeof head);
	buf_add(&o->kept, json, n);
	o->records++;
	link_send(o->link, ROLE_SHIP, MSG_RECORD, o->kept.p + at, all);
}

void outbox_suspect(struct outbox *o, const struct suspect *s)
{
	size_t i = 0;

	while (i < o->n_suspects && memcmp(o->suspects[i].case_uid, s->case_uid, 32) != 0)
		i++;
	if (i == SUSPECTS)
		die("%d cases of configured hosts changed at once: there are not so many", SUSPECTS);
	o->n_suspects = i == o->n_suspects ? i + 1 : o->n_suspects;
	o->suspects[i] = *s;
	o->suspect_stored[i] = false;
}

bool outbox_full(const struct outbox *o)
{
	return o->records >= FULL_RECORDS || o->kept.n >= FULL_BYTES || o->n_suspects >= SUSPECTS / 2;
}

bool outbox_empty(const struct outbox *o)
{
	return !o->records && !o->n_suspects;
}

bool outbox_waiting(const struct outbox *o)
{
	return o->committing;
}

static void ask_ship(struct outbox *o)
{
	uint8_t body[8];

	o->ship_batch = ++o->number;
	message_u64(body, o->ship_batch);
	link_send(o->link, ROLE_SHIP, MSG_COMMIT, body, sizeof body);
}

static void ask_heal(struct outbox *o)
{
	for (size_t i = 0; i < o->n_suspects; i++)
		if (!o->suspect_stored[i]) {
			o->suspects[i].batch = ++o->number;
			link_send(o->link, ROLE_HEAL, MSG_SUSPECT, &o->suspects[i], sizeof o->suspects[i]);
		}
}

static void look_whether_done(struct outbox *o)
{
	if (!o->committing || !o->ship_stored)
		return;
	for (size_t i = 0; i < o->n_suspects; i++)
		if (!o->suspect_stored[i])
			return;
	o->committing = false;
	o->records = 0;
	o->n_suspects = 0;
	buf_reset(&o->kept);
}

void outbox_commit(struct outbox *o)
{
	o->committing = true;
	o->ship_stored = !o->records;
	if (o->records)
		ask_ship(o);
	ask_heal(o);
	look_whether_done(o);
}

static void peer_up(struct outbox *o, uint8_t role)
{
	if (role == ROLE_SHIP) {
		for (size_t at = 0; at < o->kept.n;) {
			uint32_t n;

			memcpy(&n, o->kept.p + at, sizeof n);
			link_send(o->link, ROLE_SHIP, MSG_RECORD, o->kept.p + at + sizeof n, n);
			at += sizeof n + n;
		}
		if (o->committing && !o->ship_stored)
			ask_ship(o);
	} else if (role == ROLE_HEAL && o->committing) {
		ask_heal(o);
	}
}

void outbox_take(struct outbox *o, const struct message *m)
{
	uint64_t number;

	if (m->type == MSG_PEER_UP && m->n == 1) {
		peer_up(o, m->body[0]);
		return;
	}
	if (m->n != 8)
		return;
	number = message_get_u64(m->body);
	if (m->type == MSG_STORED && o->committing && number == o->ship_batch)
		o->ship_stored = true;
	for (size_t i = 0; m->type == MSG_SUSPECT_STORED && i < o->n_suspects; i++)
		if (o->suspects[i].batch == number)
			o->suspect_stored[i] = true;
	look_whether_done(o);
}
