/* server.h - the lab's server from the inside: HTTP.SYS's cache, the doors, and what the loop and the threads share. */
#ifndef EVMEND_LAB_SERVER_H
#define EVMEND_LAB_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lab/lab.h"

enum door_kind { DOOR_FRONTEND, DOOR_LOCAL, DOOR_BACKEND };
enum door_why { DOOR_OK, DOOR_NO_RECORD, DOOR_NO_CERTIFICATE, DOOR_NO_KEY, DOOR_NO_KEY_INFO };

/* What a door knows when somebody has come in. */
struct opened {
	SSL_CTX *ctx;        /* of whoever asked for it (SSL_CTX_free); NULL: why */
	enum door_why why;
	char endpoint[80];   /* the record's name, for 15021 */
	unsigned wrong;      /* set of enum lab_wrong */
	char host[256];      /* the binding's host header, ADDRESS for one that names an address; "": whoever comes is meant */
	struct host_service pools[HOST_POOLS];
	size_t n_pools;
};

struct cached {
	char endpoint[80];
	int64_t set; /* lab_state.record_set of what is cached */
	SSL_CTX *ctx;
};

struct server {
	const struct lab *lab;
	bool self_probe;
	atomic_int guests;  /* connections being served */
	atomic_bool ending;
	pthread_mutex_t lock; /* over what stands below */
	struct cached cache[HOST_RECORDS];
	size_t n_cache;
	int64_t epoch;
	/* Windows says these once, not with every attempt */
	bool said_36870, said_12014, said_connector, said_itc, said_itc_expired, said_expired, said_12018;
};

/* ---- lab_cache.c ---- */
/* With what a door answers, and how. false: the lab's state cannot be read. */
bool cache_open(struct server *s, enum door_kind kind, bool v6, struct opened *to);
void cache_load_all(struct server *s, struct lab_state *st); /* as HTTP.SYS loads when a record is set or IIS starts */
void cache_drop(struct server *s);

/* ---- lab_doors.c ---- */
/* Serves one accepted connection and closes it. */
void door_serve(struct server *s, enum door_kind kind, bool v6, int fd);

/* ---- lab_transport.c ---- */
void transport_look(struct server *s, const struct lab_state *st); /* what the SMTP services notice when the store changes */

#endif
