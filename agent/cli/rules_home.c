/* rules_home.c - which rules a verb works with.
 *
 * Promises the same answer for every verb: --rules and --tables where given, else what came with the program. Refuses to go on
 * without any rule. */
#include "cli/rules_home.h"

#include <stdio.h>

#include "proc/config.h"

#define FOLDERS 64

int rules_home(struct cli *c, struct arena *a, struct ruleset_options *o, struct err *e)
{
	const char **folders = arena_alloc(a, FOLDERS * sizeof *folders);
	const char *home = config_rules_home(a);

	*o = (struct ruleset_options){.may_wait = true};
	o->n_folders = cli_values(c, "--rules", folders, FOLDERS);
	o->tables = cli_value(c, "--tables", home);
	if (o->n_folders == 0 && home)
		folders[o->n_folders++] = home;
	o->folders = folders;
	if (o->n_folders == 0)
		return err_set(e, ERR_USAGE, "no rules are installed beside the program; name a folder with --rules");
	if (!o->tables)
		return err_set(e, ERR_USAGE, "no tables are installed beside the program; name the folder of logsources.yml with --tables");
	return 0;
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	if (!p->warning)
		cli_note(arg, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
}

struct ruleset *rules_home_load(struct cli *c, struct arena *a, struct err *e)
{
	struct ruleset_options o;
	struct ruleset *rs;

	if (rules_home(c, a, &o, e) != 0)
		return NULL;
	rs = ruleset_load(&o, on_problem, c, e);
	if (rs && c->quiet && ruleset_refused(rs))
		cli_warn(c, "refused rules: %zu; 'evmend rules check' tells why", ruleset_refused(rs));
	if (rs && ruleset_count(rs) == 0) {
		err_set(e, ERR_RULES, "no rule could be loaded from %s; see 'evmend rules check'", o.folders[0]);
		ruleset_free(rs);
		return NULL;
	}
	return rs;
}
