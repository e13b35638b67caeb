/* sink_verb.c - `evmend sink test NAME`: does this receiver take what we would send?
 *
 * Why: whoever sets up a receiver wants to see one record of each kind there, before anything has happened. Promises: sends one record of each
 * kind that the sink takes, marked as a test, through the sink's own format, and waits for the outcome of each; nothing of the agent's state
 * is touched. Refuses: a file that a running agent writes to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/agent_state.h"
#include "cli/verbs.h"
#include "limits.h"
#include "rules/rule.h"
#include "ship/view.h"

#define WAIT (30 * US_SECOND)
#define RECORD_BYTES (CONFIG_BYTES + 4096) /* its labels are the configuration's */

struct trial {
	struct cli *c;
	struct sink *sink;
	const struct sink_config *config;
	struct buf labels; /* an object; nothing: there are none */
	struct spool_record records[RECORD_KINDS];
	struct buf json[RECORD_KINDS];
	bool done[RECORD_KINDS];
	size_t n, given, answered;
	int64_t begun;
	int code;
};

/* --- labels: those that all records have which go there --- */

struct agreeing {
	const struct config *config;
	const struct sink_take *take;
	struct json_out o;
};

static bool meets(const struct sink_take *take, const struct json *labels)
{
	size_t met = 0;

	for (size_t i = 0; i < take->n_labels; i++) {
		char name[LIMIT_LABEL_NAME + 1];
		const char *value = label_split(take->labels[i], name);

		met += value && !strcmp(json_str(json_get(labels, name), "\n"), value);
	}
	return met == take->n_labels;
}

/* A label of the first source whose records are taken: put when the others say the same. */
static int put_if_all(void *arg, const char *name, const struct json *value)
{
	struct agreeing *a = arg;
	bool all = !label_find(a->take->labels, a->take->n_labels, name); /* that is put already */

	for (size_t i = 0; i < a->config->n_sources && all; i++) {
		const char *text = a->config->sources[i].labels;
		struct json *labels = json_parse(text, strlen(text), NULL);

		all = !meets(a->take, labels) || !strcmp(json_str(json_get(labels, name), "\n"), json_str(value, ""));
		json_free(labels);
	}
	if (all)
		json_put(&a->o, name, value);
	return 0;
}

static void write_labels(const struct config *config, const struct sink_take *take, struct buf *to)
{
	struct agreeing a = { .config = config, .take = take };
	bool found = false;

	json_begin(&a.o, to);
	json_open(&a.o, NULL, '{');
	for (size_t i = 0; i < take->n_labels; i++) {
		char name[LIMIT_LABEL_NAME + 1];
		const char *value = label_split(take->labels[i], name);

		if (value)
			json_put_str(&a.o, name, value);
	}
	for (size_t i = 0; i < config->n_sources && !found; i++) {
		struct json *labels = json_parse(config->sources[i].labels, strlen(config->sources[i].labels), NULL);

		found = meets(take, labels);
		if (found)
			json_each(labels, put_if_all, &a);
		json_free(labels);
	}
	json_close(&a.o, '}');
	if (text_same(buf_text(to), "{}"))
		buf_reset(to);
}

static void write_record(struct trial *t, int kind)
{
	struct spool_record *r = &t->records[t->n];
	char uid[65], title[200];
	struct buf *b = &t->json[t->n++];
	struct json_out o;

	*r = (struct spool_record){ .seq = (int64_t)t->n, .kind = kind, .time = clock_wall(&t->c->clock), .level = t->config->take.level,
		.host = "evmend.test", .cause = "", .labels = "", .urgent = true };
	os_random(r->uid, sizeof r->uid);
	text_hex(uid, r->uid, sizeof r->uid);
	(void)snprintf(title, sizeof title, "Test of the sink %.100s; nothing has happened", t->config->name);
	buf_init(b, RECORD_BYTES);
	json_begin(&o, b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", record_kind_text(kind));
	json_put_bool(&o, "test", true);
	json_put_str(&o, "uid", uid);
	json_put_time(&o, "time", r->time);
	json_put_str(&o, "host", r->host);
	json_put_str(&o, "level", level_text((enum rule_level)r->level));
	json_open(&o, "rule", '{');
	json_put_str(&o, "id", "evmend-sink-test");
	json_put_str(&o, "title", title);
	json_close(&o, '}');
	json_put_str(&o, "text", title);
	if (t->labels.n)
		json_put_raw(&o, "labels", buf_text(&t->labels));
	json_close(&o, '}');
	r->json = buf_text(b);
	r->n = b->n;
}

static void write_records(struct trial *t, const struct config *config)
{
	unsigned kinds = t->config->take.kinds ? t->config->take.kinds : (1u << RECORD_KINDS) - 1 - (1u << RECORD_EVENT);

	buf_init(&t->labels, CONFIG_BYTES);
	write_labels(config, &t->config->take, &t->labels);
	for (int kind = 0; kind < RECORD_KINDS; kind++)
		if (kinds & 1u << kind)
			write_record(t, kind);
}

static void told(struct trial *t, const struct spool_record *r, enum sink_outcome outcome, const char *why)
{
	static const char *const words[] = { "accepted", "not accepted", "refused for good" };
	char took[32];

	span_text(clock_monotonic(&t->c->clock) - t->begun, took);
	if (outcome != SINK_ACCEPTED && !t->code)
		t->code = outcome == SINK_RETRY ? ERR_IO : ERR_REFUSED;
	if (!t->c->json) {
		cli_print(t->c, outcome == SINK_ACCEPTED ? CLI_GREEN : CLI_RED, "%-16s", words[outcome]);
		cli_print(t->c, CLI_PLAIN, " %s: %s\n", record_kind_text(r->kind), outcome == SINK_ACCEPTED ? took : why);
		return;
	}
	struct json_out o;
	struct buf b;
	char uid[65];

	text_hex(uid, r->uid, sizeof r->uid);
	buf_init(&b, 65536);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "sink-test");
	json_put_str(&o, "sink", t->config->name);
	json_put_str(&o, "record", record_kind_text(r->kind));
	json_put_str(&o, "uid", uid);
	json_put_str(&o, "result", words[outcome]);
	if (outcome != SINK_ACCEPTED)
		json_put_str(&o, "why", why);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* Everything that has no outcome yet has this one. */
static void end_all(struct trial *t, const char *why)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->done[i])
			told(t, &t->records[i], SINK_RETRY, why);
		t->done[i] = true;
	}
	t->answered = t->n;
}

static void take_results(struct trial *t)
{
	struct sink_result results[RECORD_KINDS];
	struct err e = { 0 };
	size_t got = 0;

	if (t->sink->ops->poll(t->sink, results, RECORD_KINDS, &got, &e) < 0)
		end_all(t, e.text);
	for (size_t i = 0; i < got; i++) {
		size_t k = (size_t)results[i].seq - 1;

		if (k >= t->n || t->done[k])
			continue;
		t->done[k] = true;
		t->answered++;
		told(t, &t->records[k], results[i].unnamed ? SINK_DEAD : results[i].outcome, results[i].why);
	}
}

static void wait_a_little(struct trial *t)
{
	bool write = false;
	struct os_poll p = { .fd = t->sink->ops->wait_fd(t->sink, &write), .want_read = true };

	p.want_write = write;
	os_process.wait_ready(&p, p.fd >= 0, 20);
}

static void try_sink(struct trial *t, int64_t limit)
{
	int64_t until = clock_monotonic(&t->c->clock) + limit;
	struct err e = { 0 };

	t->begun = clock_monotonic(&t->c->clock);
	if (t->sink->ops->open(t->sink, &e) < 0)
		end_all(t, e.text);
	while (t->answered < t->n) {
		if (t->given < t->n) {
			int took = t->sink->ops->submit(t->sink, t->records + t->given, t->n - t->given, &e);

			if (took < 0) {
				take_results(t); /* those that it had taken */
				end_all(t, e.text);
				return;
			}
			t->given += (size_t)took;
			if (t->given == t->n)
				(void)t->sink->ops->flush(t->sink, &e);
		}
		take_results(t);
		if (t->answered < t->n && clock_monotonic(&t->c->clock) >= until)
			end_all(t, "no answer in time");
		if (t->answered < t->n)
			wait_a_little(t);
	}
}

/* Two writers would cut each other's lines. */
static int check_file(const struct config *config, const struct sink_config *s, struct err *e)
{
	int lock = s->kind == SINK_FILE ? os_file.open(config_state(config, "lock"), OS_LOCK) : -1;

	if (lock >= 0)
		os_file.close(lock);
	return lock == -EWOULDBLOCK ? err_set(e, ERR_REFUSED, "an agent runs and writes %s itself; `evmend status` tells how it goes", s->file.path) : 0;
}

static const struct sink_config *find(const struct config *config, const char *name, struct err *e)
{
	const char *names[CONFIG_SINKS + 1] = { NULL };
	char list[300];

	for (size_t i = 0; i < config->n_sinks; i++) {
		if (text_same(config->sinks[i].name, name))
			return &config->sinks[i];
		names[i] = config->sinks[i].name;
	}
	err_set(e, ERR_USAGE, "there is no sink '%s' in %s; there are: %s", name, config->path, text_list(list, sizeof list, names));
	return NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
	struct err e = { 0 };
	struct config *config;
	struct trial *t;
	const char *span = cli_value(c, "--wait", NULL);
	int64_t limit = WAIT;
	int code;

	(void)argc;
	if (strcmp(argv[0], "test") != 0)
		return cli_usage(c, "'%s' is no word of sink; write evmend sink test NAME", argv[0]);
	if (span && (!span_parse(span, &limit) || limit <= 0 || limit > US_HOUR))
		return cli_usage(c, "--wait takes a time such as 10s, at most 1h");
	config = agent_config(c, &e);
	if (!config)
		return cli_fail(c, &e);
	t = xcalloc(1, sizeof *t);
	t->c = c;
	t->config = find(config, argv[1], &e);
	if (!t->config || check_file(config, t->config, &e) < 0) {
		code = cli_fail(c, &e);
	} else {
		t->sink = sink_new(t->config, &c->clock, &os_file);
		write_records(t, config);
		try_sink(t, limit);
		sink_free(t->sink);
		code = t->code;
		for (size_t i = 0; i < t->n; i++)
			buf_free(&t->json[i]);
		buf_free(&t->labels);
	}
	free(t);
	config_free(config);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_CONFIG,
	{"--wait", 0, CLI_VALUE, "SPAN", "how long for an outcome; 30s"},
	CLI_OPTION_END,
};

const struct cli_verb verb_sink = {
	.name = "sink", .summary = "does a receiver take what would be sent?", .usage = "test NAME [--wait SPAN] -c FILE",
	.help = "Sends one record of each kind that the sink takes, marked \"test\":true, in its format, at its least level and with the\n"
		"labels that all of them have, and waits for the outcome. Exit code 0: all were accepted; 4: not accepted now; 6: refused for good.\n",
	.example = "evmend sink test siem -c config.yaml", .options = options, .min_args = 2, .max_args = 2, .run = run,
};
