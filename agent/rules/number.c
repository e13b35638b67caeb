/* number.c - numbers in rules and events.
 *
 * Why: 0x3e7 and 999 are the same logon, and 64-bit keywords do not fit a double.
 * Promises: whole numbers are compared exactly over all 64 bits; fractions as doubles.
 * Refuses: exponents, octal, digits with separators: those are text. */
#include "rules/number.h"

#include <stdlib.h>

#include "rules/fold.h"

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static bool whole(const char *s, size_t n, unsigned base, uint64_t *to)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)digit(s[i]);

		if (d >= base || v > (UINT64_MAX - d) / base)
			return false;
		v = v * base + d;
	}
	*to = v;
	return n > 0;
}

static bool fraction(const char *s, size_t n, double *to)
{
	char text[64];
	size_t dots = 0;

	if (n == 0 || n >= sizeof text)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '.' && i > 0 && i + 1 < n)
			dots++;
		else if (s[i] < '0' || s[i] > '9')
			return false;
		text[i] = s[i];
	}
	text[n] = '\0';
	*to = strtod(text, NULL);
	return dots == 1;
}

bool number_parse(const char *s, size_t n, struct number *to)
{
	*to = (struct number){0};
	n = fold_trim(s, n);
	while (n > 0 && (*s == ' ' || *s == '\t' || *s == '\r' || *s == '\n')) {
		s++;
		n--;
	}
	if (n > 0 && (*s == '-' || *s == '+')) {
		to->negative = *s == '-';
		s++;
		n--;
	}
	if (n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		to->whole = whole(s + 2, n - 2, 16, &to->size);
	else
		to->whole = whole(s, n, 10, &to->size);
	if (to->whole)
		to->real = (double)to->size;
	else if (!fraction(s, n, &to->real))
		return false;
	if (to->negative)
		to->real = -to->real;
	if (to->whole && to->size == 0)
		to->negative = false;
	return true;
}

int number_compare(const struct number *a, const struct number *b)
{
	if (!a->whole || !b->whole)
		return a->real < b->real ? -1 : a->real > b->real;
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	int larger = a->size < b->size ? -1 : a->size > b->size;

	return a->negative ? -larger : larger;
}
