/* test_ps_text.c - values in quotes and remarks behind '#': nothing gets out of either. */
#include <string.h>

#include "lib/check.h"
#include "remedies/exchange_backend/ps_text.h"

static void expect(const char *value, const char *quoted)
{
	struct buf b;
	struct err e = {.text = ""};

	buf_init(&b, 1000);
	if (quoted) {
		assert_int_equal(ps_quote(&b, "a value", value, &e), 0);
		assert_string_equal(buf_text(&b), quoted);
	} else {
		assert_int_equal(ps_quote(&b, "a value", value, &e), -1);
		assert_int_equal(e.code, ERR_REFUSED);
		assert_non_null(strstr(e.text, "a value"));
		assert_int_equal(b.n, 0);
	}
	buf_free(&b);
}

static void quotes(void **state)
{
	(void)state;
	expect("", "''");
	expect("Exchange Back End", "'Exchange Back End'");
	expect("it's", "'it''s'");
	expect("''", "''''''");
	expect("$(calc) `n \"x\" ; | & {", "'$(calc) `n \"x\" ; | & {'");
	/* PowerShell takes these for single quotes */
	expect("a\xe2\x80\x98", NULL);
	expect("a\xe2\x80\x99", NULL);
	expect("a\xe2\x80\x9a", NULL);
	expect("a\xe2\x80\x9b", NULL);
	expect("a\nb", NULL);
	expect("a\rb", NULL);
	expect("a\tb", NULL);
	expect("a\x7f", NULL);
	expect("\xc3\xa4", NULL);
	expect("a\xff", NULL);
	for (int c = 1; c < 256; c++) {
		char value[2] = {(char)c, '\0'}, quoted[8] = {'\'', (char)c, '\'', '\0'};

		expect(value, c < 0x20 || c > 0x7e ? NULL : c == '\'' ? "''''" : quoted);
	}
}

static void lists(void **state)
{
	const char values[3][8] = {"a", "b'c", "d\n"};
	struct buf b;
	struct err e;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(ps_quote_list(&b, "x", values[0], sizeof values[0], 0, &e), 0);
	assert_string_equal(buf_text(&b), "@()");
	buf_reset(&b);
	assert_int_equal(ps_quote_list(&b, "x", values[0], sizeof values[0], 2, &e), 0);
	assert_string_equal(buf_text(&b), "@('a', 'b''c')");
	assert_int_equal(ps_quote_list(&b, "x", values[0], sizeof values[0], 3, &e), -1);
	buf_free(&b);
}

static void remarks(void **state)
{
	struct buf b;
	size_t lines = 0;

	(void)state;
	buf_init(&b, 4000);
	ps_remark(&b, "", "why: ", "a\nb\r\xe2\x80\xa8" "c #>");
	assert_string_equal(buf_text(&b), "# why: a?b????c #>\n");
	buf_reset(&b);
	ps_remark(&b, "    ", "why: ", "");
	assert_string_equal(buf_text(&b), "    # why:\n");
	buf_reset(&b);
	ps_remark(&b, "    ", "why: ",
		"many words that go over the end of the line many words that go over the end of the line many words that go over the end "
		"aVeryLongWordWithoutAnyBlankInItThatIsLongerThanAnyLineMayBeSoThatItMustBeCutSomewhereInTheMiddleOfItBecauseThereIsNoOtherPlace");
	for (const char *at = buf_text(&b); *at; at = strchr(at, '\n') + 1, lines++) {
		assert_memory_equal(at, "    # ", 6);
		assert_true(strcspn(at, "\n") <= 116);
	}
	assert_int_equal(lines, 4);
	buf_free(&b);
}

static void shapes(void **state)
{
	(void)state;
	assert_true(ps_guid_ok("{4dc3e181-e14b-4a21-b022-59fc669b0914}"));
	assert_false(ps_guid_ok(""));
	assert_false(ps_guid_ok("{4dc3e181-e14b-4a21-b022-59fc669b0914"));
	assert_false(ps_guid_ok("{4dc3e181-e14b-4a21-b022-59fc669b0914}x"));
	assert_false(ps_guid_ok("{4dc3e181-e14b-4a21-b022-59fc669b091g}"));
	assert_false(ps_guid_ok("4dc3e181-e14b-4a21-b022-59fc669b0914"));
	assert_true(ps_store_ok("MY"));
	assert_true(ps_store_ok("WebHosting"));
	assert_false(ps_store_ok(""));
	assert_false(ps_store_ok("1A"));
	assert_false(ps_store_ok("My Store"));
	assert_false(ps_store_ok("MY'"));
	assert_false(ps_store_ok("MY\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes),
		cmocka_unit_test(lists),
		cmocka_unit_test(remarks),
		cmocka_unit_test(shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
