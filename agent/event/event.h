/* event.h - one Windows event (or one line of text made into one), as rules see it.
 *
 * Read-only after parsing. All text is UTF-8 with a NUL behind it; values may hold CR, LF and TAB as they came. It lives in the
 * arena of its batch, names of fields in the decoder; `raw` has neither a NUL nor a life beyond the call that hands out the event.
 * Field names follow ../docs/sigma.md ("Field names"): System members joined by '_', EventData/Data by their Name, UserData leaves
 * and attributes by local name, unnamed Data under "Data" and "Data[1]"... */
#ifndef EVMEND_EVENT_EVENT_H
#define EVMEND_EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/names.h"

enum event_flag {
	EVENT_CLEANED = 1,   /* had characters that XML 1.0 forbids; they became U+FFFD */
	EVENT_CUT = 2,       /* it would have had too many derived fields: some were left out */
	EVENT_NO_TIME = 4,   /* no usable time: `time` is what the source gave */
	EVENT_FROM_TEXT = 8, /* provider evmend-text: console text or a log row */
};

struct event_field {
	const char *name;  /* as it stands in the event */
	const char *value;
	uint32_t len;
	uint16_t id;       /* in the names table; 0: no rule asks for it */
	bool system;       /* from <System>: payload fields of that name win over it */
	bool derived;      /* an alias of another field (Data[1], ThreatName, Elem_Attr, bracket text): there only when a rule asks
			    * for it; no keyword search */
};

struct event {
	/* System, as members: never to be shadowed by payload */
	const char *provider, *channel, *computer;
	uint32_t event_id; /* 0 when it is not a number */
	int level;         /* 0..5, -1 when absent */
	uint64_t record_id;
	int64_t time;      /* us since 1970 UTC */
	int64_t received;
	unsigned flags;

	const struct event_field *fields; /* System and payload, in document order, derived ones behind what they come from */
	size_t n;

	const char *raw;   /* the slice it was read from, UTF-8, after cleaning; see above */
	size_t raw_n;
	const char *source; /* path as given, "-" for stdin */
	int64_t offset;    /* where the slice began in the (decoded) source */
};

/* SHA-256 of (computer, channel, record id, time), or of the raw bytes where these lack: while `raw` lives. */
void event_uid(const struct event *ev, uint8_t to[static 32]);
bool event_has_place(const struct event *ev); /* it needs no bytes: it is event_place_uid of these four, at any time */
void event_place_uid(const char *computer, const char *channel, uint64_t record_id, int64_t time, uint8_t to[static 32]);
/* First field of that name by the collision rule; NULL when absent. */
const struct event_field *event_get(const struct event *ev, const char *name);
const char *event_value(const struct event *ev, const char *name); /* "" when absent */
/* Next field with this id from position *at (start with 0); NULL at the end. Skips System fields that payload shadows. */
const struct event_field *event_next(const struct event *ev, uint16_t id, size_t *at);

#endif
