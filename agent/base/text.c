/* text.c - small questions about text.
 *
 * Promises: ASCII rules whatever the locale; no allocation.
 * Refuses: to guess - text_int and text_unhex take the whole text or nothing. */
#include "base/text.h"

#include <string.h>

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool text_same_n(const char *a, size_t an, const char *b, size_t bn)
{
	if (an != bn)
		return false;
	for (size_t i = 0; i < an; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

bool text_same(const char *a, const char *b)
{
	return text_same_n(a, strlen(a), b, strlen(b));
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return m <= n && memcmp(s + n - m, suffix, m) == 0;
}

bool text_has(const char *s, size_t n, const char *part)
{
	size_t m = strlen(part);

	for (size_t i = 0; m <= n && i <= n - m; i++)
		if (text_same_n(s + i, m, part, m))
			return true;
	return false;
}

char *text_copy(char *to, size_t n, const char *s)
{
	size_t len;

	if (!n)
		return to;
	len = strnlen(s, n - 1);
	memmove(to, s, len);
	to[len] = '\0';
	return to;
}

void text_hex(char *to, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = digits[p[i] >> 4];
		to[2 * i + 1] = digits[p[i] & 15];
	}
	to[2 * n] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool text_unhex(uint8_t *to, size_t n, const char *s, size_t len)
{
	if (len % 2 || len / 2 != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

size_t text_decimal(char to[static 24], int64_t v)
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	size_t n = 1, minus = v < 0;

	for (uint64_t rest = u; rest >= 10; rest /= 10)
		n++;
	to[0] = '-';
	for (size_t i = n; i > 0; i--, u /= 10)
		to[minus + i - 1] = (char)('0' + u % 10);
	return minus + n;
}

bool text_int(const char *s, size_t n, int64_t *v)
{
	bool minus = n && s[0] == '-';
	uint64_t u = 0, most = minus ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	size_t i = minus;

	if (i == n)
		return false;
	for (; i < n; i++) {
		uint64_t digit;

		if (s[i] < '0' || s[i] > '9')
			return false;
		digit = (uint64_t)(s[i] - '0');
		if (u > (most - digit) / 10)
			return false;
		u = u * 10 + digit;
	}
	if (minus)
		*v = u ? -(int64_t)(u - 1) - 1 : 0;
	else
		*v = (int64_t)u;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void text_trim(const char **s, size_t *n)
{
	while (*n > 0 && is_blank((*s)[*n - 1]))
		--*n;
	for (; *n > 0 && is_blank(**s); --*n)
		++*s;
}

bool text_url_user(const char *url)
{
	const char *start = strstr(url, "://");

	start = start ? start + 3 : url;
	return memchr(start, '@', strcspn(start, "/?#"));
}

bool text_host_ok(const char *s)
{
	size_t n = strlen(s);

	if (n < 1 || n > 255 || strchr(".-", s[0]) || strchr(".-", s[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = lower(s[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* Sixteen bytes at a time: as signed numbers, controls and all above ASCII are the ones below a blank. */
typedef int8_t bytes16 __attribute__((vector_size(16)));

/* A byte that is not 0 for each byte that is not plain. */
static bytes16 odd16(const char *s)
{
	bytes16 v;

	memcpy(&v, s, sizeof v);
	return (bytes16)(v < ' ');
}

static bool none(bytes16 v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof half);
	return !(half[0] | half[1]);
}

size_t text_plain_run(const char *s, size_t n)
{
	size_t i = 0;

	while (n - i >= 64 && none(odd16(s + i) | odd16(s + i + 16) | odd16(s + i + 32) | odd16(s + i + 48)))
		i += 64;
	while (n - i >= 16 && none(odd16(s + i)))
		i += 16;
	while (i < n && (signed char)s[i] >= ' ')
		i++;
	return i;
}

/* Levenshtein distance, case folded; names longer than a line are nobody's typing error. */
#define NAME_MAX_LEN 63

static size_t edits(const char *a, size_t an, const char *b, size_t bn)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= bn; j++)
		row[j] = j;
	for (size_t i = 1; i <= an; i++) {
		size_t corner = row[0]; /* distance of both without their last letter */

		row[0] = i;
		for (size_t j = 1; j <= bn; j++) {
			size_t change = corner + (lower(a[i - 1]) != lower(b[j - 1]));
			size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

			corner = row[j];
			row[j] = change < least ? change : least;
		}
	}
	return row[bn];
}

const char *text_nearest(const char *s, const char *const *names)
{
	size_t n = strlen(s), best = 3;
	const char *nearest = NULL;

	if (n > NAME_MAX_LEN)
		return NULL;
	for (; *names; names++) {
		size_t m = strlen(*names), d;

		if (m > NAME_MAX_LEN)
			continue;
		d = edits(s, n, *names, m);
		/* Two edits of a two-letter word are another word. */
		if (d < best && d < n) {
			best = d;
			nearest = *names;
		}
	}
	return nearest;
}

const char *text_list(char *to, size_t n, const char *const *names)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; names[i]; i++) {
		size_t len = strlen(names[i]);

		if (used + len + 8 > n) { /* room for ", ..." */
			text_copy(to + used, n - used, ", ...");
			break;
		}
		if (i) {
			memcpy(to + used, ", ", 2);
			used += 2;
		}
		memcpy(to + used, names[i], len + 1);
		used += len;
	}
	return to;
}

size_t utf8_step(const char *s, size_t n, uint32_t *code_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c;
	uint32_t v;
	size_t len;

	if (!n)
		return 0;
	c = (unsigned char)s[0];
	if (c < 0x80) {
		*code_point = c;
		return 1;
	}
	len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || len > n)
		return 0;
	v = c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)s[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (next & 0x3fu);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*code_point = v;
	return len;
}

size_t utf8_cut(const char *s, size_t n, size_t most)
{
	if (n <= most)
		return n;
	for (size_t back = 0; back < 4 && back <= most; back++)
		if (((unsigned char)s[most - back] & 0xc0) != 0x80)
			return most - back;
	return most; /* no UTF-8: it may be cut anywhere */
}

size_t utf8_put(char to[static 4], uint32_t code_point)
{
	static const unsigned lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, code_point >>= 6)
		to[i] = (char)(0x80 | (code_point & 0x3f));
	to[0] = (char)(lead[n] | code_point);
	return n;
}
