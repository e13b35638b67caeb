/* load.c - documents to rules: collections, filters, what a rule must have.
 *
 * Promises that nothing of one document stops another. A rule that is refused is kept with the reason. */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "naive/inside.h"

struct naive *naive_new(const char *fields, const struct naive_list *lists, size_t n_lists)
{
	struct naive *n = xcalloc(1, sizeof *n);

	n->arena = arena_new(1u << 20);
	n->event_arena = arena_new(1u << 18);
	n->lists = lists;
	n->n_lists = n_lists;
	if (fields)
		nv_positions_read(n, fields);
	return n;
}

void naive_free(struct naive *n)
{
	for (size_t i = 0; i < n->n_files; i++)
		yaml_free(n->files[i]);
	for (size_t i = 0; i < n->n_positions; i++)
		yaml_free(n->positions[i]);
	for (size_t i = 0; i < n->n_regexes; i++)
		nv_regex_free(n->regexes[i]);
	for (size_t i = 0; i < n->n_names; i++)
		free(n->names[i].values);
	for (size_t i = 0; i < n->n_keys; i++) {
		free(n->keys[i].channel);
		free(n->keys[i].provider);
		free(n->keys[i].rules);
	}
	free(n->files);
	free(n->positions);
	free(n->regexes);
	free(n->names);
	free(n->keys);
	free(n->rules);
	free(n->filters);
	free(n->values);
	free(n->hits);
	arena_free(n->arena);
	arena_free(n->event_arena);
	free(n);
}

bool nv_no(struct naive *n, const struct yaml_node *at, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	if (n->why[0]) /* the first reason is the one that counts */
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (at)
		snprintf(n->why, sizeof n->why, "line %d: %s", at->line, text);
	else
		snprintf(n->why, sizeof n->why, "%s", text);
	return false;
}

static const char *scalar(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *v = yaml_get(map, key);

	return v && v->kind == YAML_SCALAR && !yaml_is_null(v) ? v->text : NULL;
}

/* -- collections: `action: global` is the ground for what follows, `repeat` lays itself over the last document -- */

static const struct yaml_node *merged(struct naive *n, const struct yaml_node *below, const struct yaml_node *above)
{
	struct yaml_node *to;

	if (!below || below->kind != YAML_MAP || above->kind != YAML_MAP)
		return above;
	to = arena_alloc(n->arena, sizeof *to);
	*to = *above;
	to->n = 0;
	to->keys = arena_alloc(n->arena, (below->n + above->n + 1) * sizeof(struct yaml_node *));
	to->items = arena_alloc(n->arena, (below->n + above->n + 1) * sizeof(struct yaml_node *));
	for (size_t i = 0; i < below->n; i++) {
		const struct yaml_node *over = yaml_get(above, below->keys[i]->text), *item = below->items[i];

		if (over)
			item = merged(n, below->items[i], over);
		to->keys[to->n] = below->keys[i];
		to->items[to->n++] = memcpy(arena_alloc(n->arena, sizeof *item), item, sizeof *item);
	}
	for (size_t i = 0; i < above->n; i++) {
		if (yaml_get(below, above->keys[i]->text))
			continue;
		to->keys[to->n] = above->keys[i];
		to->items[to->n++] = above->items[i];
	}
	return to;
}

static bool stated_of(struct naive *n, const struct yaml_node *doc, struct nv_stated *to)
{
	const struct yaml_node *l = yaml_get(doc, "logsource");

	*to = (struct nv_stated){.product = scalar(l, "product"), .service = scalar(l, "service"), .category = scalar(l, "category")};
	return to->product || to->service || to->category || nv_no(n, doc, "logsource has no product, service or category");
}

static const char *kept(struct naive *n, const char *s)
{
	return arena_copy(n->arena, s ? s : "", s ? strlen(s) : 0);
}

static void add_filter(struct naive *n, const struct yaml_node *doc)
{
	const struct yaml_node *f = yaml_get(doc, "filter");
	struct nv_filter x = {.rules = yaml_get(f, "rules")};

	n->why[0] = '\0';
	if (!stated_of(n, doc, &x.stated))
		return;
	for (size_t i = 0; i < MANY(x.rules); i++)
		if (NTH(x.rules, i)->kind != YAML_SCALAR)
			return;
	x.node = nv_detection_of(n, f, yaml_get(f, "condition"), true);
	if (x.node)
		*MORE(n->filters, n->n_filters) = x;
}

static bool read_rule(struct naive *n, const struct yaml_node *doc, struct nv_rule *to)
{
	const char *taxonomy = scalar(doc, "taxonomy"), *status = scalar(doc, "status");
	const struct yaml_node *detection = yaml_get(doc, "detection");

	if (!scalar(doc, "title"))
		return nv_no(n, doc, "there is no title");
	if (taxonomy && strcmp(taxonomy, "sigma") != 0)
		return nv_no(n, doc, "another taxonomy");
	if (status && strcmp(status, "unsupported") == 0)
		return nv_no(n, doc, "status unsupported");
	if (!stated_of(n, doc, &to->stated))
		return false;
	for (size_t i = 0; *to->about.id && i < n->n; i++)
		if (!n->rules[i].about.refused && strcmp(n->rules[i].about.id, to->about.id) == 0)
			return nv_no(n, doc, "the id is taken");
	to->node = nv_detection_of(n, detection, yaml_get(detection, "condition"), false);
	return to->node != NULL;
}

static void add_rule(struct naive *n, const char *file, int line, const struct yaml_node *doc)
{
	struct nv_rule r = {.about = {.file = file, .line = line, .id = kept(n, scalar(doc, "id")), .title = kept(n, scalar(doc, "title"))},
		.name = kept(n, scalar(doc, "name"))};

	n->why[0] = '\0';
	if (!read_rule(n, doc, &r))
		r.about.refused = kept(n, n->why);
	else
		r.about.no_source = !nv_source_known(&r.stated);
	if (n->n == n->cap) {
		n->cap = n->cap * 2 + 64;
		n->rules = xrealloc(n->rules, n->cap, sizeof *n->rules);
	}
	n->rules[n->n++] = r;
}

static void add_file(struct naive *n, const struct yaml_file *f)
{
	const char *path = kept(n, f->path);
	const struct yaml_node *ground = NULL, *last = NULL;

	for (size_t i = 0; i < f->n; i++) {
		const struct yaml_node *doc = f->documents[i];
		const char *action = doc ? scalar(doc, "action") : NULL;

		if (!doc)
			continue;
		if (action && strcmp(action, "global") == 0) {
			ground = merged(n, ground, doc);
			continue;
		}
		if (action && strcmp(action, "reset") == 0) {
			ground = NULL;
			continue;
		}
		if (yaml_get(doc, "correlation"))
			continue;
		if (yaml_get(doc, "filter")) {
			add_filter(n, doc);
			continue;
		}
		last = merged(n, action && strcmp(action, "repeat") == 0 ? last : ground, doc);
		add_rule(n, path, doc->line, last);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void refused_file(struct naive *n, const char *path, const char *why)
{
	struct nv_rule r = {.about = {.file = kept(n, path), .id = "", .title = "", .refused = kept(n, why)}, .name = ""};

	n->rules = xrealloc(n->rules, n->cap = n->cap + 1, sizeof *n->rules);
	n->rules[n->n++] = r;
}

static int read_path(struct naive *n, const char *path, bool given, struct err *e)
{
	struct stat st;
	char **names = NULL;
	size_t count = 0;
	DIR *d;

	if (stat(path, &st))
		return err_set(e, ERR_IO, "%s cannot be read", path);
	if (!S_ISDIR(st.st_mode)) {
		struct yaml_file *f = given || text_ends(path, ".yml") || text_ends(path, ".yaml") ? yaml_read(path, e) : NULL;

		if (f) {
			*MORE(n->files, n->n_files) = f;
			add_file(n, f);
		} else if (given || text_ends(path, ".yml") || text_ends(path, ".yaml")) {
			refused_file(n, path, e->text);
		}
		return 0;
	}
	d = opendir(path);
	if (!d)
		return err_set(e, ERR_IO, "%s cannot be read", path);
	for (struct dirent *x = readdir(d); x; x = readdir(d))
		if (x->d_name[0] != '.' && strcmp(x->d_name, "fields") != 0 && strcmp(x->d_name, "tests") != 0 && strcmp(x->d_name,
			"logsources.yml") != 0)
			*MORE(names, count) = xstrdup(x->d_name);
	closedir(d);
	qsort(names, count, sizeof *names, by_name);
	for (size_t i = 0; i < count; i++) {
		char *inside = arena_printf(n->arena, "%s/%s", path, names[i]);

		read_path(n, inside, false, e);
		free(names[i]);
	}
	free(names);
	return 0;
}

int naive_read(struct naive *n, const char *path, struct err *e)
{
	return read_path(n, path, true, e);
}

/* -- filters find their rules -- */

static bool covers(const char *of_filter, const char *of_rule)
{
	return !of_filter || (of_rule && text_same(of_filter, of_rule));
}

static bool filter_is_for(const struct nv_filter *f, const struct nv_rule *r)
{
	if (!covers(f->stated.product, r->stated.product) || !covers(f->stated.service, r->stated.service) ||
	    !covers(f->stated.category, r->stated.category))
		return false;
	if (MANY(f->rules) == 0)
		return true;
	for (size_t i = 0; i < MANY(f->rules); i++) {
		const char *name = NTH(f->rules, i)->text;

		if (strcmp(name, "any") == 0 || (*name && (text_same(name, r->about.id) || strcmp(name, r->name) == 0)))
			return true;
	}
	return false;
}

void naive_ready(struct naive *n)
{
	for (size_t i = 0; i < n->n; i++) {
		struct nv_rule *r = &n->rules[i];

		r->filters = arena_alloc(n->arena, (n->n_filters + 1) * sizeof *r->filters);
		for (size_t k = 0; k < n->n_filters; k++)
			if (filter_is_for(&n->filters[k], r))
				r->filters[r->n_filters++] = n->filters[k].node;
	}
	nv_name_id(n, "EventType"); /* of the log sources */
	n->hits = xcalloc(n->n + 1, sizeof *n->hits);
}
