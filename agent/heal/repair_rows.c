/* repair_rows.c - one row for each repair, and how far the ledger was sent.
 *
 * Exists so that a start after a crash knows what was under way, and the policy knows what was done lately. Promises that a
 * repair without an end is found again. Refuses nothing. */
#include <string.h>

#include "base/text.h"
#include "heal/case_store.h"

#define COLUMNS "id, token, host, by_whom, case_id, started, ended, settle_until, result, plan_id, wanted"

static void take(struct db_row *r, struct heal_repair *to)
{
	const void *p;
	size_t n;

	memset(to, 0, sizeof(*to));
	to->id = db_int(r, 0);
	text_copy(to->token, sizeof(to->token), db_text(r, 1));
	text_copy(to->host, sizeof(to->host), db_text(r, 2));
	text_copy(to->by, sizeof(to->by), db_text(r, 3));
	to->case_id = db_int(r, 4);
	to->started = db_int(r, 5);
	to->ended = db_int(r, 6);
	to->settle_until = db_int(r, 7);
	text_copy(to->result, sizeof(to->result), db_text(r, 8));
	p = db_blob(r, 9, &n);
	if (n == 32)
		memcpy(to->plan_id, p, 32);
	p = db_blob(r, 10, &n);
	to->has_wanted = n == 20;
	if (to->has_wanted)
		memcpy(to->wanted, p, 20);
}

static int write_row(struct db *d, const struct heal_repair *r, struct err *e)
{
	struct db_row *w = db_prepare(d, "insert or replace into repairs (" COLUMNS ") values (?,?,?,?,?,?,?,?,?,?,?)", e);
	int got;

	if (w == NULL)
		return -1;
	if (r->id != 0)
		db_bind_int(w, 1, r->id);
	db_bind_text(w, 2, r->token);
	db_bind_text(w, 3, r->host);
	db_bind_text(w, 4, r->by);
	db_bind_int(w, 5, r->case_id);
	db_bind_int(w, 6, r->started);
	db_bind_int(w, 7, r->ended);
	db_bind_int(w, 8, r->settle_until);
	db_bind_text(w, 9, r->result);
	db_bind_blob(w, 10, r->plan_id, 32);
	if (r->has_wanted)
		db_bind_blob(w, 11, r->wanted, 20);
	got = db_step(w, e);
	db_done(w);
	return got < 0 ? -1 : 0;
}

int repair_row_add(struct db *d, struct heal_repair *r, struct err *e)
{
	r->id = 0;
	if (write_row(d, r, e) < 0)
		return -1;
	r->id = db_last_id(d);
	return 0;
}

int repair_row_put(struct db *d, const struct heal_repair *r, struct err *e)
{
	return write_row(d, r, e);
}

static int one(struct db_row *r, const char *host, struct heal_repair *to, struct err *e)
{
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host ? host : "");
	db_bind_text(r, 2, host ? host : "");
	got = db_step(r, e);
	if (got == 1)
		take(r, to);
	db_done(r);
	return got;
}

int repair_row_unended(struct db *d, const char *host, struct heal_repair *to, struct err *e)
{
	return one(db_prepare(d, "select " COLUMNS " from repairs where ended = 0 and (? = '' or host = ?) order by id limit 1", e),
		host, to, e);
}

int repair_row_last(struct db *d, const char *host, struct heal_repair *to, struct err *e)
{
	return one(db_prepare(d, "select " COLUMNS " from repairs where ended != 0 and (? = '' or host = ?) order by id desc limit 1",
		e), host,
		to, e);
}

int repair_row_each(struct db *d, int64_t from, int (*each)(void *arg, const struct heal_repair *r), void *arg, struct err *e)
{
	struct db_row *r = db_prepare(d, "select " COLUMNS " from repairs where started >= ? order by started desc, id desc", e);
	struct heal_repair row;
	int got = -1, end = 0;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, from);
	while (end == 0 && (got = db_step(r, e)) == 1) {
		take(r, &row);
		end = each(arg, &row);
	}
	db_done(r);
	return got < 0 ? -1 : end;
}

int outbox_get(struct db *d, int64_t *seq, struct err *e)
{
	struct db_row *r = db_prepare(d, "select seq from outbox", e);
	int got = r ? db_step(r, e) : -1;

	*seq = got == 1 ? db_int(r, 0) : 0;
	db_done(r);
	return got < 0 ? -1 : 0;
}

int outbox_set(struct db *d, int64_t seq, struct err *e)
{
	struct db_row *r = db_prepare(d, "update outbox set seq = max(seq, ?)", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, seq);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}
