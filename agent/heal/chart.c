/* chart.c - cases of one host move together.
 *
 * Exists because one look at a host answers all its open cases. Promises that a case that asks for nothing is never moved by a
 * diagnosis. Refuses nothing. */
#include "heal/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "heal/ledger.h"

#define CASES_MAX 256

struct ids {
	int64_t id[CASES_MAX];
	size_t n;
};

static int collect(void *arg, const struct heal_case *c)
{
	struct ids *to = arg;

	if (c->asks && to->n < CASES_MAX)
		to->id[to->n++] = c->id;
	return 0;
}

/* failed: so did the last repair of the host. Returns the case's new state. */
static enum case_state enter(struct heal_case *c, const struct chart_entry *entry, bool failed)
{
	const struct diagnosis *d = entry->d;
	bool called = entry->keep_call && failed && c->state == CASE_ESCALATED;
	const char *advice = entry->advice ? entry->advice : called ? entry->text : NULL;

	if (d != NULL) {
		text_copy(c->verdict, sizeof(c->verdict), d->verdict.name);
		c->has_plan = d->plan.n != 0;
		memcpy(c->plan_id, d->plan.id, 32);
		if (!called)
			diagnosis_text(d, c->text, sizeof(c->text));
		diagnosis_advice(d, NULL, c->advice, sizeof(c->advice));
	}
	if (entry->text != NULL && !called)
		text_copy(c->text, sizeof(c->text), entry->text);
	if (advice != NULL)
		text_copy(c->advice, sizeof(c->advice), advice);
	c->has_plan = c->has_plan && !entry->plan_done;
	c->approval_until = entry->approval_until;
	c->not_before = entry->not_before;
	return called ? CASE_ESCALATED : entry->state;
}

static int move(struct db *d, int64_t now, const char *host, const struct ids *ids, const struct chart_entry *entry, struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int failed = entry->keep_call ? chart_failed(d, host, e) : 0, r = failed < 0 ? -1 : 0;

	for (size_t i = 0; r == 0 && i < ids->n; i++) {
		r = case_store_get(d, ids->id[i], c, e) < 0 ? -1 : 0;
		if (r == 0)
			r = case_store_state(d, now, c, enter(c, entry, failed == 1), e);
	}
	free(c);
	return r;
}

int chart_cases(struct db *d, int64_t now, const char *host, const struct chart_entry *entry, struct err *e)
{
	struct ids ids = {.n = 0};
	bool own = !db_in_transaction(d);

	if (own && db_begin(d, e) < 0)
		return -1;
	if (case_store_each(d, host, true, collect, &ids, e) == 0 && move(d, now, host, &ids, entry, e) == 0)
		return own ? db_commit(d, e) : 0;
	if (own)
		db_rollback(d);
	return -1;
}

struct seen {
	const char *host;
	struct suspicion *to;
	int64_t case_id;
};

static int add_seen(void *arg, const struct heal_case *c)
{
	struct seen *s = arg;

	if (strcmp(c->host, s->host) != 0) {
		s->to->remote = s->to->remote || strcmp(c->reported_by, s->host) == 0;
		return 0;
	}
	s->to->seen |= c->seen;
	if (c->has_thumbprint && !s->to->has_thumbprint) {
		s->to->has_thumbprint = true;
		memcpy(s->to->thumbprint, c->thumbprint, 20);
		s->to->port = c->port;
	}
	if (c->asks && s->case_id == 0)
		s->case_id = c->id;
	return 0;
}

int chart_suspicion(struct db *d, const char *host, struct suspicion *to, int64_t *case_id, struct err *e)
{
	struct seen s = {.host = host, .to = to};
	int r;

	memset(to, 0, sizeof(*to));
	r = case_store_each(d, NULL, true, add_seen, &s, e);
	if (case_id != NULL)
		*case_id = s.case_id;
	return r;
}

int chart_own_case(struct db *d, int64_t now, const char *host, const char *cause, const struct chart_entry *entry, int64_t *id,
	struct err *e)
{
	struct heal_case *c = xcalloc(1, sizeof(*c));
	int index = case_cause_index(cause);
	int r = index < 0 ? err_set(e, ERR_INTERNAL, "there is no cause '%s'", cause) : case_store_open_of(d, host, index, c, e);

	if (r == 0) {
		text_copy(c->host, sizeof(c->host), host);
		c->cause = index;
		c->opened = c->updated = c->first = c->last = now;
		c->confidence = LEVEL_HIGH;
	}
	c->asks = true;
	if (r == 0)
		r = case_store_put(d, c, e);
	*id = c->id;
	if (r >= 0)
		r = case_store_state(d, now, c, enter(c, entry, false), e);
	free(c);
	return r;
}

/* The record, and since when the host has this trouble: both or neither. */
static int add_diagnosis(struct db *d, int64_t now, const char *host, int64_t case_id, const struct verdict *v, const char *body,
	struct err *e)
{
	bool own = !db_in_transaction(d);

	if (own && db_begin(d, e) < 0)
		return -1;
	if (ledger_add(d, now, "diagnosis", host, case_id, body, e) == 0 && chart_episode(d, now, host, v, e) == 0)
		return own ? db_commit(d, e) : 0;
	if (own)
		db_rollback(d);
	return -1;
}

int chart_diagnosis(struct db *d, int64_t now, const char *host, int64_t case_id, const struct diagnosis *diagnosis, struct err *e)
{
	struct json_out o;
	struct buf b;
	int r;

	buf_init(&b, 200u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	diagnosis_json(&o, diagnosis);
	json_close(&o, '}');
	r = add_diagnosis(d, now, host, case_id, &diagnosis->verdict, buf_text(&b), e);
	buf_free(&b);
	return r;
}

int chart_plan(struct db *d, const char *host, const uint8_t plan_id[32], struct json **to, struct err *e)
{
	struct db_row *r = db_prepare(d, "select body from ledger where kind = 'diagnosis' and host = ? order by seq desc", e);
	char hex[65];
	int got = -1;

	*to = NULL;
	text_hex(hex, plan_id, 32);
	if (r != NULL)
		db_bind_text(r, 1, host);
	while (r != NULL && *to == NULL && (got = db_step(r, e)) == 1) {
		const char *body = db_text(r, 0);
		struct json *j = json_parse(body, strlen(body), e);

		if (strcmp(json_str(json_get(json_get(j, "plan"), "id"), ""), hex) == 0)
			*to = j;
		else
			json_free(j);
	}
	db_done(r);
	return got;
}
