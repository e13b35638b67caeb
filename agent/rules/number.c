/* number.c - numbers in rules and events.
 *
 * Why: 0x3e7 and 999 are the same logon, and 64-bit keywords do not fit a double.
 * Promises: whole numbers are compared exactly over all 64 bits; two fractions as doubles.
 * A fraction is never equal to a whole number, however near.
 * Refuses: exponents, octal, digits with separators, more than NUMBER_LONGEST characters: those are text. */
#include "rules/number.h"

#include <stdlib.h>
#include <string.h>

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

/* Decimals of nothing but zeros make no fraction: 4.0 is 4, in one form, so that equal numbers can be looked up. */
static bool fraction(const char *s, size_t n, struct number *to)
{
	char text[NUMBER_LONGEST + 1];
	const char *dot = memchr(s, '.', n);
	size_t front = dot ? (size_t)(dot - s) : 0;

	if (front == 0 || front + 1 == n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i != front && (s[i] < '0' || s[i] > '9'))
			return false;
		text[i] = s[i];
	}
	text[n] = '\0';
	if (!whole(s, front, 10, &to->size))
		to->size = UINT64_MAX; /* larger than any whole number all the same: see number_compare */
	else
		to->whole = strspn(text + front + 1, "0") == n - front - 1;
	to->real = strtod(text, NULL);
	return true;
}

bool number_parse(const char *s, size_t n, struct number *to)
{
	size_t front;

	*to = (struct number){0};
	n = fold_trim(s, n);
	front = fold_blanks(s, n);
	s += front;
	n -= front;
	if (n > 0 && (*s == '-' || *s == '+')) {
		to->negative = *s == '-';
		s++;
		n--;
	}
	if (n > NUMBER_LONGEST)
		return false;
	if (n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		to->whole = whole(s + 2, n - 2, 16, &to->size);
	else
		to->whole = whole(s, n, 10, &to->size);
	if (to->whole)
		to->real = (double)to->size;
	else if (!fraction(s, n, to))
		return false;
	if (to->negative)
		to->real = -to->real;
	if (to->whole && to->size == 0)
		to->negative = false;
	return true;
}

int number_compare(const struct number *a, const struct number *b)
{
	if (!a->whole && !b->whole)
		return a->real < b->real ? -1 : a->real > b->real;
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	int larger = a->size < b->size ? -1 : a->size > b->size;

	if (larger == 0)
		larger = b->whole - a->whole; /* the one with decimals */
	return a->negative ? -larger : larger;
}
