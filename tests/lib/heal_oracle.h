/* heal_oracle.h - what must hold after any repair, however it went; judged from the server in memory and from heal.db's own bytes.
 *
 * It shares nothing with heal/: it opens heal.db by SQLite, computes the ledger's chain by OpenSSL, and knows the server's
 * truth. */
#ifndef EVMEND_TESTS_LIB_HEAL_ORACLE_H
#define EVMEND_TESTS_LIB_HEAL_ORACLE_H

#include "lib/fake_host.h"

struct oracle_picture {
	struct host_record records[HOST_RECORDS];
	size_t n_records;
	struct { uint8_t thumbprint[20]; char store[64], container[128]; enum tri has_key, key_opens, key_matches; } certs[32];
	size_t n_certs;
	struct host_site sites[HOST_SITES];
	size_t n_sites;
	uint8_t front[20]; /* 443's leaf; zeros: none */
	int front_status;  /* the front end's answer to one request; 0: none */
};

struct oracle {
	const struct fake_world *world;
	const char *db_path;
	struct oracle_picture before;
	int steps;         /* that reached the host */
	char wrong[400];   /* the first thing that must not be; "" */
};

/* Takes the picture before. The world's at_step belongs to the oracle from here on: call oracle_step from it. */
void oracle_begin(struct oracle *o, const struct fake_world *w, const char *db_path);
/* A step is about to reach the host: its intent must be the last record of the ledger on disk. */
void oracle_step(struct oracle *o, const struct host_step *s, bool undo);
/* true: all that must hold holds; else o->wrong says what does not. */
bool oracle_check(struct oracle *o);
bool oracle_same(const struct oracle *o);    /* the server is as it was when oracle_begin looked */
bool oracle_healthy(const struct oracle *o); /* the server's truth, now */

#endif
