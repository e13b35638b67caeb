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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters), cmocka_unit_test(references), cmocka_unit_test(carriage_returns),
		cmocka_unit_test(clean_text_is_not_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
