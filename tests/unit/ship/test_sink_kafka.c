/* test_sink_kafka.c - the Kafka receiver, against librdkafka's mock cluster: what is accepted, sent again, refused for good, and told. */
#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"
#include "ship/formats.h"
#include "ship/sink.h"
#include "ship/sink_kafka.h"

#define PRODUCE 0
#define INIT_PRODUCER_ID 22
#define MANY 40

static rd_kafka_t *host_of_mock;
static rd_kafka_mock_cluster_t *mock;
static struct sink_config config;
static struct clock clk;
static struct sink *s;
static char json[MANY][64];
static struct spool_record records[MANY];

/* --- a name server that does not answer --- */

static atomic_bool silent;
static atomic_int looking; /* threads that wait for it */

typedef int look_up(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);

/* The library's look-ups come here: what a program defines goes before libc's. */
__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	void *libc = dlsym(RTLD_NEXT, "getaddrinfo");
	look_up *real;

	memcpy(&real, &libc, sizeof real);
	if (!node || strcmp(node, "silent.example") != 0)
		return real(node, service, hints, found);
	looking++;
	for (int i = 0; i < 2000 && silent; i++) /* nothing that is right waits so long */
		usleep(5000);
	looking--;
	return EAI_AGAIN;
}

static void nobody_is_looking(void)
{
	silent = false;
	for (int i = 0; i < 2000 && looking; i++)
		usleep(5000);
	usleep(200000); /* and what they left is gone */
}

static int setup(void **state)
{
	char why[200];

	(void)state;
	clk = clock_real();
	host_of_mock = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof why);
	mock = rd_kafka_mock_cluster_new(host_of_mock, 1);
	assert_non_null(mock);
	rd_kafka_mock_topic_create(mock, "found", 1, 1);
	config = (struct sink_config){ .name = "k", .kind = SINK_KAFKA, .format = format_find("ndjson"),
		.kafka = { .brokers = rd_kafka_mock_cluster_bootstraps(mock), .topic = "found" } };
	for (int i = 0; i < MANY; i++) {
		int n = snprintf(json[i], sizeof json[i], "{\"host\":\"h%d\",\"n\":%d}", i % 3, i);

		records[i] = (struct spool_record){ .seq = i + 1, .uid = { (uint8_t)i }, .json = json[i], .n = (size_t)n };
	}
	s = sink_new(&config, &clk, &os_file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sink_free(s);
	rd_kafka_mock_cluster_destroy(mock);
	rd_kafka_destroy(host_of_mock);
	return 0;
}

struct tally {
	size_t accepted, retry, alone, dead;
	int64_t last_dead;
	char why[160], trouble[480];
};

/* Submits the first n and counts what becomes of them; those to be sent again are, until `again` rounds are over. */
static struct tally give(size_t n, int again)
{
	struct spool_record waiting[MANY];
	struct tally t = { 0 };
	size_t left = n, at = 0, open = 0, next = 0;
	struct err e = { 0 };
	int64_t until = clock_monotonic(&clk) + 20 * US_SECOND;

	memcpy(waiting, records, n * sizeof *records);
	while ((at < left || open) && clock_monotonic(&clk) < until) {
		struct sink_result r[MANY];
		size_t got = 0;

		if (s->ops->open(s, &e) < 0)
			fail_msg("%s", e.text);
		if (at < left) {
			int did = s->ops->submit(s, waiting + at, left - at, &e);

			assert_true(did >= 0);
			at += (size_t)did;
			open += (size_t)did;
		}
		if (s->ops->poll(s, r, MANY, &got, &e) < 0) {
			memcpy(t.trouble, e.text, sizeof e.text);
			if (again < 0)
				return t;
		}
		for (size_t i = 0; i < got; i++, open--) {
			t.accepted += r[i].outcome == SINK_ACCEPTED;
			t.dead += r[i].outcome == SINK_DEAD;
			t.retry += r[i].outcome == SINK_RETRY;
			t.alone += r[i].alone;
			if (r[i].outcome == SINK_DEAD)
				t.last_dead = r[i].seq;
			if (r[i].outcome != SINK_ACCEPTED)
				memcpy(t.why, r[i].why, sizeof t.why);
			if (r[i].outcome == SINK_RETRY)
				waiting[next++] = records[r[i].seq - 1];
		}
		if (at == left && !open && next && again > 0) {
			left = next;
			at = next = 0;
			again--;
		}
		usleep(2000);
	}
	return t;
}

static void errors(int16_t api, size_t n, rd_kafka_resp_err_t error)
{
	rd_kafka_resp_err_t list[32];

	for (size_t i = 0; i < n; i++)
		list[i] = error;
	rd_kafka_mock_push_request_errors_array(mock, api, n, list);
}

static void records_are_acknowledged(void **state)
{
	struct tally t = give(MANY, 0);
	struct err e;

	(void)state;
	assert_int_equal(t.accepted, MANY);
	assert_int_equal(s->ops->flush(s, &e), 0);
}

static void passing_errors_are_the_librarys_own_business(void **state)
{
	struct tally t;

	(void)state;
	errors(PRODUCE, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
	errors(PRODUCE, 1, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
	t = give(MANY, 0);
	assert_int_equal(t.accepted, MANY);
}

static void a_refused_batch_loses_none_of_its_records(void **state)
{
	struct tally t;

	(void)state;
	errors(PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	t = give(MANY, 3);
	assert_int_equal(t.dead, 0);
	assert_int_equal(t.retry, MANY);
	assert_int_equal(t.accepted, MANY);
	assert_non_null(strstr(t.why, "one by one"));
	assert_int_equal(give(MANY, 0).accepted, MANY); /* together again */
}

static void the_record_that_is_refused_alone_is_dead(void **state)
{
	struct tally t;

	(void)state;
	errors(PRODUCE, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE); /* the batch, then its first record */
	t = give(MANY, 3);
	assert_int_equal(t.dead, 1);
	assert_int_equal(t.last_dead, 1);
	assert_int_equal(t.accepted, MANY - 1);
}

static void a_record_beyond_our_own_limit_is_dead_at_once(void **state)
{
	static const char *const options[] = { "message.max.bytes=2000" };
	char *large = malloc(5000);
	struct tally t;

	(void)state;
	memset(large, 'x', 5000);
	memcpy(large, "{\"a\":\"", 6);
	memcpy(large + 4998, "\"}", 2);
	records[7].json = large;
	records[7].n = 5000;
	config.kafka.options = options;
	config.kafka.n_options = 1;
	t = give(MANY, 0);
	assert_int_equal(t.dead, 1);
	assert_int_equal(t.last_dead, 8);
	assert_non_null(strstr(t.why, "too large"));
	assert_int_equal(t.accepted, MANY - 1);
	free(large);
}

static void a_missing_right_keeps_the_records(void **state)
{
	struct tally t;

	(void)state;
	errors(PRODUCE, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
	t = give(MANY, 0);
	assert_int_equal(t.dead, 0);
	if (t.retry != MANY)
		fail_msg("%zu accepted, %zu again, %s; %s", t.accepted, t.retry, t.why, t.trouble);
	assert_int_equal(t.alone, 0);
	assert_non_null(strstr(t.why, "uthoriz"));
	assert_int_equal(give(MANY, 0).accepted, MANY);
}

/* Polls until that many are acknowledged, and nothing else is told of them. */
static void acknowledged(size_t many)
{
	size_t got = 0, all = 0;
	struct sink_result r[MANY];
	struct err e;

	for (int i = 0; i < 2000 && all < many; i++, usleep(5000), all += got) {
		assert_int_equal(s->ops->poll(s, r, MANY, &got, &e), 0);
		for (size_t k = 0; k < got; k++)
			assert_int_equal(r[k].outcome, SINK_ACCEPTED);
	}
	assert_int_equal(all, many);
}

/* Where each kind has a topic and one of them has no leader for a while, its records are on their way for that long. */
static void a_topic_without_leader_is_waited_for(void **state)
{
	struct sink_result r[MANY];
	size_t got = 1;
	struct err e;

	(void)state;
	config.kafka.topic = "found-{kind}";
	for (size_t i = 0; i < MANY; i++)
		records[i].kind = i % 2 ? RECORD_CASE : RECORD_FINDING;
	rd_kafka_mock_topic_create(mock, "found-case", 1, 1);
	rd_kafka_mock_partition_set_leader(mock, "found-case", 0, -1);
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, records, MANY, &e), MANY);
	acknowledged(MANY / 2);
	usleep(100000);
	assert_int_equal(s->ops->poll(s, r, MANY, &got, &e), 0);
	assert_int_equal(got, 0);
	assert_int_equal(s->ops->flush(s, &e), -1);
	rd_kafka_mock_partition_set_leader(mock, "found-case", 0, 1);
	acknowledged(MANY / 2);
}

/* The right to write to one of them is missing, once: its records wait alone. What else was on its way is sent again at once, at most. */
static void what_is_about_one_of_several_topics_waits_alone(void **state)
{
	static const rd_kafka_resp_err_t about[] = { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION };

	(void)state;
	config.kafka.topic = "found-{kind}";
	for (size_t i = 0; i < sizeof about / sizeof about[0]; i++) {
		struct tally t;

		errors(PRODUCE, 1, about[i]);
		t = give(MANY, 2);
		assert_in_range(t.alone, 1, MANY);
		assert_int_equal(t.accepted, MANY);
	}
}

static void after_a_fatal_error_there_is_a_new_producer(void **state)
{
	struct tally t;

	(void)state;
	errors(INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	t = give(MANY, 2);
	assert_int_equal(t.dead, 0);
	assert_true(t.retry >= MANY);
	assert_int_equal(t.accepted, MANY);
	if (!strstr(t.why, "made anew"))
		fail_msg("%s; %s", t.why, t.trouble);
}

static void brokers_that_are_away_are_told_and_waited_for(void **state)
{
	struct tally t;
	struct err e;

	(void)state;
	assert_int_equal(give(1, 0).accepted, 1);
	rd_kafka_mock_broker_set_down(mock, 1);
	t = give(MANY, -1);
	assert_true(strlen(t.trouble) > 0);
	assert_int_equal(t.accepted, 0);
	assert_int_equal(s->ops->flush(s, &e), -1);
	rd_kafka_mock_broker_set_up(mock, 1);
	acknowledged(MANY); /* and what was told is told once */
}

static void a_silent_name_server_holds_nobody_up(void **state)
{
	int64_t begun;
	struct err e;

	(void)state;
	config.kafka.brokers = "silent.example:9092";
	silent = true;
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, records, MANY, &e), MANY);
	for (int i = 0; i < 1000 && !looking; i++)
		usleep(5000);
	assert_true(looking > 0);
	begun = clock_monotonic(&clk);
	s->ops->close(s);
	assert_true(clock_monotonic(&clk) - begun < 2 * US_SECOND);
	assert_true(looking > 0);
	nobody_is_looking();
}

/* One of two brokers' names is not found, and the other broker makes each producer fail. */
static void producers_that_do_not_end_are_few(void **state)
{
	static const char *const options[] = { "enable.sparse.connections=false" };
	struct sink_result r[MANY];
	struct err e = { 0 };
	char brokers[200];
	size_t got;

	(void)state;
	(void)snprintf(brokers, sizeof brokers, "silent.example:9092,%s", rd_kafka_mock_cluster_bootstraps(mock));
	config.kafka.brokers = brokers;
	config.kafka.options = options;
	config.kafka.n_options = 1;
	errors(INIT_PRODUCER_ID, 32, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED);
	silent = true;
	for (int i = 0; i < 3000 && s->ops->open(s, &e) == 0; i++) {
		(void)s->ops->submit(s, records, 1, &e);
		(void)s->ops->poll(s, r, MANY, &got, &e);
		usleep(2000);
	}
	assert_non_null(strstr(e.text, "name server"));
	assert_in_range(looking, 1, 8);
	nobody_is_looking();
	if (s->ops->open(s, &e) < 0)
		fail_msg("%s", e.text);
}

static void check_asks_and_sends_nothing(void **state)
{
	struct err e = { 0 };
	struct buf says;

	(void)state;
	buf_init(&says, 4096);
	if (s->ops->check(s, clock_monotonic(&clk) + 5 * US_SECOND, &says, &e) < 0)
		fail_msg("%s", e.text);
	assert_non_null(strstr(buf_text(&says), "1 broker, topic found with 1 partition"));
	sink_free(s);
	config.kafka.topic = "other";
	buf_reset(&says);
	s = sink_new(&config, &clk, &os_file);
	assert_int_equal(s->ops->check(s, clock_monotonic(&clk) + 5 * US_SECOND, &says, &e), 0);
	assert_non_null(strstr(buf_text(&says), "topic other is not there"));
	sink_free(s);
	rd_kafka_mock_broker_set_down(mock, 1);
	s = sink_new(&config, &clk, &os_file);
	assert_int_equal(s->ops->check(s, clock_monotonic(&clk) + 5 * US_SECOND, &says, &e), -1);
	buf_free(&says);
}

static void secrets_and_certificates_are_read_from_files(void **state)
{
	char path[200];
	struct err e = { 0 };
	FILE *f;

	(void)state;
	(void)snprintf(path, sizeof path, "%s/kafka-password.%d", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	config.kafka.mechanism = "SCRAM-SHA-512";
	config.kafka.user = "agent";
	config.kafka.password_file = path;
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, path));
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs("hunter2\n", f);
	(void)fclose(f);
	assert_int_equal(chmod(path, 0600), 0);
	if (s->ops->open(s, &e) < 0)
		fail_msg("%s", e.text);
	s->ops->close(s);
	config.tls = (struct sink_tls){ .on = true, .ca = path }; /* no certificate */
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_null(strstr(e.text, "hunter2"));
	assert_int_equal(chmod(path, 0644), 0);
	config.tls = (struct sink_tls){ .on = true, .cert = path, .key = path };
	config.kafka.mechanism = NULL;
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, "everybody may read"));
	assert_int_equal(chmod(path, 0600), 0);
	config.kafka.mechanism = "SCRAM-SHA-512";
	config.kafka.options = (const char *const[]){ "nosuch.property=1" };
	config.kafka.n_options = 1;
	config.tls = (struct sink_tls){ 0 };
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, "nosuch.property"));
	unlink(path);
}

static void options_do_not_reach_what_has_a_key(void **state)
{
	static const struct {
		const char *name, *owner;
	} rows[] = {
		{ "client.id", NULL }, { "message.max.bytes", NULL }, { "ssl.cipher.suites", NULL }, { "ssl.key.pem", "tls" },
		{ "ssl.ca.location", "tls" }, { "ssl_key", "tls" }, { "enable.ssl.certificate.verification", "tls" }, { "sasl.password", "sasl" },
		{ "bootstrap.servers", "brokers" }, { "acks", "the sink itself" }, { "plugin.library.paths", "the sink itself" },
		{ "debug", "the sink itself" }, { "linger.ms", "batch: wait" }, { "compression.level", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *owner = kafka_option_owner(rows[i].name);

		if (!rows[i].owner != !owner || (owner && strcmp(owner, rows[i].owner) != 0))
			fail_msg("%s: %s", rows[i].name, owner ? owner : "nobody");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_are_acknowledged, setup, teardown),
		cmocka_unit_test_setup_teardown(passing_errors_are_the_librarys_own_business, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_batch_loses_none_of_its_records, setup, teardown),
		cmocka_unit_test_setup_teardown(the_record_that_is_refused_alone_is_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_beyond_our_own_limit_is_dead_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_right_keeps_the_records, setup, teardown),
		cmocka_unit_test_setup_teardown(a_topic_without_leader_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_about_one_of_several_topics_waits_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_fatal_error_there_is_a_new_producer, setup, teardown),
		cmocka_unit_test_setup_teardown(brokers_that_are_away_are_told_and_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_name_server_holds_nobody_up, setup, teardown),
		cmocka_unit_test_setup_teardown(producers_that_do_not_end_are_few, setup, teardown),
		cmocka_unit_test_setup_teardown(check_asks_and_sends_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_and_certificates_are_read_from_files, setup, teardown),
		cmocka_unit_test(options_do_not_reach_what_has_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
