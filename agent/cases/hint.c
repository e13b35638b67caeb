/* hint.c - templates of hints.
 *
 * Why: a finding says in plain words which server, and what to do.
 * Promises: a value is cut and cleaned before it reaches the text, so that no event can draw on a terminal or forge a line.
 * Refuses: nothing; templates were checked when their rule was loaded. */
#include "cases/hint.h"

#include <string.h>

#include "base/text.h"

static void put_value(const char *v, struct buf *to)
{
	size_t n = v ? strlen(v) : 0, step;

	if (n == 0) {
		buf_str(to, "(unknown)");
		return;
	}
	for (size_t i = 0; i < n; i += step) {
		uint32_t c;

		step = utf8_step(v + i, n - i, &c);
		if (i + step > HINT_VALUE_BYTES) {
			buf_str(to, "...");
			return;
		}
		if (step == 0) {
			step = 1;
			buf_char(to, '?');
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
			   (c >= 0x2066 && c <= 0x2069)) {
			buf_char(to, ' ');
		} else {
			buf_add(to, v + i, step);
		}
	}
}

static void put_named(const char *name, size_t n, const struct match *m, uint64_t count, struct buf *to)
{
	char field[128];

	if (n >= sizeof field)
		n = sizeof field - 1;
	memcpy(field, name, n);
	field[n] = '\0';
	if (strcmp(field, "host") == 0)
		put_value(m->host, to);
	else if (strcmp(field, "reporter") == 0)
		put_value(m->reporter, to);
	else if (strcmp(field, "count") == 0)
		buf_printf(to, "%llu", (unsigned long long)count);
	else
		put_value(match_value(m, field), to);
}

void hint_fill(const char *template, const struct match *m, uint64_t count, struct buf *to)
{
	for (const char *p = template; *p; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p) {
			buf_char(to, *p++);
		} else if (*p == '{') {
			size_t n = strcspn(p + 1, "}");

			put_named(p + 1, n, m, count, to);
			p += n + (p[n + 1] != '\0');
		} else {
			buf_char(to, *p);
		}
	}
}

bool hint_thumbprint(const struct match *m, uint8_t to[static 20])
{
	const char *v = match_value(m, "Thumbprint");
	char hex[41];
	size_t n = 0;

	for (; v && *v; v++) {
		if (*v == ' ' || *v == ':')
			continue;
		if (n == 40)
			return false;
		hex[n++] = *v;
	}
	return n == 40 && text_unhex(to, 20, hex, 40);
}

uint16_t hint_port(const struct match *m)
{
	const char *v = match_value(m, "Endpoint"), *colon = v ? strrchr(v, ':') : NULL;
	int64_t port;

	if (!v || !text_int(colon ? colon + 1 : v, strlen(colon ? colon + 1 : v), &port) || port < 1 || port > 65535)
		return 0;
	return (uint16_t)port;
}
