/* test_updates.c - counts that are held back: when they are sent, and that a crash at any moment loses none. */
#include "proc/updates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "proc/place.h"

#define EVERY 60
#define FINDINGS 600 /* more than are held at once */

struct world {
	struct scratch scratch;
	struct place *place;
	struct updates *updates;
	uint64_t told[FINDINGS]; /* the newest count that was sent */
	int sent;
};

static void number_uid(int n, uint8_t uid[32])
{
	memset(uid, 0, 32);
	memcpy(uid, &n, sizeof n);
}

static void on_send(void *arg, const uint8_t uid[32], uint64_t count, int64_t time, const char *json, size_t n)
{
	struct world *w = arg;
	char expected[40];
	int i;

	memcpy(&i, uid, sizeof i);
	(void)snprintf(expected, sizeof expected, "{\"count\":%llu}", (unsigned long long)count);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(json, expected, n);
	assert_int_equal(time, (int64_t)count + 7);
	w->told[i] = count;
	w->sent++;
}

static void begin(struct world *w, int64_t now)
{
	struct err e;

	w->place = place_open(w->scratch.folder, &e);
	assert_non_null(w->place);
	w->updates = updates_new(EVERY, on_send, w);
	assert_int_equal(place_updates(w->place, w->updates, now, &e), 0);
}

/* As SIGKILL does: nothing is flushed. */
static void crash(struct world *w)
{
	updates_free(w->updates);
	place_close(w->place);
}

static void save(struct world *w)
{
	struct err e;

	assert_int_equal(place_begin(w->place, &e), 0);
	assert_int_equal(place_put_updates(w->place, w->updates, &e), 0);
	assert_int_equal(place_commit(w->place, &e), 0);
	updates_saved(w->updates);
}

static void put(struct world *w, int finding, uint64_t count, int64_t now)
{
	uint8_t uid[32];
	char json[40];
	int n = snprintf(json, sizeof json, "{\"count\":%llu}", (unsigned long long)count);

	number_uid(finding, uid);
	updates_put(w->updates, uid, count, (int64_t)count + 7, json, (size_t)n, now);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof *w);

	scratch_init(&w->scratch);
	begin(w, 1000);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	crash(w);
	scratch_free(&w->scratch);
	free(w);
	return 0;
}

static void the_newest_waits_and_is_sent(void **state)
{
	struct world *w = *state;

	put(w, 1, 1, 1000);
	assert_int_equal(w->told[1], 1);
	put(w, 1, 2, 1001);
	put(w, 1, 3, 1002);
	updates_tick(w->updates, 1059);
	assert_int_equal(w->told[1], 1);
	updates_tick(w->updates, 1060);
	assert_int_equal(w->told[1], 3);
	assert_int_equal(w->sent, 2);
}

static void a_crash_loses_none_that_was_saved(void **state)
{
	struct world *w = *state;

	put(w, 1, 1, 1000);
	put(w, 1, 5, 1001);
	put(w, 2, 1, 1001);
	put(w, 2, 9, 1002);
	save(w);
	put(w, 1, 6, 1003);
	save(w);
	crash(w);
	begin(w, 5);
	assert_int_equal(w->told[1], 1);
	updates_tick(w->updates, 5);
	assert_int_equal(w->told[1], 6);
	assert_int_equal(w->told[2], 9);
	save(w);
	crash(w);
	w->sent = 0;
	begin(w, 6); /* nothing is said twice */
	updates_tick(w->updates, 1000);
	assert_int_equal(w->sent, 0);
}

static void what_was_not_stored_is_put_again(void **state)
{
	struct world *w = *state;
	struct err e;

	put(w, 1, 1, 1000);
	put(w, 1, 5, 1001);
	assert_int_equal(place_begin(w->place, &e), 0);
	assert_int_equal(place_put_updates(w->place, w->updates, &e), 0);
	place_rollback(w->place);
	save(w);
	crash(w);
	begin(w, 5);
	updates_tick(w->updates, 5);
	assert_int_equal(w->told[1], 5);
}

/* Those that made room for others are sent, and are not on disk for ever. */
static void more_than_are_held(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < FINDINGS; i++) {
		put(w, i, 1, 1000 + i);
		put(w, i, 2, 1000 + i);
		save(w);
	}
	crash(w);
	begin(w, 5);
	w->sent = 0;
	updates_tick(w->updates, 5);
	for (int i = 0; i < FINDINGS; i++)
		assert_int_equal(w->told[i], 2);
	assert_in_range(w->sent, 1, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_waits_and_is_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crash_loses_none_that_was_saved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_not_stored_is_put_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(more_than_are_held, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
