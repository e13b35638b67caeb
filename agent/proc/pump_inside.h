/* pump_inside.h - what the parts of the pump share. */
#ifndef EVMEND_PROC_PUMP_INSIDE_H
#define EVMEND_PROC_PUMP_INSIDE_H

#include "base/json.h"
#include "proc/pace.h"
#include "proc/pump.h"
#include "proc/window.h"

#define CHUNK 512 /* records offered at once */

/* Where a sink stands in a lane of the spool. Each lane has its window: what is urgent has room, however many events are on their way. */
struct lane {
	struct window *window;
	int64_t taken;  /* everything up to here was offered, or is not wanted */
	int64_t stored; /* the cursor in the spool */
	int64_t wanted; /* above taken: the first behind it that the sink wants; else it is not known */
	bool more;      /* the spool may have records behind taken */
};

struct counts {
	int64_t sent, acknowledged, retried, dead, unnamed;
	int64_t dropped[RECORD_KINDS]; /* given up because there was too much */
	int64_t untold[RECORD_KINDS];  /* of these, since the last record that told it */
	int64_t untold_since;          /* wall; 0: there are none */
	int64_t dropped_last;          /* wall, of the newest that was given up; 0: none was */
	int64_t last, trouble_since;   /* wall */
};

struct refused {
	int64_t seq;
	char why[sizeof ((struct sink_result *)0)->why];
};

struct flow {
	struct sink *sink;
	const char *name;
	struct lane lanes[SPOOL_LANES];
	struct pace_bucket bucket;
	size_t chunk;
	bool started;
	bool opened;          /* once at least: before that there is nothing to ask */
	bool ended;           /* it is to be opened again, also when no record waits: it may have something to send again */
	bool full;            /* the sink did not take all that was offered last */
	int64_t not_before;
	unsigned failures;    /* in a row */
	struct counts counts;
	char why[160];        /* of the trouble; "": there is none */
	int64_t accepted_at;  /* monotonic: the last time that a record was */
	char held_why[160];   /* of the last record that waits for a person */
	int64_t held_since;   /* wall; 0: none does */
	char said[24];        /* how the reason begins that the log has */
	int64_t said_at;      /* monotonic */
	bool changed;         /* counts, since they were stored */
	int64_t stored_at;
	bool store_failed;
	struct refused *refused; /* for good, and not yet kept with the cursor that goes over them */
	size_t n_refused, most_refused;
};

struct pump {
	struct spool *spool;
	const struct clock *clock;
	const struct log *log;
	struct flow flows[PUMP_SINKS];
	size_t n;
	int64_t dropped_at, capped_at; /* monotonic; when something was given up last, and when that was looked at */
	bool over; /* the ceiling, and something could go: so it is looked again at once */
	bool said_cap;
	struct spool_record records[CHUNK];
	struct sink_result results[CHUNK];
};

/* Cursors and counters as they were kept. -1: the spool cannot be read now. */
int flow_start(struct pump *p, struct flow *f);
void flow_store_when_due(struct pump *p, struct flow *f, bool now);
int flow_note(struct pump *p, const struct flow *f, struct err *e); /* the counters, in the caller's transaction */
size_t flow_held(const struct flow *f); /* records that wait for a person */
void flow_refused(struct flow *f, const struct sink_result *r); /* kept when the cursors are stored */
/* Tried again at not_before, or after a pause that we choose. Told once until it works again, and when the reason is another. */
void flow_pause(struct pump *p, struct flow *f, const char *why, int64_t not_before);

#endif
