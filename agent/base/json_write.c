/* json_write.c - writing JSON, ours because it is on the hot path (jansson's tree costs forty times as much).
 *
 * Promises: valid JSON from any bytes: control characters (C0, DEL, C1) are escaped, NUL and invalid UTF-8 become U+FFFD (readers that hold
 * texts as C does refuse \u0000, our own among them).
 * Refuses: nothing; the buffer's ceiling is the limit, and its `refused` tells. Keys are program text and are escaped too. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

/* Non-zero when one of eight bytes is a control character, '"', '\\', DEL or not ASCII. */
static uint64_t special8(const char *s)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = 0x80 * ones;
	uint64_t w, quote, slash, del;

	memcpy(&w, s, 8);
	quote = w ^ '"' * ones;
	slash = w ^ '\\' * ones;
	del = w ^ 0x7f * ones;
	/* (x - 1) & ~x has its high bit where a byte is 0; w - 0x20 where it is below a blank. A borrow can only raise a
	 * false alarm behind a true one. */
	return ((w - 0x20 * ones) | w | ((quote - ones) & ~quote) | ((slash - ones) & ~slash) | ((del - ones) & ~del)) & high;
}

static bool plain(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 0x20 && u < 0x7f && u != '"' && u != '\\';
}

static void escape(struct buf *b, uint32_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = strchr(from, (int)c);
	char code[8];

	if (c < 0x80 && at) {
		code[0] = '\\';
		code[1] = to[at - from];
		buf_add(b, code, 2);
		return;
	}
	snprintf(code, sizeof code, "\\u%04x", (unsigned)c & 0xffff);
	buf_add(b, code, 6);
}

/* Does the text stand in JSON as it is? */
static bool all_plain(const char *s, size_t n)
{
	char last[8];

	if (n < 8) {
		memset(last, ' ', sizeof last);
		memcpy(last, s, n);
		return !special8(last);
	}
	for (size_t i = 0; i + 8 < n; i += 8)
		if (special8(s + i))
			return false;
	return !special8(s + n - 8);
}

static void put_escaped(struct buf *b, const char *s, size_t n)
{
	size_t i = 0, start = 0, len;
	uint32_t c;

	while (i < n) {
		if (n - i >= 8 && !special8(s + i)) {
			i += 8;
			continue;
		}
		if (plain(s[i])) {
			i++;
			continue;
		}
		len = utf8_step(s + i, n - i, &c);
		if (len > 1 && c > 0x9f) {
			i += len;
			continue;
		}
		buf_add(b, s + start, i - start);
		if (len == 0 || c == 0)
			buf_str(b, "\xef\xbf\xbd"); /* U+FFFD, one for each bad byte */
		else
			escape(b, c);
		i += len ? len : 1;
		start = i;
	}
	buf_add(b, s + start, n - start);
}

/* before, the quoted text, after; a NUL for before or after means nothing. */
static void put_quoted(struct buf *b, char before, const char *s, size_t n, char after)
{
	char *to = all_plain(s, n) ? buf_room(b, n + 4) : NULL, *p = to;

	if (!to) {
		if (before)
			buf_char(b, before);
		buf_char(b, '"');
		put_escaped(b, s, n);
		buf_char(b, '"');
		if (after)
			buf_char(b, after);
		return;
	}
	if (before)
		*p++ = before;
	*p++ = '"';
	memcpy(p, s, n);
	p += n;
	*p++ = '"';
	if (after)
		*p++ = after;
	buf_wrote(b, (size_t)(p - to));
}

/* The comma and the key that stand before a value. */
static void before(struct json_out *o, const char *key)
{
	if (key)
		put_quoted(o->to, o->need_comma ? ',' : '\0', key, strlen(key), ':');
	else if (o->need_comma)
		buf_char(o->to, ',');
	o->need_comma = true;
}

void json_begin(struct json_out *o, struct buf *to)
{
	*o = (struct json_out){ .to = to };
}

void json_open(struct json_out *o, const char *key, char bracket)
{
	before(o, key);
	buf_char(o->to, bracket);
	o->need_comma = false;
	o->depth++;
}

void json_close(struct json_out *o, char bracket)
{
	buf_char(o->to, bracket);
	o->depth--;
	o->need_comma = o->depth > 0; /* at the top the next value is another document */
}

void json_put_strn(struct json_out *o, const char *key, const char *value, size_t n)
{
	before(o, key);
	if (value)
		put_quoted(o->to, '\0', value, n, '\0');
	else
		buf_str(o->to, "null");
}

void json_put_str(struct json_out *o, const char *key, const char *value)
{
	json_put_strn(o, key, value, value ? strlen(value) : 0);
}

void json_put_int(struct json_out *o, const char *key, int64_t value)
{
	char digits[24];

	before(o, key);
	buf_add(o->to, digits, text_decimal(digits, value));
}

void json_put_real(struct json_out *o, const char *key, double value, int digits)
{
	before(o, key);
	if (isfinite(value))
		buf_printf(o->to, "%.*f", digits, value);
	else
		buf_str(o->to, "null"); /* JSON has no word for it */
}

void json_put_bool(struct json_out *o, const char *key, bool value)
{
	before(o, key);
	buf_str(o->to, value ? "true" : "false");
}

void json_put_null(struct json_out *o, const char *key)
{
	before(o, key);
	buf_str(o->to, "null");
}

void json_put_time(struct json_out *o, const char *key, int64_t us)
{
	if (us && us != o->time) {
		time_text(us, o->time_text);
		o->time = us;
	}
	json_put_str(o, key, us ? o->time_text : NULL);
}

void json_put_raw(struct json_out *o, const char *key, const char *json)
{
	before(o, key);
	buf_str(o->to, json);
}
