/* test_walk.c - what a folder of strangers may hold: pipes, sockets, links in circles and to nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/walk.h"
#include "lib/check.h"
#include "lib/scratch.h"

#define NO_FILE " cannot be read: it is a pipe, a socket or a device, and only plain files are read\n"

static struct scratch s;
static struct buf said;

static int setup(void **state)
{
	(void)state;
	scratch_init(&s);
	buf_init(&said, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&said);
	scratch_free(&s);
	return 0;
}

static bool wanted(void *arg, const char *path)
{
	(void)arg;
	return !strstr(path, "/not");
}

static int each(void *arg, const struct walk_found *f, struct err *e)
{
	const char *below = f->path + strlen(s.folder);

	(void)arg;
	if (strcmp(below, "/stop") == 0)
		return err_set(e, ERR_IO, "stopped");
	buf_printf(&said, "%s%s%s%s\n", below, f->skipped ? " SKIPPED" : "", f->error ? " " : "", f->why);
	return 0;
}

static int go(const char *name, struct err *e)
{
	const struct walk how = { .files = &os_file, .each = each, .wanted = wanted };

	buf_reset(&said);
	return walk(&how, *name ? scratch_path(&s, name) : s.folder, e);
}

static void make_folder(const char *name)
{
	assert_int_equal(mkdir(scratch_path(&s, name), 0700), 0);
}

static void make_socket(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%.*s", (int)sizeof at.sun_path - 1, scratch_path(&s, name));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	close(fd);
}

static void in_order_of_names(void **state)
{
	struct err e;

	(void)state;
	make_folder("b");
	make_folder("not");
	scratch_write(&s, "b/deep", "x", 1);
	scratch_write(&s, "not/seen", "x", 1);
	scratch_write(&s, "c", "x", 1);
	scratch_write(&s, "a", "x", 1);
	scratch_write(&s, ".hidden", "x", 1);
	assert_int_equal(go("", &e), 0);
	assert_string_equal(buf_text(&said), "/a\n/b/deep\n/c\n");
	assert_int_equal(go("a", &e), 0);
	assert_string_equal(buf_text(&said), "/a\n");
	assert_int_equal(go("nothing", &e), -1);
	assert_non_null(strstr(e.text, "cannot be read: no such file"));
	scratch_write(&s, "stop", "x", 1);
	assert_int_equal(go("", &e), -1);
	assert_string_equal(e.text, "stopped");
}

static void what_is_no_file(void **state)
{
	struct err e;
	struct buf b;

	(void)state;
	assert_int_equal(mkfifo(scratch_path(&s, "pipe"), 0600), 0);
	make_socket("socket");
	assert_int_equal(symlink("/nowhere/at/all", scratch_path(&s, "dangling")), 0);
	assert_int_equal(symlink("itself", scratch_path(&s, "itself")), 0);
	assert_int_equal(go("", &e), 0);
	assert_string_equal(buf_text(&said), "/dangling is a link that leads nowhere\n/itself is a link that leads nowhere\n"
		"/pipe" NO_FILE "/socket" NO_FILE);
	assert_int_equal(go("pipe", &e), 0); /* somebody named it */
	assert_string_equal(buf_text(&said), "/pipe\n");
	buf_init(&b, 100);
	assert_int_equal(file_read(&os_file, scratch_path(&s, "pipe"), &b, &e), -1); /* and does not wait for a writer */
	assert_non_null(strstr(e.text, "it is a pipe"));
	assert_int_equal(file_read(&os_file, scratch_path(&s, "socket"), &b, &e), -1);
	assert_non_null(strstr(e.text, "it is a pipe, a socket"));
	buf_free(&b);
}

/* Three links to the folder that they stand in would be 3^16 folders. */
static void circles_of_links(void **state)
{
	struct err e;

	(void)state;
	make_folder("a");
	scratch_write(&s, "a/file", "x", 1);
	assert_int_equal(symlink("..", scratch_path(&s, "a/up")), 0);
	assert_int_equal(symlink(".", scratch_path(&s, "a/here")), 0);
	assert_int_equal(symlink("../a", scratch_path(&s, "a/side")), 0);
	assert_int_equal(symlink("a", scratch_path(&s, "b")), 0);
	assert_int_equal(go("", &e), 0);
	assert_non_null(strstr(buf_text(&said), "/a/file\n/a/here SKIPPED is the folder "));
	assert_non_null(strstr(buf_text(&said), "/a/side SKIPPED"));
	assert_non_null(strstr(buf_text(&said), "/a/up SKIPPED"));
	assert_non_null(strstr(buf_text(&said), "/b SKIPPED"));
	assert_null(strstr(buf_text(&said), "/b/file"));
}

static void too_deep(void **state)
{
	char name[64] = "d";
	struct err e;

	(void)state;
	for (int i = 0; i < WALK_DEPTH + 2; i++, snprintf(name + strlen(name), 3, "/d"))
		make_folder(name);
	assert_int_equal(go("", &e), 0);
	assert_non_null(strstr(buf_text(&said), "/d/d SKIPPED lies deeper than 16 folders"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_order_of_names, setup, teardown), cmocka_unit_test_setup_teardown(what_is_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(circles_of_links, setup, teardown), cmocka_unit_test_setup_teardown(too_deep, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
