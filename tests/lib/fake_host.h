/* fake_host.h - a server in memory: stores, records, a site, and what would be seen at its doors. Its n-th operation can go
 * wrong. */
#ifndef EVMEND_TESTS_LIB_FAKE_HOST_H
#define EVMEND_TESTS_LIB_FAKE_HOST_H

#include "host/host.h"
#include "lib/fake_clock.h"

#define FAKE_BACKEND "0.0.0.0:444"
#define FAKE_FRONTEND "0.0.0.0:443"

enum fake_fault {
	FAKE_NONE,
	FAKE_REFUSE,     /* says no, does nothing */
	FAKE_LOST_BEFORE,/* does nothing, and the connection is gone */
	FAKE_LOST_AFTER, /* does it, and the connection is gone */
	FAKE_HANG,       /* as LOST_BEFORE, after the deadline */
	FAKE_HANG_AFTER, /* as LOST_AFTER, after the deadline */
	FAKE_LIE,        /* says it did, and did nothing; says that all is well as it was at first */
	FAKE_SLANDER,    /* says it failed, and did it; says that the record is gone, that a door is closed */
	FAKE_HALF,       /* does half of it and says that it failed; tells half of what was asked */
	FAKE_FAULTS,
};

struct fake_world {
	struct host_state *state, *first; /* now; and as it was made */
	struct host_identity identity;
	struct fake_clock *clock;
	bool cached;               /* HTTP.SYS still serves the deleted certificate `cache` */
	struct cert_info cache;
	bool hop_fails, tls10_only, pool_down, no_hop; /* no_hop: nobody can ask through the front end */
	bool new_fails;            /* a certificate that was not there at first is served, and its requests are answered with 503 */
	bool stale;                /* HTTP.SYS holds an old state until the record is set again */
	enum host_busy busy;
	struct { uint8_t thumbprint[20]; char token[80]; } made[16]; /* what was created or restored, and for which repair */
	size_t n_made;
	int creations, serial, restarts;
	bool locked;
	bool dead;                 /* the program at this end was killed: nothing reaches the host any more */
	/* the n-th operation from now goes wrong; 0: none */
	int fail_at, operations;
	enum fake_fault fault;
	void (*at_operation)(void *arg, int n); /* called before each one; NULL */
	void (*after_operation)(void *arg, int n);
	void (*at_step)(void *arg, const struct host_step *s, bool undo); /* called before each apply and undo, also one that will fail */
	void *arg;
};

/* Healthy: one own certificate on 444 and Auth's neighbour in MY, a public one on 443. */
void fake_world_init(struct fake_world *w, struct fake_clock *clock);
void fake_world_free(struct fake_world *w);
/* arg of healer_options.open_host */
struct host *fake_host_open(void *world, const struct host_config *config, int64_t deadline, struct err *e);
/* A certificate in `store`; own: with the server's names. Returns its place in state->certs. */
struct host_cert *fake_cert_add(struct fake_world *w, const char *store, const char *name, bool own, int64_t days);
struct host_cert *fake_cert(const struct fake_world *w, const uint8_t thumbprint[20], const char *store); /* NULL */
void fake_delete_backend_cert(struct fake_world *w, bool keep_cache);
void fake_unbind(struct fake_world *w);
void fake_bind(struct fake_world *w, const char *endpoint, uint16_t port, const uint8_t thumbprint[20], const char *store);
struct host_record *fake_record(const struct fake_world *w, const char *endpoint); /* NULL */
const struct cert_info *fake_served(const struct fake_world *w); /* what 444 shows; NULL: the handshake is cut */
bool fake_backend_works(const struct fake_world *w); /* 444 serves an own certificate with its key */

/* fake_steps.c: what a step does there. -1: refused. */
int fake_step(struct fake_world *w, const struct host_step *s, struct host_step_result *to, struct err *e);
int fake_step_undo(struct fake_world *w, const struct host_step *s, const struct host_step_result *was, struct err *e);
void fake_step_half(struct fake_world *w, const struct host_step *s); /* and then it says that it failed */

#endif
