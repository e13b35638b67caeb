/* book_private.h - the inside of the book, shared by book.c, book_view.c and book_state.c. */
#ifndef EVMEND_CASES_BOOK_PRIVATE_H
#define EVMEND_CASES_BOOK_PRIVATE_H

#include "base/hash.h"
#include "cases/book.h"

#define BOOK_ROOM 1024

struct book {
	struct strings *pool;
	struct hash_seed seed;
	struct book_host **buckets;
	size_t room, hand; /* hand: the bucket that is looked at next when something must go */
	size_t bytes, most_bytes;
	int64_t tidied;
	bool stuck; /* nothing can be given up before the next book_tidy */
	struct book_counts counts;
	struct book_case **cases; /* in the order of their ids */
	size_t n, cap;
	uint32_t next_id;
	struct buf scratch;
};

void book_add(struct book *b, struct book_case *c);
void book_reporter(struct book_case *c, const char *reporter);
void book_free_case(struct book *b, struct book_case *c);

/* -- book_room.c -- */
void book_grow(struct book *b); /* as many buckets as hosts, and more */
void book_before_room(struct book *b, struct book_host *h);
size_t book_before_bytes(const struct case_before *one);
void book_free_host(struct book *b, struct book_host *h);
bool book_has_room(struct book *b); /* for one host more; makes it, if that may be */

#endif
