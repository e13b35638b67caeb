/* test_format_golden.c - every kind of record in every format, compared as a whole with tests/data/formats/<format>/<record>.
 * A deliberate change of a mapping: EVMEND_GOLDEN=write makes the files anew; read the difference before it is committed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/version.h"
#include "lib/check.h"
#include "lib/format_parsers.h"
#include "lib/format_records.h"
#include "ship/formats.h"

static const char *const labels[] = { "site=Berlin", "tenant=not this one" };
static const struct sink_config config = { .name = "s", .labels = labels, .n_labels = 2 };

/* The version changes with each release and the files do not. */
static void without_version(struct buf *to, const char *s)
{
	for (const char *at; (at = strstr(s, EVMEND_VERSION)) != NULL; s = at + strlen(EVMEND_VERSION)) {
		buf_add(to, s, (size_t)(at - s));
		buf_str(to, "VERSION");
	}
	buf_str(to, s);
}

static void compare(const char *format, const char *name, const char *text)
{
	const char *write = getenv("EVMEND_GOLDEN");
	char path[200];
	struct buf now, was;
	struct err e;

	snprintf(path, sizeof path, "tests/data/formats/%s/%s.txt", format, name);
	buf_init(&now, 1u << 20);
	without_version(&now, text);
	buf_char(&now, '\n');
	if (write && !strcmp(write, "write")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		assert_int_equal(fwrite(now.p, 1, now.n, f), now.n);
		fclose(f);
	}
	buf_init(&was, 1u << 20);
	if (file_read(&os_file, path, &was, &e) < 0)
		fail_msg("%s", e.text);
	if (was.n != now.n || memcmp(was.p, now.p, now.n) != 0)
		fail_msg("%s is now:\n%s\nand was:\n%s", path, buf_text(&now), buf_text(&was));
	buf_free(&now);
	buf_free(&was);
}

static void one_record(const char *name, const struct record_view *v, void *arg)
{
	struct buf b;

	(void)arg;
	buf_init(&b, 1u << 20);
	for (const struct format *f = formats; f->name; f++) {
		buf_reset(&b);
		assert_non_null(f->write);
		f->write(&config, v, FORMAT_ANY, &b);
		assert_false(b.refused);
		assert_null(memchr(b.p, '\n', b.n));
		compare(f->name, name, buf_text(&b));
		if (f->json) {
			struct json *j = json_parse(b.p, b.n, NULL);

			assert_true(json_is_object(j));
			json_free(j);
		}
	}
	buf_reset(&b);
	format_syslog(&config, v, format_find("cef"), true, FORMAT_ANY, &b);
	compare("syslog-3164", name, buf_text(&b));
	buf_reset(&b);
	format_syslog(&config, v, format_find("leef"), false, FORMAT_ANY, &b);
	compare("syslog-5424", name, buf_text(&b));
	buf_free(&b);
}

static void each_record_looks_as_it_did(void **state)
{
	(void)state;
	assert_true(each_format_record(one_record, NULL) >= 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_looks_as_it_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
