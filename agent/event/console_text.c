/* console_text.c - what a person copied out of a shell window, as events.
 *
 * Why: the error that leads people here is often in no event log at all, only on their screen.
 * Promises: blocks end at a blank line or where the shell begins something new; lines that begin with '+' belong to the error
 * above them. Any language: only brackets, PowerShell's own keywords and Verb-Noun names are looked at.
 * Refuses: nothing; a block with neither a bracket of Exchange's nor an error id is no event. */
#include "event/console_text.h"

#include <string.h>

#include "base/text.h"
#include "event/exchange_trace.h"
#include "limits.h"

#define HOST_BYTES 256

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool letter(char c)
{
	return upper(c) || (c >= 'a' && c <= 'z');
}

/* Length of the blank at s: space, TAB, CR, U+00A0. */
static size_t blank_at(const char *s, size_t n)
{
	if (n && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n'))
		return 1;
	return n > 1 && (unsigned char)s[0] == 0xC2 && (unsigned char)s[1] == 0xA0 ? 2 : 0;
}

static size_t skip_blanks(const char *s, size_t n, size_t i)
{
	size_t step;

	while ((step = blank_at(s + i, n - i)) > 0)
		i += step;
	return i;
}

/* "New-PSSession :" : how PowerShell begins an error. Returns the position behind the colon, 0 when it is none. */
static size_t behind_cmdlet(const char *s, size_t n)
{
	size_t i = 0, dash = 0;

	if (!n || !upper(s[0]))
		return 0;
	while (i < n && (letter(s[i]) || s[i] == '-')) {
		if (s[i] == '-')
			dash = i;
		i++;
	}
	if (!dash || dash + 1 == i)
		return 0;
	i = skip_blanks(s, n, i);
	return i < n && s[i] == ':' ? i + 1 : 0;
}

/* "VERBOSE:", "AUSF\u00DCHRLICH:", "WARNING:": a word in capitals (letters above ASCII count as such) and a colon. */
static bool is_stream_prefix(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (upper(s[i]) || (unsigned char)s[i] >= 0x80))
		i++;
	return i >= 4 && upper(s[0]) && i < n && s[i] == ':';
}

static bool is_prompt(const char *s, size_t n)
{
	return (n > 3 && !memcmp(s, "PS ", 3)) || (n > 4 && !memcmp(s, "[PS]", 4));
}

static bool starts_block(const char *s, size_t n)
{
	return behind_cmdlet(s, n) || is_stream_prefix(s, n) || is_prompt(s, n);
}

static bool give(struct console_split *s, size_t end, size_t *from, size_t *len)
{
	*from = s->block;
	*len = end - s->block;
	s->block = end;
	s->open = s->gap = false;
	return true;
}

bool console_next(struct console_split *s, const char *p, size_t n, bool final, size_t *from, size_t *len)
{
	while (s->at < n) {
		const char *nl = memchr(p + s->at, '\n', n - s->at);
		size_t line = s->at, end = nl ? (size_t)(nl - p) + 1 : n, first;

		if (!nl && !final && n - s->block <= LIMIT_TEXT_BYTES)
			return false;
		first = skip_blanks(p, end, line);
		if (first == end) {
			s->gap = true;
			s->at = end;
			if (!s->open)
				s->block = end;
			continue;
		}
		if (s->open && p[first] != '+' && (s->gap || starts_block(p + first, end - first)))
			return give(s, line, from, len);
		s->open = true;
		s->gap = false;
		s->at = end;
		/* the id is PowerShell's last word on an error; or the block is more than anybody pastes */
		if ((p[first] == '+' && text_has(p + first, end - first, "FullyQualifiedErrorId")) || end - s->block > LIMIT_TEXT_BYTES)
			return give(s, end, from, len);
	}
	return final && s->open ? give(s, n, from, len) : false;
}

size_t console_done(const struct console_split *s)
{
	return s->block;
}

void console_cut(struct console_split *s, size_t n)
{
	s->block -= n;
	s->at -= n;
}

/* The host of "New-PSSession : [host] ..." or of a text that begins with "[host] ". */
static bool prefix_host(const char *s, size_t n, char host[static HOST_BYTES])
{
	size_t i = skip_blanks(s, n, 0), behind = behind_cmdlet(s + i, n - i);
	const char *close;
	size_t len;

	i = skip_blanks(s, n, i + behind);
	if (i >= n || s[i] != '[')
		return false;
	close = memchr(s + i, ']', n - i);
	len = close ? (size_t)(close - s) - i - 1 : 0;
	if (!len || len >= HOST_BYTES)
		return false;
	memcpy(host, s + i + 1, len);
	host[len] = '\0';
	return text_host_ok(host) && strcmp(host, "PS") != 0;
}

/* The block as one line: blanks and line breaks become one blank; inside brackets line breaks vanish. */
static char *one_line(struct arena *a, const char *s, size_t n, size_t *len)
{
	char *to = arena_alloc(a, n + 1);
	bool bracket = false, after_break = false;
	size_t k = 0, step;

	for (size_t i = 0; i < n; i += step) {
		step = blank_at(s + i, n - i);
		if (!step) {
			step = 1;
			bracket = s[i] == '[' || (bracket && s[i] != ']');
			after_break = false;
			to[k++] = s[i];
			continue;
		}
		after_break = after_break || s[i] == '\n';
		if (bracket && after_break) {
			continue;
		}
		if (k && to[k - 1] != ' ')
			to[k++] = ' ';
	}
	while (k && to[k - 1] == ' ')
		k--;
	to[k] = '\0';
	*len = k;
	return to;
}

void text_event_system(struct event_build *b, struct event *ev, const char *channel, unsigned id, const char *computer)
{
	const char *number = id == 1 ? "1" : "2";

	ev->provider = "evmend-text";
	ev->channel = channel;
	ev->computer = computer;
	ev->event_id = id;
	ev->level = -1;
	ev->flags |= EVENT_FROM_TEXT;
	build_put(b, BUILD_SYSTEM, "Provider_Name", ev->provider, strlen(ev->provider));
	build_put(b, BUILD_SYSTEM, "EventID", number, 1);
	build_put(b, BUILD_SYSTEM, "Channel", channel, strlen(channel));
	build_put(b, BUILD_SYSTEM, "Computer", computer, strlen(computer));
}

/* First value of that name which can be a host. */
static const char *host_field(const struct event_build *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->fields[i].name, name) && text_host_ok(b->fields[i].value))
			return b->fields[i].value;
	return NULL;
}

bool console_read(struct event_build *b, const char *text, size_t n, const char *default_host, struct event *ev)
{
	static const char *const by[] = { "BackEndServer", "ClientAccessServer", "RemoteServer" };
	char host[HOST_BYTES];
	const char *computer = NULL;
	size_t len;
	char *line = one_line(b->arena, text, n, &len);

	build_trace_of(b, BUILD_PAYLOAD, line, len);
	if (!b->n)
		return false;
	if (prefix_host(text, n, host))
		build_add(b, BUILD_PAYLOAD, "RemoteServer", host, strlen(host));
	build_add(b, BUILD_PAYLOAD, "Message", line, len);
	for (size_t i = 0; i < 3 && !computer; i++)
		computer = host_field(b, by[i]);
	if (!computer)
		computer = arena_copy(b->arena, default_host ? default_host : "", default_host ? strlen(default_host) : 0);
	text_event_system(b, ev, "evmend-text/Console", 1, computer);
	return true;
}
