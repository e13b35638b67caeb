/* fleet.h - who reaches whom: every front end asked, by its own access, for every back end.
 *
 * A cell is one handshake and one request from a front end's own side to a back end's port (host.h: probe, with the back end's name
 * and port). A row is a front end, a column a back end; the diagonal is what a server sees of itself. A host that does not answer is a
 * row of unknown with the reason, never "no". Nothing here changes a server. */
#ifndef EVMEND_HEAL_FLEET_H
#define EVMEND_HEAL_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "host/host.h"

#define FLEET_CELL (10 * US_SECOND) /* one cell: a handshake that takes longer is none that a user waits for */
#define FLEET_REMARKS 64
#define FLEET_BAD_TOLD 64                /* cells in one ledger record */
#define FLEET_PATH "/owa/exhealth.check" /* what Managed Availability asks for */
#define FLEET_PORT 444                   /* of a back end whose own access does not tell it */

/* In the order of fleet_mark's words. Above CELL_OK each is bad. */
enum cell_outcome {
	CELL_UNKNOWN, CELL_OK, CELL_REFUSED, CELL_TIMEOUT, CELL_UNRESOLVABLE, CELL_RESET, CELL_EOF, CELL_ALERT, CELL_ERROR,
	CELL_MUTE, /* the handshake succeeded, the request was not answered */
	CELL_HTTP, /* answered with a status from 500 on */
	CELL_OLD,  /* answers, but speaks nothing newer than TLS 1.1: a hardened front end does not */
	CELL_OUTCOMES,
};

struct fleet_cell {
	enum cell_outcome outcome;
	int number;        /* of the alert, or the HTTP status */
	bool has_leaf;
	uint8_t leaf[20];  /* thumbprint that was shown */
	char spoken[16];   /* "TLSv1.2" */
	int64_t took_us;
	char seen[200];    /* for a person; for CELL_UNKNOWN the reason */
};

struct fleet_host {
	const char *name;  /* configured; borrowed */
	bool read;         /* it said who it is */
	bool exchange;     /* else it is left out */
	bool lab;
	char fqdn[256];    /* its own word, else the configured name */
	char shorter[64];  /* for tables */
	uint16_t port;     /* of its back end */
	char trouble[300]; /* why it was not read */
	char verdict[40];  /* of a diagnosis that was made beside; "" */
	int opened;        /* connections made for its row */
};

struct fleet {
	size_t n;
	struct fleet_host *hosts;
	struct fleet_cell *cells; /* [front * n + back] */
	int64_t when;             /* wall, when it was asked */
};

/* How the hosts are reached; open is called again when a connection broke. */
struct fleet_access {
	struct host *(*open)(void *arg, size_t host, int64_t deadline, struct err *e);
	void *arg;
	const struct clock *clock;
};

/* What a person should know, in one sentence. */
struct fleet_remark {
	size_t front, back; /* SIZE_MAX: none in particular */
	char text[400];
};

struct fleet *fleet_new(const char *const *names, size_t n); /* names are borrowed */
void fleet_free(struct fleet *f);
struct fleet_cell *fleet_cell(const struct fleet *f, size_t front, size_t back);
bool fleet_bad(const struct fleet_cell *c);

/* The pieces, each bounded by deadline (monotonic). *kept is the connection to that host, NULL at first; the caller closes it with
 * fleet_leave. Rows of different hosts may be asked in different threads once all hosts are identified. */
void fleet_identify(struct fleet *f, size_t i, const struct fleet_access *a, struct host **kept, int64_t deadline);
/* false: the rest of the row is unknown, and filled in as such. */
bool fleet_ask(struct fleet *f, size_t front, size_t back, const struct fleet_access *a, struct host **kept, int64_t deadline);
void fleet_leave(struct host **kept);

/* What follows from all cells together: at most max remarks, how many. */
size_t fleet_judge(const struct fleet *f, struct fleet_remark *to, size_t max);
/* "ok", "ref", "a70", "503", "?" */
const char *fleet_mark(const struct fleet_cell *c, char to[static 8]);
const char *fleet_outcome_text(enum cell_outcome o); /* "refused" */
bool fleet_outcome_parse(const char *s, enum cell_outcome *o);
/* Members of an open object. bad_only: no hosts, and the first FLEET_BAD_TOLD bad cells. */
void fleet_json(struct json_out *o, const struct fleet *f, bool bad_only);

#endif
