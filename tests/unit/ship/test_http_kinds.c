/* test_http_kinds.c - what an answer of Splunk's event collector, or of a bulk endpoint, means for each record; what is asked about
 * acknowledgements. A row is an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fake_http.h"
#include "lib/scratch.h"
#include "ship/formats.h"
#include "ship/http_batch.h"

static struct scratch dir;
static struct fake_clock clk;
static struct sink_config config;
static char token[300];

static const char text_1[] = "{\"kind\":\"finding\",\"uid\":\"01\",\"host\":\"h\"}", text_2[] = "{\"kind\":\"case\",\"uid\":\"02\",\"host\":\"h\"}";
static const struct spool_record two[] = {
	{ .seq = 1, .json = text_1, .n = sizeof text_1 - 1, .time = US_DAY },
	{ .seq = 2, .kind = RECORD_CASE, .json = text_2, .n = sizeof text_2 - 1, .time = US_DAY },
};

static int setup(void **state)
{
	(void)state;
	scratch_init(&dir);
	fake_clock_init(&clk, INT64_C(1500000000) * US_SECOND);
	scratch_write(&dir, "token", "t0k\n", 4);
	(void)snprintf(token, sizeof token, "%s", scratch_path(&dir, "token"));
	assert_int_equal(chmod(token, 0600), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&dir);
	return 0;
}

enum which { HEC, HEC_TEMPLATE, ACK, BULK, BULK_TEMPLATE };

static struct sink *make(enum which which)
{
	config = (struct sink_config){ .name = "s", .kind = SINK_SPLUNK, .format = format_find("ndjson"), .splunk = { .url = "http://h:1", .token_file = token } };
	config.splunk.ack = which == ACK;
	config.splunk.index = which == HEC_TEMPLATE ? "x-{kind}" : NULL;
	if (which >= BULK) {
		config.kind = SINK_ELASTIC;
		config.elastic.url = "http://h:1/";
		config.elastic.index = which == BULK ? "fixed" : "x-{kind}";
		config.elastic.user = config.elastic.password_file = NULL;
		config.elastic.api_key_file = token;
	}
	return sink_new(&config, &clk.clock, &os_file);
}

struct row {
	enum which which;
	int status;
	const char *body;
	const char *means; /* of each record: + accepted, . comes again soon, ! comes again after a person has looked, 1 so, and others go on, x dead */
	const char *why;
};

static bool canned(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	const struct row *row = arg;

	assert_string_equal(r->method, "POST");
	assert_non_null(strstr(headers, row->which >= BULK ? "Authorization: ApiKey t0k\n" : "Authorization: Splunk t0k\n"));
	assert_null(strstr(r->url, "t0k"));
	a->status = row->status;
	a->reached = true;
	a->body = row->body;
	return true;
}

#define ITEM(x) "{\"create\":{\"status\":" x "}}"
#define FAILED(status, type) ITEM(status ",\"error\":{\"type\":\"" type "\",\"reason\":\"because\",\"caused_by\":{\"reason\":\"of that\"}}")
#define ITEMS(a, b) "{\"errors\":true,\"items\":[" a "," b "]}"

static const struct row rows[] = {
	{ HEC, 200, "{\"text\":\"Success\",\"code\":0}", "++", "" },
	{ HEC, 200, "<html>Welcome</html>", "!!", "no event collector" },
	{ HEC, 200, "{}", "!!", "no event collector" },
	{ HEC, 400, "{\"text\":\"Invalid data format\",\"code\":6}", "xx", "Invalid data format (HTTP 400, code 6)" },
	{ HEC, 400, "{\"text\":\"Event field cannot be blank\",\"code\":13,\"invalid-event-number\":1}", "xx", "code 13" },
	{ HEC, 400, "{\"text\":\"x\",\"code\":6,\"invalid-event-number\":99999999999}", "xx", "code 6" },
	{ HEC, 400, "<html>400 Bad Request</html>", "!!", "no event collector of Splunk (HTTP 400)" },
	{ HEC, 400, "{\"text\":\"Incorrect index\",\"code\":7}", "!!", "Incorrect index" },
	{ HEC_TEMPLATE, 400, "{\"text\":\"Incorrect index\",\"code\":7,\"invalid-event-number\":1}", "11", "Incorrect index (HTTP 400, code 7)" },
	{ HEC_TEMPLATE, 400, "{\"text\":\"Invalid data format\",\"code\":6}", "xx", "code 6" },
	{ HEC_TEMPLATE, 403, "{\"text\":\"Invalid token\",\"code\":4}", "!!", "Invalid token" },
	{ HEC, 400, "{\"text\":\"Data channel is missing\",\"code\":10}", "!!", "channel" },
	{ HEC, 403, "{\"text\":\"Invalid token\",\"code\":4}", "!!", "Invalid token (HTTP 403, code 4)" },
	{ HEC, 401, "no", "!!", "HTTP 401" },
	{ HEC, 404, "{\"text\":\"The requested URL was not found on this server.\",\"code\":404}", "!!", "not found" },
	{ HEC, 405, "", "!!", "HTTP 405" },
	{ HEC, 302, "", "!!", "HTTP 302" },
	{ HEC, 503, "{\"text\":\"Server is busy\",\"code\":9}", "..", "busy" },
	{ HEC, 500, "{\"text\":\"Internal server error\",\"code\":8}", "..", "code 8" },
	{ HEC, 429, "", "..", "HTTP 429" },
	{ HEC, 507, "full", "..", "HTTP 507: full" },
	{ HEC, 413, "", "xx", "HTTP 413" },
	{ ACK, 200, "{\"text\":\"Success\",\"code\":0}", "!!", "leave out ack" },
	{ ACK, 400, "{\"text\":\"ACK is disabled\",\"code\":14}", "!!", "ACK is disabled" },
	{ BULK, 200, ITEMS(ITEM("201"), ITEM("201")), "++", "" },
	{ BULK, 200, ITEMS(ITEM("201"), FAILED("409", "version_conflict_engine_exception")), "++", "" },
	{ BULK, 200, ITEMS(FAILED("400", "mapper_parsing_exception"), ITEM("201")), "x+", "mapper_parsing_exception: because: of that" },
	{ BULK, 200, ITEMS(ITEM("201"), FAILED("429", "es_rejected_execution_exception")), "+.", "rejected" },
	{ BULK, 200, ITEMS(ITEM("201"), FAILED("503", "unavailable_shards_exception")), "+.", "unavailable" },
	{ BULK, 200, ITEMS(ITEM("201"), FAILED("429", "cluster_block_exception")), "+.", "cluster_block" },
	{ BULK, 200, ITEMS(FAILED("404", "index_not_found_exception"), ITEM("201")), "!+", "index_not_found" },
	{ BULK, 200, ITEMS(FAILED("403", "security_exception"), ITEM("201")), "!+", "security_exception" },
	{ BULK, 200, ITEMS(FAILED("400", "invalid_index_name_exception"), FAILED("400", "invalid_index_name_exception")), "!!", "invalid_index_name" },
	{ BULK_TEMPLATE, 200, ITEMS(ITEM("201"), FAILED("400", "invalid_index_name_exception")), "+x", "invalid_index_name" },
	{ BULK_TEMPLATE, 200, ITEMS(ITEM("201"), FAILED("403", "security_exception")), "+1", "security_exception" },
	{ BULK_TEMPLATE, 200, ITEMS(FAILED("404", "index_not_found_exception"), FAILED("403", "security_exception")), "11", "n" },
	{ BULK_TEMPLATE, 200, ITEMS(FAILED("429", "es_rejected_execution_exception"), FAILED("401", "security_exception")), ".1", "security_exception" },
	{ BULK_TEMPLATE, 200, ITEMS(ITEM("201"), FAILED("429", "cluster_block_exception")), "+1", "cluster_block" }, /* its disk is full: one index's */
	{ BULK_TEMPLATE, 200, ITEMS(FAILED("503", "unavailable_shards_exception"), FAILED("429", "rejected_execution_exception")), "1.", "n" },
	{ BULK_TEMPLATE, 200, ITEMS(FAILED("429", "circuit_breaking_exception"), FAILED("500", "no_such_type")), ".1", "n" },
	{ BULK_TEMPLATE, 429, "{\"error\":{\"type\":\"circuit_breaking_exception\",\"reason\":\"large\"},\"status\":429}", "..", "circuit_breaking" },
	{ BULK_TEMPLATE, 403, "{\"error\":{\"type\":\"security_exception\",\"reason\":\"no\"},\"status\":403}", "!!", "HTTP 403" },
	{ BULK, 200, "{\"took\":1}", "!!", "no bulk endpoint" },
	{ BULK, 200, "<html>", "!!", "no bulk endpoint" },
	{ BULK, 200, "{\"items\":[{\"index\":{}},7]}", "!!", "about each document" },
	{ BULK, 400, "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"Malformed action\"},\"status\":400}", "xx", "Malformed action (HTTP 400)" },
	{ BULK, 400, "{\"error\":{\"type\":\"illegal_argument_exception\",\"reason\":\"explicit index in bulk is not allowed\"}}", "!!", "explicit index" },
	{ BULK, 400, "{\"error\":\"no handler found for uri [/x/_bulk] and method [POST]\",\"status\":400}", "!!", "no handler found" },
	{ BULK, 400, "remoteAddr: \"10.0.0.1\"; requestURI: /x/_bulk; unsupported path requested", "!!", "unsupported path" },
	{ BULK, 404, "", "!!", "HTTP 404" },
	{ BULK, 405, "{\"error\":\"Incorrect HTTP method\",\"status\":405}", "!!", "HTTP 405" },
	{ BULK, 401, "{\"error\":{\"type\":\"security_exception\",\"reason\":\"missing\"},\"status\":401}", "!!", "missing (HTTP 401)" },
	{ BULK, 429, "{\"error\":{\"type\":\"circuit_breaking_exception\",\"reason\":\"large\"},\"status\":429}", "..", "circuit_breaking" },
	{ BULK, 413, "<html>", "xx", "HTTP 413" },
	{ BULK, 502, "<html>\x1b[2J", "..", "HTTP 502: <html>[2J" },
};

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
			means[r.seq - 1] = r.outcome == SINK_ACCEPTED ? '+' : r.outcome == SINK_DEAD ? 'x' : r.alone ? '1' : r.not_before > clk.monotonic + US_MINUTE - US_SECOND ? '!' : '.';
			if (r.outcome != SINK_ACCEPTED)
				memcpy(why, r.why, sizeof why);
		}
		if (strcmp(means, row->means) != 0 || !strstr(why, row->why))
			fail_msg("%d %s: %s, not %s: %s", row->status, row->body, means, row->means, why);
		sink_free(s);
		assert_int_equal(fake_http_open(), 0);
	}
}

/* --- an index of several that is not there --- */

#define MANY 400

static struct indexes {
	bool there; /* x-case, too */
	int requests, taken;
} indexes;

static bool of_indexes(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	char text[100000];

	(void)arg, (void)headers;
	assert_true(r->n < sizeof text);
	memcpy(text, r->body, r->n);
	text[r->n] = '\0';
	indexes.requests++;
	a->reached = true;
	a->status = !indexes.there && strstr(text, "\"index\":\"x-case\"") ? 400 : 200;
	a->body = a->status == 200 ? "{\"text\":\"Success\",\"code\":0}" : "{\"text\":\"Incorrect index\",\"code\":7}";
	for (const char *s = text; a->status == 200 && (s = strstr(s, "\"event\":")); s++)
		indexes.taken++;
	return true;
}

/* Offers those that have no outcome; steps of 50 ms. means: as above, by seq. */
static void offer_for(struct sink *s, const struct spool_record *all, int steps, char *means)
{
	struct sink_result r[MANY];
	struct err e;
	size_t got;

	while (steps--) {
		for (size_t i = 0; i < MANY; i++) {
			int took = means[i] == '?' ? s->ops->submit(s, &all[i], 1, &e) : 0;

			assert_true(took >= 0);
			means[i] = took ? 's' : means[i];
		}
		fake_clock_advance(&clk, US_SECOND / 20);
		assert_int_equal(s->ops->poll(s, r, MANY, &got, &e), 0);
		for (size_t i = 0; i < got; i++) {
			assert_int_equal(means[r[i].seq - 1], 's');
			means[r[i].seq - 1] = r[i].outcome == SINK_ACCEPTED ? '+' : r[i].outcome == SINK_DEAD ? 'x' : r[i].alone ? '1' : '?';
			assert_true(r[i].outcome == SINK_ACCEPTED || r[i].not_before > clk.monotonic);
		}
	}
}

static void what_goes_to_an_index_that_is_not_there_waits_alone(void **state)
{
	static struct spool_record all[MANY];
	static char texts[MANY][80];
	struct sink *s = make(HEC_TEMPLATE);
	char means[MANY];
	struct err e;

	(void)state;
	indexes = (struct indexes){ .there = false };
	fake_http_receive(of_indexes, NULL);
	for (size_t i = 0; i < MANY; i++) {
		int n = snprintf(texts[i], sizeof texts[i], "{\"kind\":\"%s\",\"host\":\"h%zu\"}", i % 3 ? "case" : "finding", i % 7);

		all[i] = (struct spool_record){ .seq = (int64_t)i + 1, .kind = i % 3 ? RECORD_CASE : RECORD_FINDING, .json = texts[i], .n = (size_t)n,
			.time = US_DAY };
		means[i] = '?';
	}
	assert_int_equal(s->ops->open(s, &e), 0);
	offer_for(s, all, 100, means);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(means[i], i % 3 ? '1' : '+');
	assert_int_equal(indexes.taken, (MANY + 2) / 3);
	assert_in_range(indexes.requests, 3, 40); /* and not some for each record */
	/* within its minute nothing is sent there: what comes new waits, too */
	indexes.requests = 0;
	means[1] = '?';
	offer_for(s, all, 10, means);
	assert_int_equal(means[1], '1');
	assert_int_equal(indexes.requests, 0);
	/* somebody made it */
	indexes.there = true;
	fake_clock_advance(&clk, US_MINUTE);
	memset(means, '?', sizeof means);
	offer_for(s, all, 100, means);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(means[i], '+');
	sink_free(s);
	assert_int_equal(fake_http_open(), 0);
}

/* --- acknowledgement --- */

static struct splunk {
	char channels[20][60]; /* of the batches, in their order */
	int batches, questions;
	const char *batch, *answer; /* what it says to a batch, to a question */
} splunk;

static bool acknowledges(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	const char *channel = strstr(headers, "X-Splunk-Request-Channel: ");

	(void)arg;
	assert_non_null(channel);
	a->status = 200;
	a->reached = true;
	if (strstr(r->url, "/services/collector/ack?channel=")) {
		assert_memory_equal(strstr(r->url, "channel=") + 8, channel + 26, 36);
		splunk.questions++;
		a->body = splunk.answer;
		return true;
	}
	(void)snprintf(splunk.channels[splunk.batches++ % 20], 60, "%.36s", channel + 26);
	a->body = splunk.batch;
	return true;
}

/* Steps of 50 ms; what became of the records: by seq, as above. */
static void wait_for(struct sink *s, int steps, char means[3])
{
	struct sink_result r;
	struct err e;
	size_t got;

	while (steps--) {
		fake_clock_advance(&clk, US_SECOND / 20);
		assert_int_equal(s->ops->poll(s, &r, 1, &got, &e), 0);
		if (got)
			means[r.seq - 1] = r.outcome == SINK_ACCEPTED ? '+' : '.';
	}
}

static void an_acknowledgement_is_waited_for(void **state)
{
	struct sink *s = make(ACK);
	char means[] = "??";
	struct err e;

	(void)state;
	memset(&splunk, 0, sizeof splunk);
	splunk.batch = "{\"text\":\"Success\",\"code\":0,\"ackId\":7}";
	splunk.answer = "{\"acks\":{\"7\":false}}";
	fake_http_receive(acknowledges, NULL);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, two, 1, &e), 1);
	wait_for(s, 20 * 60, means);
	assert_string_equal(means, "??");
	assert_in_range(splunk.questions, 5, 20); /* less and less often */
	splunk.answer = "{\"acks\":{\"8\":true}}"; /* another one's */
	wait_for(s, 20 * 15, means);
	assert_string_equal(means, "??");
	splunk.answer = "{\"acks\":{\"7\":true}}";
	wait_for(s, 20 * 15, means);
	assert_string_equal(means, "+?");
	/* nothing is open: the next batch has a channel of its own, whose numbers are new */
	splunk.batch = "{\"text\":\"Success\",\"code\":0,\"ackId\":0}";
	splunk.answer = "{\"acks\":{\"0\":true}}";
	assert_int_equal(s->ops->submit(s, two + 1, 1, &e), 1);
	wait_for(s, 20, means);
	assert_string_equal(means, "++");
	assert_string_not_equal(splunk.channels[0], splunk.channels[1]);
	sink_free(s);
}

/* A number that was there before stands for another batch: what was held is not asked about any more. */
static void one_that_began_anew_gets_it_again(void **state)
{
	struct sink *s = make(ACK);
	char means[] = "??";
	struct err e;

	(void)state;
	memset(&splunk, 0, sizeof splunk);
	splunk.batch = "{\"text\":\"Success\",\"code\":0,\"ackId\":0}";
	splunk.answer = "{\"acks\":{\"0\":false}}";
	fake_http_receive(acknowledges, NULL);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, two, 1, &e), 1);
	wait_for(s, 4, means);
	assert_int_equal(s->ops->submit(s, two + 1, 1, &e), 1);
	splunk.answer = "{\"acks\":{\"0\":true}}";
	wait_for(s, 20, means);
	assert_int_equal(splunk.batches, 2);
	assert_string_equal(splunk.channels[0], splunk.channels[1]);
	assert_string_equal(means, "..");
	sink_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_goes_to_an_index_that_is_not_there_waits_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(an_acknowledgement_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_began_anew_gets_it_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
