/* book.h - the book of cases: what is known of each host, by cause. Private to cases/.
 *
 * Matches of silent rules are tallied: they open no case, but count in one. What was remembered is listed as what happened
 * before. */
#ifndef EVMEND_CASES_BOOK_H
#define EVMEND_CASES_BOOK_H

#include "base/clock.h"
#include "cases/case.h"
#include "cases/told.h"

#define BOOK_CAUSES 7
#define BOOK_REPORTERS 16 /* a case lists; the rest is left out */
#define REMEMBER_FOR (400 * US_DAY)

struct tally { /* of one host and cause */
	uint64_t count;
	int64_t first, last;      /* of its events; 0: none */
	unsigned seen;
	int64_t healed_at;        /* INT64_MIN: never */
	bool has_thumbprint;
	uint8_t thumbprint[20];
	uint16_t port;
};

struct book_case {
	struct case_ c; /* what others see; its arrays are the ones below */
	struct book_host *of;
	int cause;
	struct tally tally;
	bool asked;     /* a finding asked for a diagnosis */
	uint64_t told_count; /* run: its count when it was told last, and when (wall time) */
	int64_t told_at;
	int64_t last_symptom, healed_at;
	enum rule_kind best_kind;
	int64_t best_time;
	const char *reporters[BOOK_REPORTERS];
	uint8_t (*findings)[32];
};

struct stream { /* run: findings of one rule about one host */
	struct stream *next;
	struct told *told;
	uint32_t n;      /* findings that were told since `since` (event time), each by itself: its budget */
	int64_t since;
	uint64_t sent;   /* count when it was sent last */
	int64_t sent_at; /* wall time */
};

struct book_host {
	struct book_host *next; /* same bucket */
	const char *name;
	struct tally tallies[BOOK_CAUSES];  /* what came while no case was open */
	struct book_case *open[BOOK_CAUSES];
	uint32_t closed_id[BOOK_CAUSES];    /* the case that was closed last; 0: none */
	int64_t seen_at[16];                /* by bit of rule_seen: last time; 0: never */
	struct case_before before[CASE_BEFORE]; /* by time */
	size_t n_before;
	struct stream *streams;
};

struct book;

struct book *book_new(struct strings *pool);
void book_free(struct book *b);
struct book_host *book_host(struct book *b, const char *host); /* made when it is new */
/* An event about that host: for the notes of its cases. */
void book_seen(struct book_host *h, const struct rule *r, int64_t time);
/* `then: remember` */
void book_remember(struct book *b, struct book_host *h, const struct told *t);
/* A silent match, or one that a case explains: counts with its cause. */
void book_tally(struct book_host *h, int cause, struct match *m);
bool book_explains(const struct book_host *h, int cause);
/* A finding of a rule with a cause. Opens a case where needed. Returns the case (NULL: healed without a case); *opened. */
struct book_case *book_finding(struct book *b, struct book_host *h, const struct told *t, struct match *const *events, size_t n,
	bool *opened);
/* Brings what others see up to date: hint, seen, before, asks. */
const struct case_ *book_view(struct book *b, struct book_case *c);
size_t book_count(const struct book *b);
struct book_case *book_at(const struct book *b, size_t i);
void book_sort(struct book *b); /* by first time, host, cause; numbers them 1, 2, 3 */
void book_close(struct book *b, uint32_t id);
void book_each_host(struct book *b, void (*each)(void *arg, struct book_host *h), void *arg);
void book_save(const struct book *b, struct json_out *o, const char *key);
void book_load(struct book *b, const struct ruleset *rs, const struct json *j);

#endif
