/* approve.c - `evmend approve`, `close` and `hold`: a person decides.
 *
 * Promises: the running agent is asked; without one its database is written under its lock, and the agent finds the decision when it
 * starts. Each decision is in the ledger with who made it. Refuses what the policy or the state of the case does not allow (exit code 6). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/agent_state.h"
#include "cli/verbs.h"

struct decision {
	const char *verb;
	int64_t case_id;      /* approve, close */
	const char *host;     /* hold; NULL: every host */
	const char *reason;
	bool on;
};

static void question_of(const struct decision *d, struct buf *q)
{
	agent_member(q, "do", d->verb);
	if (d->case_id)
		buf_printf(q, ",\"case\":%lld", (long long)d->case_id);
	agent_member(q, "host", d->host);
	agent_member(q, "reason", d->reason);
	agent_member(q, "via", "command line");
	if (!strcmp(d->verb, "hold"))
		buf_printf(q, ",\"on\":%s", d->on ? "true" : "false");
}

/* No agent runs: the same decision, written where the agent will find it. */
static int decide_alone(struct cli *c, const struct config *config, const struct decision *d, struct err *e)
{
	int64_t now = clock_wall(&c->clock);
	char actor[64];
	int did = -1, lock = agent_lock(config, e);
	struct db *db = lock < 0 ? NULL : agent_heal_db(config, DB_WRITE, e);

	snprintf(actor, sizeof actor, "uid %u, pid %d", os_uid(), os_pid());
	if (db && !strcmp(d->verb, "approve"))
		did = control_approve(db, now, d->case_id, actor, "command line, no agent running", config->policy.approval_life, e);
	else if (db && !strcmp(d->verb, "close"))
		did = control_close(db, now, d->case_id, actor, d->reason, e);
	else if (db)
		did = control_hold(db, now, d->host, d->on, actor, d->reason, e);
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

		buf_init(&b, 4096);
		json_begin(&o, &b);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_str(&o, "kind", d->verb);
		if (d->case_id)
			json_put_int(&o, "case", d->case_id);
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

static int run_approve(struct cli *c, int argc, char **argv)
{
	struct decision d = { .verb = "approve" };
	struct err e = { 0 };
	char text[128];
	bool alone;
	int code;

	(void)argc;
	if (agent_case_id(argv[0], &d.case_id, &e) < 0)
		return cli_fail(c, &e);
	code = decide(c, &d, &alone);
	snprintf(text, sizeof text, "case %lld: its plan is approved, once", (long long)d.case_id);
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

static int run_hold(struct cli *c, int argc, char **argv)
{
	struct decision d = { .verb = "hold", .host = argc ? argv[0] : NULL, .on = !cli_has(c, "--off"),
		.reason = cli_value(c, "--reason", NULL) };
	char text[400];
	bool alone;
	int code;

	if (d.on && (!d.reason || !*d.reason))
		return cli_usage(c, "why? --reason TEXT goes into the ledger");
	if (!d.reason)
		d.reason = "";
	code = decide(c, &d, &alone);
	snprintf(text, sizeof text, d.on ? "%s: nothing is changed until `evmend hold --off`" : "%s: the hold has ended", d.host ? d.host : "every host");
	if (!code)
		say_done(c, &d, alone, text);
	return code;
}

static const struct cli_option plain[] = { CLI_OPTION_CONFIG, CLI_OPTION_END };
static const struct cli_option with_reason[] = {
	CLI_OPTION_CONFIG,
	{"--reason", 'm', CLI_VALUE, "TEXT", "why; kept in the ledger"},
	CLI_OPTION_END,
};
static const struct cli_option hold_options[] = {
	CLI_OPTION_CONFIG,
	{"--reason", 'm', CLI_VALUE, "TEXT", "why; kept in the ledger"},
	{"--off", 0, CLI_FLAG, NULL, "end the hold"},
	CLI_OPTION_END,
};

const struct cli_verb verb_approve = {
	.name = "approve", .summary = "permit the plan of a case, once", .usage = "CASE -c FILE",
	.help = "The approval is for the plan that the case shows. It holds for times.approval and only while the facts are the same:\n"
		"they are read again before anything is done.\n",
	.example = "evmend approve 17 -c config.yaml", .options = plain, .min_args = 1, .max_args = 1, .run = run_approve,
};
const struct cli_verb verb_close = {
	.name = "close", .summary = "close a case", .usage = "CASE --reason TEXT -c FILE",
	.help = "For a case that needs nothing more. A later finding opens a new one that names it.\n",
	.example = "evmend close 17 --reason \"planned work, CHG-1234\" -c config.yaml",
	.options = with_reason, .min_args = 1, .max_args = 1, .run = run_close,
};
const struct cli_verb verb_hold = {
	.name = "hold", .summary = "change nothing on a host, or on any, until the hold ends", .usage = "[HOST] --reason TEXT | --off",
	.help = "Diagnoses go on, repairs do not start. A step that is under way is finished.\n",
	.example = "evmend hold ex1.contoso.example --reason \"maintenance until 18:00\"\nevmend hold ex1.contoso.example --off",
	.options = hold_options, .max_args = 1, .run = run_hold,
};
