/* cases.c - `evmend cases` and `evmend case ID`: what is open, and everything about one.
 *
 * Promises: reads heal.db beside a running agent and changes nothing. Refuses nothing but a number that is no case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/agent_state.h"
#include "cli/report_build.h"
#include "cli/verbs.h"

struct listing {
	struct cli *c;
	struct cli_table *table;
	size_t n;
};

static void print_json(const struct heal_case *k)
{
	struct buf b;
	struct json_out o;

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "case");
	case_store_json(&o, k);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static enum cli_colour colour_of(enum case_state s)
{
	switch (s) {
	case CASE_WAITING_APPROVAL:
	case CASE_HELD:
		return CLI_YELLOW;
	case CASE_ESCALATED:
		return CLI_RED;
	case CASE_HEALED:
		return CLI_GREEN;
	case CASE_CLOSED:
	case CASE_REFUTED:
		return CLI_DIM;
	default:
		return CLI_PLAIN;
	}
}

static int list_one(void *arg, const struct heal_case *k)
{
	struct listing *l = arg;
	char id[24], count[24], first[32], last[32];

	l->n++;
	if (l->c->json) {
		print_json(k);
		return 0;
	}
	snprintf(id, sizeof id, "%lld", (long long)k->id);
	snprintf(count, sizeof count, "%lld", (long long)k->count);
	time_text(k->first, first);
	time_text(k->last, last);
	first[19] = last[19] = '\0'; /* seconds will do */
	cli_table_row(l->table, id, case_state_text(k->state), k->host, case_causes[k->cause], count, k->first ? first : "", k->last ? last : "",
		k->verdict, (char *)NULL);
	cli_table_colour(l->table, colour_of(k->state));
	return 0;
}

static int run_cases(struct cli *c, int argc, char **argv)
{
	static const char *const headings[] = { "CASE", "STATE", "HOST", "CAUSE", "EVENTS", "FIRST", "LAST", "VERDICT", NULL };
	struct listing l = { .c = c };
	struct err e = { 0 };
	struct config *config = agent_config(c, &e);
	struct db *d = config ? agent_heal_db(config, DB_READ, &e) : NULL;
	int did = -1;

	(void)argc;
	(void)argv;
	if (d) {
		l.table = c->json ? NULL : cli_table_new(headings);
		did = case_store_each(d, cli_value(c, "--host", NULL), !cli_has(c, "--all"), list_one, &l, &e);
		if (l.table)
			cli_table_end(c, l.table);
		if (did >= 0 && !l.n)
			cli_note(c, "no case%s", cli_has(c, "--all") ? "" : " is open; --all lists the others too");
	}
	db_close(d);
	config_free(config);
	return did < 0 ? cli_fail(c, &e) : 0;
}

static int run_case(struct cli *c, int argc, char **argv)
{
	struct heal_case *k = xcalloc(1, sizeof *k);
	struct err e = { 0 };
	struct config *config;
	struct db *d;
	int got;

	(void)argc;
	got = agent_case(c, argv[0], &config, &d, k, &e);
	if (got == 0 && c->json)
		print_json(k);
	else if (got == 0)
		got = report_show_case(c, config, d, k, false, &e);
	db_close(d);
	config_free(config);
	free(k);
	return got < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option cases_options[] = {
	CLI_OPTION_CONFIG,
	{"--all", 'a', CLI_FLAG, NULL, "closed, refuted and healed ones too"},
	{"--host", 0, CLI_VALUE, "NAME", "of this host only"},
	CLI_OPTION_END,
};
static const struct cli_option case_options[] = { CLI_OPTION_CONFIG, CLI_OPTIONS_REPORT, CLI_OPTION_END };

const struct cli_verb verb_cases = {
	.name = "cases", .summary = "list the cases of the configured servers", .usage = "[--all] [--host NAME] -c FILE",
	.help = "One case is one server and one cause, however many events told of it.\n", .example = "evmend cases --all -c config.yaml",
	.options = cases_options, .max_args = 0, .run = run_cases,
};
const struct cli_verb verb_case = {
	.name = "case", .summary = "show one case", .usage = "CASE [--full] [--html FILE] -c FILE",
	.help = "Verdict, the facts that led to it, evidence, plan, what would disprove it, and what happens next.\n"
		"'explain' tells its course.\n",
	.example = "evmend case 17 -c config.yaml\nevmend case 17 --html case17.html", .options = case_options, .min_args = 1, .max_args = 1,
	.run = run_case,
};
