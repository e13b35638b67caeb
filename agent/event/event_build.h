/* event_build.h - the bench on which every decoder puts one event together. Private to event/. */
#ifndef EVMEND_EVENT_EVENT_BUILD_H
#define EVMEND_EVENT_EVENT_BUILD_H

#include "base/arena.h"
#include "base/buf.h"
#include "event/event.h"
#include "event/field_name.h"

enum { BUILD_PAYLOAD = 0, BUILD_SYSTEM = 1, BUILD_DERIVED = 2 };

struct event_build {
	struct arena *arena;       /* of the batch; set by build_start */
	const struct names *names; /* NULL: every id is 0, and everything is asked for */
	struct field_names *known;
	struct event_field *fields;
	const struct field_name **origin; /* for a field made of an attribute: its element's name; else NULL */
	size_t n, cap;
	bool full;                 /* LIMIT_EVENT_FIELDS was reached: the event is to be refused */
	size_t n_derived, n_traces;
	bool cut;                  /* derived fields were left out */
	bool blanks;               /* a name so far has a blank */
	struct buf scratch;
	bool traces;               /* rules ask for what build_traces finds */
};

void build_init(struct event_build *b, const struct names *names);
void build_free(struct event_build *b);
void build_start(struct event_build *b, struct arena *arena);

const struct field_name *build_name(const struct event_build *b, const char *s, size_t n);
/* A derived field that no rule asks for is left out, and one beyond LIMIT_EVENT_DERIVED. value is borrowed:
 * a constant or in the arena, a NUL behind it. */
void build_field(struct event_build *b, unsigned how, const struct field_name *name, const char *value, size_t len);
/* As build_field, with a copy of the value, which it returns. */
const char *build_copy(struct event_build *b, unsigned how, const struct field_name *name, const char *value, size_t len);
/* The same two by a name in letters, which is copied. */
void build_put(struct event_build *b, unsigned how, const char *name, const char *value, size_t len);
const char *build_add(struct event_build *b, unsigned how, const char *name, const char *value, size_t len);
bool build_has(const struct event_build *b, const struct field_name *name); /* a payload field of that name */
bool build_wanted(const struct event_build *b, const struct field_name *name); /* some rule mentions it */
/* Bracketed Exchange text and PowerShell's error id in the payload so far become derived fields. */
void build_traces(struct event_build *b);
void build_trace_of(struct event_build *b, unsigned how, const char *text, size_t n);
/* Names with blanks get their two other spellings: "Threat Name" is ThreatName and Threat_Name as well. */
void build_spellings(struct event_build *b);
/* Hands fields and raw slice to ev, whose members are set. */
void build_finish(struct event_build *b, struct event *ev, const char *raw, size_t raw_n);

#endif
