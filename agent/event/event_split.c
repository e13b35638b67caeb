/* event_split.c - cuts a stream of XML into single events, so that one bad event cannot take its neighbours along.
 *
 * Why: a parser that is given the whole stream ends at the first error; and "</Event>" may stand inside CDATA or a comment.
 * Promises: each byte is looked at once, and a second time only after an event that did not end, while such second looks are
 * fewer than the bytes of the stream (so hostile input costs twice, not its square). Holds at most one event.
 * Refuses: nothing; what is no event is named as junk, torn or too big, and the next event is found. */
#include "event/event_split.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "limits.h"

#define TAG_BYTES (64u << 10) /* a tag or declaration between events; longer is junk */
#define JUNK_BYTES 4096       /* junk is told when that much has come */

static bool begins(const char *p, size_t n, const char *word)
{
	size_t len = strlen(word);

	return n >= len && !memcmp(p, word, len);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Could these few bytes still become word? */
static bool may_become(const char *p, size_t n, const char *word)
{
	return n < strlen(word) && !memcmp(p, word, n);
}

/* "<Event" and no longer name. */
static bool opens_event(const char *p, size_t n)
{
	return n > 6 && !memcmp(p, "<Event", 6) && (is_space(p[6]) || p[6] == '>' || p[6] == '/');
}

static bool closes_event(const char *p, size_t n)
{
	return n > 7 && !memcmp(p, "</Event", 7) && (is_space(p[7]) || p[7] == '>');
}

/* Blank for the eye: also the "-" and "+" of a copied tree view, U+00A0 and a byte order mark in the middle. */
static bool is_filler(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_space(p[i]) || p[i] == '-' || p[i] == '+' || !p[i])
			continue;
		if (n - i > 1 && !memcmp(p + i, "\xC2\xA0", 2))
			i++;
		else if (n - i > 2 && !memcmp(p + i, "\xEF\xBB\xBF", 3))
			i += 2;
		else
			return false;
	}
	return true;
}

/* Position behind `end`, searching from `from`; 0 when it is not there yet, and s->resume remembers how far it looked. */
static size_t behind(struct split *s, const char *p, size_t n, size_t from, const char *end)
{
	size_t len = strlen(end), start = s->resume > from ? s->resume : from;
	const char *hit = start < n ? memmem(p + start, n - start, end, len) : NULL;

	if (hit) {
		s->resume = 0;
		return (size_t)(hit - p) + len;
	}
	s->resume = n > len ? n - len + 1 : 0;
	return 0;
}

/* Position behind the tag that opens at `from`, quoted '>' skipped. A '<' in it means that it is broken: it ends there. 0: not yet. */
static size_t behind_tag(const char *p, size_t n, size_t from)
{
	char quote = 0;

	for (size_t i = from + 1; i < n; i++) {
		if (p[i] == '<')
			return i;
		if (quote)
			quote = p[i] == quote ? 0 : quote;
		else if (p[i] == '"' || p[i] == '\'')
			quote = p[i];
		else if (p[i] == '>')
			return i + 1;
	}
	return 0;
}

/* A document type declaration with its internal subset. 0: not yet. */
static size_t behind_doctype(const char *p, size_t n, size_t from)
{
	char quote = 0;
	unsigned bracket = 0;

	for (size_t i = from; i < n; i++) {
		if (quote)
			quote = p[i] == quote ? 0 : quote;
		else if (p[i] == '"' || p[i] == '\'')
			quote = p[i];
		else if (p[i] == '[')
			bracket++;
		else if (p[i] == ']' && bracket)
			bracket--;
		else if (p[i] == '>' && !bracket)
			return i + 1;
	}
	return 0;
}

static void junk_from(struct split *s, size_t at)
{
	if (!s->dirty)
		s->start = at;
	s->dirty = true;
}

/* Junk up to `end` is told, once. */
static bool tell_junk(struct split *s, size_t end, size_t *from, size_t *len)
{
	bool tell = s->dirty && !s->quiet;

	*from = s->start;
	*len = end - s->start;
	s->quiet = s->quiet || s->dirty;
	s->dirty = false;
	return tell;
}

enum step { STEP_ON, STEP_MORE, STEP_EVENT, STEP_DOCTYPE };

/* One piece of markup between events, at s->at. */
static enum step outside_markup(struct split *s, const char *p, size_t n, bool final, size_t *doctype)
{
	const char *q = p + s->at;
	size_t rest = n - s->at, end;

	if (opens_event(q, rest))
		return STEP_EVENT;
	if (!final && (may_become(q, rest, "<Event ") || may_become(q, rest, "<!DOCTYPE") || may_become(q, rest, "<!--")))
		return STEP_MORE;
	if (begins(q, rest, "<!DOCTYPE")) {
		end = behind_doctype(p, n, s->at);
		*doctype = s->at;
	} else if (begins(q, rest, "<!--")) {
		end = behind(s, p, n, s->at + 4, "-->");
	} else if (begins(q, rest, "<?")) {
		end = behind(s, p, n, s->at + 2, "?>");
	} else {
		end = behind_tag(p, n, s->at);
		if (end && begins(q, rest, "</Event") && !begins(q, rest, "</Events"))
			junk_from(s, s->at);
	}
	if (!end && !final && rest <= TAG_BYTES)
		return STEP_MORE;
	s->resume = 0;
	if (!end) {
		junk_from(s, s->at++);
		return STEP_ON;
	}
	s->at = end;
	return begins(q, rest, "<!DOCTYPE") ? STEP_DOCTYPE : STEP_ON;
}

static enum split_kind outside(struct split *s, const char *p, size_t n, bool final, size_t *from, size_t *len)
{
	while (s->at < n) {
		const char *lt = memchr(p + s->at, '<', n - s->at);
		size_t text_end = lt ? (size_t)(lt - p) : n, doctype = 0;
		enum step step;

		if (!is_filler(p + s->at, text_end - s->at))
			junk_from(s, s->at);
		s->at = text_end;
		if (s->dirty && s->at - s->start > JUNK_BYTES && tell_junk(s, s->at, from, len))
			return SPLIT_JUNK;
		if (!lt)
			break;
		step = outside_markup(s, p, n, final, &doctype);
		if (step == STEP_MORE)
			return SPLIT_MORE;
		if (step == STEP_DOCTYPE) {
			*from = doctype;
			*len = s->at - doctype;
			return SPLIT_DOCTYPE;
		}
		if (step == STEP_EVENT) {
			if (tell_junk(s, s->at, from, len))
				return SPLIT_JUNK;
			*s = (struct split){ .at = s->at, .start = s->at, .inside = true, .seen = s->seen, .again = s->again };
			return SPLIT_MORE;
		}
	}
	if (final && tell_junk(s, n, from, len))
		return SPLIT_JUNK;
	return SPLIT_MORE;
}

/* Does the first element inside the <Event> tag that ends at `end` begin like <System? 1 yes, 0 no, -1 cannot be told yet. */
static int real_event(const char *p, size_t n, size_t end)
{
	while (end < n && is_filler(p + end, 1))
		end++;
	if (end < n && (begins(p + end, n - end, "<System>") || begins(p + end, n - end, "<System ")))
		return 1;
	return end == n || may_become(p + end, n - end, "<System>") ? -1 : 0;
}

/* One piece of markup inside an event. Returns STEP_EVENT when the event ends at s->at; *torn when another one begins there. */
static enum step inside_markup(struct split *s, const char *p, size_t n, bool *torn)
{
	const char *q = p + s->at;
	size_t rest = n - s->at, end;
	int real;

	if (may_become(q, rest, "<![CDATA[") || may_become(q, rest, "</Event>") || may_become(q, rest, "<Event ") ||
	    may_become(q, rest, "<!--"))
		return STEP_MORE;
	if (begins(q, rest, "<![CDATA["))
		end = behind(s, p, n, s->at + 9, "]]>");
	else if (begins(q, rest, "<!--"))
		end = behind(s, p, n, s->at + 4, "-->");
	else if (begins(q, rest, "<?"))
		end = behind(s, p, n, s->at + 2, "?>");
	else
		end = behind_tag(p, n, s->at);
	if (!end)
		return STEP_MORE;
	if (opens_event(q, rest)) {
		real = s->depth ? real_event(p, n, end) : 0;
		if (real < 0)
			return STEP_MORE;
		*torn = real > 0;
		if (*torn)
			return STEP_ON;
		s->depth += p[end - 2] != '/';
		s->at = end;
		return s->depth ? STEP_ON : STEP_EVENT;
	}
	s->at = end;
	if (closes_event(q, rest))
		return --s->depth ? STEP_ON : STEP_EVENT;
	return STEP_ON;
}

/* Markup inside an event that neither hides a "</Event>" nor is one: it is left behind without a look at its end. A '<' ends it in any
 * case, for in a tag it stands only where the tag is broken. */
static bool dull_markup(const char *q, size_t rest)
{
	if (rest < 9 || q[1] == '!' || q[1] == '?')
		return false;
	return q[1] == '/' ? q[2] != 'E' || !closes_event(q, rest) : q[1] != 'E' || !opens_event(q, rest);
}

#ifdef __SSE2__
static __m128i where(const char *p, char c)
{
	return _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8(c));
}

/* Bytes from the start without a '<' that may matter: one before '!', '?', 'E' or "/E". */
static size_t dull_run(const char *p, size_t n)
{
	size_t i = 0;

	for (; n - i >= 18; i += 16) {
		const char *q = p + i;
		__m128i next = _mm_or_si128(_mm_or_si128(where(q + 1, '!'), where(q + 1, '?')),
			_mm_or_si128(where(q + 1, 'E'), _mm_and_si128(where(q + 1, '/'), where(q + 2, 'E'))));
		int hits = _mm_movemask_epi8(_mm_and_si128(where(q, '<'), next));

		if (hits)
			return i + (size_t)__builtin_ctz((unsigned)hits);
	}
	return i;
}
#else
static size_t dull_run(const char *p, size_t n)
{
	(void)p, (void)n;
	return 0;
}
#endif

/* Leaves the event behind; bytes up to `end` were looked at. They are looked at once more for events that it swallowed (an unclosed
 * comment hides all that follows) as long as second looks stay fewer than first ones. Returns the length to tell. */
static size_t leave(struct split *s, size_t end)
{
	size_t length = end - s->start;

	s->inside = s->dirty = false;
	s->quiet = true;
	s->resume = s->depth = 0;
	s->at = end;
	if (s->again + length <= s->seen + end) {
		s->again += length;
		s->at = s->start + 6;
	}
	return length;
}

static enum split_kind inside(struct split *s, const char *p, size_t n, bool final, size_t *from, size_t *len)
{
	bool torn = false, whole = false;

	*from = s->start;
	while (s->at < n && s->at - s->start <= LIMIT_EVENT_BYTES) {
		const char *lt;
		enum step step;

		s->at += dull_run(p + s->at, n - s->at);
		lt = memchr(p + s->at, '<', n - s->at);
		s->at = lt ? (size_t)(lt - p) : n;
		if (!lt)
			break;
		if (dull_markup(lt, n - s->at)) {
			s->at++;
			continue;
		}
		step = inside_markup(s, p, n, &torn);
		if (step == STEP_MORE)
			break;
		*len = s->at - s->start;
		if (step == STEP_EVENT && *len <= LIMIT_EVENT_BYTES) {
			s->inside = s->quiet = false;
			return SPLIT_EVENT;
		}
		if (torn) {
			s->inside = false;
			s->depth = 0;
			return SPLIT_TORN;
		}
		whole = step == STEP_EVENT;
		if (whole)
			break;
	}
	if (n - s->start > LIMIT_EVENT_BYTES) {
		*len = leave(s, whole ? s->at : n);
		return SPLIT_TOO_BIG;
	}
	if (!final)
		return SPLIT_MORE;
	*len = leave(s, n);
	return SPLIT_TORN;
}

enum split_kind split_next(struct split *s, const char *p, size_t n, bool final, size_t *from, size_t *len)
{
	enum split_kind kind;

	if (!s->inside) {
		kind = outside(s, p, n, final, from, len);
		if (kind != SPLIT_MORE || !s->inside)
			return kind;
	}
	return inside(s, p, n, final, from, len);
}

size_t split_done(const struct split *s)
{
	return s->inside || s->dirty ? s->start : s->at;
}

void split_cut(struct split *s, size_t n)
{
	s->seen += n;
	s->at -= n;
	s->start = s->start > n ? s->start - n : 0;
	s->resume = s->resume > n ? s->resume - n : 0;
}
