/* log.c - one line an event on a descriptor: "time level role text key=value ...".
 *
 * Promises: one write a line, so that lines of several roles on one stderr stay whole; a value cannot forge a line.
 * Refuses: control characters as they are (they are escaped), and lines above LINE_BYTES (they are cut and marked). */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/os.h"

#define LINE_BYTES 4000 /* below PIPE_BUF, so that a write to a pipe is not mixed with another's */

struct line {
	char text[LINE_BYTES + 8];
	size_t n;
	bool cut;
};

static void add(struct line *l, const char *s, size_t n)
{
	if (l->cut || n > LINE_BYTES - l->n) {
		l->cut = true;
		return;
	}
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

static void add_escaped(struct line *l, const char *s, bool quoted)
{
	size_t n = strlen(s), len;
	uint32_t c;

	for (size_t i = 0; i < n && !l->cut; i += len) {
		char code[8];
		int k = 0;

		len = utf8_step(s + i, n - i, &c);
		if (len == 0) {
			len = 1;
			k = snprintf(code, sizeof code, "\\x%02x", (unsigned)(unsigned char)s[i]);
		} else if (c == '\n') {
			k = snprintf(code, sizeof code, "\\n");
		} else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
			k = snprintf(code, sizeof code, "\\x%02x", (unsigned)c);
		} else if (c == '\\' || (quoted && c == '"')) {
			k = snprintf(code, sizeof code, "\\%c", (char)c);
		}
		if (k > 0)
			add(l, code, (size_t)k);
		else
			add(l, s + i, len);
	}
}

static const char *const names[] = { "error", "warn", "info", "debug", NULL };

void log_say(const struct log *l, enum log_level level, const char *text, ...)
{
	struct line line = { .n = 0 };
	char now[32];
	const char *key;
	va_list ap;

	if (level > l->level)
		return;
	if (l->clock) {
		time_text(clock_wall(l->clock), now);
		add(&line, now, strlen(now));
		add(&line, " ", 1);
	}
	add(&line, names[level], strlen(names[level]));
	add(&line, " ", 1);
	if (l->role) {
		add(&line, l->role, strlen(l->role));
		add(&line, " ", 1);
	}
	add_escaped(&line, text, false);
	va_start(ap, text);
	while ((key = va_arg(ap, const char *))) {
		const char *value = va_arg(ap, const char *);
		bool quote;

		if (!value)
			value = "";
		quote = !*value || strpbrk(value, " \"=\\\t\n");
		add(&line, " ", 1);
		add_escaped(&line, key, false);
		add(&line, quote ? "=\"" : "=", quote ? 2 : 1);
		add_escaped(&line, value, quote);
		add(&line, "\"", quote);
	}
	va_end(ap);
	if (line.cut) {
		memcpy(line.text + line.n, " ...", 4);
		line.n += 4;
	}
	line.text[line.n++] = '\n';
	/* There is nobody left to tell when this fails. */
	(void)os_file.write(l->fd, line.text, line.n);
}

bool log_level_parse(const char *name, enum log_level *level)
{
	for (int i = 0; names[i]; i++) {
		if (strcmp(names[i], name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}
