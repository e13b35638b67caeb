/* test_json_fast.c - whatever the fast reader takes, jansson takes too, and makes the same of it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_fast.h"
#include "lib/check.h"

#define LOAD (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

static const char *const seeds[] = {
	("{\"v\":1,\"kind\":\"finding\",\"uid\":\"0123456789abcdef\",\"time\":\"2026-11-23T12:00:00.000000Z\",\"host\":\"ex1.lab.example\","
	"\"event\":{\"provider\":\"MSExchange Common\",\"record_id\":4294967296,\"data\":{\"Text\":\"line\\nline\\ttab \\\"quoted\\\" back\\\\slash\"}}}"),
	"[1,-2,0,-0,123456789012345678,true,false,null,\"\",\"a\",{},[],[[[]]],{\"a\":{\"b\":[{}]}}]",
	" { \"a\" : [ 1 , 2 ] ,\n\"b\"\t:\r\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\" , \"\xc3\xa4\" : \"\x7f\" } ",
	"\"0123456789abcdef0123456789abcdef0123456789 \\/ \\b \\f\"", "17", "true", "null", "{\"\":0}",
};
/* the fast one leaves these to jansson, whatever that says */
static const char *const others[] = {
	"", " ", "{", "}", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "{a:1}", "{'a':1}", "01", "-", "--1", "+1",
	"1.5", "1e3", "1234567890123456789", "tru", "truee", "true false", "[1] x", "\"", "\"\\", "\"\\u0041\"", "\"\\x\"", "{\"a\\n\":1}", "\"\x01\"", "\"\x80\"",
	"\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\x80\"", "\xef\xbb\xbf{}", "{\"\xff\":1}", "nul", "[1}", "{\"a\":1]", "\"a\nb\"", "01234567 ",
};

/* In memory of exactly that size, so that a byte too far is seen. */
static json_t *fast(const char *s, size_t n)
{
	char *copy = malloc(n ? n : 1);
	json_t *j;

	assert_non_null(copy);
	memcpy(copy, s, n);
	j = json_fast(copy, n);
	free(copy);
	return j;
}

/* 1: the fast one took it. */
static int same(const char *s, size_t n)
{
	json_t *mine = fast(s, n), *theirs;
	char *a, *b;

	if (!mine)
		return 0;
	theirs = json_loadb(s, n, LOAD, NULL);
	if (!theirs)
		fail_msg("taken, and wrong: %.*s", (int)n, s);
	a = json_dumps(mine, JSON_ENCODE_ANY); /* in the order of the text */
	b = json_dumps(theirs, JSON_ENCODE_ANY);
	assert_string_equal(a, b);
	free(a);
	free(b);
	json_decref(mine);
	json_decref(theirs);
	return 1;
}

static void takes_what_is_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++)
		if (!same(seeds[i], strlen(seeds[i])))
			fail_msg("not taken: %s", seeds[i]);
}

static void leaves_the_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		json_t *j = fast(others[i], strlen(others[i]));

		if (j)
			fail_msg("taken: %s", others[i]);
	}
	assert_null(fast("\"a\0b\"", 5));
	assert_null(fast("{}\0", 3));
}

static void changed_texts_are_the_same(void **state)
{
	static const char *const pieces[] = { "\"", "\\", "{", "}", "[", "]", ",", ":", "\\u00e9", "\\\"", "0", "1e9", "-", " ", "\n", "\xc3", "\xa9", "\x01", "null",
		"\"a\":1,", "\"kind\":" };
	uint32_t x = 1;
	int taken = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		char text[600];
		const char *seed = seeds[(size_t)round % (sizeof seeds / sizeof *seeds)];
		size_t n = strlen(seed);

		memcpy(text, seed, n);
		for (int k = 0; k <= round % 3; k++) {
			const char *piece = pieces[(x = x * 1664525 + 1013904223) / 65536 % (sizeof pieces / sizeof *pieces)];
			size_t at = (x = x * 1664525 + 1013904223) / 65536 % (n + 1), len = strlen(piece), gone = x % 3;

			gone = gone < n - at ? gone : n - at;
			memmove(text + at + len, text + at + gone, n - at - gone);
			memcpy(text + at, piece, len);
			n += len - gone;
		}
		taken += same(text, n);
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_plain),
		cmocka_unit_test(leaves_the_rest),
		cmocka_unit_test(changed_texts_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
