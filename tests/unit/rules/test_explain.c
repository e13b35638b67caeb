/* test_explain.c - an explanation names the line that decides and the nearest reason, and says what matching says. */
#include "unit/rules/events.h"

#include "base/json.h"
#include "rules/compiled.h"
#include "rules/explain/explain.h"

struct asked {
	struct ruleset *rs;
	const struct rule *rule;
	struct matcher *m;
	struct buf text, json;
	bool holds, broken;
};

static void explain(void *arg, const struct event *ev)
{
	struct asked *x = arg;
	struct arena *a = arena_new(1u << 12);
	const struct explained *root = rule_explain(x->rs, x->rule, ev, a);
	const uint32_t *hits;
	size_t n = matcher_run(x->m, ev, &hits);
	struct json_out o;
	bool hit = false;

	for (size_t i = 0; i < n; i++)
		hit = hit || hits[i] == x->rule->index;
	if (x->rule->kind == RULE_DETECTION)
		assert_int_equal(root->holds, hit);
	x->holds = root->holds;
	x->broken = root->broken;
	buf_reset(&x->text);
	buf_reset(&x->json);
	explain_text(root, &x->text);
	json_begin(&o, &x->json);
	explain_json(root, NULL, &o);
	arena_free(a);
}

static void asked_begin(struct asked *x, const char *yaml, const char *rule)
{
	struct problems p;

	*x = (struct asked){.rs = rules_of(yaml, &p)};
	x->rule = ruleset_find(x->rs, rule);
	if (!x->rule)
		print_error("%s\n", p.n ? p.text[0] : "?");
	assert_non_null(x->rule);
	x->m = matcher_new(x->rs);
	buf_init(&x->text, 1u << 20);
	buf_init(&x->json, 1u << 20);
}

static void asked_end(struct asked *x)
{
	matcher_free(x->m);
	buf_free(&x->text);
	buf_free(&x->json);
	ruleset_free(x->rs);
}

#define DATA "<Data Name='Image'>C:\\Temp\\tool.exe</Data><Data Name='Cmd'>tool.exe -run all</Data><Data Name='Empty'></Data>" \
	"<Data Name='Port'>444</Data><Data Name='Many'>one</Data><Data Name='Many'>two</Data>"

static const struct {
	const char *detection;
	bool holds;
	const char *says[4]; /* each stands in the text */
} rows[] = {
	{"s: {Image|endswith: '\\tool.exe'}\n  condition: s", true, {"> yes    Image|endswith: '\\tool.exe'   the event has 'C:\\Temp\\tool.exe'"}},
	{"s: {Image|endswith: '\\wool.exe'}\n  condition: s", false, {"> no     Image|endswith: '\\wool.exe'   the event has",
		"because s: Image|endswith"}},
	{"s: {Image|endswith: ['.com', 'l.dll', 'ool.exf']}\n  condition: s", false, {"not with '.com' or any other of the 3 values"}},
	{"s: {Image|startswith: ['D:\\', 'C:\\Windows\\']}\n  condition: s", false, {"it begins with 'C:\\Temp\\tool.exe', not with 'C:\\Windows\\'"}},
	{"s: {Cmd|contains|all: ['-run', 'none']}\n  condition: s", false, {"'none' is missing"}},
	{"s: {Cmd|contains: [a b, c d]}\n  condition: s", false, {"none of the 2 values is in it"}},
	{"s: {Cmd|contains: '-RUN'}\n  condition: s", true, {"the event has 'tool.exe -run all'"}},
	{"s: {Cmd|contains|cased: '-RUN'}\n  condition: s", false, {"capital letters count here, and they differ"}},
	{"s: {Imag: x}\n  condition: s", false, {"the event has no such field; it has 'Image'"}},
	{"s: {Nothing: x}\n  condition: s", false, {"the event has no such field\n"}},
	{"s: {Nothing: null}\n  condition: s", true, {"> yes    Nothing: null", "no such field"}},
	{"s: {Empty: null}\n  condition: s", true, {"the field is empty"}},
	{"s: {Image: null}\n  condition: s", false, {"the field is there and not empty"}},
	{"s: {Empty: x}\n  condition: s", false, {"the field is there and empty"}},
	{"s: {Empty|exists: false}\n  condition: s", false, {"Empty|exists: false", "the event has the field"}},
	{"s: {Port|gt: 500}\n  condition: s", false, {"the comparison does not hold"}},
	{"s: {Image|gt: 5}\n  condition: s", false, {"it is no number"}},
	{"s: {Port|neq: 444}\n  condition: s", false, {"neq turns it round"}},
	{"s: {Many: three}\n  condition: s", false, {"the event has 'one', 'two': no value of the field is that"}},
	{"s: {Port: 444}\n  f_a: {Image|endswith: '.exe'}\n  f_b: {Image: x}\n  condition: s and not 1 of f_*", false,
		{"> no     not\n", "> yes      one of\n", "  no         f_b", "because f_a: Image|endswith: '.exe'; the event has"}},
	{"s: ['nowhere']\n  condition: s", false, {"no value of the event has it"}},
	{"a: {Port: 1}\n  b: {Port: 444}\n  condition: a or b", true, {"  no     a: all of", "> yes    b: all of"}},
};

static void each_answer_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *event = event_xml("EX1", "System", "P", 7, "2018-03-13T21:00:00Z", 1, DATA);
		char yaml[2000];
		struct asked x;
		struct err e;
		struct json *j;

		snprintf(yaml, sizeof yaml, "title: T\nname: t\nlogsource: {product: windows, service: system}\ndetection:\n  %s\n", rows[i].detection);
		asked_begin(&x, yaml, "t");
		assert_int_equal(events_of(x.rs, "test", event, strlen(event), &x, explain), 1);
		for (size_t k = 0; k < 4 && rows[i].says[k]; k++)
			if (x.holds != rows[i].holds || !strstr(buf_text(&x.text), rows[i].says[k]))
				fail_msg("%s: '%s' is wanted of\n%s", rows[i].detection, rows[i].says[k], buf_text(&x.text));
		j = json_parse(buf_text(&x.json), x.json.n, &e);
		assert_non_null(j);
		assert_int_equal(json_bool(json_get(j, "holds"), !x.holds), x.holds);
		assert_string_equal(json_str(json_get(json_at(json_get(j, "parts"), 0), "kind"), ""), "logsource");
		json_free(j);
		asked_end(&x);
	}
}

static void the_logsource_comes_first(void **state)
{
	static const struct { const char *source, *channel, *says; int id; } ask[] = {
		{"product: windows, service: security", "System", "> no   logsource: channel 'Security'", 7},
		{"product: windows, service: security", "System", "the event is of another channel", 7},
		{"product: windows, category: process_creation", "Security", "the channel is right, the event id is another", 4624},
		{"product: windows, category: process_creation", "Security", "channel 'Security', event 4688", 4624},
		{"product: windows, category: registry_add", "Microsoft-Windows-Sysmon/Operational", "its fields say that it is another kind", 12},
		{"product: windows, category: file_access", "Security", "no event log has such events", 4663},
	};

	(void)state;
	for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
		char *event = event_xml("EX1", ask[i].channel, "P", ask[i].id, "2018-03-13T21:00:00Z", 1, "<Data Name='A'>a</Data>");
		char yaml[600];
		struct asked x;

		snprintf(yaml, sizeof yaml, "title: T\nname: t\nlogsource: {%s}\ndetection: {s: {A: a}, condition: s}\n", ask[i].source);
		asked_begin(&x, yaml, "t");
		assert_int_equal(events_of(x.rs, "test", event, strlen(event), &x, explain), 1);
		assert_false(x.holds);
		if (!strstr(buf_text(&x.text), ask[i].says) || strstr(buf_text(&x.text), "A: 'a'"))
			fail_msg("%s: '%s' is wanted of\n%s", ask[i].source, ask[i].says, buf_text(&x.text));
		asked_end(&x);
	}
}

/* Conditions of one set and plans of another: as if a witness were wrong. Matching's answer stands, and the text says that it is a bug. */
static void what_matching_says_stands(void **state)
{
	static const struct { const char *cond, *plan; bool broken; } ask[] = {
		{"tool.exe", "tool.exe", false}, {"tool.exe", "other.exe", true}, {"none.exe", "tool.exe", false},
	};
	static const char rule[] = "title: T\nname: t\nlogsource: {product: windows}\ndetection: {s: {Cmd|contains: '%s'}, condition: s}\n---\n"
		"title: C\nname: c\ncorrelation: {type: event_count, rules: t, timespan: 5m, condition: {gte: 2}}\n";

	(void)state;
	for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
		char *event = event_xml("EX1", "System", "P", 7, "2018-03-13T21:00:00Z", 1, DATA), one[600], two[600];
		struct match_plans *own;
		struct problems p;
		struct ruleset *other;
		struct asked x;

		snprintf(one, sizeof one, rule, ask[i].cond);
		snprintf(two, sizeof two, rule, ask[i].plan);
		other = rules_of(two, &p);
		for (int c = 0; c < 2; c++) {
			asked_begin(&x, one, c ? "c" : "t");
			own = x.rs->plans;
			x.rs->plans = other->plans;
			assert_int_equal(events_of(x.rs, "test", event, strlen(event), &x, explain), 1);
			x.rs->plans = own;
			assert_int_equal(x.broken, ask[i].broken);
			assert_int_equal(x.holds, i == 0);
			assert_int_equal(strstr(buf_text(&x.text), "internal error: matching says that the rule does not hold") != NULL, ask[i].broken);
			assert_int_equal(strstr(buf_text(&x.json), "internal error: ") != NULL, ask[i].broken);
			asked_end(&x);
		}
		ruleset_free(other);
	}
}

static void a_correlation_explains_its_rules(void **state)
{
	static const char yaml[] = "title: One\nname: one\nlogsource: {product: windows}\ndetection: {s: {EventID: 7}, condition: s}\n---\n"
		"title: Two\nname: two\nlogsource: {product: windows}\ndetection: {s: {EventID: 8}, condition: s}\n---\n"
		"title: Both\nname: both\ncorrelation: {type: temporal, rules: [one, two], timespan: 5m, group-by: host}\n";
	char *event = event_xml("EX1", "System", "P", 7, "2018-03-13T21:00:00Z", 1, "");
	struct asked x;

	(void)state;
	asked_begin(&x, yaml, "both");
	assert_int_equal(events_of(x.rs, "test", event, strlen(event), &x, explain), 1);
	assert_true(x.holds);
	assert_non_null(strstr(buf_text(&x.text), "yes  One\n"));
	assert_non_null(strstr(buf_text(&x.text), "no   Two\n"));
	assert_non_null(strstr(buf_text(&x.text), "because s: EventID: '8'; the event has '7'"));
	asked_end(&x);
}

static void what_a_correlation_needs(void **state)
{
	static const struct { const char *correlation, *needs; } rows_[] = {
		{"type: temporal, rules: [one, two], timespan: 5m, group-by: host", "temporal >= 2 within 5m for each host"},
		{"type: temporal_ordered, condition: 'one and not two', timespan: 90s",
			"temporal_ordered: (one and not two) within 1m 30s; decided when its time is over"},
		{"type: value_count, rules: one, timespan: 1h, group-by: [A, B], condition: {gt: 2, lte: 7, field: [U, V]}",
			"value_count of U, V > 2 and <= 7 within 1h for each A, B; decided when its time is over"},
		{"type: value_percentile, rules: one, timespan: 1d, condition: {gte: 0.5, field: U, percentile: 99}",
			"value_percentile 99 of U >= 0.5 within 1d; decided when its time is over"},
		{"type: absent, rules: [one, two], timespan: 5m, where: around",
			"absent within 5m, before or after; decided when its time is over"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows_ / sizeof rows_[0]; i++) {
		struct arena *a = arena_new(1u << 12);
		char yaml[1000];
		struct asked x;

		snprintf(yaml, sizeof yaml, "title: One\nname: one\nlogsource: {product: windows}\ndetection: {s: {EventID: 7}, condition: s}\n---\n"
			"title: Two\nname: two\nlogsource: {product: windows}\ndetection: {s: {EventID: 8}, condition: s}\n---\n"
			"title: C\nname: c\ncorrelation: {%s}\n", rows_[i].correlation);
		asked_begin(&x, yaml, "c");
		assert_string_equal(rule_needs(x.rs, x.rule, a), rows_[i].needs);
		assert_null(rule_needs(x.rs, ruleset_find(x.rs, "one"), a));
		asked_end(&x);
		arena_free(a);
	}
}

/* A value of 100 kB is cut around what matched, and nothing drives the terminal. */
static void long_values_are_cut_around_the_match(void **state)
{
	struct buf event;
	struct asked x;

	(void)state;
	buf_init(&event, 1u << 20);
	buf_str(&event, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='P'/><EventID>7</EventID>"
		"<Channel>System</Channel><Computer>EX1</Computer></System><EventData><Data Name='A'>");
	for (int i = 0; i < 5000; i++)
		buf_str(&event, "padding &#x7f;\t");
	buf_str(&event, "here is the needle, and more");
	for (int i = 0; i < 5000; i++)
		buf_str(&event, " padding");
	buf_str(&event, "</Data></EventData></Event>");
	asked_begin(&x, "title: T\nname: t\nlogsource: {product: windows}\ndetection: {s: {A|contains: Needle}, condition: s}\n", "t");
	assert_int_equal(events_of(x.rs, "test", buf_text(&event), event.n, &x, explain), 1);
	assert_true(x.holds);
	assert_non_null(strstr(buf_text(&x.text), "here is the needle, and more"));
	assert_null(strchr(buf_text(&x.text), 0x7f));
	assert_true(x.text.n < 2000);
	asked_end(&x);
	buf_free(&event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_has_its_reason),
		cmocka_unit_test(the_logsource_comes_first),
		cmocka_unit_test(what_matching_says_stands),
		cmocka_unit_test(a_correlation_explains_its_rules),
		cmocka_unit_test(what_a_correlation_needs),
		cmocka_unit_test(long_values_are_cut_around_the_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
