/* rules_test.c - `evmend rules test`: events that a rule must match, and events that it must not, stand beside it.
 *
 * Why: a rule is only as good as the events it was tried on.
 * Promises: DIR/tests/NAME/match* and nomatch* (.xml, .txt, .log) for the rule NAME of a file in DIR; every event of match* must
 * match (a correlation: must fire on the file), none of nomatch* may.
 * Refuses: to call a rule tested that lacks either, and files that hold no events or malformed ones. */
#include "cli/rules_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cases/engine.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "os/os.h"

struct testing {
	struct cli *c;
	struct arena *a;
	const struct ruleset *rs;
	struct matcher *matcher;
	const struct rule *rule;
	const char *folder;
	char **names;
	size_t n_names;
	/* of the file that is tried */
	struct engine *engine;
	uint64_t events, hits;
	bool fired;
	/* results */
	size_t passed, failed, untested, files;
};

static int each_name(void *arg, const char *name)
{
	struct testing *t = arg;

	t->names = xrealloc(t->names, t->n_names + 1, sizeof *t->names);
	t->names[t->n_names++] = xstrdup(name);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_folder(struct testing *t)
{
	t->n_names = 0;
	t->names = NULL;
	os_file.list(t->folder, each_name, t);
	if (t->n_names)
		qsort(t->names, t->n_names, sizeof *t->names, by_text);
}

static void forget_folder(struct testing *t)
{
	for (size_t i = 0; i < t->n_names; i++)
		free(t->names[i]);
	free(t->names);
}

static int on_event(void *arg, const struct event *ev)
{
	struct testing *t = arg;
	const uint32_t *hits;
	size_t n;

	t->events++;
	if (t->engine) {
		engine_event(t->engine, ev);
		return 0;
	}
	n = matcher_run(t->matcher, ev, &hits);
	for (size_t i = 0; i < n; i++)
		t->hits += hits[i] == t->rule->index;
	return 0;
}

static void on_fired(void *arg, const struct rule *r)
{
	struct testing *t = arg;

	t->fired = t->fired || r == t->rule;
}

static void say(struct testing *t, const char *result, const char *text)
{
	const char *name = *t->rule->name ? t->rule->name : t->rule->id;
	struct json_out o;
	struct buf b;

	if (!t->c->json) {
		if (strcmp(result, "passed") != 0)
			cli_print(t->c, CLI_RED, "%-8s %s: %s\n", result, name, text);
		else if (!t->c->quiet)
			cli_print(t->c, CLI_PLAIN, "%-8s %s\n", result, name);
		return;
	}
	buf_init(&b, 1u << 16);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule-test");
	json_put_str(&o, "rule", name);
	json_put_str(&o, "result", result);
	json_put_str(&o, "text", text);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void read_file(struct testing *t, char *path, struct read_events *r)
{
	struct engine_options eo = {.rules = t->rs, .clock = &t->c->clock, .scan = true};
	struct engine_sink sink = {.arg = t, .fired = on_fired};

	*r = (struct read_events){.c = t->c, .names = ruleset_names(t->rs), .arg = t, .event = on_event};
	t->events = t->hits = 0;
	t->fired = false;
	t->engine = t->rule->kind == RULE_CORRELATION ? engine_new(&eo, &sink) : NULL;
	read_events(r, &path, 1);
	if (t->engine)
		engine_finish(t->engine);
	engine_free(t->engine);
	t->engine = NULL;
}

/* true: as it must be; else says why not. */
static bool try_file(struct testing *t, const char *name, bool must)
{
	struct read_events r;
	char text[400];

	t->files++;
	read_file(t, arena_printf(t->a, "%s/%s", t->folder, name), &r);
	text[0] = '\0';
	if (r.failed || r.malformed_count)
		snprintf(text, sizeof text, "%s/%s cannot be read as events", t->folder, name);
	else if (t->events == 0)
		snprintf(text, sizeof text, "%s/%s holds no event", t->folder, name);
	else if (t->rule->kind == RULE_CORRELATION && t->fired != must)
		snprintf(text, sizeof text, "%s/%s: the correlation %s", t->folder, name, must ? "did not fire" : "fired, and must not");
	else if (t->rule->kind == RULE_DETECTION && must && t->hits != t->events)
		snprintf(text, sizeof text, "%s/%s: matched %llu of %llu events", t->folder, name, (unsigned long long)t->hits,
			 (unsigned long long)t->events);
	else if (t->rule->kind == RULE_DETECTION && !must && t->hits)
		snprintf(text, sizeof text, "%s/%s: matched %llu events, and must match none", t->folder, name, (unsigned long long)t->hits);
	if (text[0])
		say(t, "failed", text);
	return !text[0];
}

static bool usable(const char *name)
{
	return text_ends(name, ".xml") || text_ends(name, ".txt") || text_ends(name, ".log");
}

static void test_rule(struct testing *t)
{
	const char *file = t->rule->file, *slash = strrchr(file, '/');
	size_t must = 0, must_not = 0, bad = 0;

	t->folder = arena_printf(t->a, "%.*s/tests/%s", slash ? (int)(slash - file) : 1, slash ? file : ".",
		*t->rule->name ? t->rule->name : t->rule->id);
	list_folder(t);
	for (size_t i = 0; i < t->n_names; i++) {
		const char *name = t->names[i];
		bool no = text_starts(name, "nomatch");

		if (!usable(name) || (!no && !text_starts(name, "match")))
			continue;
		*(no ? &must_not : &must) += 1;
		bad += !try_file(t, name, !no);
	}
	forget_folder(t);
	if (bad) {
		t->failed++;
	} else if (!must || !must_not) {
		t->untested++;
		say(t, "untested", arena_printf(t->a, "%s needs match* and nomatch* files (.xml, .txt or .log)", t->folder));
	} else {
		t->passed++;
		say(t, "passed", "");
	}
}

static struct ruleset *load(struct testing *t, const char *folder, struct err *e)
{
	struct ruleset_options o;
	const char *const one[] = {folder};

	if (!folder)
		return rules_home_load(t->c, t->a, e);
	if (rules_home(t->c, t->a, &o, e) != 0)
		return NULL;
	o.folders = one;
	o.n_folders = 1;
	return ruleset_load(&o, NULL, NULL, e);
}

int rules_test(struct cli *c, struct arena *a, const char *folder)
{
	struct testing t = {.c = c, .a = a};
	struct err e;
	struct ruleset *rs = load(&t, folder, &e);
	size_t refused;

	if (!rs)
		return cli_fail(c, &e);
	t.rs = rs;
	t.matcher = matcher_new(rs);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		t.rule = ruleset_rule(rs, i);
		test_rule(&t);
	}
	refused = ruleset_refused(rs);
	matcher_free(t.matcher);
	ruleset_free(rs);
	if (c->json)
		printf("{\"v\":1,\"kind\":\"summary\",\"passed\":%zu,\"failed\":%zu,\"untested\":%zu,\"refused\":%zu,\"files\":%zu}\n",
			t.passed, t.failed,
		       t.untested, refused, t.files);
	else
		cli_print(c, t.failed || t.untested || refused ? CLI_RED : CLI_GREEN,
			"%zu rules passed, %zu failed, %zu untested, %zu refused; %zu files\n",
			  t.passed, t.failed, t.untested, refused, t.files);
	return t.failed || t.untested || refused ? ERR_RULES : ERR_NONE;
}
