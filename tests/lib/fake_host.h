/* fake_host.h - a server in memory: a store, records, a site, and what would be seen at its doors. Its n-th operation can go
 * wrong. */
#ifndef EVMEND_TESTS_LIB_FAKE_HOST_H
#define EVMEND_TESTS_LIB_FAKE_HOST_H

#include "host/host.h"
#include "lib/fake_clock.h"

enum fake_fault {
	FAKE_NONE,
	FAKE_REFUSE,     /* says no, does nothing */
	FAKE_LOST_BEFORE,/* does nothing, and the connection is gone */
	FAKE_LOST_AFTER, /* does it, and the connection is gone */
	FAKE_HANG,       /* as LOST_BEFORE, after the deadline */
	FAKE_LIE,        /* says it did, and did nothing */
	FAKE_FAULTS,
};

struct fake_world {
	struct host_state *state;
	struct host_identity identity;
	struct fake_clock *clock;
	bool cached;               /* HTTP.SYS still serves the deleted certificate `cache` */
	struct cert_info cache;
	bool hop_fails, tls10_only, pool_down;
	enum host_busy busy;
	char token[80];            /* of the certificate that was created */
	uint8_t created[20];
	int creations, serial;
	bool locked;
	/* the n-th operation from now goes wrong; 0: none */
	int fail_at, operations;
	enum fake_fault fault;
	void (*at_operation)(void *arg, int n); /* called before each one; NULL */
	void (*after_operation)(void *arg, int n);
	void *arg;
};

/* Healthy: one own certificate on 444 and Auth's neighbour in MY, a public one on 443. */
void fake_world_init(struct fake_world *w, struct fake_clock *clock);
void fake_world_free(struct fake_world *w);
/* arg of healer_options.open_host */
struct host *fake_host_open(void *world, const struct host_config *config, int64_t deadline, struct err *e);
/* A certificate in `store`; own: with the server's names. Returns its place in state->certs. */
struct host_cert *fake_cert_add(struct fake_world *w, const char *store, const char *name, bool own, int64_t days);
void fake_delete_backend_cert(struct fake_world *w, bool keep_cache);
void fake_unbind(struct fake_world *w);
const struct host_record *fake_record(const struct fake_world *w, const char *endpoint); /* NULL */
bool fake_backend_works(const struct fake_world *w); /* 444 serves an own certificate with its key */

#endif
