/* test_read.c - the n-th call to the disk fails, for every n: nothing is lost, nothing is read twice, no descriptor leaks. */
#include "../../unit/source/drain.h"

#include <errno.h>

#include "lib/fault_file.h"

static void every_byte_once(const char *said, const char *want)
{
	assert_string_equal(said, want);
}

/* A log that grows, rotates and grows again while one call fails. */
static bool follow_with_fault(int n)
{
	struct scratch t;
	struct drain d;
	char log[600], old[600];
	bool hit;

	scratch_init(&t);
	snprintf(log, sizeof(log), "%s/log", t.folder);
	snprintf(old, sizeof(old), "%s/log.1", t.folder);
	put(log, "w", "one ");
	drain_init(&d, SOURCE_FOLLOW, log, &fault_file);
	fault_file_at(n, EIO);
	while (d.s->ops->open(d.s, &d.e))
		d.errors++;
	drain_all(&d);
	drain_all(&d);
	put(log, "a", "two ");
	drain_all(&d);
	drain_all(&d);
	put(log, "a", "three");
	rename(log, old);
	put(log, "w", "four");
	drain_all(&d);
	drain_all(&d);
	every_byte_once(buf_text(&d.said), "(log|one two three)(log|four");
	hit = fault_file_hit();
	assert_true(d.errors <= 1);
	drain_free(&d);
	assert_int_equal(fault_file_open(), 0);
	scratch_free(&t);
	return hit;
}

static void follow(void **state)
{
	int n = 1;

	(void)state;
	while (follow_with_fault(n))
		n++;
	assert_true(n > 20);
}

/* Going on at a stored position, with the rest of the old file waiting under its new name. */
static bool resume_with_fault(int n)
{
	struct scratch t;
	struct drain d;
	char log[600], old[600], position[512];
	bool hit;

	scratch_init(&t);
	snprintf(log, sizeof(log), "%s/log", t.folder);
	snprintf(old, sizeof(old), "%s/log.1", t.folder);
	put(log, "w", "0123456789");
	drain_init(&d, SOURCE_FOLLOW, log, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_all(&d);
	source_position(d.s, log, 6, position, sizeof(position));
	drain_free(&d);
	rename(log, old);
	put(log, "w", "NEW");
	drain_init(&d, SOURCE_FOLLOW, log, &fault_file);
	source_resume(d.s, log, position);
	fault_file_at(n, EIO);
	while (d.s->ops->open(d.s, &d.e))
		d.errors++;
	drain_all(&d);
	drain_all(&d);
	every_byte_once(buf_text(&d.said), "6789)(log|NEW");
	hit = fault_file_hit();
	drain_free(&d);
	assert_int_equal(fault_file_open(), 0);
	scratch_free(&t);
	return hit;
}

static void resume(void **state)
{
	int n = 1;

	(void)state;
	while (resume_with_fault(n))
		n++;
	assert_true(n > 12);
}

/* A folder that is read once: the file that fails is told, the others come whole. */
static bool files_with_fault(int n)
{
	struct scratch t;
	struct drain d;
	bool hit, opened;

	scratch_init(&t);
	scratch_write(&t, "a", "A", 1);
	scratch_write(&t, "b", "B", 1);
	scratch_write(&t, "c", "C", 1);
	drain_init(&d, SOURCE_FILE, t.folder, &fault_file);
	fault_file_at(n, EIO);
	opened = !d.s->ops->open(d.s, &d.e);
	drain_all(&d);
	hit = fault_file_hit();
	if (opened) {
		int whole = !!strstr(buf_text(&d.said), "(a|A)") + !!strstr(buf_text(&d.said), "(b|B)") + !!strstr(buf_text(&d.said), "(c|C)");

		assert_int_equal(whole, 3 - d.errors);
		assert_true(d.errors <= (hit ? 1 : 0));
	} else {
		assert_true(hit);
		assert_int_equal(d.e.code, ERR_IO);
	}
	drain_free(&d);
	assert_int_equal(fault_file_open(), 0);
	scratch_free(&t);
	return hit;
}

static void files(void **state)
{
	int n = 1;

	(void)state;
	while (files_with_fault(n))
		n++;
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(follow), cmocka_unit_test(resume), cmocka_unit_test(files) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
