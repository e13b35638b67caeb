/* event_json.h - an event as a record for receivers (docs/formats.md, kind event). */
#ifndef EVMEND_EVENT_EVENT_JSON_H
#define EVMEND_EVENT_EVENT_JSON_H

#include "base/buf.h"
#include "event/event.h"

/* One object without newline, with all that the event has but its raw text. whole false: only what says which event it is, and
 * "truncated":true. */
void event_json(const struct event *ev, const uint8_t uid[static 32], bool whole, struct buf *to);

#endif
