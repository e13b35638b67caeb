/* record.h - what a source adds to its records. */
#ifndef EVMEND_PROC_RECORD_H
#define EVMEND_PROC_RECORD_H

#include "base/buf.h"
#include "cases/engine.h"
#include "event/event.h"
#include "proc/config.h"

/* Labels, as a source has them, as the last member of the object in `json` (a newline behind it is allowed and goes). "": nothing is added. */
void record_labels(const char *labels, struct buf *json);
/* Is this event of s (NULL: no source) a record itself? */
bool record_wants(const struct config_source *s, const struct event *ev);
/* What could not be read: its record, of kind agent; source: the stream. */
void record_malformed(const char *source, int64_t offset, const char *reason, const char *bytes, size_t n, struct buf *json, uint8_t uid[static 32]);
/* That a silence has ended, and what it held back: of kind agent. */
void record_silence_ended(const struct engine_silence *s, struct buf *json, uint8_t uid[static 32]);

#endif
