/* spool_dead.c - records that a sink refused for good.
 *
 * Why: a receiver that calls a record bad will call it bad again, and must not hold up those behind it; but a person may mend the receiver, and
 * then wants it sent. Promises: a refused record stays, with the reason, until a person sends it again or drops it; sent again, it goes to the
 * sink that refused it and to no other. However many there are, and however long a person looks at them, nobody else waits for the file: a
 * record is read, a thousand are moved, at a time. Refuses nothing. */
#include <string.h>

#include "ship/spool_inside.h"

#define AT_ONCE 1000

int spool_refused(struct spool *s, const char *sink, int64_t seq, const char *reason, int64_t when, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert or replace into dead (sink,refused,reason,lane,kind,worth,uid,time,at,level,host,cause,labels,json)"
		" select ?,?,?,lane,kind,worth,uid,time,at,level,host,cause,labels,json from record where seq=?", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, when);
	db_bind_text(q, 3, reason);
	db_bind_int(q, 4, seq);
	return step_once(q, NULL, e) < 0 ? -1 : db_changes(s->db) > 0;
}

/* The first behind that id. 1; 0: there is none; -1. Its texts live in s->held. */
static int next_dead(struct spool *s, const char *sink, int64_t after, struct spool_dead *d, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select id,uid,kind,time,level,host,cause,labels,json,sink,reason,refused from dead"
		" where id>?2 and (?1 is null or sink=?1) order by id limit 1", e);
	size_t got = 0, sink_at, reason_at;
	int step;

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, after);
	step = db_step(q, e);
	buf_reset(&s->held);
	if (step == 1) {
		hold(s, q, &d->record, &got);
		d->refused = db_int(q, 11);
		sink_at = s->held.n;
		buf_add(&s->held, db_text(q, 9), strlen(db_text(q, 9)) + 1);
		reason_at = s->held.n;
		buf_add(&s->held, db_text(q, 10), strlen(db_text(q, 10)) + 1);
		point_into(s, &d->record, 1);
		d->id = d->record.seq;
		d->sink = buf_text(&s->held) + sink_at;
		d->reason = buf_text(&s->held) + reason_at;
	}
	db_done(q);
	return step;
}

int spool_dead_each(struct spool *s, const char *sink, int (*each)(void *arg, const struct spool_dead *d), void *arg, struct err *e)
{
	struct spool_dead d = { 0 };
	int got;

	while ((got = next_dead(s, sink, d.id, &d, e)) == 1 && !each(arg, &d))
		;
	return got < 0 ? -1 : 0;
}

int64_t spool_dead_count(struct spool *s, const char *sink)
{
	struct db_row *q = db_prepare(s->db, "select count(*) from dead where sink=?", NULL);
	int64_t n = 0;

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	return step_once(q, &n, NULL) < 0 ? -1 : n;
}

int64_t spool_dead_newest(struct spool *s, const char *sink)
{
	struct db_row *q = db_prepare(s->db, "select max(refused) from dead where sink=?", NULL);
	int64_t when = 0;

	if (!q)
		return 0;
	db_bind_text(q, 1, sink);
	return step_once(q, &when, NULL) < 0 ? 0 : when;
}

#define THESE " from dead where id<=?3 and (?1 is null or sink=?1) and (?2=0 or id=?2) order by id limit ?4"

/* How many rows were touched; -1. */
static int64_t of_dead(struct spool *s, const char *sql, const char *sink, int64_t id, int64_t last, struct err *e)
{
	struct db_row *q = db_prepare(s->db, sql, e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, id);
	db_bind_int(q, 3, last);
	db_bind_int(q, 4, AT_ONCE);
	return step_once(q, NULL, e) < 0 ? -1 : db_changes(s->db);
}

/* The first ones, in one transaction. */
static int64_t take_some(struct spool *s, const char *sink, int64_t id, int64_t last, bool again, struct err *e)
{
	int64_t n = 0;

	if (spool_begin(s, e) < 0)
		return -1;
	if (again)
		n = of_dead(s, "insert into record (lane,kind,worth,uid,time,at,level,host,cause,labels,json,sink)"
			" select lane,kind,worth,uid,time,at,level,host,cause,labels,json,sink" THESE, sink, id, last, e);
	if (n >= 0)
		n = of_dead(s, "delete from dead where id in (select id" THESE ")", sink, id, last, e);
	if (n < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e) < 0 ? -1 : n;
}

/* What is refused anew meanwhile is left: else it would never end. */
static int64_t take_out(struct spool *s, const char *sink, int64_t id, bool again, struct err *e)
{
	int64_t last = 0, all = 0, n = AT_ONCE;

	if (step_once(db_prepare(s->db, "select max(id) from dead", e), &last, e) < 0)
		return -1;
	while (n == AT_ONCE) {
		n = take_some(s, sink, id, last, again, e);
		if (n < 0)
			return -1;
		all += n;
	}
	return all;
}

int64_t spool_dead_retry(struct spool *s, const char *sink, int64_t id, struct err *e)
{
	return take_out(s, sink, id, true, e);
}

int64_t spool_dead_drop(struct spool *s, const char *sink, int64_t id, struct err *e)
{
	return take_out(s, sink, id, false, e);
}
