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

enum text_encoding { TEXT_UTF8, TEXT_UTF16LE, TEXT_UTF16BE };

/* By a byte order mark, else by where the zero bytes stand. Returns the length of the mark. n >= 4 is enough. */
size_t encoding_detect(const void *head, size_t n, enum text_encoding *encoding);

struct utf16 {
	bool big_endian;
	bool has_byte;     /* half a unit is waiting */
	uint8_t byte;
	uint16_t high;     /* a high surrogate is waiting for its partner; 0: none */
};

void utf16_feed(struct utf16 *u, const void *bytes, size_t n, struct buf *to);
/* How many bytes of UTF-16 these bytes of utf16_feed's output came from. */
size_t utf16_raw_length(const char *text, size_t n);

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
