/* record.c - what a source adds to its records.
 *
 * Why: a receiver for many tenants must know whose a record is, and only who configured the source knows it. Promises: the labels stand in the
 * record itself, so that they are kept with it until it is delivered. Refuses nothing. */
#include "proc/record.h"

#include <string.h>

#include "base/json.h"

void record_labels(const struct config_source *s, struct buf *json)
{
	size_t n = json->n;
	struct json_out o;

	if (!s || !s->n_labels)
		return;
	while (n && json->p[n - 1] != '}')
		n--;
	if (!n)
		return;
	json->n = n - 1;
	json_begin(&o, json);
	o.need_comma = json->n > 1;
	json_open(&o, "labels", '{');
	for (size_t i = 0; i < s->n_labels; i++) {
		const char *equals = strchr(s->labels[i], '=');
		char name[256];
		size_t k = (size_t)(equals - s->labels[i]);

		if (k >= sizeof name)
			continue;
		memcpy(name, s->labels[i], k);
		name[k] = '\0';
		json_put_str(&o, name, equals + 1);
	}
	json_close(&o, '}');
	buf_char(json, '}');
}
