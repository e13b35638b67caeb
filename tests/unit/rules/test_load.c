/* test_load.c - what a rule file can do wrong: named with line and what to write instead, and never in the way of the others. */
#include "unit/rules/events.h"

#include "base/buf.h"

#define HEAD "title: T\nid: 11111111-1111-1111-1111-111111111111\nname: t\nlogsource:\n    product: windows\n    service: system\n"
#define GOOD HEAD "detection:\n    selection:\n        EventID: 1\n    condition: selection\n"
#define DETECT(body) HEAD "detection:\n" body
#define COND(c) DETECT("    one:\n        EventID: 1\n    two_a:\n        EventID: 2\n    _hidden:\n        EventID: 3\n    condition: " c "\n")
#define ONE "detection: {s: {EventID: 1}, condition: s}\n"
#define EVMEND(body) GOOD "evmend:\n" body
#define OF(type, rules, rest) CORR("    type: " type "\n    rules: " rules "\n    timespan: 1h\n" rest)
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
	{OF("event_cuont", "[t]", "    condition: {gte: 2}\n"), 15, "did you mean 'event_count'"},
	{OF("value_count", "t", "    condition: {gte: 2}\n"), 18, "needs a 'field'"},
	{OF("value_sum", "t", "    condition: {field: [A, B], gte: 2}\n"), 18, "takes one field"},
	{OF("event_count", "t", "    condition: {field: User, gte: 2}\n"), 18, "value_count counts values"},
	{OF("event_count", "t", ""), 15, "needs a 'condition'"},
	{OF("event_count", "t", "    condition: {}\n"), 18, "needs one of gt, gte"},
	{OF("event_count", "t", "    condition: {gte: many}\n"), 18, "takes a number"},
	{OF("event_count", "t", "    condition: {gte: 100001}\n"), 18, "from 0 to 100000"},
	{OF("event_count", "t", "    condition: {gte: 0}\n"), 18, "a count of 0 holds always"},
	{OF("event_count", "t", "    condition: {gt: 9, lt: 10}\n"), 18, "can never hold"},
	{OF("event_count", "t", "    condition: {lt: 1}\n"), 18, "can never hold"},
	{OF("event_count", "t", "    condition: {gte: 2, percentile: 5}\n"), 18, "belongs to the type value_percentile"},
	{OF("event_count", "t", "    condition: t and t\n"), 18, "only temporal and temporal_ordered take an expression"},
	{OF("value_percentile", "t", "    condition: {field: A, lt: 2}\n"), 18, "needs 'percentile"},
	{OF("value_percentile", "t", "    condition: {field: A, lt: 2, percentile: 101}\n"), 18, "from 0 to 100"},
	{OF("event_count", "t", "    condition: {gtee: 2}\n"), 18, "did you mean 'gte'"},
	{CORR("    type: event_count\n    rules: [t]\n    condition: {gte: 2}\n"), 15, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timeframe: 1h\n    condition: {gte: 2}\n"), 17, "write 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 90\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 5 m\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 1x\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 0s\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 11y\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules: [t]\n    timespan: 10ms\n    condition: {gte: 2}\n"), 17, "needs a 'timespan'"},
	{CORR("    type: event_count\n    rules:\n        - t\n        - u\n    timespan: 1h\n    condition: {gte: 2}\n"), 18, "refers to 'u', and there is no such rule"},
	{OF("event_count", "[c]", "    condition: {gte: 2}\n"), 12, "refers to itself"},
	{OF("temporal", "[t]", ""), 16, "two rules at least"},
	{OF("temporal", "[t, T]", ""), 16, "is listed twice"},
	{OF("temporal", "[t, 11111111-1111-1111-1111-111111111111]", ""), 16, "are the same rule"},
	{OF("temporal", "[t, u]", "    condition: {gt: 2}\n"), 18, "can never hold: there are only 2 rules"},
	{OF("temporal", "[t, u]", "    condition: t and\n"), 18, "ends where the name of a rule should stand"},
	{OF("temporal", "[t, u]", "    condition: t and (u\n"), 18, "ends where ')' should stand"},
	{OF("temporal", "[t, u]", "    condition: t u\n"), 18, "'u' in the condition where 'and', 'or' or the end"},
	{OF("temporal", "[t, u]", "    condition: t and x\n"), 18, "names 'x', which 'rules' does not list"},
	{OF("temporal", "[t, u]", "    condition: t\n"), 18, "lists 'u', which the condition does not name"},
	{OF("temporal", "[t, u]", "    condition: t and not t and u\n"), 18, "can never hold"},
	{CORR("    type: temporal\n    timespan: 1h\n    condition: t-1 and u\n"), 17, "needs a 'name'"},
	{OF("absent", "[t, u]", "    condition: {gte: 1}\n"), 18, "absent takes no condition"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    where: around\n"), 19, "belongs to the type absent"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    quiet: soon\n"), 19, "'quiet' is how long"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    generate: perhaps\n"), 19, "'generate' is true or false"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    generate: true\ngenerate: false\n"), 19, "said twice"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    group-by: [a, b, c, d, e, f, g, h, i]\n"), 19, "at most 8 fields"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    aliases: [who]\n"), 19, "must be a map"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    aliases: {who: User}\n"), 19, "alias 'who' must be a map"},
	{OF("event_count", "t", "    condition: {gte: 2}\n    aliases: {who: {other: User}}\n"), 19, "names a field for 'other', which 'rules' does not list"},
	{GOOD "---\n" GOOD, 12, "is taken by"},
	{"title: Two\nlogsource: {service: system}\n" ONE "---\ntitle: X\nname: two\nlogsource: {service: system}\n" ONE, 5,
		"name 'two' is taken by"}, /* a rule without id and name is found by its title */
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

/* A list of 100 numbers, named so often: with 1 of them, or by its name. */
static void a_condition_cannot_multiply_its_selections(void **state)
{
	static const struct { const char *use; int times; bool refused; } ask[] = {
		{"s", 150, false}, {"s", 300, true}, {"1 of them", 300, true}, {"1 of them", 25000, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
		struct problems p;
		struct ruleset *rs;
		struct buf b;

		buf_init(&b, 1u << 20);
		buf_str(&b, "title: T\nlogsource: {product: windows}\ndetection:\n  s:\n    A: [0");
		for (int k = 1; k < 100; k++)
			buf_printf(&b, ", %d", k);
		buf_printf(&b, "]\n  condition: %s", ask[i].use);
		for (int k = 1; k < ask[i].times; k++)
			buf_printf(&b, " or %s", ask[i].use);
		buf_str(&b, "\n");
		rs = rules_of(buf_text(&b), &p);
		assert_int_equal(ruleset_refused(rs), ask[i].refused);
		if (ask[i].refused) {
			assert_int_equal(p.line[0], 6);
			assert_non_null(strstr(p.text[0], "name each once"));
		}
		ruleset_free(rs);
		buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_is_named), cmocka_unit_test(a_condition_cannot_multiply_its_selections),
		 cmocka_unit_test(one_bad_rule_stops_no_other),
		cmocka_unit_test(typing_errors_in_keys_are_warned_of), cmocka_unit_test(silent_rules),
		cmocka_unit_test(unknown_sources_never_match), cmocka_unit_test(missing_things_are_errors),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
