/* status_sinks.h - how the receivers are, for `evmend status`. */
#ifndef EVMEND_CLI_STATUS_SINKS_H
#define EVMEND_CLI_STATUS_SINKS_H

#include "base/json.h"
#include "cli/cli.h"
#include "proc/config.h"

struct status_sink {
	const struct sink_config *config;
	int64_t waiting;   /* records; -1: there is no spool yet */
	int64_t oldest;    /* when the first of them came in; 0: none waits */
	int64_t dead_letters; /* refused for good, and kept */
	int64_t newest_letter; /* when the newest of them was refused; 0: there is none */
	struct json *told; /* proc/pump.h; NULL: nothing yet */
};

void status_sinks(const struct config *config, struct status_sink to[CONFIG_SINKS]); /* read from the spool, beside a running agent */
void status_sinks_free(struct status_sink *s, size_t n);
void status_sinks_json(const struct status_sink *s, size_t n, int64_t now, struct json_out *o); /* a member "sinks" */
void status_sinks_print(const struct cli *c, const struct status_sink *s, size_t n);
/* What a person should look at: trouble or held records for five minutes, a loss or a dead letter of the last day. How many sinks; what it
 * is, ", sink NAME has ...", is added to `to`, in one line without '|' (which begins Nagios' numbers). */
size_t status_sinks_bad(const struct status_sink *s, size_t n, int64_t now, struct buf *to);

#endif
