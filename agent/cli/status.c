/* status.c - `evmend status`: does the agent run, and how is it?
 *
 * Promises: asks the running agent; without one it says so and reads the state that is on disk. --check speaks Nagios (0 OK, 1 WARNING,
 * 2 CRITICAL, 3 UNKNOWN) in one line. Refuses nothing. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/status_sinks.h"
#include "cli/verbs.h"

#define NOISE_SHOWN 20

struct status {
	bool running;
	struct json *agent;   /* what the agent said; NULL */
	struct json *silences, *noise, *rules; /* agent_silences, agent_noise, agent_rules; NULL */
	char trouble[480];    /* why the agent could not be asked */
	size_t waiting, escalated, open, cases;
	struct status_sink sinks[CONFIG_SINKS];
	size_t n_sinks;
	struct buf pids;      /* lines "role pid" */
};

static int count_case(void *arg, const struct heal_case *k)
{
	struct status *s = arg;

	s->cases++;
	s->open += case_is_open(k->state);
	s->waiting += k->state == CASE_WAITING_APPROVAL;
	s->escalated += k->state == CASE_ESCALATED;
	return 0;
}

static void gather(struct cli *c, const struct config *config, struct status *s)
{
	struct err e = { 0 };
	struct buf q;
	struct db *d = agent_heal_db(config, DB_READ, &e);
	int asked;

	if (d && case_store_each(d, NULL, false, count_case, s, &e) < 0)
		text_copy(s->trouble, sizeof s->trouble, e.text);
	if (d)
		s->silences = agent_silences(config, &e);
	db_close(d);
	s->noise = agent_noise(config, &e);
	s->rules = agent_rules(config, &e);
	status_sinks(config, s->sinks);
	s->n_sinks = config->n_sinks;
	buf_init(&q, CONTROL_LINE);
	agent_member(&q, "do", "status");
	asked = agent_ask(c, config, &q, &s->agent, &e);
	buf_free(&q);
	s->running = asked != 0;
	if (asked < 0)
		text_copy(s->trouble, sizeof s->trouble, e.text);
	if (s->running && file_read(&os_file, config_state(config, "pids"), &s->pids, &e) < 0)
		buf_reset(&s->pids);
}

/* A member of the agent's answer, in ours. */
static int copy_member(void *arg, const char *key, const struct json *v)
{
	if (strcmp(key, "v") != 0 && strcmp(key, "ok") != 0)
		json_put(arg, key, v);
	return 0;
}

/* Active silences, each with what it holds back, and rules that were counted and not told. */
static void noise_json(const struct status *s, struct json_out *o)
{
	json_open(o, "silences", '[');
	for (size_t i = 0; i < json_len(s->silences); i++) {
		const struct json *one = json_at(s->silences, i), *held = agent_silence_held(s->noise, json_int(json_get(one, "id"), 0));

		json_open(o, NULL, '{');
		json_each(one, copy_member, o);
		json_put_int(o, "held", json_int(json_get(held, "count"), 0));
		json_close(o, '}');
	}
	json_close(o, ']');
	json_put(o, "held_back", json_get(s->noise, "rules"));
	if (json_get(s->noise, "counts"))
		json_put(o, "counts", json_get(s->noise, "counts"));
}

static void print_json(const struct config *config, const struct status *s, int64_t now)
{
	struct buf b;
	struct json_out o;

	buf_init(&b, 4u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "status");
	json_put_bool(&o, "running", s->running);
	json_put_str(&o, "state_dir", config->state_dir);
	if (s->trouble[0])
		json_put_str(&o, "trouble", s->trouble);
	json_put_int(&o, "cases_open", (int64_t)s->open);
	json_put_int(&o, "waiting_approval", (int64_t)s->waiting);
	json_put_int(&o, "escalated", (int64_t)s->escalated);
	status_sinks_json(s->sinks, s->n_sinks, now, &o);
	if (s->rules)
		json_put(&o, "rules", s->rules);
	noise_json(s, &o);
	if (s->agent) {
		json_open(&o, "agent", '{');
		json_each(s->agent, copy_member, &o);
		json_close(&o, '}');
	}
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* A member of the agent's answer as lines; arrays and objects are indented. */
static void print_member(const struct cli *c, int depth, const char *key, const struct json *v);

struct printing {
	const struct cli *c;
	int depth;
};

static int print_each(void *arg, const char *key, const struct json *v)
{
	const struct printing *p = arg;

	if (strcmp(key, "v") != 0 && strcmp(key, "ok") != 0)
		print_member(p->c, p->depth, key, v);
	return 0;
}

static void print_member(const struct cli *c, int depth, const char *key, const struct json *v)
{
	struct printing deeper = { c, depth + 1 };
	const char *name = key ? key : "-";

	if (json_is_object(v)) {
		cli_print(c, CLI_PLAIN, "%*s%s\n", 2 * depth, "", name);
		json_each(v, print_each, &deeper);
	} else if (json_is_array(v)) {
		for (size_t i = 0; i < json_len(v); i++)
			print_member(c, depth, name, json_at(v, i));
	} else if (json_is_string(v)) {
		cli_print(c, CLI_PLAIN, "%*s%-16s %s\n", 2 * depth, "", name, json_str(v, ""));
	} else if (!json_is_null(v)) {
		if (json_int(v, -1) == json_int(v, -2))
			cli_print(c, CLI_PLAIN, "%*s%-16s %lld\n", 2 * depth, "", name, (long long)json_int(v, 0));
		else
			cli_print(c, CLI_PLAIN, "%*s%-16s %s\n", 2 * depth, "", name, json_bool(v, false) ? "yes" : "no");
	}
}

static void print_rules(const struct cli *c, const struct status *s)
{
	const struct json *refused = json_get(s->rules, "refused");
	long long problems = (long long)json_int(json_get(s->rules, "problems"), 0), dropped = (long long)json_int(json_get(s->rules, "dropped"), 0);
	char when[32];

	if (!s->rules)
		return;
	cli_print(c, CLI_PLAIN, "  rules: %lld, loaded %s, digest %.16s\n", (long long)json_int(json_get(s->rules, "rules"), 0),
		time_text(json_time(json_get(s->rules, "loaded")), when), json_str(json_get(s->rules, "digest"), ""));
	if (dropped)
		cli_print(c, CLI_DIM, "  with that set %lld open correlations of rules that are gone ended\n", dropped);
	if (problems)
		cli_print(c, CLI_YELLOW, "  %lld problems in their files; evmend rules check shows them\n", problems);
	if (refused)
		cli_print(c, CLI_RED, "  changed rules were refused %s, those above go on: %s\n", time_text(json_time(json_get(refused, "time")), when),
			json_str(json_get(refused, "why"), ""));
}

/* What correlations and the book of hosts hold, and what they gave up. */
static void print_counts(const struct cli *c, const struct status *s)
{
	static const char *const keys[] = { "groups", "group_bytes", "groups_evicted", "groups_late", "missing_field", "hosts", "host_bytes",
		"hosts_evicted", "hosts_refused" };
	const struct json *counts = json_get(s->noise, "counts");
	long long n[sizeof keys / sizeof keys[0]];

	if (!counts)
		return;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		n[i] = (long long)json_int(json_get(counts, keys[i]), 0);
	cli_print(c, n[2] ? CLI_YELLOW : CLI_PLAIN, "  correlations: %lld groups in %lld kB, %lld given up; %lld matches too late, %lld without a"
		" field that is asked for\n", n[0], n[1] / 1024, n[2], n[3], n[4]);
	cli_print(c, n[7] || n[8] ? CLI_YELLOW : CLI_PLAIN, "  computers: %lld known in %lld kB, %lld given up, %lld matches without room\n",
		n[5], n[6] / 1024, n[7], n[8]);
}

static void print_noise(const struct cli *c, const struct status *s)
{
	const struct json *rules = json_get(s->noise, "rules");
	char until[32];

	for (size_t i = 0; i < json_len(s->silences); i++) {
		const struct json *one = json_at(s->silences, i), *held = agent_silence_held(s->noise, json_int(json_get(one, "id"), 0));
		const char *host = json_str(json_get(one, "host"), "");

		cli_print(c, CLI_YELLOW, "  silenced: %s%s%s until %s, %lld held back: %s\n", json_str(json_get(one, "title"), ""), *host ? " about " : "",
			host, time_text(json_time(json_get(one, "until")), until), (long long)json_int(json_get(held, "count"), 0),
			json_str(json_get(one, "reason"), ""));
	}
	if (json_len(rules) > NOISE_SHOWN)
		cli_print(c, CLI_DIM, "  %zu rules had something that was counted; --json has them all\n", json_len(rules));
	for (size_t i = 0; i < json_len(rules) && i < NOISE_SHOWN; i++) {
		const struct json *one = json_at(rules, i);
		long long shadow = (long long)json_int(json_get(one, "shadow"), 0), silenced = (long long)json_int(json_get(one, "silenced"), 0),
			over = (long long)json_int(json_get(one, "over_budget"), 0);

		if (shadow)
			cli_print(c, CLI_DIM, "  counted and not told: %s, %lld on trial\n", json_str(json_get(one, "title"), ""), shadow);
		if (over)
			cli_print(c, CLI_DIM, "  told as a count: %s, %lld over the budget\n", json_str(json_get(one, "title"), ""), over);
		if (silenced)
			cli_print(c, CLI_DIM, "  counted and not told: %s, %lld silenced\n", json_str(json_get(one, "title"), ""), silenced);
	}
}

static void print_text(struct cli *c, const struct config *config, const struct status *s)
{
	struct printing p = { c, 1 };

	if (s->running)
		cli_print(c, CLI_GREEN, "An agent runs on %s\n", config->state_dir);
	else
		cli_print(c, CLI_RED, "No agent runs on %s\n", config->state_dir);
	if (s->trouble[0])
		cli_print(c, CLI_YELLOW, "  %s\n", s->trouble);
	for (const char *at = buf_text(&s->pids); *at;) {
		int n = (int)strcspn(at, "\n");

		cli_print(c, CLI_PLAIN, "  process %.*s\n", n, at);
		at += n + (at[n] == '\n');
	}
	cli_print(c, CLI_PLAIN, "  cases: %zu open, %zu wait for an approval, %zu need a person; %zu in all\n", s->open, s->waiting,
		s->escalated, s->cases);
	status_sinks_print(c, s->sinks, s->n_sinks);
	print_rules(c, s);
	print_counts(c, s);
	print_noise(c, s);
	if (s->agent)
		json_each(s->agent, print_each, &p);
	if (s->waiting)
		cli_note(c, "evmend cases shows what waits; evmend approve CASE permits it");
}

static int nagios(const struct status *s, int64_t now)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	bool refused = json_get(s->rules, "refused");
	struct buf says;
	size_t bad;
	int code;

	buf_init(&says, 16384);
	bad = status_sinks_bad(s->sinks, s->n_sinks, now, &says);
	code = !s->running || s->escalated ? 2 : s->trouble[0] ? 3 : s->waiting || refused || bad ? 1 : 0;
	printf("EVMEND %s - agent %s, %zu %s open, %zu waiting for an approval, %zu waiting for a person%s%s"
		" | open=%zu waiting=%zu escalated=%zu sinks=%zu\n", words[code], s->running ? "runs" : "does not run", s->open,
		s->open == 1 ? "case" : "cases", s->waiting, s->escalated, refused ? ", changed rules are refused" : "", buf_text(&says), s->open,
		s->waiting, s->escalated, bad);
	buf_free(&says);
	return code;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct status s = { 0 };
	struct err e = { 0 };
	struct config *config = agent_config(c, &e);
	int code = 0;

	(void)argc;
	(void)argv;
	if (!config && cli_has(c, "--check")) {
		printf("EVMEND UNKNOWN - %s\n", e.text);
		return 3;
	}
	if (!config)
		return cli_fail(c, &e);
	buf_init(&s.pids, 4096);
	gather(c, config, &s);
	if (cli_has(c, "--check"))
		code = nagios(&s, clock_wall(&c->clock));
	else if (c->json)
		print_json(config, &s, clock_wall(&c->clock));
	else
		print_text(c, config, &s);
	status_sinks_free(s.sinks, s.n_sinks);
	json_free(s.agent);
	json_free(s.silences);
	json_free(s.noise);
	json_free(s.rules);
	buf_free(&s.pids);
	config_free(config);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--check", 0, CLI_FLAG, NULL, "one line and an exit code for Nagios and its kin"},
	CLI_OPTION_END,
};

const struct cli_verb verb_status = {
	.name = "status", .summary = "does the agent run, and how is it?", .usage = "[--check] -c FILE",
	.help = "What the running agent says about hosts, cases, holds and limits, and how many records wait for each receiver; which rules it has\n"
		"since when, and why it refused changed ones; what correlations hold and had to give up. With --check: 0 well; 1 something waits for an\n"
		"approval, changed rules are refused, a receiver took nothing for 5 minutes, records were given up or refused within a day; 2 no agent\n"
		"runs, or a case needs a person; 3 unknown.\n",
	.example = "evmend status -c config.yaml", .options = options, .max_args = 0, .run = run,
};
