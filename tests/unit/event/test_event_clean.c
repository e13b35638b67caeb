/* test_event_clean.c - encodings and characters that XML forbids. */
#include "collect.h"

#include "event/event_clean.h"

static void check(const char *from, size_t n, bool xml, const char *to, uint64_t replaced)
{
	struct buf scratch;
	struct cleaned c;

	buf_init(&scratch, 1u << 20);
	c = event_clean(from, n, xml, &scratch);
	assert_int_equal(c.n, strlen(to));
	assert_memory_equal(c.p, to, c.n);
	assert_int_equal(c.replaced, replaced);
	assert_false(c.refused);
	buf_free(&scratch);
}

#define CHECK(from, xml, to, replaced) check(from, sizeof(from) - 1, xml, to, replaced)
#define R "\xEF\xBF\xBD"

static void characters(void **state)
{
	(void)state;
	CHECK("", true, "", 0);
	CHECK("plain <a b='c'>d</a>\n\t", true, "plain <a b='c'>d</a>\n\t", 0);
	CHECK("a\0b\x1F" "c\x7F", true, "a" R "b" R "c\x7F", 2);
	CHECK("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", true, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 0);
	CHECK("\xC3(\xE2\x82\xFF", true, R "(" R R R, 4);
	CHECK("\xED\xA0\x80x\xED\xBF\xBF", true, R "x" R, 2); /* lone surrogates */
	CHECK("\xEF\xBF\xBE\xEF\xBF\xBF", true, R R, 2);      /* U+FFFE, U+FFFF */
	CHECK("\xC0\x80", true, R R, 2);                      /* overlong */
	CHECK("0123456\x01" "01234567\x02", true, "0123456" R "01234567" R, 2); /* at the borders of words */
}

static void references(void **state)
{
	(void)state;
	CHECK("&#13;&#xA;&#9;&#228;&#x1F600;&amp;&#", true, "&#13;&#xA;&#9;&#228;&#x1F600;&amp;&#", 0);
	CHECK("&#0;&#x1;&#xD800;&#xFFFF;&#1114112;&#99999999999999999999;", true, R R R R R R, 6);
	CHECK("<![CDATA[&#1;]]>&#1;", true, "<![CDATA[&#1;]]>" R, 1);
	CHECK("&#1;", false, "&#1;", 0);
}

static void carriage_returns(void **state)
{
	(void)state;
	CHECK("<a\r\nb='\r'\r>\r\n</a\r>", true, "<a \nb='&#13;' >&#13;\n</a >", 0);
	CHECK("<a b=\"'\r>\">\r</a>", true, "<a b=\"'&#13;>\">&#13;</a>", 0);
	CHECK("<![CDATA[a\rb]]>\r", true, "<![CDATA[a]]>&#13;<![CDATA[b]]>&#13;", 0);
	CHECK("<!-- '\r -->\r", true, "<!-- '  -->&#13;", 0);
	CHECK("a\r\n", false, "a\r\n", 0);
}

static void clean_text_is_not_copied(void **state)
{
	static const char text[] = "nothing to do here";
	struct buf scratch;

	(void)state;
	buf_init(&scratch, 10);
	assert_ptr_equal(event_clean(text, sizeof(text) - 1, true, &scratch).p, text);
	assert_true(event_clean("\r\r\r\r", 4, true, &scratch).refused); /* grows past the ceiling */
	buf_free(&scratch);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters), cmocka_unit_test(references), cmocka_unit_test(carriage_returns),
		cmocka_unit_test(clean_text_is_not_copied), cmocka_unit_test(detection), cmocka_unit_test(utf16_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
