/* test_pipe.c - host programs that behave, hang, die, lie and talk nonsense: small shell scripts at the other end of real pipes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host_pipe.h"
#include "lib/check.h"
#include "lib/scratch.h"

#define HELLO "echo '{\"evmend_host\":1,\"agent\":\"t\",\"can\":[\"identity\",\"busy\",\"lock\"]}'\n"
#define IDENTITY "echo '{\"id\":1,\"ok\":{\"netbios\":\"EX1\",\"fqdn\":\"ex1.lab.example\",\"exchange\":true,\"addresses\":[]}}'\n"

static struct scratch s;
static struct clock clock_;

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	clock_ = clock_real();
	scratch_init(&s);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&s);
	return 0;
}

static int64_t in_ms(int ms)
{
	return clock_monotonic(&clock_) + ms * INT64_C(1000);
}

/* A host whose program is this script; NULL and *e when it cannot be opened. */
static struct host *open_script(const char *script, int ms, struct err *e)
{
	static char shell[] = "/bin/sh", path[512];
	static char *const argv[] = {shell, path, NULL};
	struct host_config c = {.name = "ex1", .access = "pipe", .command = argv};

	e->text[0] = '\0';
	scratch_write(&s, "host.sh", script, strlen(script));
	snprintf(path, sizeof(path), "%s", scratch_path(&s, "host.sh"));
	return host_pipe_open(&c, &os_process, &clock_, in_ms(ms), e);
}

static void expect_identity(const char *script, int code, const char *word)
{
	struct err e;
	struct host *h = open_script(script, 3000, &e);
	struct host_identity i;
	int64_t start = clock_monotonic(&clock_);
	const char *said = getenv("EVMEND_TEST_SLOW");
	int slow = said ? (int)strtol(said, NULL, 10) : 1;

	if (h == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(h->ops->identity(h, &i, in_ms(500 * slow), &e), code == ERR_NONE ? 0 : -1);
	if (code != ERR_NONE) {
		assert_int_equal(e.code, code);
		if (strstr(e.text, word) == NULL)
			fail_msg("'%s' is not in: %s", word, e.text);
	}
	assert_true(clock_monotonic(&clock_) - start < 3 * slow * US_SECOND);
	h->ops->close(h);
}

static void a_good_program(void **state)
{
	(void)state;
	expect_identity(HELLO "read l\n" IDENTITY "read l\n", ERR_NONE, "");
}

static void bad_programs(void **state)
{
	(void)state;
	expect_identity(HELLO "read l\nexec sleep 60\n", ERR_IO, "deadline");
	expect_identity(HELLO "read l\necho 'no such module' >&2\nexit 3\n", ERR_IO, "no such module");
	expect_identity(HELLO "read l\necho hello\nexec sleep 5\n", ERR_IO, "no JSON object");
	expect_identity(HELLO "read l\necho '[1]'\nexec sleep 5\n", ERR_IO, "no JSON object");
	expect_identity(HELLO "read l\necho '{\"id\":7,\"ok\":{}}'\nexec sleep 5\n", ERR_IO, "another call");
	expect_identity(HELLO "read l\necho '{\"id\":1}'\nexec sleep 5\n", ERR_IO, "without 'ok'");
	expect_identity(HELLO "read l\necho '{\"id\":1,\"ok\":{\"netbios\":5}}'\nexec sleep 5\n", ERR_IO, "makes no sense");
	expect_identity(HELLO "read l\necho '{\"id\":1,\"error\":{\"kind\":\"denied\",\"text\":\"run as administrator\"}}'\nread l\n",
		ERR_REFUSED,
		"run as administrator");
	expect_identity(HELLO "read l\necho '{\"id\":1,\"error\":{\"kind\":\"timeout\",\"text\":\"x\"}}'\nread l\n", ERR_IO, "timeout");
	expect_identity(HELLO "exit 0\n", ERR_IO, "ex1");
	expect_identity(HELLO "read l\nhead -c 6000000 /dev/zero | tr '\\0' x\nexec sleep 5\n", ERR_IO, "4 MB");
}

static void bad_hellos(void **state)
{
	struct err e;

	(void)state;
	assert_null(open_script("exec sleep 20\n", 300, &e));
	assert_non_null(strstr(e.text, "hello"));
	assert_null(open_script("echo '{\"evmend_host\":2,\"can\":[]}'\nread l\n", 3000, &e));
	assert_non_null(strstr(e.text, "version 2"));
	assert_null(open_script("echo '{}'\nread l\n", 3000, &e));
	assert_null(open_script("exit 127\n", 3000, &e));
}

static void what_is_not_offered_is_not_called(void **state)
{
	struct err e;
	struct host *h = open_script(HELLO "read l\nread l\n", 3000, &e);
	struct host_step step = {.kind = STEP_IIS_RESTART};
	struct host_step_result r;

	(void)state;
	assert_non_null(h);
	assert_int_equal(h->ops->apply(h, &step, &r, in_ms(1000), &e), -1);
	assert_int_equal(e.code, ERR_REFUSED);
	assert_non_null(strstr(e.text, "apply"));
	h->ops->close(h);
}

/* After nonsense nothing more is believed: the next call fails at once. */
/* Nobody knows then what there is to bind. */
static void what_was_created_must_be_named(void **state)
{
	static const struct { enum step_kind kind; const char *thumbprint; int code; } all[] = {
		{STEP_CERT_CREATE, "null", ERR_IO}, {STEP_CERT_CREATE, "\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"", ERR_NONE},
		{STEP_RECORD_SET, "null", ERR_NONE},
	};
	char script[400];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct err e = {.code = ERR_NONE};
		struct host_step step = {.kind = all[i].kind};
		struct host_step_result r;
		struct host *h;

		(void)snprintf(script, sizeof(script), "echo '{\"evmend_host\":1,\"can\":[\"apply\"]}'\nread l\n"
			"echo '{\"id\":1,\"ok\":{\"did\":true,\"thumbprint\":%s,\"old\":null}}'\nread l\n", all[i].thumbprint);
		h = open_script(script, 3000, &e);
		assert_non_null(h);
		assert_int_equal(h->ops->apply(h, &step, &r, in_ms(1000), &e), all[i].code == ERR_NONE ? 0 : -1);
		assert_int_equal(e.code, all[i].code);
		h->ops->close(h);
	}
}

static void a_broken_connection_stays_broken(void **state)
{
	struct err e;
	struct host *h = open_script(HELLO "read l\necho x\nread l\n" IDENTITY, 3000, &e);
	struct host_identity i;

	(void)state;
	assert_non_null(h);
	assert_int_equal(h->ops->identity(h, &i, in_ms(1000), &e), -1);
	assert_int_equal(h->ops->identity(h, &i, in_ms(1000), &e), -1);
	assert_int_equal(e.code, ERR_IO);
	h->ops->close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_good_program, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_programs, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_hellos, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_offered_is_not_called, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_created_must_be_named, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_connection_stays_broken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
