/* chart_policy.c - the policy's question, put together from heal.db; and what a refusal leaves behind there.
 *
 * Exists so that the policy can stay a pure function. Promises exact counts, however many repairs there were, and that what was
 * told of a refusal outlives a restart. Refuses to count a repair twice: an interrupted one that goes on is one row. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "heal/chart.h"
#include "heal/ledger.h"
#include "os/os.h"

#define LATELY (30 * US_DAY)

/* One statement about a host and, where it has a second question mark, a word. */
static int change(struct db *d, const char *sql, const char *host, const char *word, struct err *e)
{
	struct db_row *r = db_prepare(d, sql, e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	if (word != NULL)
		db_bind_text(r, 2, word);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

/* ---- repairs lately ---- */

struct counting {
	struct policy_input *in;
	const char *host;
};

static void count(struct policy_tail *t, int limit, int64_t started)
{
	if (++t->n == limit)
		t->nth = started;
}

static bool in_group(const struct policy_input *in, const char *host)
{
	for (size_t i = 0; i < in->n_group; i++)
		if (text_same(in->group_hosts[i], host))
			return true;
	return false;
}

/* Rows come newest first, so that the limit-th of a kind is the one that must grow a day old. */
static int count_repair(void *arg, const struct heal_repair *r)
{
	struct counting *c = arg;
	struct policy_input *in = c->in;
	const struct policy_config *limits = in->config;
	bool own = text_same(r->host, c->host), recent = r->started > in->now - US_DAY;

	if (own && r->ended == 0) /* no other one begins before it has ended: it is this very repair that goes on */
		return 0;
	if (own && in->newest == 0)
		in->newest = r->started;
	in->healed_lately += own && strcmp(r->result, "healed") == 0;
	if (own && recent)
		count(&in->host, limits->per_host_day, r->started);
	if (recent && in_group(in, r->host))
		count(&in->group, limits->per_group_day, r->started);
	if (recent)
		count(&in->fleet, limits->per_fleet_day, r->started);
	return 0;
}

int chart_failed(struct db *d, const char *host, struct err *e)
{
	struct heal_repair last;
	int got = repair_row_last(d, host, &last, e);

	return got == 1 ? strcmp(last.result, "healed") != 0 && strcmp(last.result, "undone") != 0 : got;
}

static int repairs_lately(struct db *d, const char *host, struct policy_input *in, struct err *e)
{
	struct counting c = {.in = in, .host = host};
	int failed;

	memset(&in->host, 0, sizeof(in->host));
	memset(&in->group, 0, sizeof(in->group));
	memset(&in->fleet, 0, sizeof(in->fleet));
	in->healed_lately = 0;
	in->newest = 0;
	if (repair_row_each(d, in->now - LATELY + 1, count_repair, &c, e) < 0)
		return -1;
	failed = chart_failed(d, host, e);
	in->failed_before = failed == 1;
	return failed < 0 ? -1 : 0;
}

/* ---- hosts that suffer alike ---- */

/* The cause, or for a verdict without one its name. */
static const char *cause_of(const struct verdict *v)
{
	return v->cause ? v->cause : v->name;
}

static int end_others(struct db *d, const char *host, const char *cause, struct err *e)
{
	return change(d, "update episodes set over = 1 where host = ? and cause != ? and over = 0", host, cause, e);
}

int chart_episode(struct db *d, int64_t now, const char *host, const struct verdict *v, struct err *e)
{
	struct db_row *r;
	int got;

	if (v->healthy)
		return end_others(d, host, "", e);
	if (v->cause == NULL) /* unknown, or not ours to say: what was known stays */
		return 0;
	if (end_others(d, host, v->cause, e) < 0)
		return -1;
	r = db_prepare(d, "insert into episodes (host, cause, since, over) values (?,?,?,0) on conflict (host, cause) do update set"
		" since = case when over = 1 then excluded.since else since end, over = 0", e);
	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_text(r, 2, v->cause);
	db_bind_int(r, 3, now);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int since_of(struct db *d, const char *host, const char *cause, int64_t *since, struct err *e)
{
	struct db_row *r = db_prepare(d, "select since from episodes where host = ? and cause = ? and over = 0", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_text(r, 2, cause);
	got = db_step(r, e);
	if (got == 1)
		*since = db_int(r, 0);
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int hosts_alike(struct db *d, const char *host, struct policy_input *in, struct err *e)
{
	const char *cause = cause_of(&in->d->verdict);
	int64_t since = in->now; /* not written down yet: it begins now */
	struct db_row *r;
	int got;

	if (since_of(d, host, cause, &since, e) < 0)
		return -1;
	r = db_prepare(d, "select count(*) from episodes where cause = ? and host != ? and since >= ? and since <= ?", e);
	if (r == NULL)
		return -1;
	db_bind_text(r, 1, cause);
	db_bind_text(r, 2, host);
	db_bind_int(r, 3, since - in->config->blast_within);
	db_bind_int(r, 4, since + in->config->blast_within);
	got = db_step(r, e);
	in->alike = 1 + (got == 1 ? (int)db_int(r, 0) : 0);
	db_done(r);
	return got < 0 ? -1 : 0;
}

/* ---- holds and approvals ---- */

bool chart_hold_file(const char *path)
{
	struct os_stat st;

	return path != NULL && os_file.stat(path, -1, &st) != -ENOENT;
}

/* The approval of this very plan that lasts longest. */
static int newest_approval(struct db *d, const char *host, const uint8_t plan_id[32], struct policy_approval *to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select at, until from approvals where host = ? and plan_id = ? and used = 0"
		" order by until desc limit 1", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_blob(r, 2, plan_id, 32);
	got = db_step(r, e);
	*to = (struct policy_approval){.there = got == 1};
	if (got == 1) {
		to->at = db_int(r, 0);
		to->until = db_int(r, 1);
		memcpy(to->plan_id, plan_id, 32);
	}
	db_done(r);
	return got < 0 ? -1 : 0;
}

int chart_policy_input(struct db *d, int64_t now, const char *host, const struct diagnosis *diagnosis, struct policy_input *in,
	struct chart_texts *texts, struct err *e)
{
	int got;

	in->d = diagnosis;
	in->now = now;
	if (repairs_lately(d, host, in, e) < 0 || hosts_alike(d, host, in, e) < 0)
		return -1;
	got = hold_active(d, now, host, &in->held_until, texts->hold, e);
	if (got < 0)
		return -1;
	in->held = got == 1;
	in->held_why = texts->hold;
	in->hold_file = chart_hold_file(in->config->hold_file);
	return newest_approval(d, host, diagnosis->plan.id, &in->approval, e);
}

/* ---- refusals ---- */

static int was_told(struct db *d, int64_t now, const char *host, const char *reason, const uint8_t *plan_id, struct err *e)
{
	struct db_row *r = db_prepare(d, "select 1 from refusals where host = ? and reason = ? and plan_id = ? and"
		" (not_before = 0 or not_before > ?)", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_text(r, 2, reason);
	db_bind_blob(r, 3, plan_id, 32);
	db_bind_int(r, 4, now);
	got = db_step(r, e);
	db_done(r);
	return got;
}

/* A reason without an end of its own has ended when another one is told: should it come back, that is news. */
static int forget_ended(struct db *d, const char *host, const char *but, struct err *e)
{
	return change(d, "delete from refusals where host = ? and not_before = 0 and reason != ?", host, but, e);
}

static int put_told(struct db *d, const char *host, const uint8_t *plan_id, const struct policy_decision *decision, struct err *e)
{
	struct db_row *r = db_prepare(d, "insert or replace into refusals (host, reason, plan_id, not_before) values (?,?,?,?)", e);
	int got;

	if (r == NULL)
		return -1;
	db_bind_text(r, 1, host);
	db_bind_text(r, 2, decision->reason);
	db_bind_blob(r, 3, plan_id, 32);
	db_bind_int(r, 4, decision->not_before);
	got = db_step(r, e);
	db_done(r);
	return got < 0 ? -1 : 0;
}

static int add_refusal(struct db *d, int64_t now, const char *host, int64_t case_id, const char *what, const uint8_t *plan_id,
	const struct policy_decision *decision, struct err *e)
{
	struct json_out o;
	struct buf b;
	char hex[65];
	int r;

	text_hex(hex, plan_id, 32);
	buf_init(&b, 8192);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "verdict", what);
	json_put_str(&o, "plan", hex);
	json_put_str(&o, "reason", decision->reason);
	json_put_str(&o, "why", decision->why);
	json_put_bool(&o, "escalate", decision->escalate);
	json_put_time(&o, "not_before", decision->not_before);
	json_close(&o, '}');
	r = ledger_add(d, now, "refusal", host, case_id, buf_text(&b), e);
	buf_free(&b);
	return r;
}

int chart_refusal(struct db *d, int64_t now, const char *host, int64_t case_id, const char *what, const uint8_t *plan_id,
	const struct policy_decision *decision, struct err *e)
{
	bool own = !db_in_transaction(d);
	int told = was_told(d, now, host, decision->reason, plan_id, e);

	if (told != 0)
		return told < 0 ? -1 : 0;
	if (own && db_begin(d, e) < 0)
		return -1;
	if (add_refusal(d, now, host, case_id, what, plan_id, decision, e) == 0 && put_told(d, host, plan_id, decision, e) == 0 &&
	    forget_ended(d, host, decision->reason, e) == 0 && (!own || db_commit(d, e) == 0))
		return 1;
	if (own)
		db_rollback(d);
	return -1;
}

int chart_refusals_end(struct db *d, const char *host, struct err *e)
{
	return change(d, "delete from refusals where host = ?", host, NULL, e);
}
