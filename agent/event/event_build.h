/* event_build.h - the bench on which every decoder puts one event together. Private to event/. */
#ifndef EVMEND_EVENT_EVENT_BUILD_H
#define EVMEND_EVENT_EVENT_BUILD_H

#include "base/arena.h"
#include "base/buf.h"
#include "event/event.h"

enum { BUILD_PAYLOAD = 0, BUILD_SYSTEM = 1, BUILD_DERIVED = 2 };

struct event_build {
	struct arena *arena;       /* of the batch; set by build_start */
	const struct names *names; /* NULL: every id is 0 */
	struct event_field *fields;
	const char **origin;       /* for a field made of an attribute: its element's name; else NULL */
	size_t n, cap;
	bool full;                 /* LIMIT_EVENT_FIELDS was reached: the event is to be refused */
	bool cut;                  /* a value was cut to LIMIT_FIELD_BYTES */
	struct buf scratch;
};

void build_init(struct event_build *b, const struct names *names);
void build_free(struct event_build *b);
void build_start(struct event_build *b, struct arena *arena);

/* name and value are borrowed: they must be constants or live in the arena. A NUL stands behind value. */
void build_put(struct event_build *b, unsigned how, const char *name, const char *value, size_t len);
/* Copies the value, cut to LIMIT_FIELD_BYTES. Returns the copy. */
const char *build_add(struct event_build *b, unsigned how, const char *name, const char *value, size_t len);
bool build_has(const struct event_build *b, const char *name); /* a payload field of that name */
bool build_wanted(const struct event_build *b, const char *name); /* some rule mentions it */
/* Bracketed Exchange text and PowerShell's error id in the payload so far become derived fields. */
void build_traces(struct event_build *b);
void build_trace_of(struct event_build *b, unsigned how, const char *text, size_t n);
/* Names with blanks get their two other spellings: "Threat Name" is ThreatName and Threat_Name as well. */
void build_spellings(struct event_build *b);
/* Hands fields, raw slice and uid to ev, whose members are set. */
void build_finish(struct event_build *b, struct event *ev, const char *raw, size_t raw_n);

#endif
