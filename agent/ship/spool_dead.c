/* spool_dead.c - records that a sink refused for good.
 *
 * Why: a receiver that calls a record bad will call it bad again, and must not hold up those behind it; but a person may mend the receiver, and
 * then wants it sent. Promises: a refused record stays, with the reason, until a person sends it again or drops it; sent again, it goes to the
 * sink that refused it and to no other. Refuses nothing. */
#include <string.h>

#include "ship/spool_inside.h"

int spool_refused(struct spool *s, const char *sink, int64_t seq, const char *reason, int64_t when, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert into dead (sink,refused,reason,lane,kind,worth,uid,time,at,level,host,cause,labels,json)"
		" select ?,?,?,lane,kind,worth,uid,time,at,level,host,cause,labels,json from record where seq=?", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, when);
	db_bind_text(q, 3, reason);
	db_bind_int(q, 4, seq);
	return step_once(q, NULL, e) < 0 ? -1 : db_changes(s->db) > 0;
}

int spool_dead_each(struct spool *s, const char *sink, int (*each)(void *arg, const struct spool_dead *d), void *arg, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select id,uid,kind,time,level,host,cause,labels,json,sink,reason,refused from dead"
		" where ?1 is null or sink=?1 order by id", e);
	int step = -1;

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	while ((step = db_step(q, e)) == 1) {
		struct spool_dead d = { .sink = db_text(q, 9), .reason = db_text(q, 10), .refused = db_int(q, 11) };

		read_row(q, &d.record);
		d.id = d.record.seq;
		if (each(arg, &d))
			break;
	}
	db_done(q);
	return step < 0 ? -1 : 0;
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

/* How many rows of `dead` were touched; -1. */
static int64_t of_dead(struct spool *s, const char *sql, const char *sink, int64_t id, struct err *e)
{
	struct db_row *q = db_prepare(s->db, sql, e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, id);
	return step_once(q, NULL, e) < 0 ? -1 : db_changes(s->db);
}

static int64_t take_out(struct spool *s, const char *sink, int64_t id, bool again, struct err *e)
{
	int64_t n = 0;

	if (spool_begin(s, e) < 0)
		return -1;
	if (again)
		n = of_dead(s, "insert into record (lane,kind,worth,uid,time,at,level,host,cause,labels,json,sink)"
			" select lane,kind,worth,uid,time,at,level,host,cause,labels,json,sink from dead where (?1 is null or sink=?1) and (?2=0 or id=?2)"
			" order by id", sink, id, e);
	if (n >= 0)
		n = of_dead(s, "delete from dead where (?1 is null or sink=?1) and (?2=0 or id=?2)", sink, id, e);
	if (n < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e) < 0 ? -1 : n;
}

int64_t spool_dead_retry(struct spool *s, const char *sink, int64_t id, struct err *e)
{
	return take_out(s, sink, id, true, e);
}

int64_t spool_dead_drop(struct spool *s, const char *sink, int64_t id, struct err *e)
{
	return take_out(s, sink, id, false, e);
}
