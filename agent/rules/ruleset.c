/* ruleset.c - the set of rules: loading folders, and answering questions about it.
 *
 * Why: rules are loaded and swapped as one immutable set, so that matching needs no lock and a reload is all or nothing.
 * Promises: files in the order of their paths; one bad rule never stops another; every problem is reported with its place.
 * Refuses: to start without the logsource table, and folders that are not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/text.h"
#include "base/walk.h"
#include "limits.h"
#include "os/os.h"
#include "rules/collection.h"
#include "rules/filter.h"
#include "rules/lint/lint_inside.h"
#include "rules/placeholders.h"
#include "rules/match/match_plan.h"
#include "rules/rule_load.h"
#include "tls/digest.h"

struct loading {
	struct loader l;
	struct ruleset *rs;
	struct digest *digest;
	bool lint, may_wait;
	struct filters filters;
};

struct found { /* the rule files of a folder, sorted */
	struct loading *g;
	char **paths;
	size_t n, cap;
};

static bool maybe_rules(void *arg, const char *path)
{
	(void)arg;
	return !text_ends(path, "/fields") && !text_ends(path, "/tests") && !text_ends(path, "/logsources.yml");
}

/* In any case of letters: file systems of Windows do not tell RULE.YML from rule.yml. */
bool ruleset_is_file(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (text_same(dot, ".yml") || text_same(dot, ".yaml"));
}

/* What is not read although its name says that it is a rule: told, so that nobody misses it. */
static int tell_unread(struct loading *g, const struct walk_found *w, struct err *e)
{
	g->l.path = arena_copy(g->l.arena, w->path, strlen(w->path));
	if (w->st->is_folder && !w->skipped)
		return err_set(e, ERR_IO, "%s %s", w->path, w->why);
	if (!w->skipped && ruleset_is_file(w->path))
		refuse(&g->l, NULL, "%s", w->why);
	else if (w->skipped || !w->st->is_special)
		warn_at(&g->l, NULL, "%s", w->why);
	return 0;
}

static int add_found(void *arg, const struct walk_found *w, struct err *e)
{
	struct found *f = arg;

	if (w->error)
		return tell_unread(f->g, w, e);
	if (!ruleset_is_file(w->path))
		return 0;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->paths = xrealloc(f->paths, f->cap, sizeof *f->paths);
	}
	f->paths[f->n++] = xstrdup(w->path);
	return 0;
}

static int find_files(struct found *f, const char *folder, struct err *e)
{
	const struct walk how = {.files = &os_file, .arg = f, .wanted = maybe_rules, .each = add_found};

	return walk(&how, folder, e);
}

static void forget_found(struct found *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->paths[i]);
	free(f->paths);
}

/* A message that begins with "PATH:LINE:COLUMN: " is told at that place. */
static void refuse_syntax(struct loader *l, const char *text)
{
	struct yaml_node at = {.line = 1, .column = 1};
	size_t n = strlen(l->path);
	int skip = 0;

	if (strncmp(text, l->path, n) == 0 && sscanf(text + n, ":%d:%d: %n", &at.line, &at.column, &skip) == 2 && skip > 0)
		text += n + (size_t)skip;
	refuse_as(l, LINT_SYNTAX, &at, "%s", text);
}

/* Reads one YAML file; NULL: reported. */
static struct yaml_file *open_yaml(struct loading *g, const char *path, bool may_wait)
{
	struct yaml_file *f = NULL;
	struct buf b;
	struct err e;
	int did;

	buf_init(&b, LIMIT_YAML_BYTES);
	g->l.path = arena_copy(g->l.arena, path, strlen(path));
	did = may_wait ? file_read_named(&os_file, path, &b, &e) : file_read(&os_file, path, &b, &e);
	if (did == 0) {
		digest_add(g->digest, buf_text(&b), b.n);
		f = yaml_parse(path, buf_text(&b), b.n, &e);
	}
	buf_free(&b);
	if (!f)
		refuse_syntax(&g->l, e.text);
	g->l.file = f;
	return f;
}

static void add_rule(struct ruleset *rs, struct compiled *c)
{
	if (!c) {
		rs->refused++;
		return;
	}
	if (rs->n == rs->cap) {
		rs->cap = rs->cap ? 2 * rs->cap : 256;
		rs->rules = xrealloc(rs->rules, rs->cap, sizeof *rs->rules);
	}
	rs->rules[rs->n++] = c;
}

static void load_document(struct loading *g, struct collection *c, const struct yaml_node *doc)
{
	const struct yaml_node *status;
	bool bad;

	g->l.doc = doc;
	doc = collection_take(c, &g->l, doc, &bad);
	status = yaml_get(doc, "status");
	g->l.allow = yaml_get(yaml_get(doc, "evmend"), "allow");
	g->l.doc = doc;
	if (!doc)
		g->rs->refused += bad;
	else if (status && status->kind == YAML_SCALAR && strcmp(status->text, "unsupported") == 0)
		warn_as(&g->l, LINT_UNSUPPORTED, status, "'status: unsupported': its author says that it does not work; it is skipped"); /* */
	else if (yaml_get(doc, "filter"))
		g->rs->refused += !filters_add(&g->filters, &g->l, doc);
	else
		add_rule(g->rs, rule_compile(&g->l, g->rs->sources, doc));
	if (doc && g->lint)
		lint_document(&g->l, g->rs->sources, doc);
	g->l.allow = NULL;
	g->l.doc = NULL;
}

static void load_documents(struct loading *g, struct yaml_file *f)
{
	struct collection c = {0};
	bool empty = true;

	if (!f) {
		g->rs->refused++;
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->documents[i]) {
			load_document(g, &c, f->documents[i]);
			empty = false;
		}
	if (empty)
		warn_at(&g->l, NULL, "the file is empty: no rule was read from it");
	if (!filters_keep(&g->filters, f))
		yaml_free(f);
}

static void load_text(struct loading *g, const char *text)
{
	struct yaml_file *f;
	struct err e;

	g->l.path = "(text)";
	digest_add_str(g->digest, text);
	g->l.file = f = yaml_parse(g->l.path, text, strlen(text), &e);
	if (!f)
		refuse_syntax(&g->l, e.text);
	load_documents(g, f);
}

/* placeholders.yml is no rule; it was read before, unless it stands too deep. */
static bool is_placeholders(struct loading *g, const char *folder, const char *path)
{
	if (!text_ends(path, "/placeholders.yml"))
		return false;
	if (strchr(path + strlen(folder) + 1, '/')) {
		g->l.path = arena_copy(g->l.arena, path, strlen(path));
		warn_at(&g->l, NULL, "placeholders.yml counts at the top of a folder of rules only, which is %s; move it there", folder);
	}
	return true;
}

static int load_folder(struct loading *g, const char *folder, struct err *e)
{
	struct found f = {.g = g};
	struct os_stat st;
	char words[96];
	size_t before = g->l.refused;
	int r = os_file.stat(folder, -1, &st);

	if (r < 0)
		return err_set(e, ERR_IO, "no rules at %s: %s", folder, err_os(r, words));
	if (!st.is_folder) {
		load_documents(g, open_yaml(g, folder, g->may_wait));
		return 0;
	}
	r = find_files(&f, folder, e);
	g->rs->refused += g->l.refused - before;
	for (size_t i = 0; r == 0 && i < f.n; i++)
		if (!is_placeholders(g, folder, f.paths[i]))
			load_documents(g, open_yaml(g, f.paths[i], false));
	forget_found(&f);
	return r;
}

static int load_fields(struct loading *g, const char *folder, struct err *e)
{
	struct found f = {.g = g};
	struct os_stat st;
	int r = 0;

	if (os_file.stat(folder, -1, &st) == 0)
		r = find_files(&f, folder, e);
	for (size_t i = 0; r == 0 && i < f.n; i++) {
		struct yaml_file *y = open_yaml(g, f.paths[i], false);

		if (y)
			fields_add(&g->rs->fields, &g->l);
		yaml_free(y);
	}
	forget_found(&f);
	fields_sort(&g->rs->fields, g->l.arena);
	g->rs->refused += g->l.refused;
	return r;
}

static int load_tables(struct loading *g, const char *tables, struct err *e)
{
	if (!tables)
		return err_set(e, ERR_RULES, "no folder with logsources.yml and fields/ was found; name it with --tables");
	g->rs->sources = logsources_load(&g->l, arena_printf(g->l.arena, "%s/logsources.yml", tables), e);
	if (!g->rs->sources)
		return -1;
	digest_add_str(g->digest, "tables");
	return load_fields(g, arena_printf(g->l.arena, "%s/fields", tables), e);
}

/* placeholders.yml in the folder, or beside the file, if it is there. */
static void load_placeholders(struct loading *g, const char *place)
{
	const char *slash = strrchr(place, '/');
	bool file = text_ends(place, ".yml") || text_ends(place, ".yaml");
	const char *path = file ? arena_printf(g->l.arena, "%.*splaceholders.yml", slash ? (int)(slash - place + 1) : 0, place) :
		arena_printf(g->l.arena, "%s/placeholders.yml", place);
	struct os_stat st;
	size_t before = g->l.refused;
	struct yaml_file *f;

	if (os_file.stat(path, -1, &st) != 0)
		return;
	f = open_yaml(g, path, false);
	if (f)
		placeholders_add(g->l.placeholders, &g->l);
	yaml_free(f);
	g->rs->refused += g->l.refused - before;
}

struct ruleset *ruleset_load(const struct ruleset_options *options, void (*report)(void *arg, const struct rule_problem *p),
	void *arg, struct err *e)
{
	struct ruleset *rs = xcalloc(1, sizeof *rs);
	struct loading g = {.rs = rs, .digest = digest_new(), .lint = options->lint,
		.may_wait = options->may_wait};
	struct placeholders placeholders = {0};
	uint8_t sum[32];
	int r;

	rs->arena = arena_new(1u << 18);
	rs->names = names_new();
	rs->label_id = names_add(rs->names, "ComputerLabel", 13);
	rs->domain_id = names_add(rs->names, "ComputerDomain", 14);
	g.l = (struct loader){.path = "", .arena = rs->arena, .names = rs->names, .placeholders = &placeholders,
		.report = report, .arg = arg};
	r = load_tables(&g, options->tables, e);
	if (r == 0)
		load_placeholders(&g, options->tables);
	for (size_t i = 0; r == 0 && i < options->n_folders; i++)
		load_placeholders(&g, options->folders[i]);
	for (size_t i = 0; r == 0 && i < options->n_folders; i++)
		r = load_folder(&g, options->folders[i], e);
	if (r == 0 && options->text)
		load_text(&g, options->text);
	digest_finish(g.digest, sum);
	if (r == 0) {
		text_hex(rs->digest, sum, sizeof sum);
		rules_resolve(&g.l, rs);
		filters_apply(&g.filters, &g.l, rs);
	}
	filters_free(&g.filters);
	free(placeholders.list);
	if (r != 0) {
		ruleset_free(rs);
		return NULL;
	}
	rules_want(&g.l, rs);
	if (g.lint)
		lint_set(&g.l, rs);
	rs->program = program_new(rs);
	rs->plans = match_plans_new(rs);
	return rs;
}

void ruleset_free(struct ruleset *rs)
{
	if (!rs)
		return;
	match_plans_free(rs->plans);
	program_free(rs->program);
	free(rs->rules);
	free(rs->fields.sets);
	names_free(rs->names);
	arena_free(rs->arena);
	free(rs);
}
