/* number.h - numbers as rules and events write them: decimal, 0x hex (Windows renders HexInt so), decimal fractions.
 * 4.0 is the whole number 4. */
#ifndef EVMEND_RULES_NUMBER_H
#define EVMEND_RULES_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_LONGEST 63 /* characters without blanks and sign: three times what 64 bits need */

struct number {
	bool whole, negative;
	uint64_t size; /* without its sign: Keywords need all 64 bits; of a fraction what stands before the point, at most UINT64_MAX */
	double real;   /* of any */
};

bool number_parse(const char *s, size_t n, struct number *to); /* blanks around it do not count; false: no number */
int number_compare(const struct number *a, const struct number *b); /* <0, 0, >0 */

#endif
