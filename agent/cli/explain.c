/* explain.c - `evmend explain CASE`: the whole chain from the events to the proof.
 *
 * Promises: every line comes from what was stored when it happened: findings from the spool, the rest from the ledger; nothing is made
 * up afterwards. --json gives the stored records themselves, one a line. Refuses nothing; what the spool no longer has is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/report_build.h"
#include "cli/verbs.h"
#include "heal/ledger.h"
#include "ship/spool.h"

static void raw_line(const char *kind, const char *json, size_t n)
{
	printf("{\"v\":1,\"kind\":\"explain\",\"%s\":%.*s}\n", kind, (int)n, json);
}

/* A finding of the spool, when it is about this case. */
static int on_record(void *arg, const struct spool_record *r)
{
	const struct heal_case *k = arg;
	struct json *j = r->kind == RECORD_FINDING ? json_parse(r->json, r->n, NULL) : NULL;

	if (j && text_same(json_str(json_get(j, "host"), ""), k->host) &&
	    strcmp(json_str(json_get(j, "cause"), ""), case_causes[k->cause]) == 0)
		raw_line("finding", r->json, r->n);
	json_free(j);
	return 0;
}

static int on_ledger(void *arg, const struct ledger_record *r)
{
	const struct heal_case *k = arg;
	char when[32];
	struct buf b;

	if (r->case_id != k->id)
		return 0;
	buf_init(&b, 1u << 20);
	buf_printf(&b, "{\"seq\":%lld,\"time\":\"%s\",\"kind\":\"%s\",\"body\":%s}", (long long)r->seq, time_text(r->time, when), r->kind, r->body);
	raw_line("ledger", b.p, b.n);
	buf_free(&b);
	return 0;
}

static int print_records(const struct config *config, struct db *d, struct heal_case *k, struct err *e)
{
	struct spool *spool = spool_look(config->state_dir, e);
	int r = spool ? spool_each(spool, on_record, k, e) : 0;

	spool_close(spool);
	return r < 0 || ledger_each(d, 1, on_ledger, k, e) < 0 ? -1 : 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct heal_case *k = xcalloc(1, sizeof *k);
	struct err e = { 0 };
	struct config *config;
	struct db *d;
	int got;

	(void)argc;
	got = agent_case(c, argv[0], &config, &d, k, &e);
	if (got == 0)
		got = c->json ? print_records(config, d, k, &e) : report_show_case(c, config, d, k, true, &e);
	db_close(d);
	config_free(config);
	free(k);
	return got < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option options[] = { CLI_OPTION_CONFIG, CLI_OPTIONS_REPORT, CLI_OPTION_END };

const struct cli_verb verb_explain = {
	.name = "explain", .summary = "the whole chain of a case: events, rule, facts, plan, policy, steps, proof",
	.usage = "CASE [--full] [--html FILE] -c FILE",
	.help = "Told from what was stored when it happened: findings in the spool, everything else in the ledger.\n",
	.example = "evmend explain 17 -c config.yaml\nevmend explain 17 --html case17.html", .options = options, .min_args = 1, .max_args = 1,
	.run = run,
};
