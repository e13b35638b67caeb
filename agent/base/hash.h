/* hash.h - hashes for tables that strangers fill: SipHash-1-3 with a seed that each table's owner draws at its start.
 * Never stored, never compared over processes. */
#ifndef EVMEND_BASE_HASH_H
#define EVMEND_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_seed {
	uint64_t k0, k1;
};

struct hash_seed hash_seed_draw(void); /* from the system's random source; dies without it */
uint64_t hash_bytes(const struct hash_seed *seed, const void *p, size_t n);
/* Several times as fast for short texts, and no match for somebody who tries: for tables that look at a few slots and no further. */
uint64_t hash_quick(const struct hash_seed *seed, const void *p, size_t n);
uint64_t hash_fold(const struct hash_seed *seed, const char *p, size_t n); /* ASCII letters of either case are equal */

#endif
