/* rules_explain.c - `evmend rules explain`: what a rule says, and for each event why it holds or not.
 *
 * Promises: the rules that run answer; for a correlation also whether it fires on the whole file, and how near it came. Of many
 * events those that hold are shown, unless all are asked for, and the last line counts the others.
 * Refuses: nothing; which rule is meant is settled in cli/rules_find.c. */
#include "cli/rules_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cases/engine.h"
#include "cli/read_events.h"
#include "cli/rules_find.h"
#include "cli/rules_json.h"
#include "cli/rules_near.h"
#include "rules/explain/explain.h"

#define FEW 20 /* events, of which each is shown */

struct kept {
	char *text;
	bool holds;
};

struct explain {
	struct cli *c;
	const struct ruleset *rs;
	const struct rule *rule;
	struct engine *engine; /* of a correlation */
	struct near *near;
	uint64_t events, held, fired, broken, shown;
	bool all;
	struct kept kept[FEW]; /* until it is known that there are more */
	size_t n_kept;
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

/* Appends a line in a colour; what the event said cannot play tricks on the terminal. */
static void put(const struct explain *x, struct buf *to, enum cli_colour colour, const char *line, size_t n)
{
	char *copy = xcalloc(n + 1, 1);

	memcpy(copy, line, n);
	buf_str(to, x->c->colour ? cli_colour(x->c, colour) : "");
	cli_clean(to, copy, false);
	buf_str(to, x->c->colour ? cli_colour(x->c, CLI_PLAIN) : "");
	buf_char(to, '\n');
	free(copy);
}

static void put_text(const struct explain *x, const struct explained *root, const struct event *ev, struct arena *a, struct buf *to)
{
	bool corr = x->rule->kind == RULE_CORRELATION;
	const char *word = corr ? root->holds ? "the event counts" : "the event does not count" : root->holds ? "the rule holds" :
		"the rule does not hold";
	const char *field, *head;
	char when[40];
	struct buf text;

	buf_init(&text, 1u << 20);
	explain_text(root, &text);
	head = arena_printf(a, "%s, event %u of %s, record %llu, %s: %s", ev->source, (unsigned)ev->event_id,
		*ev->computer ? ev->computer : "?", (unsigned long long)ev->record_id, time_text(ev->time, when), word);
	put(x, to, root->holds ? CLI_GREEN : CLI_YELLOW, head, strlen(head));
	for (const char *p = buf_text(&text), *end; *p; p = end + (*end == '\n')) {
		end = p + strcspn(p, "\n");
		put(x, to, *p == '>' ? CLI_BOLD : CLI_PLAIN, p, (size_t)(end - p));
	}
	for (size_t i = 0; corr && i < root->n; i++)
		if (root->kids[i].holds && (field = lacks(x, &root->kids[i], ev))) {
			head = arena_printf(a, "  but the event has no '%s', by which this correlation groups: it takes no part", field);
			put(x, to, CLI_YELLOW, head, strlen(head));
		}
	buf_free(&text);
}

static void put_json(const struct explain *x, const struct explained *root, const struct event *ev, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "explanation");
	rule_put(&o, "rule", x->rule);
	json_put_str(&o, "source", ev->source);
	json_put_time(&o, "time", ev->time);
	json_put_str(&o, "host", rule_said(ev->computer));
	json_put_int(&o, "event_id", ev->event_id);
	json_put_int(&o, "record_id", (int64_t)ev->record_id);
	json_put_bool(&o, "holds", root->holds);
	explain_json(root, "tree", &o);
	json_close(&o, '}');
	buf_char(to, '\n');
}

/* -- which events are shown -- */

static void print(struct explain *x, const char *text)
{
	fputs(text, stdout);
	x->shown++;
}

/* With more events than FEW only those that hold are shown; who wants the others asks for --all. */
static void print_kept(struct explain *x, bool all)
{
	for (size_t i = 0; i < x->n_kept; i++) {
		if (all || x->kept[i].holds)
			print(x, x->kept[i].text);
		free(x->kept[i].text);
	}
	x->n_kept = 0;
}

static int each_event(void *arg, const struct event *ev)
{
	struct explain *x = arg;
	struct arena *a = arena_new(1u << 14);
	const struct explained *root = rule_explain(x->rs, x->rule, ev, a);
	bool keep = !x->all && x->events < FEW;
	struct buf b;

	x->events++;
	x->held += root->holds;
	x->broken += root->broken;
	if (x->engine)
		engine_event(x->engine, ev);
	if (!keep && x->n_kept)
		print_kept(x, false);
	if (keep || x->all || root->holds || root->broken) {
		buf_init(&b, 8u << 20);
		if (x->c->json)
			put_json(x, root, ev, &b);
		else
			put_text(x, root, ev, a, &b);
		if (keep)
			x->kept[x->n_kept++] = (struct kept){xstrdup(buf_text(&b)), root->holds || root->broken};
		else
			print(x, buf_text(&b));
		buf_free(&b);
	}
	arena_free(a);
	return 0;
}

static void on_fired(void *arg, const struct fired *f)
{
	struct explain *x = arg;

	if (f->rule != x->rule)
		return;
	if (++x->fired <= FEW || x->all)
		near_fired(x->near, f);
}

static void on_taken(void *arg, const struct taken *t)
{
	const struct explain *x = arg;

	near_take(x->near, t);
}

static void show_head(const struct cli *c, struct arena *a, const struct ruleset *rs, const struct rule *r)
{
	cli_print(c, CLI_BOLD, "%s\n", r->title);
	cli_print(c, CLI_PLAIN, "  %s, %s:%d\n", *r->name ? r->name : r->id, r->file, r->line);
	cli_print(c, CLI_PLAIN, "  level %s, cause %s\n", level_text(r->level), r->cause ? r->cause : "none");
	if (r->hint)
		cli_print(c, CLI_PLAIN, "  says: %s\n", r->hint);
	if (r->disproved_by)
		cli_print(c, CLI_PLAIN, "  disproved by: %s\n", r->disproved_by);
	if (r->kind == RULE_CORRELATION)
		cli_print(c, CLI_PLAIN, "  needs %s\n", rule_needs(rs, r, a));
}

/* Without events: the rule as it was understood. */
static void show_outline(const struct cli *c, struct arena *a, const struct ruleset *rs, const struct rule *r)
{
	const struct explained *root = rule_outline(rs, r, a);
	struct json_out o;
	struct buf b;

	buf_init(&b, 8u << 20);
	if (c->json) {
		json_begin(&o, &b);
		json_open(&o, NULL, '{');
		json_put_int(&o, "v", 1);
		json_put_str(&o, "kind", "outline");
		rule_put(&o, "rule", r);
		json_put_str(&o, "needs", rule_needs(rs, r, a));
		explain_outline_json(root, "tree", &o);
		json_close(&o, '}');
		printf("%s\n", buf_text(&b));
	} else {
		for (size_t i = 0; i < root->n; i++)
			explain_outline(&root->kids[i], &b);
		cli_print(c, CLI_PLAIN, "%s", buf_text(&b));
	}
	buf_free(&b);
}

static void sum_json(const struct explain *x)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 16);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "summary");
	json_put_int(&o, "events", (int64_t)x->events);
	json_put_int(&o, "held", (int64_t)x->held);
	json_put_int(&o, "shown", (int64_t)x->shown);
	if (x->engine)
		json_put_int(&o, "fired", (int64_t)x->fired);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

/* The sum over the file. Returns the exit code. */
static int show_sum(struct explain *x, const struct read_events *r)
{
	bool corr = x->engine != NULL;

	if (x->c->json)
		sum_json(x);
	else if (corr)
		cli_print(x->c, x->fired ? CLI_GREEN : CLI_YELLOW, "%llu of %llu events count; the correlation fired %llu times\n",
			(unsigned long long)x->held, (unsigned long long)x->events, (unsigned long long)x->fired);
	else
		cli_print(x->c, CLI_PLAIN, "the rule holds for %llu of %llu events\n", (unsigned long long)x->held,
			(unsigned long long)x->events);
	if (x->shown < x->events && !x->c->json)
		cli_print(x->c, CLI_PLAIN, "%llu events for which it does not hold are not shown; --all shows them\n",
			(unsigned long long)(x->events - x->shown));
	if (x->broken)
		return ERR_INTERNAL;
	return r->failed ? ERR_IO : (corr ? x->fired : x->held) ? ERR_FINDINGS : ERR_NONE;
}

static int try_events(struct explain *x, struct arena *a, const char *file)
{
	struct engine_options eo = {.rules = x->rs, .clock = &x->c->clock, .scan = true};
	struct engine_sink sink = {.arg = x, .fired = on_fired, .taken = on_taken};
	struct read_events r = {.c = x->c, .names = ruleset_names(x->rs), .arg = x, .event = each_event};
	char *path = arena_copy(a, file, strlen(file));
	int code;

	x->near = x->rule->kind == RULE_CORRELATION ? near_new(x->c, x->rs, x->rule) : NULL;
	x->engine = x->rule->kind == RULE_CORRELATION ? engine_new(&eo, &sink) : NULL;
	x->all = cli_has(x->c, "--all");
	read_events(&r, &path, 1);
	print_kept(x, true);
	if (x->engine)
		engine_finish(x->engine);
	if (x->engine && x->fired == 0)
		near_show(x->near);
	code = show_sum(x, &r);
	near_free(x->near); /* its matches are the engine's */
	engine_free(x->engine);
	return code;
}

static int run(struct cli *c, struct arena *a, const struct ruleset *rs, const struct rule *r)
{
	struct explain x = {.c = c, .rs = rs, .rule = r};
	const char *file = cli_value(c, "--event", NULL);

	if (!c->json)
		show_head(c, a, rs, r);
	if (file)
		return try_events(&x, a, file);
	show_outline(c, a, rs, r);
	return ERR_NONE;
}

int rules_explain(struct cli *c, struct arena *a, const char *what)
{
	const struct rule *r;
	struct ruleset *rs;
	int code;

	if (rules_find(c, a, what, &rs, &r, &code) == 0)
		code = run(c, a, rs, r);
	ruleset_free(rs);
	return code;
}
