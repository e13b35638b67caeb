/* stream.h - a connection to a receiver that is trusted: TCP, or TLS 1.2 and later with the receiver's certificate verified. Nothing here waits.
 *
 * TCP's confirmation is all that a stream knows of what arrived: stream_confirmed. And a peer that has taken the connection may still refuse
 * us: with TLS 1.3 a client's handshake ends before the server has looked at its certificate, and servers look at names and lists of
 * permitted peers after that (the refusal comes as an alert or an end). So nothing counts as taken before stream_settled. */
#ifndef EVMEND_TLS_STREAM_H
#define EVMEND_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/err.h"
#include "os/os.h"

/* Texts are borrowed; NULL where nothing is said. */
struct stream_config {
	const char *address;    /* "host:port", "192.0.2.1:514", "[2001:db8::1]:6514" */
	bool tls;
	const char *ca;         /* file of certificates to trust; NULL: the system's */
	const char *cert, *key; /* files of our own certificate (and its chain) and key; the key must not be readable by everybody */
	const char *name;       /* that the peer's certificate must be for; NULL: the host of the address */
	const char *pin;        /* SHA-256 of the peer's certificate, 64 hex digits: it must be that one */
	bool no_verify;         /* neither chain nor name; the pin still counts */
	int64_t timeout;        /* for each of look-up, connect and handshake, us; 0: 10 s */
};

#define STREAM_SETTLE US_SECOND /* in which a peer that refuses us has said so; more where connect and handshake took long */

struct stream;

struct stream *stream_new(const struct stream_config *c, const struct clock *clock, const struct os_file_ops *files); /* all borrowed */
void stream_free(struct stream *s);
/* Begins: files are read, the name is asked for. Nothing when it has begun. -1: it cannot; nothing is open. */
int stream_open(struct stream *s, struct err *e);
/* Goes on, and hears what the peer says, which means nothing. 1: it is up; 0: not yet; -1: it has ended, *e says why, nothing is open. */
int stream_drive(struct stream *s, struct err *e);
/* How many of n bytes were taken; 0: none now, drive and try again with the same ones. -1 as above. The stream is up. */
ssize_t stream_write(struct stream *s, const void *p, size_t n, struct err *e);
/* Bytes on the wire of this connection (with TLS more than was written): that the kernel has, and that the peer's TCP has confirmed. What
 * stream_write has taken is given when it returns. */
uint64_t stream_given(const struct stream *s);
uint64_t stream_confirmed(const struct stream *s);
/* At most so many of the confirmed bytes wait in the peer's TCP for its program: by how much its window is smaller than it was at its widest
 * (RFC 9293, section 3.8.6: what a window has promised is not taken back). 0 where the kernel does not tell the window (Linux before 5.4). */
uint64_t stream_unread(struct stream *s);
int64_t stream_silence(const struct stream *s); /* us since the peer's TCP last confirmed anything, be it that it has no room; 0: not known */
int stream_late(const struct stream *s, struct err *e); /* says what it waits for, as an error. Returns -1 */
bool stream_settled(const struct stream *s);
int stream_wait_fd(const struct stream *s, bool *write); /* -1: nothing is open; *write is set when it waits to write */
/* Says goodbye (close_notify, FIN) and closes. Waits for nobody. */
void stream_shut(struct stream *s);
/* "TLSv1.3, CN=siem.example" of a stream that is up; "" for TCP. */
const char *stream_peer(const struct stream *s);

#endif
