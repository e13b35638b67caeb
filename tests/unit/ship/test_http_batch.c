/* test_http_batch.c - the engine behind the sinks over HTTP, with a receiver that is a function: whatever the n-th request meets, each record
 * is delivered or given up for a reason, those of one host in their order, and none counts before the receiver says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lib/check.h"
#include "lib/fake_clock.h"
#include "lib/fake_http.h"
#include "ship/http_batch.h"

#define RECORDS 60
#define HOSTS 7
#define TEXT 100
#define CHUNK 4 /* records offered at once */
#define ALL (-1)

/* What a request can meet. Everything but OK happens to the n-th one alone; POISON and LARGE are properties of records. */
enum meets { OK, NO_CONNECTION, RESET_BEFORE, RESET_AFTER, BUSY, BUSY_FOR, SERVER, REFUSES_US, TOO_LARGE, TOO_LONG, SLOW, RESTART, MEETS };

static struct fake_clock clk;
static struct sink_config config;
static struct sink *sink;

static struct world {
	int nth, seen;
	enum meets what;
	int poison;        /* a record that the receiver will never take; 0: none; ALL */
	bool names_it;     /* and says so */
	int bad_upto;      /* it answers about each record, and refuses those up to here */
	bool acks;
	int64_t ack_after;
	int arrivals[RECORDS + 1];
	int newest[HOSTS]; /* that has arrived */
	int number;
	struct { int64_t at; bool asked; int first, last; int seqs[RECORDS]; int n; } taken[400];
	char said[4000];
	int slow;
	bool disorder;     /* allowed: what is acknowledged late, or lost, comes behind newer ones */
} w;

/* --- a kind: a record is "<seq> <host> <filler>\n" --- */

static int plain_open(struct http_sink *h, struct err *e)
{
	(void)e;
	buf_str(&h->url, "http://fake/");
	h->patience = 20 * US_SECOND;
	return 0;
}

static void plain_encode(struct http_sink *h, const struct record_view *v, struct buf *to)
{
	(void)h;
	if (strcmp(v->host, "unspeakable") != 0)
		buf_printf(to, "%d %s %0*d\n", (int)v->record->seq, v->host, TEXT, 0);
}

static enum http_means plain_judge(struct http_sink *h, const struct http_answer *a, struct http_verdict *v)
{
	enum http_means means = http_means_of(a->status);

	(void)h;
	if (means == HTTP_BAD && sscanf(a->body, "bad %zu", &v->bad) != 1)
		v->bad = HTTP_UNNAMED;
	for (size_t i = 0; means == HTTP_ITEMS && i < v->n; i++)
		if (v->items[i].seq <= w.bad_upto) {
			v->items[i].outcome = SINK_DEAD;
			text_copy(v->items[i].why, sizeof v->items[i].why, "no such field");
		}
	if (means == HTTP_ITEMS && a->body[0] == 'h')
		v->held = atoi(a->body + 1);
	if (means == HTTP_ITEMS && a->body[0] == 'r') { /* began anew */
		http_lose(h, "anew");
		return HTTP_AGAIN;
	}
	return means;
}

static char question[4000];

static void plain_ask(struct http_sink *h, struct http_request *r)
{
	int64_t numbers[400];
	size_t n = http_held(h, numbers, 400), at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(question + at, sizeof question - at, "%d ", (int)numbers[i]);
	r->url = "http://fake/ack";
	r->body = question;
	r->n = at;
}

static void plain_told(struct http_sink *h, const struct http_answer *a)
{
	int used = 0, number;

	for (const char *s = a->body; sscanf(s, "%d %n", &number, &used) == 1; s += used)
		http_settle(h, number);
}

static const struct http_kind plain = { .lanes = 3, .batch = { .records = 10, .bytes = 100000, .wait = US_SECOND / 10 }, .media = "text/plain",
	.open = plain_open, .encode = plain_encode, .judge = plain_judge };
static const struct http_kind held = { .lanes = 1, .batch = { .records = 10, .bytes = 100000, .wait = US_SECOND / 10 }, .media = "text/plain",
	.open = plain_open, .encode = plain_encode, .judge = plain_judge, .ask = plain_ask, .told = plain_told };

static int open_plain(struct sink *s, struct err *e)
{
	return http_sink_open(s, w.acks ? &held : &plain, e);
}

static const struct sink_ops ops = { .open = open_plain, .submit = http_sink_submit, .poll = http_sink_poll, .wait_fd = http_sink_wait_fd,
	.flush = http_sink_flush, .close = http_sink_close };

/* --- the receiver --- */

static int batch_of(const struct http_request *r, int *seqs)
{
	const char *s = r->body, *end = s + r->n;
	int n = 0;

	for (; s < end; s = (const char *)memchr(s, '\n', (size_t)(end - s)) + 1)
		seqs[n++] = atoi(s);
	return n;
}

static void arrive(int seq)
{
	int *newest = &w.newest[(seq - 1) % HOSTS];

	if (!w.arrivals[seq]++ && !w.disorder)
		assert_true(*newest < seq); /* what comes for the first time, comes in its order */
	*newest = seq > *newest ? seq : *newest;
}

static int poison_in(const int *seqs, int n)
{
	for (int i = 0; i < n; i++)
		if (seqs[i] == w.poison || w.poison == ALL)
			return i;
	return -1;
}

static bool answer_question(const struct http_request *r, struct http_answer *a)
{
	size_t at = 0;
	int used = 0, number;

	w.said[0] = '\0';
	for (const char *s = r->body; s < (const char *)r->body + r->n && sscanf(s, "%d %n", &number, &used) == 1; s += used)
		if (number < w.number && w.taken[number].at && clk.monotonic >= w.taken[number].at) {
			for (int i = 0; i < w.taken[number].n; i++)
				arrive(w.taken[number].seqs[i]);
			w.taken[number].at = 0; /* said once */
			at += (size_t)snprintf(w.said + at, sizeof w.said - at, "%d ", number);
		}
	*a = (struct http_answer){ .owner = a->owner, .status = 200, .reached = true, .body = w.said, .why = "" };
	return true;
}

static const char *take_batch(const int *seqs, int n)
{
	if (poison_in(seqs, n) >= 0)
		return "ok"; /* nobody hears it */
	if (!w.acks) {
		for (int i = 0; i < n; i++)
			if (seqs[i] > w.bad_upto)
				arrive(seqs[i]);
		return "ok";
	}
	w.taken[w.number].at = clk.monotonic + w.ack_after;
	w.taken[w.number].n = n;
	memcpy(w.taken[w.number].seqs, seqs, (size_t)n * sizeof *seqs);
	(void)snprintf(w.said, sizeof w.said, "h%d", w.number++);
	return w.said;
}

static bool receive(void *arg, const struct http_request *r, const char *headers, struct http_answer *a)
{
	static const struct { int status; bool reached; int64_t after; } says[MEETS] = { [NO_CONNECTION] = { 0, false, 0 }, [RESET_BEFORE] = { 0, true, 0 },
		[RESET_AFTER] = { 0, true, 0 }, [BUSY] = { 503, true, 0 }, [BUSY_FOR] = { 429, true, 3 * US_SECOND }, [SERVER] = { 500, true, 0 },
		[REFUSES_US] = { 403, true, 0 }, [TOO_LARGE] = { 413, true, 0 }, [TOO_LONG] = { 200, true, 0 } };
	int seqs[RECORDS], n, bad;

	(void)arg;
	if (strstr(r->url, "/ack"))
		return answer_question(r, a);
	assert_non_null(strstr(headers, "Content-Type: text/plain\n"));
	n = batch_of(r, seqs);
	a->reached = true;
	a->status = 200;
	if (w.slow || ++w.seen == w.nth) {
		if (w.what == SLOW && w.slow++ < 5)
			return false;
		w.slow = 0;
		if (w.what == RESTART) { /* what was taken and not yet safe is gone, and numbers begin anew */
			w.number = 0;
			memset(w.taken, 0, sizeof w.taken);
			a->body = "r";
			return true;
		}
		if (w.what == RESET_AFTER)
			take_batch(seqs, n);
		if ((w.what == TOO_LARGE || w.what == TOO_LONG) && n == 1) { /* that would be the end of it */
			w.nth++;
		} else if (w.what != SLOW && w.what != OK) {
			a->status = says[w.what].status;
			a->reached = says[w.what].reached;
			a->retry_after = says[w.what].after;
			a->too_long = w.what == TOO_LONG;
			a->why = a->status ? "" : "broken";
			return true;
		}
	}
	bad = poison_in(seqs, n);
	if (bad >= 0) {
		a->status = 400;
		(void)snprintf(w.said, sizeof w.said, "bad %d", w.names_it ? bad : RECORDS);
		a->body = w.said;
		return true;
	}
	a->body = take_batch(seqs, n);
	return true;
}

/* --- who sends: as the pump does --- */

enum state { NEW, SENT, WAITS, DONE, DEAD };

static struct spool_record records[RECORDS];
static char json[RECORDS][120];
static enum state state[RECORDS + 1];
static char dead_why[160];
static int64_t not_before;
static int retries;

static void make_records(void)
{
	for (int i = 0; i < RECORDS; i++) {
		int n = snprintf(json[i], sizeof json[i], "{\"kind\":\"finding\",\"host\":\"h%d\"}", i % HOSTS);

		records[i] = (struct spool_record){ .seq = i + 1, .json = json[i], .n = (size_t)n };
		state[i + 1] = NEW;
	}
}

static void take_results(void)
{
	struct sink_result r[16];
	struct err e;
	size_t got = 16;

	while (got == 16) {
		assert_int_equal(sink->ops->poll(sink, r, 16, &got, &e), 0);
		for (size_t i = 0; i < got; i++) {
			assert_int_equal(state[r[i].seq], SENT); /* one result for each */
			state[r[i].seq] = r[i].outcome == SINK_ACCEPTED ? DONE : r[i].outcome == SINK_DEAD ? DEAD : WAITS;
			if (r[i].outcome == SINK_ACCEPTED)
				assert_true(w.arrivals[r[i].seq] > 0); /* not before it is there */
			if (r[i].outcome == SINK_DEAD)
				memcpy(dead_why, r[i].why, sizeof dead_why);
			if (r[i].outcome == SINK_RETRY) {
				retries++;
				assert_true(r[i].why[0]);
				not_before = r[i].not_before > not_before ? r[i].not_before : not_before;
			}
		}
	}
}

/* In chunks, and on as long as all of one was taken: results are looked at before and after, not between. */
static void offer(enum state what)
{
	struct spool_record some[CHUNK];
	struct err e;
	size_t n = 0;
	bool full = false;

	for (int i = 0; i < RECORDS && !full; i++) {
		int took;

		if (state[i + 1] == what)
			some[n++] = records[i];
		if (!n || (n < CHUNK && i + 1 < RECORDS))
			continue;
		took = sink->ops->submit(sink, some, n, &e);
		assert_true(took >= 0);
		for (int k = 0; k < took; k++)
			state[some[k].seq] = SENT;
		full = (size_t)took < n;
		n = 0;
	}
}

static bool all_done(void)
{
	for (int i = 1; i <= RECORDS; i++)
		if (state[i] != DONE && state[i] != DEAD)
			return false;
	return true;
}

static size_t count(enum state what)
{
	size_t n = 0;

	for (int i = 1; i <= RECORDS; i++)
		n += state[i] == what;
	return n;
}

static void step(void)
{
	struct err e;

	fake_clock_advance(&clk, US_SECOND / 50);
	assert_int_equal(sink->ops->open(sink, &e), 0);
	take_results();
	if (clk.monotonic < not_before)
		return;
	offer(WAITS);
	if (!count(WAITS))
		offer(NEW);
}

/* Until everything has an outcome; how long it took by the fake clock. */
static int64_t run_all(void)
{
	int64_t begun = clk.monotonic;

	for (int round = 0; !all_done(); round++) {
		assert_true(round < 20000);
		step();
	}
	return clk.monotonic - begun;
}

static void begin(void)
{
	fake_clock_init(&clk, INT64_C(1500000000) * US_SECOND);
	memset(&w, 0, sizeof w);
	not_before = retries = 0;
	dead_why[0] = '\0';
	make_records();
	config = (struct sink_config){ .name = "s", .kind = SINK_SPLUNK };
	fake_http_receive(receive, NULL);
	sink = xcalloc(1, sizeof *sink);
	*sink = (struct sink){ .ops = &ops, .config = &config, .clock = &clk.clock, .files = &os_file };
}

static void end(void)
{
	sink->ops->close(sink);
	free(sink);
	assert_int_equal(fake_http_open(), 0);
}

static void each_arrives(int but)
{
	for (int i = 1; i <= RECORDS; i++) {
		assert_int_equal(state[i], i == but ? DEAD : DONE);
		assert_int_equal(w.arrivals[i] > 0, i != but);
	}
}

static void whatever_the_nth_request_meets(void **unused)
{
	(void)unused;
	for (int acks = 0; acks < 2; acks++)
		for (int poison = 0; poison < 3; poison++)
			for (int what = OK; what < MEETS; what++)
				for (int nth = 1; nth < 16; nth++) {
					begin();
					w.what = (enum meets)what;
					w.nth = nth;
					w.acks = acks;
					w.ack_after = US_SECOND * (nth % 3);
					w.poison = poison ? 23 : 0;
					w.names_it = poison == 2;
					run_all();
					each_arrives(w.poison);
					end();
				}
}

static void a_late_acknowledgement_is_waited_for_and_no_longer(void **unused)
{
	(void)unused;
	begin();
	w.acks = w.disorder = true;
	w.ack_after = 25 * US_SECOND; /* more than its patience, always */
	for (int i = 0; i < 50 * 24; i++)
		step();
	for (int i = 1; i <= RECORDS; i++)
		assert_true(state[i] == SENT || state[i] == WAITS);
	assert_true(retries >= RECORDS);
	w.ack_after = 10 * US_SECOND; /* late, and in time */
	assert_true(run_all() < 60 * US_SECOND);
	each_arrives(0);
	end();
}

/* What answers there may be no receiver at all. */
static void one_that_refuses_everything_gets_a_few_and_a_pause(void **unused)
{
	size_t few;

	(void)unused;
	begin();
	w.poison = ALL;
	for (int i = 0; i < 50 * 30; i++)
		step();
	few = count(DEAD);
	assert_in_range(few, 1, 16);
	assert_true(not_before > clk.monotonic);
	w.poison = 0;
	run_all();
	assert_int_equal(count(DEAD), few);
	end();
}

/* A wrong mapping makes an endpoint refuse every document, each for itself. */
static void one_that_refuses_each_record_keeps_a_few_and_the_rest_waits(void **unused)
{
	(void)unused;
	begin();
	w.bad_upto = RECORDS;
	for (int i = 0; i < 50 * 30; i++)
		step();
	assert_int_equal(count(DEAD), 16);
	assert_int_equal(count(DONE), 0);
	assert_true(retries > 0);
	w.bad_upto = 0;
	run_all();
	assert_int_equal(count(DEAD), 16);
	assert_string_equal(dead_why, "no such field");
	end();
}

static void a_few_bad_records_hold_nobody_back(void **unused)
{
	(void)unused;
	for (int bad = 1; bad <= RECORDS / 2; bad++) {
		begin();
		w.bad_upto = bad;
		for (int i = 0; i < 50 * 5; i++)
			step();
		assert_int_equal(count(DONE), RECORDS - bad);
		run_all();
		assert_int_equal(count(DEAD), bad);
		end();
	}
}

static void one_that_cannot_be_encoded_is_given_up_alone(void **unused)
{
	static const char text[] = "{\"kind\":\"finding\",\"host\":\"unspeakable\"}";

	(void)unused;
	begin();
	records[8].json = text;
	records[8].n = strlen(text);
	run_all();
	each_arrives(9);
	end();
}

static void what_was_given_up_half_way_is_freed(void **unused)
{
	(void)unused;
	for (int acks = 0; acks < 2; acks++) {
		begin();
		w.acks = acks;
		w.ack_after = US_HOUR;
		w.what = SLOW;
		w.nth = 2;
		for (int i = 0; i < 20; i++)
			step();
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_the_nth_request_meets),
		cmocka_unit_test(a_late_acknowledgement_is_waited_for_and_no_longer),
		cmocka_unit_test(one_that_refuses_everything_gets_a_few_and_a_pause),
		cmocka_unit_test(one_that_refuses_each_record_keeps_a_few_and_the_rest_waits),
		cmocka_unit_test(a_few_bad_records_hold_nobody_back),
		cmocka_unit_test(one_that_cannot_be_encoded_is_given_up_alone),
		cmocka_unit_test(what_was_given_up_half_way_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
