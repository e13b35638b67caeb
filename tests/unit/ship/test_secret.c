/* test_secret.c - secrets from files: who may read them, what may stand in them, where they lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/check.h"
#include "lib/scratch.h"
#include "ship/secret.h"

static struct scratch dir;

static int setup(void **state)
{
	(void)state;
	scratch_init(&dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_free(&dir);
	return 0;
}

static struct secret *read_one(const char *text, size_t n, mode_t mode, struct err *e)
{
	scratch_write(&dir, "token", text, n);
	assert_int_equal(chmod(scratch_path(&dir, "token"), mode), 0);
	return secret_read(&os_file, scratch_path(&dir, "token"), e);
}

static void is_one_line(void **state)
{
	struct err e = { 0 };
	struct secret *s = read_one("s3cret word\r\n", 13, 0600, &e);

	(void)state;
	assert_non_null(s);
	assert_string_equal(secret_text(s), "s3cret word");
	secret_free(s);
	s = read_one("x", 1, 0640, &e); /* a service's group may read it */
	assert_non_null(s);
	secret_free(s);
	secret_free(NULL);
}

static void tells_what_is_wrong_and_never_the_secret(void **state)
{
	static char large[SECRET_MOST + 1];
	static const struct {
		const char *text;
		size_t n;
		mode_t mode;
		const char *says;
	} bad[] = {
		{ "s3cret\n", 7, 0604, "open to everybody; chmod 600" },
		{ "s3cret\n", 7, 0602, "open to everybody" },
		{ "", 0, 0600, "is empty" },
		{ "\n", 1, 0600, "is empty" },
		{ "s3cret\r\nX-Header: 1", 19, 0600, "more than one line" },
		{ "s3cret\0more", 11, 0600, "more than one line" },
		{ large, sizeof large, 0600, "larger than 4096" },
	};
	struct err e = { 0 };

	(void)state;
	memset(large, 'x', sizeof large);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		e = (struct err){ 0 };
		if (read_one(bad[i].text, bad[i].n, bad[i].mode, &e))
			fail_msg("row %zu was taken", i);
		if (!strstr(e.text, bad[i].says) || strstr(e.text, "s3cret"))
			fail_msg("row %zu: %s", i, e.text);
	}
	assert_null(secret_read(&os_file, scratch_path(&dir, "none"), &e));
	assert_non_null(strstr(e.text, "none"));
	assert_null(secret_read(&os_file, dir.folder, &e));
	assert_non_null(strstr(e.text, "no plain file"));
	assert_int_equal(mkfifo(scratch_path(&dir, "pipe"), 0600), 0);
	assert_null(secret_read(&os_file, scratch_path(&dir, "pipe"), &e)); /* and does not wait for a writer */
}

/* Lines that may be headers, and what is no header. */
static void headers_are_lines(void **state)
{
	static const char good[] = "# of the collector\n\nAuthorization: Bearer s3cret \r\nX-Scope-OrgID:a";
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "# nothing\n\n", "holds no header" },
		{ "A: b\nBearer s3cret\n", "line 2" },
		{ ": s3cret\n", "no header" },
		{ "A b: s3cret\n", "no header" },
		{ "A:  \n", "no header" },
		{ "content-TYPE: s3cret\n", "Content-Type, which evmend writes itself" },
		{ "Host: s3cret\n", "Host, which" },
		{ "A: s3cret\x1b[2J\n", "control character" },
		{ "A: s3cret\rB: c\n", "control character" },
	};
	struct err e = { 0 };
	struct secret *s;

	(void)state;
	scratch_write(&dir, "headers", good, sizeof good - 1);
	assert_int_equal(chmod(scratch_path(&dir, "headers"), 0600), 0);
	s = secret_headers(&os_file, scratch_path(&dir, "headers"), &e);
	if (!s)
		fail_msg("%s", e.text);
	assert_string_equal(secret_next(s, NULL), "Authorization: Bearer s3cret");
	assert_string_equal(secret_next(s, secret_next(s, NULL)), "X-Scope-OrgID:a");
	assert_null(secret_next(s, secret_next(s, secret_next(s, NULL))));
	secret_free(s);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		e = (struct err){ 0 };
		scratch_write(&dir, "headers", bad[i].text, strlen(bad[i].text));
		if (secret_headers(&os_file, scratch_path(&dir, "headers"), &e))
			fail_msg("taken: %s", bad[i].text);
		if (!strstr(e.text, bad[i].says) || strstr(e.text, "s3cret"))
			fail_msg("row %zu: %s", i, e.text);
	}
}

/* /proc tells of each mapping whether a core file would hold it: "dd" is do not dump. */
static void lies_in_memory_that_no_core_holds(void **state)
{
	struct err e;
	struct secret *s = read_one("s3cret", 6, 0600, &e);
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long long from = 0, to = 0, at = (unsigned long long)(uintptr_t)secret_text(s);
	char line[512];
	int found = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		char *end = NULL;
		unsigned long long a = strtoull(line, &end, 16);

		if (end && *end == '-') {
			from = a;
			to = strtoull(end + 1, NULL, 16);
		} else if (at >= from && at < to && !strncmp(line, "VmFlags:", 8)) {
			found = strstr(line, " dd") ? 1 : -1;
		}
	}
	fclose(f);
	assert_int_equal(found, 1);
	secret_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_what_is_wrong_and_never_the_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_are_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_in_memory_that_no_core_holds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
