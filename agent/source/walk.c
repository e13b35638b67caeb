/* walk.c - a folder becomes the list of its files.
 *
 * Why: people point at a folder of logs, and runs must be repeatable: the order is by name, not as the disk has it.
 * Refuses: more than LIMIT_PATHS files; deeper than DEPTH folders is not looked at, so a link to a parent comes to an end. */
#include "source/walk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

#define DEPTH 16

struct listing {
	char **name;
	size_t n, cap;
};

static int add_name(void *arg, const char *name)
{
	struct listing *l = arg;

	if (name[0] == '.')
		return 0;
	if (l->n > LIMIT_PATHS)
		return 1;
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->name = xrealloc(l->name, l->cap, sizeof(*l->name));
	}
	l->name[l->n++] = xstrdup(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_file(struct walked *w, const char *path, int64_t size, struct err *e)
{
	if (w->n == LIMIT_PATHS)
		return err_set(e, ERR_IO, "more than %d files; name fewer", LIMIT_PATHS);
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 16;
		w->path = xrealloc(w->path, w->cap, sizeof(*w->path));
		w->size = xrealloc(w->size, w->cap, sizeof(*w->size));
	}
	w->path[w->n] = xstrdup(path);
	w->size[w->n++] = size;
	return 0;
}

static int visit(const struct os_file_ops *files, const char *path, int depth, struct walked *to, struct err *e);

static int visit_folder(const struct os_file_ops *files, const char *path, int depth, struct walked *to, struct err *e)
{
	struct listing l = { 0 };
	char why[96];
	int r = files->list(path, add_name, &l);

	if (r < 0)
		r = err_set(e, ERR_IO, "%s: the folder cannot be read: %s", path, err_os(r, why));
	else
		r = 0;
	if (l.n)
		qsort(l.name, l.n, sizeof(*l.name), by_name);
	for (size_t i = 0; i < l.n; i++) {
		size_t n = strlen(path) + strlen(l.name[i]) + 2;
		char *child = xcalloc(1, n);

		snprintf(child, n, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", l.name[i]);
		if (!r)
			r = visit(files, child, depth + 1, to, e);
		free(child);
		free(l.name[i]);
	}
	free(l.name);
	return r;
}

static int visit(const struct os_file_ops *files, const char *path, int depth, struct walked *to, struct err *e)
{
	struct os_stat st = { 0 };
	char why[96];
	int r = files->stat(path, -1, &st);

	if (r < 0 && !depth)
		return err_set(e, ERR_IO, "%s cannot be read: %s; check the path", path, err_os(r, why));
	if (r < 0 || !st.is_folder)
		return add_file(to, path, r < 0 ? 0 : st.size, e);
	if (depth >= DEPTH)
		return 0;
	return visit_folder(files, path, depth, to, e);
}

int walk(const struct os_file_ops *files, const char *path, struct walked *to, struct err *e)
{
	if (!path || !path[0])
		return err_set(e, ERR_USAGE, "a source needs a path");
	return visit(files, path, 0, to, e);
}

void walked_free(struct walked *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->path[i]);
	free(w->path);
	free(w->size);
	*w = (struct walked){ 0 };
}
