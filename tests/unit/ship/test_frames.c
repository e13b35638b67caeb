/* test_frames.c - the queue of a stream without acknowledgements: what is told when, what is sent again, what is forgotten. */
#include <stdio.h>
#include <string.h>

#include "lib/check.h"
#include "ship/frames.h"

#define FRAME 10

/* Frames of ten bytes, "seq:......" */
static void add(struct frames *f, int64_t from, int64_t to)
{
	for (; from <= to; from++) {
		char text[FRAME + 1];

		snprintf(text, sizeof text, "%09d.", (int)from);
		assert_true(frames_room(f));
		frames_add(f, from, text, FRAME);
	}
}

/* What would go out now: the seqs of its frames as one number list. */
static const char *unsent(const struct frames *f)
{
	static char to[512];
	size_t n;
	const char *p = frames_unsent(f, &n);
	size_t at = 0;

	to[0] = '\0';
	for (size_t i = 0; i + FRAME <= n; i += FRAME) {
		int seq = 0;

		assert_int_equal(sscanf(p + i, "%d.", &seq), 1);
		at += (size_t)snprintf(to + at, sizeof to - at, "%d ", seq);
	}
	return to;
}

static const char *confirmed(struct frames *f, uint64_t up_to, int64_t now)
{
	static char to[512];
	size_t at = 0;
	int64_t seq;

	to[0] = '\0';
	while ((seq = frames_confirm(f, up_to, now)))
		at += (size_t)snprintf(to + at, sizeof to - at, "%d ", (int)seq);
	return to;
}

static const char *lost(struct frames *f)
{
	static char to[512];
	size_t at = 0;
	int64_t seq;

	to[0] = '\0';
	while ((seq = frames_lost(f)))
		at += (size_t)snprintf(to + at, sizeof to - at, "%d ", (int)seq);
	return to;
}

static void a_frame_counts_with_its_last_byte(void **state)
{
	struct frames *f = frames_new(1000);

	(void)state;
	add(f, 1, 3);
	frames_sent(f, 15, 15);
	assert_string_equal(confirmed(f, 9, 1), "");
	assert_string_equal(confirmed(f, 14, 1), ""); /* given with 15: TLS says no more of what is in between */
	assert_string_equal(confirmed(f, 15, 1), "1 ");
	frames_sent(f, 15, 30);
	assert_string_equal(confirmed(f, 30, 1), "2 3 ");
	assert_string_equal(confirmed(f, 30, 1), "");
	assert_int_equal(frames_open(f), 0);
	frames_free(f);
}

static void what_was_confirmed_goes_first_again(void **state)
{
	struct frames *f = frames_new(25);

	(void)state;
	add(f, 1, 6);
	frames_sent(f, 55, 55);
	assert_string_equal(confirmed(f, 40, 1), ""); /* all were given with the 55th byte */
	assert_string_equal(confirmed(f, 55, 1), "1 2 3 4 5 ");
	frames_again(f);
	assert_false(frames_room(f)); /* first the pump hears of it */
	assert_string_equal(lost(f), "6 ");
	assert_true(frames_room(f));
	assert_string_equal(unsent(f), "4 5 "); /* two fit 25 bytes */
	add(f, 6, 7);
	assert_string_equal(unsent(f), "4 5 6 7 ");
	frames_sent(f, 40, 40);
	assert_string_equal(confirmed(f, 40, 2), "6 7 "); /* nobody is told twice */
	frames_again(f);
	assert_string_equal(lost(f), "");
	assert_string_equal(unsent(f), "6 7 ");
	/* a connection that broke before anything was confirmed changes nothing */
	frames_sent(f, 15, 15);
	frames_again(f);
	assert_string_equal(lost(f), "");
	assert_string_equal(unsent(f), "6 7 ");
	frames_free(f);
}

static void old_ones_are_not_sent_again(void **state)
{
	struct frames *f = frames_new(1000);

	(void)state;
	add(f, 1, 2);
	frames_sent(f, 20, 20);
	assert_string_equal(confirmed(f, 20, 0), "1 2 ");
	add(f, 3, 3);
	frames_sent(f, 10, 30);
	assert_string_equal(confirmed(f, 30, FRAMES_AGE + 1), "3 ");
	frames_again(f);
	assert_string_equal(unsent(f), "3 ");
	frames_free(f);
	f = frames_new(0); /* nothing is kept */
	add(f, 1, 2);
	frames_sent(f, 10, 10);
	assert_string_equal(confirmed(f, 10, 0), "1 ");
	frames_again(f);
	assert_string_equal(lost(f), "2 ");
	assert_string_equal(unsent(f), "");
	frames_free(f);
}

/* A peer whose program stops reading: more is kept from then on, and less when it reads again. */
static void how_much_is_kept_may_change(void **state)
{
	struct frames *f = frames_new(20);

	(void)state;
	add(f, 1, 4);
	frames_sent(f, 40, 40);
	assert_string_equal(confirmed(f, 40, 1), "1 2 3 4 ");
	frames_keep(f, 40);
	add(f, 5, 6);
	frames_sent(f, 20, 60);
	assert_string_equal(confirmed(f, 60, 1), "5 6 ");
	frames_again(f);
	assert_string_equal(unsent(f), "3 4 5 6 "); /* 1 and 2 had gone before */
	frames_sent(f, 40, 40);
	frames_keep(f, 10);
	assert_string_equal(confirmed(f, 40, 1), "");
	frames_again(f);
	assert_string_equal(unsent(f), "6 ");
	frames_free(f);
}

static void there_is_an_end_of_room(void **state)
{
	struct frames *f = frames_new(100000);
	static char big[64 << 10];
	int64_t n = 0;
	uint64_t wire = 0;

	(void)state;
	memset(big, 'x', sizeof big);
	while (frames_room(f))
		frames_add(f, ++n, big, sizeof big);
	assert_int_equal(n, 128); /* 8 MB */
	for (int round = 0; round < 50; round++) { /* memory stays, and order too */
		size_t left;

		(void)frames_unsent(f, &left);
		wire += left;
		frames_sent(f, left, wire);
		for (int64_t want = n - 127; want <= n; want++)
			assert_int_equal(frames_confirm(f, wire, 1), want);
		assert_int_equal(frames_confirm(f, wire, 1), 0);
		while (frames_room(f))
			frames_add(f, ++n, big, sizeof big);
		assert_int_equal(n, 128 * (round + 2));
	}
	frames_free(f);
	f = frames_new(0);
	for (n = 0; frames_room(f);)
		frames_add(f, ++n, "x", 1);
	assert_int_equal(n, FRAMES_MOST);
	frames_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_counts_with_its_last_byte),
		cmocka_unit_test(what_was_confirmed_goes_first_again),
		cmocka_unit_test(old_ones_are_not_sent_again),
		cmocka_unit_test(how_much_is_kept_may_change),
		cmocka_unit_test(there_is_an_end_of_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
