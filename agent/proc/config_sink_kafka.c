/* config_sink_kafka.c - the keys of a sink of kind kafka.
 *
 * Why: brokers want more said than other receivers. Promises: what is read here librdkafka takes, but for the values of options, which it
 * judges itself when the sink is opened. Refuses: a host in the topic's name, a password that would go over the line as it is, and options
 * that would undo what the sink promises. */
#include <string.h>

#include "base/text.h"
#include "proc/config_keys.h"
#include "ship/sink_kafka.h"

/* "host:port", or a list of them; with commas between, as librdkafka takes them. */
static int key_brokers(struct reader *r, node n, const struct key *k, void *to)
{
	const char **brokers = to, **list;
	size_t count;

	if (read_texts(r, n, k->name, &list, &count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *colon = list[i] ? strrchr(list[i], ':') : NULL;
		int64_t port;

		if (!colon || colon == list[i] || strpbrk(list[i], ", /") || !text_int(colon + 1, strlen(colon + 1), &port) || port < 1 || port > 65535)
			return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be \"host:port\", or a list of such", k->name);
		*brokers = *brokers ? arena_printf(r->c->arena, "%s,%s", *brokers, list[i]) : list[i];
	}
	return *brokers ? 0 : yaml_err(r->f, n, r->e, ERR_USAGE, "%s names none", k->name);
}

/* Names of topics hold letters, digits, '.', '_' and '-'. A host in it would make as many topics as an event can make up names. */
static int key_topic(struct reader *r, node n, const struct key *k, void *to)
{
	const char *const *topic = to;

	if (key_template(r, n, k, to) < 0)
		return -1;
	if (strlen(*topic) > 249)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must have 1 to 249 characters", k->name);
	if (strstr(*topic, "{host}"))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s takes no {host}: the host is the key of each message", k->name);
	if (strchr(*topic, ':') || !strcmp(*topic, ".") || !strcmp(*topic, ".."))
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s may hold letters, digits, '.', '_' and '-', and is neither . nor ..", k->name);
	return 0;
}

static int key_options(struct reader *r, node n, const struct key *k, void *to)
{
	struct sink_config *s = (struct sink_config *)(void *)((char *)to - k->at);

	if (n->kind != YAML_MAP)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "%s must be a map of librdkafka's properties", k->name);
	for (size_t i = 0; i < n->n; i++) {
		const char *owner = kafka_option_owner(n->keys[i]->text);

		if (owner)
			return yaml_err(r->f, n->keys[i], r->e, ERR_USAGE, "%s is not for options: %s sets it", n->keys[i]->text, owner);
	}
	return read_labels(r, n, &s->kafka.options, &s->kafka.n_options);
}

static int key_mechanism(struct reader *r, node n, const struct key *k, void *to)
{
	static const char *const words[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", NULL };
	const struct sink_config *s = (struct sink_config *)(void *)((char *)to - k->at);
	struct key word = { .name = k->name, .words = words };
	int which = 0;

	if (key_word(r, n, &word, &which) < 0)
		return -1;
	if (!which && !s->tls.on)
		return yaml_err(r->f, n, r->e, ERR_USAGE, "PLAIN sends the password as it is; add tls, or use SCRAM-SHA-512");
	*(const char **)to = words[which];
	return 0;
}

/* librdkafka compares the name in the certificate with that of each broker, and pins nothing. */
static const struct key kafka_tls_keys[] = {
	KEY("ca", key_path, tls.ca),
	KEY("cert", key_path, tls.cert),
	KEY("key", key_path, tls.key),
	KEY("verify", key_not, tls.no_verify),
	END,
};

static const struct key sasl_keys[] = {
	KEY("mechanism", key_mechanism, kafka.mechanism, .must = "a mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"),
	KEY("user", key_text, kafka.user, .must = "a user"),
	KEY("password_file", key_path, kafka.password_file, .must = "a password_file, whose one line is the password"),
	END,
};

static const char *const kafka_compress_words[] = { "none", "gzip", "zstd", "lz4", NULL };

const struct key kafka_keys[] = {
	KEY("brokers", key_brokers, kafka.brokers, .must = "brokers, [\"host:port\"]"),
	KEY("topic", key_topic, kafka.topic, .must = "a topic"),
	KEY("tls", key_tls, tls, .inside = kafka_tls_keys),
	KEY("sasl", key_map, kafka.mechanism, .inside = sasl_keys), /* behind tls */
	KEY("options", key_options, kafka.options),
	KEY("batch", key_map, batch, .inside = batch_keys),
	KEY("compress", key_word, compress, .words = kafka_compress_words),
	KEY("timeout", key_span, timeout, .least = US_SECOND, .most = 5 * US_MINUTE),
	END,
};
