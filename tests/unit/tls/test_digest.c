/* Digests against published vectors, and that pieces do not run together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "tls/digest.h"

static void known_answers(void **state)
{
	uint8_t d[32];
	char hex[65];

	(void)state;
	digest_sha256("abc", 3, d); /* FIPS 180-4 examples */
	text_hex(hex, d, 32);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256(NULL, 0, d);
	text_hex(hex, d, 32);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_sha1("abc", 3, d);
	text_hex(hex, d, 20);
	assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void two(const char *a, const char *b, uint8_t to[static 32])
{
	struct digest *d = digest_new();

	digest_add_str(d, a);
	digest_add_str(d, b);
	digest_finish(d, to);
}

static void pieces_stay_apart(void **state)
{
	uint8_t x[32], y[32], z[32];

	(void)state;
	two("ab", "c", x);
	two("a", "bc", y);
	two("ab", "c", z);
	assert_memory_not_equal(x, y, 32);
	assert_memory_equal(x, z, 32);
}

/* A stored id must be the same tomorrow and on another machine: lengths are 8 bytes, big end first. */
static void layout_is_fixed(void **state)
{
	static const char whole[] = "\0\0\0\0\0\0\0\3abc\0\0\0\0\0\0\0\10\0\0\0\0\0\0\1\2";
	struct digest *d = digest_new();
	uint8_t x[32], y[32];

	(void)state;
	digest_add(d, "abc", 3);
	digest_add_int(d, 258);
	digest_finish(d, x);
	digest_sha256(whole, sizeof whole - 1, y);
	assert_memory_equal(x, y, 32);
}

static void negative_numbers_differ(void **state)
{
	struct digest *a = digest_new(), *b = digest_new();
	uint8_t x[32], y[32];

	(void)state;
	digest_add_int(a, -1);
	digest_add_int(b, 1);
	digest_finish(a, x);
	digest_finish(b, y);
	assert_memory_not_equal(x, y, 32);
}

/* RFC 4231, test case 2; the empty text, by openssl. */
static void hmac_of_the_rfc(void **state)
{
	uint8_t digest[32];
	char hex[65];

	(void)state;
	digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
	text_hex(hex, digest, sizeof digest);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	digest_hmac_sha256("key", 3, NULL, 0, digest);
	text_hex(hex, digest, sizeof digest);
	assert_string_equal(hex, "5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_of_the_rfc),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(pieces_stay_apart),
		cmocka_unit_test(layout_is_fixed),
		cmocka_unit_test(negative_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
