/* config_source.c - reads the sources of the configuration, and knows which of them a stream of bytes belongs to.
 *
 * Why: what comes from a source carries its labels to the receivers, also when it is told long after it was read. Promises: each key is checked, as
 * everywhere in the configuration. Refuses: kinds that are not built yet, by name. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "limits.h"
#include "proc/config_inside.h"
#include "ship/view.h"

#define IDS_MAX 1000

static int read_ids(struct reader *r, node n, struct config_forward *f)
{
	if (!n || yaml_is_null(n))
		return 0;
	const size_t many = n->kind == YAML_LIST ? n->n : 1;
	uint32_t *ids;

	if (n->kind == YAML_MAP || many > IDS_MAX)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "ids must be a list of at most %d event ids", IDS_MAX);
	ids = arena_alloc(r->c->arena, (many + 1) * sizeof *ids);
	for (size_t i = 0; i < many; i++) {
		int64_t id = -1;

		if (yaml_int(r->f, n->kind == YAML_LIST ? n->items[i] : n, "ids", 0, UINT32_MAX, &id, r->e) < 0)
			return -1;
		ids[i] = (uint32_t)id;
	}
	f->ids = ids;
	f->n_ids = many;
	return 0;
}

static int read_forward(struct reader *r, node n, struct config_forward *f)
{
	static const char *const known[] = { "channels", "providers", "ids", NULL };
	const char *word = NULL;

	if (!n || yaml_is_null(n))
		return 0;
	f->on = true;
	if (n->kind != YAML_MAP) {
		if (n->kind == YAML_LIST || yaml_str(r->f, n, "forward", &word, r->e) < 0 || strcmp(word, "all") != 0)
			return yaml_err(r->f, n, r->e, ERR_USAGE, "forward is `all`, or a map of channels, providers, ids; without it no event is sent on");
		return 0;
	}
	if (read_map(r, n, "forward", known) < 0 || read_texts(r, yaml_get(n, "channels"), "channels", &f->channels, &f->n_channels) < 0 ||
		read_texts(r, yaml_get(n, "providers"), "providers", &f->providers, &f->n_providers) < 0 || read_ids(r, yaml_get(n, "ids"), f) < 0)
		return -1;
	if (!f->n_channels && !f->n_providers && !f->n_ids)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "forward needs channels, providers or ids; `forward: all` sends every event on");
	return 0;
}

/* As its records hold them. */
static int read_own_labels(struct reader *r, node n, const char **to)
{
	const char *const *labels = NULL;
	size_t many = 0;
	struct json_out o;
	struct buf b;

	*to = "";
	if (read_labels(r, n, &labels, &many) < 0)
		return -1;
	if (!many)
		return 0;
	buf_init(&b, CONFIG_BYTES);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	for (size_t i = 0; i < many; i++) {
		char name[LIMIT_LABEL_NAME + 1];
		const char *value = label_split(labels[i], name);

		if (value)
			json_put_str(&o, name, value);
	}
	json_close(&o, '}');
	if (!b.refused && b.n <= LIMIT_LABELS)
		*to = read_keep(r, buf_text(&b));
	buf_free(&b);
	return **to ? 0 : yaml_err(r->f, n, r->e, ERR_USAGE, "the labels of a source have at most %d bytes in all", LIMIT_LABELS);
}

int read_source(struct reader *r, node n, void *item)
{
	static const char *const known[] = { "name", "kind", "path", "labels", "forward", NULL };
	struct config_source *s = item;
	const char *kind = "follow", *path = NULL;

	if (read_map(r, n, "a source", known) < 0 || read_text(r, n, "name", &s->name) < 0 || read_text(r, n, "kind", &kind) < 0 ||
		read_text(r, n, "path", &path) < 0)
		return -1;
	if (!s->name)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "a source needs a name");
	if (read_own_labels(r, yaml_get(n, "labels"), &s->labels) < 0 || read_forward(r, yaml_get(n, "forward"), &s->forward) < 0)
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

const char *config_labels(const struct config *c)
{
	for (size_t i = 1; i < c->n_sources; i++)
		if (strcmp(c->sources[i].labels, c->sources[0].labels) != 0)
			return "";
	return c->n_sources ? c->sources[0].labels : "";
}
