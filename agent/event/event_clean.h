/* event_clean.h - from the bytes of a log to UTF-8 that an XML parser takes. Private to event/.
 *
 * Two steps. The encoding is undone for the whole stream (UTF-16 becomes UTF-8 in which a lone surrogate has three bytes and U+0000 has
 * one, so that the raw length of any part can still be told). Then each event by itself is cleaned: what XML 1.0 forbids
 * becomes U+FFFD and is counted. Windows does write such characters; an event with one is still an event. */
#ifndef EVMEND_EVENT_EVENT_CLEAN_H
#define EVMEND_EVENT_EVENT_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/utf16.h"

struct cleaned {
	const char *p; /* the text that was given when nothing had to be done, else in scratch */
	size_t n;
	uint64_t replaced; /* characters that became U+FFFD */
	bool refused;      /* grew past the ceiling of scratch */
};

/* xml: character references to forbidden characters are replaced too, and CR in character data, attribute values and CDATA
 * becomes a reference, because a parser must otherwise drop it (XML 1.0, 2.11). Plain text keeps its CR. */
struct cleaned event_clean(const char *text, size_t n, bool xml, struct buf *scratch);

#endif
