/* test_file.c - files: modes, locks, close-on-exec, folders. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "os/os.h"

static struct scratch s;

static int setup(void **state)
{
	(void)state;
	scratch_init(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&s);
	return 0;
}

static void opens_safely(void **state)
{
	static const enum os_open_how how[] = { OS_APPEND, OS_CREATE, OS_LOCK, OS_READ };
	struct stat st;

	(void)state;
	umask(0);
	for (size_t i = 0; i < 4; i++) {
		int fd = os_file.open(scratch_path(&s, "f"), how[i]);

		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		os_file.close(fd);
	}
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(os_file.open(scratch_path(&s, "nothing"), OS_READ), -ENOENT);
	os_file.close(-1);
}

static void appends_reads_and_stats(void **state)
{
	int fd = os_file.open(scratch_path(&s, "f"), OS_APPEND);
	struct os_stat a, b;
	char to[20] = "";

	(void)state;
	assert_int_equal(os_file.write(fd, "hello ", 6), 6);
	os_file.close(fd);
	fd = os_file.open(scratch_path(&s, "f"), OS_APPEND);
	assert_int_equal(os_file.write(fd, "world", 5), 5);
	assert_int_equal(os_file.sync(fd), 0);
	os_file.close(fd);
	fd = os_file.open(scratch_path(&s, "f"), OS_READ);
	assert_int_equal(os_file.read(fd, to, 5, 6), 5);
	assert_string_equal(to, "world");
	assert_int_equal(os_file.read(fd, to, 5, -1), 5); /* a place given does not move where it stands */
	assert_string_equal(to, "hello");
	assert_int_equal(os_file.read(fd, to, 5, 11), 0);
	assert_int_equal(os_file.stat(NULL, fd, &a), 0);
	assert_int_equal(os_file.stat(scratch_path(&s, "f"), -1, &b), 0);
	assert_true(a.inode == b.inode && a.device == b.device);
	assert_int_equal(b.size, 11);
	assert_false(b.is_folder);
	assert_true(b.mtime_us > INT64_C(1700000000) * 1000000);
	os_file.close(fd);
	assert_int_equal(os_file.read(fd, to, 5, 0), -EBADF);
	assert_int_equal(os_file.stat(s.folder, -1, &b), 0);
	assert_true(b.is_folder);
}

static void lock_has_one_owner(void **state)
{
	int first = os_file.open(scratch_path(&s, "lock"), OS_LOCK), second;

	(void)state;
	assert_true(first >= 0);
	assert_int_equal(os_file.open(scratch_path(&s, "lock"), OS_LOCK), -EWOULDBLOCK);
	os_file.close(first);
	second = os_file.open(scratch_path(&s, "lock"), OS_LOCK);
	assert_true(second >= 0);
	os_file.close(second);
}

struct names {
	int n, stop_at;
	bool seen_a;
};

static int on_name(void *arg, const char *name)
{
	struct names *k = arg;

	k->seen_a = k->seen_a || strcmp(name, "a") == 0;
	return ++k->n == k->stop_at;
}

static void lists(void **state)
{
	struct names k = { 0 };

	(void)state;
	scratch_write(&s, "a", "", 0);
	scratch_write(&s, "b", "", 0);
	scratch_write(&s, ".c", "", 0);
	assert_int_equal(os_file.list(s.folder, on_name, &k), 0);
	assert_int_equal(k.n, 3);
	assert_true(k.seen_a);
	k = (struct names){ .stop_at = 1 };
	assert_int_equal(os_file.list(s.folder, on_name, &k), 0);
	assert_int_equal(k.n, 1);
	assert_int_equal(os_file.list("/nonexistent", on_name, &k), -ENOENT);
}

static void replaces_and_removes(void **state)
{
	struct os_stat st;

	(void)state;
	assert_int_equal(os_file_replace(&os_file, scratch_path(&s, "f"), "one", 3), 0);
	assert_int_equal(os_file_replace(&os_file, scratch_path(&s, "f"), "three", 5), 0);
	assert_int_equal(os_file.stat(s.path, -1, &st), 0);
	assert_int_equal(st.size, 5);
	assert_int_equal(os_file.stat(scratch_path(&s, "f.new"), -1, &st), -ENOENT);
	assert_int_equal(os_file_remove(scratch_path(&s, "f")), 0);
	assert_int_equal(os_file_remove(s.path), -ENOENT);
	assert_int_equal(os_file_replace(&os_file, "/nonexistent/f", "x", 1), -ENOENT);
}

static void makes_folders(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(os_make_folder(scratch_path(&s, "d")), 0);
	assert_int_equal(os_make_folder(s.path), 0);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(os_make_folder(scratch_path(&s, "d/e/f/")), 0);
	assert_int_equal(stat(s.path, &st), 0);
	scratch_write(&s, "file", "", 0);
	assert_int_equal(os_make_folder(scratch_path(&s, "file/x")), -ENOTDIR);
	assert_int_equal(os_make_folder(""), -ENOENT);
	rmdir(scratch_path(&s, "d/e/f"));
	rmdir(scratch_path(&s, "d/e"));
}

static void random_and_ids(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_int_equal(os_random(a, sizeof a), 0);
	assert_int_equal(os_random(b, sizeof b), 0);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(os_pid(), getpid());
	assert_int_equal(os_uid(), getuid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_safely, setup, teardown),
		cmocka_unit_test_setup_teardown(appends_reads_and_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_has_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(lists, setup, teardown),
		cmocka_unit_test_setup_teardown(replaces_and_removes, setup, teardown),
		cmocka_unit_test_setup_teardown(makes_folders, setup, teardown),
		cmocka_unit_test(random_and_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
