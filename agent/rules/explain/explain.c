/* explain.c - why a rule holds for an event, as a tree.
 *
 * Why: a rule that is silent must be able to say what it is waiting for.
 * Promises: the answer is matching's own; below it the conditions that it uses, all of them evaluated (matching stops at the first
 * that decides). A line decides when the answer above it would be another one without it. Conditions that say otherwise than matching
 * are told as the bug that this is.
 * Refuses: to guess why a correlation did not fire: that takes more than one event. It explains the rules that it refers to. */
#include "rules/explain/explain.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "rules/explain/explain_inside.h"

const char *const explained_words[] = {"rule", "logsource", "all", "one", "some", "not", "item"};

/* -- the logsource -- */

static bool listed(const char *value, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_same(value, list[i]))
			return true;
	return n == 0;
}

static const char *source_text(const struct log_source *s, struct arena *a)
{
	const char *text = s->n_channels || s->n_providers ? "" : "any channel";

	for (size_t i = 0; i < s->n_channels; i++)
		text = arena_printf(a, "%s%s'%s'", text, i ? " or " : "channel ", s->channels[i]);
	for (size_t i = 0; i < s->n_providers; i++)
		text = arena_printf(a, "%s%s'%s'", text, i ? " or " : *text ? ", provider " : "provider ", s->providers[i]);
	for (size_t i = 0; i < s->n_ids; i++)
		text = arena_printf(a, "%s%s%u", text, i ? ", " : s->n_ids > 1 ? ", events " : ", event ", (unsigned)s->ids[i]);
	return s->n_where ? arena_printf(a, "%s, with certain fields", text) : text;
}

static const char *set_text(const struct log_set *set, struct arena *a)
{
	const char *text = NULL;

	for (size_t i = 0; set && i < set->n; i++)
		text = arena_printf(a, "%s%s%s", i ? text : "", i ? "; or " : "", source_text(&set->sources[i], a));
	return text ? text : "nothing that exists here";
}

/* What keeps the event out of this set: the source that it comes nearest to tells. */
static const char *out_of(const struct log_set *set, const struct event *ev)
{
	const char *why = "the event is of another channel";

	for (size_t i = 0; i < set->n; i++) {
		const struct log_source *s = &set->sources[i];
		bool id = s->n_ids == 0;

		if (!listed(ev->channel, s->channels, s->n_channels))
			continue;
		for (size_t k = 0; k < s->n_ids; k++)
			id = id || s->ids[k] == ev->event_id;
		if (!listed(ev->provider, s->providers, s->n_providers))
			why = "the channel is right, the provider is another";
		else
			why = id ? "channel and id are right, but its fields say that it is another kind of event" :
				"the channel is right, the event id is another";
	}
	return why;
}

/* `holds` is set. */
static void explain_source(const struct compiled *c, const struct event *ev, struct arena *a, struct explained *to)
{
	const struct log_set *const sets[] = {c->category, c->service, c->product};
	const struct log_set *asked = NULL;

	to->kind = EXPLAINED_SOURCE;
	to->has = arena_printf(a, "channel %s, event %u", explain_quote(a, ev->channel, strlen(ev->channel), 0, 0), (unsigned)ev->event_id);
	to->why = to->holds ? NULL : "no event log has such events";
	for (size_t i = 0; i < 3; i++) {
		if (!sets[i])
			continue;
		if (!asked)
			asked = sets[i];
		if (!to->holds && sets[i]->n && log_set_holds(sets[i], ev) < 0) {
			asked = sets[i];
			to->why = out_of(asked, ev);
			break;
		}
	}
	to->wants = set_text(asked, a);
}

/* -- the condition -- */

/* The step that is made from n, below `above`. */
static uint32_t step_of(const struct program *p, const struct step *above, const struct node *n)
{
	uint32_t i = 0;

	while (i + 1 < above->n && p->from[above->first + i] != n)
		i++;
	return above->first + i;
}

static const enum explained_kind kinds[] = {[NODE_AND] = EXPLAINED_ALL, [NODE_OR] = EXPLAINED_ONE, [NODE_NOT] = EXPLAINED_NOT,
	[NODE_SOME] = EXPLAINED_SOME};

static void build(struct run *r, uint32_t step, size_t variant, struct arena *a, struct explained *to)
{
	const struct node *n = r->program->from[step];

	to->label = n->label;
	to->holds = step_holds(r, step);
	if (n->kind == NODE_ITEM) {
		explain_item(n->item, r, variant, a, to);
		return;
	}
	to->kind = kinds[n->kind];
	if (n->kind == NODE_SOME)
		to->wants = arena_printf(a, "%zu", n->at_least);
	to->kids = arena_alloc(a, (n->n + 1) * sizeof *to->kids);
	for (to->n = 0; to->n < n->n; to->n++)
		build(r, step_of(r->program, &r->program->steps[step], n->kids[to->n]), variant, a, &to->kids[to->n]);
}

/* Marks what made n's answer: of an AND that fails each part that fails, of an OR that holds each that holds, of the others all. */
static void decide(struct explained *n)
{
	n->decides = true;
	for (size_t i = 0; i < n->n; i++)
		if (n->kind == EXPLAINED_NOT || n->kids[i].holds == n->holds)
			decide(&n->kids[i]);
}

/* Asks the plans and all else that stands between an event and the program: these answers are what a scan gives. */
static bool matched(const struct ruleset *rs, const struct rule *r, const struct event *ev)
{
	struct matcher *m = matcher_new(rs);
	const uint32_t *hits;
	size_t n = matcher_run(m, ev, &hits), i = 0;

	while (i < n && hits[i] != r->index)
		i++;
	matcher_free(m);
	return i < n;
}

/* The rule's check that means the event; *holds false: none does, then its first. NULL: it was never made into a program. */
static const struct check *check_of(struct run *run, const struct rule *r, bool *holds)
{
	const struct program *p = run->program;
	const uint32_t first = p->first_check[r->index], end = p->first_check[r->index + 1]; /* there may be none at all */

	for (uint32_t i = first; i < end; i++)
		if (check_meant(run, &p->checks[i])) {
			*holds = true;
			return &p->checks[i];
		}
	*holds = false;
	return first < end ? &p->checks[first] : NULL;
}

static void explain_detection(const struct ruleset *rs, const struct rule *r, const struct event *ev, struct arena *a,
	struct explained *to)
{
	const struct check *check;
	struct run run;

	run_init(&run, rs);
	run_begin(&run, ev);
	to->kids = arena_alloc(a, 2 * sizeof *to->kids);
	check = check_of(&run, r, &to->kids[0].holds);
	explain_source(rs->rules[r->index], ev, a, &to->kids[0]);
	to->n = check ? 2 : 1;
	if (check)
		build(&run, check->root, check->variant, a, &to->kids[1]);
	run_free(&run);
	to->decides = true;
	decide(&to->kids[to->kids[0].holds]); /* of another logsource: nothing else is asked then */
	to->holds = matched(rs, r, ev);
	to->broken = to->holds != (to->kids[0].holds && to->kids[1].holds);
	if (to->broken)
		to->why = arena_printf(a, "internal error: matching says that the rule %s, its conditions say otherwise; please report this rule "
			"and this event", to->holds ? "holds" : "does not hold");
}

/* Depth is bounded when the rules are resolved. */
static void explain_into(const struct ruleset *rs, const struct rule *r, const struct event *ev, struct arena *a, struct explained *to)
{
	const struct correlation *corr = ruleset_correlation(rs, r);

	to->kind = EXPLAINED_RULE;
	to->rule = r;
	to->label = r->title;
	if (!corr) {
		explain_detection(rs, r, ev, a, to);
		return;
	}
	to->decides = true;
	to->kids = arena_alloc(a, (corr->n_rules + 1) * sizeof *to->kids);
	for (to->n = 0; to->n < corr->n_rules; to->n++) {
		explain_into(rs, ruleset_rule(rs, corr->rules[to->n]), ev, a, &to->kids[to->n]);
		to->holds = to->holds || to->kids[to->n].holds;
		to->broken = to->broken || to->kids[to->n].broken;
	}
}

struct explained *rule_explain(const struct ruleset *rs, const struct rule *r, const struct event *ev, struct arena *a)
{
	struct explained *root = arena_alloc(a, sizeof *root);

	explain_into(rs, r, ev, a, root);
	return root;
}

/* -- without an event -- */

static void outline_node(const struct node *n, struct arena *a, struct explained *to)
{
	to->label = n->label;
	if (n->kind == NODE_ITEM) {
		outline_item(n->item, a, to);
		return;
	}
	to->kind = kinds[n->kind];
	if (n->kind == NODE_SOME)
		to->wants = arena_printf(a, "%zu", n->at_least);
	to->kids = arena_alloc(a, (n->n + 1) * sizeof *to->kids);
	for (to->n = 0; to->n < n->n; to->n++)
		outline_node(n->kids[to->n], a, &to->kids[to->n]);
}

static void outline_into(const struct ruleset *rs, const struct rule *r, struct arena *a, struct explained *to)
{
	const struct compiled *c = rs->rules[r->index];
	const struct correlation *corr = ruleset_correlation(rs, r);

	to->kind = EXPLAINED_RULE;
	to->rule = r;
	to->label = r->title;
	to->kids = arena_alloc(a, ((corr ? corr->n_rules : 1) + 1) * sizeof *to->kids);
	for (; corr && to->n < corr->n_rules; to->n++)
		outline_into(rs, ruleset_rule(rs, corr->rules[to->n]), a, &to->kids[to->n]);
	if (corr) {
		to->wants = rule_needs(rs, r, a);
		return;
	}
	to->n = 2;
	to->kids[0].kind = EXPLAINED_SOURCE;
	to->kids[0].wants = set_text(c->category ? c->category : c->service ? c->service : c->product, a);
	outline_node(c->condition, a, &to->kids[1]);
}

struct explained *rule_outline(const struct ruleset *rs, const struct rule *r, struct arena *a)
{
	struct explained *root = arena_alloc(a, sizeof *root);

	outline_into(rs, r, a, root);
	return root;
}

/* -- what a correlation needs -- */

static const char *listed_text(struct arena *a, const char *const *names, size_t n)
{
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s", text, i ? ", " : "", names[i]);
	return text;
}

/* Operands first, as it is kept, becomes what a person writes. */
static const char *expression(const struct ruleset *rs, const struct correlation *c, struct arena *a)
{
	const char **stack = arena_alloc(a, (c->n_steps + 2) * sizeof *stack);
	size_t n = 0;

	for (size_t i = 0; i < c->n_steps; i++) {
		const struct corr_step *s = &c->steps[i];

		if (s->kind == STEP_RULE) {
			const struct rule *r = ruleset_rule(rs, c->rules[s->rule]);

			stack[n++] = *r->name ? r->name : r->title;
		} else if (s->kind == STEP_NOT) {
			stack[n - 1] = arena_printf(a, "not %s", stack[n - 1]);
		} else {
			n--;
			stack[n - 1] = arena_printf(a, "(%s %s %s)", stack[n - 1], s->kind == STEP_AND ? "and" : "or", stack[n]);
		}
	}
	return n ? stack[0] : "";
}

const char *rule_needs(const struct ruleset *rs, const struct rule *r, struct arena *a)
{
	static const char *const signs[] = {">", ">=", "<", "<=", "=", "<>"};
	const struct correlation *c = ruleset_correlation(rs, r);
	const char *text;
	char span[32];

	if (!c)
		return NULL;
	text = correlation_type_text(c->type);
	if (c->type == CORR_VALUE_PERCENTILE)
		text = arena_printf(a, "%s %g", text, c->percentile);
	if (c->n_fields)
		text = arena_printf(a, "%s of %s", text, listed_text(a, c->fields, c->n_fields));
	for (size_t i = 0; i < c->n_bounds; i++)
		text = arena_printf(a, "%s%s %s %.15g", text, i ? " and" : "", signs[c->bounds[i].op], c->bounds[i].than);
	if (c->n_steps)
		text = arena_printf(a, "%s: %s", text, expression(rs, c, a));
	text = arena_printf(a, "%s within %s%s", text, span_text(c->timespan, span), c->around ? ", before or after" : "");
	if (c->n_group_by)
		text = arena_printf(a, "%s for each %s", text, listed_text(a, c->group_by, c->n_group_by));
	if (c->closes)
		text = arena_printf(a, "%s; decided when its time is over", text);
	return text;
}
