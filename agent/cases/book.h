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
	bool ends;       /* its case was closed: it only waits to be sent */
	size_t bytes;    /* as it was weighed last */
};

struct book_host {
	struct book_host *next; /* same bucket */
	const char *name;
	struct tally tallies[BOOK_CAUSES];  /* what came while no case was open */
	struct book_case *open[BOOK_CAUSES];
	uint32_t closed_id[BOOK_CAUSES];    /* the case that was closed last; 0: none */
	int64_t closed_at[BOOK_CAUSES];     /* when its last event was */
	int64_t seen_at[16];                /* by bit of rule_seen: last time; 0: never */
	struct case_before *before;         /* CASE_BEFORE, by time; NULL: none yet */
	size_t n_before;
	struct stream *streams;
	bool ours;                          /* configured: never given up */
	uint8_t spared;                     /* how often it is passed over when something must go; anew with each use */
};

struct book_counts {
	uint64_t hosts, bytes; /* now */
	uint64_t evicted;      /* hosts, or what was told of them, given up because there were too many */
};

struct book;

/* bytes: what it may hold, of LIMIT_HOSTS hosts at most; 0: as many as there are (a scan). */
struct book *book_new(struct strings *pool, size_t bytes);
void book_free(struct book *b);
void book_ours(struct book *b, const char *host); /* configured: always has its place */
struct book_host *book_find(const struct book *b, const char *host); /* NULL: nothing is known of it */
/* Made when it is new. NULL: there are too many, and all are needed. */
struct book_host *book_host(struct book *b, const char *host);
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
void book_close(struct book *b, struct book_case *c); /* gone; its host knows which it was */
/* Its stream has changed: counts its bytes anew. */
void book_weigh(struct book *b, struct stream *s);
/* Those streams of the host that `goes` names go; NULL: those that are sent. Returns how many. */
size_t book_drop_streams(struct book *b, struct book_host *h, bool (*goes)(const void *arg, const struct stream *s), const void *arg);
void book_each_host(struct book *b, void (*each)(void *arg, struct book_host *h), void *arg);
/* Hosts that nothing is known of any more at that time go; and of others, when there is too much, what is needed least. Nothing that
 * is unsent or open. */
void book_tidy(struct book *b, int64_t now);
void book_counts(const struct book *b, struct book_counts *to);
void book_renew(struct book *b); /* strings_renew */
void book_save(const struct book *b, struct json_out *o, const char *key);
void book_load(struct book *b, const struct ruleset *rs, const struct json *j);

#endif
