/* host_wire.h - the JSON of docs/host-protocol.md in both directions, for evmend (host_pipe.c) and for whoever answers.
 *
 * wire_put_X writes the members of X into the object that is open in *o; wire_get_X reads them from an object. Getters
 * clean and bound every text, take a missing member as unknown, and refuse (-1, ERR_IO, naming the member) what is of
 * the wrong kind, too long to be kept whole, or more than host.h has room for: an answer is used whole or not at all. */
#ifndef EVMEND_HOST_HOST_WIRE_H
#define EVMEND_HOST_HOST_WIRE_H

#include "base/json.h"
#include "host/host.h"

#define WIRE_VERSION 1

enum host_call { CALL_IDENTITY, CALL_OBSERVE, CALL_BUSY, CALL_PROBE, CALL_APPLY, CALL_UNDO, CALL_LOCK, HOST_CALLS };

const char *host_call_text(enum host_call c);
bool host_call_parse(const char *s, enum host_call *c);

struct wire_hello {
	int64_t version;
	char agent[80];
	bool lab;
	unsigned can; /* set of 1 << enum host_call; names that are not known are passed over */
};

void wire_put_hello(struct json_out *o, const struct wire_hello *h);
int wire_get_hello(const struct json *j, struct wire_hello *h, struct err *e);

enum wire_fault {
	FAULT_DENIED, FAULT_BUSY, FAULT_NOT_FOUND, FAULT_CONFLICT, FAULT_FAILED, FAULT_TIMEOUT, FAULT_UNSUPPORTED, FAULT_BAD_CALL,
};

const char *wire_fault_text(enum wire_fault f);
bool wire_fault_parse(const char *s, enum wire_fault *f);

/* One line each, with its newline. Between begin and end the caller puts the members of args or of ok. */
void wire_call_begin(struct json_out *o, struct buf *to, int64_t id, enum host_call call, int64_t deadline_ms);
void wire_call_end(struct json_out *o);
void wire_answer_begin(struct json_out *o, struct buf *to, int64_t id);
void wire_answer_end(struct json_out *o);
void wire_answer_error(struct buf *to, int64_t id, enum wire_fault kind, const char *text);
/* The head of a call; *args is its args object (never NULL, maybe empty). */
int wire_get_call(const struct json *j, int64_t *id, enum host_call *call, int64_t *deadline_ms, const struct json **args,
	struct err *e);

void wire_put_identity(struct json_out *o, const struct host_identity *i);
int wire_get_identity(const struct json *j, struct host_identity *i, struct err *e);

void wire_put_parts(struct json_out *o, unsigned parts); /* args of observe */
int wire_get_parts(const struct json *j, unsigned *parts, struct err *e);

/* pem[i] is the certificate of s->certs[i] (host.h keeps only what was read from it). Puts the parts in s->known. */
void wire_put_state(struct json_out *o, const struct host_state *s, const char *const *pem);
/* Overwrites the parts that j has and that are in `parts`, and adds them to s->known; the others stay. */
int wire_get_state(const struct json *j, unsigned parts, struct host_state *s, struct err *e);
void wire_put_record(struct json_out *o, const char *key, const struct host_record *r); /* an object; key NULL in an array */
int wire_get_record(const struct json *j, struct host_record *r, struct err *e);

void wire_put_busy(struct json_out *o, enum host_busy b, const char *what);
int wire_get_busy(const struct json *j, enum host_busy *b, char what[static 128], struct err *e);

void wire_put_ask(struct json_out *o, const struct host_probe_ask *a); /* args of probe */
int wire_get_ask(const struct json *j, struct host_probe_ask *a, struct err *e);
void wire_put_probe(struct json_out *o, const struct probe_result *r, const char *leaf_pem); /* NULL: no leaf was shown */
int wire_get_probe(const struct json *j, struct probe_result *r, struct err *e);

void wire_put_step(struct json_out *o, const char *key, const struct host_step *s); /* an object */
int wire_get_step(const struct json *j, struct host_step *s, struct err *e);
void wire_put_step_result(struct json_out *o, const struct host_step_result *r); /* the members of ok, or of was */
int wire_get_step_result(const struct json *j, struct host_step_result *r, struct err *e);

#endif
