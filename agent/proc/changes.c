/* changes.c - looks at the files of rules, and knows whether they are others than before.
 *
 * Why: people edit rules and forget to tell the agent; a sum over what the file system says of each file is cheap and works on every file
 * system, also over the network, where notifications do not. Promises: what an editor leaves (a new inode, a new time) is seen; nothing
 * half copied is taken; files that hold no rules (tests, names with a dot in front, other endings) are not looked at.
 * Refuses: nothing; a folder that cannot be read is a state like others. */
#include "proc/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/walk.h"

#define SHARE 50 /* of the time for looking: a fiftieth */

struct file {
	uint64_t path; /* its hash */
	bool faulty;
};

struct look {
	uint64_t sum; /* over all files, in no order */
	struct file *files;
	size_t n, cap;
};

struct changes {
	const struct os_file_ops *files;
	const struct clock *clock;
	struct hash_seed seed;
	struct look running, tried;
	uint64_t known, last, held; /* sums: of what needs no loading; of the last look; changes_hold */
	int64_t rests_since, look_at; /* monotonic */
};

struct changes *changes_new(const struct os_file_ops *files, const struct clock *clock)
{
	struct changes *c = xcalloc(1, sizeof *c);

	c->files = files;
	c->clock = clock;
	c->seed = hash_seed_draw();
	return c;
}

void changes_free(struct changes *c)
{
	if (!c)
		return;
	free(c->running.files);
	free(c->tried.files);
	free(c);
}

static uint64_t path_hash(const struct changes *c, const char *path)
{
	return hash_bytes(&c->seed, path, strlen(path));
}

struct looking {
	const struct changes *c;
	struct look *to;
};

static bool maybe_rules(void *arg, const char *path)
{
	(void)arg;
	return !text_ends(path, "/fields") && !text_ends(path, "/tests") && !text_ends(path, "/logsources.yml"); /* as ruleset_load */
}

static void add_file(struct look *to, uint64_t path)
{
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 64;
		to->files = xrealloc(to->files, to->cap, sizeof *to->files);
	}
	to->files[to->n++] = (struct file){ .path = path };
}

static void add_facts(const struct changes *c, const char *path, int error, const struct os_stat *st, struct look *to)
{
	struct { uint64_t path, device, inode; int64_t size, mtime, error; } facts;

	memset(&facts, 0, sizeof facts);
	facts.path = path_hash(c, path);
	facts.error = error;
	if (error == 0) {
		facts.device = st->device;
		facts.inode = st->inode;
		facts.size = st->size;
		facts.mtime = st->mtime_us;
		add_file(to, facts.path);
	}
	to->sum += hash_bytes(&c->seed, &facts, sizeof facts);
}

static int each(void *arg, const struct walk_found *f, struct err *e)
{
	const struct looking *l = arg;

	(void)e;
	if (f->error || ruleset_is_file(f->path))
		add_facts(l->c, f->path, f->error, f->st, l->to);
	return 0;
}

static void look_at(const struct changes *c, const char *path, struct look *to)
{
	struct looking l = { c, to };
	const struct walk how = { .files = c->files, .arg = &l, .wanted = maybe_rules, .each = each };
	struct os_stat none = { 0 };
	struct err e;

	if (walk(&how, path, &e) < 0)
		add_facts(c, path, -1, &none, to);
}

/* One of the files beside a folder's rules. */
static void look_beside(const struct changes *c, const char *folder, size_t n, const char *name, struct look *to)
{
	struct buf path;

	buf_init(&path, 8192);
	buf_printf(&path, "%.*s/%s", (int)n, folder, name);
	look_at(c, buf_text(&path), to);
	buf_free(&path);
}

static int by_path(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	return x->path < y->path ? -1 : x->path > y->path;
}

static void look(const struct changes *c, const struct ruleset_options *at, struct look *to)
{
	to->n = 0;
	to->sum = 0;
	for (size_t i = 0; i < at->n_folders; i++) {
		const char *slash = strrchr(at->folders[i], '/');

		look_at(c, at->folders[i], to);
		if (slash && (text_ends(slash, ".yml") || text_ends(slash, ".yaml"))) /* a file: placeholders stand beside it */
			look_beside(c, at->folders[i], (size_t)(slash - at->folders[i]), "placeholders.yml", to);
	}
	if (at->tables) {
		look_beside(c, at->tables, strlen(at->tables), "logsources.yml", to);
		look_beside(c, at->tables, strlen(at->tables), "placeholders.yml", to);
		look_beside(c, at->tables, strlen(at->tables), "fields", to);
	}
	if (to->n)
		qsort(to->files, to->n, sizeof *to->files, by_path);
}

bool changes_due(struct changes *c, const struct ruleset_options *places)
{
	int64_t now = clock_monotonic(c->clock), took;
	struct look l = { 0 };

	if (now < c->look_at)
		return false;
	look(c, places, &l);
	free(l.files);
	took = clock_monotonic(c->clock) - now;
	c->look_at = now + (took * SHARE > CHANGES_EVERY ? took * SHARE : CHANGES_EVERY);
	if (l.sum != c->last) {
		c->last = l.sum;
		c->rests_since = now;
	}
	return l.sum != c->known && now - c->rests_since >= CHANGES_REST;
}

void changes_hold(struct changes *c, const struct ruleset_options *places)
{
	struct look l = { 0 };

	look(c, places, &l);
	free(l.files);
	c->held = l.sum;
}

void changes_refuse(struct changes *c)
{
	c->known = c->last = c->held;
}

void changes_try(struct changes *c, const struct ruleset_options *places)
{
	look(c, places, &c->tried);
	c->known = c->last = c->tried.sum;
}

static struct file *file_of(const struct changes *c, const struct look *l, const char *path)
{
	const struct file key = { .path = path_hash(c, path) };

	return l->n ? bsearch(&key, l->files, l->n, sizeof *l->files, by_path) : NULL;
}

bool changes_spoiled(struct changes *c, const char *path)
{
	struct file *now = file_of(c, &c->tried, path);
	const struct file *before = file_of(c, &c->running, path);

	if (now)
		now->faulty = true;
	return before && !before->faulty;
}

bool changes_faulty(const struct changes *c, const char *path)
{
	const struct file *f = file_of(c, &c->tried, path);

	return f && f->faulty;
}

void changes_accept(struct changes *c)
{
	struct look old = c->running;

	c->running = c->tried;
	c->tried = old;
}
