/* diagnose.c - `evmend diagnose`: facts, verdict, notes and plan of a configured host; changes nothing.
 *
 * Promises: the very facts and the very plan that the agent would use, and what its policy would say. Exit code 0 when all is
 * well, 1 when something is wrong, 4 when a host cannot be read. Refuses hosts that are not configured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/diagnose.h"
#include "cli/host_verbs.h"
#include "cli/report.h"
#include "cli/rules_home.h"
#include "cli/verbs.h"
#include "heal/chart.h"

#define EVENT_PATHS 64

/* What the policy would say, as far as it can be known without asking the host's lock. */
int diagnose_policy(const struct config *config, const struct host_config *h, const struct diagnosis *d,
	const struct clock *clock,
	struct policy_decision *to, struct err *e)
{
	const char *group[CONFIG_HOSTS];
	struct policy_input in = {.config = &config->policy, .mode = host_verbs_mode(config, h), .d = d, .now = clock_wall(clock), .busy = TRI_NO,
		.group_hosts = group, .n_group = host_verbs_group(config, h, group)};
	struct chart_texts *texts = xcalloc(1, sizeof(*texts));
	struct err none;
	struct db *db = agent_heal_db(config, DB_READ, &none);
	int r = db ? chart_policy_input(db, in.now, h->name, d, &in, texts, e) : 0;

	if (r == 0)
		policy_decide(&in, h->name, to);
	db_close(db);
	free(texts);
	return r;
}

int diagnose_code(const struct diagnosis *d)
{
	const struct verdict *v = &d->verdict;
	bool well = v->healthy && d->plan.n == 0 && !v->smtp_open;

	for (size_t i = 0; i < v->n_notes; i++)
		well = well && v->notes[i].cause == NULL && strcmp(v->notes[i].name, "LOCAL_443_STALE") != 0;
	return well || strcmp(v->name, "NOT_APPLICABLE") == 0 ? 0 : ERR_FINDINGS;
}

int diagnose_one(struct cli *c, const struct config *config, const struct host_config *h, struct err *e)
{
	const char *paths[EVENT_PATHS];
	size_t n = cli_values(c, "--events", paths, EVENT_PATHS);
	struct diagnosis *d = xcalloc(1, sizeof(*d));
	struct policy_decision decision = {.why = ""};
	struct suspicion s;
	struct host *host = NULL;
	int64_t limit = config->policy.step_limit;
	int code = -1;

	if (host_verbs_suspicion(c, config, h, paths, n, &s, e) == 0 && (host = host_verbs_open(config, h, &c->clock, e)) != NULL &&
	    diagnose(remedies[0], host, &c->clock, clock_monotonic(&c->clock) + 2 * limit, &s, d, e) == 0 &&
	    diagnose_policy(config, h, d, &c->clock, &decision, e) == 0 && host_verbs_print(c, d, h->name, &decision, e) == 0)
		code = diagnose_code(d);
	if (host)
		host->ops->close(host);
	free(d);
	return code;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = {.code = ERR_NONE};
	struct config *config;
	const struct host_config *h;
	int code;

	if (cli_has(c, "--from"))
		return argc || cli_has(c, "--all") || cli_has(c, "--config") ?
			cli_usage(c, "--from FOLDER stands alone: no HOST, no --all, no configuration") :
			diagnose_from(c, cli_value(c, "--from", ""));
	if (cli_has(c, "--host") || c->at_given)
		return cli_usage(c, "--host and --at are for --from FOLDER: a live host is read now");
	if (cli_has(c, "--all") == (argc == 1))
		return cli_usage(c, argc == 1 ? "either HOST or --all" : "which host? HOST, or --all");
	config = agent_config(c, &e);
	if (config == NULL)
		return cli_fail(c, &e);
	if (argc == 0) {
		code = diagnose_all(c, config);
	} else {
		h = host_verbs_find(config, argv[0], &e);
		code = h ? diagnose_one(c, config, h, &e) : -1;
		if (code < 0)
			code = cli_fail(c, &e);
	}
	config_free(config);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--all", 0, CLI_FLAG, NULL, "every configured host, and which front end reaches which back end"},
	{"--from", 0, CLI_VALUE, "FOLDER", "a folder of facts taken on a server (docs/offline.md) instead of a live host"},
	{"--host", 0, CLI_VALUE, "FQDN", "with --from: whose facts these are, when the folder does not say it"},
	{"--events", 0, CLI_VALUE, "PATH", "events to consider for the notes; may be repeated"},
	CLI_OPTIONS_REPORT, CLI_OPTION_RULES, CLI_OPTION_TABLES, CLI_OPTION_END,
};

const struct cli_verb verb_diagnose = {
	.name = "diagnose", .summary = "read a host: facts, verdict, notes and plan; changes nothing", .usage = "HOST | --all | --from FOLDER [-c FILE]",
	.help = "Reads the host through the program that the configuration names for it, says what is wrong and what would be done "
	"about it,\n"
		"and what the policy says to that. Nothing is changed. Exit code 0: all is well; 1: something is wrong; 4: the host cannot be\n"
		"read.\n"
		"With --from the facts are those of a folder, as of its time (or --at): the same verdict and plan as on the server; what the\n"
		"folder does not say is unknown, and named. It needs no configuration.\n",
	.example = "evmend diagnose ex1.contoso.example -c config.yaml\nevmend diagnose --all --json\nevmend diagnose --from ex1-facts",
	.options = options, .min_args = 0, .max_args = 1, .flags = CLI_TAKES_AT, .run = run,
};
