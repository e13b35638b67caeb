/* source.c - the list of source kinds, and what is the same for all of them.
 *
 * A new kind is a file with a struct source_kind_row and one line in `rows`. */
#include "source/source.h"

#include <stdlib.h>

#include "source/kinds.h"

static const struct source_kind_row *const rows[] = {
	&source_file_row,
	&source_stdin_row,
	&source_follow_row,
};

static const struct source_kind_row *row_of(enum source_kind kind)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i]->kind == kind)
			return rows[i];
	die("a source of unknown kind %d", (int)kind);
}

struct source *source_new(const struct source_options *options)
{
	const struct source_kind_row *row = row_of(options->kind);
	struct source *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	s->ops = row->ops;
	s->self = row->make(options);
	return s;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	s->ops->close(s);
	free(s->self);
	free(s);
}

void source_position(const struct source *s, const char *partition, int64_t offset, char *to, size_t n)
{
	if (n)
		to[0] = '\0';
	row_of(s->options.kind)->position(s, partition, offset, to, n);
}

void source_resume(struct source *s, const char *partition, const char *position)
{
	row_of(s->options.kind)->resume(s, partition, position);
}
