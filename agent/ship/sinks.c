/* sinks.c - the receivers that there are: one line each.
 *
 * Why: a new receiver is a file with its operations and one line here. Promises: nothing else in the program knows a receiver by name.
 * Refuses nothing; the configuration did. */
#include <stdlib.h>

#include "ship/sink_kinds.h"

static const struct {
	const char *name;
	const struct sink_ops *ops;
} kinds[SINK_KINDS] = {
	[SINK_FILE] = { "file", &sink_file_ops },
	[SINK_SYSLOG] = { "syslog", &sink_syslog_ops },
	[SINK_SPLUNK] = { "splunk", &sink_splunk_ops },
	[SINK_ELASTIC] = { "elastic", &sink_elastic_ops },
	[SINK_KAFKA] = { "kafka", &sink_kafka_ops },
	[SINK_OTLP] = { "otlp", &sink_otlp_ops },
	[SINK_WEBHOOK] = { "webhook", &sink_webhook_ops },
};

const char *sink_kind_text(int kind)
{
	return kind >= 0 && kind < SINK_KINDS ? kinds[kind].name : "?";
}

struct sink *sink_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files)
{
	struct sink *s = xcalloc(1, sizeof *s);

	s->ops = kinds[c->kind].ops;
	s->config = c;
	s->clock = clock;
	s->files = files;
	return s;
}

void sink_free(struct sink *s)
{
	if (!s)
		return;
	s->ops->close(s);
	free(s);
}
