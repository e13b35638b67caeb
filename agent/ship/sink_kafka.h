/* sink_kafka.h - what the configuration asks of the Kafka sink. */
#ifndef EVMEND_SHIP_SINK_KAFKA_H
#define EVMEND_SHIP_SINK_KAFKA_H

/* May `options:` hold this property of librdkafka? NULL: yes. Else who sets it: "tls", "batch", "the sink itself". */
const char *kafka_option_owner(const char *name);

#endif
