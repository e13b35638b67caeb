/* number.h - numbers as rules and events write them: decimal, 0x hex (Windows renders HexInt so), decimal fractions. */
#ifndef EVMEND_RULES_NUMBER_H
#define EVMEND_RULES_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number {
	bool whole, negative;
	uint64_t size; /* of a whole number, without its sign: Keywords need all 64 bits */
	double real;   /* of any */
};

bool number_parse(const char *s, size_t n, struct number *to); /* blanks around it do not count; false: no number */
int number_compare(const struct number *a, const struct number *b); /* <0, 0, >0 */

#endif
