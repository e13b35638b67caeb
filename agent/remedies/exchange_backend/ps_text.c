/* ps_text.c - values and remarks in a PowerShell script.
 *
 * Exists so that one function decides how a value is written into a script that an administrator runs. Promises that no value can
 * end its quotes and no remark its comment. Refuses values that are not printable ASCII: PowerShell takes several other characters
 * for quotes, and a line break is never part of a name. */
#include "remedies/exchange_backend/ps_text.h"

#include <string.h>

#define COLUMNS 116

static bool printable(char c)
{
	return c >= 0x20 && c <= 0x7e;
}

int ps_quote(struct buf *to, const char *what, const char *value, struct err *e)
{
	for (const char *p = value; *p; p++)
		if (!printable(*p))
			return err_set(e, ERR_REFUSED, "%s has a character that no script of ours may hold (only printable ASCII); nothing is written",
				what);
	buf_char(to, '\'');
	for (const char *p = value; *p; p++) {
		if (*p == '\'')
			buf_char(to, '\'');
		buf_char(to, *p);
	}
	buf_char(to, '\'');
	return 0;
}

int ps_quote_list(struct buf *to, const char *what, const char *values, size_t size, size_t n, struct err *e)
{
	buf_str(to, "@(");
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_str(to, ", ");
		if (ps_quote(to, what, values + i * size, e) < 0)
			return -1;
	}
	buf_char(to, ')');
	return 0;
}

static void add_cleaned(struct buf *to, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_char(to, printable(text[i]) ? text[i] : '?');
}

/* The length of the piece of s that fits into `room`, cut at a blank if there is one. */
static size_t piece(const char *s, size_t room)
{
	size_t n = strlen(s), cut = room;

	if (n <= room)
		return n;
	while (cut > 0 && s[cut] != ' ')
		cut--;
	return cut ? cut : room;
}

void ps_remark(struct buf *to, const char *before, const char *label, const char *text)
{
	size_t head = strlen(before) + 2 + strlen(label), room = head + 20 < COLUMNS ? COLUMNS - head : 20;
	bool first = true;

	do {
		size_t n = piece(text, room);

		buf_printf(to, "%s# %-*s", before, (int)strlen(label), first ? label : "");
		add_cleaned(to, text, n);
		while (to->n && !to->refused && to->p[to->n - 1] == ' ')
			to->p[--to->n] = '\0';
		buf_char(to, '\n');
		text += n;
		text += strspn(text, " ");
		first = false;
	} while (*text && !to->refused);
}

void ps_remark_whole(struct buf *to, const char *before, const char *label, const char *text)
{
	buf_printf(to, "%s# %s", before, label);
	add_cleaned(to, text, strlen(text));
	buf_char(to, '\n');
}

bool ps_guid_ok(const char *s)
{
	static const char shape[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";

	for (size_t i = 0; i < sizeof(shape); i++)
		if (shape[i] == 'x' ? s[i] == '\0' || strchr("0123456789abcdefABCDEF", s[i]) == NULL : s[i] != shape[i])
			return false;
	return true;
}

bool ps_store_ok(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t n = strlen(s);

	return n >= 1 && n <= 63 && strspn(s, letters) == n && (s[0] < '0' || s[0] > '9');
}
