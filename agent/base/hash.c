/* hash.c - SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF"), for tables that strangers fill.
 *
 * Promises: without the seed nobody can choose texts that fall into one bucket; both functions read eight bytes at a time.
 * Refuses: to be stored or sent - the bytes are read in the machine's own order. */
#include "base/hash.h"

#include <string.h>

#include "base/err.h"
#include "os/os.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

/* ASCII capitals of eight bytes made small; bytes above 127 are left. */
static uint64_t fold8(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t low = w & (0x7f * ones);
	uint64_t above_z = low + (0x7f - 'Z') * ones;
	uint64_t from_a = low + (0x80 - 'A') * ones;
	uint64_t capital = (from_a ^ above_z) & ~w & (0x80 * ones);

	return w | capital >> 2;
}

static uint64_t sip(const struct hash_seed *seed, const unsigned char *p, size_t n, int fold)
{
	struct state s = {
		seed->k0 ^ UINT64_C(0x736f6d6570736575),
		seed->k1 ^ UINT64_C(0x646f72616e646f6d),
		seed->k0 ^ UINT64_C(0x6c7967656e657261),
		seed->k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t left = n;
	uint64_t w;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&w, p, 8);
		if (fold)
			w = fold8(w);
		s.v3 ^= w;
		sip_round(&s);
		s.v0 ^= w;
	}
	w = 0;
	if (left)
		memcpy(&w, p, left);
	if (fold)
		w = fold8(w);
	/* The length takes the last byte, which no rest of at most seven can reach (little endian; harmless elsewhere). */
	w ^= (uint64_t)n << 56;
	s.v3 ^= w;
	sip_round(&s);
	s.v0 ^= w;
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct hash_seed hash_seed_draw(void)
{
	struct hash_seed seed;

	if (os_random(&seed, sizeof seed) != 0)
		die("the system's random source gives nothing; tables cannot be made safe against chosen names");
	return seed;
}

uint64_t hash_bytes(const struct hash_seed *seed, const void *p, size_t n)
{
	return sip(seed, p, n, 0);
}

/* Two words multiplied to 128 bits, and the halves folded. */
static uint64_t fold_product(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_quick(const struct hash_seed *seed, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t a = 0, b = 0, h = seed->k0 ^ n;

	for (; n > 16; s += 16, n -= 16) {
		memcpy(&a, s, 8);
		memcpy(&b, s + 8, 8);
		h = fold_product(a ^ h, b ^ seed->k1);
	}
	/* the rest, 0 to 16 bytes, as two words that may overlap */
	a = b = 0;
	if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + n - 8, 8);
	} else if (n >= 4) {
		uint32_t first, last;

		memcpy(&first, s, 4);
		memcpy(&last, s + n - 4, 4);
		a = first;
		b = last;
	} else if (n) {
		a = (uint64_t)s[0] << 16 | (uint64_t)s[n / 2] << 8 | s[n - 1];
	}
	h = fold_product(a ^ h ^ UINT64_C(0x9e3779b97f4a7c15), b ^ seed->k1);
	return fold_product(h, UINT64_C(0x9e3779b97f4a7c15)); /* names that only count up must not become neighbours */
}

uint64_t hash_fold(const struct hash_seed *seed, const char *p, size_t n)
{
	return sip(seed, (const unsigned char *)p, n, 1);
}
