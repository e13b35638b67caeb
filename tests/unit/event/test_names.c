/* test_names.c - the table of field names, and the ceiling on it. */
#include "collect.h"

#include "event/field_name.h"
#include "limits.h"

static void ids(void **state)
{
	struct names *n = names_new();
	uint16_t image = names_add(n, "Image", 5), other = names_add(n, "ImagePath!", 9);

	(void)state;
	assert_true(image && other && image != other);
	assert_int_equal(names_add(n, "Image", 5), image);
	assert_int_equal(names_add(n, "iMAGE", 5), image);
	assert_int_equal(names_find(n, "image", 5), image);
	assert_int_equal(names_find(n, "imagepath", 9), other);
	assert_int_equal(names_find(n, "imag", 4), 0);
	assert_string_equal(names_text(n, image), "Image");
	assert_string_equal(names_text(n, 0), "");
	assert_string_equal(names_text(n, 9999), "");
	names_free(n);
	names_free(NULL);
}

static void ceiling(void **state)
{
	struct names *n = names_new();
	char name[16];

	(void)state;
	for (int i = 1; i <= LIMIT_NAMES; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(names_add(n, name, strlen(name)), i);
	}
	assert_int_equal(names_add(n, "one more", 8), 0);
	assert_int_equal(names_add(n, "N17", 3), 17);
	assert_int_equal(names_find(n, "n60000", 6), 60000);
	names_free(n);
}

/* Whatever the seed: the reader knows EventID by its pointer. */
static void no_early_name_is_lost(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct field_names *t = field_names_new(NULL);
		struct arena *a = arena_new(4096);
		const struct field_name *first[60];
		char name[16];

		for (int again = 0; again < 2; again++)
			for (int i = 0; i < 60; i++) {
				int n = snprintf(name, sizeof name, "Data[%d]", i);
				const struct field_name *f = field_name(t, name, (size_t)n, a);

				first[i] = again ? first[i] : f;
				assert_ptr_equal(f, first[i]);
			}
		field_names_free(t);
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(ids), cmocka_unit_test(ceiling),
		cmocka_unit_test(no_early_name_is_lost) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
