/* approve.c - `evmend approve`, `close` and `hold`: a person decides.
 *
 * Promises: the running agent is asked; without one its database is written under its lock, and the agent finds the decision when
 * it starts. Each decision is in the ledger with who made it, an approval with the plan that was read. Refuses what the policy or
 * the state of the case does not allow (exit code 6). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "heal/chart.h"

#define HOLD_MOST (400 * US_DAY)

struct decision {
	const char *verb;
	int64_t case_id;      /* approve, close */
	uint8_t plan_id[32];  /* approve: what the person was shown, or named */
	const char *host;     /* hold; NULL: every host */
	const char *reason;
	bool on;
	int64_t until;        /* hold: 0: no end of its own */
};

static void question_of(const struct decision *d, struct buf *q)
{
	char hex[65], when[32];

	agent_member(q, "do", d->verb);
	if (d->case_id)
		buf_printf(q, ",\"case\":%lld", (long long)d->case_id);
	if (!strcmp(d->verb, "approve")) {
		text_hex(hex, d->plan_id, 32);
		agent_member(q, "plan", hex);
	}
	agent_member(q, "host", d->host);
	agent_member(q, "reason", d->reason);
	agent_member(q, "via", "command line");
	agent_member(q, "until", d->until ? time_text(d->until, when) : NULL);
	if (!strcmp(d->verb, "hold"))
		buf_printf(q, ",\"on\":%s", d->on ? "true" : "false");
}

/* No agent runs: the same decision, written where the agent will find it. */
static int decide_alone(struct cli *c, const struct config *config, const struct decision *d, struct err *e)
{
	int64_t now = clock_wall(&c->clock);
	char actor[64];
	struct approval a = { .case_id = d->case_id, .actor = actor, .via = "command line, no agent running", .until = d->until };
	int did = -1, lock = agent_lock(config, e);
	struct db *db = lock < 0 ? NULL : agent_heal_db(config, DB_WRITE, e);

	memcpy(a.plan_id, d->plan_id, 32);
	snprintf(actor, sizeof actor, "uid %u, pid %d", os_uid(), os_pid());
	if (db && !strcmp(d->verb, "approve"))
		did = control_approve(db, now, &a, config->policy.approval_life, e);
	else if (db && !strcmp(d->verb, "close"))
		did = control_close(db, now, d->case_id, actor, d->reason, e);
	else if (db)
		did = control_hold(db, now, d->host, d->on, d->until, actor, d->reason, e);
	db_close(db);
	if (lock >= 0)
		os_file.close(lock);
	return did;
}

/* 0 done, else the exit code. *alone: no agent runs. */
static int decide(struct cli *c, const struct decision *d, bool *alone)
{
	struct err e = { 0 };
	struct config *config = agent_config(c, &e);
	struct json *answer = NULL;
	struct buf q;
	int asked = -1;

	buf_init(&q, CONTROL_LINE);
	question_of(d, &q);
	if (config)
		asked = agent_ask(c, config, &q, &answer, &e);
	*alone = asked == 0;
	if (asked == 0)
		asked = decide_alone(c, config, d, &e) < 0 ? -1 : 1;
	buf_free(&q);
	json_free(answer);
	config_free(config);
	return asked < 0 || e.code ? cli_fail(c, &e) : 0;
}

static void say_done(struct cli *c, const struct decision *d, bool alone, const char *text)
{
	if (c->json) {
		struct buf b;
		struct json_out o;
		char hex[65];

		buf_init(&b, 4096);
		json_begin(&o, &b);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_str(&o, "kind", d->verb);
		if (d->case_id)
			json_put_int(&o, "case", d->case_id);
		if (!strcmp(d->verb, "approve")) {
			text_hex(hex, d->plan_id, 32);
			json_put_str(&o, "plan", hex);
		}
		json_put_time(&o, "until", d->until);
		json_put_bool(&o, "agent", !alone);
		json_put_str(&o, "text", text);
		json_close(&o, '}');
		printf("%s\n", buf_text(&b));
		buf_free(&b);
		return;
	}
	cli_print(c, CLI_GREEN, "%s\n", text);
	if (alone)
		cli_note(c, "no agent runs on this state_dir; the next one finds it");
}

/* ---- approve ---- */

static void show_plan(struct cli *c, const struct heal_case *k, const struct json *plan)
{
	const struct json *steps = json_get(plan, "steps");
	char hex[65];

	text_hex(hex, k->plan_id, 32);
	cli_print(c, CLI_BOLD, "Plan %.12s of case %lld, %s (%s)\n", hex, (long long)k->id, k->host, k->verdict);
	for (size_t i = 0; i < json_len(steps); i++) {
		const struct json *s = json_at(steps, i);

		cli_print(c, CLI_PLAIN, "  %zu. %s\n     undo: %s\n", i + 1, json_str(json_get(s, "what"), ""),
			json_str(json_get(s, "undo"), ""));
	}
	if (!json_len(steps))
		cli_print(c, CLI_YELLOW, "  its steps are in no diagnosis of the ledger; 'evmend diagnose %s' shows them\n", k->host);
}

/* The plan that this approval is for: --plan, which must be the case's own, else the case's own, which is shown. A case without a
 * plan is refused by whoever is asked. */
static int plan_of(struct cli *c, const struct heal_case *k, struct db *db, struct decision *d, struct err *e)
{
	const char *wanted = cli_value(c, "--plan", NULL);
	struct json *plan = NULL;
	char hex[65];

	if (!k->has_plan)
		return 0;
	memcpy(d->plan_id, k->plan_id, 32);
	text_hex(hex, k->plan_id, 32);
	if (wanted) {
		if (strlen(wanted) < 8 || strlen(wanted) > 64 || !text_same_n(wanted, strlen(wanted), hex, strlen(wanted)))
			return err_set(e, ERR_REFUSED, "the plan of case %lld is %.12s now, not %.64s (at least 8 digits); read it again: "
				"'evmend case %lld'", (long long)k->id, hex, wanted, (long long)k->id);
		return 0;
	}
	if (c->json || c->quiet)
		return 0;
	if (chart_plan(db, k->host, k->plan_id, &plan, e) < 0)
		return -1;
	show_plan(c, k, json_get(plan, "plan"));
	json_free(plan);
	return 0;
}

static int run_approve(struct cli *c, int argc, char **argv)
{
	struct decision d = { .verb = "approve" };
	struct heal_case *k = xcalloc(1, sizeof *k);
	struct config *config = NULL;
	struct db *db = NULL;
	struct err e = { 0 };
	char text[160], hex[65];
	bool alone;
	int code = agent_case(c, argv[0], &config, &db, k, &e) < 0 || plan_of(c, k, db, &d, &e) < 0 ? -1 : 0;

	(void)argc;
	db_close(db);
	config_free(config);
	d.case_id = k->id;
	free(k);
	if (code < 0)
		return cli_fail(c, &e);
	code = decide(c, &d, &alone);
	text_hex(hex, d.plan_id, 32);
	snprintf(text, sizeof text, "case %lld: its plan %.12s is approved, once", (long long)d.case_id, hex);
	if (!code)
		say_done(c, &d, alone, text);
	return code;
}

static int run_close(struct cli *c, int argc, char **argv)
{
	struct decision d = { .verb = "close", .reason = cli_value(c, "--reason", NULL) };
	struct err e = { 0 };
	char text[128];
	bool alone;
	int code;

	(void)argc;
	if (!d.reason || !*d.reason)
		return cli_usage(c, "why? --reason TEXT goes into the ledger");
	if (agent_case_id(argv[0], &d.case_id, &e) < 0)
		return cli_fail(c, &e);
	code = decide(c, &d, &alone);
	snprintf(text, sizeof text, "case %lld is closed; a later finding opens a new one", (long long)d.case_id);
	if (!code)
		say_done(c, &d, alone, text);
	return code;
}

/* What is held still, or still again: by a hold of its own, or of every host. */
static void still_held(struct cli *c)
{
	struct err e;
	struct config *config = agent_config(c, &e);
	struct db *db = config ? agent_heal_db(config, DB_READ, &e) : NULL;
	char why[200];

	for (size_t i = 0; db && i < config->n_hosts; i++)
		if (hold_active(db, clock_wall(&c->clock), config->hosts[i].name, NULL, why, &e) == 1)
			cli_note(c, "%s is still %s", config->hosts[i].name, why);
	db_close(db);
	config_free(config);
}

static int run_hold(struct cli *c, int argc, char **argv)
{
	struct decision d = { .verb = "hold", .host = argc ? argv[0] : NULL, .on = !cli_has(c, "--off"),
		.reason = cli_value(c, "--reason", NULL) };
	const char *who = d.host ? d.host : "every host", *name = d.host ? d.host : "";
	struct err e = { 0 };
	char text[800], when[32];
	bool alone;
	int code;

	if (agent_until(c, HOLD_MOST, &d.until, &e) < 0)
		return cli_usage(c, "%s", e.text);
	if (!d.on && d.until)
		return cli_usage(c, "--off ends a hold now; --for and --until begin one");
	if (d.on && (!d.reason || !*d.reason))
		return cli_usage(c, "why? --reason TEXT goes into the ledger");
	if (!d.reason)
		d.reason = "";
	code = decide(c, &d, &alone);
	if (d.on)
		snprintf(text, sizeof text, "%s: nothing is changed until %s%s`evmend hold %s%s--off`", who,
			d.until ? time_text(d.until, when) : "", d.until ? ", or " : "", name, d.host ? " " : "");
	else
		snprintf(text, sizeof text, "%s: the hold has ended", who);
	if (!code)
		say_done(c, &d, alone, text);
	if (!code && !d.on)
		still_held(c);
	return code;
}

static const struct cli_option with_plan[] = {
	CLI_OPTION_CONFIG,
	{"--plan", 0, CLI_VALUE, "ID", "only this plan, as it was read (at least 8 digits)"},
	CLI_OPTION_END,
};
static const struct cli_option with_reason[] = {
	CLI_OPTION_CONFIG,
	{"--reason", 'm', CLI_VALUE, "TEXT", "why; kept in the ledger"},
	CLI_OPTION_END,
};
static const struct cli_option hold_options[] = {
	CLI_OPTION_CONFIG,
	{"--reason", 'm', CLI_VALUE, "TEXT", "why; kept in the ledger"},
	{"--for", 0, CLI_VALUE, "SPAN", "it ends by itself after this time: 90m, 2h"},
	{"--until", 0, CLI_VALUE, "TIME", "it ends by itself at this time: 2026-03-01T22:00:00Z"},
	{"--off", 0, CLI_FLAG, NULL, "end the hold"},
	CLI_OPTION_END,
};

const struct cli_verb verb_approve = {
	.name = "approve", .summary = "permit the plan of a case, once", .usage = "CASE [--plan ID] -c FILE",
	.help = "Shows the plan of the case and approves that plan, no other: when the facts have changed meanwhile, it is refused. It\n"
		"holds for times.approval; the facts are read again before anything is done. --plan names the plan that was read\n"
		"elsewhere.\n",
	.example = "evmend approve 17 -c config.yaml\nevmend approve 17 --plan 3fa1c09be277", .options = with_plan, .min_args = 1,
	.max_args = 1, .run = run_approve,
};
const struct cli_verb verb_close = {
	.name = "close", .summary = "close a case", .usage = "CASE --reason TEXT -c FILE",
	.help = "For a case that needs nothing more. A later finding opens a new one that names it.\n",
	.example = "evmend close 17 --reason \"planned work, CHG-1234\" -c config.yaml",
	.options = with_reason, .min_args = 1, .max_args = 1, .run = run_close,
};
const struct cli_verb verb_hold = {
	.name = "hold", .summary = "change nothing on a host, or on any, until the hold ends",
	.usage = "[HOST] --reason TEXT [--for SPAN | --until TIME] | --off",
	.help = "Diagnoses go on, repairs do not start. A step that is under way is finished. With --for or --until it ends by itself,\n"
		"and the ledger says so.\n",
	.example = "evmend hold ex1.contoso.example --for 2h --reason \"patch day\"\nevmend hold ex1.contoso.example --off",
	.options = hold_options, .max_args = 1, .run = run_hold,
};
