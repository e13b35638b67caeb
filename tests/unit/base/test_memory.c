/* test_memory.c - arenas and buffers: what is kept, what is refused, where the ceilings are. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lib/check.h"

static void arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena *a = arena_new(2048);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 3000; n += 37) {
			unsigned char *p = arena_alloc(a, n);

			assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xaa, n);
		}
		assert_true(arena_used(a) > 100000);
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_free(a);
	arena_free(NULL);
}

static void arena_pieces_do_not_touch(void **state)
{
	struct arena *a = arena_new(0);
	char *p[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(a, i * 7);
		memset(p[i], (int)i, i * 7);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal((unsigned char)p[i][k], i);
	arena_free(a);
}

static void arena_copies(void **state)
{
	struct arena *a = arena_new(1024);
	char *s = arena_copy(a, "abcdef", 3);

	(void)state;
	assert_string_equal(s, "abc");
	assert_string_equal(arena_copy(a, NULL, 0), "");
	assert_string_equal(arena_printf(a, "%s-%d", s, 12), "abc-12");
	arena_free(a);
}

static void buf_grows_to_its_ceiling(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_string_equal(buf_text(&b), "");
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	assert_int_equal(b.n, 1000);
	assert_false(b.refused);
	buf_char(&b, 'y');
	assert_true(b.refused);
	assert_int_equal(b.n, 1000);
	assert_int_equal(strlen(buf_text(&b)), 1000);
	buf_reset(&b);
	assert_false(b.refused);
	buf_printf(&b, "%1001s", "");
	assert_true(b.refused);
	assert_int_equal(b.n, 0);
	buf_free(&b);
	buf_str(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_free(&b);
}

static void buf_cuts_from_the_front(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_cut(&b, 5);
	buf_str(&b, "hello world");
	buf_cut(&b, 6);
	assert_string_equal(buf_text(&b), "world");
	buf_printf(&b, " %d", 7);
	assert_string_equal(buf_text(&b), "world 7");
	buf_cut(&b, 99);
	assert_string_equal(buf_text(&b), "");
	buf_free(&b);
	buf_init(&b, 0);
	buf_add(&b, "", 0);
	assert_false(b.refused);
	buf_char(&b, 'a');
	assert_true(b.refused);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_zeroed_aligned_memory), cmocka_unit_test(arena_pieces_do_not_touch),
		cmocka_unit_test(arena_copies),			     cmocka_unit_test(buf_grows_to_its_ceiling),
		cmocka_unit_test(buf_cuts_from_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
