/* check.c - `evmend check`: what would go wrong if the agent were started now.
 *
 * Promises: changes nothing that matters (a state folder is made when it is missing), repairs nothing, names each problem with what to do,
 * and ends with the code of the worst. Refuses nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/agent_state.h"
#include "cli/check_routes.h"
#include "cli/verbs.h"
#include "host/host_pipe.h"
#include "rules/ruleset.h"

#define HOST_LIMIT (15 * US_SECOND)
#define SINK_LIMIT (5 * US_SECOND)

enum how { GOOD, REMARK, PROBLEM };

struct check {
	struct cli *c;
	const struct config *config;
	int problems, code;
};

static void say(struct check *k, enum how how, enum err_code code, const char *what, const char *text)
{
	static const char *const words[] = { "ok", "note", "problem" };
	static const enum cli_colour colours[] = { CLI_GREEN, CLI_YELLOW, CLI_RED };

	if (how == PROBLEM) {
		k->problems++;
		k->code = k->code ? k->code : (int)code;
	}
	if (!k->c->json) {
		cli_print(k->c, colours[how], "%-8s", words[how]);
		cli_print(k->c, CLI_PLAIN, " %s: %s\n", what, text);
		return;
	}
	struct buf b;
	struct json_out o;

	buf_init(&b, 65536);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "check");
	json_put_str(&o, "result", words[how]);
	json_put_str(&o, "what", what);
	json_put_str(&o, "text", text);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void on_rule(void *arg, const struct rule_problem *p)
{
	struct check *k = arg;
	char where[600];

	snprintf(where, sizeof where, "%s:%d:%d", p->file, p->line, p->column);
	say(k, p->warning ? REMARK : PROBLEM, ERR_RULES, where, p->text);
}

static void check_rules(struct check *k)
{
	struct ruleset_options o = { .folders = k->config->rules, .n_folders = k->config->n_rules, .tables = k->config->tables };
	struct err e = { 0 };
	struct ruleset *rs = ruleset_load(&o, on_rule, k, &e);
	char text[64];

	if (!rs) {
		say(k, PROBLEM, ERR_RULES, "rules", e.text);
		return;
	}
	snprintf(text, sizeof text, "%zu loaded, %zu refused", ruleset_count(rs), ruleset_refused(rs));
	say(k, ruleset_count(rs) ? GOOD : PROBLEM, ERR_RULES, "rules", text);
	ruleset_free(rs);
}

static int count_name(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

static void check_source(struct check *k, const struct config_source *s)
{
	struct os_stat st;
	char text[600], why[96], byte;
	size_t names = 0;
	ssize_t did;
	int fd;

	if (s->kind == SOURCE_STDIN) {
		say(k, GOOD, ERR_NONE, s->name, "standard input");
		return;
	}
	did = os_file.stat(s->path, -1, &st);
	if (did < 0 && s->kind == SOURCE_FOLLOW && did == -ENOENT) {
		snprintf(text, sizeof text, "%s does not exist yet; it is read from when it appears", s->path);
		say(k, REMARK, ERR_NONE, s->name, text);
		return;
	}
	if (did == 0 && st.is_folder)
		did = os_file.list(s->path, count_name, &names);
	else if (did == 0) {
		fd = os_file.open(s->path, OS_PLAIN);
		did = fd < 0 ? fd : os_file.read(fd, &byte, 1, 0);
		if (fd >= 0)
			os_file.close(fd);
	}
	if (did < 0) {
		snprintf(text, sizeof text, "%s cannot be read: %s", s->path, err_os((int)did, why));
		say(k, PROBLEM, ERR_IO, s->name, text);
		return;
	}
	snprintf(text, sizeof text, st.is_folder ? "%s, a folder of %zu names" : "%s", s->path, names);
	say(k, GOOD, ERR_NONE, s->name, text);
}

static void check_state(struct check *k)
{
	const char *probe = config_state(k->config, "check.tmp");
	char why[96], text[600];
	int did = os_make_folder(k->config->state_dir), lock;

	if (did >= 0)
		did = os_file_replace(&os_file, probe, "x", 1);
	if (did < 0) {
		snprintf(text, sizeof text, "%s cannot be written: %s", k->config->state_dir, err_os(did, why));
		say(k, PROBLEM, ERR_IO, "state_dir", text);
		return;
	}
	os_file_remove(probe);
	lock = os_file.open(config_state(k->config, "lock"), OS_LOCK);
	snprintf(text, sizeof text, "%s%s", k->config->state_dir, lock == -EWOULDBLOCK ? ", an agent runs on it now" : "");
	say(k, GOOD, ERR_NONE, "state_dir", text);
	if (lock >= 0)
		os_file.close(lock);
}

static void check_sink(struct check *k, const struct sink_config *c)
{
	struct sink *s = sink_new(c, &k->c->clock, &os_file);
	struct err e = { 0 };
	struct buf says;

	buf_init(&says, 4096);
	if (s->ops->check(s, clock_monotonic(&k->c->clock) + SINK_LIMIT, &says, &e) < 0)
		say(k, PROBLEM, e.code, c->name, e.text);
	else
		say(k, GOOD, ERR_NONE, c->name, buf_text(&says));
	sink_free(s);
	buf_free(&says);
}

static void on_route(void *arg, const char *sink, const char *text)
{
	say(arg, REMARK, ERR_NONE, sink, text);
}

static void check_host(struct check *k, const struct host_config *h)
{
	struct err e = { 0 };
	struct host_identity id = { 0 };
	int64_t until = clock_monotonic(&k->c->clock) + HOST_LIMIT;
	struct host *host = host_pipe_open(h, &os_process, &k->c->clock, until, &e);
	char text[900];

	if (!host || host->ops->identity(host, &id, until, &e) < 0) {
		say(k, PROBLEM, ERR_IO, h->name, e.text);
	} else if (!host_called(h, id.fqdn) && !host_called(h, id.netbios)) {
		snprintf(text, sizeof text,
			"the program answers for %s (%s), which is neither the name nor an alias; add it to aliases or correct the command",
			id.fqdn, id.netbios);
		say(k, PROBLEM, ERR_USAGE, h->name, text);
	} else {
		snprintf(text, sizeof text, "%s (%s)%s, version %s, %s", id.fqdn, id.netbios, id.lab ? ", a LAB" : "", id.version[0] ? id.version : "unknown",
			id.exchange ? "Exchange with a back end" : "no Exchange 2013 or later");
		say(k, id.exchange ? GOOD : REMARK, ERR_NONE, h->name, text);
		if (!host_called(h, id.netbios)) {
			snprintf(text, sizeof text, "its events may call it %s; add that to aliases", id.netbios);
			say(k, REMARK, ERR_NONE, h->name, text);
		}
	}
	if (host)
		host->ops->close(host);
}

static void check_window(struct check *k, const struct policy_window *w)
{
	int64_t now = clock_wall(&k->c->clock), next = window_next(w, 1, now);
	char text[400], name[128], when[32];

	if (next == now)
		snprintf(text, sizeof text, "%s: is open until %s", window_text(w, name), time_text(window_end(w, 1, now), when));
	else if (next == INT64_MAX)
		snprintf(text, sizeof text, "%s: does not open within two weeks", window_text(w, name));
	else
		snprintf(text, sizeof text, "%s: opens %s", window_text(w, name), time_text(next, when));
	say(k, next == INT64_MAX ? REMARK : GOOD, ERR_NONE, "window", text);
}

/* What the agent would do on its own, and when. */
static void check_policy(struct check *k)
{
	const struct policy_config *p = &k->config->policy;
	char text[400], span[32];

	snprintf(text, sizeof text,
		"%s; in 24 h %d repair(s) of a host, %d of a group, %d of all; none when more than %d hosts break within %s",
		policy_mode_text(p->mode), p->per_host_day, p->per_group_day, p->per_fleet_day, p->blast_hosts,
		span_text(p->blast_within, span));
	say(k, GOOD, ERR_NONE, "policy", text);
	for (size_t i = 0; i < p->n_windows; i++)
		check_window(k, &p->windows[i]);
}

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct config *config = agent_config(c, &e);
	struct check k = { .c = c, .config = config };

	(void)argc;
	(void)argv;
	if (!config)
		return cli_fail(c, &e);
	say(&k, GOOD, ERR_NONE, "configuration", config->path);
	check_rules(&k);
	check_state(&k);
	check_policy(&k);
	for (size_t i = 0; i < config->n_sources; i++)
		check_source(&k, &config->sources[i]);
	if (!config->n_sources)
		say(&k, REMARK, ERR_NONE, "sources", "none: only diagnoses by the clock will run");
	for (size_t i = 0; i < config->n_sinks; i++)
		check_sink(&k, &config->sinks[i]);
	check_routes(config, on_route, &k);
	if (!config->n_sinks)
		say(&k, REMARK, ERR_NONE, "sinks", "none: what is found stays in the spool");
	for (size_t i = 0; i < config->n_hosts; i++)
		check_host(&k, &config->hosts[i]);
	config_free(config);
	return k.code;
}

static const struct cli_option options[] = { CLI_OPTION_CONFIG, CLI_OPTION_END };

const struct cli_verb verb_check = {
	.name = "check", .summary = "configuration, rules, files, receivers, hosts: what would go wrong", .usage = "-c FILE",
	.help = "Reads everything the agent would read, connects to each receiver and asks each host who it is. Nothing is changed there.\n"
		"Routes on which nothing can come (a label that no source has) are notes.\n",
	.example = "evmend check -c /etc/evmend/config.yaml", .options = options, .max_args = 0, .flags = CLI_TAKES_AT, .run = run,
};
