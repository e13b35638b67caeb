/* test_changes.c - what counts as a change of the rules' files, and when: over a table of files and a clock that a test moves. */
#include <errno.h>
#include <string.h>

#include "lib/check.h"
#include "lib/fake_clock.h"
#include "proc/changes.h"

struct row {
	const char *path;
	uint64_t inode; /* 0: not there */
	int64_t size, mtime;
	bool folder;
};

static struct row rows[17];
static struct fake_clock now;
static struct changes *c;
static const char *const folders[] = { "/r", "/one/single.yml" };
static const struct ruleset_options places = { .folders = folders, .n_folders = 2, .tables = "/t" };

static struct row *row(const char *path)
{
	for (size_t i = 0; i < 17; i++)
		if (rows[i].path && rows[i].inode && strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

static int fake_stat(const char *path, int fd, struct os_stat *st)
{
	const struct row *r = row(path);

	assert_int_equal(fd, -1);
	if (!r)
		return -ENOENT;
	*st = (struct os_stat){ .device = 1, .inode = r->inode, .size = r->size, .mtime_us = r->mtime, .is_folder = r->folder };
	return 0;
}

static int fake_list(const char *folder, os_name_fn *each, void *arg)
{
	size_t n = strlen(folder);

	for (size_t i = 0; i < 17; i++)
		if (rows[i].path && rows[i].inode && strncmp(rows[i].path, folder, n) == 0 && rows[i].path[n] == '/' &&
			!strchr(rows[i].path + n + 1, '/'))
			each(arg, rows[i].path + n + 1);
	return 0;
}

static const struct os_file_ops files = { .stat = fake_stat, .list = fake_list };

static int setup(void **state)
{
	static const struct row begin[] = {
		{ "/r", 1, 0, 0, true }, { "/r/a.yml", 2, 100, 5, false }, { "/r/sub", 3, 0, 0, true }, { "/r/sub/b.yaml", 4, 100, 5, false },
		{ "/r/placeholders.yml", 5, 100, 5, false }, { "/r/tests", 6, 0, 0, true }, { "/r/tests/t.yml", 7, 100, 5, false },
		{ "/r/notes.txt", 8, 100, 5, false }, { "/r/.a.yml", 9, 100, 5, false }, { "/t", 10, 0, 0, true },
		{ "/t/logsources.yml", 11, 100, 5, false }, { "/t/fields", 12, 0, 0, true }, { "/t/fields/f.yml", 13, 100, 5, false },
		{ "/t/other.yml", 14, 100, 5, false }, { "/one/single.yml", 15, 100, 5, false }, { "/one/placeholders.yml", 16, 100, 5, false },
		{ "/r/sub/C.YML", 17, 100, 5, false },
	};

	(void)state;
	memcpy(rows, begin, sizeof rows);
	fake_clock_init(&now, US_DAY);
	c = changes_new(&files, &now.clock);
	changes_try(c, &places);
	changes_accept(c);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	changes_free(c);
	return 0;
}

/* How many seconds pass until a change is due; 99: never. */
static int seconds_until_due(void)
{
	for (int s = 0; s < 20; s++, fake_clock_advance(&now, US_SECOND))
		if (changes_due(c, &places))
			return s;
	return 99;
}

static void sees_what_holds_rules(void **state)
{
	static const struct {
		const char *path;
		bool counts;
	} table[] = {
		{ "/r/a.yml", true }, { "/r/sub/C.YML", true }, { "/r/sub/b.yaml", true }, { "/r/placeholders.yml", true }, { "/t/logsources.yml", true },
		{ "/t/fields/f.yml", true }, { "/one/single.yml", true }, { "/one/placeholders.yml", true }, { "/r/tests/t.yml", false },
		{ "/r/notes.txt", false }, { "/r/.a.yml", false }, { "/t/other.yml", false },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int how = 0; how < 4; how++) {
			struct row *r;

			teardown(state);
			setup(state);
			assert_int_equal(seconds_until_due(), 99);
			r = row(table[i].path);
			if (how == 0)
				r->size++;
			else if (how == 1)
				r->mtime--; /* an older file is a change too */
			else
				r->inode = how == 2 ? 77 : 0; /* replaced by rename; deleted */
			if ((seconds_until_due() < 99) != table[i].counts)
				fail_msg("%s, way %d: expected %s", table[i].path, how, table[i].counts ? "a change" : "none");
		}
}

static void waits_until_it_rests(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) { /* a copy that grows */
		row("/r/a.yml")->size++;
		assert_false(changes_due(c, &places));
		fake_clock_advance(&now, US_SECOND);
	}
	assert_int_equal(seconds_until_due(), 1); /* and has rested since the last look, a second ago */
	changes_try(c, &places);
	assert_int_equal(seconds_until_due(), 99);
}

static void a_folder_that_is_away_for_a_moment(void **state)
{
	(void)state;
	row("/r")->inode = 0;
	assert_false(changes_due(c, &places));
	fake_clock_advance(&now, US_SECOND);
	rows[0].inode = 1;
	assert_int_equal(seconds_until_due(), 99); /* as before */
	row("/r")->inode = 0;
	assert_int_equal(seconds_until_due(), 2); /* stays away */
}

static void is_not_tried_twice(void **state)
{
	static const char *const other[] = { "/one" };
	static const struct ruleset_options elsewhere = { .folders = other, .n_folders = 1, .tables = "/t" };

	(void)state;
	row("/r/a.yml")->size = 1;
	assert_int_equal(seconds_until_due(), 2);
	changes_hold(c, &places);
	changes_try(c, &places);
	row("/r/a.yml")->size = 2; /* while it is loaded */
	changes_refuse(c);
	assert_int_equal(seconds_until_due(), 3); /* seen all the same, from the next look on */
	changes_hold(c, &places);
	changes_try(c, &elsewhere); /* another configuration, refused */
	changes_refuse(c);
	assert_int_equal(seconds_until_due(), 99);
}

static void knows_whose_error_is_new(void **state)
{
	(void)state;
	changes_try(c, &places);
	assert_true(changes_spoiled(c, "/r/a.yml"));
	assert_true(changes_faulty(c, "/r/a.yml"));
	assert_false(changes_faulty(c, "/r/sub/b.yaml"));
	assert_false(changes_spoiled(c, "/r/new.yml"));
	changes_accept(c);
	changes_try(c, &places);
	assert_false(changes_spoiled(c, "/r/a.yml")); /* as before */
	assert_true(changes_spoiled(c, "/t/fields/f.yml"));
	assert_true(changes_spoiled(c, "/one/placeholders.yml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sees_what_holds_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_until_it_rests, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_that_is_away_for_a_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(is_not_tried_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(knows_whose_error_is_new, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
