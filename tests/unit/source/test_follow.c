/* test_follow.c - logs that grow, are rotated, cut, rewritten and copied, seen live and over a restart. */
#include "drain.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

struct world {
	struct scratch t;
	char log[600], old[600];
	struct drain d;
	char position[512];
};

static void start(struct world *w)
{
	drain_init(&w->d, SOURCE_FOLLOW, w->log, &os_file);
	if (w->position[0])
		source_resume(w->d.s, w->log, w->position);
	assert_int_equal(w->d.s->ops->open(w->d.s, &w->d.e), 0);
}

static struct world *begin(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	scratch_init(&w->t);
	snprintf(w->log, sizeof(w->log), "%s/log", w->t.folder);
	snprintf(w->old, sizeof(w->old), "%s/log.1", w->t.folder);
	start(w);
	return w;
}

/* Stops the source, and starts another one with the position of `offset`. */
static void restart(struct world *w, int64_t offset)
{
	source_position(w->d.s, w->log, offset, w->position, sizeof(w->position));
	assert_true(w->position[0]);
	drain_free(&w->d);
}

static void end(struct world *w)
{
	drain_free(&w->d);
	scratch_free(&w->t);
	free(w);
}

static struct source_counts counted(struct world *w)
{
	struct source_counts c;

	w->d.s->ops->counts(w->d.s, &c);
	return c;
}

static void grows(void **state)
{
	struct world *w = begin();

	(void)state;
	drain_expect(&w->d, ""); /* not there yet */
	put(w->log, "w", "one");
	drain_expect(&w->d, "(log|one");
	drain_expect(&w->d, "");
	put(w->log, "a", "two");
	drain_expect(&w->d, "two");
	assert_int_equal(w->d.s->ops->wait_fd(w->d.s), -1);
	end(w);
}

static void rotated_while_read(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "one");
	drain_expect(&w->d, "(log|one");
	put(w->log, "a", " rest");
	assert_int_equal(rename(w->log, w->old), 0);
	drain_expect(&w->d, " rest");
	put(w->old, "a", " late"); /* the writer has not noticed yet */
	drain_expect(&w->d, " late");
	put(w->log, "w", "new");
	drain_expect(&w->d, ")(log|new");
	put(w->log, "a", " more");
	drain_expect(&w->d, " more");
	assert_int_equal(counted(w).rotations, 1);
	assert_int_equal(counted(w).errors, 0);
	end(w);
}

static void cut_while_read(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "a long first text");
	drain_expect(&w->d, "(log|a long first text");
	put(w->log, "w", "short");
	drain_expect(&w->d, ")(log|short");
	put(w->log, "w", "rewritten in place, and longer");
	drain_expect(&w->d, ")(log|rewritten in place, and longer");
	assert_int_equal(counted(w).truncations, 2);
	end(w);
}

static void goes_on_after_restart(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "0123456789");
	drain_all(&w->d);
	restart(w, 6); /* four bytes of a half event were not dealt with */
	put(w->log, "a", "ab");
	start(w);
	drain_expect(&w->d, "6789ab");
	end(w);
}

static void rotated_while_stopped(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "0123456789");
	drain_all(&w->d);
	restart(w, 6);
	put(w->log, "a", "ab");
	assert_int_equal(rename(w->log, w->old), 0);
	put(w->log, "w", "NEW");
	start(w);
	drain_expect(&w->d, "6789ab)(log|NEW");
	restart(w, 3);
	put(w->log, "a", "+");
	start(w);
	drain_expect(&w->d, "+");
	end(w);
}

static void rotated_before_anything_was_dealt_with(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "half");
	drain_all(&w->d);
	restart(w, 0);
	assert_int_equal(rename(w->log, w->old), 0);
	put(w->log, "w", "NEW");
	start(w);
	drain_expect(&w->d, "(log|half)(log|NEW");
	end(w);
}

static void stopped_after_the_old_file_ended(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "0123456789");
	drain_all(&w->d);
	assert_int_equal(rename(w->log, w->old), 0);
	put(w->log, "w", "NEW");
	while (!strchr(buf_text(&w->d.said), ')'))
		assert_int_equal(drain_once(&w->d), 1);
	restart(w, 10); /* between the end of one and the beginning of the other */
	start(w);
	drain_expect(&w->d, ")(log|NEW");
	end(w);
}

/* The times of writing tell generations apart; here they are set, since the test writes all within one tick. */
static void written(const char *path, long second)
{
	const struct timespec t[2] = { { second, 0 }, { second, 0 } };

	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* log.2: read up to "one"; log.1: never seen; log: what is there now. */
static void rotate_twice(struct world *w)
{
	char oldest[610];

	snprintf(oldest, sizeof(oldest), "%s.2", w->log);
	put(w->log, "a", " end");
	written(w->log, 1000);
	assert_int_equal(rename(w->log, oldest), 0);
	put(w->old, "w", "two");
	written(w->old, 2000);
	put(w->log, "w", "three");
	put(scratch_path(&w->t, "log.0"), "w", "before all");
	written(scratch_path(&w->t, "log.0"), 900);
	put(scratch_path(&w->t, "log.txt"), "w", "no generation");
	put(scratch_path(&w->t, "log.3"), "w", "\x1f\x8b\x08 packed");
	written(scratch_path(&w->t, "log.3"), 1500);
}

static void rotated_twice_while_read(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "one");
	drain_expect(&w->d, "(log|one");
	rotate_twice(w);
	drain_expect(&w->d, " end)(log|two)(log|three");
	put(w->old, "a", " late");
	put(w->log, "a", " more");
	drain_expect(&w->d, " more");
	end(w);
}

static void rotated_twice_while_stopped(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "one");
	drain_all(&w->d);
	restart(w, 3);
	rotate_twice(w);
	start(w);
	drain_expect(&w->d, " end)(log|two)(log|three");
	end(w);
}

/* What was read is gone: the generation after it comes next all the same. */
static void rotated_twice_and_removed_while_stopped(void **state)
{
	struct world *w = begin();
	char oldest[610];

	(void)state;
	snprintf(oldest, sizeof(oldest), "%s.2", w->log);
	put(w->log, "w", "one");
	written(w->log, 1000);
	drain_all(&w->d);
	restart(w, 3);
	rotate_twice(w);
	assert_int_equal(unlink(oldest), 0);
	start(w);
	drain_expect(&w->d, "(log|two)(log|three");
	end(w);
}

/* Between the old file's end and the new one's beginning the log is rotated again. */
static void rotated_again_before_it_was_opened(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "one");
	drain_all(&w->d);
	written(w->log, 1000);
	assert_int_equal(rename(w->log, scratch_path(&w->t, "log.2")), 0);
	put(w->log, "w", "two");
	written(w->log, 2000);
	while (!strchr(buf_text(&w->d.said), ')'))
		assert_int_equal(drain_once(&w->d), 1);
	assert_int_equal(rename(w->log, w->old), 0);
	drain_expect(&w->d, "(log|one)(log|two");
	put(w->log, "w", "three");
	drain_expect(&w->d, ")(log|three");
	end(w);
}

static void copied_and_cut_while_stopped(void **state)
{
	static const char text[] = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789";
	struct world *w = begin();

	(void)state;
	put(w->log, "w", text);
	drain_all(&w->d);
	restart(w, 70);
	put(w->old, "w", text); /* copytruncate */
	put(w->log, "w", "after");
	start(w);
	drain_expect(&w->d, "456789)(log|after");
	end(w);
}

static void replaced_while_stopped(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "0123456789");
	drain_all(&w->d);
	restart(w, 10);
	put(w->log, "w", "something else, and longer");
	start(w);
	drain_expect(&w->d, "(log|something else, and longer");
	assert_int_equal(counted(w).truncations, 1);
	restart(w, 5);
	assert_int_equal(unlink(w->log), 0);
	put(w->old, "w", "unrelated");
	written(w->old, 1000); /* before what was read */
	put(w->log, "w", "new inode");
	start(w);
	drain_expect(&w->d, "(log|new inode");
	end(w);
}

static int refuse_neighbour(const char *path, enum os_open_how how)
{
	return strstr(path, "log.") ? -13 : os_file.open(path, how);
}

/* A neighbour that may never be read must not keep the log itself from being read. */
static void unreadable_neighbour(void **state)
{
	struct os_file_ops files = os_file;
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "0123456789");
	drain_all(&w->d);
	restart(w, 6);
	assert_int_equal(rename(w->log, w->old), 0);
	put(w->log, "w", "NEW");
	files.open = refuse_neighbour;
	drain_init(&w->d, SOURCE_FOLLOW, w->log, &files);
	source_resume(w->d.s, w->log, w->position);
	assert_int_equal(w->d.s->ops->open(w->d.s, &w->d.e), 0);
	for (int i = 0; i < 6; i++)
		drain_all(&w->d);
	drain_expect(&w->d, "(log|NEW");
	assert_int_equal(w->d.errors, 1); /* said once */
	end(w);
}

static void nonsense_position(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "text");
	drain_free(&w->d);
	strcpy(w->position, "file 1 device=x");
	start(w);
	drain_expect(&w->d, "(log|text");
	end(w);
}

static void compressed_is_refused_once(void **state)
{
	struct world *w = begin();

	(void)state;
	put(w->log, "w", "\x1f\x8b\x08 packed");
	drain_all(&w->d);
	drain_all(&w->d);
	assert_int_equal(w->d.errors, 1);
	assert_non_null(strstr(w->d.e.text, "cannot be followed"));
	assert_int_equal(w->d.said.n, 0);
	end(w);
}

static void a_followed_folder(void **state)
{
	struct scratch t;
	struct drain d;
	char a[600], b[600];

	(void)state;
	scratch_init(&t);
	snprintf(a, sizeof(a), "%s/a", t.folder);
	snprintf(b, sizeof(b), "%s/a.1", t.folder);
	put(a, "w", "A");
	put(b, "w", "older generation");
	written(b, 1000);
	drain_init(&d, SOURCE_FOLLOW, t.folder, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_expect(&d, "(a|A");
	put(scratch_path(&t, "b"), "w", "B");
	drain_all(&d);
	drain_expect(&d, "(b|B");
	assert_int_equal(rename(a, scratch_path(&t, "a-yesterday")), 0); /* not to be read again under its new name */
	put(a, "w", "new A");
	drain_all(&d);
	drain_all(&d);
	drain_expect(&d, ")(a|new A");
	drain_free(&d);
	scratch_free(&t);
}

static void many_files_share_few_descriptors(void **state)
{
	struct scratch t;
	struct drain d;
	size_t n;

	(void)state;
	scratch_init(&t);
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%02d", i);
		scratch_write(&t, name, "x", 1);
	}
	drain_init(&d, SOURCE_FOLLOW, t.folder, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	drain_all(&d);
	n = d.said.n;
	assert_int_equal(n, 100 * strlen("(f00|x"));
	drain_all(&d);
	assert_int_equal(d.said.n, n);
	put(scratch_path(&t, "f42"), "a", "more");
	drain_all(&d);
	assert_int_equal(d.said.n, n + 4);
	put(scratch_path(&t, "f43"), "w", "rewritten");
	buf_reset(&d.said);
	drain_expect(&d, "(f43|rewritten");
	drain_free(&d);
	scratch_free(&t);
}

static size_t descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void removed_behind_the_reader(void **state)
{
	struct scratch t;
	struct drain d;
	size_t before;

	(void)state;
	scratch_init(&t);
	drain_init(&d, SOURCE_FOLLOW, t.folder, &os_file);
	assert_int_equal(d.s->ops->open(d.s, &d.e), 0);
	before = descriptors();
	for (int i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%03d", i);
		scratch_write(&t, name, "x", 1);
		drain_all(&d);
		drain_all(&d);
		put(scratch_path(&t, name), "a", "y"); /* the last words, and gone before they were read */
		assert_int_equal(unlink(scratch_path(&t, name)), 0);
	}
	drain_all(&d);
	drain_all(&d);
	assert_int_equal(d.said.n, 200 * strlen("(f000|xy)"));
	assert_int_equal(descriptors(), before);
	scratch_write(&t, "f000", "again", 5);
	buf_reset(&d.said);
	drain_all(&d);
	drain_expect(&d, "(f000|again");
	drain_free(&d);
	scratch_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows), cmocka_unit_test(rotated_while_read), cmocka_unit_test(cut_while_read),
		cmocka_unit_test(goes_on_after_restart), cmocka_unit_test(rotated_while_stopped),
		cmocka_unit_test(rotated_twice_while_read), cmocka_unit_test(rotated_twice_while_stopped),
		cmocka_unit_test(rotated_twice_and_removed_while_stopped), cmocka_unit_test(rotated_again_before_it_was_opened),
		cmocka_unit_test(rotated_before_anything_was_dealt_with), cmocka_unit_test(stopped_after_the_old_file_ended),
		cmocka_unit_test(copied_and_cut_while_stopped), cmocka_unit_test(replaced_while_stopped),
		cmocka_unit_test(unreadable_neighbour), cmocka_unit_test(nonsense_position), cmocka_unit_test(compressed_is_refused_once),
		cmocka_unit_test(a_followed_folder), cmocka_unit_test(many_files_share_few_descriptors),
		cmocka_unit_test(removed_behind_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
