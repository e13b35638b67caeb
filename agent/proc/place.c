/* place.c - where watch stands, on disk.
 *
 * Why: after a restart reading goes on where what was found is already stored, with the windows of that very moment. Promises: positions and
 * engine state are of one moment, or unchanged. Refuses: a database of a newer program (store/db.h says what to do). */
#include "proc/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/db.h"

struct place {
	struct db *db;
	struct err e; /* of a row that could not be put */
	bool anew, anew_put; /* the groups are of another set of rules; and were put so in this transaction */
	char digest[80];  /* of the set of rules */
};

static const char *const versions[] = {
	"create table position (source text not null, partition text not null, position text not null, decoder text not null,"
	" primary key (source, partition)) without rowid;"
	"create table state (name text primary key, value blob not null) without rowid;",
	"create table groups (name blob primary key, value blob not null) without rowid;",
	"create table held (uid blob primary key, count integer not null, time integer not null, json blob not null) without rowid;",
};
static const struct db_schema schema = { .versions = versions, .n = 3 };

struct place *place_open(const char *folder, struct err *e)
{
	char path[4096];
	struct place *p = xcalloc(1, sizeof *p);

	snprintf(path, sizeof path, "%s/watch.db", folder);
	p->db = db_open(path, &schema, DB_WRITE, e);
	if (p->db)
		return p;
	free(p);
	return NULL;
}

void place_close(struct place *p)
{
	if (!p)
		return;
	db_close(p->db);
	free(p);
}

int place_begin(struct place *p, struct err *e)
{
	return db_begin(p->db, e);
}

int place_commit(struct place *p, struct err *e)
{
	if (db_commit(p->db, e) == 0) {
		p->anew = p->anew && !p->anew_put;
		p->anew_put = false;
		return 0;
	}
	p->anew_put = false;
	db_rollback(p->db);
	return -1;
}

void place_rollback(struct place *p)
{
	p->anew_put = false;
	db_rollback(p->db);
}

static int finish(struct db_row *q, struct err *e)
{
	int got = db_step(q, e);

	db_done(q);
	return got < 0 ? -1 : 0;
}

int place_put(struct place *p, const char *source, const char *partition, const char *position, const char *decoder, struct err *e)
{
	struct db_row *q = db_prepare(p->db, "insert into position (source,partition,position,decoder) values (?,?,?,?)"
		" on conflict (source,partition) do update set position=excluded.position, decoder=excluded.decoder", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, source);
	db_bind_text(q, 2, partition);
	db_bind_text(q, 3, position);
	db_bind_text(q, 4, decoder);
	return finish(q, e);
}

static int put_state(struct place *p, const char *name, const struct buf *value, struct err *e)
{
	struct db_row *q = db_prepare(p->db,
		"insert into state (name,value) values (?,?) on conflict (name) do update set value=excluded.value", e);

	if (!q)
		return -1;
	db_bind_text(q, 1, name);
	db_bind_blob(q, 2, value->p, value->n);
	return finish(q, e);
}

static int get_state(struct db *d, const char *name, struct buf *to, struct err *e)
{
	struct db_row *q = db_prepare(d, "select value from state where name=?", e);
	int got;

	if (!q)
		return -1;
	db_bind_text(q, 1, name);
	got = db_step(q, e);
	if (got == 1) {
		size_t n;
		const void *v = db_blob(q, 0, &n);

		buf_add(to, v, n);
	}
	db_done(q);
	return got < 0 ? -1 : 0;
}

int place_put_engine(struct place *p, const struct buf *state, struct err *e)
{
	return put_state(p, "engine", state, e);
}

int place_put_noise(struct place *p, const struct buf *noise, struct err *e)
{
	return put_state(p, "noise", noise, e);
}

int place_put_rules(struct place *p, const struct buf *rules, struct err *e)
{
	return put_state(p, "rules", rules, e);
}

static int put_group(void *place, const void *name, size_t name_n, const void *value, size_t n)
{
	struct place *p = place;
	struct db_row *q = db_prepare(p->db, n ? "insert into groups (name,value) values (?,?) on conflict (name) do update set value=excluded.value" :
		"delete from groups where name=?", &p->e);

	if (!q)
		return -1;
	db_bind_blob(q, 1, name, name_n);
	if (n)
		db_bind_blob(q, 2, value, n);
	return finish(q, &p->e);
}

int place_put_groups(struct place *p, struct engine *g, struct err *e)
{
	if (p->anew) {
		struct db_row *q = db_prepare(p->db, "delete from groups", e);
		struct buf digest;

		if (!q || finish(q, e) < 0)
			return -1;
		buf_init(&digest, sizeof p->digest);
		buf_str(&digest, p->digest);
		p->anew_put = put_state(p, "groups_of", &digest, e) == 0;
		buf_free(&digest);
		if (!p->anew_put)
			return -1;
	}
	if (engine_changes(g, put_group, p) == 0)
		return 0;
	*e = p->e;
	return -1;
}

static int keep_update(void *place, const uint8_t *uid, uint64_t count, int64_t time, const char *json, size_t n)
{
	struct place *p = place;
	struct db_row *q = db_prepare(p->db, json ? "insert or replace into held (uid,count,time,json) values (?,?,?,?)" :
		uid ? "delete from held where uid=?" : "delete from held", &p->e);

	if (!q)
		return -1;
	if (uid)
		db_bind_blob(q, 1, uid, 32);
	if (json) {
		db_bind_int(q, 2, (int64_t)count);
		db_bind_int(q, 3, time);
		db_bind_blob(q, 4, json, n);
	}
	return finish(q, &p->e);
}

int place_put_updates(struct place *p, const struct updates *u, struct err *e)
{
	if (updates_save(u, keep_update, p) == 0)
		return 0;
	*e = p->e;
	return -1;
}

int place_updates(struct place *p, struct updates *u, int64_t now, struct err *e)
{
	struct db_row *q = db_prepare(p->db, "select uid,count,time,json from held", e);
	int got;

	if (!q)
		return -1;
	while ((got = db_step(q, e)) == 1) {
		size_t n_uid, n;
		const void *uid = db_blob(q, 0, &n_uid), *json = db_blob(q, 3, &n);

		if (n_uid == 32)
			updates_restore(u, uid, (uint64_t)db_int(q, 1), db_int(q, 2), json, n, now);
	}
	db_done(q);
	return got;
}

int place_groups(struct place *p, struct engine *g, const char *digest, size_t *dropped, struct err *e)
{
	struct db_row *q;
	struct buf of;
	int got, bad = 0;

	*dropped = 0;
	buf_init(&of, 1024);
	got = get_state(p->db, "groups_of", &of, e);
	p->anew = strcmp(buf_text(&of), digest) != 0;
	text_copy(p->digest, sizeof p->digest, digest);
	buf_free(&of);
	q = got < 0 ? NULL : db_prepare(p->db, "select value from groups", e);
	if (!q)
		return -1;
	while ((got = db_step(q, e)) == 1) {
		size_t n;
		const void *v = db_blob(q, 0, &n);

		int r = engine_restore(g, v, n, !p->anew);

		bad += r < 0;
		*dropped += r == 1;
	}
	db_done(q);
	return got < 0 ? -1 : bad ? err_set(e, ERR_IO, "%d groups of correlations in watch.db are not readable", bad) : 0;
}

int place_resume(struct place *p, struct source *s, struct err *e)
{
	struct db_row *q = db_prepare(p->db, "select partition,position from position where source=?", e);
	int got;

	if (!q)
		return -1;
	db_bind_text(q, 1, s->options.name);
	while ((got = db_step(q, e)) == 1) {
		char *partition = xstrdup(db_text(q, 0));

		source_resume(s, partition, db_text(q, 1));
		free(partition);
	}
	db_done(q);
	return got;
}

bool place_decoder(struct place *p, const char *source, const char *partition, char *to, size_t n)
{
	struct db_row *q = db_prepare(p->db, "select decoder from position where source=? and partition=?", NULL);
	bool found = false;

	if (!q)
		return false;
	db_bind_text(q, 1, source);
	db_bind_text(q, 2, partition);
	if (db_step(q, NULL) == 1) {
		found = strlen(db_text(q, 0)) < n;
		snprintf(to, n, "%s", db_text(q, 0));
	}
	db_done(q);
	return found;
}

int place_engine(struct place *p, struct buf *to, struct err *e)
{
	return get_state(p->db, "engine", to, e);
}

static int look_state(const char *folder, const char *name, struct buf *to, struct err *e)
{
	char path[4096];
	struct os_stat st;
	struct db *d;
	int did;

	snprintf(path, sizeof path, "%s/watch.db", folder);
	if (os_file.stat(path, -1, &st) < 0)
		return 0;
	d = db_open(path, &schema, DB_READ, e);
	did = d ? get_state(d, name, to, e) : -1;
	db_close(d);
	return did;
}

int place_look_noise(const char *folder, struct buf *to, struct err *e)
{
	return look_state(folder, "noise", to, e);
}

int place_look_rules(const char *folder, struct buf *to, struct err *e)
{
	return look_state(folder, "rules", to, e);
}
