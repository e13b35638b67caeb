/* config_paths.c - files of the configuration that must not be one file.
 *
 * Why: two sinks in one file cut each other's lines, and a sink that writes what a source reads feeds itself without end. Promises: paths are
 * compared as they are written, without `.`, `..` and double slashes; files that exist also by what they are, so that links deceive nobody.
 * Refuses: two sinks with one file; a sink in a source's file or folder, or in the state folder. */
#include <string.h>

#include "base/text.h"
#include "proc/config_inside.h"

/* Without "//", "/./" and "x/..". */
static const char *plain(struct arena *a, const char *path)
{
	char *to = arena_copy(a, path, strlen(path));
	bool rooted = *path == '/';
	size_t n = rooted ? 1 : 0, floor = n; /* what stands before floor is not taken back: "../.." */

	for (const char *at = path; *at;) {
		size_t word = strcspn(at, "/");
		bool up = word == 2 && !memcmp(at, "..", 2), none = !word || (word == 1 && *at == '.');

		if (up && n > floor) {
			while (n > floor && to[n - 1] != '/')
				n--;
			n -= n > floor ? 1 : 0;
		} else if (!none && !(up && rooted)) {
			if (n && to[n - 1] != '/')
				to[n++] = '/';
			memmove(to + n, at, word);
			n += word;
			floor = up ? n : floor;
		}
		at += word + (at[word] == '/' ? 1 : 0);
	}
	to[n] = '\0';
	return to;
}

/* Is it that path, or below it? */
static bool within(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (!n) /* where we are */
		return path[0] != '/' && !text_starts(path, "..");
	return !strncmp(path, folder, n) && (!path[n] || path[n] == '/' || folder[n - 1] == '/');
}

static int said(struct err *e, const struct config *c, const struct sink_config *s, const char *what, const char *name, const char *cure)
{
	return err_set(e, ERR_USAGE, "%s: the sink '%s' writes %s, which %s%s%s; %s", c->path, s->name, s->file.path, what, name, *name ? "'" : "", cure);
}

#define OTHER "is that of the sink '"
#define READ "is read by the source '"
#define OWN_FILE "give each a file of its own"
#define LOOP "it would read what it has told itself"

int config_paths(const struct config *c, struct err *e)
{
	const char *paths[CONFIG_SINKS], *state = plain(c->arena, c->state_dir);

	for (size_t i = 0; i < c->n_sinks; i++) {
		const struct sink_config *s = &c->sinks[i];

		paths[i] = s->kind == SINK_FILE ? plain(c->arena, s->file.path) : NULL;
		if (!paths[i])
			continue;
		if (within(paths[i], state))
			return said(e, c, s, "is in state_dir, the agent's own folder", "", "name another");
		for (size_t k = 0; k < i; k++)
			if (paths[k] && !strcmp(paths[k], paths[i]))
				return said(e, c, s, OTHER, c->sinks[k].name, OWN_FILE);
		for (size_t k = 0; k < c->n_sources; k++)
			if (c->sources[k].path && within(paths[i], plain(c->arena, c->sources[k].path)))
				return said(e, c, s, READ, c->sources[k].name, LOOP);
	}
	return 0;
}

static bool same(const char *path, const struct os_stat *of)
{
	struct os_stat st;

	return path && os_file.stat(path, -1, &st) == 0 && st.device == of->device && st.inode == of->inode;
}

int config_files(const struct config *c, struct err *e)
{
	for (size_t i = 0; i < c->n_sinks; i++) {
		const struct sink_config *s = &c->sinks[i];
		struct os_stat st;

		if (s->kind != SINK_FILE || os_file.stat(s->file.path, -1, &st) < 0)
			continue;
		for (size_t k = 0; k < i; k++)
			if (c->sinks[k].kind == SINK_FILE && same(c->sinks[k].file.path, &st))
				return said(e, c, s, OTHER, c->sinks[k].name, OWN_FILE);
		for (size_t k = 0; k < c->n_sources; k++)
			if (same(c->sources[k].path, &st))
				return said(e, c, s, READ, c->sources[k].name, LOOP);
	}
	return 0;
}
