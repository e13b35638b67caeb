/* http_inside.h - what the parts of the engine share: batches (http_batch.c), what is accepted later (http_held.c) and
 * places that take nothing (http_place.c). No one else. */
#ifndef EVMEND_SHIP_HTTP_INSIDE_H
#define EVMEND_SHIP_HTTP_INSIDE_H

#include "base/hash.h"
#include "ship/http_batch.h"

struct item {
	int64_t seq;
	size_t n;       /* bytes in text, behind those of the items before it */
	uint64_t place; /* a hash of where it goes; 0: the kind has one place */
};

struct lane {
	struct item *items;    /* oldest first */
	size_t n, cap;
	struct buf text;
	int64_t since;         /* when the first of those that are not on their way came; monotonic */
	struct http_call *call;
	size_t sent, sent_bytes; /* items on their way, the first ones */
	struct buf body, packed;
	size_t limit;          /* bytes of a batch now: less after 413 and broken connections, more after each success */
	size_t suspect;        /* one of so many at the head is bad; 0: none known */
	size_t named;          /* the receiver says which; HTTP_UNNAMED: it does not */
};

struct held {
	int64_t number, since;
	int64_t *seqs;
	size_t n;
};

/* Where the receiver takes nothing until a person acts. */
struct shut {
	uint64_t place;
	int64_t until; /* nothing is sent there before; monotonic */
	char why[160];
};

#define SHUT_MOST 32

struct http_inside {
	struct hash_seed seed;
	struct lane lanes[HTTP_LANES];
	int64_t records, bytes, wait; /* of a batch */
	struct sink_result *results;  /* for poll, oldest first from `given` on */
	size_t n, cap, given;
	struct sink_result *items;    /* of one answer */
	size_t items_cap;
	struct http_piece *pieces;    /* of one batch */
	size_t pieces_cap;
	size_t dead_row;              /* records given up since the receiver took one, or since the last alarm about it */
	int64_t wary_until;           /* after that alarm nothing more is given up before; monotonic */
	char wary_why[160];
	struct shut shut[SHUT_MOST];
	size_t n_shut;
	struct held *held;            /* oldest first */
	size_t n_held, held_cap;
	struct http_call *question;
	int64_t ask_at, ask_pause;    /* monotonic, us */
	char doubt[80];               /* why the last question had no good answer; "": it had one */
	bool gave_back;               /* and poll has not told it yet: what is newer is not taken, or it would overtake */
	bool hurry;
};

struct sink_result *add_result(struct http_inside *in, int64_t seq, enum sink_outcome outcome, int64_t not_before, const char *why);

uint64_t place_of(const struct http_sink *h); /* of the item that was encoded last */
bool place_is_one(const struct lane *l);      /* all items that are on their way, one at least, go to one place of several */
void place_shut(struct http_sink *h, uint64_t place, const char *why);
bool place_held(struct http_sink *h, int64_t seq, uint64_t place); /* it goes to a place that is shut, and has its result */
void place_sweep(struct http_sink *h, struct lane *l); /* so do all of a lane that has nothing on its way */
/* The header lines of the kind for this body, their text in lines; how many there are. */
size_t http_lines(struct http_sink *h, const struct http_piece *items, const void *body, size_t n, struct buf *lines,
	const char *to[static HTTP_LINES]);
void held_add(struct http_sink *h, int64_t number, const struct sink_result *items, size_t n); /* those accepted */
bool held_wants(const struct http_sink *h); /* a question is due or on its way: no batch begins */
void held_ask(struct http_sink *h);         /* begins it */
void held_told(struct http_sink *h, struct http_call *c);
void held_overdue(struct http_sink *h);     /* what is held for too long comes again */
void held_free(struct http_inside *in);

#endif
