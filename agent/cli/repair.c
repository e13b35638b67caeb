/* repair.c - `evmend repair`: runs the plan of a host under the agent's policy, without an agent.
 *
 * Promises: the same facts, plan, policy, ledger, proof and settling as the agent's; on a terminal it asks before it acts.
 * Refuses to work beside a running agent (that one repairs, `evmend approve` permits), another plan than --plan names, and what
 * the policy refuses whoever asks. Exit code 0 healed or nothing to do, 6 refused, 7 failed and rolled back, 8 a person is
 * needed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/emit_repair.h"
#include "cli/host_verbs.h"
#include "cli/verbs.h"
#include "heal/repair.h"

struct work {
	struct cli *c;
	const struct config *config;
	const struct host_config *h;
	struct db *db;
	struct diagnosis *d;
	bool by_person; /* said yes to the plan of *d, and to no other */
	int64_t offset; /* of the wall clock to the monotonic one, when it began */
	char actor[64], who[128];
};

static struct host *open_host(void *arg, int64_t deadline, struct err *e)
{
	struct work *w = arg;

	(void)deadline;
	return host_verbs_open(w->config, w->h, &w->c->clock, e);
}

static int64_t offset_now(const struct work *w)
{
	return clock_wall(&w->c->clock) - clock_monotonic(&w->c->clock);
}

/* The clock has jumped since this run began: nothing is acted upon, as in the agent. */
static bool tilted(const struct work *w)
{
	int64_t drift = offset_now(w) - w->offset;

	return drift > CLOCK_JUMP || drift < -CLOCK_JUMP;
}

static int permit(void *arg, const struct diagnosis *d, enum tri busy, const char *what, bool resumed, struct policy_decision *to,
	struct err *e)
{
	struct work *w = arg;
	const char *group[CONFIG_HOSTS];
	struct policy_input in = {.config = &w->config->policy, .mode = host_verbs_mode(w->config, w->h), .busy = busy, .busy_what = what,
		.asked_by_person = w->by_person && memcmp(d->plan.id, w->d->plan.id, 32) == 0, .resumed = resumed,
		.tilt = tilted(w), .group_hosts = group, .n_group = host_verbs_group(w->config, w->h, group)};
	struct chart_texts *texts = xcalloc(1, sizeof(*texts));
	int r = chart_policy_input(w->db, clock_wall(&w->c->clock), w->h->name, d, &in, texts, e);

	if (r == 0)
		policy_decide(&in, w->h->name, to);
	free(texts);
	return r;
}

static void say(void *arg, const char *line)
{
	struct work *w = arg;

	if (!w->c->json)
		cli_print(w->c, CLI_PLAIN, "  %s\n", line);
}

static bool must_stop(void *arg)
{
	struct work *w = arg;
	char why[200];
	struct err e;

	return tilted(w) || chart_hold_file(w->config->policy.hold_file) ||
		hold_active(w->db, clock_wall(&w->c->clock), w->h->name, NULL, why, &e) != 0;
}

static int exit_code(struct work *w, const struct repair *r)
{
	struct err e;

	switch (repair_result(r)) {
	case REPAIR_HEALED:
		if (!w->c->json)
			cli_print(w->c, CLI_GREEN, "healed: %s\n", repair_text(r));
		return 0;
	case REPAIR_REFUSED:
		(void)err_set(&e, ERR_REFUSED, "%s", repair_text(r));
		break;
	case REPAIR_ROLLED_BACK:
		(void)err_set(&e, ERR_ROLLED_BACK, "%s", repair_text(r));
		break;
	case REPAIR_NEEDS_PERSON:
		(void)err_set(&e, ERR_NEEDS_PERSON, "%s", repair_text(r));
		break;
	default:
		(void)err_set(&e, ERR_IO, "%s", repair_text(r));
	}
	return cli_fail(w->c, &e);
}

static void print_end(const struct repair *r)
{
	static const char *const words[] = {"healed", "refused", "rolled-back", "needs-person", "lost"};
	struct json_out o;
	struct buf b;

	buf_init(&b, 16u << 10);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "repair");
	json_put_str(&o, "result", words[repair_result(r)]);
	json_put_str(&o, "text", repair_text(r));
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static int drive(struct work *w, struct repair *r)
{
	int64_t next;
	int code;

	if (!w->c->json)
		cli_print(w->c, CLI_BOLD, "\nRepair\n");
	while ((next = repair_step(r)) != 0) {
		int64_t wait = next - clock_monotonic(&w->c->clock);

		if (wait > 0)
			clock_sleep(&w->c->clock, wait);
	}
	if (w->c->json)
		print_end(r);
	code = exit_code(w, r);
	repair_free(r);
	return code;
}

/* On a terminal a person is asked; elsewhere --yes says it. */
static bool person_says_yes(struct work *w)
{
	char line[16] = "";

	if (cli_has(w->c, "--yes"))
		return true;
	if (!w->c->out_tty || w->c->json)
		return false;
	cli_print(w->c, CLI_BOLD, "\nRun this plan on %s? Type yes: ", w->h->name);
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "yes\n") == 0;
}

static int check_plan(struct work *w, struct err *e)
{
	const char *wanted = cli_value(w->c, "--plan", NULL);
	char id[65];

	text_hex(id, w->d->plan.id, 32);
	if (wanted == NULL)
		return 0;
	if (strlen(wanted) < 8 || !text_same_n(wanted, strlen(wanted), id, strlen(wanted) < 64 ? strlen(wanted) : 64))
		return err_set(e, ERR_REFUSED, "the plan is %.12s now, not %.64s (at least 8 digits): the facts have changed", id, wanted);
	return 0;
}

static int case_for(struct work *w, int64_t *id, struct err *e)
{
	struct chart_entry entry = {.state = CASE_DIAGNOSING, .d = w->d};
	struct suspicion s;
	int64_t now = clock_wall(&w->c->clock);

	if (chart_suspicion(w->db, w->h->name, &s, id, e) < 0)
		return -1;
	if (*id != 0 ? chart_cases(w->db, now, w->h->name, &entry, e) < 0 :
	    chart_own_case(w->db, now, w->h->name, w->d->verdict.cause, &entry, id, e) < 0)
		return -1;
	return chart_diagnosis(w->db, now, w->h->name, *id, w->d, e);
}

static struct repair_options options_of(struct work *w, int64_t case_id)
{
	return (struct repair_options){
		.db = w->db, .clock = &w->c->clock, .remedy = remedies[0], .policy = &w->config->policy, .host_name = w->h->name, .by = w->actor,
		.who = w->who, .case_id = case_id, .arg = w, .open = open_host, .permit = permit, .stop = must_stop, .say = say,
	};
}

static int look(struct work *w, struct err *e)
{
	int64_t deadline = clock_monotonic(&w->c->clock) + 2 * w->config->policy.step_limit;
	struct suspicion s;
	struct host *host;
	int r;

	if (host_verbs_suspicion(w->c, w->config, w->h, NULL, 0, &s, e) < 0)
		return -1;
	host = host_verbs_open(w->config, w->h, &w->c->clock, e);
	if (host == NULL)
		return -1;
	r = diagnose(remedies[0], host, &w->c->clock, deadline, &s, w->d, e);
	host->ops->close(host);
	return r;
}

/* The host is read, the plan shown, and the person asked. 0: it may be done; *well: there is nothing to do. */
static int ask(struct work *w, bool *well, struct err *e)
{
	struct policy_decision decision = { .answer = POLICY_REFUSE };

	*well = false;
	if (look(w, e) < 0 || permit(w, w->d, TRI_NO, NULL, false, &decision, e) < 0 ||
	    host_verbs_print(w->c, w->d, w->h->name, &decision, e) < 0)
		return -1;
	if (w->d->verdict.healthy && w->d->plan.n == 0) { /* one that ends soon has a plan, by approval */
		*well = true;
		return 0;
	}
	if (check_plan(w, e) < 0)
		return -1;
	if (decision.answer != POLICY_GO && !decision.yields)
		return err_set(e, ERR_REFUSED, "%s", decision.why);
	w->by_person = person_says_yes(w);
	if (!w->by_person && (decision.answer != POLICY_GO || w->c->out_tty))
		return err_set(e, ERR_REFUSED, "nothing was changed: %s", decision.answer == POLICY_GO ? "you did not say yes" : decision.why);
	return 0;
}

/* A repair that was interrupted is finished first: that is what the ledger says is under way. Its old permission was for the plan
 * of then; what is to be done now is shown and asked like any other. */
static int finish_old(struct work *w, struct err *e, bool *was)
{
	struct heal_repair row;
	struct repair_options o;
	bool well;
	int got;

	*was = false;
	if (repair_mark_interrupted(w->db, clock_wall(&w->c->clock), e) < 0)
		return -1;
	got = repair_row_unended(w->db, w->h->name, &row, e);
	if (got <= 0)
		return got;
	*was = true;
	cli_note(w->c, "a repair of %s was interrupted; it is finished first", w->h->name);
	if (row.result[0] == '\0' && ask(w, &well, e) < 0) /* an undo is not gone on with: it ends as a person's */
		return -1;
	o = options_of(w, row.case_id);
	return drive(w, repair_resume(&o, &row));
}

static int decide(struct work *w, struct err *e)
{
	struct repair_options o;
	int64_t case_id;
	bool well;

	if (ask(w, &well, e) < 0)
		return -1;
	if (well)
		return 0;
	if (case_for(w, &case_id, e) < 0)
		return -1;
	o = options_of(w, case_id);
	return drive(w, repair_begin(&o, w->d->plan.id));
}

/* A running agent repairs by itself; two would be one too many. */
static int agent_is_away(struct work *w, struct err *e)
{
	struct json *answer = NULL;
	struct buf q;
	int asked;

	buf_init(&q, CONTROL_LINE);
	agent_member(&q, "do", "status");
	asked = agent_ask(w->c, w->config, &q, &answer, e);
	buf_free(&q);
	json_free(answer);
	if (asked == 0)
		return 0;
	return err_set(e, ERR_REFUSED, "an agent runs on %s and repairs by its policy: 'evmend approve CASE' permits a plan",
		w->config->state_dir);
}

/* Limits count from what the ledger wrote down: after a clock that jumped it takes as long to trust it as the agent does. */
static int wait_for_calm(struct work *w, struct err *e)
{
	const struct clock *clock = &w->c->clock;
	char boot[64], why[200];
	int doubt;

	os_boot_id(boot);
	w->offset = offset_now(w);
	doubt = clock_row_check(w->db, clock_wall(clock), clock_monotonic(clock), boot, why, e);
	if (doubt < 0)
		return -1;
	if (doubt == 1) {
		cli_note(w->c, "%s: nothing is done until 60 s of calm have passed", why);
		clock_sleep(clock, CLOCK_CALM);
	}
	if (tilted(w))
		return err_set(e, ERR_REFUSED, "the clock jumps: nothing is changed until it is right");
	return clock_row_put(w->db, clock_wall(clock), clock_monotonic(clock), boot, e);
}

static int with_state(struct work *w, struct err *e)
{
	int lock, code = -1;
	bool was = false;

	if (agent_is_away(w, e) < 0)
		return -1;
	if (os_make_folder(w->config->state_dir) < 0)
		return err_set(e, ERR_IO, "the folder %s cannot be made; check state_dir in %s", w->config->state_dir, w->config->path);
	lock = agent_lock(w->config, e);
	if (lock < 0)
		return -1;
	w->db = agent_heal_db(w->config, DB_WRITE, e);
	if (w->db != NULL) {
		code = wait_for_calm(w, e);
		if (code == 0)
			code = finish_old(w, e, &was);
		if (code == 0 && !was)
			code = decide(w, e);
	}
	db_close(w->db);
	os_file.close(lock);
	return code;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct work w = {.c = c};
	struct err e = {.code = ERR_NONE};
	struct config *config;
	int code = -1;

	if (emit_repair_asked(c))
		return emit_repair(c, argc);
	if (argc != 1)
		return cli_usage(c, "which host? HOST; or --from FOLDER --emit powershell");
	config = agent_config(c, &e);
	w.config = config;
	w.h = config ? host_verbs_find(config, argv[0], &e) : NULL;
	if (w.h != NULL) {
		w.d = xcalloc(1, sizeof(*w.d));
		host_verbs_actor(w.actor, sizeof(w.actor));
		say_text(w.who, sizeof(w.who), "evmend repair, %s", w.actor);
		code = with_state(&w, &e);
		free(w.d);
	}
	if (code < 0)
		code = cli_fail(c, &e);
	config_free(config);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--plan", 0, CLI_VALUE, "ID", "run only this plan, as `diagnose` named it (at least 8 digits)"},
	{"--yes", 0, CLI_FLAG, NULL, "a person has read the plan and says yes"},
	CLI_OPTIONS_EMIT, CLI_OPTION_END,
};

const struct cli_verb verb_repair = {
	.name = "repair", .summary = "run the plan of a host under the policy",
	.usage = "HOST [--plan ID] [--yes] [-c FILE] | --from FOLDER --emit powershell [-o FILE]",
	.help = "Reads the host, shows facts, verdict and plan, and asks on a terminal before it acts; --yes says it elsewhere. The "
	"policy holds\n"
		"as it does in the agent: what it refuses is refused here too. Every step is in the ledger before it is taken; the repair\n"
		"counts only when the service was used with success and stays well. Not beside a running agent.\n"
		"With --from and --emit nothing is done: the plan of a folder of facts (diagnose --from) becomes a script that a person reads and\n"
		"runs on the server; without a plan the exit code is 6. It was not run on Windows by its authors.\n",
	.example = "evmend repair ex1.contoso.example -c config.yaml\nevmend repair ex1.contoso.example --plan 3fa1c09be277 --yes\n"
		"evmend repair --from ex1-facts --emit powershell -o repair.ps1",
	.options = options, .min_args = 0, .max_args = 1, .run = run,
};
