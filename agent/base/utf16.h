/* utf16.h - which encoding a file of Windows has, and UTF-16 to UTF-8.
 * U+0000 has one byte and a lone surrogate three, so that the raw length of any part can still be told. */
#ifndef EVMEND_BASE_UTF16_H
#define EVMEND_BASE_UTF16_H

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

/* The whole of b becomes UTF-8 without mark; what is UTF-8 already (or a code page: the caller must not mind) only loses its mark.
 * false: it does not fit b's ceiling. */
bool utf8_from_windows(struct buf *b);

#endif
