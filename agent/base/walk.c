/* walk.c - a folder becomes its files.
 *
 * Why: runs must be repeatable, so the order is by name, not as the disk has it; and whoever may write into a folder must not make us
 * wait on a pipe or walk in circles. Promises: each folder once, by device and inode; what is not read is told with its reason.
 * Refuses: more than LIMIT_PATHS entries in all, more than LIMIT_FOLDERS folders; what lies deeper than WALK_DEPTH. */
#include "base/walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

struct visited {
	uint64_t device, inode;
	char *path;
};

struct walking {
	const struct walk *w;
	struct visited *folders;
	size_t n, cap;
	size_t entries;
	struct err *e;
};

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
		l->name = xrealloc(l->name, l->cap, sizeof *l->name);
	}
	l->name[l->n++] = xstrdup(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int visit(struct walking *g, const char *path, int depth);

static int tell(struct walking *g, const char *path, const struct os_stat *st, int error, const char *skipped)
{
	char why[128] = "", words[96];

	if (error == -ENOENT || (error == -ELOOP && !skipped))
		snprintf(why, sizeof why, "is a link that leads nowhere");
	else if (error < 0 && !skipped)
		snprintf(why, sizeof why, "cannot be read: %s", err_os(error, words));
	return g->w->each(g->w->arg, &(struct walk_found){ path, st, error, skipped != NULL, skipped ? skipped : why }, g->e);
}

static int visit_children(struct walking *g, const char *path, const struct os_stat *st, int depth)
{
	struct listing l = { 0 };
	char words[96];
	int did = g->w->files->list(path, add_name, &l), r = 0;

	if (did < 0 && depth)
		r = tell(g, path, st, did, NULL);
	else if (did < 0)
		r = err_set(g->e, ERR_IO, "%s: the folder cannot be read: %s", path, err_os(did, words));
	if (l.n)
		qsort(l.name, l.n, sizeof *l.name, by_name);
	for (size_t i = 0; i < l.n; i++) {
		size_t n = strlen(path) + strlen(l.name[i]) + 2;
		char *child = xcalloc(1, n);

		snprintf(child, n, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", l.name[i]);
		if (r == 0 && (!g->w->wanted || g->w->wanted(g->w->arg, child)))
			r = visit(g, child, depth + 1);
		free(child);
		free(l.name[i]);
	}
	free(l.name);
	return r;
}

static int visit_folder(struct walking *g, const char *path, const struct os_stat *st, int depth)
{
	char why[600];

	for (size_t i = 0; i < g->n; i++) {
		const struct visited *v = &g->folders[i];

		if (v->device != st->device || v->inode != st->inode)
			continue;
		snprintf(why, sizeof why, "is the folder %.400s again; it is read once", v->path);
		return tell(g, path, st, -ELOOP, why);
	}
	if (depth > WALK_DEPTH) {
		snprintf(why, sizeof why, "lies deeper than %d folders and is not looked at", WALK_DEPTH);
		return tell(g, path, st, -ENAMETOOLONG, why);
	}
	if (g->n == LIMIT_FOLDERS)
		return err_set(g->e, ERR_IO, "more than %d folders; name fewer", LIMIT_FOLDERS);
	if (g->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 16;
		g->folders = xrealloc(g->folders, g->cap, sizeof *g->folders);
	}
	g->folders[g->n++] = (struct visited){ st->device, st->inode, xstrdup(path) };
	return visit_children(g, path, st, depth);
}

static int visit(struct walking *g, const char *path, int depth)
{
	struct os_stat st = { 0 };
	char words[96];
	int error = g->w->files->stat(path, -1, &st);

	if (error < 0 && !depth)
		return err_set(g->e, ERR_IO, "%s cannot be read: %s; check the path", path, err_os(error, words));
	if (g->entries++ == LIMIT_PATHS)
		return err_set(g->e, ERR_IO, "more than %d files; name fewer", LIMIT_PATHS);
	if (error >= 0 && st.is_folder)
		return visit_folder(g, path, &st, depth);
	if (error >= 0 && st.is_special && depth)
		error = -OS_NO_FILE;
	return tell(g, path, &st, error < 0 ? error : 0, NULL);
}

int walk(const struct walk *w, const char *path, struct err *e)
{
	struct walking g = { .w = w, .e = e };
	int r = visit(&g, path, 0);

	for (size_t i = 0; i < g.n; i++)
		free(g.folders[i].path);
	free(g.folders);
	return r;
}
