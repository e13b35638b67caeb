/* test_file.c - reading a whole file and replacing one, with each call to the disk failing in turn. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "lib/check.h"
#include "lib/fault_file.h"
#include "lib/scratch.h"

#define SIZE 40000 /* more than two pieces of reading */

static void reading_is_all_or_nothing(void **state)
{
	static char text[SIZE];
	struct scratch s;
	struct buf b;
	int n;

	(void)state;
	memset(text, 'r', sizeof text);
	scratch_init(&s);
	scratch_write(&s, "f", text, sizeof text);
	buf_init(&b, SIZE + 3);
	for (n = 1; n < 50; n++) {
		struct err e;
		int result;

		buf_reset(&b);
		buf_str(&b, "old");
		fault_file_at(n, EIO);
		result = file_read(&fault_file, scratch_path(&s, "f"), &b, &e);
		assert_int_equal(fault_file_open(), 0);
		if (!fault_file_hit()) {
			assert_int_equal(result, 0);
			assert_int_equal(b.n, SIZE + 3);
			break;
		}
		assert_int_equal(result, -1);
		assert_int_equal(e.code, ERR_IO);
		assert_non_null(strstr(e.text, "input/output error"));
		assert_string_equal(buf_text(&b), "old");
	}
	assert_int_equal(n, 7); /* open, stat, three reads and the one that sees the end */
	buf_free(&b);
	scratch_free(&s);
}

static void the_ceiling_holds(void **state)
{
	static char text[SIZE];
	struct scratch s;
	struct buf b;
	struct err e;

	(void)state;
	scratch_init(&s);
	scratch_write(&s, "f", text, sizeof text);
	buf_init(&b, SIZE - 1);
	fault_file_at(0, 0);
	assert_int_equal(file_read(&fault_file, scratch_path(&s, "f"), &b, &e), -1);
	assert_non_null(strstr(e.text, "is larger than 39999 bytes"));
	assert_int_equal(b.n, 0);
	assert_false(b.refused);
	assert_int_equal(fault_file_open(), 0);
	buf_free(&b);
	scratch_free(&s);
}

static void replacing_shows_old_or_new(void **state)
{
	struct scratch s;
	struct buf b;
	int n;

	(void)state;
	scratch_init(&s);
	buf_init(&b, 100);
	for (n = 1; n < 20; n++) {
		struct os_stat st;
		int result;

		scratch_write(&s, "f", "old", 3);
		fault_file_at(n, ENOSPC);
		result = os_file_replace(&fault_file, scratch_path(&s, "f"), "brand new", 9);
		assert_int_equal(fault_file_open(), 0);
		buf_reset(&b);
		assert_int_equal(file_read(&os_file, scratch_path(&s, "f"), &b, NULL), 0);
		if (!fault_file_hit()) {
			assert_int_equal(result, 0);
			assert_string_equal(buf_text(&b), "brand new");
			break;
		}
		assert_int_equal(result, -ENOSPC);
		assert_string_equal(buf_text(&b), "old");
		/* a part gives its room back */
		if (n == 2 || n == 3) {
			assert_int_equal(os_file.stat(scratch_path(&s, "f.new"), -1, &st), 0);
			assert_int_equal(st.size, 0);
		}
	}
	assert_int_equal(n, 5); /* open, write, sync, rename */
	buf_free(&b);
	scratch_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_is_all_or_nothing),
		cmocka_unit_test(the_ceiling_holds),
		cmocka_unit_test(replacing_shows_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
