/* rules_coverage.c - `evmend rules coverage FILE...`: for each host which rules can fire with what it sends, and which never can.
 *
 * Promises: for people the sum, then what is missing most, ten hosts and ten lines of each; each rule with --host (of one host) and --all
 * (of every host); the same in JSON. Refuses nothing; exit code 0 whatever is missing, 3 when --host sent nothing, 4 when a path could
 * not be read. */
#include "cli/rules_coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/read_events.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"
#include "rules/coverage/coverage.h"

#define SHOWN 10

static const char *const whys[COVERAGE_WHYS] = {"can-fire", "no-source", "channel-never-seen", "event-never-seen", "field-never-seen",
	"rule-cannot-fire"};
/* The same as names of members. */
static const char *const counted[COVERAGE_WHYS] = {"can_fire", "no_source", "channel_never_seen", "event_never_seen",
	"field_never_seen", "rule_cannot_fire"};
static const char *const words[COVERAGE_WHYS] = {"can fire", "no source", "channel never seen", "event never seen", "field never seen",
	"needs a rule that cannot fire"};

struct missing { /* one reason, and how many rules it stops */
	enum coverage_why why;
	char *what;
	size_t rules;
};

struct asking {
	struct cli *c;
	const struct ruleset *rs;
	struct coverage *coverage;
	bool all;         /* every rule */
	const char *only; /* a host; NULL: every one */
	size_t counts[COVERAGE_WHYS]; /* of the host at hand */
	struct missing *missing;
	size_t n_missing;
	bool *fires; /* by rule: on any host */
	struct buf what, line;
};

static int on_event(void *arg, const struct event *ev)
{
	struct asking *a = arg;

	coverage_event(a->coverage, ev);
	return 0;
}

static const char *name_of(const struct rule *r)
{
	return *r->name ? r->name : *r->id ? r->id : r->title;
}

static void note_missing(struct asking *a, enum coverage_why why, const char *what)
{
	for (size_t i = 0; i < a->n_missing; i++)
		if (a->missing[i].why == why && strcmp(a->missing[i].what, what) == 0) {
			a->missing[i].rules++;
			return;
		}
	if ((a->n_missing & (a->n_missing - 1)) == 0)
		a->missing = xrealloc(a->missing, a->n_missing ? 2 * a->n_missing : 1, sizeof *a->missing);
	a->missing[a->n_missing++] = (struct missing){why, xstrdup(what), 1};
}

static void rule_json(const struct asking *a, const char *host, const struct rule *r, enum coverage_why why)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 1u << 16);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule-coverage");
	json_put_str(&o, "host", host);
	rule_put(&o, "rule", r);
	json_put_str(&o, "why", whys[why]);
	json_put_str(&o, "missing", a->what.n ? buf_text(&a->what) : NULL);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void ask_host(struct asking *a, size_t host, struct cli_table *t)
{
	const char *name = coverage_host(a->coverage, host)->name;

	memset(a->counts, 0, sizeof a->counts);
	for (size_t i = 0; i < ruleset_count(a->rs); i++) {
		const struct rule *r = ruleset_rule(a->rs, i);
		enum coverage_why why = coverage_of(a->coverage, host, r, &a->what);

		a->counts[why]++;
		if (why != COVERAGE_CAN && why != COVERAGE_NO_SOURCE)
			note_missing(a, why, buf_text(&a->what));
		if (a->all && a->c->json)
			rule_json(a, name, r, why);
		else if (t)
			cli_table_row(t, name_of(r), r->title, words[why], buf_text(&a->what), (char *)NULL);
	}
}

static int by_rules(const void *a, const void *b)
{
	const struct missing *x = a, *y = b;

	if (x->rules != y->rules)
		return x->rules > y->rules ? -1 : 1;
	return x->why != y->why ? (int)x->why - (int)y->why : strcmp(x->what, y->what);
}

static void forget_missing(struct asking *a)
{
	for (size_t i = 0; i < a->n_missing; i++)
		free(a->missing[i].what);
	free(a->missing);
	a->missing = NULL;
	a->n_missing = 0;
}

static void host_json(struct asking *a, const struct coverage_host *h)
{
	struct json_out o;

	buf_reset(&a->line);
	json_begin(&o, &a->line);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "host-coverage");
	json_put_str(&o, "host", h->name);
	json_put_int(&o, "events", (int64_t)h->events);
	json_put_int(&o, "kinds", (int64_t)h->kinds);
	json_open(&o, "rules", '{');
	for (int i = 0; i < COVERAGE_WHYS; i++)
		json_put_int(&o, counted[i], (int64_t)a->counts[i]);
	json_close(&o, '}');
	json_open(&o, "missing", '[');
	for (size_t i = 0; i < a->n_missing; i++) {
		json_open(&o, NULL, '{');
		json_put_str(&o, "why", whys[a->missing[i].why]);
		json_put_str(&o, "what", a->missing[i].what);
		json_put_int(&o, "rules", (int64_t)a->missing[i].rules);
		json_close(&o, '}');
	}
	json_close(&o, ']');
	json_close(&o, '}');
	printf("%s\n", buf_text(&a->line));
}

static void host_text(struct asking *a, const struct coverage_host *h)
{
	const struct cli *c = a->c;

	cli_print(c, CLI_BOLD, "\n%s", *h->name ? h->name : "(no host named)");
	cli_print(c, CLI_PLAIN, "  %" PRIu64 " events of %zu kinds: %zu of %zu rules can fire; of the others %zu miss their channel, %zu their "
		"event, %zu a field, %zu a rule\n", h->events, h->kinds, a->counts[COVERAGE_CAN], ruleset_count(a->rs), a->counts[COVERAGE_NO_CHANNEL],
		a->counts[COVERAGE_NO_EVENT], a->counts[COVERAGE_NO_FIELD], a->counts[COVERAGE_NO_RULE]);
	for (size_t i = 0; i < a->n_missing && i < SHOWN; i++)
		cli_print(c, CLI_PLAIN, "  %5zu  %s: %s\n", a->missing[i].rules, words[a->missing[i].why], a->missing[i].what);
	if (a->n_missing > SHOWN)
		cli_print(c, CLI_DIM, "         and %zu more reasons; --host NAME has each rule\n", a->n_missing - SHOWN);
}

static void one_host(struct asking *a, size_t host)
{
	static const char *const headings[] = {"RULE", "TITLE", "", "MISSING", NULL};
	const struct coverage_host *h = coverage_host(a->coverage, host);
	struct cli_table *t = a->all && !a->c->json ? cli_table_new(headings) : NULL;

	ask_host(a, host, t);
	if (a->n_missing)
		qsort(a->missing, a->n_missing, sizeof *a->missing, by_rules);
	if (a->c->json)
		host_json(a, h);
	else
		host_text(a, h);
	if (t)
		cli_table_end(a->c, t);
	forget_missing(a);
}

static void summary(const struct asking *a, size_t hosts, uint64_t events)
{
	size_t n = ruleset_count(a->rs), fires = 0, no_source = 0;

	for (size_t i = 0; i < ruleset_count(a->rs); i++)
		fires += a->fires[i];
	no_source = hosts ? a->counts[COVERAGE_NO_SOURCE] : 0; /* the same on every host */
	if (a->c->json) {
		printf("{\"v\":1,\"kind\":\"summary\",\"events\":%" PRIu64 ",\"hosts\":%zu,\"rules\":%zu,\"can_fire\":%zu,\"no_source\":%zu,"
			"\"left_out\":%" PRIu64 "}\n", events, hosts, ruleset_count(a->rs), fires, no_source, coverage_left_out(a->coverage));
		return;
	}
	cli_print(a->c, CLI_PLAIN, "%" PRIu64 " event%s of %zu host%s: %zu of %zu rule%s can fire on one of them at least; %zu ha%s no source of "
		"events at all\n", events, PLURAL(events), hosts, PLURAL(hosts), fires, n, PLURAL(n), no_source, no_source == 1 ? "s" : "ve");
	if (coverage_left_out(a->coverage))
		cli_note(a->c, "%" PRIu64 " events were of too many kinds and are not looked at", coverage_left_out(a->coverage));
}

/* What can fire on some host, before the hosts are told one by one. */
static uint64_t survey(struct asking *a, size_t hosts)
{
	uint64_t events = 0;

	for (size_t i = 0; i < hosts; i++) {
		events += coverage_host(a->coverage, i)->events;
		memset(a->counts, 0, sizeof a->counts);
		for (size_t k = 0; k < ruleset_count(a->rs); k++) {
			enum coverage_why why = coverage_of(a->coverage, i, ruleset_rule(a->rs, k), &a->what);

			a->counts[why]++;
			a->fires[k] = a->fires[k] || why == COVERAGE_CAN;
		}
	}
	return events;
}

/* For people the sum stands first; for programs last, as in all output of lines. -1 when the host that was asked for sent nothing. */
static int tell(struct asking *a)
{
	size_t hosts = coverage_hosts(a->coverage), shown = 0;
	uint64_t events = survey(a, hosts);

	if (!a->c->json)
		summary(a, hosts, events);
	for (size_t i = 0; i < hosts; i++)
		if (a->only ? text_same(a->only, coverage_host(a->coverage, i)->name) : a->c->json || a->all || i < SHOWN) {
			one_host(a, i);
			shown++;
		}
	if (a->c->json)
		summary(a, hosts, events);
	else if (!a->only && shown < hosts)
		cli_print(a->c, CLI_DIM, "\nand %zu more host%s; --host NAME shows one with each rule, --all everything\n", hosts - shown,
			PLURAL(hosts - shown));
	return a->only && !shown ? -1 : 0;
}

int rules_coverage(struct cli *c, struct arena *arena, int argc, char **argv)
{
	struct asking a = {.c = c, .only = cli_value(c, "--host", NULL), .all = cli_has(c, "--all") || cli_has(c, "--host")};
	struct err e;
	struct ruleset *rs;
	int code;

	if (argc == 0)
		return cli_usage(c, "coverage takes the files, folders or - that hosts have sent");
	rs = rules_home_load(c, arena, &e);
	if (!rs)
		return cli_fail(c, &e);
	struct read_events r = {.c = c, .names = ruleset_names(rs), .progress = !c->json, .arg = &a, .event = on_event};

	a.rs = rs;
	a.coverage = coverage_new(rs);
	a.fires = xcalloc(ruleset_count(rs) + 1, sizeof *a.fires);
	buf_init(&a.what, 1u << 16);
	buf_init(&a.line, 16u << 20);
	read_events(&r, argv, (size_t)argc);
	code = tell(&a) < 0 ? cli_usage(c, "no event is of the host '%s'; without --host the hosts are told", a.only) : ERR_NONE;
	buf_free(&a.line);
	buf_free(&a.what);
	free(a.fires);
	coverage_free(a.coverage);
	ruleset_free(rs);
	return r.failed ? ERR_IO : code;
}
