/* sink_kinds.h - the operations of each receiver; sinks.c lists them. */
#ifndef EVMEND_SHIP_SINK_KINDS_H
#define EVMEND_SHIP_SINK_KINDS_H

#include "ship/sink.h"

extern const struct sink_ops sink_file_ops, sink_syslog_ops, sink_splunk_ops, sink_elastic_ops, sink_kafka_ops, sink_otlp_ops,
	sink_webhook_ops;

#endif
