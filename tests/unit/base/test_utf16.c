/* test_utf16.c - which encoding a file of Windows has, and what becomes of it. */
#include <string.h>

#include "base/utf16.h"
#include "lib/check.h"

static void detection(void **state)
{
	static const struct {
		const char *bytes;
		size_t n, mark;
		enum text_encoding encoding;
	} t[] = {
		{ "\xEF\xBB\xBF<", 4, 3, TEXT_UTF8 }, { "\xFF\xFE<\0", 4, 2, TEXT_UTF16LE }, { "\xFE\xFF\0<", 4, 2, TEXT_UTF16BE },
		{ "<\0E\0", 4, 0, TEXT_UTF16LE }, { "\0<\0E", 4, 0, TEXT_UTF16BE }, { "<Eve", 4, 0, TEXT_UTF8 }, { "<", 1, 0, TEXT_UTF8 },
		{ "", 0, 0, TEXT_UTF8 }, { "\0\0\0\0", 4, 0, TEXT_UTF8 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		enum text_encoding encoding;

		assert_int_equal(encoding_detect(t[i].bytes, t[i].n, &encoding), t[i].mark);
		assert_int_equal(encoding, t[i].encoding);
	}
}

static void utf16_lengths(void **state)
{
	static const uint8_t bytes[] = { 'a', 0, 0, 0, 0xE4, 0, 0xAC, 0x20, 0x3D, 0xD8, 0x00, 0xDE, 0x00, 0xD8, 'b', 0, 0x00, 0xDC, 'c' };
	struct utf16 u = { 0 };
	struct buf to;

	(void)state;
	buf_init(&to, 100);
	for (size_t i = 0; i < sizeof(bytes); i++)
		utf16_feed(&u, bytes + i, 1, &to);
	assert_int_equal(to.n, 1 + 1 + 2 + 3 + 4 + 3 + 1 + 3);
	assert_memory_equal(to.p, "a\0\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\x80" "b\xED\xB0\x80", 18);
	assert_true(u.has_byte); /* half of 'c' */
	assert_int_equal(utf16_raw_length(to.p, to.n), sizeof(bytes) - 1);
	buf_free(&to);
}

static void whole_files(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *text;
	} t[] = {
		{"\xFF\xFE" "a\0\xE4\0\n\0", 8, "a\xC3\xA4\n"}, {"\xFE\xFF\0a\0\xE4", 6, "a\xC3\xA4"}, {"a\0b\0c\0", 6, "abc"},
		{"\0a\0b", 4, "ab"}, {"\xEF\xBB\xBF" "a", 4, "a"}, {"a\x84", 2, "a\x84"}, {"", 0, ""}, {"\xFF\xFE", 2, ""},
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_init(&b, 100);
		buf_add(&b, t[i].bytes, t[i].n);
		assert_true(utf8_from_windows(&b));
		assert_string_equal(buf_text(&b), t[i].text);
		assert_int_equal(b.n, strlen(t[i].text));
		buf_free(&b);
	}
	buf_init(&b, 8);
	buf_add(&b, "\xFF\xFE\xAC\x20\xAC\x20\xAC\x20", 8); /* nine bytes as UTF-8 */
	assert_false(utf8_from_windows(&b));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(detection),
		cmocka_unit_test(utf16_lengths),
		cmocka_unit_test(whole_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
