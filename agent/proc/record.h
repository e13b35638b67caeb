/* record.h - what a source adds to its records. */
#ifndef EVMEND_PROC_RECORD_H
#define EVMEND_PROC_RECORD_H

#include "base/buf.h"
#include "event/event.h"
#include "proc/config.h"

/* The labels of that source as the last member of the object in `json` (a newline behind it is allowed). NULL, or none: nothing is added. */
void record_labels(const struct config_source *s, struct buf *json);
/* Is this event of s (NULL: no source) a record itself? */
bool record_wants(const struct config_source *s, const struct event *ev);
/* What could not be read: its record, of kind agent; source: the stream. */
void record_malformed(const char *source, int64_t offset, const char *reason, const char *bytes, size_t n, struct buf *json, uint8_t uid[static 32]);

#endif
