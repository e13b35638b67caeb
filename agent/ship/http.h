/* http.h - requests over HTTP/1.1 and HTTPS to one receiver, several at once, without waiting. libcurl is behind it, and nowhere else. */
#ifndef EVMEND_SHIP_HTTP_H
#define EVMEND_SHIP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "ship/secret.h"
#include "ship/sink.h"

struct http;
struct http_call;

struct http_request {
	const char *method;             /* "POST", "GET" or "HEAD" */
	const char *url;                /* as long as the request; may be a secret: no error repeats it */
	const void *body;               /* of a POST, as long as the request; kept by the caller */
	size_t n;
	const char *const *headers;     /* "Name: value" of this request alone; copied */
	size_t n_headers;
	void *owner;                    /* handed back */
};

struct http_answer {
	void *owner;
	int status;          /* of HTTP; 0: no whole answer came */
	bool reached;        /* a connection was there, so that the receiver may have seen some of the request */
	bool too_long;       /* the answer exceeds LIMIT_HTTP_ANSWER; status stands, the body is empty */
	int64_t retry_after; /* us from now, at most LIMIT_RETRY_AFTER; 0: not said */
	const char *body;    /* with a NUL behind it; never NULL */
	size_t n;
	const char *why;     /* of status 0: a sentence without secrets */
};

/* Reads CA, certificate and key of c->tls now, keeps proxy and timeouts. Verification of the peer's certificate and name is on unless
 * c->tls says no; TLS 1.2 at least. No redirect is followed, no proxy of the environment is used. -1 is NULL and *e. */
struct http *http_new(const struct sink_config *c, const struct clock *clock, const struct os_file_ops *files, struct err *e);
void http_free(struct http *h); /* gives up what is on its way; wipes its headers; NULL allowed */
/* A header of each request: "Name: prefix" and the secret, which may be NULL. Never sent to a proxy. */
void http_header(struct http *h, const char *start, const struct secret *s);
void http_basic(struct http *h, const char *user, const struct secret *password); /* Authorization: Basic, RFC 7617 */

struct http_call *http_begin(struct http *h, const struct http_request *r);
/* Does what can be done now. One whose answer is complete, or that failed; NULL: none. */
struct http_call *http_drive(struct http *h);
const struct http_answer *http_answer(const struct http_call *c); /* until http_end */
void http_end(struct http *h, struct http_call *c); /* each call once, also one that is still on its way: it is given up */
int http_fd(const struct http *h); /* readable when http_drive has something to do; it also wants to be called at times without that */
const char *http_library(char to[static 64]); /* "libcurl 7.88.1, OpenSSL 3.0.17", for `evmend version` */

#endif
