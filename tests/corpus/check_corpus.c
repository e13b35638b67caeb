/* check_corpus.c - what SigmaHQ's rules do on public sample logs: the program judged by facts that others made.
 *
 * Prints: how many rules load and why the others do not; the regression cases; the program against the naive evaluator on every rule
 * and event; the matches of a reference engine, the differences by their reasons (known.tsv); how strings are parsed.
 * Refuses to be content: any other rule than the known ones left out, one case, one differing pair, one difference without a reason
 * or more than 0.5 % of the reference's matches not found end it with code 1. The corpus is data of others and no part of the project. */
#include "corpus/corpus.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "rules/compiled.h"

void say(struct corpus *c, bool ok, const char *what, const char *fmt, ...)
{
	va_list ap;

	printf("%-6s %-44s ", ok ? "ok" : "NOT OK", what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	c->failed = c->failed || !ok;
}

void must_read(const char *path, struct buf *b)
{
	struct err e;

	buf_init(b, 1u << 30);
	if (file_read(&os_file, path, b, &e)) {
		fprintf(stderr, "check-corpus: %s\n", e.text);
		exit(4);
	}
	buf_char(b, '\0');
}

void each_row(struct buf *b, size_t columns, void *arg, void (*each)(void *arg, char **column))
{
	char *save, *column[8];
	bool head = true;

	for (char *line = strtok_r(b->p, "\n", &save); line; line = strtok_r(NULL, "\n", &save), head = false) {
		size_t n = 0;

		if (line[0] == '#' || head)
			continue;
		for (char *p = line; p && n < columns; n++) {
			column[n] = p;
			p = strchr(p, '\t');
			if (p)
				*p++ = '\0';
		}
		if (n == columns)
			each(arg, column);
	}
}

static void add_known(void *arg, char **column)
{
	struct corpus *c = arg;

	c->known = xrealloc(c->known, c->n_known + 1, sizeof *c->known);
	c->known[c->n_known++] = (struct known){.rule = xstrdup(column[0]), .what = xstrdup(column[1]), .label = xstrdup(column[2]),
		.reason = xstrdup(column[3])};
}

struct known *known_of(struct corpus *c, const char *rule, const char *what)
{
	for (size_t i = 0; i < c->n_known; i++)
		if (strcmp(c->known[i].rule, rule) == 0 && strcmp(c->known[i].what, what) == 0)
			return &c->known[i];
	return NULL;
}

/* -- (a) loading -- */

struct index_row { /* of rules-index.tsv */
	char *id, *path;
	bool loaded;
};

struct loading {
	struct corpus *c;
	struct index_row *rows;
	size_t n;
	struct buf problems; /* "FILE\tLINE\tTEXT\n" of what was refused */
};

static void add_row(void *arg, char **column)
{
	struct loading *l = arg;
	char path[4096];

	snprintf(path, sizeof path, "%s/rules/%s", l->c->folder, column[1]);
	if (access(path, R_OK)) /* the list names more trees than the corpus has */
		return;
	l->rows = xrealloc(l->rows, l->n + 1, sizeof *l->rows);
	l->rows[l->n++] = (struct index_row){.id = xstrdup(column[0]), .path = xstrdup(column[1])};
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	struct loading *l = arg;

	if (!p->warning)
		buf_printf(&l->problems, "%s:%d: %s\n", p->file, p->line, p->text);
}

static void reason_of(const struct loading *l, const char *path, char to[static 400])
{
	const char *at = strstr(buf_text(&l->problems), path);

	snprintf(to, 400, "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
}

static void check_loading(struct loading *l)
{
	struct corpus *c = l->c;
	size_t loaded = 0, refused = 0, no_source = 0, unknown = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct rule *r = ruleset_find(c->rs, l->rows[i].id);
		bool source = r && !c->rs->rules[r->index]->no_source;
		const char *what = !r ? "refused" : "no-source";
		char reason[400] = "its logsource is no event log";
		struct known *k;

		refused += !r;
		no_source += r && !source;
		loaded += source;
		if (source)
			continue;
		k = known_of(c, l->rows[i].id, what);
		if (!r)
			reason_of(l, l->rows[i].path, reason);
		if (k)
			k->seen++;
		unknown += !k;
		if (!k || !r)
			printf("       %s: %s\n", what, r || !*reason ? l->rows[i].path : reason);
	}
	say(c, unknown == 0 && loaded + refused + no_source == l->n, "rules", "%zu: %zu evaluated, %zu without a source, %zu refused, %zu of"
		" them not expected", l->n, loaded, no_source, refused, unknown);
}

static void pair_rules(struct corpus *c)
{
	size_t n = ruleset_count(c->rs), lost = 0, only = 0;

	c->naive_of = xcalloc(n + 1, sizeof *c->naive_of);
	c->ever = xcalloc(n + 1, sizeof *c->ever);
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = ruleset_rule(c->rs, i);
		size_t k = naive_find(c->naive, r->file, r->line);

		c->naive_of[i] = k;
		if (k != SIZE_MAX && !naive_rule(c->naive, k)->refused)
			continue;
		lost++;
		printf("       loaded, but refused by the naive evaluator: %s: %s\n", r->file, k == SIZE_MAX ? "not found" : naive_rule(c->naive,
			k)->refused);
	}
	for (size_t i = 0; i < naive_count(c->naive); i++) {
		const struct naive_rule *r = naive_rule(c->naive, i);

		if (r->refused || ruleset_find(c->rs, r->id))
			continue;
		only++;
		printf("       refused, but read by the naive evaluator: %s\n", r->file);
	}
	say(c, lost + only == 0, "both evaluators load the same rules", "%zu differ", lost + only);
}

static void load(struct corpus *c, const char *tables)
{
	struct loading l = {.c = c};
	char path[4096], rules[4096];
	const char *folders[] = {rules};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = tables};
	struct err e;
	struct buf b;
	int64_t before = clock_cpu_us();

	snprintf(rules, sizeof rules, "%s/rules", c->folder);
	snprintf(path, sizeof path, "%s/rules-index.tsv", c->folder);
	buf_init(&l.problems, 16u << 20);
	must_read(path, &b);
	each_row(&b, 2, &l, add_row);
	buf_free(&b);
	c->rs = ruleset_load(&o, on_problem, &l, &e);
	c->naive = naive_new(NULL, NULL, 0);
	if (!c->rs || naive_read(c->naive, rules, &e)) {
		fprintf(stderr, "check-corpus: %s\n", e.text);
		exit(2);
	}
	naive_ready(c->naive);
	c->m = matcher_new(c->rs);
	printf("       loaded by both in %.2f s\n", (double)(clock_cpu_us() - before) / 1e6);
	check_loading(&l);
	pair_rules(c);
	for (size_t i = 0; i < l.n; i++) {
		free(l.rows[i].id);
		free(l.rows[i].path);
	}
	free(l.rows);
	buf_free(&l.problems);
}

/* -- (b) the regression cases -- */

struct cases {
	struct corpus *c;
	size_t n, passed;
};

static void one_case(void *arg, char **column)
{
	struct cases *x = arg;
	const struct matches *m = &x->c->found;
	unsigned long least = strtoul(column[5], NULL, 10), held = 0;
	char file[200];

	snprintf(file, sizeof file, "%s.xml", column[1]);
	for (size_t i = 0; i < m->n; i++)
		held += strcmp(m->at[i].file, file) == 0 && strcmp(m->at[i].rule, column[1]) == 0;
	x->n++;
	x->passed += held >= least;
	if (held < least)
		printf("       failed: %s (%s): %lu of at least %lu\n", column[0], column[1], held, least);
}

static void check_regression(struct corpus *c)
{
	struct cases x = {.c = c};
	char path[4096];
	struct buf b;

	snprintf(path, sizeof path, "%s/regression/expectations.tsv", c->folder);
	must_read(path, &b);
	each_row(&b, 6, &x, one_case);
	buf_free(&b);
	say(c, x.n && x.passed == x.n, "regression cases", "%zu of %zu", x.passed, x.n);
}

/* The two folders of events, each with the matches of the reference. */
static void run(struct corpus *c)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/regression", c->folder);
	run_folder(c, path);
	check_regression(c);
	check_reference(c, "regression", "regression-matches.tsv");
	matches_free(&c->found);
	snprintf(path, sizeof path, "%s/samples", c->folder);
	run_folder(c, path);
	check_reference(c, "samples", "samples-matches.tsv");
	matches_free(&c->found);
	say(c, c->events && c->differ == 0, "(rule, event) pairs that differ", "%zu (%zu rules, %zu events of %zu files)", c->differ,
	    ruleset_count(c->rs), c->events, c->files);
	check_aimed(c);
	say(c, naive_gave_up(c->naive) == 0, "searches that PCRE2 gave up", "%zu", naive_gave_up(c->naive));
}

/* What is known, summed up by its reason; rows for which there was no case any more. */
static void show_classes(const struct corpus *c)
{
	for (size_t i = 0; i < c->n_known; i++) {
		const struct known *k = &c->known[i];
		size_t seen = 0, rules = 0;
		bool first = true;

		for (size_t j = 0; j < c->n_known; j++) {
			const struct known *other = &c->known[j];

			if (strcmp(other->reason, k->reason) != 0 || strcmp(other->what, k->what) != 0)
				continue;
			first = first && j >= i;
			seen += other->seen;
			rules += other->seen > 0;
			if (j == i && !k->seen)
				printf("       not met any more: %s %s\n", k->rule, k->what);
		}
		if (first)
			printf("%-6s %s: %zu of %zu rules; %s\n", k->label, k->what, seen, rules, k->reason);
	}
}

int main(int argc, char **argv)
{
	struct corpus c = {.folder = argc == 4 ? argv[3] : NULL};
	struct stat st;
	char path[4096];
	struct buf b;

	if (argc != 4 || stat(c.folder, &st) || !S_ISDIR(st.st_mode)) {
		fprintf(stderr, "usage: make check-corpus CORPUS=DIR\n  DIR has rules/, rules-index.tsv, regression/, samples/ and reference/\n");
		return 3;
	}
	snprintf(path, sizeof path, "%s/known.tsv", argv[2]);
	must_read(path, &b);
	each_row(&b, 4, &c, add_known);
	buf_free(&b);
	load(&c, argv[1]);
	check_vectors(&c);
	check_examples(&c, argv[1]);
	run(&c);
	show_classes(&c);
	for (size_t i = 0; i < c.n_known; i++) {
		free(c.known[i].rule);
		free(c.known[i].what);
		free(c.known[i].label);
		free(c.known[i].reason);
	}
	free(c.known);
	free(c.naive_of);
	free(c.ever);
	matcher_free(c.m);
	naive_free(c.naive);
	ruleset_free(c.rs);
	printf("%s\n", c.failed ? "check-corpus: NOT OK" : "check-corpus: ok");
	return c.failed ? 1 : 0;
}
