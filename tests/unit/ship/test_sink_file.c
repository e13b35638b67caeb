/* test_sink_file.c - the file receiver: whole lines, a torn one mended, rotation. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/scratch.h"
#include "ship/sink.h"

static struct scratch dir;
static struct fake_clock clk;
static struct sink_config config;
static struct buf text;
static char path[512];

static int setup(void **state)
{
	(void)state;
	scratch_init(&dir);
	fake_clock_init(&clk, US_DAY);
	snprintf(path, sizeof path, "%s", scratch_path(&dir, "out"));
	config = (struct sink_config){ .name = "f", .kind = SINK_FILE, .file.path = path };
	buf_init(&text, 1u << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&text);
	scratch_free(&dir);
	return 0;
}

static const char *content(const char *of)
{
	struct err e;

	buf_reset(&text);
	assert_int_equal(file_read(&os_file, of, &text, &e), 0);
	return buf_text(&text);
}

static void send(struct sink *s, const char *json)
{
	struct spool_record r = { .seq = 7, .json = json, .n = strlen(json) };
	struct sink_result got[2];
	struct err e;
	size_t n;

	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, &r, 1, &e), 1);
	assert_int_equal(s->ops->poll(s, got, 2, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(got[0].seq, 7);
	assert_int_equal(got[0].outcome, SINK_ACCEPTED);
}

static void writes_whole_lines(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &os_file);

	(void)state;
	send(s, "{\"a\":1}");
	send(s, "{\"b\":2}");
	assert_string_equal(content(path), "{\"a\":1}\n{\"b\":2}\n");
	sink_free(s);
	s = sink_new(&config, &clk.clock, &os_file);
	send(s, "{\"c\":3}");
	assert_string_equal(content(path), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
	sink_free(s);
}

static void cuts_a_torn_last_line(void **state)
{
	static char long_tail[9000];
	struct sink *s;

	(void)state;
	scratch_write(&dir, "out", "{\"a\":1}\n{\"b\":", 13);
	s = sink_new(&config, &clk.clock, &os_file);
	send(s, "{\"b\":2}");
	assert_string_equal(content(path), "{\"a\":1}\n{\"b\":2}\n");
	sink_free(s);
	/* longer than a block, and no whole line at all */
	memset(long_tail, 'x', sizeof long_tail);
	scratch_write(&dir, "out", long_tail, sizeof long_tail);
	s = sink_new(&config, &clk.clock, &os_file);
	send(s, "{}");
	assert_string_equal(content(path), "{}\n");
	sink_free(s);
}

static void goes_on_in_a_new_file_after_rotation(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &os_file);
	char old[600];

	(void)state;
	send(s, "{\"a\":1}");
	snprintf(old, sizeof old, "%s.1", path);
	assert_int_equal(rename(path, old), 0);
	send(s, "{\"b\":2}"); /* still the old one: nothing is lost between rename and signal */
	s->ops->reopen(s);
	send(s, "{\"c\":3}");
	assert_string_equal(content(old), "{\"a\":1}\n{\"b\":2}\n");
	assert_string_equal(content(path), "{\"c\":3}\n");
	sink_free(s);
}

static void refuses_a_folder(void **state)
{
	struct sink *s;
	struct err e = { 0 };

	(void)state;
	config.file.path = dir.folder;
	s = sink_new(&config, &clk.clock, &os_file);
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, "folder"));
	sink_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_whole_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(cuts_a_torn_last_line, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_in_a_new_file_after_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_folder, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
