/* rules_explain.c - `evmend rules explain`: what a rule says, and for each event why it holds or not.
 *
 * Promises: the rules that run answer; for a correlation also whether it fires on the whole file.
 * Refuses: to guess a rule from half a name: it names the nearest ones. */
#include "cli/rules_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cases/engine.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "cli/rules_list.h"
#include "os/os.h"
#include "rules/explain/explain.h"

#define NEAR 5 /* rules that are offered for a name that is none */

struct explain {
	struct cli *c;
	const struct ruleset *rs;
	const struct rule *rule;
	struct engine *engine; /* of a correlation */
	uint64_t events, held, fired, broken;
};

/* A correlation takes no event that lacks a field of its group: say which. NULL: it has all. */
static const char *lacks(const struct explain *x, const struct explained *part, const struct event *ev)
{
	const struct correlation *corr = ruleset_correlation(x->rs, x->rule);
	size_t n;

	for (size_t g = 0; g < corr->n_group_by; g++) {
		const char *field = ruleset_alias(x->rs, x->rule, corr->group_by[g], part->rule);

		if (!text_same(field, "host") && !ruleset_value(x->rs, part->rule, ev, field, &n))
			return field;
	}
	return NULL;
}

static void show_text(const struct explain *x, const struct explained *root, const struct event *ev)
{
	bool corr = x->rule->kind == RULE_CORRELATION;
	const char *word = corr ? root->holds ? "the event counts" : "the event does not count" : root->holds ? "the rule holds" :
		"the rule does not hold";
	const char *field;
	struct buf text;

	buf_init(&text, 1u << 20);
	explain_text(root, &text);
	cli_print(x->c, root->holds ? CLI_GREEN : CLI_YELLOW, "%s, event %u of %s: %s\n", ev->source, ev->event_id,
		*ev->computer ? ev->computer : "?", word);
	for (const char *p = buf_text(&text), *end; *p; p = end + (*end == '\n')) {
		end = p + strcspn(p, "\n");
		cli_print(x->c, *p == '>' ? CLI_BOLD : CLI_PLAIN, "%.*s\n", (int)(end - p), p);
	}
	for (size_t i = 0; corr && i < root->n; i++)
		if (root->kids[i].holds && (field = lacks(x, &root->kids[i], ev)))
			cli_print(x->c, CLI_YELLOW, "  but the event has no '%s', by which this correlation groups: it takes no part\n", field);
	buf_free(&text);
}

static void show_json(const struct explain *x, const struct explained *root, const struct event *ev)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 8u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "explanation");
	json_put_str(&o, "rule", *x->rule->name ? x->rule->name : x->rule->id);
	json_put_str(&o, "source", ev->source);
	json_put_int(&o, "event_id", ev->event_id);
	json_put_int(&o, "record_id", (int64_t)ev->record_id);
	json_put_bool(&o, "holds", root->holds);
	explain_json(root, "tree", &o);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static int each_event(void *arg, const struct event *ev)
{
	struct explain *x = arg;
	struct arena *a = arena_new(1u << 14);
	const struct explained *root = rule_explain(x->rs, x->rule, ev, a);

	x->events++;
	x->held += root->holds;
	x->broken += root->broken;
	if (x->engine)
		engine_event(x->engine, ev);
	if (x->c->json)
		show_json(x, root, ev);
	else
		show_text(x, root, ev);
	arena_free(a);
	return 0;
}

static void on_fired(void *arg, const struct rule *r)
{
	struct explain *x = arg;

	x->fired += r == x->rule;
}

static void show_rule(const struct cli *c, struct arena *a, const struct ruleset *rs, const struct rule *r)
{
	const struct correlation *corr = ruleset_correlation(rs, r);

	if (c->json) {
		rules_list_json(r);
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
		cli_print(c, CLI_PLAIN, "  needs %s\n", rule_needs(rs, r, a));
}

/* The sum over the file. Returns the exit code. */
static int show_sum(struct explain *x, const struct read_events *r)
{
	bool corr = x->engine != NULL;

	if (x->c->json && corr)
		printf("{\"v\":1,\"kind\":\"summary\",\"events\":%llu,\"held\":%llu,\"fired\":%llu}\n", (unsigned long long)x->events,
			(unsigned long long)x->held, (unsigned long long)x->fired);
	else if (x->c->json)
		printf("{\"v\":1,\"kind\":\"summary\",\"events\":%llu,\"held\":%llu}\n", (unsigned long long)x->events,
			(unsigned long long)x->held);
	else if (corr)
		cli_print(x->c, x->fired ? CLI_GREEN : CLI_YELLOW, "%llu of %llu events count; the correlation fired %llu times\n",
			(unsigned long long)x->held, (unsigned long long)x->events, (unsigned long long)x->fired);
	else
		cli_print(x->c, CLI_PLAIN, "%llu of %llu events\n", (unsigned long long)x->held, (unsigned long long)x->events);
	if (x->broken)
		return ERR_INTERNAL;
	return r->failed ? ERR_IO : (corr ? x->fired : x->held) ? ERR_FINDINGS : ERR_NONE;
}

static int try_events(struct explain *x, struct arena *a, const char *file)
{
	struct engine_options eo = {.rules = x->rs, .clock = &x->c->clock, .scan = true};
	struct engine_sink sink = {.arg = x, .fired = on_fired};
	struct read_events r = {.c = x->c, .names = ruleset_names(x->rs), .arg = x, .event = each_event};
	char *path = arena_copy(a, file, strlen(file));
	int code;

	x->engine = x->rule->kind == RULE_CORRELATION ? engine_new(&eo, &sink) : NULL;
	read_events(&r, &path, 1);
	if (x->engine)
		engine_finish(x->engine);
	code = show_sum(x, &r);
	engine_free(x->engine);
	return code;
}

/* -- which rule -- */

static bool is_meant(const struct rule *r, const char *what)
{
	size_t n = strlen(what), file = strlen(r->file);

	if (text_same(r->title, what) || strcmp(r->file, what) == 0)
		return true;
	return file > n && r->file[file - n - 1] == '/' && strcmp(r->file + file - n, what) == 0;
}

/* id and name first, then titles and files; a file may hold several rules: the last one, which refers to the others. */
static const struct rule *find_rule(const struct ruleset *rs, const char *what)
{
	const struct rule *found = ruleset_find(rs, what);

	for (size_t i = 0; !found && i < ruleset_count(rs); i++)
		if (is_meant(ruleset_rule(rs, ruleset_count(rs) - 1 - i), what))
			found = ruleset_rule(rs, ruleset_count(rs) - 1 - i);
	return found;
}

static int no_such_rule(struct cli *c, const struct ruleset *rs, const char *what)
{
	size_t n = ruleset_count(rs), told = 0;
	const char **names = xcalloc(2 * n + 1, sizeof *names), *near;

	for (size_t i = 0; i < n; i++) {
		names[2 * i] = ruleset_rule(rs, i)->name;
		names[2 * i + 1] = ruleset_rule(rs, i)->title;
	}
	near = text_nearest(what, names);
	free(names);
	if (near && *near)
		return cli_usage(c, "there is no rule '%s'; did you mean '%s'?", what, near);
	for (size_t i = 0; i < n && told < NEAR; i++) {
		const struct rule *r = ruleset_rule(rs, i);

		if (text_has(r->title, strlen(r->title), what) || text_has(r->name, strlen(r->name), what) || text_has(r->id, strlen(r->id), what)) {
			cli_note(c, "%s  %s", *r->name ? r->name : r->id, r->title);
			told++;
		}
	}
	return cli_usage(c, told ? "there is no rule '%s'; those above have it in their title or name" :
		"there is no rule '%s'; 'evmend rules list' names them", what);
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	if (!p->warning)
		cli_note(arg, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
}

/* A rule file that belongs to no folder of rules yet. */
static struct ruleset *load_file(struct cli *c, struct arena *a, const char *path, struct err *e)
{
	const char *const one[] = {path};
	struct ruleset_options o;

	if (rules_home(c, a, &o, e) != 0)
		return NULL;
	o.folders = one;
	o.n_folders = 1;
	return ruleset_load(&o, on_problem, c, e);
}

int rules_explain(struct cli *c, struct arena *a, const char *what)
{
	struct explain x = {.c = c};
	struct err e;
	struct ruleset *rs = rules_home_load(c, a, &e);
	struct os_stat st;
	const char *file = cli_value(c, "--event", NULL);
	int code = ERR_NONE;

	x.rule = rs ? find_rule(rs, what) : NULL;
	if (rs && !x.rule && os_file.stat(what, -1, &st) == 0 && !st.is_folder) {
		ruleset_free(rs);
		rs = load_file(c, a, what, &e);
		if (rs && ruleset_count(rs) == 0) {
			err_set(&e, ERR_RULES, "%s holds no rule that can be loaded", what);
			ruleset_free(rs);
			rs = NULL;
		}
		x.rule = rs ? find_rule(rs, what) : NULL;
	}
	if (!rs)
		return cli_fail(c, &e);
	if (!x.rule) {
		code = no_such_rule(c, rs, what);
	} else {
		x.rs = rs;
		show_rule(c, a, rs, x.rule);
		if (file)
			code = try_events(&x, a, file);
	}
	ruleset_free(rs);
	return code;
}
