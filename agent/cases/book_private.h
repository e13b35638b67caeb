/* book_private.h - the inside of the book, shared by book.c, book_view.c and book_state.c. */
#ifndef EVMEND_CASES_BOOK_PRIVATE_H
#define EVMEND_CASES_BOOK_PRIVATE_H

#include "base/hash.h"
#include "cases/book.h"

#define BOOK_BUCKETS 1024

struct book {
	struct strings *pool;
	struct hash_seed seed;
	struct book_host *buckets[BOOK_BUCKETS];
	struct book_case **cases; /* in the order of their ids */
	size_t n, cap;
	uint32_t next_id;
	struct buf scratch;
};

void book_add(struct book *b, struct book_case *c);
void book_reporter(struct book_case *c, const char *reporter);

#endif
