/* utf16.c - from what Windows writes to UTF-8.
 *
 * Why: logs, netsh's text and PowerShell's files come as UTF-16, with or without a mark.
 * Promises: bytes may come in any pieces; nothing is dropped, so that the raw length can be told afterwards.
 * Refuses: nothing; a lone surrogate has three bytes and is the caller's to judge. */
#include "base/utf16.h"

#include <string.h>

size_t encoding_detect(const void *head, size_t n, enum text_encoding *encoding)
{
	const uint8_t *p = head;

	*encoding = TEXT_UTF8;
	if (n >= 3 && !memcmp(p, "\xEF\xBB\xBF", 3))
		return 3;
	if (n >= 2 && p[0] == 0xFF && p[1] == 0xFE) {
		*encoding = TEXT_UTF16LE;
		return 2;
	}
	if (n >= 2 && p[0] == 0xFE && p[1] == 0xFF) {
		*encoding = TEXT_UTF16BE;
		return 2;
	}
	if (n >= 4 && p[0] && !p[1] && p[2] && !p[3])
		*encoding = TEXT_UTF16LE;
	else if (n >= 4 && !p[0] && p[1] && !p[2] && p[3])
		*encoding = TEXT_UTF16BE;
	return 0;
}

static void put_code_point(struct buf *to, uint32_t c)
{
	char s[4];
	size_t n;

	if (c < 0x80) {
		buf_char(to, (char)c);
		return;
	}
	if (c < 0x800) {
		s[0] = (char)(0xC0 | c >> 6);
		n = 1;
	} else if (c < 0x10000) {
		s[0] = (char)(0xE0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3F));
		n = 2;
	} else {
		s[0] = (char)(0xF0 | c >> 18);
		s[1] = (char)(0x80 | (c >> 12 & 0x3F));
		s[2] = (char)(0x80 | (c >> 6 & 0x3F));
		n = 3;
	}
	s[n++] = (char)(0x80 | (c & 0x3F));
	buf_add(to, s, n);
}

static void take_unit(struct utf16 *u, uint16_t unit, struct buf *to)
{
	if (u->high && unit >= 0xDC00 && unit <= 0xDFFF) {
		put_code_point(to, 0x10000u + ((uint32_t)(u->high - 0xD800) << 10) + (uint32_t)(unit - 0xDC00));
		u->high = 0;
		return;
	}
	if (u->high)
		put_code_point(to, u->high); /* alone: whoever cleans the text will replace it */
	u->high = 0;
	if (unit >= 0xD800 && unit <= 0xDBFF)
		u->high = unit;
	else
		put_code_point(to, unit);
}

void utf16_feed(struct utf16 *u, const void *bytes, size_t n, struct buf *to)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i++) {
		uint8_t first = u->byte;

		u->byte = p[i];
		u->has_byte = !u->has_byte;
		if (u->has_byte)
			continue;
		take_unit(u, (uint16_t)(u->big_endian ? first << 8 | p[i] : p[i] << 8 | first), to);
	}
}

size_t utf16_raw_length(const char *text, size_t n)
{
	size_t raw = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)text[i];

		if ((c & 0xC0) != 0x80)
			raw += c >= 0xF0 ? 4 : 2;
	}
	return raw;
}

bool utf8_from_windows(struct buf *b)
{
	enum text_encoding encoding;
	size_t mark = encoding_detect(buf_text(b), b->n, &encoding);
	struct utf16 u = {.big_endian = encoding == TEXT_UTF16BE};
	struct buf to;

	buf_cut(b, mark);
	if (encoding == TEXT_UTF8)
		return true;
	buf_init(&to, b->max);
	utf16_feed(&u, buf_text(b), b->n, &to);
	if (to.refused) {
		buf_free(&to);
		return false;
	}
	buf_free(b);
	*b = to;
	return true;
}
