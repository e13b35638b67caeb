/* form.c - tells Event XML, HttpProxy logs and console text from each other, and from what nobody here can read.
 *
 * Why: people give what they have; the first bytes say what it is.
 * Promises: decides as early as it can, and alike however the bytes are portioned.
 * Refuses: .evtx (by its signature, with the command that makes XML of it) and binary data. */
#include "event/form.h"

#include <string.h>

#include "base/text.h"
#include "event/httpproxy_log.h"

#define HEAD_BYTES 4096 /* enough of a text to know it by */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '-' || c == '+';
}

/* More than one byte in 20 is a control character or no UTF-8, or there is a NUL: nobody typed this. */
static bool binary(const char *p, size_t n)
{
	size_t bad = 0, step;
	uint32_t c;

	for (size_t i = 0; i < n; i += step ? step : 1) {
		step = utf8_step(p + i, n - i, &c);
		if (step && !c)
			return true;
		if (step && (c >= 0x20 || (c >= 8 && c <= 13) || c == 0x1B))
			continue;
		if (!step && n - i < 4 && n >= HEAD_BYTES)
			continue; /* a character cut by the end of the head */
		bad++;
	}
	return bad * 20 > n;
}

static int refuse_signature(const char *p, size_t n, const char *source, struct err *e)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *what;
	} known[] = {
		{ "\x1F\x8B", 2, "a gzip file inside another file" },
		{ "\xFD" "7zXZ", 5, "an xz file inside another file" },
		{ "\x28\xB5\x2F\xFD", 4, "a zstd file" },
		{ "PK\x03\x04", 4, "a ZIP archive" },
		{ "7z\xBC\xAF", 4, "a 7-Zip archive" },
	};

	if (n >= 7 && !memcmp(p, "ElfFile", 7))
		return err_set(e, ERR_IO, "%s is a binary event log (.evtx); make XML of it on Windows: "
			"wevtutil qe %s /lf:true /f:xml > %s.xml", source, source, source);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= known[i].n && !memcmp(p, known[i].bytes, known[i].n))
			return err_set(e, ERR_IO, "%s is %s; unpack it and give the log itself", source, known[i].what);
	return 0;
}

int form_find(const char *p, size_t n, const char *source, bool final, enum event_form *form, struct err *e)
{
	size_t i = 0;

	source = source ? source : "the input";
	if (refuse_signature(p, n, source, e))
		return -1;
	if (n < 7 && !final)
		*form = FORM_AUTO;
	if (*form != FORM_AUTO || (n < 7 && !final))
		return 0;
	while (i < n && blank(p[i]))
		i++;
	if (i < n && p[i] == '<')
		*form = FORM_XML;
	else if (httpproxy_looks_so(p + i, n - i))
		*form = FORM_HTTPPROXY;
	if (*form != FORM_AUTO || (n < HEAD_BYTES && !final))
		return 0;
	if (n > HEAD_BYTES)
		n = HEAD_BYTES;
	if (memmem(p, n, "<Event>", 7) || memmem(p, n, "<Event ", 7)) {
		*form = FORM_XML;
		return 0;
	}
	if (binary(p, n))
		return err_set(e, ERR_IO, "%s is no text: it is neither Event XML nor a console text nor an HttpProxy log", source);
	*form = FORM_TEXT;
	return 0;
}
