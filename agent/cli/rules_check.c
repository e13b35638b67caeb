/* rules_check.c - `evmend rules check`: every problem of every rule, with its place and what to write instead.
 *
 * Promises: the problems of a file stand together, in the order of its lines; the same in all three forms (text, --json, --sarif).
 * Refuses: nothing; a file that cannot be read is a problem like any other. */
#include "cli/rules_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"

static const char *copy(const struct problem_list *all, const char *s)
{
	return s ? arena_copy(all->arena, s, strlen(s)) : NULL;
}

static void keep_problem(void *arg, const struct rule_problem *p)
{
	struct problem_list *all = arg;
	struct rule_problem *kept;

	if (all->n == all->cap) {
		all->cap = all->cap ? 2 * all->cap : 64;
		all->list = xrealloc(all->list, all->cap, sizeof *all->list);
	}
	all->list[all->n] = *p;
	kept = &all->list[all->n++];
	kept->file = copy(all, p->file);
	kept->text = copy(all, p->text);
	kept->id = copy(all, p->id);
	kept->name = copy(all, p->name);
	kept->title = copy(all, p->title);
	*(p->warning ? &all->warnings : &all->errors) += 1;
}

static int by_place(const void *a, const void *b)
{
	const struct rule_problem *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	if (order == 0)
		order = (x->column > y->column) - (x->column < y->column);
	return order ? order : strcmp(x->text, y->text);
}

static void print_text(const struct cli *c, const struct rule_problem *p)
{
	cli_print(c, CLI_PLAIN, "%s:%d:%d: ", p->file, p->line, p->column);
	cli_print(c, p->warning ? CLI_YELLOW : CLI_RED, p->warning ? "warning: " : "error: ");
	cli_print(c, CLI_PLAIN, "%s", p->text);
	cli_print(c, CLI_DIM, " [%s]\n", lint_kinds[p->lint].id);
}

static void print_json(const struct rule_problem *p)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 16);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule-problem");
	json_put_str(&o, "check", lint_kinds[p->lint].id);
	rule_put_of(&o, "rule", p);
	json_put_str(&o, "file", p->file);
	json_put_int(&o, "line", p->line);
	json_put_int(&o, "column", p->column);
	json_put_str(&o, "severity", p->warning ? "warning" : "error");
	json_put_str(&o, "text", p->text);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void print_all(struct cli *c, const struct problem_list *all)
{
	struct buf b;

	if (cli_has(c, "--sarif")) {
		buf_init(&b, 256u << 20);
		rules_sarif(all, &b);
		printf("%s\n", buf_text(&b));
		buf_free(&b);
		return;
	}
	for (size_t i = 0; i < all->n; i++)
		if (c->json)
			print_json(&all->list[i]);
		else if (!c->quiet || !all->list[i].warning)
			print_text(c, &all->list[i]);
	if (c->json)
		printf("{\"v\":1,\"kind\":\"summary\",\"rules\":%zu,\"refused\":%zu,\"errors\":%zu,\"warnings\":%zu}\n", all->rules, all->refused,
			all->errors, all->warnings);
	else
		cli_print(c, CLI_PLAIN, "%zu rule%s loaded, %zu refused; %zu error%s, %zu warning%s\n", all->rules, PLURAL(all->rules),
			all->refused, all->errors, PLURAL(all->errors), all->warnings, PLURAL(all->warnings));
}

int rules_check(struct cli *c, struct arena *a, int argc, char **argv)
{
	struct problem_list all = {.arena = a};
	struct ruleset_options o;
	struct ruleset *rs;
	struct err e;

	if (c->json && cli_has(c, "--sarif"))
		return cli_usage(c, "--json and --sarif are two forms of the same; give one of them");
	if (rules_home(c, a, &o, &e) != 0)
		return cli_fail(c, &e);
	if (argc > 0) {
		const char **folders = arena_alloc(a, (size_t)argc * sizeof *folders);

		for (int i = 0; i < argc; i++)
			folders[i] = argv[i];
		o.folders = folders;
		o.n_folders = (size_t)argc;
	}
	o.lint = true;
	rs = ruleset_load(&o, keep_problem, &all, &e);
	if (!rs) {
		free(all.list);
		return cli_fail(c, &e);
	}
	if (all.n)
		qsort(all.list, all.n, sizeof *all.list, by_place);
	all.rules = ruleset_count(rs);
	all.refused = ruleset_refused(rs);
	ruleset_free(rs);
	print_all(c, &all);
	free(all.list);
	return all.errors || all.refused || (all.warnings && cli_has(c, "--strict")) ? ERR_RULES : ERR_NONE;
}
