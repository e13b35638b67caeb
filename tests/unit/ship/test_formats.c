/* test_formats.c - NDJSON and RFC 5424: what a receiver sees, with hostile text inside. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lib/check.h"
#include "ship/formats.h"

static const char json[] = "{\"v\":1,\"kind\":\"finding\",\"time\":\"2018-03-13T21:02:11.114211Z\",\"host\":\"ex1.contoso.example\",\"level\":\"high\","
	"\"rule\":{\"id\":\"r-1\",\"title\":\"He said \\\"no\\\" [x] \\\\ y\"},\"count\":3,\"hint\":\"Line one\\nline two \\u00e4\"}";

static const char *const labels[] = { "tenant=a \"b\"", "broken", "=x" };

static void ndjson_is_the_record_and_its_labels(void **state)
{
	struct sink_config c = { 0 };
	struct spool_record r = { .json = json, .n = sizeof json - 1 };
	struct record_view v;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	view_open(&v, &r);
	format_ndjson(&c, &v, FORMAT_ANY, &b);
	assert_int_equal(b.n, sizeof json - 1);
	assert_memory_equal(b.p, json, sizeof json - 1);
	buf_reset(&b);
	c.labels = labels;
	c.n_labels = 3;
	format_ndjson(&c, &v, FORMAT_ANY, &b);
	view_close(&v);
	struct json *j = json_parse(b.p, b.n, NULL);

	assert_non_null(j);
	assert_string_equal(json_str(json_get(json_get(j, "labels"), "tenant"), ""), "a \"b\"");
	assert_int_equal(json_int(json_get(j, "count"), 0), 3);
	json_free(j);
	buf_free(&b);
}

static void rfc5424_has_a_header_that_parses(void **state)
{
	static const char head[] = "<107>1 2018-03-13T21:02:11.114211Z ex1.contoso.example evmend - FINDING [finding@32473 uid=\"";
	struct sink_config c = { .app = "evmend", .labels = labels, .n_labels = 3 };
	struct spool_record r = { .json = json, .n = sizeof json - 1, .kind = RECORD_FINDING };
	struct record_view v;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	view_open(&v, &r);
	format_rfc5424(&c, &v, RFC5424_MAX, &b);
	view_close(&v);
	assert_memory_equal(b.p, head, sizeof head - 1);
	assert_non_null(strstr(b.p, " rule=\"r-1\" title=\"He said \\\"no\\\" [x\\] \\\\ y\" level=\"high\" count=\"3\" tenant=\"a \\\"b\\\"\"] {\"v\":1"));
	assert_null(memchr(b.p, '\n', b.n));
	buf_free(&b);
}

static void rfc5424_never_exceeds_its_ceiling(void **state)
{
	size_t n = 60000;
	char *big = malloc(n + 1);
	struct sink_config c = { .hostname = "collector one" };
	struct spool_record r = { .kind = RECORD_CASE, .json = big };
	struct record_view v;
	struct buf b;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', n);
	memcpy(big, "{\"hint\":\"", 9);
	for (size_t i = 9; i + 2 < n - 2; i += 2)
		memcpy(big + i, "\xc3\xa4", 2); /* ä: never cut in the middle */
	memcpy(big + n - 3, "x\"}", 3);
	big[n] = '\0';
	r.n = n;
	buf_init(&b, 1u << 20);
	buf_str(&b, "before");
	view_open(&v, &r);
	format_rfc5424(&c, &v, RFC5424_MAX, &b);
	view_close(&v);
	assert_true(b.n <= RFC5424_MAX + 6);
	assert_true(b.n > RFC5424_MAX - 10);
	assert_memory_equal(b.p, "before<110>1 ", 13);
	assert_non_null(strstr(b.p, " collectorone evmend - CASE [case@32473 "));
	assert_non_null(strstr(b.p, "truncated=\"1\"]"));
	assert_int_equal((unsigned char)b.p[b.n - 1], 0xa4);
	buf_free(&b);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ndjson_is_the_record_and_its_labels),
		cmocka_unit_test(rfc5424_has_a_header_that_parses),
		cmocka_unit_test(rfc5424_never_exceeds_its_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
