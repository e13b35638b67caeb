/* match.c - kept matches.
 *
 * Why: events die with their batch, but correlations and cases speak of them later.
 * Promises: keeps no more than the fields that the rule and the correlations above it name, each cut at MATCH_VALUE_BYTES; values
 * that differ after case folding stay different.
 * Refuses: hosts that are no host names, and the product's "UnKown": then System/Computer stands for the host. */
#include "correlate/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "rules/fold.h"
#include "tls/digest.h"

#define UID 32
#define CUT_BYTES (sizeof MATCH_CUT - 1 + MATCH_CUT_DIGITS)

struct match *match_build(struct origin *o, const char *const *values, const size_t *n, const uint8_t *uid)
{
	size_t head = sizeof(struct match) + o->n * sizeof(uint16_t), bytes = head;
	struct match *m;

	for (size_t i = 0; i < o->n; i++)
		bytes += values[i] ? (n[i] > MATCH_VALUE_BYTES ? MATCH_VALUE_BYTES : n[i]) + 1 : 0;
	if (bytes > MATCH_BYTES)
		bytes = MATCH_BYTES;
	m = xcalloc(1, bytes + (uid ? UID : 0));
	m->refs = 1;
	m->rule = o->rule;
	m->origin = o;
	bytes = head;
	for (size_t i = 0; i < o->n; i++) {
		size_t len = n[i] > MATCH_VALUE_BYTES ? MATCH_VALUE_BYTES : n[i];

		if (!values[i] || bytes + len + 1 > MATCH_BYTES)
			continue;
		memcpy((char *)m + bytes, values[i], len);
		m->at[i] = (uint16_t)bytes;
		bytes += len + 1;
	}
	if (uid)
		memcpy((char *)m + bytes, uid, UID);
	m->own_uid = uid;
	m->bytes = (uint16_t)(bytes + (uid ? UID : 0));
	return m;
}

static const uint8_t *own_uid(const struct match *m)
{
	return m->own_uid ? (const uint8_t *)m + m->bytes - UID : NULL;
}

void match_uid(const struct match *m, uint8_t to[static 32])
{
	if (m->own_uid)
		memcpy(to, own_uid(m), UID);
	else
		event_place_uid(m->origin->computer, m->origin->channel, m->record_id, m->time, to);
}

int match_by_event(const struct match *a, const struct match *b)
{
	int o;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if ((o = strcmp(a->origin->channel, b->origin->channel)) != 0)
		return o;
	if (a->record_id != b->record_id)
		return a->record_id < b->record_id ? -1 : 1;
	if ((o = strcmp(a->origin->computer, b->origin->computer)) != 0)
		return o;
	return a->own_uid != b->own_uid ? a->own_uid - b->own_uid : a->own_uid ? memcmp(own_uid(a), own_uid(b), UID) : 0;
}

bool match_same_event(const struct match *a, const struct match *b)
{
	return a->record_id == b->record_id && match_by_event(a, b) == 0;
}

static bool usable_host(const char *s)
{
	return s && *s && text_host_ok(s) && !text_same(s, "UnKown") && !text_same(s, "Unknown");
}

const char *match_slot(const struct match *m, size_t i)
{
	return m->at[i] ? (const char *)m + m->at[i] : NULL;
}

const char *match_value(const struct match *m, const char *field)
{
	for (size_t i = 0; i < m->origin->n; i++)
		if (text_same(m->origin->names[i], field))
			return match_slot(m, i);
	return NULL;
}

static const char *named_host(struct strings *pool, const struct ruleset *rs, const struct match *m, const char *otherwise)
{
	const char *const *fields;
	size_t n = ruleset_hosts(rs, m->rule, &fields);

	for (size_t i = 0; i < n; i++) {
		const char *v = match_value(m, fields[i]);

		if (usable_host(v))
			return strings_add(pool, v);
	}
	return otherwise;
}

static bool looks_cut(const char *v, size_t n)
{
	return n >= CUT_BYTES && memcmp(v + n - CUT_BYTES, MATCH_CUT, sizeof MATCH_CUT - 1) == 0;
}

/* The beginning of v and a digest of the whole, in the arena. */
static const char *shortened(struct arena *a, const char *v, size_t *n)
{
	char *folded = arena_room(a, *n + *n / 2 + 4), digits[65];
	size_t keep = *n > MATCH_VALUE_BYTES - CUT_BYTES ? MATCH_VALUE_BYTES - CUT_BYTES : *n;
	uint8_t digest[32];
	bool high;

	digest_sha256(folded, fold_text(folded, v, *n, &high), digest);
	text_hex(digits, digest, MATCH_CUT_DIGITS / 2);
	while (keep && keep < *n && ((unsigned char)v[keep] & 0xC0) == 0x80)
		keep--;
	*n = keep + CUT_BYTES;
	return arena_printf(a, "%.*s" MATCH_CUT "%s", (int)keep, v, digits);
}

/* NULL: nothing was too long. */
static struct arena *shorten(const char **values, size_t *n, size_t many)
{
	struct arena *a = NULL;

	for (size_t i = 0; i < many; i++)
		if (values[i] && (n[i] > MATCH_VALUE_BYTES || looks_cut(values[i], n[i]))) {
			a = a ? a : arena_new(4096);
			values[i] = shortened(a, values[i], &n[i]);
		}
	return a;
}

struct match *match_new(struct strings *pool, const struct ruleset *rs, const struct rule *r, const struct event *ev)
{
	struct origin *o = origin_of(pool, rs, r, ev->event_id, ev->computer, ev->channel, ev->provider, ev->source);
	const char *values[RULE_WANTS];
	size_t n[RULE_WANTS];
	bool place = event_has_place(ev);
	struct arena *cut;
	struct match *m;
	uint8_t uid[UID];

	if (!place)
		event_uid(ev, uid);
	ruleset_wanted_values(rs, r, ev, values, n);
	cut = shorten(values, n, o->n);
	m = match_build(o, values, n, place ? NULL : uid);
	arena_free(cut);
	m->time = ev->time;
	m->reporter = o->computer;
	m->host = named_host(pool, rs, m, o->host);
	m->record_id = ev->record_id;
	return m;
}

static bool groups_by(const struct correlation *corr, const char *name)
{
	for (size_t g = 0; g < corr->n_group_by; g++)
		if (text_same(corr->group_by[g], name))
			return true;
	return false;
}

struct match *match_of_group(struct strings *pool, const struct ruleset *rs, const struct rule *r, struct match *const *entries, size_t n)
{
	const struct match *last = entries[n - 1], *first = entries[0];
	const struct origin *lo = last->origin;
	struct origin *o = origin_of(pool, rs, r, lo->event_id, lo->computer, lo->channel, lo->provider, lo->source);
	const char *values[RULE_WANTS];
	size_t len[RULE_WANTS];
	struct match *m;

	for (size_t i = 0; i < o->n; i++) {
		const char *name = o->names[i];

		values[i] = groups_by(ruleset_correlation(rs, r), name) ? match_value(first, ruleset_alias(rs, r, name, first->rule)) : NULL;
		for (size_t e = n; e > 0 && !values[i]; e--)
			values[i] = match_value(entries[e - 1], ruleset_alias(rs, r, name, entries[e - 1]->rule));
		len[i] = values[i] ? strlen(values[i]) : 0;
	}
	m = match_build(o, values, len, own_uid(last));
	m->time = last->time;
	m->reporter = last->reporter;
	m->host = named_host(pool, rs, m, last->host);
	m->record_id = last->record_id;
	m->replay = last->replay;
	m->counted = UINT8_MAX; /* its events are counted by the finding itself */
	return m;
}

struct match *match_ref(struct match *m)
{
	m->refs++;
	return m;
}

void match_unref(struct match *m)
{
	if (!m || --m->refs > 0)
		return;
	origin_unref(m->origin);
	free(m);
}

void match_renew(struct match *m, struct strings *pool)
{
	if (!m)
		return;
	m->host = strings_add(pool, m->host);
	m->reporter = strings_add(pool, m->reporter);
}

/* As the heap cuts it. */
size_t match_bytes(const struct match *m)
{
	return (m->bytes + 8u + 15u) & ~(size_t)15;
}

static const char *rule_key(const struct rule *r)
{
	return *r->id ? r->id : r->name;
}

void match_save(const struct match *m, struct json_out *o, const char *key)
{
	char uid[65];

	if (m->own_uid)
		text_hex(uid, own_uid(m), UID);
	json_open(o, key, '{');
	json_put_str(o, "rule", rule_key(m->rule));
	json_put_int(o, "time", m->time);
	json_put_str(o, "host", m->host);
	json_put_str(o, "reporter", m->reporter);
	json_put_str(o, "channel", m->origin->channel);
	json_put_str(o, "provider", m->origin->provider);
	json_put_str(o, "source", m->origin->source);
	json_put_int(o, "event_id", m->origin->event_id);
	json_put_int(o, "record_id", (int64_t)m->record_id);
	json_put_str(o, "uid", m->own_uid ? uid : NULL);
	json_put_bool(o, "replay", m->replay);
	json_put_int(o, "counted", m->counted);
	json_open(o, "values", '{');
	for (size_t i = 0; i < m->origin->n; i++)
		if (m->at[i])
			json_put_str(o, m->origin->names[i], match_slot(m, i));
	json_close(o, '}');
	json_close(o, '}');
}

struct match *match_load(struct strings *pool, const struct ruleset *rs, const struct json *j)
{
	const struct rule *r = ruleset_find(rs, json_str(json_get(j, "rule"), ""));
	const char *uid = json_str(json_get(j, "uid"), NULL); /* null: the event has a place */
	const struct json *values = json_get(j, "values");
	const char *computer = json_str(json_get(j, "reporter"), ""), *texts[RULE_WANTS] = {NULL};
	size_t n[RULE_WANTS] = {0};
	struct origin *o;
	struct match *m;
	uint8_t raw[32];

	if (!r || (uid && !text_unhex(raw, sizeof raw, uid, strlen(uid))))
		return NULL;
	o = origin_of(pool, rs, r, (uint32_t)json_int(json_get(j, "event_id"), 0), computer, json_str(json_get(j, "channel"), ""),
		json_str(json_get(j, "provider"), ""), json_str(json_get(j, "source"), ""));
	for (size_t i = 0; i < o->n; i++) {
		texts[i] = json_str(json_get(values, o->names[i]), NULL);
		n[i] = texts[i] ? strlen(texts[i]) : 0;
	}
	m = match_build(o, texts, n, uid ? raw : NULL);
	m->time = json_int(json_get(j, "time"), 0);
	m->host = strings_add(pool, json_str(json_get(j, "host"), ""));
	m->reporter = strings_add(pool, computer);
	m->record_id = (uint64_t)json_int(json_get(j, "record_id"), 0);
	m->replay = json_bool(json_get(j, "replay"), false);
	m->counted = (uint8_t)json_int(json_get(j, "counted"), 0);
	return m;
}
