/* cases.c - `evmend cases` and `evmend case ID`: what is open, and everything about one.
 *
 * Promises: reads heal.db beside a running agent and changes nothing. Refuses nothing but a number that is no case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "heal/ledger.h"

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

static void print_line(const struct cli *c, const char *name, const char *value)
{
	if (value && *value)
		cli_print(c, CLI_PLAIN, "  %-12s %s\n", name, value);
}

static void print_case(const struct cli *c, const struct heal_case *k)
{
	char text[64], when[32];

	cli_print(c, CLI_BOLD, "Case %lld: %s on %s\n", (long long)k->id, case_causes[k->cause], k->host);
	cli_print(c, colour_of(k->state), "  %-12s %s\n", "state", case_state_text(k->state));
	snprintf(text, sizeof text, "%lld", (long long)k->count);
	print_line(c, "events", text);
	print_line(c, "first", k->first ? time_text(k->first, when) : "");
	print_line(c, "last", k->last ? time_text(k->last, when) : "");
	print_line(c, "reported by", k->reported_by);
	print_line(c, "asks", k->asks ? "diagnose" : "nothing");
	print_line(c, "confidence", level_text((enum rule_level)k->confidence));
	print_line(c, "verdict", k->verdict);
	print_line(c, "", k->text);
	print_line(c, "advice", k->advice);
	if (k->has_plan) {
		char hex[65];

		for (size_t i = 0; i < 32; i++)
			snprintf(hex + 2 * i, 3, "%02x", k->plan_id[i]);
		print_line(c, "plan", hex);
	}
	if (k->state == CASE_WAITING_APPROVAL) {
		snprintf(text, sizeof text, "evmend approve %lld", (long long)k->id);
		print_line(c, "approve by", text);
		print_line(c, "until", k->approval_until ? time_text(k->approval_until, when) : "");
	}
	print_line(c, "not before", k->not_before ? time_text(k->not_before, when) : "");
	if (k->reopens) {
		snprintf(text, sizeof text, "case %lld", (long long)k->reopens);
		print_line(c, "follows", text);
	}
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
	else if (got == 0) {
		print_case(c, k);
		cli_note(c, "evmend explain %lld tells how it came to this", (long long)k->id);
	}
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
static const struct cli_option case_options[] = { CLI_OPTION_CONFIG, CLI_OPTION_END };

const struct cli_verb verb_cases = {
	.name = "cases", .summary = "list the cases of the configured servers", .usage = "[--all] [--host NAME] -c FILE",
	.help = "One case is one server and one cause, however many events told of it.\n", .example = "evmend cases --all -c config.yaml",
	.options = cases_options, .max_args = 0, .run = run_cases,
};
const struct cli_verb verb_case = {
	.name = "case", .summary = "show one case", .usage = "CASE -c FILE", .help = "State, verdict, advice and plan of one case.\n",
	.example = "evmend case 17 -c config.yaml", .options = case_options, .min_args = 1, .max_args = 1, .run = run_case,
};
