/* test_route.c - which record goes to which sink, and the texts that are made of records: templates and labels. */
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "rules/rule.h"
#include "ship/formats.h"
#include "ship/route.h"
#include "ship/template.h"

#define FINDING "{\"kind\":\"finding\",\"host\":\"EX1.contoso.example\",\"level\":\"medium\",\"cause\":\"cert-missing\"," \
	"\"labels\":{\"tenant\":\"a\",\"site\":\"muc=1\"}}"

static struct spool_record record(int kind, const char *json)
{
	return (struct spool_record){ .kind = kind, .json = json, .n = strlen(json) };
}

static void a_record_is_read_once(void **state)
{
	struct arena *a = arena_new(1024);
	struct spool_record r = record(RECORD_FINDING, FINDING), ledger = record(RECORD_LEDGER, "{}"), bad = record(RECORD_EVENT, "{\"level\":7");

	(void)state;
	record_route(&r, a);
	assert_true(r.urgent);
	assert_int_equal(r.level, LEVEL_MEDIUM);
	assert_string_equal(r.host, "EX1.contoso.example");
	assert_string_equal(r.cause, "cert-missing");
	assert_string_equal(r.labels, "tenant=a\nsite=muc=1\n");
	record_route(&ledger, a);
	assert_false(ledger.urgent);
	assert_int_equal(ledger.level, -1);
	assert_string_equal(ledger.host, "");
	record_route(&bad, a);
	assert_string_equal(bad.labels, "");
	arena_free(a);
}

/* Most records are read without a tree: whatever they look like, the answer is that of a tree, which a blank in front asks for. */
static void a_quick_look_sees_what_a_tree_has(void **state)
{
	static const char *const rows[] = {
		"{\"host\":\"ex1\",\"system\":{\"host\":\"no\"},\"fields\":{\"labels\":[\"]}\",\"x\\\"}\"]},\"labels\":{\"tenant\":\"a\",\"site\":\"m=1\"}}",
		"{\"host\":\"a\\u0041\",\"labels\":{\"t\":\"\\n\"}}", "{\"host\":null,\"cause\":\"c\",\"labels\":{}}", "{}",
		"{\"host\":\"x\"", "{\"host\":\"x", "{\"labels\":{\"a\":1}}",
		"{\"labels\":{\"a\":{\"b\":\"c\"},\"d\":\"e\"}}", "{\"labels\":{\"a=b\":\"c\",\"d\":\"e\"}}",
		"{\"host\" : \"spaced\"}", "{\"a\":\"\\\\\",\"host\":\"y\"}", "{\"host\":\"x\"}}",
		"{\"level\":\"high\",\"host\":[\"x\"],\"cause\":{\"host\":\"z\"}}", "{\"", "{\"a", "{\"a\":",
		"{\"labels\":{", "{\"labels\":{\"a\":", "{,}", "{\"a\":1,}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena *a = arena_new(1024);
		size_t n = strlen(rows[i]);
		char *tight = xcalloc(1, n), *blank = xcalloc(1, n + 2); /* nothing behind the one: who reads on is found */
		struct spool_record event = record(RECORD_EVENT, rows[i]), other;

		memcpy(tight, rows[i], n);
		memcpy(blank + 1, rows[i], n);
		*blank = ' ';
		other = record(RECORD_EVENT, blank);
		event.json = tight;
		record_route(&event, a);
		record_route(&other, a);
		if (event.level != other.level || strcmp(event.host, other.host) != 0 || strcmp(event.cause, other.cause) != 0 ||
			strcmp(event.labels, other.labels) != 0)
			fail_msg("%s: %s, %s, %d, %s", rows[i], event.host, event.cause, event.level, event.labels);
		free(tight);
		free(blank);
		arena_free(a);
	}
}

static void every_condition_must_hold(void **state)
{
	static const char *const causes[] = { "other", "CERT-MISSING" }, *const hosts[] = { "ex2*", "ex?.contoso.*" };
	static const char *const elsewhere[] = { "ex2*" }, *const labels[] = { "site=muc=1", "tenant=a" }, *const stranger[] = { "tenant=b" };
	static const struct {
		struct sink_take take;
		bool finding, ledger;
	} rows[] = {
		{ { 0 }, true, true },
		{ { .kinds = 1u << RECORD_LEDGER }, false, true },
		{ { .level = LEVEL_MEDIUM }, true, true }, /* the ledger has no level: its kind chooses it */
		{ { .level = LEVEL_HIGH }, false, true },
		{ { .level = LEVEL_LOW, .kinds = 1u << RECORD_FINDING }, true, false },
		{ { .causes = causes, .n_causes = 2 }, true, false },
		{ { .causes = causes, .n_causes = 1 }, false, false },
		{ { .hosts = hosts, .n_hosts = 2 }, true, false },
		{ { .hosts = elsewhere, .n_hosts = 1 }, false, false },
		{ { .labels = labels, .n_labels = 2 }, true, false },
		{ { .labels = stranger, .n_labels = 1 }, false, false },
		{ { .causes = causes, .n_causes = 2, .labels = stranger, .n_labels = 1 }, false, false },
	};
	struct arena *a = arena_new(1024);
	struct spool_record r = record(RECORD_FINDING, FINDING), ledger = record(RECORD_LEDGER, "{}");

	(void)state;
	record_route(&r, a);
	record_route(&ledger, a);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (route_takes(&rows[i].take, &r) != rows[i].finding)
			fail_msg("row %zu and the finding", i);
		if (route_takes(&rows[i].take, &ledger) != rows[i].ledger)
			fail_msg("row %zu and the ledger", i);
	}
	arena_free(a);
}

static void patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool is;
	} rows[] = {
		{ "*", "", true }, { "", "", true }, { "", "a", false }, { "?", "", false }, { "a*", "A", true }, { "a*b*c", "axxbyyc", true },
		{ "a*b*c", "axxbyy", false }, { "*.example", "ex1.contoso.EXAMPLE", true }, { "ex?", "ex10", false }, { "**a", "bba", true },
		{ "[a]", "a", false },
	};
	char hard[4096];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (route_glob(rows[i].pattern, rows[i].text) != rows[i].is)
			fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].text);
	memset(hard, 'a', sizeof hard - 1); /* ends soon, where backtracking would not */
	hard[sizeof hard - 1] = '\0';
	assert_false(route_glob("*a*a*a*a*a*a*a*a*a*b", hard));
}

static void fill(const char *text, const char *json, const char *expected)
{
	static const char *const labels[] = { "tenant=sink", "only=Here" };
	const struct sink_config c = { .labels = labels, .n_labels = 2 };
	struct spool_record r = record(RECORD_FINDING, json);
	struct record_view v;
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, 65536);
	if (template_check(text, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	view_open(&v, &r);
	template_fill(text, &c, &v, template_name, &b);
	view_close(&v);
	assert_string_equal(buf_text(&b), expected);
	buf_free(&b);
}

static void templates(void **state)
{
	static const char *const bad[][2] = { { "{", "other half" }, { "a}", "other half" }, { "{host", "other half" }, { "{}", "other half" },
		{ "{hosts}", "no place {hosts}" }, { "{label.}", "no place" }, { "{label.a{b}", "no place" } };

	(void)state;
	fill("evmend-{kind}", FINDING, "evmend-finding");
	fill("{label.tenant}-{label.only}-{level}.{cause}", FINDING, "a-here-medium.cert-missing"); /* the record's label goes before the sink's */
	fill("x-{host}", "{\"host\":\"../..\\u0000\\n{kind}A\\u00e4\"}", "x-none"); /* \u0000 is no JSON here: the record cannot be read */
	fill("x-{host}", "{\"host\":\"../..\\n{kind}A\\u00e4\"}", "x-kind_a__");
	fill("x-{host}{cause}", "{}", "x-nonenone");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		if (template_check(bad[i][0], &e) != -1 || !strstr(e.text, bad[i][1]))
			fail_msg("'%s': %s", bad[i][0], e.text);
	}
	assert_true(template_fixed("abc"));
	assert_false(template_fixed("a{kind}"));
}

static void a_view_has_every_text(void **state)
{
	struct spool_record r = { .kind = RECORD_CASE, .json = "[", .n = 1, .time = 1 };
	struct record_view v;

	(void)state;
	view_open(&v, &r);
	assert_null(v.json);
	assert_string_equal(v.kind, "case");
	assert_string_equal(v.time, "1970-01-01T00:00:00.000001Z");
	assert_string_equal(v.host, "");
	assert_string_equal(v.rule, "");
	assert_int_equal(strlen(v.uid), 64);
	view_close(&v);
}

static void labels_of_the_source_stay_in_the_object(void **state)
{
	static const char *const labels[] = { "tenant=sink", "more=x" };
	static const char *const expected[] = { "\"tenant\":\"a\"", "\"more\":\"x\"", "\"share\":1.5", "\"site\":\"s\"" };
	const struct sink_config c = { .labels = labels, .n_labels = 2 };
	struct spool_record r = record(RECORD_FINDING, "{\"labels\":{\"tenant\":\"a\",\"site\":\"s\"},\"share\":1.5,\"on\":true,\"list\":[1,null]}");
	struct record_view v;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	view_open(&v, &r);
	format_ndjson(&c, &v, FORMAT_ANY, &b);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		if (!strstr(buf_text(&b), expected[i]))
			fail_msg("%s is missing: %s", expected[i], buf_text(&b));
	struct json *j = json_parse(b.p, b.n, NULL); /* "labels" twice would not be read */

	assert_non_null(j);
	json_free(j);
	buf_reset(&b);
	format_ndjson(&c, &v, 20, &b); /* above the ceiling: who it is */
	j = json_parse(b.p, b.n, NULL);
	assert_true(json_bool(json_get(j, "truncated"), false));
	assert_int_equal(strlen(json_str(json_get(j, "uid"), "")), 64);
	json_free(j);
	view_close(&v);
	buf_free(&b);
}

static void a_format_has_a_name(void **state)
{
	(void)state;
	assert_ptr_equal(format_find("ndjson")->write, format_ndjson);
	assert_ptr_equal(format_find("rfc5424")->write, format_rfc5424);
	assert_null(format_find("xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_read_once),
		cmocka_unit_test(a_quick_look_sees_what_a_tree_has),
		cmocka_unit_test(every_condition_must_hold),
		cmocka_unit_test(patterns),
		cmocka_unit_test(templates),
		cmocka_unit_test(a_view_has_every_text),
		cmocka_unit_test(labels_of_the_source_stay_in_the_object),
		cmocka_unit_test(a_format_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
