/* test_hash_log.c - SipHash against another program's numbers, and log lines that cannot be forged. */
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "os/os.h"

/* Another implementation with a seed of zeros: hash(b"...") of CPython 3.11 with PYTHONHASHSEED=0. */
static void hash_is_siphash_1_3(void **state)
{
	static const struct {
		const char *s;
		uint64_t h;
	} t[] = {
		{ "a", UINT64_C(0x407448d2b89b1813) },
		{ "0123456", UINT64_C(0x810aaf7acf670379) },
		{ "01234567", UINT64_C(0xda3dcedf84ea6cc6) },
		{ "ex01.contoso.com", UINT64_C(0x6161c9d108fcdca4) },
	};
	const struct hash_seed zero = { 0, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		assert_true(hash_bytes(&zero, t[i].s, strlen(t[i].s)) == t[i].h);
}

static void fold_equals_lower_case(void **state)
{
	struct hash_seed seed = hash_seed_draw();
	char any[256], low[256];

	(void)state;
	for (int i = 0; i < 256; i++) {
		any[i] = (char)i;
		low[i] = (char)(i >= 'A' && i <= 'Z' ? i + 32 : i);
	}
	for (size_t from = 0; from < 256; from++)
		for (size_t n = 0; n <= 20 && from + n <= 256; n++)
			assert_true(hash_fold(&seed, any + from, n) == hash_bytes(&seed, low + from, n));
	assert_true(hash_bytes(&seed, "a", 1) != hash_bytes(&seed, "A", 1));
	assert_true(hash_bytes(&seed, "\0", 1) != hash_bytes(&seed, "", 0));
}

static void seeds_differ(void **state)
{
	struct hash_seed a = hash_seed_draw(), b = hash_seed_draw();

	(void)state;
	assert_true(a.k0 != b.k0 && a.k1 != b.k1);
	assert_true(hash_bytes(&a, "host", 4) != hash_bytes(&b, "host", 4));
}

static size_t read_all(int fd, char *to, size_t n)
{
	ssize_t got = read(fd, to, n - 1);

	assert_true(got >= 0);
	to[got] = '\0';
	return (size_t)got;
}

static void log_lines(void **state)
{
	struct fake_clock f;
	struct log l = { &f.clock, "watch", LOG_INFO, -1 };
	char line[9000], big[6000];
	int fds[2];

	(void)state;
	fake_clock_init(&f, 0);
	assert_int_equal(os_process.pipe(fds), 0);
	l.fd = fds[1];
	log_say(&l, LOG_WARN, "case opened", "host", "ex01", "why", "a \"b\"\n\x1b\xff", "none", "", "nil", NULL, NULL);
	read_all(fds[0], line, sizeof line);
	assert_string_equal(line, "1970-01-01T00:00:00.000000Z warn watch case opened host=ex01 "
				  "why=\"a \\\"b\\\"\\n\\x1b\\xff\" none=\"\" nil=\"\"\n");
	log_say(&l, LOG_DEBUG, "not written", NULL);
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	log_say(&l, LOG_ERROR, "big", "v", big, NULL);
	assert_true(read_all(fds[0], line, sizeof line) < 4096);
	assert_non_null(strstr(line, " ...\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	close(fds[0]);
	close(fds[1]);
}

static void log_levels(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_false(log_level_parse("loud", &level));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_is_siphash_1_3), cmocka_unit_test(fold_equals_lower_case), cmocka_unit_test(seeds_differ),
		cmocka_unit_test(log_lines),	       cmocka_unit_test(log_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
