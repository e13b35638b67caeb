/* kafka_producer.h - the producer of librdkafka that a Kafka sink and its check use. For ship/ alone. */
#ifndef EVMEND_SHIP_KAFKA_PRODUCER_H
#define EVMEND_SHIP_KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "ship/sink.h"

#define KAFKA_SLOTS 8192 /* records that a producer may hold */

struct kafka_wishes {
	bool alone;          /* each record by itself */
	int64_t batch_bytes; /* 0: the library's own, 1,000,000 */
	void *opaque;        /* given to the callbacks */
	void (*delivered)(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque); /* NULL: nothing is sent */
	void (*told_error)(rd_kafka_t *rk, int code, const char *reason, void *opaque);
	void (*told_log)(const rd_kafka_t *rk, int level, const char *part, const char *text); /* rd_kafka_opaque is opaque */
};

/* Reads the files of tls and sasl. All callbacks come from rd_kafka_poll. NULL: e says which key is wrong, never what a secret is. The caller
 * destroys it. */
rd_kafka_t *kafka_producer_new(const struct sink *s, const struct kafka_wishes *w, struct err *e);

/* Destroys it without waiting: one of its threads may look up a name, and nothing stops that. None of its callbacks is called any more. `over` is an
 * eventfd that counts those that are gone; the caller may close it before. false: it is gone already, and not counted. */
bool kafka_producer_end(rd_kafka_t *rk, int over);

/* What the library says about a trouble, and what to do about it. */
void kafka_trouble(const struct sink_config *c, int code, const char *reason, char *to, size_t n);

/* The operation `check` of the sink. */
int kafka_check(struct sink *s, int64_t until, struct buf *says, struct err *e);

#endif
