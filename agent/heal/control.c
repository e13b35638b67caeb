/* control.c - what a person decides: approvals, holds, closing a case.
 *
 * Exists so that the agent and the verbs do the same thing to heal.db. Promises that each decision is in the ledger with who,
 * through what, and until when. Refuses an approval of a case that has no plan, of a question that has expired, and of a
 * repair that is already under way. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "heal/case_store.h"
#include "heal/fact.h"
#include "heal/ledger.h"

/* A small object of texts for the ledger: key, value, ..., NULL. */
static int remember(struct db *d, int64_t now, const char *kind, const char *host, int64_t case_id, const char *const *pairs,
	int64_t until,
	struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 16u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	for (size_t i = 0; pairs[i]; i += 2)
		json_put_str(&o, pairs[i], pairs[i + 1]);
	if (until != 0)
		json_put_time(&o, "until", until);
	json_close(&o, '}');
	r = ledger_add(d, now, kind, host, case_id, buf_text(&b), e);
	buf_free(&b);
	return r;
}

static int insert_approval(struct db *d, int64_t now, const struct heal_case *c, const uint8_t plan_id[32], const char *actor,
	const char *via,
	int64_t until, struct err *e)
{
	struct db_row *r = db_prepare(d, "insert into approvals (case_id, host, plan_id, actor, via, at, until) values (?,?,?,?,?,?,?)",
		e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_int(r, 1, c->id);
	db_bind_text(r, 2, c->host);
	db_bind_blob(r, 3, plan_id, 32);
	db_bind_text(r, 4, actor);
	db_bind_text(r, 5, via);
	db_bind_int(r, 6, now);
	db_bind_int(r, 7, until);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int add_in_transaction(struct db *d, int64_t now, const struct heal_case *c, const uint8_t plan_id[32], const char *actor,
	const char *via, int64_t until, struct err *e)
{
	char hex[65];
	const char *pairs[] = {"plan", hex, "actor", actor, "via", via, NULL};

	text_hex(hex, plan_id, 32);
	if (db_begin(d, e) < 0)
		return -1;
	if (insert_approval(d, now, c, plan_id, actor, via, until, e) == 0 &&
	    remember(d, now, "approval", c->host, c->id, pairs, until, e) == 0)
		return db_commit(d, e);
	db_rollback(d);
	return -1;
}

static int no_case(int64_t id, struct err *e)
{
	return err_set(e, ERR_USAGE, "there is no case %lld; 'evmend cases' lists them", (long long)id);
}

int approval_find(struct db *d, int64_t now, const char *host, const uint8_t plan_id[32], char actor[static 128], struct err *e)
{
	struct db_row *r = db_prepare(d, "select actor from approvals where host = ? and plan_id = ? and used = 0 and at <= ? and until "
		"> ?"
		" order by id desc limit 1", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_blob(r, 2, plan_id, 32);
	db_bind_int(r, 3, now);
	db_bind_int(r, 4, now);
	got = db_step(r, e);
	if (got == 1)
		text_copy(actor, 128, db_text(r, 0));
	db_done(r);
	return got;
}

int approval_use(struct db *d, const char *host, const uint8_t *plan_id, struct err *e)
{
	struct db_row *r = db_prepare(d, plan_id ? "update approvals set used = 1 where host = ? and plan_id = ?" :
		"update approvals set used = 1 where host = ?", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	if (plan_id != NULL)
		db_bind_blob(r, 2, plan_id, 32);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int other_plan(const struct heal_case *c, const struct approval *a, struct err *e)
{
	char was[65], is[65];

	text_hex(was, a->plan_id, 32);
	text_hex(is, c->plan_id, 32);
	return err_set(e, ERR_REFUSED,
		"the plan of case %lld is %.12s now, not %.12s: the facts have changed; read it again: 'evmend case %lld'",
		(long long)c->id, is, was, (long long)c->id);
}

static int may_approve(const struct heal_case *c, int64_t now, const struct approval *a, struct err *e)
{
	long long id = (long long)c->id;

	if (!case_is_open(c->state))
		return err_set(e, ERR_REFUSED, "case %lld is %s: there is nothing to approve", id, case_state_text(c->state));
	if (c->state == CASE_REPAIRING || c->state == CASE_SETTLING)
		return err_set(e, ERR_REFUSED, "case %lld is %s already", id, case_state_text(c->state));
	if (!c->has_plan)
		return err_set(e, ERR_REFUSED, "case %lld has no plan that could be approved: %s", id, c->text);
	if (c->state == CASE_WAITING_APPROVAL && c->approval_until <= now)
		return err_set(e, ERR_REFUSED, "the question of case %lld has expired; the next diagnosis asks again: 'evmend diagnose %s'",
			id, c->host);
	if (memcmp(c->plan_id, a->plan_id, 32) != 0)
		return other_plan(c, a, e);
	if (a->until != 0 && a->until <= now)
		return err_set(e, ERR_REFUSED, "the approval of case %lld has expired before it came", id);
	return 0;
}

int control_approve(struct db *d, int64_t now, const struct approval *a, int64_t life, struct err *e)
{
	int64_t until = a->until != 0 && a->until < now + life ? a->until : now + life;
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(d, a->case_id, c, e);

	if (got == 0)
		got = no_case(a->case_id, e);
	else if (got == 1)
		got = may_approve(c, now, a, e) < 0 ? -1 : add_in_transaction(d, now, c, c->plan_id, a->actor, a->via, until, e);
	free(c);
	return got;
}

static int close_case(struct db *d, int64_t now, struct heal_case *c, const char *actor, const char *reason, struct err *e)
{
	const char *pairs[] = {"actor", actor, "reason", reason, NULL};

	if (c->state == CASE_CLOSED)
		return err_set(e, ERR_REFUSED, "case %lld is closed already", (long long)c->id);
	if (c->state == CASE_REPAIRING || c->state == CASE_SETTLING)
		return err_set(e, ERR_REFUSED, "case %lld is %s: close it when that has ended", (long long)c->id, case_state_text(c->state));
	if (db_begin(d, e) < 0)
		return -1;
	say_text(c->text, sizeof(c->text), "closed by %s: %s", actor, reason);
	c->has_plan = false;
	/* what was permitted before is not wanted any more: a new case asks anew */
	if (approval_use(d, c->host, NULL, e) == 0 && remember(d, now, "close", c->host, c->id, pairs, 0, e) == 0 &&
	    case_store_state(d, now, c, CASE_CLOSED, e) == 0)
		return db_commit(d, e);
	db_rollback(d);
	return -1;
}

int control_close(struct db *d, int64_t now, int64_t case_id, const char *actor, const char *reason, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int got = case_store_get(d, case_id, c, e);

	if (got == 0)
		got = no_case(case_id, e);
	else if (got == 1)
		got = close_case(d, now, c, actor, reason, e);
	free(c);
	return got;
}

/* ---- holds ---- */

struct hold {
	char host[256], actor[128], reason[200];
	int64_t until;
};

static int set_hold(struct db *d, int64_t now, const struct hold *h, bool on, struct err *e)
{
	struct db_row *r = on ?
		db_prepare(d, "insert or replace into holds (host, since, actor, reason, until) values (?,?,?,?,?)", e) :
		db_prepare(d, "delete from holds where host = ?", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, h->host);
	if (on) {
		db_bind_int(r, 2, now);
		db_bind_text(r, 3, h->actor);
		db_bind_text(r, 4, h->reason);
		db_bind_int(r, 5, h->until);
	}
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

/* The hold and its record: both or neither. what: "on", "off", "ended". */
static int change_hold(struct db *d, int64_t now, const struct hold *h, const char *what, struct err *e)
{
	const char *pairs[] = {"hold", what, "actor", h->actor, "reason", h->reason, NULL};

	if (db_begin(d, e) < 0)
		return -1;
	if (set_hold(d, now, h, strcmp(what, "on") == 0, e) == 0 && remember(d, now, "hold", h->host, 0, pairs, h->until, e) == 0)
		return db_commit(d, e);
	db_rollback(d);
	return -1;
}

int control_hold(struct db *d, int64_t now, const char *host, bool on, int64_t until, const char *actor, const char *reason,
	struct err *e)
{
	struct hold h = {.until = on ? until : 0};

	if (on && until != 0 && until <= now)
		return err_set(e, ERR_USAGE, "a hold must end in the future");
	text_copy(h.host, sizeof(h.host), host ? host : "");
	text_copy(h.actor, sizeof(h.actor), actor);
	text_copy(h.reason, sizeof(h.reason), reason ? reason : "");
	return change_hold(d, now, &h, on ? "on" : "off", e);
}

/* The hold whose end is next; 1: there is one. */
static int next_end(struct db *d, struct hold *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select host, actor, reason, until from holds where until != 0 order by until limit 1", e);
	int got;

	if (r == NULL)
		return -1;
	got = db_step(r, e);
	if (got == 1) {
		text_copy(to->host, sizeof(to->host), db_text(r, 0));
		text_copy(to->actor, sizeof(to->actor), db_text(r, 1));
		text_copy(to->reason, sizeof(to->reason), db_text(r, 2));
		to->until = db_int(r, 3);
	}
	db_done(r);
	return got;
}

int control_end_holds(struct db *d, int64_t now, int64_t *next, struct err *e)
{
	struct hold h;
	int got;

	while ((got = next_end(d, &h, e)) == 1 && h.until <= now)
		if (change_hold(d, now, &h, "ended", e) < 0)
			return -1;
	*next = got == 1 ? h.until : INT64_MAX;
	return got < 0 ? -1 : 0;
}

int hold_active(struct db *d, int64_t now, const char *host, int64_t *until, char why[static 200], struct err *e)
{
	struct db_row *r = db_prepare(d, "select actor, reason, until, host from holds where (host = '' or host = ?) and"
		" (until = 0 or until > ?) order by until = 0 desc, until desc limit 1", e);
	char end[40] = "", when[32];
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_int(r, 2, now);
	got = db_step(r, e);
	if (got == 1) {
		if (db_int(r, 2) != 0)
			say_text(end, sizeof(end), " until %s", time_text(db_int(r, 2), when));
		say_text(why, 200, "held%s ('evmend hold %s%s--off' ends that) by %s: %s", end, db_text(r, 3), db_text(r, 3)[0] ? " " : "",
			db_text(r, 0), db_text(r, 1));
	}
	if (until != NULL)
		*until = got == 1 ? db_int(r, 2) : 0;
	db_done(r);
	return got;
}
