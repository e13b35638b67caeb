/* sinks.c - the receivers that there are: one line each.
 *
 * Why: a new receiver is a file with its operations and one line here. Promises: nothing else in the program knows a receiver by name.
 * Refuses nothing; the configuration did. */
#include <stdlib.h>

#include "ship/sink_kinds.h"

static const struct {
	enum sink_kind kind;
	const struct sink_ops *ops;
} kinds[] = {
	{ SINK_FILE, &sink_file_ops },
	{ SINK_SYSLOG, &sink_syslog_ops },
};

struct sink *sink_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files)
{
	struct sink *s = xcalloc(1, sizeof *s);

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].kind == c->kind)
			s->ops = kinds[i].ops;
	if (!s->ops)
		die("a sink of kind %d", c->kind);
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
