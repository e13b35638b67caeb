/* record.c - what watch says of a source, and what the source adds to its records.
 *
 * Why: a receiver for many tenants must know whose a record is, and only who configured the source knows it. Promises: the labels stand in the
 * record itself, so that they are kept with it until it is delivered. Refuses nothing. */
#include "proc/record.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "tls/digest.h"

void record_labels(const char *labels, struct buf *json)
{
	size_t n = json->n;

	if (!*labels)
		return;
	while (n && json->p[n - 1] != '}')
		n--;
	if (!n)
		return;
	json->n = n - 1;
	buf_printf(json, "%s\"labels\":%s}", json->n > 1 ? "," : "", labels);
}

static bool among(const char *const *list, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (text_same(list[i], s))
			return true;
	return !n;
}

bool record_wants(const struct config_source *s, const struct event *ev)
{
	bool found;

	if (!s || !s->forward.on)
		return false;
	found = !s->forward.n_ids;
	for (size_t i = 0; i < s->forward.n_ids && !found; i++)
		found = s->forward.ids[i] == ev->event_id;
	return found && among(s->forward.channels, s->forward.n_channels, ev->channel) &&
		among(s->forward.providers, s->forward.n_providers, ev->provider);
}

void record_malformed(const char *source, int64_t offset, const char *reason, const char *bytes, size_t n, struct buf *json, uint8_t uid[static 32])
{
	struct digest *d = digest_new();
	struct json_out o;

	digest_add_str(d, "malformed");
	digest_add_str(d, source);
	digest_add_int(d, offset);
	digest_add(d, bytes, n);
	digest_finish(d, uid);
	json_begin(&o, json);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "malformed");
	json_put_str(&o, "source", source);
	json_put_int(&o, "offset", offset);
	json_put_str(&o, "reason", reason);
	json_put_strn(&o, "bytes", bytes, n);
	json_close(&o, '}');
}

void record_silence_ended(const struct engine_silence *s, struct buf *json, uint8_t uid[static 32])
{
	struct digest *d = digest_new();
	struct json_out o;

	digest_add_str(d, "silence ended");
	digest_add_int(d, s->id);
	digest_add_int(d, s->since);
	digest_add_str(d, s->rule);
	digest_finish(d, uid);
	json_begin(&o, json);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "silence-ended");
	json_put_int(&o, "silence", s->id);
	json_put_str(&o, "rule", s->rule);
	json_put_str(&o, "title", s->title);
	json_put_str(&o, "host", *s->host ? s->host : NULL);
	json_put_time(&o, "since", s->since);
	json_put_time(&o, "until", s->until);
	json_put_int(&o, "count", (int64_t)s->count);
	json_put_time(&o, "first", s->first);
	json_put_time(&o, "last", s->last);
	json_close(&o, '}');
}
