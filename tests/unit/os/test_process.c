/* test_process.c - what a child gets, and what it does not; signals as a descriptor; the jail. The program starts itself
 * with a word as the child. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "os/os.h"

static char self[4096];

/* The child's half: exit codes tell what it saw. */
static int child(const char *what, const char *arg)
{
	if (strcmp(what, "exit") == 0)
		return atoi(arg);
	if (strcmp(what, "fds") == 0) { /* how many are open, above the channel */
		int n = 0;

		for (int fd = 4; fd < 256; fd++)
			n += fcntl(fd, F_GETFD) >= 0;
		return n;
	}
	if (strcmp(what, "channel") == 0)
		return write(3, "through", 7) == 7 ? 0 : 1;
	if (strcmp(what, "no-channel") == 0)
		return fcntl(3, F_GETFD) >= 0;
	if (strcmp(what, "env") == 0)
		return getenv(arg) ? 1 : 0;
	if (strcmp(what, "cat") == 0) {
		char b[100];
		ssize_t n = read(0, b, sizeof b);

		return n >= 0 && write(1, b, (size_t)n) == n && write(2, "err", 3) == 3 ? 0 : 1;
	}
	if (strcmp(what, "mask") == 0) {
		sigset_t set;

		sigprocmask(SIG_BLOCK, NULL, &set);
		return sigismember(&set, SIGTERM) || signal(SIGPIPE, SIG_DFL) == SIG_IGN;
	}
	if (strcmp(what, "sleep") == 0)
		pause();
	return 99;
}

static int start(const char *what, const char *arg, int in, int out, int errout, int channel)
{
	char word[32], value[32];
	char *argv[] = { self, word, value, NULL };

	snprintf(word, sizeof word, "%s", what);
	snprintf(value, sizeof value, "%s", arg);
	return os_process.spawn(&(struct os_spawn){ argv, in, out, errout, channel });
}

static int run(const char *what, const char *arg, int channel)
{
	int status = -1, pid = start(what, arg, -1, -1, 2, channel);

	assert_true(pid > 0);
	assert_int_equal(os_process.wait(pid, true, &status), pid);
	return status;
}

static void codes_and_signals(void **state)
{
	int status = -1, pid;

	(void)state;
	assert_int_equal(run("exit", "0", -1), 0);
	assert_int_equal(run("exit", "255", -1), 255);
	pid = start("sleep", "", -1, -1, -1, -1);
	assert_int_equal(os_process.wait(pid, false, &status), 0);
	assert_int_equal(os_process.kill(pid, true), 0);
	assert_int_equal(os_process.wait(pid, true, &status), pid);
	assert_int_equal(status, 256 + SIGKILL);
	assert_int_equal(os_process.wait(pid, true, &status), -ECHILD);
	assert_int_equal(os_process.wait(0, true, &status), -EINVAL);
	assert_int_equal(os_process.kill(0, true), -EINVAL);
	assert_int_equal(os_process.kill(-1, true), -EINVAL);
}

static void failure_is_told(void **state)
{
	char missing[] = "/nonexistent/program", folder[] = "/tmp", bare[] = "sh";
	char *argv[] = { missing, NULL };
	struct os_spawn how = { argv, -1, -1, -1, -1 };

	(void)state;
	assert_int_equal(os_process.spawn(&how), -ENOENT);
	argv[0] = folder;
	assert_int_equal(os_process.spawn(&how), -EACCES);
	argv[0] = bare; /* no search along PATH */
	assert_int_equal(os_process.spawn(&how), -EINVAL);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie is left */
}

static void only_the_channel_crosses(void **state)
{
	int leak = open("/dev/null", O_RDONLY), high, fds[2]; /* without close-on-exec, as a careless parent leaves it */
	char to[10] = "";

	(void)state;
	high = fcntl(leak, F_DUPFD, 100);
	assert_true(high >= 100);
	assert_int_equal(os_process.channel(fds), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(run("fds", "", fds[1]), 0);
	assert_int_equal(run("channel", "", fds[1]), 0);
	assert_int_equal(read(fds[0], to, sizeof to), 7);
	assert_string_equal(to, "through");
	assert_int_equal(run("no-channel", "", -1), 0);
	close(leak);
	close(high);
	close(fds[0]);
	close(fds[1]);
}

/* The three streams, also when the descriptors given are each other's numbers. */
static void streams_are_laid_out(void **state)
{
	int in[2], out[2], err[2], status, pid;
	char to[10] = "";

	(void)state;
	assert_int_equal(os_process.pipe(in), 0);
	assert_int_equal(os_process.pipe(out), 0);
	assert_int_equal(os_process.pipe(err), 0);
	assert_int_equal(write(in[1], "hi", 2), 2);
	pid = start("cat", "", in[0], out[1], err[1], -1);
	assert_int_equal(os_process.wait(pid, true, &status), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], to, sizeof to), 2);
	assert_int_equal(read(err[0], to, sizeof to), 3);
	assert_memory_equal(to, "err", 3);
	/* 0 and 1 exchanged: what comes in at our 1 goes out at our 0 */
	int keep0 = dup(0), keep1 = dup(1);
	fflush(stdout);
	dup2(in[0], 1);
	dup2(out[1], 0);
	int sent = (int)write(in[1], "yo", 2);
	pid = start("cat", "", 1, 0, err[1], -1);
	os_process.wait(pid, true, &status);
	dup2(keep0, 0);
	dup2(keep1, 1);
	assert_int_equal(sent, 2);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], to, sizeof to), 2);
	assert_memory_equal(to, "yo", 2);
	for (int i = 0; i < 2; i++)
		close(in[i]), close(out[i]), close(err[i]);
	close(keep0);
	close(keep1);
}

static void environment_is_filtered(void **state)
{
	(void)state;
	setenv("EVMEND_TEST", "1", 1);
	setenv("LD_PRELOAD_NOT", "1", 1);
	setenv("SECRET", "1", 1);
	assert_int_equal(run("env", "EVMEND_TEST", -1), 1);
	assert_int_equal(run("env", "PATH", -1), 1);
	assert_int_equal(run("env", "SECRET", -1), 0);
	assert_int_equal(run("env", "LD_PRELOAD_NOT", -1), 0);
	assert_int_equal(run("env", "HOME", -1), 0);
	unsetenv("PATH");
	assert_int_equal(run("env", "PATH", -1), 1);
}

static void signals_are_a_descriptor(void **state)
{
	struct os_poll p = { .want_read = true };
	int fd = os_process.signals(), status;
	sigset_t none;

	(void)state;
	assert_true(fd >= 0);
	p.fd = fd;
	assert_int_equal(os_process.wait_ready(&p, 1, 0), 0);
	assert_int_equal(os_signals_take(fd), 0);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	assert_int_equal(os_process.wait_ready(&p, 1, 1000), 1);
	assert_true(p.can_read);
	assert_int_equal(os_signals_take(fd), OS_SIG_STOP | OS_SIG_RELOAD);
	/* A child has neither our mask nor our deafness for SIGPIPE. */
	assert_int_equal(run("mask", "", -1), 0);
	assert_int_equal(os_signals_take(fd), OS_SIG_CHILD);
	int pid = start("sleep", "", -1, -1, -1, -1);
	assert_int_equal(os_process.kill(pid, false), 0);
	assert_int_equal(os_process.wait(pid, true, &status), pid);
	assert_int_equal(status, 256 + SIGTERM);
	close(fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

static void waiting(void **state)
{
	struct os_poll p[3] = { { .fd = -1, .want_read = true } }, many[300] = { { .fd = -1 } };
	int fds[2];

	(void)state;
	assert_int_equal(os_process.channel(fds), 0);
	p[1] = (struct os_poll){ .fd = fds[0], .want_read = true, .want_write = true };
	p[2] = (struct os_poll){ .fd = fds[1], .want_read = true };
	assert_int_equal(os_process.wait_ready(p, 3, 1000), 1);
	assert_true(p[1].can_write);
	assert_false(p[1].can_read || p[2].can_read || p[0].can_read);
	close(fds[0]);
	assert_int_equal(os_process.wait_ready(p + 2, 1, 1000), 1);
	assert_true(p[2].hung_up && p[2].can_read); /* reading gives the end */
	close(fds[1]);
	assert_int_equal(os_process.wait_ready(NULL, 0, 1), 0);
	assert_int_equal(os_process.wait_ready(many, 300, 0), -EINVAL);
}

static void nonblocking(void **state)
{
	int fds[2];
	char c;

	(void)state;
	assert_int_equal(os_process.pipe(fds), 0);
	assert_int_equal(os_nonblocking(fds[0], true), 0);
	assert_int_equal(os_file.read(fds[0], &c, 1, -1), -EAGAIN);
	assert_int_equal(os_nonblocking(fds[0], false), 0);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(os_nonblocking(fds[0], true), -EBADF);
}

/* In a child of its own, since nothing given up comes back. The code names what was still possible. */
static int jailed(unsigned rights)
{
	struct rlimit core;
	int fd, status;

	if (os_jail(rights) != 0)
		return 1;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
		return 3;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if ((fd >= 0) != ((rights & OS_RIGHT_NETWORK) != 0))
		return 4;
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if ((fd >= 0) != ((rights & OS_RIGHT_NETWORK) != 0) && errno != EAFNOSUPPORT)
		return 5;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return 6;
	fd = start("exit", "33", -1, -1, -1, -1);
	if (!(rights & OS_RIGHT_SPAWN) && fd != -EPERM)
		return 7;
	if ((rights & OS_RIGHT_SPAWN) && (os_process.wait(fd, true, &status) != fd || status != 33))
		return 8;
	return 0;
}

static void the_jail_holds(void **state)
{
	static const unsigned rights[] = { 0, OS_RIGHT_NETWORK, OS_RIGHT_SPAWN, OS_RIGHT_NETWORK | OS_RIGHT_SPAWN };

	(void)state;
	if (getenv("EVMEND_TEST_WRAP"))
		return; /* valgrind ends a process that may not exec */
	for (size_t i = 0; i < 4; i++) {
		int status = -1, pid = fork();

		if (pid == 0)
			_exit(jailed(rights[i]));
		assert_int_equal(os_process.wait(pid, true, &status), pid);
		assert_int_equal(status, 0);
	}
}

static void knows_itself(void **state)
{
	char small[4];

	(void)state;
	assert_non_null(strstr(self, "test_process"));
	assert_int_equal(os_process.self(small, sizeof small), -ENAMETOOLONG);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_and_signals),	    cmocka_unit_test(failure_is_told),
		cmocka_unit_test(only_the_channel_crosses), cmocka_unit_test(streams_are_laid_out),
		cmocka_unit_test(environment_is_filtered),  cmocka_unit_test(signals_are_a_descriptor),
		cmocka_unit_test(waiting),		    cmocka_unit_test(nonblocking),
		cmocka_unit_test(the_jail_holds),	    cmocka_unit_test(knows_itself),
	};

	if (argc == 3)
		return child(argv[1], argv[2]);
	if (os_process.self(self, sizeof self) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
