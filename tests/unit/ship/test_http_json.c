/* test_http_json.c - OTLP and webhooks: what their requests hold, and what an answer means for each record. A row is an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/text.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fake_http.h"
#include "lib/scratch.h"
#include "ship/formats.h"
#include "tls/digest.h"

static struct scratch dir;
static struct fake_clock clk;
static struct sink_config config;
static char headers_file[300], key_file[300], url_file[300];

static const char text_1[] = "{\"kind\":\"finding\",\"uid\":\"01\",\"host\":\"h\"}", text_2[] = "{\"kind\":\"case\",\"uid\":\"02\",\"host\":\"i\"}";
static const struct spool_record two[] = {
	{ .seq = 1, .json = text_1, .n = sizeof text_1 - 1, .time = US_DAY, .uid = { 1 } },
	{ .seq = 2, .json = text_2, .n = sizeof text_2 - 1, .time = US_DAY, .uid = { 2 } },
};

static void put_file(char path[static 300], const char *name, const char *text)
{
	scratch_write(&dir, name, text, strlen(text));
	(void)snprintf(path, 300, "%s", scratch_path(&dir, name));
	assert_int_equal(chmod(path, 0600), 0);
}

static int setup(void **state)
{
	(void)state;
	scratch_init(&dir);
	fake_clock_init(&clk, INT64_C(1500000000) * US_SECOND);
	put_file(headers_file, "headers", "Authorization: Bearer t0k\nX-Tenant: a\n");
	put_file(key_file, "key", "k3y\n");
	put_file(url_file, "url", "https://hooks.example/s3cret\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&dir);
	return 0;
}

enum which { OTLP, SLACK, JSON };

static struct sink *make(enum which which)
{
	config = (struct sink_config){ .name = "s", .kind = SINK_OTLP, .otlp = { .url = "http://h:1/otlp/", .headers_file = headers_file } };
	if (which != OTLP) {
		config.kind = SINK_WEBHOOK;
		config.format = format_find(which == SLACK ? "slack" : "ndjson");
		config.webhook.url = which == JSON ? "http://h:1/in" : NULL;
		config.webhook.url_file = which == SLACK ? url_file : NULL;
		config.webhook.hmac_file = key_file;
	}
	return sink_new(&config, &clk.clock, &os_file);
}

static const struct row {
	enum which which;
	int status;
	const char *body;
	const char *means; /* of each record: + accepted, . comes again soon, ! comes again after a person has looked, x dead */
	const char *why;
} rows[] = {
	{ OTLP, 200, "{}", "++", "" },
	{ OTLP, 200, "{\"partialSuccess\":{}}", "++", "" },
	{ OTLP, 200, "{\"partialSuccess\":{\"errorMessage\":\"a warning\"}}", "++", "" },
	{ OTLP, 204, "", "++", "" },
	{ OTLP, 200, "", "!!", "no receiver of OTLP" },
	{ OTLP, 200, "<html>", "!!", "no receiver of OTLP" },
	{ OTLP, 200, "[]", "!!", "no receiver of OTLP" },
	{ OTLP, 400, "{\"code\":3,\"message\":\"bad \\u001b[2J\"}", "xx", "bad  [2J (HTTP 400)" },
	{ OTLP, 400, "<html>Bad Request</html>", "!!", "HTTP 400, and not from a receiver of OTLP" },
	{ OTLP, 400, "", "!!", "not from" },
	{ OTLP, 415, "unsupported media type", "!!", "not from" },
	{ OTLP, 401, "{\"code\":16,\"message\":\"no token\"}", "!!", "no token (HTTP 401)" },
	{ OTLP, 404, "404 page not found", "!!", "HTTP 404" },
	{ OTLP, 413, "", "xx", "HTTP 413" },
	{ OTLP, 429, "{\"code\":8,\"message\":\"too much\"}", "..", "too much (HTTP 429)" },
	{ OTLP, 500, "{\"code\":13,\"message\":\"disk\"}", "..", "disk (HTTP 500)" },
	{ OTLP, 502, "<html>", "..", "HTTP 502" },
	{ OTLP, 503, "", "..", "HTTP 503" },
	{ OTLP, 504, "", "..", "HTTP 504" },
	{ SLACK, 200, "ok", "++", "" },
	{ SLACK, 202, "", "++", "" },
	{ SLACK, 200, " <!doctype html>", "!!", "no chat" },
	{ SLACK, 200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429", "..", "too often" },
	{ SLACK, 400, "invalid_payload", "xx", "HTTP 400 invalid_payload" },
	{ SLACK, 400, "<html>/s3cret", "!!", "HTTP 400" },
	{ SLACK, 403, "invalid_token", "!!", "HTTP 403 invalid_token" },
	{ SLACK, 404, "nothing at /s3cret", "!!", "HTTP 404; look" },
	{ SLACK, 410, "channel_is_archived", "!!", "channel_is_archived" },
	{ SLACK, 429, "", "..", "HTTP 429" },
	{ SLACK, 500, "rollup_error", "..", "rollup_error" },
	{ JSON, 200, "<html>", "++", "" },
	{ JSON, 422, "", "xx", "HTTP 422" },
};

static bool canned(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	const struct row *row = arg;

	assert_string_equal(r->method, "POST");
	assert_string_equal(r->url, row->which == OTLP ? "http://h:1/otlp/v1/logs" : row->which == SLACK ? "https://hooks.example/s3cret" : "http://h:1/in");
	assert_true(row->which != OTLP || strstr(headers, "Authorization: Bearer t0k\nX-Tenant: a\n"));
	a->status = row->status;
	a->reached = true;
	a->body = row->body;
	a->n = strlen(row->body);
	return true;
}

static void each_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		struct sink *s = make(row->which);
		struct sink_result r;
		char means[] = "??", why[160] = "";
		struct err e;
		size_t got;

		fake_http_receive(canned, (void *)(uintptr_t)row);
		assert_int_equal(s->ops->open(s, &e), 0);
		assert_int_equal(s->ops->submit(s, two, 2, &e), 2);
		for (int k = 0; k < 100; k++) {
			fake_clock_advance(&clk, US_SECOND / 20);
			assert_int_equal(s->ops->poll(s, &r, 1, &got, &e), 0);
			if (!got)
				continue;
			means[r.seq - 1] = r.outcome == SINK_ACCEPTED ? '+' : r.outcome == SINK_DEAD ? 'x' :
				r.not_before > clk.monotonic + US_MINUTE - US_SECOND ? '!' : '.';
			if (r.outcome != SINK_ACCEPTED)
				memcpy(why, r.why, sizeof why);
		}
		if (strcmp(means, row->means) != 0 || !strstr(why, row->why) || strstr(why, "s3cret"))
			fail_msg("%d %s: %s, not %s: %s", row->status, row->body, means, row->means, why);
		sink_free(s);
		assert_int_equal(fake_http_open(), 0);
	}
}

/* Three records of two hosts and one lane: some of them are thrown away. */
static struct seen {
	int requests;
	char body[8000], headers[2000];
	const char *answer;
} seen;

static bool keeps(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	(void)arg;
	assert_true(r->n < sizeof seen.body);
	memcpy(seen.body, r->body, r->n);
	seen.body[r->n] = '\0';
	text_copy(seen.headers, sizeof seen.headers, headers);
	seen.requests++;
	a->status = 200;
	a->reached = true;
	a->body = seen.answer;
	a->n = strlen(seen.answer);
	return true;
}

static void some_are_thrown_away_and_nobody_says_which(void **state)
{
	struct spool_record three[] = { two[0], two[0], two[0] };
	struct sink *s = make(OTLP);
	struct sink_result r[3];
	size_t n = 0, unnamed = 0, got;
	struct json *j;
	struct err e;

	(void)state;
	three[1].seq = 2;
	three[2].seq = 3;
	seen = (struct seen){ .answer = "{\"partialSuccess\":{\"rejectedLogRecords\":\"2\",\"errorMessage\":\"late\"}}" };
	fake_http_receive(keeps, NULL);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, three, 3, &e), 3);
	for (int k = 0; k < 20 && n < 3; k++, n += got) {
		fake_clock_advance(&clk, US_SECOND / 20);
		assert_int_equal(s->ops->poll(s, r + n, 3 - n, &got, &e), 0);
	}
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r[i].outcome, SINK_ACCEPTED);
		unnamed += r[i].unnamed;
		assert_string_equal(r[i].why, r[i].unnamed ? "late" : "");
	}
	assert_int_equal(unnamed, 2);
	assert_int_equal(seen.requests, 1);
	j = json_parse(seen.body, strlen(seen.body), NULL); /* one host: one resource */
	assert_int_equal(json_len(json_get(j, "resourceLogs")), 1);
	assert_int_equal(json_len(json_get(json_at(json_get(json_at(json_get(j, "resourceLogs"), 0), "scopeLogs"), 0), "logRecords")), 3);
	json_free(j);
	seen.answer = "{\"partialSuccess\":{\"rejectedLogRecords\":3}}"; /* all: then each is known */
	assert_int_equal(s->ops->submit(s, three, 3, &e), 3);
	n = 0;
	for (int k = 0; k < 20 && n < 3; k++, n += got) {
		fake_clock_advance(&clk, US_SECOND / 20);
		assert_int_equal(s->ops->poll(s, r + n, 3 - n, &got, &e), 0);
	}
	assert_int_equal(n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(r[i].outcome, SINK_DEAD);
	sink_free(s);
}

static void a_request_of_a_webhook_is_signed(void **state)
{
	struct sink *s = make(JSON);
	struct sink_result r;
	char line[200], hex[65];
	const char *when;
	uint8_t digest[32];
	struct buf b;
	struct err e;
	size_t got = 0;

	(void)state;
	seen = (struct seen){ .answer = "" };
	fake_http_receive(keeps, NULL);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, two, 1, &e), 1);
	for (int k = 0; k < 20 && !got; k++) {
		fake_clock_advance(&clk, US_SECOND / 20);
		assert_int_equal(s->ops->poll(s, &r, 1, &got, &e), 0);
	}
	assert_string_equal(seen.body, text_1);
	assert_non_null(strstr(seen.headers, "X-Evmend-Uid: 0100000000000000000000000000000000000000000000000000000000000000\n"));
	when = strstr(seen.headers, "X-Evmend-Timestamp: ");
	assert_non_null(when);
	assert_in_range(atoll(when + 20), 1500000000, 1500000010);
	buf_init(&b, 1000);
	buf_printf(&b, "%lld.%s", atoll(when + 20), text_1);
	digest_hmac_sha256("k3y", 3, b.p, b.n, digest);
	buf_free(&b);
	text_hex(hex, digest, sizeof digest);
	(void)snprintf(line, sizeof line, "X-Evmend-Signature: sha256=%s\n", hex);
	assert_non_null(strstr(seen.headers, line));
	sink_free(s);
}

/* Its errors hold nothing of it. */
static void an_address_in_a_file_is_looked_at(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: it is taken */
		bool tls;
	} files[] = {
		{ "https://hooks.example/s3cret?sig=x", NULL, true },
		{ "http://hooks.example/s3cret", NULL, false },
		{ "http://hooks.example/s3cret", "has tls, and the address in ", true },
		{ "hooks.example/s3cret", "begins with https:// or http://", false },
		{ "https://hooks.example/s3 cret", "without blanks", false },
		{ "https://user:s3cret@hooks.example/x", "must not hold a user or a password", false },
		{ "https://hooks.example/webhookb2/1@2/IncomingWebhook/s3cret", NULL, false }, /* of Teams */
	};

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct sink *s = make(SLACK);
		struct err e = { 0 };
		int did;

		put_file(url_file, "url", files[i].text);
		config.tls.on = files[i].tls;
		did = s->ops->open(s, &e);
		if (did != (files[i].says ? -1 : 0) || (files[i].says && !strstr(e.text, files[i].says)) || strstr(e.text, "s3cret"))
			fail_msg("%s: %d %s", files[i].text, did, e.text);
		sink_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(some_are_thrown_away_and_nobody_says_which, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_of_a_webhook_is_signed, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_in_a_file_is_looked_at, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
