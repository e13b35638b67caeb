/* test_match.c - what a rule means for an event: modifiers, null and absent, positions, renames, keywords, conditions. */
#include <stdlib.h>
#include <time.h>

#include "unit/rules/events.h"

#include "rules/explain/explain.h"

struct one {
	struct matcher *m;
	const struct rule *rule;
	bool holds;
	struct buf why;
	const struct ruleset *rs;
};

static void ask(void *arg, const struct event *ev)
{
	struct one *o = arg;
	const uint32_t *hits;
	size_t n = matcher_run(o->m, ev, &hits);

	for (size_t i = 0; i < n; i++)
		o->holds = o->holds || hits[i] == o->rule->index;
	struct arena *a = arena_new(1u << 12);
	const struct explained *x = rule_explain(o->rs, o->rule, ev, a);

	assert_int_equal(x->holds, o->holds); /* what is explained is what runs */
	explain_text(x, &o->why);
	arena_free(a);
}

static bool holds(const char *detection, const char *logsource, const char *xml)
{
	char yaml[4000];
	struct problems p;
	struct one o = {.holds = false};
	struct ruleset *rs;

	snprintf(yaml, sizeof yaml, "title: T\nname: t\nlogsource: {%s}\ndetection:\n%s", logsource, detection);
	rs = rules_of(yaml, &p);
	for (size_t i = 0; i < p.n; i++)
		if (!p.warning[i])
			print_error("%s\n", p.text[i]);
	assert_int_equal(ruleset_count(rs), 1);
	o.rule = ruleset_rule(rs, 0);
	o.m = matcher_new(rs);
	o.rs = rs;
	buf_init(&o.why, 1u << 20);
	assert_int_equal(events_of(rs, "test", xml, strlen(xml), &o, ask), 1);
	assert_true(o.why.n > 0);
	buf_free(&o.why);
	matcher_free(o.m);
	ruleset_free(rs);
	return o.holds;
}

#define SELECT(item) "    s:\n        " item "\n    condition: s\n"
#define SYSTEM "product: windows, service: system"

static const char *xml(int id, const char *data)
{
	return event_xml("EX1.corp.example", "System", "Test-Provider", id, "2018-03-13T21:00:00Z", 1, data);
}

static bool data(const char *item, const char *fields)
{
	char detection[2000];

	snprintf(detection, sizeof detection, "    s:\n        %s\n    condition: s\n", item);
	return holds(detection, SYSTEM, xml(7, fields));
}

static void modifiers(void **state)
{
	const char *d = "<Data Name='A'>Hello World </Data><Data Name='B'>HELLO WORLD</Data><Data Name='N'>0x17</Data><Data Name='E'></Data>";

	(void)state;
	assert_true(data("A: hello world", d));
	assert_false(data("A: hello", d));
	assert_true(data("A|contains: 'lo wo'", d));
	assert_true(data("A|startswith: hello", d));
	assert_true(data("A|endswith: world", d));
	assert_true(data("A|contains|all: [hello, world]", d));
	assert_false(data("A|contains|all: [hello, moon]", d));
	assert_true(data("A|contains: [moon, world]", d));
	assert_true(data("A|cased: Hello World", d));
	assert_false(data("A|cased: hello world", d));
	assert_false(data("A|neq: hello world", d));
	assert_true(data("A|neq: [a, b]", d));
	assert_true(data("Nowhere|neq: a", d));
	assert_true(data("A|fieldref: B", d));
	assert_false(data("A|fieldref|cased: B", d));
	assert_false(data("A|fieldref: Nowhere", d));
	assert_true(data("N: 23", d));
	assert_false(data("N: '23'", d));
	assert_true(data("N: '0x17'", d));
	assert_true(data("N|gt: 22", d));
	assert_false(data("N|lt: 23", d));
	assert_true(data("N|lte: 23", d));
	assert_false(data("A|gte: 1", d));
	assert_true(data("E|exists: true", d));
	assert_true(data("Nowhere|exists: false", d));
	assert_false(data("E|exists: false", d));
	assert_true(data("a: hello world", d)); /* case of the name */
}

static void absent_and_empty(void **state)
{
	const char *d = "<Data Name='E'></Data><Data Name='T'>true</Data>";

	(void)state;
	assert_true(data("E: null", d));
	assert_true(data("Nowhere: null", d));
	assert_false(data("T: null", d));
	assert_true(data("E: ''", d));
	assert_false(data("Nowhere: ''", d));
	assert_true(data("T: true", d));
	assert_false(data("T: false", d));
	assert_true(holds("    s:\n        EventID: 7\n    f:\n        Nowhere: x\n    condition: s and not f\n", SYSTEM, xml(7, d)));
}

static void several_values(void **state)
{
	const char *d = "<Data>first one</Data><Data>second</Data>";

	(void)state;
	assert_true(data("Data: second", d));
	assert_true(data("Data|contains|all: [one, second]", d)); /* each by another value */
	assert_true(data("'Data[2]': second", d));
	assert_false(data("'Data[1]': second", d));
	assert_true(holds("    s: [one, moon]\n    condition: s\n", SYSTEM, xml(7, d)));
	assert_true(holds("    s:\n        '|all': [one, second]\n    condition: s\n", SYSTEM, xml(7, d)));
	assert_false(holds("    s: [moon]\n    condition: s\n", SYSTEM, xml(7, d)));
	assert_true(holds("    s: [corp.example]\n    condition: s\n", SYSTEM, xml(7, d))); /* System values too */
}

static void conditions(void **state)
{
	static const struct { const char *text; bool holds; } list[] = {
		{"yes", true}, {"no", false}, {"not no", true}, {"yes and not no", true}, {"no or yes", true}, {"no or yes and no", false},
		{"(no or yes) and yes", true}, {"not (yes or no)", false}, {"1 of yes*", true}, {"all of yes*", true}, {"all of them", false},
		{"any of them", true}, {"1 of _h*", true}, {"1 of *o", false}, {"yes AND yes_2", true}, {"not not yes", true},
		{"[no, yes]", true},
		{"2 of them", true}, {"3 of them", false}, {"2 of yes*", true}, {"not 2 of *", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		char d[600];

		snprintf(d, sizeof d, "    yes:\n        EventID: 7\n    yes_2:\n        EventID: 7\n    no:\n        EventID: 8\n    _hidden:\n        EventID: 7\n"
				      "    condition: %s\n", list[i].text);
		if (holds(d, SYSTEM, xml(7, "")) != list[i].holds)
			fail_msg("%s", list[i].text);
	}
}

static void lists_of_maps_are_alternatives(void **state)
{
	const char *d = "    s:\n        - EventID: 8\n          Level: 2\n        - EventID: 7\n          Level: 2\n    condition: s\n";

	(void)state;
	assert_true(holds(d, SYSTEM, xml(7, "")));
	assert_true(holds(d, SYSTEM, xml(8, "")));
	assert_false(holds(d, SYSTEM, xml(9, "")));
}

static void sources(void **state)
{
	const char *image = SELECT("Image|endswith: cmd.exe");
	const char *audit = event_xml("A", "Security", "Microsoft-Windows-Security-Auditing", 4688, "2018-03-13T21:00:00Z", 1,
				      "<Data Name='NewProcessName'>C:\\cmd.exe</Data><Data Name='ProcessId'>0x10</Data><Data Name='NewProcessId'>0x20</Data>");

	(void)state;
	assert_true(holds(image, "category: process_creation, product: windows", audit));
	assert_true(holds(SELECT("ProcessId: 32"), "category: process_creation, product: windows", audit));
	assert_true(holds(SELECT("ParentProcessId: 16"), "category: process_creation, product: windows", audit));
	assert_true(holds(SELECT("ProcessId: 16"), "product: windows, service: security", audit));
	assert_false(holds(image, "category: file_event, product: windows", audit));
	assert_false(holds(SELECT("EventID: 4688"), SYSTEM, audit));
	assert_true(holds(SELECT("EventID: 4688"), "product: exchange", audit));
	assert_false(holds(SELECT("EventID: 4688"), "product: exchange, service: console", audit));
}

static void names_for_positions(void **state)
{
	const char *e = event_xml("EX1.corp.example", "Application", "MSExchangeFrontEndTransport", 12014, "2018-03-13T21:00:00Z", 1,
				  "<Data>ex1</Data><Data>Default Frontend EX1</Data>");
	const char *app = "product: windows, service: application";

	(void)state;
	assert_true(holds(SELECT("Connector: Default Frontend EX1"), app, e));
	assert_true(holds(SELECT("Fqdn|fieldref: ComputerLabel"), app, e));
	assert_false(holds(SELECT("Fqdn|fieldref: Computer"), app, e));
	assert_true(holds(SELECT("ComputerDomain: corp.example"), app, e));
}

/* Two values of the sender's, as unkind as they can be: comparing them takes as long as reading them, not as long as their product. */
static void field_against_field_is_linear(void **state)
{
	static const char *const items[] = {"A|fieldref|contains: B", "A|fieldref|endswith: B", "A|fieldref|cased|contains: B"};
	char selection[200];
	struct buf data;
	clock_t from = clock();

	(void)state;
	for (int end = 0; end < 2; end++) { /* without the b at its end B is a part and the end of A */
		buf_init(&data, 1u << 20);
		buf_str(&data, "<Data Name='A'>");
		for (int i = 0; i < 60000; i++)
			buf_char(&data, 'a');
		buf_str(&data, "</Data><Data Name='B'>");
		for (int i = 0; i < 30000; i++)
			buf_char(&data, 'a');
		buf_str(&data, end ? "b</Data>" : "</Data>");
		char *event = xstrdup(xml(7, ""));
		char *at = strstr(event, "</Event>");
		struct buf whole;

		assert_non_null(at);
		buf_init(&whole, 1u << 20);
		buf_add(&whole, event, (size_t)(at - event));
		buf_printf(&whole, "<EventData>%s</EventData></Event>", buf_text(&data));
		for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
			snprintf(selection, sizeof selection, "    s:\n        %s\n    condition: s\n", items[i]);
			assert_int_equal(holds(selection, SYSTEM, buf_text(&whole)), !end);
		}
		free(event);
		buf_free(&whole);
		buf_free(&data);
	}
	assert_true(clock() - from < 3 * CLOCKS_PER_SEC); /* some 0.01 s; the product would be 20 s */
}

/* What somebody else had the processor for is nobody's cost. */
static void time_lost(void **state)
{
	static const struct {
		int64_t dearest, wall, cpu, lost;
	} t[] = {
		{20000, 20100, 90, 20000},   /* put aside once, in the dearest question */
		{20000, 25000, 10000, 15000},
		{20000, 20100, 20100, 0},    /* dear in earnest */
		{20000, 20100, 20090, 0},    /* the clocks differ a little */
		{3, 20100, 90, 0},           /* put aside between the questions */
		{20000, 20100, 20200, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		assert_int_equal(rule_cost_lost(t[i].dearest, t[i].wall, t[i].cpu), t[i].lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_against_field_is_linear), cmocka_unit_test(modifiers), cmocka_unit_test(absent_and_empty),
		cmocka_unit_test(several_values), cmocka_unit_test(conditions),
		cmocka_unit_test(lists_of_maps_are_alternatives), cmocka_unit_test(sources), cmocka_unit_test(names_for_positions),
		cmocka_unit_test(time_lost),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
