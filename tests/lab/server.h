/* server.h - the lab's server from the inside: HTTP.SYS's cache, the doors, and what the loop and the threads share. */
#ifndef EVMEND_LAB_SERVER_H
#define EVMEND_LAB_SERVER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lab/lab.h"

enum door_kind { DOOR_FRONTEND, DOOR_LOCAL, DOOR_BACKEND };
enum door_why { DOOR_OK, DOOR_NO_RECORD, DOOR_NO_CERTIFICATE, DOOR_NO_KEY };

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
	bool said_36870, said_12014, said_itc, said_12018; /* Windows says these once, not with every attempt */
	bool itc_missing;
};

/* ---- lab_cache.c ---- */
/* The TLS context with which a door answers, or why it cannot. *endpoint is the record's name, for 15021. The context is the
 * caller's (SSL_CTX_free). */
SSL_CTX *cache_open(struct server *s, enum door_kind kind, bool v6, enum door_why *why, char endpoint[static 80], bool *tls10);
void cache_load_all(struct server *s, struct lab_state *st); /* as HTTP.SYS loads when a record is set or IIS starts */
void cache_drop(struct server *s);

/* ---- lab_doors.c ---- */
/* Serves one accepted connection and closes it. */
void door_serve(struct server *s, enum door_kind kind, bool v6, int fd);

/* ---- lab_transport.c ---- */
void transport_look(struct server *s, const struct lab_state *st); /* what the SMTP services notice when the store changes */

#endif
