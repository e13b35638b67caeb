/* kafka_producer.c - a producer of librdkafka, made from a sink's configuration.
 *
 * Why: what makes the sink safe is a handful of properties, and they belong in one place. Promises: idempotent, acks=all, waits as long as it
 * takes; certificates, keys and passwords are read by us and given as text, so the library opens none of these files; its log and its
 * callbacks come through its queue, in our own thread. Refuses: what librdkafka refuses, with the name of the property. */
#include "ship/kafka_producer.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ship/secret.h"

#define QUEUE_KB "65536" /* of the records on their way */
#define PEM_BYTES (1u << 20)
#define LINGER (US_SECOND / 20)

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
		return 0;
	return err_set(e, ERR_USAGE, "librdkafka does not take %s: %s", name, why);
}

static int set_number(rd_kafka_conf_t *conf, const char *name, int64_t value, struct err *e)
{
	char text[24];

	text[text_decimal(text, value)] = '\0';
	return set(conf, name, text, e);
}

/* A file of certificates or keys goes in as text. What the library says of it could hold some of it. */
static int set_pem(const struct sink *s, rd_kafka_conf_t *conf, const char *name, const char *path, struct err *e)
{
	struct buf b;
	int did;

	if (!path)
		return 0;
	buf_init(&b, PEM_BYTES);
	did = file_read(s->files, path, &b, e);
	if (!did && !b.n) /* nothing to trust is not "whom the system trusts" */
		did = err_set(e, ERR_USAGE, "%s is empty; it has to hold PEM", path);
	if (!did && rd_kafka_conf_set(conf, name, buf_text(&b), NULL, 0) != RD_KAFKA_CONF_OK)
		did = err_set(e, ERR_USAGE, "%s is not in the PEM format", path);
	if (b.p)
		explicit_bzero(b.p, b.n);
	buf_free(&b);
	return did;
}

static int set_tls(const struct sink *s, rd_kafka_conf_t *conf, struct err *e)
{
	const struct sink_tls *tls = &s->config->tls;

	if (tls->key && file_key_check(s->files, tls->key, e) < 0)
		return -1;
	if (set_pem(s, conf, "ssl.ca.pem", tls->ca, e) < 0 || set_pem(s, conf, "ssl.certificate.pem", tls->cert, e) < 0 ||
		set_pem(s, conf, "ssl.key.pem", tls->key, e) < 0 ||
		set(conf, "ssl.endpoint.identification.algorithm", tls->no_verify ? "none" : "https", e) < 0)
		return -1;
	return set(conf, "enable.ssl.certificate.verification", tls->no_verify ? "false" : "true", e);
}

static int set_security(const struct sink *s, rd_kafka_conf_t *conf, struct err *e)
{
	const struct sink_config *c = s->config;
	const char *mechanism = c->kafka.mechanism;
	struct secret *password;
	int did;

	if (set(conf, "security.protocol", c->tls.on ? mechanism ? "sasl_ssl" : "ssl" : mechanism ? "sasl_plaintext" : "plaintext", e) < 0)
		return -1;
	if (c->tls.on && set_tls(s, conf, e) < 0)
		return -1;
	if (!mechanism)
		return 0;
	password = secret_read(s->files, c->kafka.password_file, e);
	if (!password)
		return -1;
	did = set(conf, "sasl.mechanisms", mechanism, e) < 0 || set(conf, "sasl.username", c->kafka.user, e) < 0 ? -1 : 0;
	if (!did && rd_kafka_conf_set(conf, "sasl.password", secret_text(password), NULL, 0) != RD_KAFKA_CONF_OK)
		did = err_set(e, ERR_USAGE, "librdkafka does not take the password in %s", c->kafka.password_file);
	secret_free(password);
	return did;
}

static int set_options(const struct sink_config *c, rd_kafka_conf_t *conf, struct err *e)
{
	for (size_t i = 0; i < c->kafka.n_options; i++) {
		const char *eq = strchr(c->kafka.options[i], '=');
		size_t n = eq ? (size_t)(eq - c->kafka.options[i]) : 0;
		char name[128];

		if (!n || n >= sizeof name)
			return err_set(e, ERR_USAGE, "librdkafka has no property '%s'", c->kafka.options[i]);
		text_copy(name, n + 1, c->kafka.options[i]);
		if (set(conf, name, eq + 1, e) < 0)
			return -1;
	}
	return 0;
}

static int set_batches(const struct sink_config *c, const struct kafka_wishes *w, rd_kafka_conf_t *conf, struct err *e)
{
	int64_t records = w->alone ? 1 : c->batch.records, wait = w->alone ? 0 : c->batch.wait ? c->batch.wait : LINGER;

	if (set_number(conf, "linger.ms", wait / 1000, e) < 0 || (records && set_number(conf, "batch.num.messages", records, e) < 0))
		return -1;
	/* A batch that is refused, with newer ones behind it, would put these before it. A record that is refused alone stays out for good. */
	if (set(conf, "enable.gapless.guarantee", w->alone ? "false" : "true", e) < 0)
		return -1;
	return w->batch_bytes ? set_number(conf, "batch.size", w->batch_bytes, e) : 0;
}

static int configure(const struct sink *s, const struct kafka_wishes *w, rd_kafka_conf_t *conf, struct err *e)
{
	static const char *const compress[] = { "none", "gzip", "zstd", "lz4" }; /* enum sink_compress */
	static const char *const fixed[][2] = {
		{ "enable.idempotence", "true" }, { "acks", "all" },
		{ "message.timeout.ms", "0" }, /* never: a gap would be out of order, and the spool waits anyway */
		{ "log.queue", "true" }, { "queue.buffering.max.kbytes", QUEUE_KB },
		{ "topic.metadata.refresh.interval.ms", "60000" }, { "socket.keepalive.enable", "true" }, { "client.id", "evmend" },
		{ "topic.metadata.propagation.max.ms", "10000" }, /* a topic that is not there then is told; its records wait */
		{ "partitioner", "murmur2_random" }, /* as Kafka's own clients */
	};
	const struct sink_config *c = s->config;

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (set(conf, fixed[i][0], fixed[i][1], e) < 0)
			return -1;
	if (set(conf, "bootstrap.servers", c->kafka.brokers, e) < 0 || set(conf, "compression.type", compress[c->compress], e) < 0 ||
		set_number(conf, "queue.buffering.max.messages", KAFKA_SLOTS, e) < 0 ||
		(c->timeout && set_number(conf, "socket.timeout.ms", c->timeout / 1000, e) < 0))
		return -1;
	rd_kafka_conf_set_opaque(conf, w->opaque);
	rd_kafka_conf_set_dr_msg_cb(conf, w->delivered);
	rd_kafka_conf_set_error_cb(conf, w->told_error);
	rd_kafka_conf_set_log_cb(conf, w->told_log);
	return set_batches(c, w, conf, e) < 0 || set_security(s, conf, e) < 0 ? -1 : set_options(c, conf, e);
}

rd_kafka_t *kafka_producer_new(const struct sink *s, const struct kafka_wishes *w, struct err *e)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk = NULL;
	char why[256];

	if (configure(s, w, conf, e) == 0) {
		rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
		if (!rk)
			err_set(e, ERR_USAGE, "librdkafka refuses this configuration: %s", why);
	}
	if (!rk) {
		rd_kafka_conf_destroy(conf);
		err_prefix(e, "sink %s", s->config->name);
		return NULL;
	}
	rd_kafka_set_log_queue(rk, NULL);
	return rk;
}

struct ending {
	rd_kafka_t *rk;
	int over;
};

static void *end(void *arg)
{
	struct ending *x = arg;

	rd_kafka_destroy(x->rk);
	(void)eventfd_write(x->over, 1);
	close(x->over);
	free(x);
	return NULL;
}

bool kafka_producer_end(rd_kafka_t *rk, int over)
{
	struct ending *x;
	pthread_t thread;
	int mine = fcntl(over, F_DUPFD_CLOEXEC, 0);

	if (mine < 0) { /* no descriptor is left: then it has to be waited for */
		rd_kafka_destroy(rk);
		return false;
	}
	x = xcalloc(1, sizeof *x);
	*x = (struct ending){ rk, mine };
	if (pthread_create(&thread, NULL, end, x) == 0)
		pthread_detach(thread);
	else
		end(x);
	return true;
}
