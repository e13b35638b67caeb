/* err.c - errors as values, and the one way to give up.
 *
 * Promises: a text that is safe to print on a terminal, whatever a file or a peer put into it; nothing is allocated.
 * Refuses: control characters (C0, DEL, and C1 in UTF-8), which become '?'. */
#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"

static void tame(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

/* As much of s as fits, and a NUL; here a cut is meant. */
static void join(char *to, size_t room, const char *s)
{
	size_t n = strnlen(s, room - 1);

	memcpy(to, s, n);
	to[n] = '\0';
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	/* The arguments may point into e->text itself, so the new text is made beside it. */
	char text[sizeof e->text];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	tame(text);
	e->code = code;
	memcpy(e->text, text, sizeof text);
	return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char text[sizeof e->text];
	va_list ap;
	size_t n;

	if (!e)
		return -1;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	tame(text);
	n = strlen(text);
	join(text + n, sizeof text - n, ": ");
	n = strlen(text);
	join(text + n, sizeof text - n, e->text);
	memcpy(e->text, text, sizeof text);
	return -1;
}

const char *err_os(int error, char to[static 96])
{
	char words[80];
	int code = error < 0 ? -error : error;
	const char *s = strerror_r(code, words, sizeof words);

	if (code == OS_NO_FILE) {
		snprintf(to, 96, "it is a pipe, a socket or a device, and only plain files are read");
		return to;
	}
	snprintf(to, 96, "%s (%d)", s, code);
	/* "No space" reads as part of a sentence; "RPC ..." stays as it is. */
	if (isupper((unsigned char)to[0]) && islower((unsigned char)to[1]))
		to[0] = (char)tolower((unsigned char)to[0]);
	return to;
}

_Noreturn void die(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	tame(text);
	fprintf(stderr, "evmend: %s\n", text);
	_exit(ERR_INTERNAL);
}

static void out_of_memory(unsigned long n, unsigned long size)
{
	die("out of memory (%lu x %lu bytes asked for); state on disk is consistent, start again", n, size);
}

void *xcalloc(unsigned long n, unsigned long size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory(n, size);
	return p;
}

void *xrealloc(void *p, unsigned long n, unsigned long size)
{
	void *q = reallocarray(p, n ? n : 1, size ? size : 1);

	if (!q)
		out_of_memory(n, size);
	return q;
}

char *xstrndup(const char *s, unsigned long n)
{
	unsigned long len = strnlen(s, n);
	char *p = xcalloc(len + 1, 1);

	memcpy(p, s, len);
	return p;
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}
