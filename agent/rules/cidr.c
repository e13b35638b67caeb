/* cidr.c - networks.
 *
 * Why: rules name networks, events name addresses, and both have several ways to write the same.
 * Promises: the answer depends on the address alone, not on how it is written.
 * Refuses: octal or shortened IPv4 (010.1, 10.1), net masks in place of a length, lengths beyond the address. */
#include "rules/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* RFC 4291, 2.5.5.2 */

/* POSIX: inet_pton takes only the full dotted form and the forms of RFC 4291, 2.2. */
static bool read_address(const char *s, size_t n, uint8_t to[static 16], bool *six)
{
	char text[INET6_ADDRSTRLEN + 1];

	if (n == 0 || n >= sizeof text || memchr(s, '\0', n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	memset(to, 0, 16);
	*six = strchr(text, ':') != NULL;
	return inet_pton(*six ? AF_INET6 : AF_INET, text, to) == 1;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

int cidr_parse(const char *text, size_t n, struct cidr *to, struct err *e)
{
	const char *slash;
	int64_t bits, most;

	text_trim(&text, &n);
	slash = n ? memchr(text, '/', n) : NULL;
	*to = (struct cidr){0};
	if (!read_address(text, slash ? (size_t)(slash - text) : n, to->address, &to->six))
		return err_set(e, ERR_RULES, "'%.*s' is no network; write one like 10.0.0.0/8 or fe80::/10", (int)(n < 64 ? n : 64), text);
	most = to->six ? 128 : 32;
	bits = most;
	if (slash && (!text_int(slash + 1, n - (size_t)(slash + 1 - text), &bits) || bits < 0 || bits > most))
		return err_set(e, ERR_RULES, "'%.*s': behind the / stands the network's length in bits, 0 to %d", (int)(n < 64 ? n : 64), text,
			       (int)most);
	to->bits = (unsigned)bits;
	for (unsigned bit = to->bits; bit < 128; bit++)
		to->address[bit / 8] &= (uint8_t)~(0x80u >> bit % 8);
	return 0;
}

bool cidr_holds(const struct cidr *c, const char *value, size_t n)
{
	uint8_t address[16];
	const char *zone;
	bool six;

	text_trim(&value, &n);
	zone = n ? memchr(value, '%', n) : NULL; /* RFC 4007, 11 */
	if (!read_address(value, zone ? (size_t)(zone - value) : n, address, &six) || (zone && !six))
		return false;
	if (six == c->six && same_bits(address, c->address, c->bits))
		return true;
	return six && !c->six && memcmp(address, mapped, sizeof mapped) == 0 && same_bits(address + 12, c->address, c->bits);
}
