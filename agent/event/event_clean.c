/* event_clean.c - makes clean UTF-8 of whatever a Windows machine wrote.
 *
 * Why: wevtutil and PowerShell write UTF-16, code pages and C0 controls; a parser that stops at them loses the event.
 * Promises: output is UTF-8 with XML 1.0's characters only; text that is clean already is not copied; nothing is dropped:
 * what cannot stay becomes U+FFFD and is counted. CR survives the parser.
 * Refuses: nothing. */
#include "event/event_clean.h"

#include <string.h>

#include "base/text.h"

#define REPLACEMENT "\xEF\xBF\xBD"

static bool allowed(uint32_t c)
{
	return c >= 0x20 ? c != 0xFFFE && c != 0xFFFF : c == '\t' || c == '\n' || c == '\r';
}

/* Bytes from the start that need no second look: no control but TAB and LF, nothing above ASCII. */
static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;

	for (;;) {
		i += text_plain_run(p + i, n - i);
		if (i == n || (p[i] != '\t' && p[i] != '\n'))
			return i;
		i++;
	}
}

/* Length of a character reference at p ("&#13;", "&#xD;") and its code point; 0 when it is none. */
static size_t reference(const char *p, size_t n, uint32_t *c)
{
	bool hex = n > 2 && p[2] == 'x';
	size_t i = hex ? 3 : 2, digits = i;

	for (*c = 0; i < n && p[i] != ';'; i++) {
		char d = p[i];
		uint32_t v;

		if (d >= '0' && d <= '9')
			v = (uint32_t)(d - '0');
		else if (hex && (d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			v = (uint32_t)((d | 0x20) - 'a') + 10;
		else
			return 0;
		if (*c < 0x110000)
			*c = *c * (hex ? 16 : 10) + v;
	}
	return i < n && i > digits ? i + 1 : 0;
}

static bool forbidden_reference(uint32_t c)
{
	return !c || !allowed(c) || c >= 0x110000 || (c >= 0xD800 && c <= 0xDFFF);
}

/* No character reference here asks for what XML forbids. (One inside CDATA is no reference: the slow way knows.) */
static bool references_clean(const char *p, size_t n)
{
	const char *end = p + n;
	uint32_t c;

	while ((p = memchr(p, '&', (size_t)(end - p)))) {
		if (end - p > 1 && p[1] == '#' && reference(p, (size_t)(end - p), &c) && forbidden_reference(c))
			return false;
		p++;
	}
	return true;
}

static bool is_clean(const char *p, size_t n, bool xml)
{
	size_t i = 0, step;
	uint32_t c;

	while ((i += plain_run(p + i, n - i)) < n) {
		step = utf8_step(p + i, n - i, &c);
		if (!step || !allowed(c) || (xml && c == '\r'))
			return false;
		i += step;
	}
	return !xml || references_clean(p, n);
}

/* Where in XML a byte stands: enough to know what a CR means there. */
enum place { IN_TEXT, IN_TAG, IN_SINGLE, IN_DOUBLE, IN_CDATA, IN_OTHER };

static bool begins(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	return n >= len && !memcmp(p, word, len);
}

static enum place next_place(enum place at, const char *p, size_t n)
{
	switch (at) {
	case IN_TEXT:
		if (*p != '<')
			return IN_TEXT;
		if (begins(p, n, "<![CDATA["))
			return IN_CDATA;
		return begins(p, n, "<!--") || begins(p, n, "<?") ? IN_OTHER : IN_TAG;
	case IN_TAG:
		if (*p == '\'')
			return IN_SINGLE;
		return *p == '"' ? IN_DOUBLE : *p == '>' ? IN_TEXT : IN_TAG;
	case IN_SINGLE:
		return *p == '\'' ? IN_TAG : IN_SINGLE;
	case IN_DOUBLE:
		return *p == '"' ? IN_TAG : IN_DOUBLE;
	case IN_CDATA:
		return begins(p, n, "]]>") ? IN_TEXT : IN_CDATA;
	default:
		return begins(p, n, "-->") || begins(p, n, "?>") ? IN_TEXT : IN_OTHER;
	}
}

static void put_cr(struct buf *to, enum place at)
{
	if (at == IN_CDATA)
		buf_str(to, "]]>&#13;<![CDATA[");
	else if (at == IN_TEXT || at == IN_SINGLE || at == IN_DOUBLE)
		buf_str(to, "&#13;");
	else
		buf_char(to, ' ');
}

/* Bytes from the start that stay as they are and change no place. */
static size_t dull_run(const char *p, size_t n)
{
	size_t i = 0;

	for (; i < n; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c >= 0x80 || (c < 0x20 && c != '\t' && c != '\n'))
			break;
		if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' || c == ']' || c == '-' || c == '?')
			break;
	}
	return i;
}

static void clean_slowly(const char *p, size_t n, bool xml, struct buf *to, struct cleaned *out)
{
	enum place at = IN_TEXT;
	size_t step;
	uint32_t c;

	for (size_t i = 0; i < n; i += step) {
		step = dull_run(p + i, n - i);
		if (step) {
			buf_add(to, p + i, step);
			continue;
		}
		if (xml)
			at = next_place(at, p + i, n - i);
		step = utf8_step(p + i, n - i, &c);
		if (!step || !allowed(c)) {
			buf_str(to, REPLACEMENT);
			out->replaced++;
			/* a lone surrogate is one character of three bytes */
			step = n - i >= 3 && (uint8_t)p[i] == 0xED && ((uint8_t)p[i + 1] & 0xE0) == 0xA0 ? 3 : step ? step : 1;
			continue;
		}
		if (xml && c == '\r') {
			put_cr(to, at);
			continue;
		}
		if (xml && c == '&' && at != IN_CDATA && begins(p + i, n - i, "&#")) {
			size_t whole = reference(p + i, n - i, &c);

			if (whole && forbidden_reference(c)) {
				buf_str(to, REPLACEMENT);
				out->replaced++;
				step = whole;
				continue;
			}
		}
		buf_add(to, p + i, step);
	}
}

struct cleaned event_clean(const char *text, size_t n, bool xml, struct buf *scratch)
{
	struct cleaned out = { .p = text, .n = n };

	if (is_clean(text, n, xml))
		return out;
	buf_reset(scratch);
	clean_slowly(text, n, xml, scratch, &out);
	out.p = buf_text(scratch);
	out.n = scratch->n;
	out.refused = scratch->refused;
	return out;
}
