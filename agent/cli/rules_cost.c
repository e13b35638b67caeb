/* rules_cost.c - `evmend rules cost FILE...`: what each rule costs, and how often it holds.
 *
 * Promises: the matcher that scans, with its stop watch on; the rules that take most time first, thirty of them, all with --all and in
 * JSON. Refuses nothing; exit code 4 when a path could not be read. */
#include "cli/rules_cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"

#define SHOWN 30

struct costing {
	struct cli *c;
	struct matcher *matcher;
	uint64_t events;
	int64_t matching; /* us, of everything that matching does */
};

struct one {
	const struct rule *rule;
	struct rule_cost cost;
};

static int on_event(void *arg, const struct event *ev)
{
	struct costing *x = arg;
	int64_t before = clock_cpu_us();
	const uint32_t *hits;

	matcher_run(x->matcher, ev, &hits);
	x->matching += clock_cpu_us() - before;
	x->events++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	if (x->cost.us != y->cost.us)
		return x->cost.us > y->cost.us ? -1 : 1;
	if (x->cost.asked != y->cost.asked)
		return x->cost.asked > y->cost.asked ? -1 : 1;
	return x->rule->index < y->rule->index ? -1 : x->rule->index > y->rule->index;
}

/* Detection rules, the dearest first; the caller frees *to. */
static size_t gather(const struct costing *x, const struct ruleset *rs, struct one **to)
{
	size_t n = 0;

	*to = xcalloc(ruleset_count(rs) + 1, sizeof **to);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule *r = ruleset_rule(rs, i);

		if (r->kind == RULE_DETECTION)
			(*to)[n++] = (struct one){r, matcher_cost(x->matcher, r)};
	}
	if (n)
		qsort(*to, n, sizeof **to, by_time);
	return n;
}

static double share(int64_t us, int64_t of)
{
	return of > 0 ? 100.0 * (double)us / (double)of : 0;
}

static void rule_json(const struct one *o, int64_t all)
{
	struct json_out j;
	struct buf b;

	buf_init(&b, 1u << 16);
	json_begin(&j, &b);
	json_open(&j, NULL, '{');
	json_put_int(&j, "v", 1);
	json_put_str(&j, "kind", "rule-cost");
	rule_put(&j, "rule", o->rule);
	json_put_bool(&j, "shadow", o->rule->shadow);
	json_put_int(&j, "asked", (int64_t)o->cost.asked);
	json_put_int(&j, "held", (int64_t)o->cost.held);
	json_put_int(&j, "us", o->cost.us);
	json_put_real(&j, "percent", share(o->cost.us, all), 2);
	json_close(&j, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void table(const struct cli *c, const struct one *list, size_t n, size_t shown, int64_t all)
{
	static const char *const headings[] = {"SHARE", "TIME", "ASKED", "HELD", "", "RULE", NULL};
	struct cli_table *t = cli_table_new(headings);

	for (size_t i = 0; i < n && i < shown; i++) {
		const struct rule_cost *k = &list[i].cost;
		char percent[16], time[24], asked[24], held[24];

		if (k->asked == 0)
			break; /* the others were asked less, and took no time */
		snprintf(percent, sizeof percent, "%.1f %%", share(k->us, all));
		snprintf(time, sizeof time, "%.2f ms", (double)k->us / 1000);
		snprintf(asked, sizeof asked, "%" PRIu64, k->asked);
		snprintf(held, sizeof held, "%" PRIu64, k->held);
		cli_table_row(t, percent, time, asked, held, list[i].rule->shadow ? "shadow" : "", list[i].rule->title, (char *)NULL);
	}
	cli_table_end(c, t);
}

static void print_summary(const struct costing *x, const struct one *list, size_t n, size_t shown, size_t rules, int64_t all)
{
	double events = x->events ? (double)x->events : 1;
	struct matcher_counts counts = matcher_counts(x->matcher);
	uint64_t shadow = 0;
	size_t asked = 0;

	for (size_t i = 0; i < n; i++) {
		shadow += list[i].rule->shadow ? list[i].cost.held : 0;
		asked += list[i].cost.asked > 0;
	}
	if (x->c->json) {
		printf("{\"v\":1,\"kind\":\"summary\",\"events\":%" PRIu64 ",\"rules\":%zu,\"rules_asked\":%zu,\"candidates\":%" PRIu64
			",\"questions\":%" PRIu64 ",\"shadow\":%" PRIu64 ",\"rules_us\":%" PRId64 ",\"matching_us\":%" PRId64 "}\n", x->events, rules,
			asked, counts.candidates, counts.asked, shadow, all, x->matching);
		return;
	}
	if (asked > shown)
		cli_print(x->c, CLI_DIM, "and %zu more rules; --all shows them\n", asked - shown);
	cli_print(x->c, CLI_PLAIN, "%" PRIu64 " events, %zu rules, %zu of them asked of some event; for each event %.1f rules, %.1f questions, "
		"%.2f us in rules, %.2f us of matching in all (with the measuring)\n", x->events, rules, asked, (double)counts.candidates / events,
		(double)counts.asked / events, (double)all / events, (double)x->matching / events);
	if (shadow)
		cli_print(x->c, CLI_PLAIN, "%" PRIu64 " matches of rules on trial (shadow)\n", shadow);
}

static void report(const struct costing *x, const struct ruleset *rs)
{
	size_t shown = cli_has(x->c, "--all") ? SIZE_MAX : SHOWN;
	struct one *list;
	size_t n = gather(x, rs, &list);
	int64_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += list[i].cost.us;
	for (size_t i = 0; x->c->json && i < n; i++)
		if (list[i].cost.asked || cli_has(x->c, "--all"))
			rule_json(&list[i], all);
	if (!x->c->json)
		table(x->c, list, n, shown, all);
	print_summary(x, list, n, shown, ruleset_count(rs), all);
	free(list);
}

int rules_cost(struct cli *c, struct arena *a, int argc, char **argv)
{
	struct costing x = {.c = c};
	struct err e;
	struct ruleset *rs;

	if (argc == 0)
		return cli_usage(c, "cost takes the files, folders or - to try the rules on");
	rs = rules_home_load(c, a, &e);
	if (!rs)
		return cli_fail(c, &e);
	struct read_events r = {.c = c, .names = ruleset_names(rs), .progress = !c->json, .arg = &x, .event = on_event};

	x.matcher = matcher_new(rs);
	matcher_measure(x.matcher);
	read_events(&r, argv, (size_t)argc);
	report(&x, rs);
	matcher_free(x.matcher);
	ruleset_free(rs);
	return r.failed ? ERR_IO : ERR_NONE;
}
