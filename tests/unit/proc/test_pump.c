/* test_pump.c - the way from the spool to a receiver that takes, refuses and breaks as it is told; its window, its pauses, its rate. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/scratch.h"
#include "proc/pace.h"
#include "proc/pump.h"
#include "proc/window.h"
#include "rules/rule.h"
#include "ship/route.h"
#include "store/db.h"

#define MOST 20000

/* A receiver under our hand: each record that was taken gets the outcome that `judge` says, when `answers` is set. */
struct fake {
	enum sink_outcome (*judge)(struct fake *f, int64_t seq);
	bool down, answers;
	bool broken;             /* poll says so, once */
	bool alone;              /* what fails waits for a person */
	size_t room;             /* how many it takes at once */
	int64_t held[MOST];      /* without a result */
	size_t n_held;
	int64_t order[MOST];     /* in which it took them */
	int times[MOST];         /* by seq, how often it accepted */
	size_t n_order;
	int64_t not_before;
	int opened, failures;
};

static struct scratch dir;
static struct fake_clock clk;
static struct spool *spool;
static struct log quiet;
static struct fake fake;
static struct sink_config config;
static struct pump *pump;

static int fake_open(struct sink *s, struct err *e)
{
	(void)s;
	fake.opened++;
	return fake.down ? err_set(e, ERR_IO, "nobody there") : 0;
}

static int fake_submit(struct sink *s, const struct spool_record *r, size_t n, struct err *e)
{
	(void)s;
	if (fake.down)
		return err_set(e, ERR_IO, "gone");
	n = n < fake.room ? n : fake.room;
	for (size_t i = 0; i < n; i++) {
		fake.held[fake.n_held++] = r[i].seq;
		fake.order[fake.n_order++] = r[i].seq;
	}
	return (int)n;
}

static int fake_poll(struct sink *s, struct sink_result *to, size_t n, size_t *got, struct err *e)
{
	(void)s;
	*got = 0;
	if (fake.broken) {
		fake.broken = false;
		return err_set(e, ERR_IO, "the connection broke");
	}
	while (fake.answers && fake.n_held && *got < n) {
		int64_t seq = fake.held[--fake.n_held]; /* the last first: order must not matter */

		to[*got] = (struct sink_result){ .seq = seq, .outcome = fake.judge ? fake.judge(&fake, seq) : SINK_ACCEPTED, .not_before = fake.not_before,
			.why = "too much" };
		to[*got].alone = fake.alone;
		fake.times[seq] += to[(*got)++].outcome == SINK_ACCEPTED;
	}
	return 0;
}

static int fake_flush(struct sink *s, struct err *e)
{
	(void)s;
	return fake.n_held ? err_set(e, ERR_IO, "some have no result") : 0;
}

static int fake_wait_fd(struct sink *s, bool *write)
{
	(void)s;
	*write = false;
	return -1;
}

static void fake_close(struct sink *s)
{
	(void)s;
}

static const struct sink_ops fake_ops = { .open = fake_open, .submit = fake_submit, .poll = fake_poll, .wait_fd = fake_wait_fd,
	.flush = fake_flush, .close = fake_close };

static void begin(void)
{
	struct sink *s = xcalloc(1, sizeof *s);

	*s = (struct sink){ .ops = &fake_ops, .config = &config, .clock = &clk.clock };
	pump = pump_new(spool, &clk.clock, &quiet);
	pump_add(pump, s);
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	scratch_init(&dir);
	fake_clock_init(&clk, US_DAY);
	spool = spool_open(dir.folder, &e);
	assert_non_null(spool);
	memset(&fake, 0, sizeof fake);
	fake.answers = true;
	fake.room = MOST;
	config = (struct sink_config){ .name = "f" };
	quiet = (struct log){ .clock = &clk.clock, .role = "test", .level = LOG_ERROR, .fd = -1 };
	begin();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pump_free(pump);
	spool_close(spool);
	scratch_free(&dir);
	return 0;
}

static void put(int from, int to, const char *json, int kind)
{
	struct spool_record r = { .kind = kind, .time = US_DAY, .json = json, .n = strlen(json) };
	struct arena *a = arena_new(4096);
	struct err e;

	record_route(&r, a);
	assert_int_equal(spool_begin(spool, &e), 0);
	for (int i = from; i <= to; i++) {
		memcpy(r.uid, &i, sizeof i);
		assert_int_equal(spool_put(spool, &r, &e), 0);
	}
	assert_int_equal(spool_commit(spool, &e), 0);
	arena_free(a);
	pump_came(pump);
}

static int64_t cursor(void)
{
	int64_t seq;
	struct err e;

	assert_int_equal(spool_cursor(spool, "f", SPOOL_URGENT, &seq, &e), 0);
	return seq;
}

static struct json *notes(void)
{
	struct buf b;
	struct json *j;
	struct err e;

	buf_init(&b, 4096);
	assert_int_equal(spool_noted(spool, "f", &b, &e), 0);
	j = json_parse(b.p, b.n, NULL);
	buf_free(&b);
	return j;
}

static int64_t noted(const char *name)
{
	struct json *j = notes();
	int64_t v = json_int(json_get(j, name), -1);

	json_free(j);
	return v;
}

static int64_t dropped(const char *kind)
{
	struct json *j = notes();
	int64_t v = json_int(json_get(json_get(j, "dropped"), kind), 0);

	json_free(j);
	return v;
}

static int64_t noted_time(const char *name)
{
	struct json *j = notes();
	int64_t v = json_time(json_get(j, name));

	json_free(j);
	return v;
}

static void run_for(int seconds)
{
	for (int i = 0; i < seconds; i++) {
		pump_run(pump);
		fake_clock_advance(&clk, US_SECOND);
	}
}

static void everything_arrives_once_and_in_order(void **state)
{
	(void)state;
	put(1, 5000, "{}", RECORD_FINDING);
	for (int i = 0; i < 5; i++)
		pump_run(pump);
	assert_int_equal(fake.n_order, 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(fake.order[i], i + 1);
	assert_int_equal(cursor(), 5000);
	assert_true(pump_empty(pump));
	assert_int_equal(pump_wait_ms(pump, 500), 500);
	assert_int_equal(noted("sent"), 5000);
	assert_int_equal(noted("acknowledged"), 5000);
	assert_int_equal(noted("retried"), 0);
}

static void many_are_on_their_way_and_no_more_than_the_window(void **state)
{
	(void)state;
	fake.answers = false;
	put(1, PUMP_WINDOW + 1000, "{}", RECORD_FINDING);
	for (int i = 0; i < 20; i++)
		pump_run(pump);
	assert_int_equal(fake.n_held, PUMP_WINDOW);
	assert_int_equal(cursor(), 0);
	assert_true(pump_wait_ms(pump, 500) > 0); /* it does not spin */
	fake.answers = true;
	for (int i = 0; i < 5; i++)
		pump_run(pump);
	assert_int_equal(cursor(), PUMP_WINDOW + 1000);
}

static enum sink_outcome seven_fails_twice(struct fake *f, int64_t seq)
{
	return seq == 7 && f->failures-- > 0 ? SINK_RETRY : SINK_ACCEPTED;
}

static void only_what_failed_is_sent_again(void **state)
{
	(void)state;
	fake.judge = seven_fails_twice;
	fake.failures = 2;
	put(1, 9, "{}", RECORD_FINDING);
	pump_run(pump);
	assert_int_equal(fake.n_order, 9);
	assert_int_equal(cursor(), 6); /* up to the one that failed */
	put(10, 10, "{}", RECORD_FINDING);
	pump_run(pump); /* the pause: nothing */
	assert_int_equal(fake.n_order, 9);
	for (int i = 0; i < 5; i++) {
		fake_clock_advance(&clk, 2 * US_SECOND);
		pump_run(pump);
	}
	assert_int_equal(fake.n_order, 12);
	assert_int_equal(fake.order[9], 7); /* before anything newer */
	assert_int_equal(cursor(), 10);
	for (int seq = 1; seq <= 10; seq++)
		assert_int_equal(fake.times[seq], 1);
	assert_int_equal(noted("retried"), 2);
}

static enum sink_outcome three_is_bad(struct fake *f, int64_t seq)
{
	(void)f;
	return seq == 3 ? SINK_DEAD : SINK_ACCEPTED;
}

static void what_is_refused_for_good_is_left_out_and_counted(void **state)
{
	(void)state;
	fake.judge = three_is_bad;
	put(1, 5, "{}", RECORD_FINDING);
	pump_run(pump);
	assert_int_equal(cursor(), 5);
	assert_int_equal(noted("dead"), 1);
	assert_int_equal(noted("acknowledged"), 4);
	assert_int_equal(spool_dead_count(spool, "f"), 1);
}

/* The cursor does not go over what was refused before that is kept. */
static void what_is_refused_is_kept_with_the_cursor(void **state)
{
	int n;

	(void)state;
	fake.judge = three_is_bad;
	put(1, 5, "{}", RECORD_FINDING);
	db_fail_at(spool_db(spool), -1);
	pump_run(pump);
	assert_true(db_fail_hit(spool_db(spool)));
	assert_int_equal(cursor(), 0);
	assert_int_equal(spool_dead_count(spool, "f"), 0);
	db_fail_at(spool_db(spool), 0);
	fake_clock_advance(&clk, 2 * US_SECOND);
	pump_run(pump);
	assert_int_equal(cursor(), 5);
	assert_int_equal(spool_dead_count(spool, "f"), 1);
	/* sent again, and taken now */
	fake.judge = NULL;
	n = (int)spool_dead_retry(spool, "f", 0, NULL);
	assert_int_equal(n, 1);
	pump_came(pump);
	pump_run(pump);
	assert_int_equal(fake.n_order, 6);
	assert_int_equal(fake.order[5], 6);
	assert_int_equal(cursor(), 6);
	assert_true(pump_empty(pump));
}

static enum sink_outcome all_are_bad(struct fake *f, int64_t seq)
{
	(void)f;
	(void)seq;
	return SINK_DEAD;
}

/* A person has it sent again to that sink: what the sink takes of its own does not count, also while it is away. */
static void what_is_sent_again_goes_whatever_the_sink_takes_now(void **state)
{
	static const struct {
		unsigned kinds;
		int level;
	} takes[] = { { 0, LEVEL_CRITICAL }, { 1u << RECORD_CASE, 0 }, { 1u << RECORD_EVENT, 0 }, { 1u << RECORD_LEDGER, 0 }, { 0, 0 } };

	for (size_t i = 0; i < sizeof takes / sizeof takes[0]; i++) {
		struct err e;

		setup(state);
		fake.judge = all_are_bad;
		put(1, 3, "{\"level\":\"low\"}", RECORD_FINDING);
		put(4, 5, "{}", RECORD_EVENT);
		run_for(2);
		assert_int_equal(spool_dead_count(spool, "f"), 5);
		config.take = (struct sink_take){ .kinds = takes[i].kinds, .level = takes[i].level };
		fake.judge = NULL;
		fake.n_order = 0;
		fake.down = true;
		put(6, 6, "{\"level\":\"low\"}", RECORD_FINDING); /* a new one: it is not wanted but by the last */
		assert_int_equal(spool_dead_retry(spool, "f", 0, &e), 5);
		pump_came(pump);
		run_for(3);
		assert_in_range(spool_lag(spool, "f", takes[i].kinds), 5, 6);
		assert_true(spool_oldest(spool, "f", takes[i].kinds) > 0);
		fake.down = false;
		run_for(60);
		if (fake.n_order != 5 + (i == 4))
			fail_msg("take %zu: %zu of 5 arrived", i, fake.n_order);
		assert_int_equal(spool_dead_count(spool, "f"), 0);
		assert_int_equal(spool_lag(spool, "f", takes[i].kinds), 0);
		assert_true(pump_empty(pump));
		teardown(state);
	}
}

/* A receiver that refuses everything has acknowledged nothing. */
static void what_is_refused_is_no_acknowledgement(void **state)
{
	(void)state;
	fake.judge = all_are_bad;
	put(1, 5, "{}", RECORD_FINDING);
	run_for(2);
	assert_int_equal(noted("dead"), 5);
	assert_int_equal(noted("acknowledged"), 0);
	assert_int_equal(noted_time("last"), 0);
}

/* Given up, it is a loss of that sink, and counted. */
static void what_is_sent_again_and_given_up_is_counted(void **state)
{
	struct err e;

	(void)state;
	fake.judge = all_are_bad;
	put(1, 5, "{}", RECORD_EVENT);
	run_for(2);
	config.take.kinds = 1u << RECORD_CASE;
	fake.down = true;
	assert_int_equal(spool_dead_retry(spool, "f", 0, &e), 5);
	put(6, 9, "{}", RECORD_EVENT); /* not wanted: no loss */
	run_for(2);
	pump_cap(pump, 1);
	assert_int_equal(dropped("event"), 5);
}

static void a_receiver_that_is_away_is_tried_less_and_less(void **state)
{
	int tries;

	(void)state;
	fake.down = true;
	put(1, 3, "{}", RECORD_FINDING);
	for (int s = 0; s < 3600; s++) { /* an hour, looked at each second */
		pump_run(pump);
		fake_clock_advance(&clk, US_SECOND);
	}
	tries = fake.opened;
	if (tries < 60 || tries > 400) /* pauses of half a minute on average */
		fail_msg("%d tries in an hour", tries);
	assert_int_equal(cursor(), 0);
	fake.down = false;
	fake_clock_advance(&clk, US_MINUTE);
	pump_run(pump);
	assert_int_equal(cursor(), 3);
	/* and counters go on where they were */
	pump_free(pump);
	begin();
	put(4, 4, "{}", RECORD_FINDING);
	pump_run(pump);
	assert_int_equal(noted("acknowledged"), 4);
}

/* It may have something to send again that we count as delivered. */
static void what_broke_is_opened_again_though_nothing_waits(void **state)
{
	int opened;

	(void)state;
	put(1, 3, "{}", RECORD_FINDING);
	pump_run(pump);
	opened = fake.opened;
	fake.broken = true;
	run_for(5);
	assert_int_equal(fake.opened, opened + 1);
}

static enum sink_outcome all_fail(struct fake *f, int64_t seq)
{
	(void)f;
	(void)seq;
	return SINK_RETRY;
}

static void one_failure_of_many_records_is_one(void **state)
{
	(void)state;
	fake.judge = all_fail;
	put(1, 4000, "{}", RECORD_FINDING);
	pump_run(pump); /* a broken connection: all of them come back at once */
	assert_int_equal(fake.n_order, 4000);
	fake.judge = NULL;
	fake_clock_advance(&clk, US_SECOND + 1); /* the longest first pause */
	pump_run(pump);
	assert_int_equal(cursor(), 4000);
}

static void a_receiver_may_say_when(void **state)
{
	(void)state;
	fake.judge = all_fail;
	fake.not_before = clock_monotonic(&clk.clock) + US_HOUR; /* longer than any pause of ours */
	put(1, 2, "{}", RECORD_FINDING);
	pump_run(pump);
	fake_clock_advance(&clk, US_HOUR - US_SECOND);
	pump_run(pump);
	assert_int_equal(fake.n_order, 2);
	fake.judge = NULL;
	fake_clock_advance(&clk, US_SECOND);
	pump_run(pump);
	assert_int_equal(cursor(), 2);
}

static int lines_of(const char *path)
{
	FILE *f = fopen(path, "r");
	int n = 0, c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	fclose(f);
	return n;
}

/* On a full disk: neither the log nor the disk is flooded. */
static void what_cannot_be_stored_is_said_once(void **state)
{
	const char *path = scratch_path(&dir, "log");

	(void)state;
	quiet.level = LOG_WARN;
	quiet.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(quiet.fd >= 0);
	put(1, 5, "{}", RECORD_FINDING);
	db_fail_at(spool_db(spool), -1);
	for (int i = 0; i < 500; i++) {
		pump_run(pump);
		fake_clock_advance(&clk, 10000);
	}
	assert_true(db_fail_hit(spool_db(spool)));
	db_fail_at(spool_db(spool), 0);
	assert_int_equal(lines_of(path), 1);
	assert_int_equal(cursor(), 0);
	run_for(2);
	assert_int_equal(cursor(), 5);
	close(quiet.fd);
}

/* Who was away may come back and want other credentials. */
static void another_reason_is_said_too(void **state)
{
	const char *path = scratch_path(&dir, "log");

	(void)state;
	quiet.level = LOG_WARN;
	quiet.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(quiet.fd >= 0);
	put(1, 5, "{}", RECORD_FINDING);
	fake.down = true;
	run_for(3600);
	assert_int_equal(lines_of(path), 1);
	fake.down = false;
	fake.judge = all_fail;
	run_for(1800);
	assert_int_equal(lines_of(path), 2);
	close(quiet.fd);
}

static enum sink_outcome three_fails(struct fake *f, int64_t seq)
{
	(void)f;
	return seq == 3 ? SINK_RETRY : SINK_ACCEPTED;
}

static void one_that_waits_for_a_person_holds_up_nobody(void **state)
{
	(void)state;
	fake.judge = three_fails;
	fake.alone = true;
	put(1, 5, "{}", RECORD_FINDING);
	run_for(2);
	assert_int_equal(noted("held"), 1); /* told, though others were taken */
	assert_int_equal(fake.n_order, 5);
	for (int seq = 6; seq <= 30; seq++) { /* alone in its answer or not: no pause for the next */
		put(seq, seq, "{}", RECORD_FINDING);
		pump_run(pump);
		assert_int_equal(fake.times[seq], 1);
	}
	assert_in_range(pump_wait_ms(pump, 120000), 50000, 60000);
	run_for(50);
	assert_int_equal(fake.n_order, 30);
	assert_int_equal(cursor(), 2);
	run_for(10); /* a minute behind the first try */
	assert_int_equal(fake.n_order, 31);
	assert_int_equal(noted("held"), 1);
	fake.judge = NULL;
	run_for(70);
	assert_int_equal(fake.n_order, 32);
	assert_int_equal(cursor(), 30);
	assert_int_equal(noted("held"), -1);
	assert_int_equal(spool_dead_count(spool, "f"), 0);
	assert_true(pump_empty(pump));
}

static void without_room_one_that_waits_for_a_person_is_a_dead_letter(void **state)
{
	(void)state;
	fake.judge = three_fails;
	fake.alone = true;
	put(1, PUMP_WINDOW + 5000, "{}", RECORD_FINDING);
	run_for(10);
	assert_int_equal(fake.n_order, PUMP_WINDOW + 5001); /* one last try of it */
	assert_int_equal(cursor(), PUMP_WINDOW + 5000);
	assert_int_equal(spool_dead_count(spool, "f"), 1);
	assert_int_equal(noted("dead"), 1);
	assert_int_equal(noted("held"), -1);
}

static void one_that_waits_for_a_person_for_an_hour_is_a_dead_letter(void **state)
{
	(void)state;
	fake.judge = three_fails;
	fake.alone = true;
	put(1, 5, "{}", RECORD_FINDING);
	run_for(3590);
	assert_int_equal(spool_dead_count(spool, "f"), 0);
	assert_in_range(fake.n_order, 5 + 58, 5 + 60);
	run_for(75);
	assert_int_equal(spool_dead_count(spool, "f"), 1);
	assert_int_equal(cursor(), 5);
	assert_true(pump_empty(pump));
}

/* The receiver takes nothing of anybody: that is no matter of single records. */
static void when_nothing_is_taken_all_wait_and_none_is_a_dead_letter(void **state)
{
	(void)state;
	fake.judge = all_fail;
	fake.alone = true;
	put(1, PUMP_WINDOW + 100, "{}", RECORD_FINDING);
	run_for(100);
	assert_int_equal(fake.n_order, 2 * PUMP_WINDOW);
	assert_int_equal(spool_dead_count(spool, "f"), 0);
	assert_int_equal(noted("held"), PUMP_WINDOW);
	assert_true(pump_wait_ms(pump, 500) > 0); /* it does not spin */
	fake.n_order = 0;
	fake.judge = NULL;
	run_for(70);
	assert_int_equal(cursor(), PUMP_WINDOW + 100);
	assert_int_equal(noted("held"), -1);
}

/* The receiver named a time for what it did not take: that is told though it took the rest, and is not taken back by what was on its way. */
static void a_long_pause_is_told_though_something_was_taken(void **state)
{
	(void)state;
	fake.judge = three_fails;
	fake.not_before = clock_monotonic(&clk.clock) + US_MINUTE;
	put(1, 5, "{}", RECORD_FINDING);
	run_for(2);
	assert_true(noted_time("trouble_since") > 0);
	fake.judge = NULL;
	run_for(62);
	assert_int_equal(cursor(), 5);
	assert_true(noted_time("trouble_since") == 0);
}

static void a_sink_gets_what_it_wants_and_its_cursor_goes_over_the_rest(void **state)
{
	(void)state;
	config.take = (struct sink_take){ .kinds = 1u << RECORD_FINDING, .level = LEVEL_HIGH };
	put(1, 600, "{\"level\":\"low\"}", RECORD_FINDING);
	put(601, 610, "{\"level\":\"critical\"}", RECORD_FINDING);
	put(611, 700, "{\"level\":\"critical\"}", RECORD_CASE);
	pump_run(pump);
	assert_int_equal(fake.n_order, 10);
	assert_int_equal(fake.order[0], 601);
	assert_int_equal(cursor(), 700);
	assert_true(pump_empty(pump));
}

static int64_t cursor_in(enum spool_lane lane)
{
	int64_t seq;
	struct err e;

	assert_int_equal(spool_cursor(spool, "f", lane, &seq, &e), 0);
	return seq;
}

/* So that a pager that is away keeps nobody's events on disk. */
static void what_a_sink_does_not_want_passes_while_it_is_away(void **state)
{
	static const char *const sinks[] = { "f" };
	struct err e;

	(void)state;
	fake.down = true;
	config.take = (struct sink_take){ .kinds = 1u << RECORD_FINDING | 1u << RECORD_LEDGER, .level = LEVEL_HIGH };
	put(1, 600, "{\"level\":\"low\"}", RECORD_FINDING);
	put(601, 602, "{\"level\":\"critical\"}", RECORD_FINDING);
	put(603, 700, "{\"level\":\"low\"}", RECORD_FINDING);
	put(701, 12000, "{}", RECORD_EVENT);
	run_for(5);
	assert_int_equal(fake.n_order, 0);
	assert_int_equal(cursor_in(SPOOL_URGENT), 600);
	assert_int_equal(cursor_in(SPOOL_BULK), 12000);
	put(12001, 12001, "{}", RECORD_LEDGER);
	put(12002, 12100, "{}", RECORD_EVENT);
	run_for(5);
	assert_int_equal(cursor_in(SPOOL_BULK), 12000);
	assert_true(spool_trim(spool, sinks, 1, 0, &e) >= 600);
	fake.down = false;
	fake_clock_advance(&clk, US_HOUR);
	run_for(2);
	assert_int_equal(fake.n_order, 3);
	assert_int_equal(cursor_in(SPOOL_URGENT), 700);
	assert_int_equal(cursor_in(SPOOL_BULK), 12100);
}

/* Also behind what it does not take now. */
static void a_lane_that_a_sink_wants_nothing_of_passes_at_once(void **state)
{
	(void)state;
	fake.down = true;
	config.take = (struct sink_take){ .kinds = 1u << RECORD_FINDING };
	put(1, 2, "{}", RECORD_FINDING);
	put(3, 19000, "{}", RECORD_EVENT);
	pump_run(pump);
	fake_clock_advance(&clk, US_SECOND);
	pump_run(pump);
	assert_int_equal(cursor_in(SPOOL_BULK), 19000);
	assert_int_equal(cursor_in(SPOOL_URGENT), 0);
	fake.down = false;
	fake.room = 0;
	fake_clock_advance(&clk, US_HOUR);
	put(19001, 19500, "{}", RECORD_LEDGER);
	run_for(2);
	assert_int_equal(cursor_in(SPOOL_BULK), 19500);
	fake.room = MOST;
	run_for(2);
	assert_int_equal(cursor_in(SPOOL_URGENT), 2);
}

static void a_sink_with_little_room_gets_all(void **state)
{
	(void)state;
	fake.room = 3;
	put(1, 100, "{}", RECORD_FINDING);
	pump_run(pump);
	assert_true(pump_wait_ms(pump, 500) > 0);
	for (int i = 0; i < 100; i++)
		pump_run(pump);
	assert_int_equal(fake.n_order, 100);
	assert_int_equal(cursor(), 100);
}

/* Though the window of events is full, and though the sink takes little at once. */
static void an_alert_passes_a_backlog_of_events(void **state)
{
	(void)state;
	fake.answers = false;
	put(1, 15000, "{}", RECORD_EVENT);
	for (int i = 0; i < 20; i++)
		pump_run(pump);
	assert_int_equal(fake.n_held, PUMP_WINDOW);
	put(15001, 15003, "{}", RECORD_FINDING);
	put(15004, 15004, "{}", RECORD_LEDGER);
	pump_run(pump);
	assert_int_equal(fake.n_order, PUMP_WINDOW + 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fake.order[PUMP_WINDOW + i], 15001 + i);
	fake.answers = true;
	fake_clock_advance(&clk, US_SECOND);
	pump_run(pump); /* what is urgent is done, though the events are not */
	assert_int_equal(cursor(), 15003);
	fake.room = 3;
	put(15005, 15007, "{}", RECORD_CASE);
	pump_run(pump);
	assert_int_equal(fake.times[15005] + fake.times[15006] + fake.times[15007], 3);
	fake.room = MOST;
	for (int i = 0; i < 20; i++)
		pump_run(pump);
	assert_true(pump_empty(pump));
	for (int seq = 1; seq <= 15007; seq++)
		assert_int_equal(fake.times[seq], 1);
}

/* What is still in the spool, of each kind and level: the JSON tells which is which. */
static void still_there(int64_t of[16])
{
	struct spool_record r[512];
	struct err e;
	size_t got;

	memset(of, 0, 16 * sizeof of[0]);
	for (int lane = 0; lane < SPOOL_LANES; lane++) {
		struct spool_want w = { .lane = (enum spool_lane)lane };
		int64_t upto = 1;

		for (w.after = 0; upto > w.after;) {
			w.after = upto > 1 ? upto : 0;
			assert_int_equal(spool_read(spool, &w, r, 512, &got, &upto, &e), 0);
			for (size_t i = 0; i < got; i++)
				of[r[i].kind == RECORD_FINDING ? 8 + r[i].level + 1 : r[i].kind]++;
		}
	}
}

#define PAD "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"

/* Whatever the ceiling: nothing is missing of one worth while something of less is there, and what is missing is counted. */
static void over_the_ceiling_the_least_worth_goes_first(void **state)
{
	static const struct {
		int at; /* in still_there */
		int kind;
		const char *json;
	} order[] = {
		{ RECORD_EVENT, RECORD_EVENT, "{\"pad\":\"" PAD PAD PAD "\"}" },
		{ 9, RECORD_FINDING, "{\"level\":\"informational\",\"pad\":\"" PAD PAD "\"}" },
		{ 10, RECORD_FINDING, "{\"level\":\"low\",\"pad\":\"" PAD PAD "\"}" },
		{ RECORD_LEDGER, RECORD_LEDGER, "{\"pad\":\"" PAD PAD "\"}" },
		{ RECORD_AGENT, RECORD_AGENT, "{\"pad\":\"" PAD PAD "\"}" },
		{ 11, RECORD_FINDING, "{\"level\":\"medium\",\"pad\":\"" PAD PAD "\"}" },
		{ 12, RECORD_FINDING, "{\"level\":\"high\",\"pad\":\"" PAD PAD "\"}" },
		{ 13, RECORD_FINDING, "{\"level\":\"critical\",\"pad\":\"" PAD PAD "\"}" },
		{ RECORD_CASE, RECORD_CASE, "{\"pad\":\"" PAD PAD "\"}" },
		{ RECORD_REPAIR, RECORD_REPAIR, "{\"pad\":\"" PAD PAD "\"}" },
	};
	enum { KINDS = sizeof order / sizeof order[0], EACH = 300 };
	int64_t of[16], bytes, all = 0, findings = 0;

	(void)state;
	fake.down = true;
	/* round after round, so that age and worth are not the same */
	for (int round = 0; round < 3; round++)
		for (int k = KINDS - 1; k >= 0; k--)
			put(10000 * round + 1000 * k + 1, 10000 * round + 1000 * k + EACH / 3, order[k].json, order[k].kind);
	pump_run(pump);
	bytes = spool_bytes(spool);
	for (int step = 0; step < 40; step++) {
		bool gone = false;

		fake_clock_advance(&clk, US_SECOND);
		pump_cap(pump, bytes - step * bytes / 60);
		still_there(of);
		for (int k = KINDS - 1; k >= 0; k--) {
			if (gone && of[order[k].at])
				fail_msg("step %d: %d is missing in part and %d is there", step, order[k + 1].at, order[k].at);
			gone = gone || of[order[k].at] < EACH;
			assert_in_range(of[order[k].at], 0, EACH);
		}
	}
	assert_int_equal(of[RECORD_EVENT], 0);
	assert_true(of[RECORD_REPAIR] > 0);
	for (int k = 0; k < KINDS; k++)
		if (order[k].kind == RECORD_FINDING)
			findings += EACH - of[order[k].at];
		else
			assert_int_equal(dropped(record_kind_text(order[k].kind)), EACH - of[order[k].at]);
	assert_int_equal(dropped("finding"), findings);
	/* one record tells it, a minute after the last */
	fake_clock_advance(&clk, US_MINUTE / 2);
	pump_cap(pump, INT64_MAX);
	assert_int_equal(spool_lag(spool, "f", 0), of[RECORD_CASE] + of[RECORD_REPAIR] + of[13] + of[12] + of[11] + of[RECORD_AGENT]);
	for (int i = 0; i < 3; i++) {
		fake_clock_advance(&clk, US_MINUTE);
		pump_cap(pump, INT64_MAX);
	}
	all = of[RECORD_AGENT] + 1;
	still_there(of);
	assert_int_equal(of[RECORD_AGENT], all);
	/* and what is left arrives */
	all = spool_lag(spool, "f", 0);
	fake.down = false;
	fake_clock_advance(&clk, US_HOUR);
	for (int i = 0; i < 10; i++)
		pump_run(pump);
	assert_int_equal(fake.n_order, all);
	assert_true(pump_empty(pump));
}

/* 30,000 events a second come in batches of 512, and the receiver is away. */
static void over_the_ceiling_as_much_goes_as_comes(void **state)
{
	enum { BATCH = 512, BATCHES = 100, SPARE = 8 * BATCH };
	int64_t bytes, most, lag;

	(void)state;
	fake.down = true;
	put(1, 2000, "{\"pad\":\"" PAD PAD PAD "\"}", RECORD_EVENT);
	pump_run(pump);
	bytes = spool_bytes(spool);
	most = bytes / 2000 * (2000 + SPARE);
	for (int i = 0; i < BATCHES; i++) {
		put(2001 + i * BATCH, 2000 + (i + 1) * BATCH, "{\"pad\":\"" PAD PAD PAD "\"}", RECORD_EVENT);
		fake_clock_advance(&clk, 17 * US_SECOND / 1000);
		pump_run(pump);
		pump_cap(pump, bytes);
		if (spool_bytes(spool) > most)
			fail_msg("batch %d: %lld bytes, the ceiling is %lld", i, (long long)spool_bytes(spool), (long long)bytes);
	}
	lag = spool_lag(spool, "f", 0);
	assert_int_equal(dropped("event"), 2000 + BATCHES * BATCH - lag);
	/* it goes on without anything that wakes it, and without the clock */
	put(100000, 100000 + 10 * BATCH, "{\"pad\":\"" PAD PAD PAD "\"}", RECORD_EVENT);
	fake_clock_advance(&clk, US_SECOND);
	pump_run(pump);
	pump_cap(pump, bytes);
	assert_true(spool_bytes(spool) > bytes);
	for (int i = 0; i < 10 && spool_bytes(spool) > bytes; i++) {
		assert_int_equal(pump_wait_ms(pump, 500), 0);
		pump_cap(pump, bytes);
	}
	assert_true(spool_bytes(spool) <= bytes);
	assert_true(pump_wait_ms(pump, 500) > 0);
}

/* No loss: what the sink has, and what is with it. */
static void over_the_ceiling_what_is_delivered_is_no_loss(void **state)
{
	int64_t of[16];

	(void)state;
	put(1, 300, "{\"pad\":\"" PAD PAD "\"}", RECORD_EVENT);
	pump_run(pump);
	fake.answers = false;
	put(301, 320, "{\"pad\":\"" PAD PAD "\"}", RECORD_EVENT);
	pump_run(pump);
	fake.room = 0;
	put(321, 330, "{\"pad\":\"" PAD PAD "\"}", RECORD_EVENT);
	for (int i = 0; i < 3; i++) {
		fake_clock_advance(&clk, US_SECOND);
		pump_cap(pump, 1);
	}
	still_there(of);
	assert_int_equal(of[RECORD_EVENT], 20); /* with the sink, without an answer */
	assert_int_equal(dropped("event"), 10);
	fake.answers = true;
	pump_run(pump);
	assert_int_equal(noted("acknowledged"), 320);
	assert_true(pump_empty(pump));
	/* counters and what is untold survive */
	pump_free(pump);
	begin();
	pump_run(pump);
	fake.room = MOST;
	fake_clock_advance(&clk, US_SECOND);
	pump_cap(pump, INT64_MAX);
	fake_clock_advance(&clk, US_MINUTE);
	pump_cap(pump, INT64_MAX);
	still_there(of);
	assert_int_equal(of[RECORD_AGENT], 1);
	assert_int_equal(dropped("event"), 10);
}

/* However much of it there is: a look gives up some thousand. */
static void over_the_ceiling_what_is_delivered_goes_before_what_is_not(void **state)
{
	int64_t of[16], bytes;

	(void)state;
	put(1, 12000, "{\"level\":\"critical\",\"pad\":\"" PAD PAD "\"}", RECORD_FINDING);
	run_for(3);
	assert_int_equal(cursor(), 12000);
	bytes = spool_bytes(spool);
	fake.down = true;
	put(12001, 12010, "{\"pad\":\"" PAD PAD "\"}", RECORD_EVENT);
	for (int i = 0; i < 20; i++) {
		fake_clock_advance(&clk, US_SECOND);
		pump_cap(pump, bytes / 2);
	}
	still_there(of);
	assert_int_equal(of[RECORD_EVENT], 10);
	assert_int_equal(dropped("event"), 0);
	assert_true(spool_bytes(spool) <= bytes / 2);
}

/* Uids are remembered for a month: they go before a record that somebody still wants. */
static void over_the_ceiling_old_uids_go_before_records(void **state)
{
	int64_t bytes;

	(void)state;
	spool_keep(spool, &clk.clock, 30 * US_DAY);
	put(1, 15000, "{}", RECORD_FINDING);
	run_for(6);
	fake_clock_advance(&clk, 2 * US_HOUR);
	fake.down = true;
	put(15001, 15010, "{}", RECORD_FINDING);
	pump_cap(pump, INT64_MAX);
	for (int i = 0; i < 5; i++) { /* what is delivered */
		fake_clock_advance(&clk, US_SECOND);
		pump_cap(pump, spool_bytes(spool) - 4096);
	}
	bytes = spool_bytes(spool);
	for (int i = 0; i < 20; i++) {
		fake_clock_advance(&clk, US_SECOND);
		pump_cap(pump, bytes / 3);
	}
	assert_int_equal(spool_lag(spool, "f", 0), 10);
	assert_int_equal(dropped("finding"), 0);
	assert_true(spool_bytes(spool) <= bytes / 3);
	put(15005, 15005, "{}", RECORD_FINDING); /* what is young is remembered */
	assert_int_equal(spool_lag(spool, "f", 0), 10);
}

/* A loss that is not on disk did not happen. */
static void over_the_ceiling_on_a_full_disk_nothing_goes(void **state)
{
	int64_t of[16];

	(void)state;
	fake.down = true;
	put(1, 300, "{\"pad\":\"" PAD PAD "\"}", RECORD_EVENT);
	pump_run(pump);
	db_fail_at(spool_db(spool), -1);
	pump_cap(pump, 1);
	assert_true(db_fail_hit(spool_db(spool)));
	db_fail_at(spool_db(spool), 0);
	still_there(of);
	assert_int_equal(of[RECORD_EVENT], 300);
	assert_int_equal(dropped("event"), 0);
	fake_clock_advance(&clk, US_SECOND);
	pump_cap(pump, 1);
	assert_int_equal(dropped("event"), 300);
}

static void a_rate_is_kept(void **state)
{
	(void)state;
	config.rate = 100;
	pump_free(pump);
	begin();
	put(1, 5000, "{}", RECORD_FINDING);
	for (int ms = 0; ms < 10000; ms += 50) {
		pump_run(pump);
		fake_clock_advance(&clk, 50000);
	}
	if (fake.n_order < 1050 || fake.n_order > 1101) /* 10 s, and one second's worth at once */
		fail_msg("%zu records in 10 s", fake.n_order);
}

static void a_window_keeps_states(void **state)
{
	struct window *w = window_new(4);
	int64_t list[4];

	(void)state;
	for (int round = 0; round < 10; round++) { /* goes around its ring */
		int64_t base = round * 100;

		for (int i = 1; i <= 4; i++)
			window_add(w, base + i * 2);
		assert_int_equal(window_room(w), 0);
		assert_false(window_done(w, base + 3)); /* never was there */
		assert_true(window_done(w, base + 4));
		assert_false(window_done(w, base + 4));
		assert_int_equal(window_head(w), base + 2);
		assert_true(window_again(w, base + 6));
		assert_true(window_again(w, base + 2));
		assert_int_equal(window_due(w), 0);
		assert_int_equal(window_list(w, 1, list, 4), 2);
		assert_int_equal(list[0], base + 2);
		assert_int_equal(list[1], base + 6);
		assert_int_equal(window_sent(w), 1);
		window_resent(w, base + 2);
		assert_true(window_done(w, base + 2));
		assert_int_equal(window_head(w), base + 6);
		window_gone(w, base + 6);
		assert_int_equal(window_due(w), INT64_MAX);
		/* one that waits on its own */
		assert_true(window_hold(w, base + 8, 50, 110));
		assert_int_equal(window_due(w), 110);
		assert_int_equal(window_list(w, 109, list, 4), 0);
		assert_int_equal(window_list(w, 110, list, 4), 1);
		window_resent(w, base + 8);
		assert_int_equal(window_held(w), 1);
		assert_true(window_hold(w, base + 8, 111, 170));
		window_hurry(w, 50);
		assert_int_equal(window_list(w, 169, list, 4), 0);
		window_hurry(w, 51);
		assert_int_equal(window_list(w, 52, list, 4), 1);
		window_resent(w, base + 8);
		assert_int_equal(window_since(w, base + 8), 50);
		assert_true(window_done(w, base + 8));
		assert_int_equal(window_held(w), 0);
		assert_int_equal(window_head(w), 0);
		assert_int_equal(window_count(w), 0);
		assert_int_equal(window_waiting(w), 0);
	}
	window_free(w);
}

static void pauses_have_jitter_and_an_end(void **state)
{
	static const int64_t most[] = { 1, 1, 2, 4, 8, 16, 32, 60, 60, 60 };

	(void)state;
	for (unsigned n = 0; n < sizeof most / sizeof most[0]; n++) {
		int64_t all = 0;

		for (uint64_t i = 0; i < 1000; i++) {
			int64_t p = pace_pause(n, i * UINT64_C(0x9e3779b97f4a7c15));

			assert_in_range(p, 1, most[n] * US_SECOND);
			all += p;
		}
		assert_in_range(all / 1000, most[n] * US_SECOND * 4 / 10, most[n] * US_SECOND * 6 / 10);
	}
	assert_in_range(pace_pause(4000000000u, UINT64_MAX), 1, 60 * US_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_arrives_once_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(many_are_on_their_way_and_no_more_than_the_window, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_failed_is_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_for_good_is_left_out_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_is_kept_with_the_cursor, setup, teardown),
		cmocka_unit_test(what_is_sent_again_goes_whatever_the_sink_takes_now),
		cmocka_unit_test_setup_teardown(what_is_refused_is_no_acknowledgement, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_sent_again_and_given_up_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_that_is_away_is_tried_less_and_less, setup, teardown),
		cmocka_unit_test_setup_teardown(what_broke_is_opened_again_though_nothing_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(one_failure_of_many_records_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_receiver_may_say_when, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_stored_is_said_once, setup, teardown),
		cmocka_unit_test_setup_teardown(another_reason_is_said_too, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_waits_for_a_person_holds_up_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(without_room_one_that_waits_for_a_person_is_a_dead_letter, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_waits_for_a_person_for_an_hour_is_a_dead_letter, setup, teardown),
		cmocka_unit_test_setup_teardown(when_nothing_is_taken_all_wait_and_none_is_a_dead_letter, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_pause_is_told_though_something_was_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sink_gets_what_it_wants_and_its_cursor_goes_over_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_sink_does_not_want_passes_while_it_is_away, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lane_that_a_sink_wants_nothing_of_passes_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_sink_with_little_room_gets_all, setup, teardown),
		cmocka_unit_test_setup_teardown(an_alert_passes_a_backlog_of_events, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_the_least_worth_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_as_much_goes_as_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_what_is_delivered_is_no_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_what_is_delivered_goes_before_what_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_old_uids_go_before_records, setup, teardown),
		cmocka_unit_test_setup_teardown(over_the_ceiling_on_a_full_disk_nothing_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rate_is_kept, setup, teardown),
		cmocka_unit_test(a_window_keeps_states),
		cmocka_unit_test(pauses_have_jitter_and_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
