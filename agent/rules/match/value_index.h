/* value_index.h - which two bytes a long value has, and where every three stand, so that the next thousand texts need not be
 * searched for in all of it. Private to rules/. Belongs to one thread; between two values it only grows. */
#ifndef EVMEND_RULES_VALUE_INDEX_H
#define EVMEND_RULES_VALUE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define VALUE_INDEX_LEAST 2 /* bytes of a text that it can speak about */

struct value_index {
	const char *s; /* borrowed */
	size_t n;
	struct value_place *places; /* by hash of three bytes */
	uint32_t *before;           /* of each byte of s: the place before it with that hash, + 1 */
	size_t places_room, before_room;
	unsigned shift;
	uint64_t pairs[(1u << 16) / 64]; /* which two bytes stand together */
};

void value_index_make(struct value_index *x, const char *s, size_t n);
void value_index_free(struct value_index *x);

enum value_has { VALUE_LACKS, VALUE_HAS, VALUE_MAY_HAVE };
/* Is part, of k bytes, in the value? MAY_HAVE: all its threes are there, and too often to look at each; or it is too short. */
enum value_has value_index_ask(const struct value_index *x, const char *part, size_t k);

#endif
