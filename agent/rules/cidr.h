/* cidr.h - networks of IPv4 (RFC 4632) and IPv6 (RFC 4291), and whether an address as events write it is inside. */
#ifndef EVMEND_RULES_CIDR_H
#define EVMEND_RULES_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cidr {
	uint8_t address[16]; /* host bits are zero; IPv4: the first four */
	unsigned bits;       /* of the network: 0 to 32, 0 to 128 */
	bool six;
};

/* "10.0.0.0/8", "fe80::/10"; bits of the host are masked, an address without / is a network of one. -1 and *e: no network. */
int cidr_parse(const char *text, size_t n, struct cidr *to, struct err *e);
/* Is the value an address inside? Blanks around it do not count, nor does the zone of fe80::1%eth0. ::ffff:a.b.c.d is also the
 * IPv4 address a.b.c.d. A value that is no address: false. */
bool cidr_holds(const struct cidr *c, const char *value, size_t n);

#endif
