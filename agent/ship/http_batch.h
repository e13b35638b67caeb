/* http_batch.h - the one engine behind all sinks that speak HTTP. What differs between them is a struct http_kind.
 *
 * Records are encoded one by one when they are submitted and gathered in a few lanes; a host's records are all in one lane, and a lane
 * has one request on its way, so order per host is kept. What fails for a while goes back to the pump with all that waits behind it and comes
 * again in order; a batch that is too large, or holds something bad that the receiver does not name, is cut in halves here. */
#ifndef EVMEND_SHIP_HTTP_BATCH_H
#define EVMEND_SHIP_HTTP_BATCH_H

#include "ship/http.h"
#include "ship/sink.h"
#include "ship/view.h"

struct http_inside;

struct http_sink { /* sink.self */
	const struct sink_config *config;
	const struct clock *clock;
	const struct os_file_ops *files;
	const struct http_kind *kind;
	struct http *http;  /* open gives it its headers: http_header */
	struct buf url;     /* of each batch; open writes it */
	void *own;          /* the kind's; it frees it in close */
	struct buf place;   /* encode may write into it which of several destinations the item goes to; empty before it is called */
	int64_t patience;   /* open writes it, of a kind that holds: what is not settled for so long comes again; us */
	struct http_inside *inside;
};

enum http_means {
	HTTP_ITEMS,   /* the receiver has looked at them: their outcomes are in items */
	HTTP_AGAIN,   /* not now, all of it: pause, or Retry-After */
	HTTP_ALARM,   /* a person has to do something (token, address): all of it again, slowly */
	HTTP_SMALLER, /* too large: halves; one record alone is dead */
	HTTP_BAD,     /* nothing was taken because of some of them: that one is looked for; one record alone is dead */
};

#define HTTP_UNNAMED ((size_t)-1)
#define HTTP_LINES 4

struct http_piece { /* what encode wrote of one record */
	const char *p;
	size_t n;
};

struct http_verdict {
	struct sink_result *items; /* in the order of the body; all SINK_ACCEPTED before judge is called */
	size_t n;
	size_t bad;                /* HTTP_BAD: index of the one that the receiver named, or HTTP_UNNAMED. It is sent alone before it is dead */
	int64_t held;              /* HTTP_ITEMS: those accepted count only when http_settle names this number; -1: they count now. One lane only */
	bool of_place;             /* HTTP_BAD: because of where it goes. It is not dead: it, and what goes to the same place, waits for a person */
	bool final;                /* HTTP_ITEMS: those that are dead may not be sent again, however many there are */
	char why[160];             /* for all but HTTP_ITEMS; "": the status is told */
};

struct http_kind {
	size_t lanes;          /* requests on their way at once, 1 to HTTP_LANES */
	struct sink_batch batch; /* where the configuration names none */
	const char *media;     /* Content-Type of a batch */
	const char *before, *between, *after; /* of a body: around and between its items; NULL: nothing */
	/* Or: adds the body of these items. NULL: as before, between and after say. */
	void (*body)(struct http_sink *h, const struct http_piece *items, size_t n, struct buf *to);
	const char *probe;     /* body of a request that the receiver looks at and that holds no record, for check; NULL: HEAD instead */
	/* Reads secrets, writes url and headers. When it failed it is called again, with url empty and http new. */
	int (*open)(struct http_sink *h, struct err *e);
	void (*encode)(struct http_sink *h, const struct record_view *v, struct buf *to); /* one item; nothing added: it cannot be sent, dead */
	/* Header lines for this body as it is sent, each with a NUL behind it, at most HTTP_LINES; items is NULL for the probe. NULL: none. */
	void (*head)(struct http_sink *h, const struct http_piece *items, const void *body, size_t n, struct buf *lines);
	/* Only for a whole answer; also to a probe, with v->n 0. http_means_of is what the status alone says. HTTP_BAD is for errors that only this
	 * kind of receiver gives: a page of anything else that answers there is HTTP_ALARM, or every record would be given up. */
	enum http_means (*judge)(struct http_sink *h, const struct http_answer *a, struct http_verdict *v);
	/* Kinds that hold: the question about what is held, and a good answer to it. While it is on its way no batch is. Others: NULL. */
	void (*ask)(struct http_sink *h, struct http_request *r);
	void (*told)(struct http_sink *h, const struct http_answer *a);
	void (*close)(struct http_sink *h); /* NULL: nothing to do */
};

#define HTTP_LANES 4
#define HTTP_ALARM_PAUSE US_MINUTE /* a person has to come */

/* 2xx: ITEMS. 413 SMALLER. 408, 425, 429 and 5xx: AGAIN. 401, 403, 404, 405, 407, 410 and redirects: ALARM. Other 4xx: BAD. */
enum http_means http_means_of(int status);
void http_settle(struct http_sink *h, int64_t held); /* items that were held under that number are accepted */
void http_lose(struct http_sink *h, const char *why); /* everything that is held comes again; its numbers mean nothing any more */
size_t http_held(const struct http_sink *h, int64_t *to, size_t n); /* how many numbers are held; the first n of them, oldest first */

/* The operations of a sink. open and check of each kind call the first two with its struct http_kind; the others stand in its table as they
 * are. */
int http_sink_open(struct sink *s, const struct http_kind *kind, struct err *e);
int http_sink_check(struct sink *s, const struct http_kind *kind, int64_t until, struct buf *says, struct err *e);
int http_sink_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e);
int http_sink_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e);
int http_sink_wait_fd(struct sink *s, bool *write);
int http_sink_flush(struct sink *s, struct err *e);
void http_sink_close(struct sink *s);

/* "https://h:8088/" and "/services/collector/event" as one address, added to `to`: the path of the URL is kept, slashes are not doubled. */
void http_join(struct buf *to, const char *url, const char *path);

#endif
