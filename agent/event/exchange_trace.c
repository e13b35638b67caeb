/* exchange_trace.c - reads Exchange's bracketed error text wherever it stands.
 *
 * Why: the one public sign of a broken back end that names the server in trouble is inside a sentence in any language.
 * Promises: keys in any order, brackets with or without a blank between, names and GUIDs cut by a console's wrap put together.
 * Refuses: brackets longer than BRACKET_BYTES, brackets that do not close, and those without one of Exchange's own keys:
 * "[Server=x]" alone may come from anybody. */
#include "event/exchange_trace.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define BRACKET_BYTES 1024 /* the longest seen has 230 */

static const struct key {
	const char *name;
	bool ours; /* enough to know the bracket by */
	bool blanks; /* blanks belong to the value */
} keys[] = {
	{ "ClientAccessServer", true, false },
	{ "BackEndServer", true, false },
	{ "Server", false, false },
	{ "RequestId", true, false },
	{ "AuthZRequestId", true, false },
	{ "TimeStamp", false, true },
	{ "FailureCategory", true, false },
};

const char *const exchange_trace_names[] = { "ClientAccessServer", "BackEndServer", "Server", "RequestId", "AuthZRequestId", "TimeStamp",
	"FailureCategory", "FullyQualifiedErrorId", "ErrorNumber", NULL };

/* Length of the blank at s: space, TAB, or U+00A0, which copies from web pages have. */
static size_t blank_at(const char *s, size_t n)
{
	if (n && (*s == ' ' || *s == '\t'))
		return 1;
	return n > 1 && (unsigned char)s[0] == 0xC2 && (unsigned char)s[1] == 0xA0 ? 2 : 0;
}

static bool is_break(char c)
{
	return c == '\r' || c == '\n';
}

/* Copies the inside of the bracket that opens at s without its line breaks. Returns the length of all up to and with ']', or 0. */
static size_t squeeze(const char *s, size_t n, char to[static BRACKET_BYTES], size_t *to_n)
{
	bool after_break = true;
	size_t i = 1, k = 0, blank;

	if (n > BRACKET_BYTES)
		n = BRACKET_BYTES;
	while (i < n && s[i] != ']') {
		if (s[i] == '[')
			return 0;
		blank = blank_at(s + i, n - i);
		if (is_break(s[i])) {
			after_break = true;
			i++;
		} else if (blank) {
			if (!after_break)
				to[k++] = ' ';
			i += blank;
		} else {
			after_break = false;
			to[k++] = s[i++];
		}
	}
	*to_n = k;
	return i < n ? i + 1 : 0;
}

static size_t without_blanks(char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] != ' ')
			s[k++] = s[i];
	return k;
}

static const struct key *key_of(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (text_same_n(keys[i].name, strlen(keys[i].name), s, n))
			return &keys[i];
	return NULL;
}

/* One "Key=value". Returns whether it is a field; *ours when its key belongs to Exchange alone. */
static bool part(char *s, size_t n, struct arena *a, struct trace_field *out, bool *ours)
{
	char *equals = memchr(s, '=', n);
	const struct key *key;
	char *value;
	size_t len;

	if (!equals)
		return false;
	key = key_of(s, without_blanks(s, (size_t)(equals - s)));
	if (!key)
		return false;
	*ours = *ours || key->ours;
	value = equals + 1;
	len = n - (size_t)(value - s);
	if (!key->blanks)
		len = without_blanks(value, len);
	while (len && *value == ' ')
		value++, len--;
	while (len && value[len - 1] == ' ')
		len--;
	if (!len)
		return false;
	if (!strcmp(key->name, "BackEndServer") && (text_same_n(value, len, "UnKown", 6) || text_same_n(value, len, "Unknown", 7)))
		return false;
	*out = (struct trace_field){ key->name, arena_copy(a, value, len), len };
	return true;
}

static size_t parts(char *s, size_t n, struct arena *a, struct trace_field *out, bool *ours)
{
	size_t found = 0;

	while (n && found < TRACE_FIELDS) {
		char *comma = memchr(s, ',', n);
		size_t len = comma ? (size_t)(comma - s) : n;

		found += part(s, len, a, &out[found], ours);
		len += comma ? 1 : 0;
		s += len;
		n -= len;
	}
	return found;
}

size_t exchange_trace_next(const char *text, size_t n, size_t *at, struct arena *a, struct trace_field out[static TRACE_FIELDS])
{
	while (*at < n) {
		const char *open = memchr(text + *at, '[', n - *at);
		size_t whole, len = 0, found;
		bool ours = false;

		if (!open)
			break;
		char inside[BRACKET_BYTES] = { 0 };

		*at = (size_t)(open - text) + 1;
		whole = squeeze(open, n - *at + 1, inside, &len);
		if (!whole || !memchr(inside, '=', len))
			continue;
		found = parts(inside, len, a, out, &ours);
		if (!ours)
			continue;
		*at += whole - 1;
		if (found)
			return found;
	}
	*at = n;
	return 0;
}

/* Where `word` begins in text, in any case; n when it is not there. */
static size_t find(const char *text, size_t n, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= n; i++) {
		const char *p = memchr(text + i, word[0], n - len + 1 - i);

		if (!p)
			return n;
		i = (size_t)(p - text);
		if (text_same_n(p, len, word, len))
			return i;
	}
	return n;
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\t' || is_break(c) || c == '<';
}

/* Where the id begins: behind its label, or, since the label is translated in events, before ",PSSession...". */
static size_t id_start(const char *text, size_t n)
{
	static const char *const labels[] = { "FullyQualifiedErrorId", "Fully Qualified Error ID" };
	size_t at;

	for (size_t i = 0; i < 2; i++) {
		at = find(text, n, labels[i]);
		if (at == n)
			continue;
		at += strlen(labels[i]);
		while (at < n && (ends_word(text[at]) || text[at] == ':' || text[at] == '='))
			at++;
		return at;
	}
	at = find(text, n, ",PSSession");
	if (at == n)
		return n;
	while (at && ((text[at - 1] >= '0' && text[at - 1] <= '9') || text[at - 1] == '-'))
		at--;
	return at;
}

size_t exchange_error_id(const char *text, size_t n, struct arena *a, struct trace_field out[static TRACE_FIELDS])
{
	size_t from = id_start(text, n), to = from;
	const char *comma;
	int64_t number;

	while (to < n && !ends_word(text[to]))
		to++;
	if (to == from)
		return 0;
	out[0] = (struct trace_field){ "FullyQualifiedErrorId", arena_copy(a, text + from, to - from), to - from };
	comma = memchr(out[0].value, ',', out[0].len);
	if (!comma || !text_int(out[0].value, (size_t)(comma - out[0].value), &number))
		return 1;
	out[1].name = "ErrorNumber";
	out[1].len = (size_t)(comma - out[0].value);
	out[1].value = arena_copy(a, out[0].value, out[1].len);
	return 2;
}
