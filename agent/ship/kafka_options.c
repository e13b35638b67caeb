/* kafka_options.c - which properties of librdkafka a configuration may set.
 *
 * Why: brokers differ, and people know librdkafka's properties. Promises: what makes the sink lose nothing, keep its order, keep its secrets and
 * run no foreign code stands here with the key that sets it instead. Refuses those; librdkafka refuses names that it does not have. */
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "ship/sink_kafka.h"

static const char ourselves[] = "the sink itself";

/* A name that ends with '.' or '_' stands for all that begin so. */
static const struct {
	const char *name, *owner;
} set[] = {
	{ "ssl.cipher.suites", NULL },
	{ "ssl.curves.list", NULL },
	{ "ssl.sigalgs.list", NULL },
	{ "ssl.", "tls" },
	{ "ssl_", "tls" },
	{ "enable.ssl.", "tls" },
	{ "security.protocol", "tls and sasl" },
	{ "sasl.", "sasl" },
	{ "enable.sasl.", "sasl" },
	{ "bootstrap.servers", "brokers" },
	{ "metadata.broker.list", "brokers" },
	{ "linger.ms", "batch: wait" },
	{ "queue.buffering.max.ms", "batch: wait" },
	{ "batch.size", "batch: bytes" },
	{ "batch.num.messages", "batch: records" },
	{ "compression.codec", "compress" },
	{ "compression.type", "compress" },
	{ "socket.timeout.ms", "timeout" },
	{ "enable.idempotence", ourselves },
	{ "enable.gapless.guarantee", ourselves },
	{ "acks", ourselves },
	{ "request.required.acks", ourselves },
	{ "retries", ourselves },
	{ "message.send.max.retries", ourselves },
	{ "message.timeout.ms", ourselves },
	{ "delivery.timeout.ms", ourselves },
	{ "transactional.", ourselves },
	{ "transaction.", ourselves },
	{ "queue.buffering.", ourselves },
	{ "queuing.strategy", ourselves },
	{ "partitioner", ourselves },
	{ "delivery.report.only.error", ourselves },
	{ "log.queue", ourselves },
	{ "plugin.library.paths", ourselves },
	{ "test.mock.", ourselves },
	{ "debug", ourselves },
};

const char *kafka_option_owner(const char *name)
{
	for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
		char last = set[i].name[strlen(set[i].name) - 1];

		if (last == '.' || last == '_' ? text_starts(name, set[i].name) : !strcmp(name, set[i].name))
			return set[i].owner;
	}
	return NULL;
}
