/* case_store.c - heal.db's schema, and cases in it.
 *
 * Exists so that what heal knows outlives heal. Promises that a case's state and the ledger record that tells it are one
 * transaction, and that the ledger can be added to and never changed (triggers see to it). Refuses to reuse an id: one that
 * another case has, because watch's own state was lost, is replaced by one of ours. */
#include "heal/case_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/fact.h"
#include "heal/ledger.h"
#include "tls/digest.h"

static const char *const versions[] = {
	"create table ledger (seq integer primary key, time integer not null, kind text not null, host text not null,"
	" case_id integer not null, body text not null, previous blob not null, hash blob not null);"
	"create trigger ledger_is_written_once before update on ledger begin select raise(abort, 'the ledger is only added to'); end;"
	"create trigger ledger_is_kept before delete on ledger begin select raise(abort, 'the ledger is only added to'); end;"
	"create index ledger_case on ledger (case_id, seq);"
	"create table cases (id integer primary key, uid blob not null unique, host text not null, reported_by text not null,"
	" cause text not null, state text not null, flags integer not null, opened integer not null, updated integer not null,"
	" first integer not null, last integer not null, count integer not null, confidence integer not null, seen integer not null,"
	" thumbprint blob, port integer not null, reopens integer not null, verdict text not null, text text not null,"
	" advice text not null, plan_id blob, approval_until integer not null, not_before integer not null);"
	"create index cases_host on cases (host, id);"
	"create table approvals (id integer primary key, case_id integer not null, host text not null, plan_id blob not null,"
	" actor text not null, via text not null, at integer not null, until integer not null, used integer not null default 0);"
	"create table holds (host text primary key, since integer not null, actor text not null, reason text not null);"
	"create table repairs (id integer primary key, token text not null unique, host text not null, by_whom text not null,"
	" case_id integer not null, started integer not null, ended integer not null, settle_until integer not null,"
	" result text not null, plan_id blob not null, wanted blob);"
	"create table outbox (id integer primary key check (id = 1), seq integer not null);"
	"insert into outbox values (1, 0);",
	/* until 0: no end of its own. refusals: what was told of a host. episodes: since when it has trouble of a cause.
	 * clock: both clocks at one moment, for the next start. */
	"alter table holds add column until integer not null default 0;"
	"create table refusals (host text not null, reason text not null, plan_id blob not null, not_before integer not null,"
	" primary key (host, reason));"
	"create table episodes (host text not null, cause text not null, since integer not null, over integer not null,"
	" primary key (host, cause));"
	"create table clock (id integer primary key check (id = 1), wall integer not null, monotonic integer not null,"
	" boot text not null);"
	"create index repairs_started on repairs (started);",
	/* fields: a JSON object of texts. An id is never given twice: watch counts by it. */
	("create table silences (id integer primary key autoincrement, rule text not null, title text not null, host text not null,"
	" fields text not null, since integer not null, until integer not null, actor text not null, reason text not null);"),
	/* null: no event opened it, or its source is not known */
	"alter table cases add column labels text;",
};

const struct db_schema heal_schema = {.versions = versions, .n = sizeof(versions) / sizeof(versions[0]), .full_sync = true};

#define COLUMNS \
	"id, uid, host, reported_by, cause, state, flags, opened, updated, first, last, count, confidence, seen, thumbprint, port," \
	" reopens, verdict, text, advice, plan_id, approval_until, not_before, labels"

enum { FLAG_ASKS = 1, FLAG_REPLAY = 2 };

static bool blob(struct db_row *r, int column, uint8_t *to, size_t n)
{
	size_t got;
	const void *p = db_blob(r, column, &got);

	if (p == NULL || got != n)
		return false;
	memcpy(to, p, n);
	return true;
}

static void take(struct db_row *r, struct heal_case *c)
{
	memset(c, 0, sizeof(*c));
	c->id = db_int(r, 0);
	(void)blob(r, 1, c->uid, 32);
	text_copy(c->host, sizeof(c->host), db_text(r, 2));
	text_copy(c->reported_by, sizeof(c->reported_by), db_text(r, 3));
	c->cause = case_cause_index(db_text(r, 4));
	if (!case_state_parse(db_text(r, 5), &c->state))
		c->state = CASE_ESCALATED; /* a word of a newer program: a person should look */
	c->asks = db_int(r, 6) & FLAG_ASKS;
	c->replay = db_int(r, 6) & FLAG_REPLAY;
	c->opened = db_int(r, 7);
	c->updated = db_int(r, 8);
	c->first = db_int(r, 9);
	c->last = db_int(r, 10);
	c->count = db_int(r, 11);
	c->confidence = (int)db_int(r, 12);
	c->seen = (unsigned)db_int(r, 13);
	c->has_thumbprint = blob(r, 14, c->thumbprint, 20);
	c->port = (uint16_t)db_int(r, 15);
	c->reopens = db_int(r, 16);
	text_copy(c->verdict, sizeof(c->verdict), db_text(r, 17));
	text_copy(c->text, sizeof(c->text), db_text(r, 18));
	text_copy(c->advice, sizeof(c->advice), db_text(r, 19));
	c->has_plan = blob(r, 20, c->plan_id, 32);
	c->approval_until = db_int(r, 21);
	c->not_before = db_int(r, 22);
	c->has_labels = !db_is_null(r, 23) && strlen(db_text(r, 23)) < sizeof(c->labels);
	text_copy(c->labels, sizeof(c->labels), c->has_labels ? db_text(r, 23) : "");
}

static int take_one(struct db_row *r, struct heal_case *to, struct err *e)
{
	int got = db_step(r, e);

	if (got == 1)
		take(r, to);
	db_done(r);
	return got;
}

int case_store_get(struct db *d, int64_t id, struct heal_case *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select " COLUMNS " from cases where id = ?", e);

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, id);
	return take_one(r, to, e);
}

int case_store_by_uid(struct db *d, const uint8_t uid[32], struct heal_case *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select " COLUMNS " from cases where uid = ?", e);

	if (r == NULL)
		return -1;
	db_bind_blob(r, 1, uid, 32);
	return take_one(r, to, e);
}

bool case_is_open(enum case_state s)
{
	return s != CASE_HEALED && s != CASE_REFUTED && s != CASE_CLOSED;
}

#define OPEN_ONLY " state not in ('healed', 'refuted', 'closed') "

int case_store_open_of(struct db *d, const char *host, int cause, struct heal_case *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select " COLUMNS " from cases where host = ? and (? = '' or cause = ?) and" OPEN_ONLY
		"order by id limit 1", e);
	const char *name = cause < 0 ? "" : case_causes[cause];

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_text(r, 2, name);
	db_bind_text(r, 3, name);
	return take_one(r, to, e);
}

static int next_own_id(struct db *d, int64_t *id, struct err *e)
{
	struct db_row *r = db_prepare(d, "select max(id) from cases", e);
	int got = r ? db_step(r, e) : -1;

	if (got == 1)
		*id = db_int(r, 0) < CASE_OWN_ID ? CASE_OWN_ID : db_int(r, 0) + 1;
	db_done(r);
	return got < 0 ? -1 : 0;
}

/* An own case has the uid of what it is about and when it began. */
static void own_uid(struct heal_case *c)
{
	struct digest *g = digest_new();

	digest_add_str(g, "evmend own case");
	digest_add_str(g, c->host);
	digest_add_int(g, c->cause);
	digest_add_int(g, c->opened);
	digest_add_int(g, c->id);
	digest_finish(g, c->uid);
}

static int settle_id(struct db *d, struct heal_case *c, struct err *e)
{
	struct heal_case *other = xcalloc(1, sizeof(*other));
	int got = c->id == 0 ? 0 : case_store_get(d, c->id, other, e);
	bool taken = got == 1 && memcmp(other->uid, c->uid, 32) != 0, own = c->id == 0;

	free(other);
	if (got < 0)
		return -1;
	if (!own && !taken)
		return 0;
	if (next_own_id(d, &c->id, e) < 0)
		return -1;
	if (own)
		own_uid(c);
	return 0;
}

static void bind_case(struct db_row *r, const struct heal_case *c)
{
	db_bind_int(r, 1, c->id);
	db_bind_blob(r, 2, c->uid, 32);
	db_bind_text(r, 3, c->host);
	db_bind_text(r, 4, c->reported_by);
	db_bind_text(r, 5, case_causes[c->cause]);
	db_bind_text(r, 6, case_state_text(c->state));
	db_bind_int(r, 7, (c->asks ? FLAG_ASKS : 0) | (c->replay ? FLAG_REPLAY : 0));
	db_bind_int(r, 8, c->opened);
	db_bind_int(r, 9, c->updated);
	db_bind_int(r, 10, c->first);
	db_bind_int(r, 11, c->last);
	db_bind_int(r, 12, c->count);
	db_bind_int(r, 13, c->confidence);
	db_bind_int(r, 14, (int64_t)c->seen);
	if (c->has_thumbprint)
		db_bind_blob(r, 15, c->thumbprint, 20);
	db_bind_int(r, 16, c->port);
	db_bind_int(r, 17, c->reopens);
	db_bind_text(r, 18, c->verdict);
	db_bind_text(r, 19, c->text);
	db_bind_text(r, 20, c->advice);
	if (c->has_plan)
		db_bind_blob(r, 21, c->plan_id, 32);
	db_bind_int(r, 22, c->approval_until);
	db_bind_int(r, 23, c->not_before);
	if (c->has_labels)
		db_bind_text(r, 24, c->labels);
}

int case_store_put(struct db *d, struct heal_case *c, struct err *e)
{
	struct db_row *r;
	int got;

	if (settle_id(d, c, e) < 0)
		return -1;
	r = db_prepare(d, "insert or replace into cases (" COLUMNS ") values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", e);
	if (r == NULL)
		return -1;
	bind_case(r, c);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

int case_store_each(struct db *d, const char *host, bool open_only, int (*each)(void *arg, const struct heal_case *c), void *arg,
	struct err *e)
{
	struct db_row *r = db_prepare(d, "select " COLUMNS " from cases where (? = '' or host = ?) and (? = 0 or" OPEN_ONLY ") order by "
		"id", e);
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = -1, end = 0;

	if (r != NULL) {
		db_bind_text(r, 1, host ? host : "");
		db_bind_text(r, 2, host ? host : "");
		db_bind_int(r, 3, open_only);
		while (end == 0 && (got = db_step(r, e)) == 1) {
			take(r, c);
			end = each(arg, c);
		}
		db_done(r);
	}
	free(c);
	return got < 0 ? -1 : end;
}

int case_store_labels(struct db *d, const char *host, int (*each)(void *arg, const char *labels), void *arg, struct err *e)
{
	struct db_row *r = db_prepare(d, "select distinct labels from cases where host = ? and labels is not null", e);
	int got = -1, end = 0;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	while (end == 0 && (got = db_step(r, e)) == 1)
		end = each(arg, db_text(r, 0));
	db_done(r);
	return got < 0 ? -1 : end;
}

static void put_uid(struct json_out *o, const char *key, const uint8_t uid[32])
{
	char hex[65];

	text_hex(hex, uid, 32);
	json_put_str(o, key, hex);
}

void case_store_json(struct json_out *o, const struct heal_case *c)
{
	char command[64], hex[41];

	json_put_int(o, "id", c->id);
	put_uid(o, "uid", c->uid);
	json_put_str(o, "host", c->host);
	json_open(o, "reported_by", '[');
	if (c->reported_by[0])
		json_put_str(o, NULL, c->reported_by);
	json_close(o, ']');
	json_put_str(o, "cause", c->cause < 0 ? "" : case_causes[c->cause]);
	json_put_str(o, "asks", c->asks ? "diagnose" : "nothing");
	json_put_str(o, "state", case_state_text(c->state));
	json_put_str(o, "confidence", level_text((enum rule_level)c->confidence));
	json_put_int(o, "count", c->count);
	json_put_time(o, "opened", c->opened);
	json_put_time(o, "first", c->first);
	json_put_time(o, "last", c->last);
	json_put_bool(o, "replay", c->replay);
	json_put_str(o, "verdict", c->verdict[0] ? c->verdict : NULL);
	json_put_str(o, "text", c->text);
	json_put_str(o, "advice", c->advice);
	if (c->has_thumbprint) {
		text_hex(hex, c->thumbprint, 20);
		json_put_str(o, "thumbprint", hex);
	}
	if (c->has_plan)
		put_uid(o, "plan", c->plan_id);
	if (c->state == CASE_WAITING_APPROVAL) {
		say_text(command, sizeof(command), "evmend approve %lld", (long long)c->id);
		json_put_str(o, "approve", command);
		json_put_time(o, "approval_until", c->approval_until);
	}
	json_put_time(o, "not_before", c->not_before);
	if (c->reopens)
		json_put_int(o, "reopens", c->reopens);
}

static int tell(struct db *d, int64_t now, const struct heal_case *c, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 64u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	case_store_json(&o, c);
	json_close(&o, '}');
	r = ledger_add(d, now, "state", c->host, c->id, buf_text(&b), e);
	buf_free(&b);
	return r;
}

int case_store_state(struct db *d, int64_t now, struct heal_case *c, enum case_state state, struct err *e)
{
	struct heal_case *was = xcalloc(1, sizeof(*was));
	bool own = !db_in_transaction(d), same;
	int got = case_store_get(d, c->id, was, e);

	same = got == 1 && was->state == state && strcmp(was->text, c->text) == 0 && strcmp(was->advice, c->advice) == 0 &&
		strcmp(was->verdict, c->verdict) == 0;
	free(was);
	if (got < 0 || (own && db_begin(d, e) < 0))
		return -1;
	c->state = state;
	c->updated = now;
	if (case_store_put(d, c, e) == 0 && (same || tell(d, now, c, e) == 0))
		return own ? db_commit(d, e) : 0;
	if (own)
		db_rollback(d);
	return -1;
}
