/* config_source.c - reads the sources of the configuration, and knows which of them a stream of bytes belongs to.
 *
 * Why: what comes from a source carries its labels to the receivers, also when it is told long after it was read. Promises: each key is checked, as
 * everywhere in the configuration. Refuses: kinds that are not built yet, by name. */
#include <string.h>

#include "base/text.h"
#include "proc/config_inside.h"

int read_source(struct reader *r, node n, void *item)
{
	static const char *const known[] = { "name", "kind", "path", "labels", NULL };
	struct config_source *s = item;
	const char *kind = "follow", *path = NULL;

	if (read_map(r, n, "a source", known) < 0 || read_text(r, n, "name", &s->name) < 0 || read_text(r, n, "kind", &kind) < 0 ||
		read_text(r, n, "path", &path) < 0)
		return -1;
	if (!s->name)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a source needs a name");
	if (read_labels(r, yaml_get(n, "labels"), &s->labels, &s->n_labels) < 0)
		return -1;
	if (!strcmp(kind, "follow"))
		s->kind = SOURCE_FOLLOW;
	else if (!strcmp(kind, "file"))
		s->kind = SOURCE_FILE;
	else if (!strcmp(kind, "stdin"))
		s->kind = SOURCE_STDIN;
	else if (!strcmp(kind, "wef") || !strcmp(kind, "winlog") || !strcmp(kind, "kafka"))
		return yaml_err(r->f, yaml_get(n, "kind"), r->e, ERR_USAGE, "the source kind '%s' is not built yet; use follow, file or stdin", kind);
	else
		return yaml_err(r->f, yaml_get(n, "kind"), r->e, ERR_USAGE, "unknown source kind '%s'; write follow, file or stdin", kind);
	if ((s->kind == SOURCE_STDIN) != !path)
		return yaml_err(r->f, n, r->e, ERR_USAGE, s->kind == SOURCE_STDIN ? "stdin takes no path" : "the source '%s' needs a path", s->name);
	s->path = read_path(r, path);
	return 0;
}

const struct config_source *config_source_of(const struct config *c, const char *partition)
{
	const struct config_source *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < c->n_sources; i++) {
		const char *path = c->sources[i].path ? c->sources[i].path : "-";
		size_t n = strlen(path);

		if (n <= longest || strncmp(partition, path, n) != 0)
			continue;
		if (partition[n] && partition[n] != '/' && path[n - 1] != '/')
			continue;
		best = &c->sources[i];
		longest = n;
	}
	return best;
}
