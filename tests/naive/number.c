/* number.c - what is not text: numbers, parts of a time, networks.
 *
 * Promises 64 bits for whole numbers (Keywords are unsigned), decimal and 0x hex alike. Refuses octal, exponents, words. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "naive/inside.h"

static bool digits(const char *s, unsigned base, uint64_t *to)
{
	*to = 0;
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = isdigit((unsigned char)*s) ? (unsigned)(*s - '0') : (unsigned)(tolower((unsigned char)*s) - 'a' + 10);

		if (!isxdigit((unsigned char)*s) || d >= base || *to > (UINT64_MAX - d) / base)
			return false;
		*to = *to * base + d;
	}
	return true;
}

bool nv_num_of(const char *s, size_t n, struct nv_num *to)
{
	char text[80], *p = text, *dot;

	while (n && strchr(" \t\r\n", *s))
		s++, n--;
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	if (n == 0 || n >= sizeof text || memchr(s, '\0', n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	*to = (struct nv_num){.whole = true};
	if (*p == '-' || *p == '+')
		to->negative = *p++ == '-';
	if (strlen(p) > 63)
		return false;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		if (!digits(p + 2, 16, &to->size))
			return false;
		to->real = to->negative ? -(double)to->size : (double)to->size;
		to->negative = to->negative && to->size;
		return true;
	}
	dot = strchr(p, '.');
	if (!dot) {
		if (!digits(p, 10, &to->size))
			return false;
		to->real = to->negative ? -(double)to->size : (double)to->size;
		if (to->size == 0)
			to->negative = false;
		return true;
	}
	for (char *q = p; *q; q++)
		if (q != dot && !isdigit((unsigned char)*q))
			return false;
	if (dot == p || !dot[1])
		return false;
	to->real = strtod(text, NULL);
	*dot = '\0';
	to->whole = digits(p, 10, &to->size) && strspn(dot + 1, "0") == strlen(dot + 1);
	to->too_large = !digits(p, 10, &to->size);
	if (to->whole && to->size == 0)
		to->negative = false;
	return true;
}

/* The whole number a against the fraction b, whose decimals are not all zeros or whose whole part is beyond 64 bits. */
static int against_fraction(const struct nv_num *a, const struct nv_num *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	bool smaller = b->too_large || a->size <= b->size;

	return smaller == a->negative ? 1 : -1;
}

int nv_num_order(const struct nv_num *a, const struct nv_num *b)
{
	if (a->whole && b->whole) {
		if (a->negative != b->negative)
			return a->negative ? -1 : 1;
		int larger = a->size == b->size ? 0 : a->size < b->size ? -1 : 1;

		return a->negative ? -larger : larger;
	}
	if (a->whole != b->whole)
		return a->whole ? against_fraction(a, b) : -against_fraction(b, a);
	return a->real < b->real ? -1 : a->real > b->real;
}

/* -- times: YYYY-MM-DD, a T or a blank, hh:mm:ss, a fraction, Z; as it is written -- */

static bool two(const char *s, size_t n, size_t at, size_t len, int *to)
{
	*to = 0;
	for (size_t i = at; i < at + len; i++) {
		if (i >= n || !isdigit((unsigned char)s[i]))
			return false;
		*to = *to * 10 + (s[i] - '0');
	}
	return true;
}

static bool leap(int y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int day_of_year(int y, int m, int d)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};

	return before[m - 1] + d + (m > 2 && leap(y));
}

static int weekday(int y, int m, int d) /* 1 Monday .. 7 Sunday; Sakamoto */
{
	static const int t[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	int yy = m < 3 ? y - 1 : y, w = (yy + yy / 4 - yy / 100 + yy / 400 + t[m - 1] + d) % 7;

	return w ? w : 7;
}

static int weeks_in(int y) /* 53 when it begins on a Thursday, or on a Wednesday and is a leap year */
{
	int first = weekday(y, 1, 1);

	return first == 4 || (leap(y) && first == 3) ? 53 : 52;
}

static int iso_week(int y, int m, int d)
{
	int w = (day_of_year(y, m, d) - weekday(y, m, d) + 10) / 7;

	return w < 1 ? weeks_in(y - 1) : w > weeks_in(y) ? 1 : w;
}

static bool rest_of_time(const char *s, size_t n)
{
	if (n && *s == '.') {
		size_t digits_n = 1;

		while (digits_n < n && isdigit((unsigned char)s[digits_n]))
			digits_n++;
		if (digits_n == 1)
			return false;
		s += digits_n;
		n -= digits_n;
	}
	return n == 0 || (n == 1 && (*s == 'Z' || *s == 'z'));
}

bool nv_time_part(const char *s, size_t n, enum part_of_time part, int64_t *to)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, mo, d, h, mi, sec;

	while (n && isspace((unsigned char)*s))
		s++, n--;
	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	if (n < 19 || !two(s, n, 0, 4, &y) || s[4] != '-' || !two(s, n, 5, 2, &mo) || s[7] != '-' || !two(s, n, 8, 2, &d))
		return false;
	if ((s[10] != 'T' && s[10] != ' ') || !two(s, n, 11, 2, &h) || s[13] != ':' ||
	    !two(s, n, 14, 2, &mi) || s[16] != ':' || !two(s, n, 17, 2, &sec) || !rest_of_time(s + 19, n - 19))
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > lengths[mo - 1] + (mo == 2 && leap(y)) || h > 23 || mi > 59 ||
	    sec > 60)
		return false;
	const int of[] = {[PART_MINUTE] = mi, [PART_HOUR] = h, [PART_DAY] = d, [PART_WEEK] = iso_week(y, mo, d), [PART_MONTH] = mo,
		[PART_YEAR] = y};

	*to = of[part];
	return true;
}

/* -- networks: every address as 16 bytes, IPv4 in the first four -- */

static bool address_of(const char *s, bool six, uint8_t to[static 16])
{
	memset(to, 0, 16);
	return inet_pton(six ? AF_INET6 : AF_INET, s, to) == 1;
}

bool nv_net_of(const char *s, struct nv_net *to)
{
	char text[80];
	const char *slash = strchr(s, '/');
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	uint64_t bits;

	if (n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	to->six = strchr(text, ':');
	bits = to->six ? 128 : 32;
	if (!address_of(text, to->six, to->address) || (slash && (strlen(slash + 1) > 3 || !digits(slash + 1, 10, &bits))))
		return false;
	to->bits = (unsigned)bits;
	return bits <= (to->six ? 128 : 32);
}

static bool bits_same(const struct nv_net *net, const uint8_t a[static 16])
{
	for (unsigned i = 0; i < net->bits; i++)
		if ((net->address[i / 8] ^ a[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

bool nv_net_holds(const struct nv_net *net, const char *s, size_t n)
{
	static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
	char text[80];
	uint8_t a[16], four[16] = {0};

	while (n && strchr(" \t\r\n", *s))
		s++, n--;
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	if (n == 0 || n >= sizeof text || memchr(s, '\0', n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (address_of(text, false, a))
		return !net->six && bits_same(net, a);
	if (!address_of(text, true, a))
		return false;
	if (net->six)
		return bits_same(net, a);
	if (memcmp(a, mapped, 12) != 0)
		return false;
	memcpy(four, a + 12, 4);
	return bits_same(net, four);
}
