/* probe_report.h - what `evmend probe` has tried, and how it is printed. */
#ifndef EVMEND_CLI_PROBE_REPORT_H
#define EVMEND_CLI_PROBE_REPORT_H

#include "cli/cli.h"
#include "tls/tls_client.h"

#define PROBE_ADDRESSES 8
#define PROBE_ATTEMPTS (2 * PROBE_ADDRESSES)

struct attempt {
	struct probe_target target;
	struct probe_result result;
	const struct clock *clock;
};

struct probing {
	char host[256], sni[256], path[256];
	uint16_t port;
	int total_ms;
	int left_out; /* addresses that were not tried */
	const struct clock *clock;
	struct attempt attempts[PROBE_ATTEMPTS];
	size_t n;
};

/* The handshake succeeded, and the request, if one was asked for, was answered. */
bool attempt_passed(const struct attempt *a);
void probe_print_json(const struct probing *p);
void probe_print_text(const struct cli *c, const struct probing *p);

#endif
