/* check_routes.c - routes on which nothing can come.
 *
 * Why: a label with a typing error keeps everything from a receiver, or puts it under another name, and looks like silence. Promises: asks the
 * configuration alone; what a word of it can never meet is told, once for each. Refuses nothing: a source may be added tomorrow. */
#include "cli/check_routes.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "limits.h"
#include "ship/template.h"
#include "ship/view.h"

struct looking {
	const struct config *config;
	void (*say)(void *arg, const char *sink, const char *text);
	void *arg;
};

/* Has a source the label, and with that text (NULL: with any)? */
static bool source_has(const struct config *c, const char *name, const char *value)
{
	bool found = false;

	for (size_t i = 0; i < c->n_sources && !found; i++) {
		struct json *labels = json_parse(c->sources[i].labels, strlen(c->sources[i].labels), NULL);
		const char *has = json_str(json_get(labels, name), NULL);

		found = has && (!value || !strcmp(has, value));
		json_free(labels);
	}
	return found;
}

static void look_at_take(const struct looking *l, const struct sink_config *s)
{
	char text[600], name[LIMIT_LABEL_NAME + 1];
	bool forward = false;

	for (size_t i = 0; i < l->config->n_sources; i++)
		forward = forward || l->config->sources[i].forward.on;
	if (s->take.kinds & 1u << RECORD_EVENT && !forward)
		l->say(l->arg, s->name, "takes events, and no source has `forward`: none will come");
	for (size_t i = 0; i < s->take.n_labels; i++) {
		const char *value = label_split(s->take.labels[i], name);

		if (!value || source_has(l->config, name, value))
			continue;
		snprintf(text, sizeof text, "takes records with the label %s: %.200s, and no source has it: none will come", name, value);
		l->say(l->arg, s->name, text);
	}
}

/* A name that follows the record. */
static void look_at_name(const struct looking *l, const struct sink_config *s, const char *key, const char *at)
{
	char text[400], name[128];

	while (at && template_label(&at, name)) {
		if (label_find(s->labels, s->n_labels, name) || source_has(l->config, name, NULL))
			continue;
		snprintf(text, sizeof text, "%s has {label.%s}, and neither a source nor this sink has such a label: \"none\" will stand there", key, name);
		l->say(l->arg, s->name, text);
	}
}

void check_routes(const struct config *c, void (*say)(void *arg, const char *sink, const char *text), void *arg)
{
	const struct looking l = { c, say, arg };

	for (size_t i = 0; i < c->n_sinks; i++) {
		const struct sink_config *s = &c->sinks[i];

		look_at_take(&l, s);
		if (s->kind == SINK_SPLUNK) {
			look_at_name(&l, s, "index", s->splunk.index);
			look_at_name(&l, s, "sourcetype", s->splunk.sourcetype);
		} else if (s->kind == SINK_ELASTIC) {
			look_at_name(&l, s, "index", s->elastic.index);
		} else if (s->kind == SINK_KAFKA) {
			look_at_name(&l, s, "topic", s->kafka.topic);
		}
	}
}
