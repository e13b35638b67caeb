/* silence.c - silences in heal.db.
 *
 * Exists so that the agent and the verbs do the same thing. Promises that a silence and its ledger record come and go together.
 * Refuses a silence without rule, reason or end, one that ends later than in a year, one that is there already, and more of them than fit
 * into a message. */
#include "heal/silence.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "heal/ledger.h"

#define TEXT_MOST 500

struct silence {
	int64_t id, since, until;
	const char *rule, *title, *host, *fields, *actor, *reason; /* fields: text of a JSON object */
};

static void put_silence(struct json_out *o, const struct silence *s)
{
	json_put_int(o, "id", s->id);
	json_put_str(o, "rule", s->rule);
	json_put_str(o, "title", s->title);
	json_put_str(o, "host", s->host);
	json_put_raw(o, "fields", s->fields);
	json_put_time(o, "since", s->since);
	json_put_time(o, "until", s->until);
	json_put_str(o, "actor", s->actor);
	json_put_str(o, "reason", s->reason);
}

/* what: "on", "off" by a person, "ended" by itself */
static int write_down(struct db *d, int64_t now, const struct silence *s, const char *what, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 64u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "silence", what);
	put_silence(&o, s);
	json_close(&o, '}');
	r = ledger_add(d, now, "silence", s->host, 0, buf_text(&b), e);
	buf_free(&b);
	return r;
}

static void take_row(struct db_row *r, struct silence *s)
{
	*s = (struct silence){.id = db_int(r, 0), .rule = db_text(r, 1), .title = db_text(r, 2), .host = db_text(r, 3), .fields = db_text(r, 4),
		.since = db_int(r, 5), .until = db_int(r, 6), .actor = db_text(r, 7), .reason = db_text(r, 8)};
}

#define COLUMNS "select id, rule, title, host, fields, since, until, actor, reason from silences "

int silences_json(struct db *d, struct json_out *o, const char *key, struct err *e)
{
	struct db_row *r = db_prepare(d, COLUMNS "order by id", e);
	int got = -1;

	json_open(o, key, '[');
	while (r && (got = db_step(r, e)) == 1) {
		struct silence s;

		take_row(r, &s);
		json_open(o, NULL, '{');
		put_silence(o, &s);
		json_close(o, '}');
	}
	json_close(o, ']');
	db_done(r);
	return got < 0 ? -1 : 0;
}

struct reading {
	struct json_out o;
	size_t n;
	struct err *e;
};

static int read_field(void *arg, const char *key, const struct json *v)
{
	struct reading *r = arg;

	if (!json_is_string(v) || !*key || strlen(key) > TEXT_MOST || strlen(json_str(v, "")) > TEXT_MOST || ++r->n > SILENCE_FIELDS)
		return err_set(r->e, ERR_USAGE, "a silence takes at most %d fields, each with a text of at most %d bytes", SILENCE_FIELDS,
			TEXT_MOST);
	json_put_str(&r->o, key, json_str(v, ""));
	return 0;
}

static int read_fields(const struct json *fields, struct buf *to, struct err *e)
{
	struct reading r = {.e = e};

	json_begin(&r.o, to);
	json_open(&r.o, NULL, '{');
	if (fields && (!json_is_object(fields) || json_each(fields, read_field, &r) != 0))
		return e->code ? -1 : err_set(e, ERR_USAGE, "the fields of a silence are an object of texts");
	json_close(&r.o, '}');
	return 0;
}

static int read_silence(const struct json *q, int64_t now, struct silence *s, struct buf *fields, struct err *e)
{
	const char *until = json_str(json_get(q, "until"), "");

	s->rule = json_str(json_get(q, "rule"), "");
	s->title = json_str(json_get(q, "title"), "");
	s->host = json_str(json_get(q, "host"), "");
	s->reason = json_str(json_get(q, "reason"), "");
	s->since = now;
	e->code = ERR_NONE;
	if (!*s->rule || strlen(s->rule) > TEXT_MOST || strlen(s->title) > TEXT_MOST)
		return err_set(e, ERR_USAGE, "a silence names one rule by its id or name");
	if (!*s->reason || strlen(s->reason) > TEXT_MOST)
		return err_set(e, ERR_USAGE, "a silence needs a reason of at most %d bytes; it goes into the ledger", TEXT_MOST);
	if (*s->host && !text_host_ok(s->host))
		return err_set(e, ERR_USAGE, "'%.64s' is no host name", s->host);
	if (!time_parse(until, strlen(until), &s->until) || s->until <= now || s->until > now + SILENCE_YEAR)
		return err_set(e, ERR_USAGE, "a silence needs an end that lies ahead, within a year");
	if (read_fields(json_get(q, "fields"), fields, e) < 0)
		return -1;
	s->fields = buf_text(fields);
	return 0;
}

static int insert(struct db *d, struct silence *s, struct err *e)
{
	struct db_row *r = db_prepare(d, "insert into silences (rule, title, host, fields, since, until, actor, reason)"
		" values (?,?,?,?,?,?,?,?)", e);
	int got;

	if (!r)
		return -1;
	db_bind_text(r, 1, s->rule);
	db_bind_text(r, 2, s->title);
	db_bind_text(r, 3, s->host);
	db_bind_text(r, 4, s->fields);
	db_bind_int(r, 5, s->since);
	db_bind_int(r, 6, s->until);
	db_bind_text(r, 7, s->actor);
	db_bind_text(r, 8, s->reason);
	got = db_step(r, e);
	db_done(r);
	s->id = db_last_id(d);
	return got < 0 ? -1 : 0;
}

/* Do all of them still fit into one message? */
static int they_fit(struct db *d, struct err *e)
{
	struct json_out o;
	struct buf b;
	int did;

	buf_init(&b, SILENCES_BYTES);
	json_begin(&o, &b);
	did = silences_json(d, &o, NULL, e);
	if (did == 0 && b.refused)
		did = err_set(e, ERR_REFUSED, "there are too many silences; end some of them: 'evmend silence list'");
	buf_free(&b);
	return did;
}

/* A second silence of the same would make two ends of one thing. -1 when there is one: it is named. */
static int is_new(struct db *d, const struct silence *s, struct err *e)
{
	struct db_row *r = db_prepare(d, COLUMNS "where rule = ? and host = ? collate nocase and fields = ? and until > ?", e);
	struct silence old;
	char when[32];
	int got;

	if (!r)
		return -1;
	db_bind_text(r, 1, s->rule);
	db_bind_text(r, 2, s->host);
	db_bind_text(r, 3, s->fields);
	db_bind_int(r, 4, s->since);
	got = db_step(r, e);
	if (got == 1) {
		take_row(r, &old);
		got = err_set(e, ERR_USAGE, "silence %lld is the same: until %s, by %.120s; 'evmend silence end %lld' ends it, then say it anew",
			(long long)old.id, time_text(old.until, when), old.actor, (long long)old.id);
	}
	db_done(r);
	return got;
}

int silence_begin(struct db *d, int64_t now, const struct json *q, const char *actor, int64_t *id, struct err *e)
{
	struct silence s = {.actor = actor};
	struct buf fields;
	int did = -1;

	buf_init(&fields, 64u << 10);
	if (read_silence(q, now, &s, &fields, e) == 0 && db_begin(d, e) == 0) {
		if (is_new(d, &s, e) == 0 && insert(d, &s, e) == 0 && they_fit(d, e) == 0 && write_down(d, now, &s, "on", e) == 0)
			did = db_commit(d, e);
		else
			db_rollback(d);
	}
	buf_free(&fields);
	*id = s.id;
	return did;
}

/* Takes the silence away; what and who go into the ledger with everything it said. */
static int take_away(struct db *d, int64_t now, int64_t id, const char *what, const char *actor, struct err *e)
{
	struct db_row *r = db_prepare(d, COLUMNS "where id = ?", e), *gone;
	struct silence s;
	int got = -1;

	if (!r)
		return -1;
	db_bind_int(r, 1, id);
	got = db_step(r, e);
	if (got == 1) {
		take_row(r, &s);
		s.actor = actor ? actor : s.actor;
		got = write_down(d, now, &s, what, e);
	} else if (got == 0) {
		got = err_set(e, ERR_USAGE, "there is no silence %lld; 'evmend silence list' shows them", (long long)id);
	}
	db_done(r);
	gone = got == 0 ? db_prepare(d, "delete from silences where id = ?", e) : NULL;
	if (!gone)
		return -1;
	db_bind_int(gone, 1, id);
	got = db_step(gone, e);
	db_done(gone);
	return got < 0 ? -1 : 0;
}

static int end_one(struct db *d, int64_t now, int64_t id, const char *what, const char *actor, struct err *e)
{
	if (db_begin(d, e) < 0)
		return -1;
	if (take_away(d, now, id, what, actor, e) == 0)
		return db_commit(d, e);
	db_rollback(d);
	return -1;
}

int silence_end(struct db *d, int64_t now, int64_t id, const char *actor, struct err *e)
{
	return end_one(d, now, id, "off", actor, e);
}

int silences_expire(struct db *d, int64_t now, int64_t *next, struct err *e)
{
	int ended = 0;

	for (;;) {
		struct db_row *r = db_prepare(d, "select id, until from silences order by until limit 1", e);
		int64_t id = 0;
		int got = r ? db_step(r, e) : -1;

		*next = INT64_MAX;
		if (got == 1) {
			id = db_int(r, 0);
			*next = db_int(r, 1);
		}
		db_done(r);
		if (got < 0)
			return -1;
		if (*next > now)
			return ended;
		if (end_one(d, now, id, "ended", NULL, e) < 0)
			return -1;
		ended++;
	}
}
