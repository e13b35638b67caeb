/* knock.h - one knock at a port, as the files of the probe share it. For tls_client.c and tls_answer.c only. */
#ifndef EVMEND_TLS_KNOCK_H
#define EVMEND_TLS_KNOCK_H

#include <openssl/ssl.h>

#include "tls/tls_client.h"

/* The socket and the last system error live here, so that OpenSSL's view and ours cannot differ. */
struct knock {
	const struct probe_target *target;
	const struct clock *clock;
	struct probe_result *to;
	int64_t end;   /* monotonic: nothing is waited for behind it */
	int fd;
	int error;     /* errno of the last socket call */
	bool ended;    /* the peer closed */
	char first[8]; /* what the peer said first, for a port that speaks something else */
	size_t n_first;
	SSL *ssl;
};

int64_t knock_deadline(const struct knock *k); /* of a part that begins now */
bool knock_wait(const struct knock *k, short events, int64_t deadline); /* true: ready; false: the time is over */
void knock_say(struct probe_result *to, const char *what, int error);
/* What a failed call to OpenSSL means; fills alert and detail. */
enum probe_tls knock_failure(struct knock *k, const char *what);
void knock_request(struct knock *k, const char *host); /* tls_answer.c */

#endif
