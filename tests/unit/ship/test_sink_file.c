/* test_sink_file.c - the file receiver: whole lines, a torn one mended, rotation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/compress.h"
#include "base/file.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fault_file.h"
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
	sink_free(s); /* as SIGHUP does */
	s = sink_new(&config, &clk.clock, &os_file);
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

/* --- rotation --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static char names[64][256]; /* of the files beside "out" that a rotation made, and of others in the folder; sorted */
static size_t n_names;

static int add_name(void *arg, const char *name)
{
	(void)arg;
	assert_true(n_names < 64 && strlen(name) < sizeof names[0]);
	if (strcmp(name, "out") != 0)
		strcpy(names[n_names++], name);
	return 0;
}

static void look(void)
{
	n_names = 0;
	assert_int_equal(os_file.list(dir.folder, add_name, NULL), 0);
	qsort(names, n_names, sizeof names[0], by_name);
}

/* Until the sink has nothing to do by itself; how many steps that took. */
static int idle(struct sink *s)
{
	struct sink_result none[1];
	bool write = true;
	struct err e;
	size_t got;
	int steps = 0;

	for (; s->ops->wait_fd(s, &write) >= 0 && write; steps++) {
		assert_true(steps < 1000);
		s->ops->poll(s, none, 1, &got, &e);
		assert_int_equal(got, 0);
	}
	return steps;
}

static void send_n(struct sink *s, int from, int to)
{
	for (int i = from; i < to; i++) {
		char json[40];

		snprintf(json, sizeof json, "{\"id\":%06d,\"pad\":\"%08d\"}", i, i); /* 31 bytes with the newline */
		send(s, json);
		idle(s);
		fake_clock_advance(&clk, US_SECOND);
	}
}

/* All of a file, whatever it is packed with. */
static const char *unpacked(const char *name)
{
	static char out[65536];
	struct err e;

	content(scratch_path(&dir, name));
	if (strstr(name, ".zst")) {
		size_t got = ZSTD_decompress(out, sizeof out - 1, text.p, text.n);

		assert_false(ZSTD_isError(got));
		out[got] = '\0';
	} else if (strstr(name, ".gz")) {
		struct inflater *z = inflater_new(COMPRESS_GZIP, &e);
		size_t in = text.n, got = sizeof out - 1;

		assert_int_equal(inflater_step(z, text.p, &in, out, &got, true, &e), 1);
		out[got] = '\0';
		inflater_free(z);
	} else {
		snprintf(out, sizeof out, "%s", buf_text(&text));
	}
	return out;
}

/* Every line of 0 to n-1 once, in order, over all files. */
static void has_all(int n)
{
	int at = 0;

	look();
	for (size_t i = 0; i <= n_names; i++)
		for (const char *p = unpacked(i < n_names ? names[i] : "out"); *p; p += 31, at++) {
			char want[40];

			snprintf(want, sizeof want, "{\"id\":%06d,\"pad\":\"%08d\"}\n", at, at);
			assert_memory_equal(p, want, 31);
		}
	assert_int_equal(at, n);
}

static void a_new_file_by_size(void **state)
{
	struct sink *s;

	(void)state;
	config.file.rotate.size = 100;
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 0, 10);
	has_all(10);
	assert_int_equal(n_names, 3); /* of three lines each */
	assert_string_equal(names[0], "out.19700102T000003.000000Z");
	/* one submit that does not fit into one file; and a line that is longer than a file may be */
	struct spool_record r[10];
	char json[10][40], giant[300];
	struct sink_result got[10];
	struct err e;
	size_t n;

	for (int i = 0; i < 10; i++) {
		snprintf(json[i], sizeof json[i], "{\"id\":%06d,\"pad\":\"%08d\"}", 10 + i, 10 + i);
		r[i] = (struct spool_record){ .seq = i, .json = json[i], .n = strlen(json[i]) };
	}
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, r, 10, &e), 10);
	assert_int_equal(s->ops->poll(s, got, 10, &n, &e), 0);
	assert_int_equal(n, 10);
	for (int i = 0; i < 10; i++)
		assert_true(got[i].seq == i && got[i].outcome == SINK_ACCEPTED);
	has_all(20);
	assert_int_equal(n_names, 6);
	memset(giant, 'x', sizeof giant - 1);
	giant[0] = giant[298] = '"';
	giant[299] = '\0';
	send(s, giant);
	send(s, "{}");
	look();
	assert_int_equal(n_names, 8);
	assert_int_equal(strlen(unpacked(names[7])), 300);
	assert_string_equal(content(path), "{}\n");
	sink_free(s);
}

static void a_new_file_by_age(void **state)
{
	struct sink *s;

	(void)state;
	config.file.rotate.age = US_HOUR;
	fake_clock_init(&clk, INT64_C(4102444800) * US_SECOND); /* 2100-01-01 */
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 0, 2);
	fake_clock_advance(&clk, 59 * US_MINUTE);
	send_n(s, 2, 3);
	has_all(3);
	assert_int_equal(n_names, 0); /* the same hour */
	fake_clock_advance(&clk, US_MINUTE);
	send_n(s, 3, 4);
	has_all(4);
	assert_int_equal(n_names, 1);
	assert_string_equal(names[0], "out.21000101T010003.000000Z");
	clk.wall -= US_DAY; /* a clock that was set back makes no new files, and no earlier names */
	send_n(s, 4, 6);
	has_all(6);
	assert_int_equal(n_names, 1);
	clk.wall += US_DAY;
	/* after a restart the file's own time counts: it was written long before 2100 */
	sink_free(s);
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 6, 7);
	has_all(7);
	assert_int_equal(n_names, 2);
	sink_free(s);
}

static void names_are_in_order_whatever_the_clock_does(void **state)
{
	struct sink *s;

	(void)state;
	config.file.rotate.size = 40;
	s = sink_new(&config, &clk.clock, &os_file);
	for (int i = 0; i < 20; i++) {
		clk.wall = 2 * US_DAY - i * US_HOUR;
		send_n(s, i, i + 1);
	}
	has_all(20);
	assert_int_equal(n_names, 19);
	assert_string_equal(names[18], "out.19700102T230000.000018Z");
	sink_free(s);
}

static void all_but_the_newest_are_compressed(void **state)
{
	static const char *const endings[] = { [SINK_GZIP] = ".gz", [SINK_ZSTD] = ".zst" };

	for (int kind = SINK_GZIP; kind <= SINK_ZSTD; kind++) {
		config.file.rotate.size = 1000;
		config.file.rotate.compress = kind;
		struct sink *s = sink_new(&config, &clk.clock, &os_file);

		send_n(s, 0, 150);
		has_all(150);
		assert_int_equal(n_names, 4);
		for (size_t i = 0; i < n_names; i++)
			assert_true(!!strstr(names[i], endings[kind]) == (i < 3));
		sink_free(s);
		teardown(state);
		setup(state);
	}
}

static void the_oldest_go_and_nothing_else(void **state)
{
	static const char *const others[] = { "out.1", "out.20261123", "out.20261123T122610Z", "out.20261123T122610.123456Z.bz2",
		"out.20261123T122610.123456Z.gz.old", "out.2026112xT122610.123456Z", "out2.20261123T122610.123456Z", "xout.20261123T122610.123456Z",
		"out.20261123T122610.123456Zz", "out.new" };
	struct sink *s;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		scratch_write(&dir, others[i], "mine", 4);
	config.file.rotate.size = 40;
	config.file.rotate.keep = 3;
	config.file.rotate.compress = SINK_GZIP;
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 0, 60);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		assert_string_equal(content(scratch_path(&dir, others[i])), "mine");
		remove(scratch_path(&dir, others[i]));
	}
	look();
	assert_int_equal(n_names, 3);
	assert_non_null(strstr(names[0], "19700102T000057.000000Z.gz"));
	assert_non_null(strstr(unpacked(names[0]), "{\"id\":000056"));
	sink_free(s);
	/* fewer are wanted now: 58 of before, more than one step removes */
	config.file.rotate.keep = 0;
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 60, 120);
	look();
	assert_int_equal(n_names, 63);
	sink_free(s);
	config.file.rotate.keep = 1;
	s = sink_new(&config, &clk.clock, &os_file);
	send_n(s, 120, 121);
	look();
	assert_int_equal(n_names, 1);
	sink_free(s);
}

static void a_crash_in_compressing_is_tidied_up(void **state)
{
	struct sink *s;

	(void)state;
	scratch_write(&dir, "out.20200101T000000.000000Z", "a\n", 2); /* half made */
	scratch_write(&dir, "out.20200101T000000.000000Z.gz.new", "\x1f\x8b", 2);
	scratch_write(&dir, "out.20200102T000000.000000Z", "b\n", 2); /* made, and not removed */
	scratch_write(&dir, "out.20200102T000000.000000Z.gz", "whole", 5);
	scratch_write(&dir, "out.20200103T000000.000000Z", "c\n", 2);
	config.file.rotate.size = 100;
	config.file.rotate.compress = SINK_GZIP;
	s = sink_new(&config, &clk.clock, &os_file);
	send(s, "{}");
	assert_true(idle(s) > 2);
	look();
	assert_int_equal(n_names, 3);
	assert_string_equal(names[0], "out.20200101T000000.000000Z.gz");
	assert_string_equal(unpacked(names[0]), "a\n");
	assert_string_equal(names[1], "out.20200102T000000.000000Z.gz");
	assert_string_equal(content(scratch_path(&dir, names[1])), "whole");
	assert_string_equal(names[2], "out.20200103T000000.000000Z");
	sink_free(s);
}

/* --- what others do to the file --- */

static void a_removed_file_is_made_again(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &os_file);

	(void)state;
	send(s, "{\"a\":1}");
	assert_int_equal(remove(path), 0);
	send(s, "{\"b\":2}");
	assert_string_equal(content(path), "{\"b\":2}\n");
	assert_int_equal(truncate(path, 0), 0); /* copytruncate of logrotate */
	send(s, "{\"c\":3}");
	assert_string_equal(content(path), "{\"c\":3}\n");
	sink_free(s);
}

static void a_missing_folder_is_waited_for(void **state)
{
	struct sink *s;
	struct err e = { 0 };
	char folder[512];

	(void)state;
	snprintf(folder, sizeof folder, "%s", scratch_path(&dir, "sub"));
	snprintf(path, sizeof path, "%s", scratch_path(&dir, "sub/out"));
	s = sink_new(&config, &clk.clock, &os_file);
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, "no such file"));
	assert_int_equal(mkdir(folder, 0700), 0);
	send(s, "{}");
	assert_string_equal(content(path), "{}\n");
	sink_free(s);
}

static void refuses_pipes(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &os_file);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(s->ops->open(s, &e), -1);
	assert_non_null(strstr(e.text, "pipe"));
	sink_free(s);
}

static void the_group_may_read(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &os_file);
	mode_t before = umask(022);
	struct os_stat st;

	(void)state;
	send(s, "{}");
	umask(before);
	assert_int_equal(os_file.stat(path, -1, &st), 0);
	assert_int_equal(st.mode, 0640);
	sink_free(s);
}

/* --- a write or a sync that fails in the middle --- */

static void submit_four(struct sink *s, struct sink_result got[static 4])
{
	struct spool_record r[4];
	char json[4][20];
	struct err e;
	size_t n;

	for (int i = 0; i < 4; i++) {
		snprintf(json[i], sizeof json[i], "{\"id\":%d}", i);
		r[i] = (struct spool_record){ .seq = i, .json = json[i], .n = strlen(json[i]) };
	}
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, r, 4, &e), 4);
	assert_int_equal(s->ops->submit(s, r, 4, &e), 0); /* nothing newer before what comes again */
	assert_int_equal(s->ops->poll(s, got, 4, &n, &e), 0);
	assert_int_equal(n, 4);
}

static void whole_lines_of_a_cut_write_count(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &fault_file);
	struct sink_result got[4];
	struct err e;

	(void)state;
	assert_int_equal(s->ops->open(s, &e), 0);
	fault_file_at(2, ENOSPC); /* after a look at the file: 18 of 36 bytes get there */
	submit_four(s, got);
	fault_file_at(0, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(got[i].outcome, i < 2 ? SINK_ACCEPTED : SINK_RETRY);
	assert_non_null(strstr(got[3].why, "no space left"));
	assert_string_equal(content(path), "{\"id\":0}\n{\"id\":1}\n");
	send(s, "{\"id\":2}");
	assert_string_equal(content(path), "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n");
	sink_free(s);
}

static void what_was_not_synced_is_written_anew(void **state)
{
	struct sink *s = sink_new(&config, &clk.clock, &fault_file);
	struct sink_result got[4];
	struct spool_record r = { .seq = 9, .json = "{}", .n = 2 };
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(s->ops->open(s, &e), 0);
	assert_int_equal(s->ops->submit(s, &r, 1, &e), 1);
	fault_file_at(1, EIO);
	assert_int_equal(s->ops->poll(s, got, 4, &n, &e), 0);
	fault_file_at(0, 0);
	assert_int_equal(n, 1);
	assert_int_equal(got[0].outcome, SINK_RETRY);
	assert_string_equal(content(path), "");
	send(s, "{}");
	assert_string_equal(content(path), "{}\n");
	sink_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_whole_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(cuts_a_torn_last_line, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_in_a_new_file_after_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_file_by_size, setup, teardown),
		cmocka_unit_test_setup_teardown(a_new_file_by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(names_are_in_order_whatever_the_clock_does, setup, teardown),
		cmocka_unit_test_setup_teardown(all_but_the_newest_are_compressed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_oldest_go_and_nothing_else, setup, teardown),
		cmocka_unit_test_setup_teardown(a_crash_in_compressing_is_tidied_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_file_is_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_folder_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_pipes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_group_may_read, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_lines_of_a_cut_write_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_synced_is_written_anew, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
