/* kafka_check.c - is there a Kafka that would take records from us, and if not, what is to be done?
 *
 * Why: whoever configures it wants to know before something has happened. Promises: the way to the brokers is the one that records go, with the
 * same credentials and the same verification; no record is sent and no topic is made. Refuses nothing. */
#include <string.h>

#include "base/text.h"
#include "ship/kafka_producer.h"
#include "ship/template.h"

struct asked {
	bool over;     /* an answer is not to be expected */
	int code;      /* of the last trouble */
	char reason[256];
};

/* librdkafka before 2.6.1 sends the nonce of SCRAM's client twice (its pull request 4895), which brokers take up to version 3.9. */
#define SCRAM_MENDED 0x020601ff
#define SCRAM_TELL "look at sasl; if all of it is right: this librdkafka cannot do SCRAM with Kafka 4, use PLAIN over TLS"

static const char *advice(const struct sink_config *c, int code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
		if (!c->kafka.mechanism)
			return "these brokers ask for a password: add sasl";
		if (text_starts(c->kafka.mechanism, "SCRAM") && rd_kafka_version() < SCRAM_MENDED)
			return SCRAM_TELL;
		return "look at sasl: mechanism, user and password_file";
	case RD_KAFKA_RESP_ERR__SSL:
		return "look at tls (ca; do they want cert and key?) and at the names in brokers";
	case RD_KAFKA_RESP_ERR__RESOLVE:
		return "look at the names in brokers";
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		return c->tls.on ? "look at brokers: is that a port with TLS?" : "look at brokers: is that a port without TLS?";
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		return "give our user the right to write to the topic";
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
		return "give our user the right IdempotentWrite on the cluster, or to write to the topic";
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
		return "make the topic";
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return "the limits are message.max.bytes in options and max.message.bytes of the topic";
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return "look at topic: brokers do not take that name";
	default:
		return NULL;
	}
}

void kafka_trouble(const struct sink_config *c, int code, const char *reason, char *to, size_t n)
{
	const char *what = advice(c, code);
	const char *after = strstr(reason, " (after "); /* "... (after 3ms in state CONNECT, 2 identical error(s) suppressed)" */
	int length = after ? (int)(after - reason) : (int)strlen(reason);

	(void)snprintf(to, n, what ? "%.*s; %s" : "%.*s", length, reason, what);
}

static void told_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct asked *a = opaque;

	(void)rk;
	a->over = a->over || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
		code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__FATAL;
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && a->code)
		return; /* the one before says why */
	a->code = code;
	text_copy(a->reason, sizeof a->reason, reason);
}

static void told_log(const rd_kafka_t *rk, int level, const char *part, const char *text)
{
	(void)rk;
	(void)level;
	(void)part;
	(void)text; /* its errors come as such */
}

/* Metadata of all topics: asking for one might make it. */
static int judge(const struct sink_config *c, const struct rd_kafka_metadata *m, struct buf *says, struct err *e)
{
	char text[400];

	buf_printf(says, "%s, %d broker%s", c->kafka.brokers, m->broker_cnt, m->broker_cnt == 1 ? "" : "s");
	if (!template_fixed(c->kafka.topic)) {
		buf_printf(says, ", topics %s", c->kafka.topic);
		return 0;
	}
	for (int i = 0; i < m->topic_cnt; i++) {
		const struct rd_kafka_metadata_topic *t = &m->topics[i];

		if (strcmp(t->topic, c->kafka.topic) != 0)
			continue;
		if (t->err) {
			kafka_trouble(c, t->err, rd_kafka_err2str(t->err), text, sizeof text);
			return err_set(e, ERR_IO, "%s: the topic %s: %s", c->kafka.brokers, t->topic, text);
		}
		buf_printf(says, ", topic %s with %d partition%s", t->topic, t->partition_cnt, t->partition_cnt == 1 ? "" : "s");
		return 0;
	}
	buf_printf(says, ", topic %s is not there, or not shown to our user: make it, unless the brokers do with the first record "
		"(auto.create.topics.enable)", c->kafka.topic);
	return 0;
}

int kafka_check(struct sink *s, int64_t until, struct buf *says, struct err *e)
{
	const struct rd_kafka_metadata *m = NULL;
	struct asked a = { 0 };
	rd_kafka_t *rk = kafka_producer_new(s, &(struct kafka_wishes){ .opaque = &a, .told_error = told_error, .told_log = told_log }, e);
	char text[400];
	int did;

	if (!rk)
		return -1;
	while (!m && !a.over && clock_monotonic(s->clock) < until) {
		if (rd_kafka_metadata(rk, 1, NULL, &m, 200) != RD_KAFKA_RESP_ERR_NO_ERROR)
			m = NULL;
		rd_kafka_poll(rk, 0);
	}
	if (m) {
		did = judge(s->config, m, says, e);
		rd_kafka_metadata_destroy(m);
	} else {
		kafka_trouble(s->config, a.code, a.reason[0] ? a.reason : "no answer", text, sizeof text);
		did = err_set(e, ERR_IO, "%s: %s", s->config->kafka.brokers, text);
	}
	rd_kafka_destroy(rk);
	return did;
}
