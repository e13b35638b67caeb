/* test_coverage.c - which rules can fire with the events that were seen, and what is missing for the others. */
#include "rules/coverage/coverage.h"
#include "unit/rules/events.h"

#define RULE(source, body) "title: T\nname: t\nlogsource: {product: windows, " source "}\ndetection:\n    s:\n" body
#define IS "    condition: s\n"
#define SYSTEM(body) RULE("service: system", body)

#define BOTH SYSTEM("        EventID: 7\n" IS) "---\ntitle: U\nname: u\nlogsource: {service: system, product: windows}\n" \
	"detection: {s: {EventID: 8}, condition: s}\n---\ntitle: C\nname: c\n"

static const struct { const char *yaml; enum coverage_why why; const char *what; } rows[] = {
	{SYSTEM("        EventID: 7\n" IS), COVERAGE_CAN, ""},
	{SYSTEM("        EventID: 8\n" IS), COVERAGE_NO_EVENT, "EventID 8 of System"},
	{SYSTEM("        EventID: [8, 9]\n" IS), COVERAGE_NO_EVENT, "EventID 8, 9 of System"},
	{SYSTEM("        EventID: [8, 7]\n        A: never\n" IS), COVERAGE_CAN, ""}, /* the value may come */
	{SYSTEM("        EventID: 7\n        Missing|contains: x\n" IS), COVERAGE_NO_FIELD, "Missing"},
	{SYSTEM("        Missing|contains: x\n        EventID: 8\n" IS), COVERAGE_NO_EVENT, "EventID 8 of System"},
	{SYSTEM("        EventID: 7\n        Missing: null\n" IS), COVERAGE_CAN, ""},
	{SYSTEM("        EventID: 7\n        Missing|exists: false\n" IS), COVERAGE_CAN, ""},
	{SYSTEM("        EventID: 7\n        Missing|exists: true\n" IS), COVERAGE_NO_FIELD, "Missing"},
	{SYSTEM("        EventID: 7\n    f:\n        Missing: x\n    condition: s and not f\n"), COVERAGE_CAN, ""},
	{SYSTEM("        EventID: 7\n    f:\n        Missing: x\n    condition: s and f\n"), COVERAGE_NO_FIELD, "Missing"},
	{SYSTEM("        EventID: 7\n    f:\n        Missing: x\n    condition: s or f\n"), COVERAGE_CAN, ""},
	{SYSTEM("        EventID: 7\n    f:\n        Missing: null\n    condition: s and not f\n"), COVERAGE_NO_FIELD, "Missing"},
	{SYSTEM("        Provider_Name: Q\n        EventID: 7\n" IS), COVERAGE_NO_EVENT, "Provider_Name Q of System"},
	{SYSTEM("        Provider_Name: P\n        EventID: 7\n" IS), COVERAGE_CAN, ""},
	{SYSTEM("        ComputerLabel: ex1\n" IS), COVERAGE_CAN, ""},
	{SYSTEM("        - anything\n" IS), COVERAGE_CAN, ""},
	{RULE("service: application", "        EventID: 7\n" IS), COVERAGE_NO_CHANNEL, "Application"},
	{RULE("category: process_creation", "        Image: x\n" IS), COVERAGE_NO_EVENT, "EventID 1 of Microsoft-Windows-Sysmon/Operational, 4688 of Security"}, /* Security is there */
	{RULE("service: security", "        Channel: Other\n" IS), COVERAGE_CAN, ""}, /* a field of the payload wins over the system's */
	{RULE("service: security", "        SourceIp: x\n" IS), COVERAGE_NO_FIELD, "SourceIp"},
	{"title: T\nname: t\nlogsource: {product: linux}\ndetection:\n    s:\n        A: x\n" IS, COVERAGE_NO_SOURCE, ""},
	{SYSTEM("        EventID: 8\n" IS "---\ntitle: C\nname: c\ncorrelation: {type: event_count, rules: t, timespan: 1m, condition: {gte: 2}}\n"),
		COVERAGE_NO_RULE, "t"},
	{SYSTEM("        EventID: 7\n" IS "---\ntitle: C\nname: c\ncorrelation: {type: event_count, rules: t, timespan: 1m, condition: {gte: 2}}\n"),
		COVERAGE_CAN, ""},
	{BOTH "correlation: {type: temporal, rules: [t, u], timespan: 1m}\n", COVERAGE_NO_RULE, "u"},
	{BOTH "correlation: {type: event_count, rules: [t, u], timespan: 1m, condition: {gte: 2}}\n", COVERAGE_CAN, ""},
	{BOTH "correlation: {type: temporal, timespan: 1m, condition: t or u}\n", COVERAGE_CAN, ""},
	{BOTH "correlation: {type: temporal, timespan: 1m, condition: t and not u}\n", COVERAGE_CAN, ""},
	{BOTH "correlation: {type: absent, rules: [t, u], timespan: 1m}\n", COVERAGE_CAN, ""},
	{BOTH "correlation: {type: absent, rules: [u, t], timespan: 1m}\n", COVERAGE_NO_RULE, "u"},
};

static void give(void *arg, const struct event *ev)
{
	coverage_event(arg, ev);
}

static void see(struct coverage *c, const struct ruleset *rs, const char *channel, int id, const char *host, const char *data)
{
	const char *text = event_xml(host, channel, "P", id, "2018-03-13T00:00:00Z", 1, data);

	assert_int_equal(events_of(rs, "test", text, strlen(text), c, give), 1);
}

static void says_what_is_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct problems p;
		struct ruleset *rs = rules_of(rows[i].yaml, &p);
		struct coverage *c = coverage_new(rs);
		struct buf what;
		enum coverage_why why;

		see(c, rs, "System", 7, "ex1.example", "<Data Name='A'>1</Data>");
		see(c, rs, "System", 7, "EX1.example", "<Data Name='B'>1</Data>");
		see(c, rs, "Security", 4711, "ex1.example", "<Data Name='Channel'>Security</Data>");
		see(c, rs, "Application", 7, "ex2.example", "");
		assert_int_equal(coverage_hosts(c), 2);
		assert_int_equal(coverage_host(c, 0)->events, 3);
		assert_int_equal(coverage_host(c, 0)->kinds, 2);
		buf_init(&what, 4096);
		why = coverage_of(c, 0, ruleset_rule(rs, ruleset_count(rs) - 1), &what);
		if (why != rows[i].why || strcmp(buf_text(&what), rows[i].what) != 0)
			fail_msg("row %zu: %d '%s'", i, (int)why, buf_text(&what));
		buf_free(&what);
		coverage_free(c);
		ruleset_free(rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(says_what_is_missing)};

	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
