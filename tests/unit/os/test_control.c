/* test_control.c - the control socket and the word to the service manager. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static void connects_and_knows_its_peer(void **state)
{
	const char *path = scratch_path(&s, "c.sock");
	int fd, there, here;
	struct os_peer who;
	struct stat st;
	char c = 0;

	(void)state;
	umask(0);
	fd = os_control.listen(path);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(os_control.accept(fd), -EAGAIN);
	there = os_control.connect(path);
	assert_true(there >= 0);
	here = os_control.accept(fd);
	assert_true(here >= 0);
	assert_int_equal(os_control.peer(here, &who), 0);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.uid, getuid());
	assert_int_equal(write(there, "x", 1), 1);
	assert_int_equal(read(here, &c, 1), 1);
	assert_int_equal(c, 'x');
	assert_int_equal(read(here, &c, 1), -1); /* accepted sockets do not block */
	assert_int_equal(os_control.listen(path), -EADDRINUSE); /* its owner lives */
	close(here);
	close(there);
	close(fd);
}

static void a_dead_socket_is_replaced(void **state)
{
	const char *path = scratch_path(&s, "c.sock");
	int fd = os_control.listen(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(os_control.connect(path), -ECONNREFUSED);
	fd = os_control.listen(path);
	assert_true(fd >= 0);
	close(fd);
}

static void other_things_are_left_alone(void **state)
{
	char longest[200];
	struct os_stat st;

	(void)state;
	scratch_write(&s, "file", "x", 1);
	assert_int_equal(os_control.listen(scratch_path(&s, "file")), -EEXIST);
	assert_int_equal(os_file.stat(scratch_path(&s, "file"), -1, &st), 0);
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(os_control.listen(longest), -ENAMETOOLONG);
	assert_int_equal(os_control.connect(scratch_path(&s, "nobody")), -ENOENT);
}

static void the_service_manager_hears(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char to[32] = "";

	(void)state;
	snprintf(a.sun_path, sizeof a.sun_path, "%s", scratch_path(&s, "n.sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	setenv("NOTIFY_SOCKET", s.path, 1);
	os_service_say("READY=1");
	assert_int_equal(recv(fd, to, sizeof to - 1, MSG_DONTWAIT), 7);
	assert_string_equal(to, "READY=1");
	setenv("NOTIFY_SOCKET", "relative", 1);
	os_service_say("READY=1");
	unsetenv("NOTIFY_SOCKET");
	os_service_say("READY=1");
	assert_int_equal(recv(fd, to, sizeof to, MSG_DONTWAIT), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(connects_and_knows_its_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_socket_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(other_things_are_left_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(the_service_manager_hears, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
