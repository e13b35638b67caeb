/* message.h - what roles say to each other: typed, capped messages over a channel; main passes them on by a table of who may say
 * what to whom, and stamps the sender. Bad framing, an unknown type or one that is not allowed ends the sender. */
#ifndef EVMEND_PROC_MESSAGE_H
#define EVMEND_PROC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ship/spool.h"

#define MESSAGE_MAX (256u << 10) /* body bytes; a finding is 4 kB */

enum role { ROLE_MAIN, ROLE_WATCH, ROLE_HEAL, ROLE_SHIP, ROLES };

enum message_type {
	/* main -> role */
	MSG_STOP = 1,      /* drain and end */
	MSG_RELOAD,        /* body: as MSG_CONFIG; a role that cannot take it goes on with the old one and says MSG_FAILED */
	MSG_PEER_UP,       /* body: role (1 byte). It was started (again): send what it did not acknowledge once more */
	/* watch, heal -> ship */
	MSG_RECORD,        /* body: uid[32], kind u8, time i64, JSON */
	MSG_COMMIT,        /* body: batch u64: store what came, answer MSG_STORED */
	/* ship -> watch, heal */
	MSG_STORED,        /* body: batch u64 */
	/* watch -> heal */
	MSG_SUSPECT,       /* body: struct suspect, nothing else */
	/* heal -> watch */
	MSG_SUSPECT_STORED,/* body: batch u64 */
	MSG_CASE_CLOSED,   /* body: case id u32 */
	/* role -> main */
	MSG_READY,         /* started; watch answers MSG_RELOAD with a body: 1 taken, 0 refused */
	MSG_FAILED,        /* body: text; main says it and counts it */
	/* main -> role, first of all: the configuration that main has accepted, so that all roles work by the same one, whatever lies on
	 * disk by now. Body: path, NUL, text of the file. */
	MSG_CONFIG,
	/* heal -> watch */
	MSG_SILENCES,      /* body: all silences, an array as heal/silence.h writes it; at its start and after each change */
	MSG_TYPES
};

/* The one fixed struct that crosses from watch to heal. None of it permits a step. Indexes refer to tables both roles load from the configuration. */
struct suspect {
	uint64_t batch;
	uint32_t case_id;
	uint8_t case_uid[32];
	uint16_t host;          /* index of the configured host */
	uint16_t reported_by;   /* index, or 0xffff */
	uint16_t cause;         /* index in case_causes */
	uint8_t confidence;     /* enum rule_level */
	uint8_t flags;          /* 1 asks diagnosis, 2 replay, 4 healed by events, 8 thumbprint is set */
	int64_t first, last;
	uint64_t count;
	uint8_t evidence[32];   /* uid of the newest finding */
	uint8_t thumbprint[20];
	uint16_t port;
	uint16_t source;        /* index of the source whose labels it has, or 0xffff */
	uint32_t seen;          /* enum rule_seen */
	uint32_t reopens;
};

struct message {
	uint8_t from, to;       /* enum role */
	uint8_t type;
	uint32_t n;
	const uint8_t *body;    /* until the next read */
};

struct channel;

struct channel *channel_new(int fd); /* owns fd; non-blocking */
void channel_free(struct channel *c);
int channel_fd(const struct channel *c);
/* Queues; MESSAGE_MAX and a queue ceiling hold: -1 when full (the caller stops reading elsewhere). */
int channel_send(struct channel *c, uint8_t to, uint8_t from, uint8_t type, const void *body, size_t n, struct err *e);
int channel_write(struct channel *c, struct err *e);  /* writes what it can; 0, -1 the peer is gone */
int channel_read(struct channel *c, struct err *e);   /* reads what is there; 0, 1 the peer has closed, -1 bad */
bool channel_next(struct channel *c, struct message *m, struct err *e); /* the next whole message; false: none (e->code set when the stream is bad) */
bool channel_wants_write(const struct channel *c);
size_t channel_queued(const struct channel *c);

bool message_allowed(uint8_t from, uint8_t to, uint8_t type); /* of messages that main passes on or takes */
const char *role_text(int role);                              /* "main", "watch", "heal", "ship" */
void message_u64(uint8_t to[8], uint64_t v);
uint64_t message_get_u64(const uint8_t from[8]);

#define RECORD_HEAD 41 /* uid, kind, time */
void message_record_head(uint8_t to[RECORD_HEAD], const uint8_t uid[32], int kind, int64_t when);
bool message_record(const struct message *m, struct spool_record *r); /* false: no record; pointers as in m */

#endif
