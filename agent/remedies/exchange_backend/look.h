/* look.h - what the files that look at a server share: one look from its beginning to its end. */
#ifndef EVMEND_REMEDIES_LOOK_H
#define EVMEND_REMEDIES_LOOK_H

#include "remedies/exchange_backend/backend.h"

/* What came of one handshake, as far as the table of causes tells apart. */
enum outcome {
	OUT_UNKNOWN,
	OUT_OK,
	OUT_REFUSED,  /* nothing listens */
	OUT_PROTOCOL, /* an alert about protocol or cipher */
	OUT_CUT,      /* reset, end of file, another alert */
	OUT_SILENT,   /* nothing came */
};

/* One address of port 444. */
struct door {
	enum outcome usual, tls12;
	int status;             /* of the request; 0: none came */
	bool has_leaf;
	uint8_t leaf[20];
};

/* What one diagnosis carries from look to look. */
struct look {
	struct host *host;
	struct diagnosis *d;
	struct facts *f;
	int64_t deadline, now;
	struct door doors[HOST_ADDRESSES];
	struct cert_info served; /* the first leaf that port 444 showed */
	bool has_served;
};

static inline enum tri tri_of(bool b)
{
	return b ? TRI_YES : TRI_NO;
}

/* The part of a fact that counts for the plan's id. */
void look_key(struct fact *f, const char *text);
const char *look_hex(const uint8_t t[20], char to[static 41]);
/* Behind what is there, with ", " between; what does not fit is cut. */
void look_add(char *to, size_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What is not among certificates that somebody picked may be there all the same. */
enum tri look_found(const struct host_state *s, bool there);
const char *look_found_text(const struct host_state *s, bool there);

void look_at_records(struct look *l); /* facts_records.c */
void look_at_smtp(struct look *l);    /* facts_smtp.c */
void look_at_doors(struct look *l);   /* facts_doors.c */

#endif
