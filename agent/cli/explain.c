/* explain.c - `evmend explain CASE`: the whole chain from the events to the proof.
 *
 * Promises: every line comes from what was stored when it happened: findings from the spool, the rest from the ledger; nothing is made
 * up afterwards. Refuses nothing; what the spool no longer has is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "heal/ledger.h"
#include "ship/spool.h"

#define FINDINGS 20 /* printed; the rest is counted */

struct telling {
	struct cli *c;
	const struct heal_case *k;
	size_t findings;
	int depth;
};

static void tell(struct telling *t, const char *key, const struct json *v);

static int tell_each(void *arg, const char *key, const struct json *v)
{
	struct telling *t = arg;

	tell(t, key, v);
	return 0;
}

static void tell(struct telling *t, const char *key, const struct json *v)
{
	const struct cli *c = t->c;

	if (json_is_object(v)) {
		if (key)
			cli_print(c, CLI_PLAIN, "%*s%s\n", 2 * t->depth, "", key);
		t->depth++;
		json_each(v, tell_each, t);
		t->depth--;
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_len(v); i++)
			tell(t, key, json_at(v, i));
	} else if (json_is_string(v)) {
		if (*json_str(v, ""))
			cli_print(c, CLI_PLAIN, "%*s%-14s %s\n", 2 * t->depth, "", key ? key : "-", json_str(v, ""));
	} else if (!json_is_null(v) && json_int(v, -1) == json_int(v, -2)) {
		cli_print(c, CLI_PLAIN, "%*s%-14s %lld\n", 2 * t->depth, "", key ? key : "-", (long long)json_int(v, 0));
	} else if (!json_is_null(v)) {
		cli_print(c, CLI_PLAIN, "%*s%-14s %s\n", 2 * t->depth, "", key ? key : "-", json_bool(v, false) ? "yes" : "no");
	}
}

static void raw_line(const char *kind, const char *json, size_t n)
{
	printf("{\"v\":1,\"kind\":\"explain\",\"%s\":%.*s}\n", kind, (int)n, json);
}

static void tell_evidence(struct cli *c, const struct json *list)
{
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *v = json_at(list, i);

		cli_print(c, CLI_DIM, "      event %lld of %s, record %lld, %s, %s\n", (long long)json_int(json_get(v, "event_id"), 0),
			json_str(json_get(v, "provider"), "?"), (long long)json_int(json_get(v, "record_id"), 0), json_str(json_get(v, "time"), "?"),
			json_str(json_get(v, "source"), "?"));
	}
}

/* A finding of the spool, when it is about this case. */
static int on_record(void *arg, const struct spool_record *r)
{
	struct telling *t = arg;
	struct json *j = r->kind == RECORD_FINDING ? json_parse(r->json, r->n, NULL) : NULL;
	const struct json *rule = json_get(j, "rule");

	if (!j || !text_same(json_str(json_get(j, "host"), ""), t->k->host) ||
	    strcmp(json_str(json_get(j, "cause"), ""), case_causes[t->k->cause]) != 0) {
		json_free(j);
		return 0;
	}
	if (++t->findings <= FINDINGS && t->c->json)
		raw_line("finding", r->json, r->n);
	else if (t->findings <= FINDINGS) {
		cli_print(t->c, CLI_PLAIN, "  %s  %s: %s (%lld events)\n", json_str(json_get(j, "time"), "?"), json_str(json_get(j, "level"), ""),
			json_str(json_get(rule, "title"), "?"), (long long)json_int(json_get(j, "count"), 1));
		if (*json_str(json_get(j, "hint"), ""))
			cli_print(t->c, CLI_PLAIN, "    %s\n", json_str(json_get(j, "hint"), ""));
		tell_evidence(t->c, json_get(j, "evidence"));
	}
	json_free(j);
	return 0;
}

static int on_ledger(void *arg, const struct ledger_record *r)
{
	struct telling *t = arg;
	char when[32];
	struct json *j;

	if (r->case_id != t->k->id)
		return 0;
	if (t->c->json) {
		struct buf b;

		buf_init(&b, 1u << 20);
		buf_printf(&b, "{\"seq\":%lld,\"time\":\"%s\",\"kind\":\"%s\",\"body\":%s}", (long long)r->seq, time_text(r->time, when), r->kind, r->body);
		raw_line("ledger", b.p, b.n);
		buf_free(&b);
		return 0;
	}
	cli_print(t->c, CLI_BOLD, "  %s  %s  (ledger %lld)\n", time_text(r->time, when), r->kind, (long long)r->seq);
	j = json_parse(r->body, strlen(r->body), NULL);
	t->depth = 1;
	if (j)
		tell(t, NULL, j);
	json_free(j);
	return 0;
}

static int explain(struct cli *c, const struct config *config, struct db *d, const struct heal_case *k, struct err *e)
{
	struct telling t = { .c = c, .k = k };
	struct spool *spool = spool_look(config->state_dir, e);

	if (!c->json) {
		cli_print(c, CLI_BOLD, "Case %lld: %s on %s, %s\n", (long long)k->id, case_causes[k->cause], k->host, case_state_text(k->state));
		cli_print(c, CLI_BOLD, "\nWhat was seen\n");
	}
	if (spool && spool_each(spool, on_record, &t, e) < 0) {
		spool_close(spool);
		return -1;
	}
	spool_close(spool);
	if (!c->json && !t.findings)
		cli_print(c, CLI_PLAIN, "  %s\n", k->count ? "the findings are older than what the spool keeps; the SIEM has them" :
			"no event: the diagnosis by the clock found it");
	if (!c->json && t.findings > FINDINGS)
		cli_print(c, CLI_PLAIN, "  and %zu more\n", t.findings - FINDINGS);
	if (!c->json)
		cli_print(c, CLI_BOLD, "\nWhat was decided and done\n");
	return ledger_each(d, 1, on_ledger, &t, e) < 0 ? -1 : 0;
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
		got = explain(c, config, d, k, &e);
	db_close(d);
	config_free(config);
	free(k);
	return got < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option options[] = { CLI_OPTION_CONFIG, CLI_OPTION_END };

const struct cli_verb verb_explain = {
	.name = "explain", .summary = "the whole chain of a case: events, rule, facts, plan, policy, steps, proof", .usage = "CASE -c FILE",
	.help = "Told from what was stored when it happened: findings in the spool, everything else in the ledger.\n",
	.example = "evmend explain 17 -c config.yaml", .options = options, .min_args = 1, .max_args = 1, .run = run,
};
