/* spool_verb.c - `evmend spool`: what receivers refused for good.
 *
 * Why: a record that a receiver calls bad is kept, not lost; a person looks why, mends the receiver, and has it sent again. Promises: reads and
 * writes ship.db itself, beside a running agent or without one: a running agent sends what was put back within seconds, another when it
 * starts. What is sent again goes to the sink that refused it and to no other. Refuses to send again to a sink that is not configured any more. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "ship/spool.h"

struct listing {
	struct cli *c;
	struct cli_table *table;
	size_t n;
};

static void put_record(struct json_out *o, const struct spool_record *r)
{
	struct json *j = json_parse(r->json, r->n, NULL);

	if (j)
		json_put(o, "json", j);
	else
		json_put_strn(o, "json", r->json, r->n);
	json_free(j);
}

static void print_json(const struct spool_dead *d)
{
	struct json_out o;
	struct buf b;
	char uid[65];

	text_hex(uid, d->record.uid, sizeof d->record.uid);
	buf_init(&b, 4u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "dead-letter");
	json_put_int(&o, "id", d->id);
	json_put_str(&o, "sink", d->sink);
	json_put_str(&o, "record", record_kind_text(d->record.kind));
	json_put_str(&o, "uid", uid);
	json_put_time(&o, "time", d->record.time);
	json_put_time(&o, "refused", d->refused);
	json_put_str(&o, "reason", d->reason);
	put_record(&o, &d->record);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static int list_one(void *arg, const struct spool_dead *d)
{
	static const char *const headings[] = { "ID", "SINK", "RECORD", "HOST", "REFUSED", "REASON", NULL };
	struct listing *l = arg;
	char id[24], when[32];

	l->n++;
	if (l->c->json) {
		print_json(d);
		return 0;
	}
	if (!l->table)
		l->table = cli_table_new(headings);
	(void)snprintf(id, sizeof id, "%" PRId64, d->id);
	time_text(d->refused, when);
	when[19] = '\0'; /* seconds will do */
	cli_table_row(l->table, id, d->sink, record_kind_text(d->record.kind), d->record.host, when, d->reason, (char *)NULL);
	return 0;
}

static int list(struct cli *c, struct spool *spool, const char *sink, struct err *e)
{
	struct listing l = { .c = c };
	int did = spool_dead_each(spool, sink, list_one, &l, e);

	if (l.table)
		cli_table_end(c, l.table);
	else if (!c->json && did == 0)
		cli_print(c, CLI_PLAIN, "nothing was refused for good%s%s\n", sink ? " by " : "", sink ? sink : "");
	return did;
}

static bool is_configured(const struct config *config, const char *sink)
{
	for (size_t i = 0; i < config->n_sinks; i++)
		if (!strcmp(config->sinks[i].name, sink))
			return true;
	return false;
}

struct looking {
	const struct config *config;
	int64_t id; /* 0: all */
	char gone[128]; /* a sink that is not configured */
	bool found;
};

static int look_at(void *arg, const struct spool_dead *d)
{
	struct looking *l = arg;

	if (l->id && d->id != l->id)
		return 0;
	l->found = true;
	if (!is_configured(l->config, d->sink))
		text_copy(l->gone, sizeof l->gone, d->sink);
	return *l->gone != '\0';
}

/* A sink that is configured, or was and has left letters. */
static int know(const struct config *config, struct spool *spool, const char *sink, struct err *e)
{
	int64_t n = sink && !is_configured(config, sink) ? spool_dead_count(spool, sink) : 1;

	if (n < 0)
		return err_set(e, ERR_IO, "the letters of '%s' cannot be counted; look at state_dir/ship.db", sink);
	return n ? 0 : err_set(e, ERR_USAGE, "there is no sink '%s' in %s, and none of that name refused anything", sink, config->path);
}

/* May this one (0: all) be taken? */
static int may(const struct config *config, struct spool *spool, const char *sink, int64_t id, bool again, struct err *e)
{
	struct looking l = { .config = config, .id = id };

	if (spool_dead_each(spool, sink, look_at, &l, e) < 0)
		return -1;
	if (id && !l.found)
		return err_set(e, ERR_USAGE, "there is no dead letter %" PRId64 "; 'evmend spool list' has their numbers", id);
	if (again && *l.gone)
		return err_set(e, ERR_USAGE, "the sink '%s' is not configured any more, so nothing can be sent to it again; 'evmend spool drop'", l.gone);
	return 0;
}

/* The number; 0 for none: all of them. -1: it is none. */
static int64_t number_of(const char *text, struct err *e)
{
	int64_t id = 0;

	if (text && (!text_int(text, strlen(text), &id) || id < 1))
		return err_set(e, ERR_USAGE, "'%.40s' is no number of a dead letter; 'evmend spool list' has them", text);
	return id;
}

static int change(struct cli *c, const struct config *config, struct spool *spool, bool again, char **ids, struct err *e)
{
	const char *sink = cli_value(c, "--sink", NULL);
	int64_t n = 0;
	size_t i = 0;

	do { /* all are looked at before one is taken */
		int64_t id = number_of(ids[i], e);

		if (id < 0 || may(config, spool, sink, id, again, e) < 0)
			return -1;
	} while (ids[i] && ids[++i]);
	i = 0;
	do {
		int64_t id = number_of(ids[i], e), did = again ? spool_dead_retry(spool, sink, id, e) : spool_dead_drop(spool, sink, id, e);

		if (did < 0)
			return -1;
		n += did;
	} while (ids[i] && ids[++i]);
	if (c->json)
		printf("{\"v\":1,\"kind\":\"spool\",\"%s\":%" PRId64 "}\n", again ? "retry" : "drop", n);
	else
		cli_print(c, CLI_GREEN, again ? "%" PRId64 " records are sent again\n" : "%" PRId64 " records are forgotten\n", n);
	return 0;
}

static struct spool *open_spool(const struct config *config, bool write, struct err *e)
{
	const char *path = config_state(config, "ship.db");
	struct os_stat st;

	if (os_file.stat(path, -1, &st) == -ENOENT) {
		err_set(e, ERR_IO, "%s does not exist; no agent has run on this state_dir yet", path);
		return NULL;
	}
	return write ? spool_open(config->state_dir, e) : spool_look(config->state_dir, e);
}

static int run(struct cli *c, int argc, char **argv)
{
	const bool again = !strcmp(argv[0], "retry"), writes = again || !strcmp(argv[0], "drop");
	struct err e = { 0 };
	struct config *config;
	struct spool *spool;
	int did = -1;

	if (!writes && strcmp(argv[0], "list") != 0)
		return cli_usage(c, "'%s' is no word of spool; write evmend spool list, retry or drop", argv[0]);
	if (!writes && argc > 1)
		return cli_usage(c, "list takes no numbers; --sink NAME chooses");
	if (writes && (argc > 1) == cli_has(c, "--all"))
		return cli_usage(c, "which? name their numbers ('evmend spool list'), or write --all");
	config = agent_config(c, &e);
	if (!config)
		return cli_fail(c, &e);
	spool = open_spool(config, writes, &e);
	if (spool && know(config, spool, cli_value(c, "--sink", NULL), &e) == 0)
		did = writes ? change(c, config, spool, again, argv + 1, &e) : list(c, spool, cli_value(c, "--sink", NULL), &e);
	spool_close(spool);
	config_free(config);
	return did < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--sink", 0, CLI_VALUE, "NAME", "only what this sink refused"},
	{"--all", 0, CLI_FLAG, NULL, "retry, drop: all of them"},
	CLI_OPTION_END,
};

const struct cli_verb verb_spool = {
	.name = "spool", .summary = "records that a receiver refused for good: see them, send them again, forget them",
	.usage = "list | retry ID...|--all | drop ID...|--all [--sink NAME] -c FILE",
	.help = "A record that a receiver calls bad is kept with the reason and holds nobody up. 'retry' sends it again, to the sink that refused it\n"
		"alone, whatever its 'take' says now; 'drop' forgets it. Both work on the agent's database (state_dir/ship.db) with and without a\n"
		"running agent: a running one sends within seconds, else the next one does. list --json prints each with its record.\n",
	.example = "evmend spool list -c config.yaml\nevmend spool list --sink siem --json\nevmend spool retry 17 18\n"
		"evmend spool retry --all --sink siem\nevmend spool drop 17",
	.options = options, .min_args = 1, .max_args = -1, .run = run,
};
