/* undo.c - `evmend undo CASE`: takes the last repair of a case back, as far as that leads to a state that worked.
 *
 * Promises: the running agent does it; without one it is done here, under the agent's lock, with the same ledger. Refuses (exit
 * code 6) an undo to a state that was not seen to work, of what somebody has changed since, and while somebody holds or is at
 * work on the host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host_verbs.h"
#include "cli/verbs.h"
#include "heal/repair.h"

struct undoing {
	struct cli *c;
	const struct config *config;
	const struct host_config *h;
};

static struct host *open_host(void *arg, int64_t deadline, struct err *e)
{
	struct undoing *u = arg;

	(void)deadline;
	return host_verbs_open(u->config, u->h, &u->c->clock, e);
}

static void say(void *arg, const char *line)
{
	struct undoing *u = arg;

	if (!u->c->json)
		cli_print(u->c, CLI_PLAIN, "  %s\n", line);
}

/* What was begun on the host is ended first, of whichever case it is. */
static int nothing_unended(const struct undoing *u, struct db *db, struct err *e)
{
	struct heal_repair row;
	int got = repair_row_unended(db, u->h->name, &row, e);

	if (got != 1)
		return got;
	return err_set(e, ERR_REFUSED, "a repair of %s (case %lld) was interrupted: 'evmend repair %s' finishes it first", u->h->name,
		(long long)row.case_id, u->h->name);
}

static int undo_in(struct undoing *u, struct db *db, int64_t id, struct err *e)
{
	struct heal_case *k = xcalloc(1, sizeof(*k));
	int got = case_store_get(db, id, k, e);
	char actor[64];

	host_verbs_actor(actor, sizeof(actor));
	if (got == 0)
		(void)err_set(e, ERR_USAGE, "there is no case %lld; 'evmend cases' lists them", (long long)id);
	else if (got == 1)
		u->h = host_verbs_find(u->config, k->host, e);
	got = u->h ? nothing_unended(u, db, e) : -1;
	if (got == 0) {
		struct repair_options o = {.db = db, .clock = &u->c->clock, .remedy = remedies[0], .policy = &u->config->policy,
			.host_name = k->host,
			.by = actor, .who = actor, .case_id = id, .arg = u, .open = open_host, .say = say};

		got = repair_undo_case(&o, id, e);
	}
	free(k);
	return got;
}

static int undo_alone(struct undoing *u, int64_t id, struct err *e)
{
	int lock = agent_lock(u->config, e), r = -1;
	struct db *db = lock < 0 ? NULL : agent_heal_db(u->config, DB_WRITE, e);

	if (db != NULL)
		r = undo_in(u, db, id, e);
	db_close(db);
	if (lock >= 0)
		os_file.close(lock);
	return r;
}

static int undo(struct undoing *u, int64_t id, struct err *e)
{
	struct json *answer = NULL;
	struct buf q;
	int asked;

	buf_init(&q, CONTROL_LINE);
	agent_member(&q, "do", "undo");
	buf_printf(&q, ",\"case\":%lld", (long long)id);
	asked = agent_ask(u->c, u->config, &q, &answer, e);
	buf_free(&q);
	json_free(answer);
	if (asked == 0)
		return undo_alone(u, id, e);
	return asked < 0 || e->code ? -1 : 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct undoing u = {.c = c};
	struct err e = {.code = ERR_NONE};
	struct config *config;
	int64_t id;
	int code = -1;

	(void)argc;
	if (agent_case_id(argv[0], &id, &e) < 0)
		return cli_fail(c, &e);
	config = agent_config(c, &e);
	u.config = config;
	if (config != NULL)
		code = undo(&u, id, &e);
	config_free(config);
	if (code < 0)
		return cli_fail(c, &e);
	if (c->json)
		printf("{\"v\":1,\"kind\":\"undo\",\"case\":%lld,\"ok\":true}\n", (long long)id);
	else
		cli_print(c, CLI_GREEN, "case %lld: its repair is undone\n", (long long)id);
	return 0;
}

static const struct cli_option options[] = {CLI_OPTION_CONFIG, CLI_OPTION_END};

const struct cli_verb verb_undo = {
	.name = "undo", .summary = "take the last repair of a case back", .usage = "CASE [-c FILE]",
	.help = "Newest step first, each from what the ledger says stood there before. Only to a state that was seen to work: a repair "
	"of a\n"
		"dead port is never undone. Nor is what somebody has changed since. It is proven afterwards, as a repair is; exit code 8 when\n"
		"that fails.\n",
	.example = "evmend undo 17 -c config.yaml", .options = options, .min_args = 1, .max_args = 1, .run = run,
};
