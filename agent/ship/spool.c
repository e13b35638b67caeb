/* spool.c - the records that wait for the receivers, in ship.db.
 *
 * Why: a receiver may be away for a week, and a crash may come at any moment; what was found must neither be lost nor told twice.
 * Promises: after spool_commit a record survives everything but the disk itself; a uid that was ever taken in (in the last 30 days) is
 * not taken again; each sink has its own cursor. Refuses: records without a transaction around them. */
#include "ship/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/db.h"

#define TAKE_BYTES (8u << 20) /* of one spool_take */
#define TRIM_ROWS 5000        /* in one transaction, so that intake never waits long */

struct spool {
	struct db *db;
	struct buf held; /* bodies of the last take */
	bool open;       /* a transaction */
	int64_t keep;    /* us */
	const struct clock *clock; /* NULL: the records' own times */
};

static const char *const versions[] = {
	"create table record (seq integer primary key autoincrement, uid blob not null, kind integer not null, time integer not null,"
	" json blob not null);"
	"create table seen (uid blob primary key, at integer not null) without rowid;"
	"create index seen_at on seen (at);"
	"create table cursor (sink text primary key, seq integer not null) without rowid;",
	"create table note (sink text primary key, text text not null) without rowid;",
};
static const struct db_schema schema = { .versions = versions, .n = 2, .full_sync = true };

const char *record_kind_text(int kind)
{
	static const char *const names[] = { "finding", "case", "refusal", "repair", "ledger", "agent", "event" };

	return kind >= 0 && kind < RECORD_KINDS ? names[kind] : "?";
}

static struct spool *open_as(const char *folder, enum db_mode mode, struct err *e)
{
	char path[4096];
	struct spool *s = xcalloc(1, sizeof *s);

	snprintf(path, sizeof path, "%s/ship.db", folder);
	buf_init(&s->held, 2 * TAKE_BYTES);
	s->keep = 30 * US_DAY;
	s->db = db_open(path, &schema, mode, e);
	if (!s->db) {
		spool_close(s);
		return NULL;
	}
	return s;
}

struct spool *spool_open(const char *folder, struct err *e)
{
	return open_as(folder, DB_WRITE, e);
}

struct spool *spool_look(const char *folder, struct err *e)
{
	return open_as(folder, DB_READ, e);
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	if (s->open)
		db_rollback(s->db);
	if (s->db)
		db_close(s->db);
	buf_free(&s->held);
	free(s);
}

void spool_keep(struct spool *s, const struct clock *clock, int64_t span)
{
	s->clock = clock;
	s->keep = span;
}

struct db *spool_db(struct spool *s)
{
	return s->db;
}

int spool_begin(struct spool *s, struct err *e)
{
	if (db_begin(s->db, e) < 0)
		return -1;
	s->open = true;
	return 0;
}

/* 1: a row; 0: none; -1. */
static int step_once(struct db_row *q, int64_t *value, struct err *e)
{
	int got = q ? db_step(q, e) : -1;

	if (got == 1 && value)
		*value = db_int(q, 0);
	if (q)
		db_done(q);
	return got;
}

static int put(struct spool *s, const struct spool_record *r, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select 1 from seen where uid=?", e);
	int got;

	if (!q)
		return -1;
	db_bind_blob(q, 1, r->uid, 32);
	got = step_once(q, NULL, e);
	if (got != 0)
		return got < 0 ? -1 : 0;
	q = db_prepare(s->db, "insert into seen (uid,at) values (?,?)", e);
	if (!q)
		return -1;
	db_bind_blob(q, 1, r->uid, 32);
	db_bind_int(q, 2, s->clock ? clock_wall(s->clock) : r->time);
	if (step_once(q, NULL, e) < 0)
		return -1;
	q = db_prepare(s->db, "insert into record (uid,kind,time,json) values (?,?,?,?)", e);
	if (!q)
		return -1;
	db_bind_blob(q, 1, r->uid, 32);
	db_bind_int(q, 2, r->kind);
	db_bind_int(q, 3, r->time);
	db_bind_blob(q, 4, r->json, r->n);
	return step_once(q, NULL, e) < 0 ? -1 : 0;
}

int spool_put(struct spool *s, const struct spool_record *r, struct err *e)
{
	if (!s->open)
		return err_set(e, ERR_INTERNAL, "a record was put into the spool outside a transaction");
	return put(s, r, e);
}

int spool_commit(struct spool *s, struct err *e)
{
	if (!s->open)
		return err_set(e, ERR_INTERNAL, "the spool has no transaction to commit");
	s->open = false;
	if (db_commit(s->db, e) < 0) {
		db_rollback(s->db);
		return -1;
	}
	return 0;
}

void spool_rollback(struct spool *s)
{
	if (s->open)
		db_rollback(s->db);
	s->open = false;
}

int spool_cursor(struct spool *s, const char *sink, int64_t *seq, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select seq from cursor where sink=?", e);

	*seq = 0;
	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	return step_once(q, seq, e) < 0 ? -1 : 0;
}

static void read_row(struct db_row *q, struct spool_record *r, const void **json)
{
	size_t uid_n;
	const void *uid = db_blob(q, 1, &uid_n);

	*r = (struct spool_record){ .seq = db_int(q, 0), .kind = (int)db_int(q, 2), .time = db_int(q, 3) };
	if (uid && uid_n == 32)
		memcpy(r->uid, uid, 32);
	*json = db_blob(q, 4, &r->n);
}

/* Adds the row to what is handed out. */
static void hold(struct spool *s, struct db_row *q, struct spool_record *to, size_t *got)
{
	const void *json;

	read_row(q, &to[*got], &json);
	buf_add(&s->held, json, to[(*got)++].n);
}

static void point_into(const struct spool *s, struct spool_record *to, size_t got)
{
	size_t at = 0;

	for (size_t i = 0; i < got; i++) { /* only now: the buffer has stopped moving */
		to[i].json = buf_text(&s->held) + at;
		at += to[i].n;
	}
}

int spool_read(struct spool *s, int64_t after, struct spool_record *to, size_t n, size_t *got, struct err *e)
{
	int step = 0;
	struct db_row *q = db_prepare(s->db, "select seq,uid,kind,time,json from record where seq>? order by seq limit ?", e);

	*got = 0;
	buf_reset(&s->held);
	if (!q)
		return -1;
	db_bind_int(q, 1, after);
	db_bind_int(q, 2, (int64_t)n);
	while (*got < n && (!*got || s->held.n < TAKE_BYTES) && (step = db_step(q, e)) == 1)
		hold(s, q, to, got);
	db_done(q);
	point_into(s, to, *got);
	return step < 0 ? -1 : 0;
}

int spool_get(struct spool *s, const int64_t *seqs, size_t *n, struct spool_record *to, size_t *got, struct err *e)
{
	size_t looked = 0;
	int step = 0;

	*got = 0;
	buf_reset(&s->held);
	for (; looked < *n && step >= 0 && s->held.n < TAKE_BYTES; looked++) {
		struct db_row *q = db_prepare(s->db, "select seq,uid,kind,time,json from record where seq=?", e);

		if (!q)
			return -1;
		db_bind_int(q, 1, seqs[looked]);
		step = db_step(q, e);
		if (step == 1)
			hold(s, q, to, got);
		db_done(q);
	}
	point_into(s, to, *got);
	*n = looked;
	return step < 0 ? -1 : 0;
}

int spool_note(struct spool *s, const char *sink, const char *text, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert into note (sink,text) values (?,?) on conflict (sink) do update set text=excluded.text", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_text(q, 2, text);
	return step_once(q, NULL, e) < 0 ? -1 : 0;
}

int spool_noted(struct spool *s, const char *sink, struct buf *to, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select text from note where sink=?", e);
	int got;

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	got = db_step(q, e);
	if (got == 1)
		buf_str(to, db_text(q, 0));
	db_done(q);
	return got < 0 ? -1 : 0;
}

int64_t spool_oldest(struct spool *s, const char *sink)
{
	int64_t after, when = 0;
	struct db_row *q;

	if (spool_cursor(s, sink, &after, NULL) < 0)
		return 0;
	q = db_prepare(s->db, "select at from seen where uid=(select uid from record where seq>? order by seq limit 1)", NULL);
	if (!q)
		return 0;
	db_bind_int(q, 1, after);
	step_once(q, &when, NULL);
	return when;
}

int spool_done(struct spool *s, const char *sink, int64_t seq, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert into cursor (sink,seq) values (?,?) on conflict (sink) do update set seq=max(seq,excluded.seq)", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, seq);
	return step_once(q, NULL, e) < 0 ? -1 : 0;
}

int spool_each(struct spool *s, int (*each)(void *arg, const struct spool_record *r), void *arg, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select seq,uid,kind,time,json from record order by seq", e);
	int step = -1;

	while (q && (step = db_step(q, e)) == 1) {
		struct spool_record r;
		const void *json;

		read_row(q, &r, &json);
		r.json = json;
		if (each(arg, &r))
			break;
	}
	db_done(q);
	return step < 0 ? -1 : 0;
}

int64_t spool_lag(struct spool *s, const char *sink)
{
	int64_t after, n = -1;
	struct db_row *q;

	if (spool_cursor(s, sink, &after, NULL) < 0)
		return -1;
	q = db_prepare(s->db, "select count(*) from record where seq>?", NULL);
	if (!q)
		return -1;
	db_bind_int(q, 1, after);
	return step_once(q, &n, NULL) < 0 ? -1 : n;
}

static int delete_old(struct spool *s, int64_t least, struct err *e)
{
	int64_t newest = 0;
	struct db_row *q = db_prepare(s->db, "delete from record where seq in (select seq from record where seq<=?"
		" and seq<=(select max(seq) from record)-? order by seq limit ?)", e);

	if (!q)
		return -1;
	db_bind_int(q, 1, least);
	db_bind_int(q, 2, SPOOL_KEPT);
	db_bind_int(q, 3, TRIM_ROWS);
	if (step_once(q, NULL, e) < 0)
		return -1;
	if (step_once(db_prepare(s->db, "select max(at) from seen", e), &newest, e) < 0)
		return -1;
	q = db_prepare(s->db, "delete from seen where uid in (select uid from seen where at<? order by at limit ?)", e);
	if (!q)
		return -1;
	db_bind_int(q, 1, newest - s->keep);
	db_bind_int(q, 2, TRIM_ROWS);
	return step_once(q, NULL, e) < 0 ? -1 : 0;
}

int spool_trim(struct spool *s, const char *const *sinks, size_t n, struct err *e)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < n; i++) {
		int64_t at;

		if (spool_cursor(s, sinks[i], &at, e) < 0)
			return -1;
		least = at < least ? at : least;
	}
	if (!n || !least)
		return 0; /* nobody has anything yet: everything is kept */
	if (spool_begin(s, e) < 0)
		return -1;
	if (delete_old(s, least, e) < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e);
}
