/* stream_inside.h - what stream.c and stream_tls.c share. For these two only. */
#ifndef EVMEND_TLS_STREAM_INSIDE_H
#define EVMEND_TLS_STREAM_INSIDE_H

#include <openssl/ssl.h>

#include "tls/pin.h"
#include "tls/stream.h"

enum stream_state { STREAM_SHUT, STREAM_LOOK_UP, STREAM_CONNECT, STREAM_HANDSHAKE, STREAM_UP };

struct stream {
	const struct stream_config *config;
	const struct clock *clock;
	const struct os_file_ops *files;
	enum stream_state state;
	char host[256], port[8];
	struct os_asking asking;
	char list[OS_ADDRESSES][OS_ADDRESS]; /* where it may be; the first n */
	int n, at;
	int fd;
	int64_t until;     /* of this state, monotonic */
	int64_t begun;     /* the connect to the address that took it */
	int64_t up_since;
	int64_t settle;    /* from up_since on */
	size_t may_hear;   /* bytes, in this call of ours */
	uint64_t given;
	uint64_t widest;   /* window of the peer */
	int error;         /* errno of the last call below TLS */
	bool ended;        /* the peer has said its end */
	bool wants_write;  /* TLS has something to say before it can go on */
	SSL_CTX *ctx;      /* NULL: plain TCP */
	SSL *ssl;
	BIO_METHOD *method;
	uint8_t digest[32]; /* of the certificate that was named */
	struct tls_pin pin;
	char peer[400];
};

int64_t stream_limit(const struct stream *s); /* timeout of a step */
int stream_ended(const struct stream *s, int error, struct err *e); /* says that the peer has ended it; error: errno, 0: as one should. -1 */
/* Counted, never with SIGPIPE; -1 with s->error. */
ssize_t stream_send(struct stream *s, const void *p, size_t n);
ssize_t stream_recv(struct stream *s, void *p, size_t n);

int stream_tls_open(struct stream *s, struct err *e);    /* reads the files; makes s->ctx */
void stream_tls_begin(struct stream *s);                 /* the socket is connected */
int stream_tls_shake(struct stream *s, struct err *e);   /* 1: done; 0: not yet; -1 */
ssize_t stream_tls_write(struct stream *s, const void *p, size_t n, struct err *e);
int stream_tls_hear(struct stream *s, struct err *e);    /* 0; -1: it has ended */
void stream_tls_shut(struct stream *s);                  /* says goodbye */
void stream_tls_end(struct stream *s);                   /* forgets all of it */

#endif
