/* rules_verbs.c - `evmend rules`: the rule engine tells what it has, what is wrong, and why a rule holds or not.
 *
 * Promises that check names every problem with its place, and that explain asks the same program that runs. Refuses to guess a rule
 * from half a name: it names the nearest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/read_events.h"
#include "cli/rules_check.h"
#include "cli/rules_home.h"
#include "cli/rules_test.h"
#include "cli/verbs.h"

static void then_text(const struct rule *r, char to[static 48])
{
	snprintf(to, 48, "%s%s%s", r->then & THEN_REMEMBER ? "remember " : "", r->then & THEN_DIAGNOSE ? "diagnose " : "",
		 r->then & THEN_HEALED ? "healed " : "");
	if (*to)
		to[strlen(to) - 1] = '\0';
}

static void list_json(const struct rule *r)
{
	struct json_out o;
	struct buf b;
	char then[48];

	then_text(r, then);
	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule");
	json_put_str(&o, "type", r->kind == RULE_CORRELATION ? "correlation" : "detection");
	json_put_str(&o, "id", r->id);
	json_put_str(&o, "name", r->name);
	json_put_str(&o, "title", r->title);
	json_put_str(&o, "level", level_text(r->level));
	json_put_str(&o, "cause", r->cause);
	json_put_str(&o, "then", then);
	json_put_bool(&o, "silent", r->silent);
	json_put_str(&o, "disproved_by", r->disproved_by);
	json_put_str(&o, "file", r->file);
	json_put_int(&o, "line", r->line);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static int list(struct cli *c, struct arena *a)
{
	static const char *const headings[] = {"Level", "Type", "Rule", "Cause", "Then", "Title", NULL};
	struct cli_table *t = NULL;
	struct err e;
	struct ruleset *rs = rules_home_load(c, a, &e);

	if (!rs)
		return cli_fail(c, &e);
	if (!c->json)
		t = cli_table_new(headings);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule *r = ruleset_rule(rs, i);
		char then[48];

		then_text(r, then);
		if (c->json)
			list_json(r);
		else
			cli_table_row(t, level_text(r->level), r->kind == RULE_CORRELATION ? "correlation" : r->silent ? "silent" : "event",
				      *r->name ? r->name : r->id, r->cause, then, r->title, (char *)NULL);
	}
	if (t)
		cli_table_end(c, t);
	int code = ruleset_refused(rs) ? ERR_RULES : ERR_NONE;

	ruleset_free(rs);
	return code;
}

struct explain {
	struct cli *c;
	const struct rule *rule;
	struct matcher *matcher;
	uint64_t events, held;
};

static int explain_event(void *arg, const struct event *ev)
{
	struct explain *x = arg;
	const uint32_t *hits;
	size_t n = matcher_run(x->matcher, ev, &hits);
	bool holds = false;
	struct json_out o;
	struct buf text, line;

	for (size_t i = 0; i < n; i++)
		holds = holds || hits[i] == x->rule->index;
	x->events++;
	x->held += holds;
	buf_init(&text, 1u << 20);
	matcher_explain(x->matcher, x->rule, ev, &text);
	if (!x->c->json) {
		cli_print(x->c, holds ? CLI_GREEN : CLI_YELLOW, "%s, event %u of %s: the rule %s\n", ev->source, ev->event_id,
			  *ev->computer ? ev->computer : "?", holds ? "holds" : "does not hold");
		cli_print(x->c, CLI_PLAIN, "%s", buf_text(&text));
	} else {
		buf_init(&line, 2u << 20);
		json_begin(&o, &line);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_str(&o, "kind", "explanation");
		json_put_str(&o, "rule", *x->rule->name ? x->rule->name : x->rule->id);
		json_put_str(&o, "source", ev->source);
		json_put_int(&o, "event_id", ev->event_id);
		json_put_int(&o, "record_id", (int64_t)ev->record_id);
		json_put_bool(&o, "holds", holds);
		json_put_str(&o, "text", buf_text(&text));
		json_close(&o, '}');
		printf("%s\n", buf_text(&line));
		buf_free(&line);
	}
	buf_free(&text);
	return 0;
}

static void explain_rule(const struct cli *c, const struct ruleset *rs, const struct rule *r)
{
	const struct correlation *corr = ruleset_correlation(rs, r);
	char span[32];

	if (c->json) {
		list_json(r);
		return;
	}
	cli_print(c, CLI_BOLD, "%s\n", r->title);
	cli_print(c, CLI_PLAIN, "  %s, %s:%d\n", *r->name ? r->name : r->id, r->file, r->line);
	cli_print(c, CLI_PLAIN, "  level %s, cause %s\n", level_text(r->level), r->cause ? r->cause : "none");
	if (r->hint)
		cli_print(c, CLI_PLAIN, "  says: %s\n", r->hint);
	if (r->disproved_by)
		cli_print(c, CLI_PLAIN, "  disproved by: %s\n", r->disproved_by);
	for (size_t i = 0; corr && i < corr->n_rules; i++)
		cli_print(c, CLI_PLAIN, "  %s %s\n", i ? "        and" : "correlates", ruleset_rule(rs, corr->rules[i])->title);
	if (corr)
		cli_print(c, CLI_PLAIN, "  within %s\n", span_text(corr->timespan, span));
}

/* Frees rs. */
static int no_such_rule(struct cli *c, struct ruleset *rs, const char *name)
{
	const char **names = xcalloc(ruleset_count(rs) + 1, sizeof *names), *near;
	int code;

	for (size_t i = 0; i < ruleset_count(rs); i++)
		names[i] = ruleset_rule(rs, i)->name;
	near = text_nearest(name, names);
	code = near && *near ? cli_usage(c, "there is no rule '%s'; did you mean '%s'?", name, near)
			     : cli_usage(c, "there is no rule '%s'; 'evmend rules list' names them", name);
	free(names);
	ruleset_free(rs);
	return code;
}

static int explain(struct cli *c, struct arena *a, int argc, char **argv)
{
	struct explain x = {.c = c};
	struct err e;
	struct ruleset *rs;
	const char *file = cli_value(c, "--event", NULL);
	char *path;
	int code = ERR_NONE;

	if (argc != 1)
		return cli_usage(c, "explain takes the name or id of one rule");
	rs = rules_home_load(c, a, &e);
	if (!rs)
		return cli_fail(c, &e);
	x.rule = ruleset_find(rs, argv[0]);
	if (!x.rule)
		return no_such_rule(c, rs, argv[0]);
	explain_rule(c, rs, x.rule);
	if (file) {
		struct read_events r = {.c = c, .names = ruleset_names(rs), .arg = &x, .event = explain_event};

		x.matcher = matcher_new(rs);
		path = arena_copy(a, file, strlen(file));
		read_events(&r, &path, 1);
		matcher_free(x.matcher);
		code = r.failed ? ERR_IO : x.held ? ERR_FINDINGS : ERR_NONE;
		if (!c->json)
			cli_print(c, CLI_PLAIN, "%llu of %llu events\n", (unsigned long long)x.held, (unsigned long long)x.events);
	}
	ruleset_free(rs);
	return code;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const char *const words[] = {"list", "check", "explain", "test", NULL};
	struct arena *a = arena_new(1u << 14);
	const char *word = argv[0], *near;
	int code;

	if (strcmp(word, "list") == 0 && argc == 1)
		code = list(c, a);
	else if (strcmp(word, "check") == 0)
		code = rules_check(c, a, argc - 1, argv + 1);
	else if (strcmp(word, "explain") == 0)
		code = explain(c, a, argc - 1, argv + 1);
	else if (strcmp(word, "test") == 0 && argc <= 2)
		code = rules_test(c, a, argv[1]);
	else if ((near = text_nearest(word, words)) && strcmp(near, word) != 0)
		code = cli_usage(c, "unknown word '%s'; did you mean '%s'?", word, near);
	else
		code = cli_usage(c, "write list, check [PATH...], explain RULE --event FILE, or test [DIR]");
	arena_free(a);
	return code;
}

static const struct cli_option options[] = {
	CLI_OPTION_RULES, CLI_OPTION_TABLES,
	{"--event", 0, CLI_VALUE, "FILE", "explain: the events to try the rule on"},
	{"--strict", 0, CLI_FLAG, NULL, "check: warnings count as errors do (exit code 2)"},
	{"--sarif", 0, CLI_FLAG, NULL, "check: one SARIF 2.1.0 document, for code scanning"},
	CLI_OPTION_END,
};

const struct cli_verb verb_rules = {
	.name = "rules", .summary = "list, check, explain and test the rules",
		.usage = "list | check [PATH...] | explain RULE --event FILE | test [DIR]",
	.help = "list     the rules that are loaded\n"
		"check    every problem of every rule file, with file, line and what to write instead; exit code 2 when a rule is refused\n"
		"         (an error), with --strict also when there is a warning\n"
		"explain  what a rule says, and for each event of FILE which conditions held and why\n"
		"test     runs each rule on the events beside it: tests/NAME/match* must match, tests/NAME/nomatch* must not; exit code 2\n"
		"         when one fails or a rule has no tests\n",
	.example = "evmend rules explain http-backend-endpoint-unusable --event System.xml\nevmend rules check my-rules",
	.options = options, .min_args = 1, .max_args = -1, .flags = CLI_TAKES_AT, .run = run,
};
