/* format_ndjson.c - a record as one line of JSON.
 *
 * Why: every SIEM reads it. Promises: one object, one newline, the record's own members unchanged and first. Refuses nothing: records
 * are JSON objects without a newline since the spool took them. */
#include "ship/formats.h"

#include <string.h>

#include "base/json.h"

void format_ndjson(const struct sink_config *c, const struct spool_record *r, struct buf *to)
{
	struct buf labels;
	struct json_out o;

	if (!c->n_labels || r->n < 2) {
		buf_add(to, r->json, r->n);
		buf_char(to, '\n');
		return;
	}
	buf_init(&labels, 64u << 10);
	json_begin(&o, &labels);
	json_open(&o, NULL, '{');
	for (size_t i = 0; i < c->n_labels; i++) {
		const char *eq = strchr(c->labels[i], '=');
		char name[128];
		size_t n = eq ? (size_t)(eq - c->labels[i]) : 0;

		if (!n || n >= sizeof name)
			continue;
		memcpy(name, c->labels[i], n);
		name[n] = '\0';
		json_put_str(&o, name, eq + 1);
	}
	json_close(&o, '}');
	buf_add(to, r->json, r->n - 1); /* without its last brace */
	buf_str(to, r->n > 2 ? ",\"labels\":" : "\"labels\":");
	buf_add(to, labels.p, labels.n);
	buf_str(to, "}\n");
	buf_free(&labels);
}
