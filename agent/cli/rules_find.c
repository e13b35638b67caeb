/* rules_find.c - which rule a person means.
 *
 * Why: ids are long, names short, titles are what a finding shows and files what an editor has open: each of them names the rule.
 * Promises: a rule that was refused is told with place and reason, not as unknown.
 * Refuses: to guess from half a name, or from the beginning of an id that two rules have: it names them. */
#include "cli/rules_find.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/rules_home.h"
#include "os/os.h"

#define NEAR 5 /* rules that are offered for a name that is none */

struct finding_rule {
	struct cli *c;
	struct arena *arena;
	const char *what;
	bool alone; /* only the file `what` was loaded */
	size_t n, cap;
	const char **refused; /* "FILE:LINE:COLUMN: TEXT" of the rule that is meant */
};

static bool is_file(const char *path, const char *what)
{
	size_t n = strlen(what), file = strlen(path);

	if (strcmp(path, what) == 0)
		return true;
	return file > n && path[file - n - 1] == '/' && strcmp(path + file - n, what) == 0;
}

static bool same(const char *said, const char *what)
{
	return said && text_same(said, what);
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	struct finding_rule *f = arg;

	if (p->warning)
		return;
	if (!f->alone && !same(p->id, f->what) && !same(p->name, f->what) && !same(p->title, f->what) && !is_file(p->file, f->what))
		return;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->refused = xrealloc(f->refused, f->cap, sizeof *f->refused);
	}
	f->refused[f->n++] = arena_printf(f->arena, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
}

/* id and name first, then titles and files; a file may hold several rules: the last one, which refers to the others. */
static const struct rule *exact(const struct ruleset *rs, const char *what)
{
	const struct rule *found = ruleset_find(rs, what);

	for (size_t i = ruleset_count(rs); !found && i-- > 0;) {
		const struct rule *r = ruleset_rule(rs, i);

		if (text_same(r->title, what) || is_file(r->file, what))
			found = r;
	}
	return found;
}

static bool begins(const struct rule *r, const char *what)
{
	size_t n = strlen(what);

	return n >= FIND_PREFIX && strlen(r->id) > n && text_same_n(r->id, n, what, n);
}

static const struct rule *by_prefix(const struct ruleset *rs, const char *what, size_t *many)
{
	const struct rule *found = NULL;

	*many = 0;
	for (size_t i = 0; i < ruleset_count(rs); i++)
		if (begins(ruleset_rule(rs, i), what)) {
			found = ruleset_rule(rs, i);
			++*many;
		}
	return found;
}

static const char *name_of(const struct rule *r)
{
	return *r->name ? r->name : r->id;
}

static bool resembles(const struct rule *r, const char *what, bool prefix)
{
	return prefix ? begins(r, what) : text_has(r->title, strlen(r->title), what) || text_has(r->name, strlen(r->name), what) ||
		text_has(r->id, strlen(r->id), what);
}

static size_t offer(struct cli *c, const struct ruleset *rs, const char *what, bool prefix)
{
	size_t told = 0;

	for (size_t i = 0; i < ruleset_count(rs) && told < NEAR; i++) {
		const struct rule *r = ruleset_rule(rs, i);

		if (!resembles(r, what, prefix))
			continue;
		cli_note(c, "%s  %s", prefix ? r->id : name_of(r), r->title);
		told++;
	}
	return told;
}

static int no_such_rule(struct cli *c, const struct ruleset *rs, const char *what)
{
	size_t n = ruleset_count(rs), told;
	const char **names = xcalloc(2 * n + 1, sizeof *names), *near;

	for (size_t i = 0; i < n; i++) {
		names[2 * i] = ruleset_rule(rs, i)->name;
		names[2 * i + 1] = ruleset_rule(rs, i)->title;
	}
	near = text_nearest(what, names);
	free(names);
	if (near && *near)
		return cli_usage(c, "there is no rule '%s'; did you mean '%s'?", what, near);
	told = offer(c, rs, what, false);
	return cli_usage(c, told ? "there is no rule '%s'; those above have it in their title or name" :
		"there is no rule '%s'; 'evmend rules list' names them", what);
}

static int tell_refused(const struct finding_rule *f)
{
	struct err e;

	for (size_t i = 1; i < f->n; i++)
		cli_warn(f->c, "%s", f->refused[i]);
	err_set(&e, ERR_RULES, "the rule '%s' is refused%s: %s", f->what, f->n > 1 ? " for those reasons and another one" : "",
		f->refused[0]);
	return cli_fail(f->c, &e);
}

/* A rule file that belongs to no folder of rules yet is tried when the rules that are used do not have it. */
static struct ruleset *load(struct finding_rule *f, const struct rule **found, struct err *e)
{
	const char *const one[] = {f->what};
	struct ruleset_options o;
	struct ruleset *rs;
	struct os_stat st;

	if (rules_home(f->c, f->arena, &o, e) != 0)
		return NULL;
	rs = ruleset_load(&o, on_problem, f, e);
	*found = rs ? exact(rs, f->what) : NULL;
	if (!rs || *found || f->n || os_file.stat(f->what, -1, &st) != 0 || st.is_folder)
		return rs;
	ruleset_free(rs);
	o.folders = one;
	o.n_folders = 1;
	f->alone = true;
	rs = ruleset_load(&o, on_problem, f, e);
	*found = rs ? exact(rs, f->what) : NULL;
	return rs;
}

int rules_find(struct cli *c, struct arena *a, const char *what, struct ruleset **rs, const struct rule **found, int *code)
{
	struct finding_rule f = {.c = c, .arena = a, .what = what};
	struct err e;
	size_t many = 0;

	*code = ERR_NONE;
	*rs = load(&f, found, &e);
	if (*rs && !*found && !f.n)
		*found = by_prefix(*rs, what, &many);
	if (!*rs)
		*code = cli_fail(c, &e);
	else if (many > 1)
		*code = cli_usage(c, "%zu rules have an id that begins with '%s', %s; write more of it", many, what,
			offer(c, *rs, what, true) == many ? "those above" : "the first stand above");
	else if (!*found)
		*code = f.n ? tell_refused(&f) : f.alone ? cli_usage(c, "%s holds no rule", what) : no_such_rule(c, *rs, what);
	free(f.refused);
	return *code == ERR_NONE ? 0 : -1;
}
