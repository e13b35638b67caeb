/* pump.h - from the spool to the receivers: one cursor and one state for each. */
#ifndef EVMEND_PROC_PUMP_H
#define EVMEND_PROC_PUMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/os.h"
#include "proc/config.h"
#include "ship/spool.h"

struct pump;

/* All arguments are borrowed. */
struct pump *pump_new(const struct config *c, struct spool *s, const struct clock *clock, const struct log *log);
void pump_free(struct pump *p);
void pump_run(struct pump *p);        /* never blocks for long */
bool pump_busy(const struct pump *p); /* something is on its way or could be sent now */
bool pump_empty(struct pump *p);      /* every receiver has everything */
size_t pump_wait(struct pump *p, struct os_poll *to, size_t n);

#endif
