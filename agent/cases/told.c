/* told.c - findings before they are told.
 *
 * Why: a finding's uid is settled when it arises, its words only when it is sent.
 * Promises: the uid depends on rule and event (or rule, group and first time) alone, not on the order of files.
 * Refuses: nothing. */
#include "cases/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cases/hint.h"
#include "tls/digest.h"

static const char *rule_key(const struct rule *r)
{
	return *r->id ? r->id : r->name;
}

struct told *told_of_match(struct match *m)
{
	struct told *t = xcalloc(1, sizeof *t);
	uint8_t uid[32];

	match_uid(m, uid);
	finding_uid(m->rule, uid, t->uid);
	t->rule = m->rule;
	t->match = match_ref(m);
	t->count = 1;
	t->time = t->first = t->last = m->time;
	return t;
}

struct told *told_of_group(const struct fired *f)
{
	struct told *t = xcalloc(1, sizeof *t);
	struct digest *d = digest_new();

	digest_add_str(d, rule_key(f->rule));
	digest_add_str(d, f->key);
	digest_add_int(d, f->first);
	digest_finish(d, t->uid);
	t->rule = f->rule;
	t->match = match_ref(f->match);
	t->n_entries = f->n > FINDING_EVIDENCE ? FINDING_EVIDENCE : f->n;
	t->entries = xcalloc(t->n_entries, sizeof(struct match *));
	for (size_t i = 0; i < t->n_entries; i++)
		t->entries[i] = match_ref(f->entries[i]);
	t->count = f->events;
	t->first = f->first;
	t->time = t->last = f->last;
	return t;
}

void told_free(struct told *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_entries; i++)
		match_unref(t->entries[i]);
	free(t->entries);
	match_unref(t->match);
	free(t);
}

size_t told_bytes(const struct told *t)
{
	size_t bytes = sizeof *t + match_bytes(t->match) + (t->entries ? FINDING_EVIDENCE * sizeof(struct match *) : 0);

	for (size_t i = 0; t->entries && i < t->n_entries; i++)
		bytes += match_bytes(t->entries[i]);
	return bytes;
}

void told_renew(struct told *t, struct strings *pool)
{
	match_renew(t->match, pool);
	for (size_t i = 0; i < t->n_entries; i++)
		match_renew(t->entries[i], pool);
}

static void put_evidence(struct finding *f, const struct match *m)
{
	struct evidence *ev = &f->evidence[f->n_evidence++];

	match_uid(m, ev->event_uid);
	ev->channel = m->origin->channel;
	ev->provider = m->origin->provider;
	ev->source = m->origin->source;
	ev->event_id = m->origin->event_id;
	ev->record_id = m->record_id;
	ev->time = m->time;
}

void told_finding(const struct told *t, struct finding *f, struct buf *to)
{
	const struct match *m = t->match;

	memset(f, 0, sizeof *f);
	memcpy(f->uid, t->uid, sizeof f->uid);
	f->rule = t->rule;
	f->time = t->time;
	f->first = t->first;
	f->last = t->last;
	f->host = m->host;
	f->reported_by = m->reporter;
	f->replay = m->replay;
	f->count = t->count;
	if (t->rule->hint) {
		buf_reset(to);
		hint_fill(t->rule->hint, m, t->count, to);
		f->hint = buf_text(to);
	}
	for (size_t i = 0; i < t->n_entries; i++)
		put_evidence(f, t->entries[i]);
	if (!t->n_entries)
		put_evidence(f, m);
	f->has_thumbprint = hint_thumbprint(m, f->thumbprint);
	f->port = hint_port(m);
}

void told_save(const struct told *t, struct json_out *o, const char *key)
{
	char uid[65];

	text_hex(uid, t->uid, sizeof t->uid);
	json_open(o, key, '{');
	json_put_str(o, "uid", uid);
	json_put_int(o, "count", (int64_t)t->count);
	json_put_int(o, "time", t->time);
	json_put_int(o, "first", t->first);
	json_put_int(o, "last", t->last);
	match_save(t->match, o, "match");
	json_open(o, "entries", '[');
	for (size_t i = 0; i < t->n_entries; i++)
		match_save(t->entries[i], o, NULL);
	json_close(o, ']');
	json_close(o, '}');
}

struct told *told_load(struct strings *pool, const struct ruleset *rs, const struct json *j)
{
	const char *uid = json_str(json_get(j, "uid"), "");
	struct match *m = match_load(pool, rs, json_get(j, "match"));
	const struct json *entries = json_get(j, "entries");
	struct told *t;

	if (!m)
		return NULL;
	t = xcalloc(1, sizeof *t);
	t->match = m;
	t->rule = m->rule;
	if (!text_unhex(t->uid, sizeof t->uid, uid, strlen(uid))) {
		told_free(t);
		return NULL;
	}
	t->count = (uint64_t)json_int(json_get(j, "count"), 1);
	t->time = json_int(json_get(j, "time"), 0);
	t->first = json_int(json_get(j, "first"), 0);
	t->last = json_int(json_get(j, "last"), 0);
	t->entries = xcalloc(FINDING_EVIDENCE, sizeof(struct match *));
	for (size_t i = 0; i < json_len(entries) && i < FINDING_EVIDENCE; i++) {
		struct match *e = match_load(pool, rs, json_at(entries, i));

		if (e)
			t->entries[t->n_entries++] = e;
	}
	return t;
}
