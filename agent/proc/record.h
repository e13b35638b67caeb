/* record.h - what a source adds to its records. */
#ifndef EVMEND_PROC_RECORD_H
#define EVMEND_PROC_RECORD_H

#include "base/buf.h"
#include "proc/config.h"

/* The labels of that source as the last member of the object in `json` (a newline behind it is allowed). NULL, or none: nothing is added. */
void record_labels(const struct config_source *s, struct buf *json);

#endif
