/* pump.h - from the spool to the receivers: a cursor in each lane and one state for each. What is urgent goes first. */
#ifndef EVMEND_PROC_PUMP_H
#define EVMEND_PROC_PUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/os.h"
#include "ship/sink.h"
#include "ship/spool.h"

#define PUMP_WINDOW 8192 /* records of one sink and lane that are on their way */

struct pump;

/* Arguments are borrowed. */
struct pump *pump_new(struct spool *s, const struct clock *clock, const struct log *log);
void pump_add(struct pump *p, struct sink *s); /* owns s; at most PUMP_SINKS */
#define PUMP_SINKS 16
void pump_free(struct pump *p);
void pump_run(struct pump *p);        /* never blocks for long */
/* How long nothing has to be done unless a descriptor is ready or new records came: ms, at most `most`. */
int pump_wait_ms(const struct pump *p, int most);
void pump_came(struct pump *p);       /* records were put into the spool */
bool pump_empty(struct pump *p);      /* every receiver has everything, and the cursors say so */
size_t pump_wait(struct pump *p, struct os_poll *to, size_t n);
/* The spool may hold so many bytes: what is over it is given up, the least worth first (spool_give_up), and counted for each sink that wanted
 * it. What a sink has taken and not answered stays. Told by one record of kind agent, "spool-dropped", when nothing was given up for a minute
 * or it has gone on for an hour. */
void pump_cap(struct pump *p, int64_t bytes);

/* What the pump tells of a sink, kept in the spool beside its cursor (spool_note), since the spool was made. A JSON object: sent
 * (a repeat counts again), acknowledged, retried, dead (refused for good), unnamed (acknowledged, and thrown away by the receiver,
 * which does not say which they were), dropped and untold (objects: how many of each kind were given up), dropped_last (when the
 * newest was), untold_since, last (time of the newest acknowledgement), trouble (why it does not take records; left out: it does)
 * and trouble_since, held (how many wait for a person; left out: none), held_why and held_since. */

#endif
