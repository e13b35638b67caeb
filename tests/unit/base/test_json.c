/* test_json.c - reading that never surprises, writing that is valid whatever the bytes. */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "lib/check.h"

static struct json *parse(const char *s)
{
	struct err e = { 0 };
	struct json *j = json_parse(s, strlen(s), &e);

	if (!j)
		print_message("# %s\n", e.text);
	return j;
}

static void reads(void **state)
{
	struct json *j = parse("{\"a\":\"x\",\"b\":[1,2,-3],\"c\":true,\"d\":null,\"e\":9223372036854775807,\"f\":{\"g\":\"\\u00e9\"}}");
	const struct json *b = json_get(j, "b");

	(void)state;
	assert_non_null(j);
	assert_string_equal(json_str(json_get(j, "a"), "-"), "x");
	assert_int_equal(json_len(b), 3);
	assert_int_equal(json_int(json_at(b, 2), 0), -3);
	assert_null(json_at(b, 3));
	assert_true(json_bool(json_get(j, "c"), false));
	assert_true(json_is_null(json_get(j, "d")));
	assert_true(json_int(json_get(j, "e"), 0) == INT64_MAX);
	assert_string_equal(json_str(json_get(json_get(j, "f"), "g"), "-"), "\xc3\xa9");
	assert_true(json_is_object(j) && json_is_array(b) && json_is_string(json_get(j, "a")));
	json_free(j);
}

static void missing_and_wrong_kinds_are_the_default(void **state)
{
	struct json *j = parse("{\"s\":\"5\",\"n\":5}");

	(void)state;
	assert_string_equal(json_str(json_get(j, "n"), "-"), "-");
	assert_int_equal(json_int(json_get(j, "s"), -1), -1);
	assert_true(json_bool(json_get(j, "s"), true));
	assert_null(json_get(json_get(j, "s"), "x"));
	assert_null(json_get(NULL, "x"));
	assert_int_equal(json_len(j), 0);
	assert_null(json_at(j, 0));
	assert_true(json_is_null(NULL));
	assert_false(json_is_object(NULL) || json_is_array(NULL) || json_is_string(NULL));
	assert_int_equal(json_int(NULL, 3), 3);
	json_free(j);
	json_free(NULL);
}

static void refuses(void **state)
{
	static const char *const t[] = { "", "{", "{\"a\":1,\"a\":2}", "{} x", "[1,]", "\"\\u0000\"", "\"\xff\"", "nul", "{a:1}",
					 "[99999999999999999999]" };
	char deep[200];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_null(json_parse(t[i], strlen(t[i]), &e));
		assert_int_equal(e.code, ERR_IO);
	}
	memset(deep, '[', 65);
	memset(deep + 65, ']', 65);
	assert_null(json_parse(deep, 130, &e));
	assert_non_null(strstr(e.text, "deeper than 64"));
	struct json *j = json_parse(deep + 1, 128, &e);
	assert_non_null(j);
	json_free(j);
}

static void brackets_in_strings_are_no_depth(void **state)
{
	char text[400];
	struct json *j;

	(void)state;
	memset(text, '[', sizeof text);
	text[0] = '"';
	text[1] = '\\';
	text[2] = '"';
	text[sizeof text - 1] = '"';
	j = json_parse(text, sizeof text, NULL);
	assert_non_null(j);
	json_free(j);
}

static int collect(void *arg, const char *key, const struct json *value)
{
	struct buf *b = arg;

	buf_printf(b, "%s=%d ", key, (int)json_int(value, -1));
	return json_int(value, 0) == 3 ? 42 : 0;
}

static void each_in_order(void **state)
{
	struct json *j = parse("{\"z\":1,\"a\":2,\"m\":3,\"b\":4}");
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(json_each(j, collect, &b), 42);
	assert_string_equal(buf_text(&b), "z=1 a=2 m=3 ");
	assert_int_equal(json_each(json_get(j, "z"), collect, &b), 0);
	buf_free(&b);
	json_free(j);
}

static void writes(void **state)
{
	struct json_out o;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_str(&o, "s", "a\"b\\c\n\t\x01/");
	json_put_str(&o, "null", NULL);
	json_put_int(&o, "min", INT64_MIN);
	json_put_int(&o, "zero", 0);
	json_put_real(&o, "r", 1.25, 3);
	json_put_real(&o, "nan", (double)NAN, 3);
	json_put_bool(&o, "t", true);
	json_put_time(&o, "time", 1000000);
	json_put_time(&o, "never", 0);
	json_open(&o, "list", '[');
	json_put_int(&o, NULL, 1);
	json_open(&o, NULL, '{');
	json_close(&o, '}');
	json_put_null(&o, NULL);
	json_put_raw(&o, NULL, "[2]");
	json_close(&o, ']');
	json_put_bool(&o, "k\"", false);
	json_close(&o, '}');
	assert_string_equal(buf_text(&b),
			    "{\"s\":\"a\\\"b\\\\c\\n\\t\\u0001/\",\"null\":null,\"min\":-9223372036854775808,\"zero\":0,"
			    "\"r\":1.250,\"nan\":null,\"t\":true,\"time\":\"1970-01-01T00:00:01.000000Z\",\"never\":null,"
			    "\"list\":[1,{},null,[2]],\"k\\\"\":false}");
	buf_free(&b);
}

static void one_document_after_another(void **state)
{
	struct json_out o;
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	json_begin(&o, &b);
	for (int i = 0; i < 2; i++) {
		json_open(&o, NULL, '{');
		json_put_int(&o, "i", i);
		json_close(&o, '}');
		buf_char(&b, '\n');
	}
	assert_string_equal(buf_text(&b), "{\"i\":0}\n{\"i\":1}\n");
	buf_free(&b);
}

static void put(const char *s, size_t n, struct buf *b)
{
	struct json_out o;

	buf_reset(b);
	json_begin(&o, b);
	json_put_strn(&o, NULL, s, n);
}

static void bad_bytes_become_fffd(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	put("a\xff" "b\xc3", 4, &b);
	assert_string_equal(buf_text(&b), "\"a\xef\xbf\xbd" "b\xef\xbf\xbd\"");
	put("\xed\xa0\x80", 3, &b);
	assert_string_equal(buf_text(&b), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	put("\x7f\xc2\x85\xf0\x9f\x98\x80", 7, &b);
	assert_string_equal(buf_text(&b), "\"\\u007f\\u0085\xf0\x9f\x98\x80\"");
	put("\0", 1, &b);
	assert_string_equal(buf_text(&b), "\"\xef\xbf\xbd\""); /* our own reader takes no NUL */
	buf_free(&b);
}

/* Every byte at every place of a longer text, so that the eight-byte step is crossed in all ways; jansson is the judge. */
static void any_byte_anywhere(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int c = 1; c < 256; c++) {
		for (size_t at = 0; at < 20; at++) {
			char text[20];
			struct json *j;
			const char *back;

			memset(text, 'x', sizeof text);
			text[at] = (char)c;
			put(text, sizeof text, &b);
			j = json_parse(buf_text(&b), b.n, NULL);
			assert_non_null(j);
			back = json_str(j, NULL);
			if (c < 0x80)
				assert_memory_equal(back, text, sizeof text);
			else
				assert_memory_equal(back + at, "\xef\xbf\xbd", 3);
			json_free(j);
		}
	}
	buf_free(&b);
}

static void random_bytes_are_valid_json(void **state)
{
	uint64_t x = 88172645463325252u;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	for (int round = 0; round < 20000; round++) {
		char text[24];
		struct json *j;

		for (size_t i = 0; i < sizeof text; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			text[i] = (char)(x % 3 ? 0x80 + x % 0x80 : 1 + x % 0x7f);
		}
		put(text, sizeof text, &b);
		j = json_parse(buf_text(&b), b.n, NULL);
		assert_non_null(j);
		json_free(j);
	}
	buf_free(&b);
}

static void a_tree_is_written_as_it_was_read(void **state)
{
	static const char text[] = "{\"a\":[1,-2.5,true,false,null,\"x\\n\\u00e4\"],\"b\":{},\"c\":[]}";
	struct json *j = json_parse(text, sizeof text - 1, NULL), *again;
	struct json_out o;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_begin(&o, &b);
	json_put(&o, NULL, j);
	assert_string_equal(buf_text(&b), "{\"a\":[1,-2.5,true,false,null,\"x\\n\xc3\xa4\"],\"b\":{},\"c\":[]}");
	again = json_parse(b.p, b.n, NULL);
	assert_non_null(again);
	json_free(again);
	json_free(j);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(missing_and_wrong_kinds_are_the_default),
		cmocka_unit_test(refuses),
		cmocka_unit_test(brackets_in_strings_are_no_depth),
		cmocka_unit_test(each_in_order),
		cmocka_unit_test(writes),
		cmocka_unit_test(one_document_after_another),
		cmocka_unit_test(bad_bytes_become_fffd),
		cmocka_unit_test(any_byte_anywhere),
		cmocka_unit_test(random_bytes_are_valid_json),
		cmocka_unit_test(a_tree_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
