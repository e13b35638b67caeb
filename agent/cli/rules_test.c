/* rules_test.c - `evmend rules test`: events that a rule must match, and events that it must not, stand beside it.
 *
 * Why: a rule is only as good as the events it was tried on.
 * Promises: DIR/tests/NAME/match* and nomatch* (.xml, .txt, .log) for the rule NAME of a file in DIR; every event of match* must
 * match (a correlation: must fire on the file), none of nomatch* may, of count-N* exactly N. A failure shows why, for the first event.
 * Refuses: to call a rule tested that lacks either, files that hold no events or malformed ones, and files and folders there that look
 * like tests and are none of any rule. */
#include "cli/rules_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cases/engine.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"
#include "correlate/correlate.h"
#include "os/os.h"
#include "rules/explain/explain.h"

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
	bool must;     /* events must match, the correlation fire; else they must not */
	int64_t count; /* so many must; -1: all, or none */
	uint64_t events, hits;
	struct buf why; /* explanation of the first event that is not as it must be */
	/* results */
	struct rule_test *results;
	size_t n_results, passed, failed, untested, strays, files;
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

/* All texts live in the arena, or as long as the rules. */
static void keep_result(struct testing *t, const char *rule, const char *file, enum test_result result, const char *text,
	const char *why)
{
	t->results = xrealloc(t->results, t->n_results + 1, sizeof *t->results);
	t->results[t->n_results++] = (struct rule_test){rule, file, result, text, why};
}

/* Keeps the result and tells it. */
static void say(struct testing *t, const char *file, enum test_result result, const char *text)
{
	static const char *const words[] = {"passed", "failed", "untested"};
	const char *name = *t->rule->name ? t->rule->name : t->rule->id, *why = buf_text(&t->why);
	struct json_out o;
	struct buf b;

	keep_result(t, name, file, result, text, arena_copy(t->a, why, strlen(why)));
	if (!t->c->json) {
		if (result == TEST_PASSED)
			return;
		cli_progress_end(t->c);
		cli_print(t->c, CLI_RED, "%-8s %s%s%s: %s\n", words[result], name, *file ? " " : "", file, text);
		cli_print(t->c, CLI_PLAIN, "%s", why);
		return;
	}
	buf_init(&b, 2u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule-test");
	rule_put(&o, "rule", t->rule);
	json_put_str(&o, "test", rule_said(file));
	json_put_str(&o, "result", words[result]);
	json_put_str(&o, "text", rule_said(text));
	json_put_str(&o, "explanation", rule_said(why));
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* The first event that is not as it must be tells why. */
static void explain_first(struct testing *t, const struct event *ev, bool held)
{
	struct arena *a;

	if (t->why.n || held == t->must || t->count >= 0)
		return;
	a = arena_new(1u << 14);
	buf_printf(&t->why, "event %llu of the file (event id %u) %s:\n", (unsigned long long)t->events, (unsigned)ev->event_id,
		held ? "matches" : "does not match");
	explain_text(rule_explain(t->rs, t->rule, ev, a), &t->why);
	arena_free(a);
}

static int on_event(void *arg, const struct event *ev)
{
	struct testing *t = arg;
	const uint32_t *hits;
	bool held = false;
	size_t n;

	t->events++;
	if (t->engine) {
		engine_event(t->engine, ev);
		return 0;
	}
	n = matcher_run(t->matcher, ev, &hits);
	for (size_t i = 0; i < n; i++)
		held = held || hits[i] == t->rule->index;
	t->hits += held;
	explain_first(t, ev, held);
	return 0;
}

static void on_fired(void *arg, const struct fired *f)
{
	struct testing *t = arg;

	t->hits += f->rule == t->rule;
}

static void read_file(struct testing *t, char *path, struct read_events *r)
{
	struct engine_options eo = {.rules = t->rs, .clock = &t->c->clock, .scan = true};
	struct engine_sink sink = {.arg = t, .fired = on_fired};

	*r = (struct read_events){.c = t->c, .names = ruleset_names(t->rs), .arg = t, .event = on_event};
	t->events = t->hits = 0;
	buf_reset(&t->why);
	t->engine = t->rule->kind == RULE_CORRELATION ? engine_new(&eo, &sink) : NULL;
	read_events(r, &path, 1);
	if (t->engine)
		engine_finish(t->engine);
	engine_free(t->engine);
	t->engine = NULL;
}

/* What is wrong with what the file gave; "": nothing. */
static const char *judge(const struct testing *t)
{
	unsigned long long hits = t->hits, events = t->events;
	bool corr = t->rule->kind == RULE_CORRELATION;

	if (t->count >= 0 && hits != (uint64_t)t->count)
		return arena_printf(t->a, corr ? "the correlation fired %llu times, and must %lld times" : "matched %llu events, and must match %lld",
			hits, (long long)t->count);
	if (t->count >= 0)
		return "";
	if (corr && (hits > 0) != t->must)
		return t->must ? "the correlation did not fire" : "the correlation fired, and must not";
	if (!corr && t->must && hits != events)
		return arena_printf(t->a, "matched %llu of %llu events", hits, events);
	if (!corr && !t->must && hits)
		return arena_printf(t->a, "matched %llu events, and must match none", hits);
	return "";
}

/* true: as it must be; else says why not. */
static bool try_file(struct testing *t, const char *name)
{
	struct read_events r;
	const char *text;

	t->files++;
	read_file(t, arena_printf(t->a, "%s/%s", t->folder, name), &r);
	if (r.failed || r.malformed_count)
		text = "cannot be read as events";
	else
		text = t->events == 0 ? "holds no event" : judge(t);
	if (!*text)
		buf_reset(&t->why);
	say(t, arena_copy(t->a, name, strlen(name)), *text ? TEST_FAILED : TEST_PASSED, text);
	return !*text;
}

static bool usable(const char *name)
{
	return text_ends(name, ".xml") || text_ends(name, ".txt") || text_ends(name, ".log");
}

/* match..., nomatch..., count-N...; false: no file of a test. */
static bool what_is_due(struct testing *t, const char *name)
{
	size_t digits = text_starts(name, "count-") ? strspn(name + 6, "0123456789") : 0;

	t->count = -1;
	t->must = !text_starts(name, "nomatch");
	return usable(name) && (!t->must || text_starts(name, "match") || (digits && text_int(name + 6, digits, &t->count)));
}

/* A test that nobody would miss when it does not run: a wrong name, or the folder of a rule that is not there. */
static void stray(struct testing *t, const char *path, const char *text)
{
	t->strays++;
	cli_progress_end(t->c);
	cli_warn(t->c, "%s %s", path, text);
	keep_result(t, path, "runs", TEST_FAILED, text, "");
}

/* Says of a file beside tests whether it looks like one. */
static void look_at_other(struct testing *t, const char *name)
{
	if (name[0] != '.' && (usable(name) || text_starts(name, "match") || text_starts(name, "nomatch") || text_starts(name, "count-")))
		stray(t, arena_printf(t->a, "%s/%s", t->folder, name), "is not run: tests are named match*, nomatch* or count-N*, and end in .xml, .txt "
			"or .log");
}

static const char *folder_of(struct testing *t, const struct rule *r)
{
	const char *slash = strrchr(r->file, '/');

	return slash ? arena_copy(t->a, r->file, (size_t)(slash - r->file)) : ".";
}

static bool has_rule(struct testing *t, const char *folder, const char *name)
{
	for (size_t i = 0; i < ruleset_count(t->rs); i++) {
		const struct rule *r = ruleset_rule(t->rs, i);

		if (strcmp(*r->name ? r->name : r->id, name) == 0 && strcmp(folder_of(t, r), folder) == 0)
			return true;
	}
	return false;
}

/* What lies in the folder of tests beside the rules of one folder, and belongs to none of them. */
static void look_for_strays(struct testing *t, const char *folder)
{
	struct os_stat st;

	t->folder = arena_printf(t->a, "%s/tests", folder);
	list_folder(t);
	for (size_t i = 0; i < t->n_names; i++) {
		const char *path = arena_printf(t->a, "%s/%s", t->folder, t->names[i]);

		if (os_file.stat(path, -1, &st) != 0 || !st.is_folder)
			look_at_other(t, t->names[i]);
		else if (!has_rule(t, folder, t->names[i]))
			stray(t, path, arena_printf(t->a, "is for no rule that is loaded from %s", folder));
	}
	forget_folder(t);
}

static void all_strays(struct testing *t)
{
	const char **folders = xcalloc(ruleset_count(t->rs) + 1, sizeof *folders);
	size_t n = 0;

	for (size_t i = 0; i < ruleset_count(t->rs); i++) {
		const char *folder = folder_of(t, ruleset_rule(t->rs, i));
		size_t k = n;

		while (k && strcmp(folders[k - 1], folder) != 0)
			k--;
		if (k == 0)
			look_for_strays(t, folders[n++] = folder);
	}
	free(folders);
}

static void test_rule(struct testing *t)
{
	size_t must = 0, must_not = 0, bad = 0;

	t->folder = arena_printf(t->a, "%s/tests/%s", folder_of(t, t->rule), *t->rule->name ? t->rule->name : t->rule->id);
	list_folder(t);
	for (size_t i = 0; i < t->n_names; i++) {
		if (!what_is_due(t, t->names[i])) {
			look_at_other(t, t->names[i]);
			continue;
		}
		must += t->must && t->count != 0;
		must_not += !t->must || t->count == 0;
		bad += !try_file(t, t->names[i]);
	}
	forget_folder(t);
	if (bad) {
		t->failed++;
	} else if (!must || !must_not) {
		t->untested++;
		say(t, "", TEST_UNTESTED, arena_printf(t->a, "%s needs match* and nomatch* files (.xml, .txt or .log)", t->folder));
	} else {
		t->passed++;
		if (!t->c->json && !t->c->quiet)
			cli_print(t->c, CLI_PLAIN, "passed   %s\n", *t->rule->name ? t->rule->name : t->rule->id);
	}
}

/* A rule that is refused has no tests that could run: it fails by itself. */
static void on_problem(void *arg, const struct rule_problem *p)
{
	struct testing *t = arg;

	if (p->warning)
		return;
	cli_note(t->c, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
	keep_result(t, arena_copy(t->a, p->file, strlen(p->file)), "loads", TEST_FAILED,
		arena_printf(t->a, "line %d: %s", p->line, p->text), "");
}

static struct ruleset *load(struct testing *t, const char *folder, struct err *e)
{
	struct ruleset_options o;

	if (rules_home(t->c, t->a, &o, e) != 0)
		return NULL;
	if (folder) {
		o.folders = &folder;
		o.n_folders = 1;
	}
	return ruleset_load(&o, on_problem, t, e);
}

static int write_junit(const struct testing *t, const char *path, struct err *e)
{
	FILE *f = fopen(path, "we");
	struct buf b;
	bool bad;

	if (!f)
		return err_set(e, ERR_IO, "%s cannot be written: is its folder there?", path);
	buf_init(&b, 256u << 20);
	rules_junit(t->results, t->n_results, &b);
	bad = fwrite(buf_text(&b), 1, b.n, f) != b.n;
	bad = fclose(f) != 0 || bad;
	buf_free(&b);
	return bad ? err_set(e, ERR_IO, "%s could not be written: is the disk full?", path) : 0;
}

static int sum(const struct testing *t, struct cli *c, size_t refused)
{
	bool bad = t->failed || t->untested || t->strays || refused;

	if (c->json)
		printf("{\"v\":1,\"kind\":\"summary\",\"passed\":%zu,\"failed\":%zu,\"untested\":%zu,\"refused\":%zu,\"files\":%zu,"
			"\"strays\":%zu}\n", t->passed, t->failed, t->untested, refused, t->files, t->strays);
	else
		cli_print(c, bad ? CLI_RED : CLI_GREEN, "%zu rule%s passed, %zu failed, %zu untested, %zu refused; %zu file%s%s\n", t->passed,
			PLURAL(t->passed), t->failed, t->untested, refused, t->files, PLURAL(t->files),
			t->strays ? arena_printf(t->a, "; %zu stray", t->strays) : "");
	return bad ? ERR_RULES : ERR_NONE;
}

int rules_test(struct cli *c, struct arena *a, const char *folder)
{
	struct testing t = {.c = c, .a = a};
	const char *junit = cli_value(c, "--junit", NULL);
	struct err e;
	struct ruleset *rs = load(&t, folder, &e);
	int code, r = 0;

	if (!rs)
		return cli_fail(c, &e);
	t.rs = rs;
	t.matcher = matcher_new(rs);
	buf_init(&t.why, 1u << 20);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		t.rule = ruleset_rule(rs, i);
		buf_reset(&t.why);
		if (c->quiet || c->json || !c->out_tty)
			cli_progress(c, i, ruleset_count(rs), "testing");
		test_rule(&t);
	}
	cli_progress_end(c);
	all_strays(&t);
	if (junit)
		r = write_junit(&t, junit, &e);
	code = sum(&t, c, ruleset_refused(rs));
	matcher_free(t.matcher);
	ruleset_free(rs);
	free(t.results);
	buf_free(&t.why);
	return r < 0 ? cli_fail(c, &e) : code;
}
