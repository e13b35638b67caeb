/* kafka.c - what it costs to bring records to Kafka, beside librdkafka alone.
 *
 * Why: the sink formats each record, keeps it until it is acknowledged and judges it; librdkafka does the rest, and its part is not ours to mend.
 * Promises: the same keys, values and headers in the same order, with the same properties, to the same mock cluster (three brokers in a
 * process of their own); rounds are interleaved, the best of each counts. CPU time is this process's, with librdkafka's threads. Refuses to go
 * on when a record is not acknowledged. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/sinks.h"
#include "ship/formats.h"
#include "ship/kafka_producer.h"
#include "ship/view.h"

struct mock {
	pid_t pid;
	int in; /* it ends with this */
	char brokers[200];
};

struct message {
	char *key, *value, *uid, *type;
	size_t n;
};

static bool mock_start(struct mock *m, const char *evmend)
{
	const char *slash = strrchr(evmend, '/');
	char path[300];
	int in[2], out[2];
	ssize_t n;

	(void)snprintf(path, sizeof path, "%.*s/tests/receivers/kafka_mock", slash ? (int)(slash - evmend) : 1, slash ? evmend : ".");
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("no descriptors are left");
	m->pid = fork();
	if (m->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, "3", "bench", "16", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	m->in = in[1];
	n = m->pid > 0 ? read(out[0], m->brokers, sizeof m->brokers - 1) : 0;
	m->brokers[n > 0 ? n - 1 : 0] = '\0'; /* the line's end */
	close(out[0]);
	return n > 1;
}

static void mock_end(const struct mock *m)
{
	close(m->in);
	waitpid(m->pid, NULL, 0);
}

/* --- librdkafka alone --- */

static struct message *messages_of(const struct sink_config *c, const struct load *l)
{
	struct message *m = xcalloc(BENCH_RECORDS, sizeof *m);
	struct record_view view;
	struct buf b;

	for (size_t i = 0; i < BENCH_RECORDS; i++) {
		buf_init(&b, 65536);
		view_open(&view, &l->list[i]);
		c->format->write(c, &view, FORMAT_ANY, &b);
		m[i] = (struct message){ strdup(view.host), strdup(buf_text(&b)), strdup(view.uid), strdup(view.kind), b.n };
		view_close(&view);
		buf_free(&b);
	}
	return m;
}

static void count(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	size_t *done = opaque;

	(void)rk;
	if (m->err)
		die("bare librdkafka: %s", rd_kafka_err2str(m->err));
	++*done;
}

static void bare(const struct sink_config *c, const struct message *m)
{
	const struct clock clock = clock_real();
	const struct sink s = { .config = c, .clock = &clock, .files = &os_file };
	size_t done = 0;
	struct err e = { 0 };
	rd_kafka_t *rk = kafka_producer_new(&s, &(struct kafka_wishes){ .opaque = &done, .delivered = count }, &e);

	if (!rk)
		die("%s", e.text);
	for (size_t i = 0; i < BENCH_RECORDS;) {
		rd_kafka_headers_t *h = rd_kafka_headers_new(4);

		rd_kafka_header_add(h, "uid", -1, m[i].uid, -1);
		rd_kafka_header_add(h, "type", -1, m[i].type, -1);
		rd_kafka_header_add(h, "content-type", -1, "application/json", -1);
		rd_kafka_header_add(h, "schema", -1, c->format->name, -1);
		if (rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(c->kafka.topic), RD_KAFKA_V_KEY(m[i].key, strlen(m[i].key)), RD_KAFKA_V_VALUE(m[i].value, m[i].n),
			    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(h), RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR) {
			i++;
			continue;
		}
		rd_kafka_headers_destroy(h); /* the queue is full */
		rd_kafka_poll(rk, 10);
	}
	while (done < BENCH_RECORDS)
		rd_kafka_poll(rk, 10);
	rd_kafka_destroy(rk);
}

static void forget(struct message *m)
{
	for (size_t i = 0; i < BENCH_RECORDS; i++) {
		free(m[i].key);
		free(m[i].value);
		free(m[i].uid);
		free(m[i].type);
	}
	free(m);
}

static void bench_format(const struct bench *b, const struct load *l, struct sink_config *c, const char *format)
{
	struct spent ours = { 0 }, alone = { 0 };
	struct message *m;
	char name[60];

	c->format = format_find(format);
	m = messages_of(c, l);
	for (int round = 0; round < b->rounds; round++) {
		struct spent start = spent_now();

		bench_through(c, l);
		spent_best(&ours, start);
		start = spent_now();
		bare(c, m);
		spent_best(&alone, start);
	}
	forget(m);
	(void)snprintf(name, sizeof name, "kafka, %s", format);
	spent_told(name, ours, alone, "bare librdkafka and the same bytes");
}

void bench_kafka(struct bench *b)
{
	struct sink_config c = { .name = "bench", .kind = SINK_KAFKA, .kafka.topic = "bench" };
	struct load *l = bench_load_records();
	struct mock mock;

	say("records through the Kafka sink");
	if (!mock_start(&mock, b->evmend))
		die("tests/receivers/kafka_mock beside %s does not start", b->evmend);
	c.kafka.brokers = mock.brokers;
	bench_format(b, l, &c, "ndjson");
	bench_format(b, l, &c, "ecs");
	mock_end(&mock);
	bench_unload(l);
}
