/* format_ndjson.c - a record as one object of JSON.
 *
 * Why: every SIEM reads it. Promises: the record's own members unchanged and first; labels of the source go before those of the sink.
 * Refuses nothing: records are JSON objects without a newline since the spool took them. */
#include "ship/formats.h"

#include <string.h>

#include "base/text.h"

static int put_label(void *arg, const char *name, const char *value)
{
	json_put_str(arg, name, value);
	return 0;
}

static int put_member(void *arg, const char *key, const struct json *v)
{
	if (!text_same(key, "labels"))
		json_put(arg, key, v);
	return 0;
}

/* What is left of a record that is too large: who it is. */
static void put_short(const struct record_view *v, struct buf *to)
{
	const char *const members[][2] = { { "kind", v->kind }, { "uid", v->uid }, { "time", v->time }, { "host", v->host }, { "level", v->level },
		{ "cause", v->cause } };
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (*members[i][1])
			json_put_strn(&o, members[i][0], members[i][1],
				utf8_cut(members[i][1], strlen(members[i][1]), 64));
	json_put_bool(&o, "truncated", true);
	json_close(&o, '}');
}

static void put_labels(const struct sink_config *c, const struct record_view *v, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_open(&o, "labels", '{');
	view_labels(v, c->labels, c->n_labels, put_label, &o);
	json_close(&o, '}');
	json_close(&o, '}');
}

bool ndjson_as_is(const struct sink_config *c, const struct spool_record *r, struct buf *to)
{
	if ((c->format && c->format->write != format_ndjson) || c->n_labels)
		return false;
	buf_add(to, r->json, r->n);
	return true;
}

void format_ndjson(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	const struct spool_record *r = v->record;
	size_t before = to->n;

	if (!v->json || !c->n_labels) { /* most records: as they are */
		buf_add(to, r->json, r->n);
	} else {
		struct buf labels;

		buf_init(&labels, 1u << 20);
		put_labels(c, v, &labels);
		if (v->labels) {
			struct json_out o;

			json_begin(&o, to);
			json_open(&o, NULL, '{');
			json_each(v->json, put_member, &o);
			json_close(&o, '}');
			to->n--; /* without its last brace */
		} else {
			buf_add(to, r->json, r->n - 1);
		}
		if (to->p[to->n - 1] != '{')
			buf_char(to, ',');
		buf_add(to, labels.p + 1, labels.n - 1);
		buf_free(&labels);
	}
	if (to->n - before <= max)
		return;
	to->n = before;
	put_short(v, to);
}
