/* silence.c - `evmend silence`: what nobody wants to hear of for a while, with an end, a reason and a name.
 *
 * Promises: the running agent is asked; without one its database is written under its lock, and the agent finds the silence when it
 * starts. Begin and end are in the ledger. Refuses rules that do not exist or say nothing anyway, and a silence without end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "heal/silence.h"
#include "rules/ruleset.h"

static const struct rule *named_rule(const struct ruleset *rs, const char *name, struct err *e)
{
	const struct rule *r = ruleset_find(rs, name);
	const char **names, *near;

	if (r)
		return r;
	names = xcalloc(ruleset_count(rs) + 1, sizeof *names);
	for (size_t i = 0; i < ruleset_count(rs); i++)
		names[i] = ruleset_rule(rs, i)->name;
	near = text_nearest(name, names);
	free(names);
	err_set(e, ERR_USAGE, "there is no rule '%.100s'%s%s%s; 'evmend rules list' has their names and ids", name,
		near && *near ? ", did you mean '" : "", near && *near ? near : "", near && *near ? "'" : "");
	return NULL;
}

/* A correlation's finding has only the fields that it took along from its events. */
static int carries(const struct ruleset *rs, const struct rule *r, const char *field, struct err *e)
{
	const char *const *names;
	size_t n = ruleset_wanted(rs, r, &names);

	for (size_t i = 0; i < n; i++)
		if (text_same(names[i], field))
			return 0;
	return err_set(e, ERR_USAGE, "'%.100s' is a correlation, and its findings have no field '%.60s': only what it groups by and what its "
		"hint names", *r->name ? r->name : r->id, field);
}

static int put_fields(const struct cli *c, const struct ruleset *rs, const struct rule *r, struct json_out *o, struct err *e)
{
	const char *given[SILENCE_FIELDS + 1];
	size_t n = cli_values(c, "--field", given, SILENCE_FIELDS + 1);

	if (n > SILENCE_FIELDS)
		return err_set(e, ERR_USAGE, "at most %d fields", SILENCE_FIELDS);
	json_open(o, "fields", '{');
	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(given[i], '=');
		char name[256];

		if (!equals || equals == given[i] || (size_t)(equals - given[i]) >= sizeof name)
			return err_set(e, ERR_USAGE, "--field takes NAME=VALUE, as in --field User='CONTOSO\\svc-backup'");
		text_copy(name, (size_t)(equals - given[i]) + 1, given[i]);
		if (r->kind == RULE_CORRELATION && carries(rs, r, name, e) < 0)
			return -1;
		json_put_str(o, name, equals + 1);
	}
	json_close(o, '}');
	return 0;
}

/* The question, an object with its braces; 0 and the title in *said, or -1. */
static int make_question(const struct cli *c, const struct ruleset *rs, const char *word, int64_t until, struct buf *q, struct buf *said,
	struct err *e)
{
	const struct rule *r = named_rule(rs, word, e);
	struct json_out o;

	if (!r)
		return -1;
	if (r->silent || r->shadow)
		return err_set(e, ERR_USAGE, "'%.100s' gives no findings of its own: %s", word,
			r->shadow ? "it is on trial (shadow)" : "only correlations refer to it; silence those");
	json_begin(&o, q);
	json_open(&o, NULL, '{');
	json_put_str(&o, "do", "silence");
	json_put_str(&o, "rule", *r->id ? r->id : r->name);
	json_put_str(&o, "title", r->title);
	json_put_str(&o, "host", cli_value(c, "--host", ""));
	json_put_time(&o, "until", until);
	json_put_str(&o, "reason", cli_value(c, "--why", ""));
	json_put_str(&o, "actor", cli_value(c, "--who", ""));
	if (put_fields(c, rs, r, &o, e) < 0)
		return -1;
	json_close(&o, '}');
	buf_str(said, r->title);
	return q->refused ? err_set(e, ERR_USAGE, "the silence is too long to be said in one line") : 0;
}

/* No agent runs: the same, written where the agent will find it. */
static int change_alone(struct cli *c, const struct config *config, const struct json *q, int64_t *id, struct err *e)
{
	const char *who = json_str(json_get(q, "actor"), "");
	int64_t now = clock_wall(&c->clock);
	int did = -1, lock = agent_lock(config, e);
	struct db *db = lock < 0 ? NULL : agent_heal_db(config, DB_WRITE, e);
	char actor[128];

	snprintf(actor, sizeof actor, "%.60s%suid %u, pid %d%s", who, *who ? " (" : "", os_uid(), os_pid(), *who ? ")" : "");
	if (db && !strcmp(json_str(json_get(q, "do"), ""), "silence"))
		did = silence_begin(db, now, q, actor, id, e);
	else if (db)
		did = silence_end(db, now, *id, actor, e);
	db_close(db);
	if (lock >= 0)
		os_file.close(lock);
	return did;
}

/* Asks the agent, or does it alone. q: an object with its braces. */
static int change(struct cli *c, const struct config *config, const struct buf *q, int64_t *id, bool *alone, struct err *e)
{
	struct json *question = json_parse(q->p, q->n, e), *answer = NULL;
	struct buf members;
	int did = -1;

	buf_init(&members, CONTROL_LINE);
	buf_add(&members, q->p + 1, q->n - 2);
	if (question && members.refused)
		err_set(e, ERR_USAGE, "the silence is too long to be said in one line");
	else if (question)
		did = agent_ask(c, config, &members, &answer, e);
	*alone = did == 0;
	if (did > 0)
		*id = json_int(json_get(answer, "silence"), *id);
	else if (did == 0)
		did = change_alone(c, config, question, id, e);
	buf_free(&members);
	json_free(answer);
	json_free(question);
	return did < 0 || e->code ? -1 : 0;
}

static void say_done(struct cli *c, const char *what, int64_t id, int64_t until, bool alone, const char *text)
{
	char when[32];

	if (c->json) {
		printf("{\"v\":1,\"kind\":\"silence\",\"silence\":\"%s\",\"id\":%lld,\"until\":%s%s%s,\"agent\":%s}\n", what, (long long)id,
			until ? "\"" : "", until ? time_text(until, when) : "null", until ? "\"" : "", alone ? "false" : "true");
		return;
	}
	cli_print(c, CLI_GREEN, "%s\n", text);
	if (alone)
		cli_note(c, "no agent runs on this state_dir; the next one finds it");
}

static void quiet(void *arg, const struct rule_problem *p)
{
	(void)arg;
	(void)p;
}

static int begin(struct cli *c, const struct config *config, const char *word, struct err *e)
{
	struct ruleset_options o = {.folders = config->rules, .n_folders = config->n_rules, .tables = config->tables};
	struct buf q, title, text;
	struct ruleset *rs;
	int64_t until, id = 0;
	bool alone;
	char when[32];
	int did = -1;

	if (agent_until(c, SILENCE_YEAR, &until, e) < 0)
		return -1;
	if (!until)
		return err_set(e, ERR_USAGE, "until when? --until TIME or --for SPAN; a silence has an end");
	if (!*cli_value(c, "--why", ""))
		return err_set(e, ERR_USAGE, "why? --why TEXT goes into the ledger");
	rs = ruleset_load(&o, quiet, NULL, e);
	if (!rs)
		return -1;
	buf_init(&q, CONTROL_LINE);
	buf_init(&title, 4096);
	buf_init(&text, 8192);
	if (make_question(c, rs, word, until, &q, &title, e) == 0)
		did = change(c, config, &q, &id, &alone, e);
	if (did == 0) {
		buf_printf(&text, "silence %lld: '%s' is not told until %s, or 'evmend silence end %lld'", (long long)id, buf_text(&title),
			time_text(until, when), (long long)id);
		say_done(c, "on", id, until, alone, buf_text(&text));
	}
	buf_free(&text);
	buf_free(&title);
	buf_free(&q);
	ruleset_free(rs);
	return did;
}

static int end(struct cli *c, const struct config *config, const char *word, struct err *e)
{
	struct buf q;
	int64_t id;
	char text[128];
	bool alone;
	int did;

	if (!text_int(word, strlen(word), &id) || id < 1)
		return err_set(e, ERR_USAGE, "'%.40s' is no silence; 'evmend silence list' shows their numbers", word);
	buf_init(&q, CONTROL_LINE);
	buf_printf(&q, "{\"do\":\"end-silence\",\"silence\":%lld}", (long long)id);
	did = change(c, config, &q, &id, &alone, e);
	buf_free(&q);
	snprintf(text, sizeof text, "silence %lld has ended", (long long)id);
	if (did == 0)
		say_done(c, "off", id, 0, alone, text);
	return did;
}

static int put_field(void *arg, const char *key, const struct json *v)
{
	buf_printf(arg, " %s=%s", key, json_str(v, ""));
	return 0;
}

static int list_one(struct cli *c, struct cli_table *t, const struct json *s, int64_t held)
{
	struct buf fields;
	char id[24], count[24], until[32];

	buf_init(&fields, 16u << 10);
	(void)json_each(json_get(s, "fields"), put_field, &fields);
	snprintf(id, sizeof id, "%lld", (long long)json_int(json_get(s, "id"), 0));
	snprintf(count, sizeof count, "%lld", (long long)held);
	time_text(json_time(json_get(s, "until")), until);
	until[19] = '\0'; /* seconds will do */
	if (!c->json)
		cli_table_row(t, id, json_str(json_get(s, "title"), ""), json_str(json_get(s, "host"), ""),
			fields.n ? buf_text(&fields) + 1 : "", until, count, json_str(json_get(s, "actor"), ""),
			json_str(json_get(s, "reason"), ""), (char *)NULL);
	buf_free(&fields);
	return 0;
}

static void list_json(const struct json *s, const struct json *held)
{
	static const char *const texts[] = {"rule", "title", "host", "since", "until", "actor", "reason", NULL};
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "silence");
	json_put_int(&o, "id", json_int(json_get(s, "id"), 0));
	for (size_t i = 0; texts[i]; i++)
		json_put_str(&o, texts[i], json_str(json_get(s, texts[i]), ""));
	json_put(&o, "fields", json_get(s, "fields"));
	json_put_int(&o, "held", json_int(json_get(held, "count"), 0));
	json_put_time(&o, "first", json_time(json_get(held, "first")));
	json_put_time(&o, "last", json_time(json_get(held, "last")));
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static int list(struct cli *c, const struct config *config, struct err *e)
{
	static const char *const headings[] = {"ID", "RULE", "HOST", "FIELDS", "UNTIL", "HELD", "WHO", "WHY", NULL};
	struct json *all = agent_silences(config, e), *noise = all ? agent_noise(config, e) : NULL;
	struct cli_table *t = all && !c->json && json_len(all) ? cli_table_new(headings) : NULL;

	for (size_t i = 0; i < json_len(all); i++) {
		const struct json *s = json_at(all, i), *held = agent_silence_held(noise, json_int(json_get(s, "id"), 0));

		if (c->json)
			list_json(s, held);
		else
			list_one(c, t, s, json_int(json_get(held, "count"), 0));
	}
	if (t)
		cli_table_end(c, t);
	else if (all && !c->json)
		cli_print(c, CLI_PLAIN, "nothing is silenced\n");
	json_free(noise);
	json_free(all);
	return all && !e->code ? 0 : -1;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = {0};
	struct config *config = agent_config(c, &e);
	int did = -1;

	if (!config)
		return cli_fail(c, &e);
	if (argc == 1 && !strcmp(argv[0], "list"))
		did = list(c, config, &e);
	else if (argc == 2 && !strcmp(argv[0], "end"))
		did = end(c, config, argv[1], &e);
	else if (argc == 1)
		did = begin(c, config, argv[0], &e);
	else
		err_set(&e, ERR_USAGE, "write 'silence RULE --until TIME --why TEXT', 'silence list' or 'silence end ID'");
	config_free(config);
	return did < 0 ? cli_fail(c, &e) : 0;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--host", 0, CLI_VALUE, "NAME", "only findings about this host"},
	{"--field", 0, CLI_VALUE, "NAME=VALUE", "only events with this value, * and ? as in a rule; may be repeated, all must hold"},
	{"--for", 0, CLI_VALUE, "SPAN", "it ends after this time: 90m, 2h, 30d"},
	{"--until", 0, CLI_VALUE, "TIME", "it ends at this time: 2026-03-01T22:00:00Z; a year ahead at most"},
	{"--why", 0, CLI_VALUE, "TEXT", "why; kept in the ledger"},
	{"--who", 0, CLI_VALUE, "NAME", "for whom you speak; the ledger has the user besides"},
	CLI_OPTION_END,
};

const struct cli_verb verb_silence = {
	.name = "silence", .summary = "do not tell the findings of a rule for a while",
	.usage = "RULE --for SPAN | --until TIME --why TEXT [--host NAME] [--field NAME=VALUE]... | list | end ID",
	.help = "What is silenced is counted and not told; it opens no case and asks for no diagnosis. Cases that are open already, and what\n"
		"other rules find, go on. When the silence ends, one record says how much it held back. The agent's scheduled\n"
		"diagnoses are not touched; 'hold' is for repairs. 'list' shows what is silenced now, 'end' ends a silence.\n",
	.example = "evmend silence connector-asks-for-another-name --host ex1 --for 30d --why \"CHG-1234\"\n"
		"evmend silence suspicious-service --field ServiceName='Veeam*' --until 2026-03-01 --why \"backup agents\"\n"
		"evmend silence list -c config.yaml\nevmend silence end 3",
	.options = options, .min_args = 1, .max_args = 2, .run = run,
};
