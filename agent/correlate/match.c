/* match.c - kept matches.
 *
 * Why: events die with their batch, but correlations and cases speak of them later.
 * Promises: keeps no more than the fields that the rule and the correlations above it name, each cut at MATCH_VALUE_BYTES.
 * Refuses: hosts that are no host names, and the product's "UnKown": then System/Computer stands for the host. */
#include "correlate/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

static struct match *blank(const struct ruleset *rs, const struct rule *r)
{
	const char *const *names;
	size_t n = ruleset_wanted(rs, r, &names);
	struct match *m = xcalloc(1, sizeof *m + n * sizeof m->values[0]);

	m->refs = 1;
	m->rule = r;
	m->names = names;
	m->n = n;
	return m;
}

static bool usable_host(const char *s)
{
	return s && *s && text_host_ok(s) && !text_same(s, "UnKown") && !text_same(s, "Unknown");
}

const char *match_value(const struct match *m, const char *field)
{
	for (size_t i = 0; i < m->n; i++)
		if (text_same(m->names[i], field))
			return m->values[i];
	return NULL;
}

static const char *host_of(const struct ruleset *rs, const struct match *m)
{
	const char *const *fields;
	size_t n = ruleset_hosts(rs, m->rule, &fields);

	for (size_t i = 0; i < n; i++) {
		const char *v = match_value(m, fields[i]);

		if (usable_host(v))
			return v;
	}
	return NULL;
}

/* System/Computer as a host: without the dot that ends a full name. A name that is none still has its finding, of nobody we know. */
static const char *reporting_host(struct strings *pool, const char *computer)
{
	size_t n = strlen(computer);
	const char *s = n > 1 && computer[n - 1] == '.' ? strings_add_n(pool, computer, n - 1) : computer;

	return text_host_ok(s) ? s : strings_add(pool, MATCH_NO_HOST);
}

struct match *match_new(struct strings *pool, const struct ruleset *rs, const struct rule *r, const struct event *ev)
{
	struct match *m = blank(rs, r);
	const char *host;

	for (size_t i = 0; i < m->n; i++) {
		size_t n;
		const char *v = ruleset_value(rs, r, ev, m->names[i], &n);

		m->values[i] = v ? strings_add_n(pool, v, n > MATCH_VALUE_BYTES ? MATCH_VALUE_BYTES : n) : NULL;
	}
	m->time = ev->time;
	m->reporter = strings_add(pool, ev->computer);
	host = host_of(rs, m);
	m->host = host ? host : reporting_host(pool, m->reporter);
	m->channel = strings_add(pool, ev->channel);
	m->provider = strings_add(pool, ev->provider);
	m->source = strings_add(pool, ev->source);
	m->event_id = ev->event_id;
	m->record_id = ev->record_id;
	event_uid(ev, m->uid);
	return m;
}

struct match *match_of_group(const struct ruleset *rs, const struct rule *r, struct match *const *entries, size_t n)
{
	const struct match *last = entries[n - 1];
	const struct correlation *corr = ruleset_correlation(rs, r);
	struct match *m = blank(rs, r);
	const char *host;

	for (size_t i = 0; i < m->n; i++) {
		for (size_t g = 0; g < corr->n_group_by; g++)
			if (text_same(corr->group_by[g], m->names[i]))
				m->values[i] = match_value(last, ruleset_group_field(rs, r, g, last->rule));
		for (size_t e = n; e > 0 && !m->values[i]; e--)
			m->values[i] = match_value(entries[e - 1], m->names[i]);
	}
	m->time = last->time;
	m->reporter = last->reporter;
	host = host_of(rs, m);
	m->host = host ? host : last->host;
	m->channel = last->channel;
	m->provider = last->provider;
	m->source = last->source;
	m->event_id = last->event_id;
	m->record_id = last->record_id;
	memcpy(m->uid, last->uid, sizeof m->uid);
	m->replay = last->replay;
	m->counted = ~0u; /* its events are counted by the finding itself */
	return m;
}

struct match *match_ref(struct match *m)
{
	m->refs++;
	return m;
}

void match_unref(struct match *m)
{
	if (m && --m->refs == 0)
		free(m);
}

size_t match_bytes(const struct match *m)
{
	return sizeof *m + m->n * sizeof m->values[0] + 16;
}

static const char *rule_key(const struct rule *r)
{
	return *r->id ? r->id : r->name;
}

void match_save(const struct match *m, struct json_out *o, const char *key)
{
	char uid[65];

	text_hex(uid, m->uid, sizeof m->uid);
	json_open(o, key, '{');
	json_put_str(o, "rule", rule_key(m->rule));
	json_put_int(o, "time", m->time);
	json_put_str(o, "host", m->host);
	json_put_str(o, "reporter", m->reporter);
	json_put_str(o, "channel", m->channel);
	json_put_str(o, "provider", m->provider);
	json_put_str(o, "source", m->source);
	json_put_int(o, "event_id", m->event_id);
	json_put_int(o, "record_id", (int64_t)m->record_id);
	json_put_str(o, "uid", uid);
	json_put_bool(o, "replay", m->replay);
	json_put_int(o, "counted", m->counted);
	json_open(o, "values", '{');
	for (size_t i = 0; i < m->n; i++)
		if (m->values[i])
			json_put_str(o, m->names[i], m->values[i]);
	json_close(o, '}');
	json_close(o, '}');
}

struct match *match_load(struct strings *pool, const struct ruleset *rs, const struct json *j)
{
	const struct rule *r = ruleset_find(rs, json_str(json_get(j, "rule"), ""));
	const char *uid = json_str(json_get(j, "uid"), "");
	const struct json *values = json_get(j, "values");
	struct match *m;

	if (!r)
		return NULL;
	m = blank(rs, r);
	if (!text_unhex(m->uid, sizeof m->uid, uid, strlen(uid))) {
		free(m);
		return NULL;
	}
	for (size_t i = 0; i < m->n; i++)
		m->values[i] = strings_add(pool, json_str(json_get(values, m->names[i]), NULL));
	m->time = json_int(json_get(j, "time"), 0);
	m->host = strings_add(pool, json_str(json_get(j, "host"), ""));
	m->reporter = strings_add(pool, json_str(json_get(j, "reporter"), ""));
	m->channel = strings_add(pool, json_str(json_get(j, "channel"), ""));
	m->provider = strings_add(pool, json_str(json_get(j, "provider"), ""));
	m->source = strings_add(pool, json_str(json_get(j, "source"), ""));
	m->event_id = (uint32_t)json_int(json_get(j, "event_id"), 0);
	m->record_id = (uint64_t)json_int(json_get(j, "record_id"), 0);
	m->replay = json_bool(json_get(j, "replay"), false);
	m->counted = (unsigned)json_int(json_get(j, "counted"), 0);
	return m;
}
