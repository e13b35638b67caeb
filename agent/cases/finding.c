/* finding.c - findings as the JSON lines that programs rely on.
 *
 * Why: one writer for scan, run and the spool, so that a finding looks the same everywhere.
 * Promises: one line, every member always there (null when unknown), evidence of at most FINDING_EVIDENCE events.
 * Refuses: nothing. */
#include "cases/finding.h"

#include "base/json.h"
#include "base/text.h"
#include "tls/digest.h"

static void put_text(struct json_out *o, const char *key, const char *value)
{
	if (value && *value)
		json_put_str(o, key, value);
	else
		json_put_null(o, key);
}

static void put_evidence(struct json_out *o, const struct evidence *ev)
{
	json_open(o, NULL, '{');
	json_put_str(o, "channel", ev->channel);
	json_put_str(o, "provider", ev->provider);
	json_put_int(o, "event_id", ev->event_id);
	if (ev->record_id)
		json_put_int(o, "record_id", (int64_t)ev->record_id);
	else
		json_put_null(o, "record_id");
	json_put_time(o, "time", ev->time);
	json_put_str(o, "source", ev->source);
	json_close(o, '}');
}

void finding_uid(const struct rule *r, const uint8_t event[static 32], uint8_t to[static 32])
{
	struct digest *d = digest_new();

	digest_add_str(d, *r->id ? r->id : r->name);
	digest_add(d, event, 32);
	digest_finish(d, to);
}

void finding_json(const struct finding *f, struct buf *to)
{
	const struct rule *r = f->rule;
	struct json_out o;
	char uid[65];

	text_hex(uid, f->uid, sizeof f->uid);
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "finding");
	json_put_str(&o, "uid", uid);
	json_put_time(&o, "time", f->time);
	json_put_bool(&o, "replay", f->replay);
	json_put_str(&o, "host", f->host);
	put_text(&o, "reported_by", f->reported_by);
	json_put_str(&o, "level", level_text(r->level));
	json_open(&o, "rule", '{');
	json_put_str(&o, "id", r->id);
	json_put_str(&o, "name", r->name);
	json_put_str(&o, "title", r->title);
	json_open(&o, "tags", '[');
	for (size_t i = 0; i < r->n_tags; i++)
		json_put_str(&o, NULL, r->tags[i]);
	json_close(&o, ']');
	json_close(&o, '}');
	put_text(&o, "cause", r->cause);
	put_text(&o, "hint", f->hint);
	json_put_int(&o, "count", (int64_t)f->count);
	json_put_time(&o, "first", f->first);
	json_put_time(&o, "last", f->last);
	json_open(&o, "evidence", '[');
	for (size_t i = 0; i < f->n_evidence; i++)
		put_evidence(&o, &f->evidence[i]);
	json_close(&o, ']');
	json_close(&o, '}');
	buf_char(to, '\n');
}
