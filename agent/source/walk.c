/* walk.c - a folder becomes the list of its files.
 *
 * Why: a source opens its files one by one, and has to know before how much there is.
 * Refuses: what base/walk.h refuses. What cannot be read stays in the list, so that opening it says why. */
#include "source/walk.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/walk.h"

static int each(void *arg, const struct walk_found *f, struct err *e)
{
	struct walked *w = arg;

	(void)e;
	if (f->skipped) {
		if (!w->note[0])
			(void)snprintf(w->note, sizeof w->note, "%s %s", f->path, f->why);
		return 0;
	}
	if (w->n == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 16;
		w->path = xrealloc(w->path, w->cap, sizeof(*w->path));
		w->size = xrealloc(w->size, w->cap, sizeof(*w->size));
	}
	w->path[w->n] = xstrdup(f->path);
	w->size[w->n++] = f->error ? 0 : f->st->size;
	return 0;
}

int walked_fill(struct walked *w, const struct os_file_ops *files, const char *path, struct err *e)
{
	const struct walk how = { .files = files, .arg = w, .each = each };

	if (!path || !path[0])
		return err_set(e, ERR_USAGE, "a source needs a path");
	return walk(&how, path, e);
}

void walked_free(struct walked *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->path[i]);
	free(w->path);
	free(w->size);
	*w = (struct walked){ 0 };
}
