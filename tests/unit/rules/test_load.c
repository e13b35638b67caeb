/* test_load.c - what a rule file can do wrong: named with line and what to write instead, and never in the way of the others. */
#include "unit/rules/events.h"

#define HEAD "title: T\nid: 11111111-1111-1111-1111-111111111111\nname: t\nlogsource:\n    product: windows\n    service: system\n"
#define GOOD HEAD "detection:\n    selection:\n        EventID: 1\n    condition: selection\n"
#define DETECT(body) HEAD "detection:\n" body
#define COND(c) DETECT("    one:\n        EventID: 1\n    two_a:\n        EventID: 2\n    _hidden:\n        EventID: 3\n    condition: " c "\n")
#define EVMEND(body) GOOD "evmend:\n" body
#define CORR(body) GOOD "---\ntitle: C\nname: c\ncorrelation:\n" body

static const struct { const char *yaml; int line; const char *says; } bad[] = {
	{"title: T\nname: t\n", 1, "neither 'detection' nor 'correlation'"},
	{"name: t\nlogsource: {product: windows}\ndetection: {s: {EventID: 1}, condition: s}\n", 1, "no 'title'"},
	{"title: T\nname: t\ndetection: {s: {EventID: 1}, condition: s}\n", 1, "no 'logsource'"},
	{"title: T\nname: t\nlogsource: {}\ndetection: {s: {EventID: 1}, condition: s}\n", 3, "needs a product"},
	{"title: T\nname: t\nlogsource: {produkt: windows}\ndetection: {s: {EventID: 1}, condition: s}\n", 3, "did you mean 'product'"},
	{"title: T\nname: t\nlevel: hihg\nlogsource: {product: windows}\ndetection: {s: {EventID: 1}, condition: s}\n", 3,
		"'level' is informational"},
	{"title: T\nname: t\ntaxonomy: mine\nlogsource: {product: windows}\ndetection: {s: {EventID: 1}, condition: s}\n", 3,
		"taxonomy 'mine'"},
	{"- a\n", 1, "a rule is a map"},
	{DETECT("    s:\n        Image|re: x.*\n    condition: s\n"), 9, "modifier 're' is not supported yet"},
	{DETECT("    s:\n        Image|contans: x\n    condition: s\n"), 9, "did you mean 'contains'"},
	{DETECT("    s:\n        Image|contains|startswith: x\n    condition: s\n"), 9, "exclude each other"},
	{DETECT("    s:\n        Image|exists: maybe\n    condition: s\n"), 9, "exists takes true or false"},
	{DETECT("    s:\n        Image|exists|all: true\n    condition: s\n"), 9, "stands alone"},
	{DETECT("    s:\n        Port|gt: many\n    condition: s\n"), 9, "is no number"},
	{DETECT("    s:\n        'Data[0]': x\n    condition: s\n"), 9, "positions count from 1"},
	{DETECT("    s:\n        Image: {a: b}\n    condition: s\n"), 9, "not a map"},
	{DETECT("    s:\n        Image: []\n    condition: s\n"), 9, "empty list"},
	{DETECT("    s: {}\n    condition: s\n"), 8, "must not be empty"},
	{DETECT("    s:\n        - null\n    condition: s\n"), 9, "no keyword"},
	{DETECT("    s:\n        EventID: 1\n"), 8, "no 'condition'"},
	{DETECT("    condition: s\n"), 8, "no selection"},
	{COND("three"), 14, "no such selection"},
	{COND("1 of three*"), 14, "fits no selection"},
	{COND("one and"), 14, "ends where"},
	{COND("one two_a"), 14, "'two_a' in the condition"},
	{COND("(one"), 14, "')'"},
	{COND("one | count() by Host > 5"), 14, "obsolete aggregation"},
	{COND("2 of t*"), 14, "fits fewer selections than the 2 asked for"},
	{EVMEND("    cause: exchange-backend-certifcate\n"), 12, "did you mean 'exchange-backend-certificate'"},
	{EVMEND("    couse: exchange-backend-site\n"), 12, "did you mean 'cause'"},
	{EVMEND("    cause: exchange-backend-site\n    then: repair\n"), 13, "unknown then 'repair'"},
	{EVMEND("    then: diagnose\n"), 12, "needs a cause"},
	{EVMEND("    seen: [cert-deletd]\n"), 12, "did you mean 'cert-deleted'"},
	{EVMEND("    hint: 'a {b'\n"), 12, "no '}' closes"},
	{EVMEND("    hint: 'a b}'\n"), 12, "'}' without '{'"},
	{EVMEND("    budget: 20\n"), 12, "as in 20/1h"},
	{EVMEND("    budget: 0/1h\n"), 12, "as in 20/1h"},
	{EVMEND("    budget: 20/-1h\n"), 12, "as in 20/1h"},
	{EVMEND("    shadow: perhaps\n"), 12, "'shadow' is true or false"},
	{EVMEND("    cause: exchange-backend-site\n    consequence_of: exchange-backend-site\n"), 12, "not both"},
	{CORR("    type: event_cuont\n    rules: [t]\n    timespan: 1h\n    condition: {gte: 2}\n"), 15, "did you mean 'event_count'"},
	{CORR("    type: value_count\n    rules: [t]\n    timespan: 1h\n"), 15, "'value_count' is not supported yet"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 1h\n"), 15, "needs a 'condition'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 1h\n    condition: {lt: 2}\n"), 18, "only one of gte and gt"},
	{CORR("    type: event_count\n    rules: [t]\n    condition: {gte: 2}\n"), 15, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [u]\n    timespan: 1h\n    condition: {gte: 2}\n"), 12,
		"refers to 'u', and there is no such rule"},
	{CORR("    type: event_count\n    rules: [c]\n    timespan: 1h\n    condition: {gte: 2}\n"), 12, "refers to itself"},
	{CORR("    type: temporal\n    rules: [t]\n    timespan: 1h\n"), 16, "two rules at least"},
	{CORR("    type: event_count\n    rules: [t]\n    group-by: [who]\n    aliases: {who: {other: User}}\n    timespan: 1h\n    condition: {gte: 2}\n"),
	 12, "alias 'who' must name a field"},
	{GOOD "---\n" GOOD, 12, "is taken by"},
};

static void each_fault_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct problems p;
		struct ruleset *rs = rules_of(bad[i].yaml, &p);
		bool found = false;

		for (size_t k = 0; k < p.n && !found; k++)
			found = !p.warning[k] && p.line[k] == bad[i].line && strstr(p.text[k], bad[i].says);
		if (!found)
			print_error("%zu: '%s' at line %d wanted, got %d: %s\n", i, bad[i].says, bad[i].line, p.n ? p.line[0] : 0, p.n
				? p.text[0] : "nothing");
		assert_true(found);
		assert_true(ruleset_refused(rs) >= 1);
		ruleset_free(rs);
	}
}

static void one_bad_rule_stops_no_other(void **state)
{
	struct problems p;
	struct ruleset *rs = rules_of("title: Bad\nname: bad\n---\n" GOOD, &p);

	(void)state;
	assert_int_equal(ruleset_count(rs), 1);
	assert_int_equal(ruleset_refused(rs), 1);
	assert_non_null(ruleset_find(rs, "t"));
	assert_non_null(ruleset_find(rs, "11111111-1111-1111-1111-111111111111"));
	assert_null(ruleset_find(rs, "bad"));
	assert_int_equal(strlen(ruleset_digest(rs)), 64);
	ruleset_free(rs);
}

static void typing_errors_in_keys_are_warned_of(void **state)
{
	struct problems p;
	struct ruleset *rs = rules_of("levle: high\n" GOOD, &p);

	(void)state;
	assert_int_equal(p.n, 1);
	assert_true(p.warning[0]);
	assert_non_null(strstr(p.text[0], "did you mean 'level'"));
	ruleset_free(rs);
}

static void silent_rules(void **state)
{
	struct problems p;
	struct ruleset *rs = rules_of(CORR("    type: event_count\n    rules: t\n    timespan: 1h\n    condition: {gt: 2}\n"), &p);
	const struct correlation *c;

	(void)state;
	assert_int_equal(p.n, 0);
	assert_true(ruleset_find(rs, "t")->silent);
	assert_false(ruleset_find(rs, "c")->silent);
	c = ruleset_correlation(rs, ruleset_find(rs, "c"));
	assert_int_equal(c->at_least, 3);
	assert_int_equal(c->timespan, 3600 * INT64_C(1000000));
	assert_null(ruleset_correlation(rs, ruleset_find(rs, "t")));
	ruleset_free(rs);
	rs = rules_of(CORR("    type: event_count\n    rules: t\n    timespan: 1h\n    condition: {gte: 2}\n    generate: true\n"), &p);
	assert_false(ruleset_find(rs, "t")->silent);
	ruleset_free(rs);
}

static void unknown_sources_never_match(void **state)
{
	struct problems p;
	struct ruleset *rs = rules_of("title: T\nname: t\nlogsource: {product: windows, service: secruity}\ndetection: {s: {EventID: 1}, condition: s}\n", &p);

	(void)state;
	assert_int_equal(ruleset_count(rs), 1);
	assert_int_equal(p.n, 1);
	assert_true(p.warning[0]);
	assert_non_null(strstr(p.text[0], "did you mean 'security'"));
	ruleset_free(rs);
}

static void missing_things_are_errors(void **state)
{
	const char *folders[] = {"rules/exchange"};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "no/such/folder"};
	struct problems p = {.n = 0};
	struct err e = {0};

	(void)state;
	assert_null(ruleset_load(&o, on_problem, &p, &e));
	assert_non_null(strstr(e.text, "no/such/folder"));
	o.tables = "rules";
	folders[0] = "no/such/rules";
	assert_null(ruleset_load(&o, on_problem, &p, &e));
	assert_non_null(strstr(e.text, "no/such/rules"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_is_named), cmocka_unit_test(one_bad_rule_stops_no_other),
		cmocka_unit_test(typing_errors_in_keys_are_warned_of), cmocka_unit_test(silent_rules),
		cmocka_unit_test(unknown_sources_never_match), cmocka_unit_test(missing_things_are_errors),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
