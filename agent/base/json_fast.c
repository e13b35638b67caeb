/* json_fast.c - the plain part of JSON, in a fraction of jansson's time.
 *
 * Why: every record is read for every receiver, and three quarters of what that cost was jansson's reader, which goes byte by byte.
 * Promises: the same tree, made with jansson's own functions. Refuses, and so leaves to jansson, everything that is wrong (jansson says
 * what) or rare: \u, keys with escapes, numbers that are no integers of at most 18 digits, names that occur twice. */
#include "base/json_fast.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

#define STRING_MAX (64u << 20) /* of unescaped text: no document is so large */

struct fast {
	const char *at, *end;
	struct buf text; /* of a string with escapes */
};

static json_t *value(struct fast *f);

static void skip_blanks(struct fast *f)
{
	while (f->at < f->end && (*f->at == ' ' || *f->at == '\n' || *f->at == '\t' || *f->at == '\r'))
		f->at++;
}

static bool take(struct fast *f, char c)
{
	skip_blanks(f);
	if (f->at == f->end || *f->at != c)
		return false;
	f->at++;
	return true;
}

/* Eight bytes that are neither control characters, nor quotes, nor backslashes, nor beyond ASCII. */
static bool plain8(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
	uint64_t w, quote, slash;

	memcpy(&w, p, sizeof w);
	quote = w ^ ones * '"';
	slash = w ^ ones * '\\';
	return !(((w - ones * 0x20) | w | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops);
}

/* To the end of the plain run. *high: bytes beyond ASCII were there. */
static void run(struct fast *f, bool *high)
{
	for (;;) {
		while (f->end - f->at >= 8 && plain8(f->at))
			f->at += 8;
		for (int i = 0; i < 8; i++, f->at++) {
			if (f->at == f->end || *f->at == '"' || *f->at == '\\' || (unsigned char)*f->at < 0x20)
				return;
			*high = *high || (unsigned char)*f->at >= 0x80;
		}
	}
}

/* Behind the opening quote; the text lives until the next string. false: not for us. */
static bool string(struct fast *f, const char **s, size_t *n, bool *high, bool *escaped)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	*high = *escaped = false;
	*s = f->at;
	run(f, high);
	*n = (size_t)(f->at - *s);
	while (f->at < f->end && *f->at == '\\') {
		const char *which = f->at + 1 < f->end && f->at[1] ? strchr(from, f->at[1]) : NULL, *next;

		if (!which)
			return false;
		if (!*escaped) {
			buf_reset(&f->text);
			buf_add(&f->text, *s, *n);
			*escaped = true;
		}
		buf_char(&f->text, to[which - from]);
		next = f->at += 2;
		run(f, high);
		buf_add(&f->text, next, (size_t)(f->at - next));
	}
	if (f->at == f->end || *f->at != '"')
		return false;
	f->at++;
	if (*escaped) {
		*s = f->text.p;
		*n = f->text.n;
	}
	return true;
}

static json_t *text(struct fast *f)
{
	const char *s;
	size_t n;
	bool high, escaped;

	if (!string(f, &s, &n, &high, &escaped))
		return NULL;
	return high ? json_stringn(s, n) : json_stringn_nocheck(s, n); /* the first looks whether it is UTF-8 */
}

static bool member(struct fast *f, json_t *object)
{
	const char *key;
	size_t n, before = json_object_size(object);
	bool high, escaped;
	json_t *v;

	if (!take(f, '"') || !string(f, &key, &n, &high, &escaped) || escaped || !take(f, ':'))
		return false;
	v = value(f);
	if (!v || (high ? json_object_setn_new(object, key, n, v) : json_object_setn_new_nocheck(object, key, n, v)) != 0)
		return false;
	return json_object_size(object) > before; /* else it was there already */
}

static bool item(struct fast *f, json_t *array)
{
	json_t *v = value(f);

	return v && json_array_append_new(array, v) == 0;
}

/* Behind the opening bracket. */
static json_t *members(struct fast *f, json_t *whole, char close, bool (*one)(struct fast *f, json_t *whole))
{
	if (take(f, close))
		return whole;
	do {
		if (!one(f, whole)) {
			json_decref(whole);
			return NULL;
		}
	} while (take(f, ','));
	if (take(f, close))
		return whole;
	json_decref(whole);
	return NULL;
}

static json_t *number(struct fast *f)
{
	bool minus = *f->at == '-';
	const char *first = f->at += minus;
	json_int_t n = 0;

	while (f->at < f->end && *f->at >= '0' && *f->at <= '9' && f->at - first < 18)
		n = n * 10 + (*f->at++ - '0');
	if (f->at == first || (*first == '0' && f->at - first > 1) || (f->at < f->end && memchr("0123456789.eE", *f->at, 13)))
		return NULL;
	return json_integer(minus ? -n : n);
}

static bool word(struct fast *f, const char *w)
{
	size_t n = strlen(w);

	if ((size_t)(f->end - f->at) < n || memcmp(f->at, w, n) != 0)
		return false;
	f->at += n;
	return true;
}

static json_t *value(struct fast *f)
{
	skip_blanks(f);
	if (f->at == f->end)
		return NULL;
	switch (*f->at) {
	case '"':
		f->at++;
		return text(f);
	case '{':
		f->at++;
		return members(f, json_object(), '}', member);
	case '[':
		f->at++;
		return members(f, json_array(), ']', item);
	case 't':
		return word(f, "true") ? json_true() : NULL;
	case 'f':
		return word(f, "false") ? json_false() : NULL;
	case 'n':
		return word(f, "null") ? json_null() : NULL;
	default:
		return *f->at == '-' || (*f->at >= '0' && *f->at <= '9') ? number(f) : NULL;
	}
}

json_t *json_fast(const char *from, size_t n)
{
	struct fast f = { .at = from, .end = from + n };
	json_t *j;

	buf_init(&f.text, STRING_MAX);
	j = value(&f);
	skip_blanks(&f);
	if (j && f.at != f.end) {
		json_decref(j);
		j = NULL;
	}
	buf_free(&f.text);
	return j;
}
