/* view.c - reads a record once for whoever writes it.
 *
 * Why: six formats want the same members, and a tree for each of them would be read six times. Promises: every text is there, if only
 * as ""; a record without a tree still has uid, kind and time. Refuses nothing. */
#include "ship/view.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "limits.h"

static const char *member(const struct json *j, const char *key)
{
	return json_str(json_get(j, key), "");
}

void view_open(struct record_view *v, const struct spool_record *r)
{
	const struct json *rule;
	const char *when;

	*v = (struct record_view){ .record = r, .kind = record_kind_text(r->kind) };
	v->json = json_parse(r->json, r->n, NULL);
	text_hex(v->uid, r->uid, sizeof r->uid);
	when = member(v->json, "time");
	if (*when && strlen(when) < sizeof v->time)
		text_copy(v->time, sizeof v->time, when);
	else
		time_text(r->time, v->time);
	rule = json_get(v->json, "rule");
	v->host = member(v->json, "host");
	v->cause = member(v->json, "cause");
	v->level = member(v->json, "level");
	v->rule = member(rule, "id");
	v->title = member(rule, "title");
	v->labels = json_get(v->json, "labels");
}

void view_close(struct record_view *v)
{
	json_free(v->json);
	v->json = NULL;
}

const char *label_split(const char *label, char name[static LIMIT_LABEL_NAME + 1])
{
	const char *eq = strchr(label, '=');
	size_t n = eq ? (size_t)(eq - label) : 0;

	if (!n || n > LIMIT_LABEL_NAME)
		return NULL;
	memcpy(name, label, n);
	name[n] = '\0';
	return eq + 1;
}

const char *label_find(const char *const *labels, size_t n, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!strncmp(labels[i], name, len) && labels[i][len] == '=')
			return labels[i] + len + 1;
	return NULL;
}

struct walk {
	int (*each)(void *arg, const char *name, const char *value);
	void *arg;
};

static int own_label(void *arg, const char *name, const struct json *value)
{
	const struct walk *w = arg;

	return json_is_string(value) ? w->each(w->arg, name, json_str(value, "")) : 0;
}

int view_labels(const struct record_view *v, const char *const *labels, size_t n, int (*each)(void *arg, const char *name, const char *value),
	void *arg)
{
	struct walk w = { each, arg };
	int end = json_is_object(v->labels) ? json_each(v->labels, own_label, &w) : 0;

	for (size_t i = 0; i < n && !end; i++) {
		char name[LIMIT_LABEL_NAME + 1];
		const char *value = label_split(labels[i], name);

		if (value && !json_is_string(json_get(v->labels, name)))
			end = each(arg, name, value);
	}
	return end;
}

const char *view_label(const struct record_view *v, const char *const *labels, size_t n, const char *name)
{
	const char *own = json_str(json_get(v->labels, name), NULL);

	return own ? own : label_find(labels, n, name);
}
