/* spool.c - the records that wait for the receivers, in ship.db.
 *
 * Why: a receiver may be away for a week, and a crash may come at any moment; what was found must neither be lost nor told twice.
 * Promises: after spool_commit a record survives everything but the disk itself; a uid that was ever taken in (in the last 30 days) is
 * not taken again; each sink has a cursor in each lane, so that what is urgent waits behind nothing else. Refuses: records without a
 * transaction around them. */
#include "ship/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule.h"
#include "ship/spool_inside.h"

#define SCAN 20000            /* seqs that one spool_read looks through */
#define FORGET_LEAST US_HOUR  /* whoever restarts tells again what he is not sure of: minutes */
#define TRIM_ROWS 5000        /* in one transaction, so that intake never waits long */

static const char *const versions[] = {
	"create table record (seq integer primary key autoincrement, uid blob not null, kind integer not null, time integer not null,"
	" json blob not null);"
	"create table seen (uid blob primary key, at integer not null) without rowid;"
	"create index seen_at on seen (at);"
	"create table cursor (sink text primary key, seq integer not null) without rowid;",
	"create table note (sink text primary key, text text not null) without rowid;",
	/* what routing asks stands in columns: a record is parsed when it comes in, and then no more. The body is the last column, so that
	 * rows are passed over without it. Kinds and levels are numbers of enums (record_kind, rule_level). */
	"alter table record rename to old;"
	"create table record (seq integer primary key autoincrement, lane integer not null, kind integer not null, worth integer not null,"
	" uid blob not null, time integer not null, at integer not null, level integer not null, host text not null, cause text not null,"
	" labels text not null, json blob not null);"
	"insert into record select seq, kind=4, kind, 0, uid, time, coalesce((select at from seen where seen.uid=old.uid), time),"
	" case json_extract(j,'$.level') when 'informational' then 0 when 'low' then 1 when 'medium' then 2 when 'high' then 3"
	" when 'critical' then 4 else -1 end,"
	" coalesce(json_extract(j,'$.host'),''), coalesce(json_extract(j,'$.cause'),''), '', json"
	" from (select *, case when json_valid(cast(json as text)) then cast(json as text) else '{}' end as j from old) as old order by seq;"
	"drop table old;"
	"update record set worth=case kind when 0 then case level when 0 then 1 when 1 then 2 when 3 then 6 when 4 then 7 else 5 end"
	" when 1 then 8 when 2 then 9 when 3 then 9 when 4 then 3 when 5 then 4 else 0 end;"
	"create index record_lane on record (lane);"
	"create index record_worth on record (worth) where worth>0;"
	"alter table cursor rename to old;"
	"create table cursor (sink text not null, lane integer not null, seq integer not null, primary key (sink, lane)) without rowid;"
	"insert into cursor select sink, 0, seq from old union all select sink, 1, seq from old;"
	"drop table old;",
	/* sink: for this one alone, because it is sent again; null: for all */
	"alter table record add column sink text;"
	"create index record_sink on record (sink, lane) where sink is not null;"
	"create table dead (id integer primary key autoincrement, sink text not null, refused integer not null, reason text not null,"
	" lane integer not null, kind integer not null, worth integer not null, uid blob not null, time integer not null, at integer not null,"
	" level integer not null, host text not null, cause text not null, labels text not null, json blob not null);"
	"create index dead_sink on dead (sink);",
	"create index dead_worth on dead (worth);",
	/* what was refused, sent again after a crash and refused again is one */
	"delete from dead where id not in (select max(id) from dead group by sink, uid);"
	"drop index dead_sink;"
	"create unique index dead_uid on dead (sink, uid);",
};
static const struct db_schema schema = { .versions = versions, .n = 6, .full_sync = true };

const char *record_kind_text(int kind)
{
	static const char *const names[] = { "finding", "case", "refusal", "repair", "ledger", "agent", "event" };

	return kind >= 0 && kind < RECORD_KINDS ? names[kind] : "?";
}

enum spool_lane record_lane(int kind)
{
	return kind == RECORD_EVENT || kind == RECORD_LEDGER ? SPOOL_BULK : SPOOL_URGENT;
}

/* What goes last when there is no room: repairs. The schema has the same numbers for old files. */
static int worth_of(const struct spool_record *r)
{
	static const int findings[] = { [LEVEL_INFORMATIONAL] = 1, [LEVEL_LOW] = 2, [LEVEL_MEDIUM] = 5, [LEVEL_HIGH] = 6, [LEVEL_CRITICAL] = 7 };
	static const int kinds[RECORD_KINDS] = { [RECORD_EVENT] = 0, [RECORD_LEDGER] = 3, [RECORD_AGENT] = 4, [RECORD_FINDING] = 5, [RECORD_CASE] = 8,
		[RECORD_REFUSAL] = 9, [RECORD_REPAIR] = 9 };

	return r->kind == RECORD_FINDING && r->level >= LEVEL_INFORMATIONAL && r->level <= LEVEL_CRITICAL ? findings[r->level] : kinds[r->kind];
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

int step_once(struct db_row *q, int64_t *value, struct err *e)
{
	int got = q ? db_step(q, e) : -1;

	if (got == 1 && value)
		*value = db_int(q, 0);
	if (q)
		db_done(q);
	return got;
}

/* 1: the uid was taken in before; 0: it is noted now. */
static int look_up(struct spool *s, const uint8_t uid[32], int64_t now, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert into seen (uid,at) values (?,?) on conflict do nothing", e);

	if (!q)
		return -1;
	db_bind_blob(q, 1, uid, 32);
	db_bind_int(q, 2, now);
	return step_once(q, NULL, e) < 0 ? -1 : db_changes(s->db) == 0;
}

static int put(struct spool *s, const struct spool_record *r, struct err *e)
{
	int64_t now = s->clock ? clock_wall(s->clock) : r->time;
	int known = r->kind == RECORD_EVENT ? 0 : look_up(s, r->uid, now, e);
	struct db_row *q;

	if (known)
		return known < 0 ? -1 : 0;
	q = db_prepare(s->db, "insert into record (lane,kind,worth,uid,time,at,level,host,cause,labels,json) values (?,?,?,?,?,?,?,?,?,?,?)", e);
	if (!q)
		return -1;
	db_bind_int(q, 1, record_lane(r->kind));
	db_bind_int(q, 2, r->kind);
	db_bind_int(q, 3, worth_of(r));
	db_bind_blob(q, 4, r->uid, 32);
	db_bind_int(q, 5, r->time);
	db_bind_int(q, 6, now);
	db_bind_int(q, 7, r->level);
	db_bind_text(q, 8, r->host ? r->host : "");
	db_bind_text(q, 9, r->cause ? r->cause : "");
	db_bind_text(q, 10, r->labels ? r->labels : "");
	db_bind_blob(q, 11, r->json, r->n);
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

int spool_cursor(struct spool *s, const char *sink, enum spool_lane lane, int64_t *seq, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select seq from cursor where sink=? and lane=?", e);

	*seq = 0;
	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, (int64_t)lane);
	return step_once(q, seq, e) < 0 ? -1 : 0;
}

void read_row(struct db_row *q, struct spool_record *r)
{
	size_t uid_n;
	const void *uid = db_blob(q, 1, &uid_n);

	*r = (struct spool_record){ .seq = db_int(q, 0), .kind = (int)db_int(q, 2), .time = db_int(q, 3), .level = (int)db_int(q, 4),
		.host = db_text(q, 5), .cause = db_text(q, 6), .labels = db_text(q, 7) };
	r->urgent = record_lane(r->kind) == SPOOL_URGENT;
	r->json = db_blob(q, 8, &r->n);
	r->again = !db_is_null(q, 9);
	if (uid && uid_n == 32)
		memcpy(r->uid, uid, 32);
}

void hold(struct spool *s, struct db_row *q, struct spool_record *to, size_t *got)
{
	struct spool_record *r = &to[(*got)++];

	read_row(q, r);
	buf_add(&s->held, r->json, r->n);
	buf_add(&s->held, r->host, strlen(r->host) + 1);
	buf_add(&s->held, r->cause, strlen(r->cause) + 1);
	buf_add(&s->held, r->labels, strlen(r->labels) + 1);
}

void point_into(const struct spool *s, struct spool_record *to, size_t got)
{
	const char *at = buf_text(&s->held);

	for (size_t i = 0; i < got; i++) { /* only now: the buffer has stopped moving */
		to[i].json = at;
		to[i].host = at + to[i].n;
		to[i].cause = to[i].host + strlen(to[i].host) + 1;
		to[i].labels = to[i].cause + strlen(to[i].cause) + 1;
		at = to[i].labels + strlen(to[i].labels) + 1;
	}
}

static int last_of(struct spool *s, enum spool_lane lane, int64_t *seq, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select seq from record indexed by record_lane where lane=? order by seq desc limit 1", e);

	*seq = 0;
	if (!q)
		return -1;
	db_bind_int(q, 1, (int64_t)lane);
	return step_once(q, seq, e) < 0 ? -1 : 0;
}

/* The last seq that one look behind `after` may go to; 0: there is nothing. So that a lane full of what a sink does not want holds nobody up. */
static int scan_end(struct spool *s, const struct spool_want *w, int64_t *end, struct err *e)
{
	int64_t first = 0, last = 0;
	struct db_row *q = db_prepare(s->db, "select seq from record indexed by record_lane where lane=? and seq>? order by seq limit 1", e);

	*end = 0;
	if (!q)
		return -1;
	db_bind_int(q, 1, (int64_t)w->lane);
	db_bind_int(q, 2, w->after);
	if (step_once(q, &first, e) < 0)
		return -1;
	if (!first)
		return 0;
	if (last_of(s, w->lane, &last, e) < 0)
		return -1;
	*end = first + SCAN <= last ? first + SCAN - 1 : last;
	return 0;
}

int spool_read(struct spool *s, const struct spool_want *w, struct spool_record *to, size_t n, size_t *got, int64_t *upto, struct err *e)
{
	int step = 1;
	int64_t end;
	struct db_row *q;

	*got = 0;
	*upto = w->after;
	buf_reset(&s->held);
	if (!n)
		return 0;
	if (scan_end(s, w, &end, e) < 0)
		return -1;
	if (!end)
		return 0;
	q = db_prepare(s->db, "select " COLUMNS " from record indexed by record_lane where lane=? and seq>? and seq<=? and"
		" (sink=? or (sink is null and (?>>kind)&1)) order by seq limit ?", e);
	if (!q)
		return -1;
	db_bind_int(q, 1, (int64_t)w->lane);
	db_bind_int(q, 2, w->after);
	db_bind_int(q, 3, end);
	db_bind_text(q, 4, w->sink ? w->sink : "");
	db_bind_int(q, 5, w->kinds ? (int64_t)w->kinds : -1);
	db_bind_int(q, 6, (int64_t)n);
	while (*got < n && (!*got || s->held.n < TAKE_BYTES) && (step = db_step(q, e)) == 1)
		hold(s, q, to, got);
	db_done(q);
	if (step < 0)
		return -1;
	point_into(s, to, *got);
	*upto = step == 0 ? end : to[*got - 1].seq;
	return 0;
}

int spool_get(struct spool *s, const int64_t *seqs, size_t *n, struct spool_record *to, size_t *got, struct err *e)
{
	size_t looked = 0;
	int step = 0;

	*got = 0;
	buf_reset(&s->held);
	for (; looked < *n && step >= 0 && s->held.n < TAKE_BYTES; looked++) {
		struct db_row *q = db_prepare(s->db, "select " COLUMNS " from record where seq=?", e);

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

int spool_done(struct spool *s, const char *sink, enum spool_lane lane, int64_t seq, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "insert into cursor (sink,lane,seq) values (?,?,?)"
		" on conflict (sink,lane) do update set seq=max(seq,excluded.seq)", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, (int64_t)lane);
	db_bind_int(q, 3, seq);
	return step_once(q, NULL, e) < 0 ? -1 : 0;
}

int spool_end(struct spool *s, const char *sink, enum spool_lane lane, int64_t after, int64_t *seq, struct err *e)
{
	int64_t own = 0;
	struct db_row *q;

	/* in this order: what is put back between the two is behind the end */
	if (last_of(s, lane, seq, e) < 0)
		return -1;
	q = db_prepare(s->db, "select seq from record indexed by record_sink where sink=? and lane=? and seq>? order by seq limit 1", e);
	if (!q)
		return -1;
	db_bind_text(q, 1, sink);
	db_bind_int(q, 2, (int64_t)lane);
	db_bind_int(q, 3, after);
	if (step_once(q, &own, e) < 0)
		return -1;
	*seq = own && own <= *seq ? own - 1 : *seq;
	return own > 0;
}

/* Those of the lane; 0: it has none of them. */
static unsigned of_lane(enum spool_lane lane, unsigned kinds)
{
	unsigned all = 0;

	for (int kind = 0; kind < RECORD_KINDS; kind++)
		if (record_lane(kind) == lane)
			all |= 1u << kind;
	return kinds ? all & kinds : all;
}

/* The first column of `sql` (of a lane, the cursor of a sink there, the sink, and the kinds; 0: it does not ask them); -1: it cannot be told.
 * *value is left when there is no row. */
static int ask_lane(struct spool *s, const char *sink, enum spool_lane lane, unsigned kinds, const char *sql, int64_t *value)
{
	int64_t after;
	struct db_row *q;

	if (spool_cursor(s, sink, lane, &after, NULL) < 0 || !(q = db_prepare(s->db, sql, NULL)))
		return -1;
	db_bind_int(q, 1, (int64_t)lane);
	db_bind_int(q, 2, after);
	db_bind_text(q, 3, sink);
	if (kinds)
		db_bind_int(q, 4, (int64_t)kinds);
	return step_once(q, value, NULL);
}

int64_t spool_oldest(struct spool *s, const char *sink, unsigned kinds)
{
	int64_t when = 0;

	for (int lane = 0; lane < SPOOL_LANES; lane++) {
		unsigned some = of_lane((enum spool_lane)lane, kinds);
		int64_t first = 0;

		ask_lane(s, sink, (enum spool_lane)lane, some, some ? "select at from record indexed by record_lane where lane=?1 and seq>?2"
			" and (sink=?3 or (sink is null and (?4>>kind)&1)) order by seq limit 1" : "select at from record indexed by record_sink"
			" where lane=?1 and seq>?2 and sink=?3 order by seq limit 1", &first);
		when = first && (!when || first < when) ? first : when;
	}
	return when;
}

int64_t spool_lag(struct spool *s, const char *sink, unsigned kinds)
{
	/* what is for another sink alone is little; so all are counted by the index, without a look at the rows */
	static const char by_lane[] = "select (select count(*) from record indexed by record_lane where lane=?1 and seq>?2)"
		" - (select count(*) from record indexed by record_sink where sink is not null and lane=?1 and seq>?2 and sink<>?3)";
	/* without events, which are most: the rows are few enough to look at */
	static const char by_kind[] = "select count(*) from record indexed by record_worth where worth>0 and lane=?1 and seq>?2 and (?4>>kind)&1"
		" and sink is null";
	static const char own[] = "select count(*) from record indexed by record_sink where lane=?1 and seq>?2 and sink=?3";
	int64_t all = 0;

	for (int lane = 0; lane < SPOOL_LANES; lane++) {
		unsigned some = of_lane((enum spool_lane)lane, kinds);
		bool whole = some == of_lane((enum spool_lane)lane, 0) || some & 1u << RECORD_EVENT;
		int64_t n = 0, alone = 0;

		if (some && ask_lane(s, sink, (enum spool_lane)lane, whole ? 0 : some, whole ? by_lane : by_kind, &n) < 0)
			return -1;
		if (!whole && ask_lane(s, sink, (enum spool_lane)lane, 0, own, &alone) < 0)
			return -1;
		all += n + alone;
	}
	return all;
}

bool spool_waits(struct spool *s, const char *sink)
{
	for (int lane = 0; lane < SPOOL_LANES; lane++)
		if (ask_lane(s, sink, (enum spool_lane)lane, 0, "select 1 from record indexed by record_lane where lane=?1 and seq>?2"
			" and (sink is null or sink=?3) limit 1", NULL) != 0)
			return true;
	return false;
}

int spool_each(struct spool *s, int (*each)(void *arg, const struct spool_record *r), void *arg, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "select " COLUMNS " from record indexed by record_lane where lane=0 order by seq", e);
	int step = -1;

	while (q && (step = db_step(q, e)) == 1) {
		struct spool_record r;

		read_row(q, &r);
		if (each(arg, &r))
			break;
	}
	db_done(q);
	return step < 0 ? -1 : 0;
}

static int delete_old(struct spool *s, enum spool_lane lane, int64_t least, int64_t kept, int64_t *rows, struct err *e)
{
	struct db_row *q = db_prepare(s->db, "delete from record where seq in (select seq from record indexed by record_lane where lane=?1 and seq<=?2"
		" and seq<=(select seq from record indexed by record_lane where lane=?1 order by seq desc limit 1 offset ?3) order by seq limit ?4)", e);

	if (!q)
		return -1;
	db_bind_int(q, 1, (int64_t)lane);
	db_bind_int(q, 2, least);
	db_bind_int(q, 3, kept);
	db_bind_int(q, 4, TRIM_ROWS);
	if (step_once(q, NULL, e) < 0)
		return -1;
	*rows += db_changes(s->db);
	return 0;
}

/* Uids that are older than that, before the newest; but one that came while the clock was ahead makes none old. */
static int forget_old(struct spool *s, int64_t span, int64_t *rows, struct err *e)
{
	int64_t newest = 0;
	struct db_row *q;

	if (step_once(db_prepare(s->db, "select max(at) from seen", e), &newest, e) < 0)
		return -1;
	if (s->clock && clock_wall(s->clock) < newest)
		newest = clock_wall(s->clock);
	q = db_prepare(s->db, "delete from seen where uid in (select uid from seen where at<? order by at limit ?)", e);
	if (!q)
		return -1;
	db_bind_int(q, 1, newest - span);
	db_bind_int(q, 2, TRIM_ROWS);
	if (step_once(q, NULL, e) < 0)
		return -1;
	*rows += db_changes(s->db);
	return 0;
}

int64_t spool_forget(struct spool *s, struct err *e)
{
	int64_t rows = 0;

	return forget_old(s, FORGET_LEAST, &rows, e) < 0 ? -1 : rows;
}

static int trim(struct spool *s, const int64_t least[SPOOL_LANES], int64_t kept, int64_t *rows, struct err *e)
{
	for (int lane = 0; lane < SPOOL_LANES; lane++)
		if (delete_old(s, (enum spool_lane)lane, least[lane], kept, rows, e) < 0)
			return -1;
	return forget_old(s, s->keep, rows, e);
}

int64_t spool_trim(struct spool *s, const char *const *sinks, size_t n, int64_t kept, struct err *e)
{
	int64_t least[SPOOL_LANES] = { 0 }, rows = 0;

	for (int lane = 0; lane < SPOOL_LANES; lane++)
		for (size_t i = 0; i < n; i++) {
			int64_t at;

			if (spool_cursor(s, sinks[i], (enum spool_lane)lane, &at, e) < 0)
				return -1;
			least[lane] = !i || at < least[lane] ? at : least[lane];
		}
	if (spool_begin(s, e) < 0)
		return -1;
	if (trim(s, least, kept, &rows, e) < 0) {
		spool_rollback(s);
		return -1;
	}
	return spool_commit(s, e) < 0 ? -1 : rows;
}
