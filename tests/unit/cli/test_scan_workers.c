/* test_scan_workers.c - any number of threads gives the findings and malformed records of one, in their order. */
#include "lib/check.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli/scan_workers.h"
#include "unit/rules/events.h"

struct run {
	struct ruleset *rs;
	struct engine *engine;
	struct scan_workers *workers; /* NULL: one thread */
	struct decode_options of;
	struct buf out;
	size_t malformed;
	uint64_t cut;
};

static void on_finding(void *arg, const struct finding *f, bool update)
{
	struct run *r = arg;

	(void)update;
	finding_json(f, &r->out);
}

static void told(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct run *r = arg;

	r->malformed++;
	buf_printf(&r->out, "%s %lld %s ", source, (long long)offset, reason);
	buf_add(&r->out, bytes, n);
	buf_char(&r->out, '\n');
}

static int on_event(void *arg, const struct event *ev)
{
	struct run *r = arg;

	if (r->workers)
		scan_workers_event(r->workers, ev);
	else
		engine_event(r->engine, ev);
	return 0;
}

static int on_piece(void *arg, const struct decode_piece *p)
{
	struct run *r = arg;

	scan_workers_piece(r->workers, &r->of, p);
	return 0;
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct run *r = arg;

	if (r->workers)
		scan_workers_malformed(r->workers, r->of.source, offset, reason, bytes, n);
	else
		told(r, r->of.source, offset, reason, bytes, n);
}

/* The file `times` over, as one stream. */
static void read_file(struct run *r, const char *path, unsigned times)
{
	struct decode_sink sink = {.arg = r, .piece = r->workers ? on_piece : NULL, .event = on_event, .malformed = on_malformed};
	struct arena *a = arena_new(1u << 16);
	struct decoder *d;
	struct buf b;
	struct err e;

	r->of = (struct decode_options){.names = ruleset_names(r->rs), .source = path, .default_time = INT64_C(1520974800000000)};
	d = decoder_new(FORM_AUTO, &r->of, a);
	buf_init(&b, 64u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	for (unsigned i = 0; i < times; i++) {
		assert_int_equal(decoder_feed(d, buf_text(&b), b.n, &sink, &e), 0);
		arena_reset(a);
	}
	assert_int_equal(decoder_end(d, false, &sink, &e), 0);
	if (r->workers)
		scan_workers_stream_ends(r->workers);
	buf_free(&b);
	decoder_free(d);
	arena_free(a);
}

/* Forms that can be cut and forms that cannot, good ones and bad ones, one after another. */
static const struct {
	const char *path;
	unsigned times;
} files[] = {
	{"tests/data/samples/stories/S-ENABLE.xml", 40}, {"tests/data/samples/console_en.txt", 3}, {"tests/data/bad/torn.xml", 200},
	{"tests/data/bad/control_chars.xml", 20}, {"tests/data/samples/HttpProxy_2018031321-1.LOG", 200},
	{"tests/data/bad/billion_laughs.xml", 1}, {"tests/data/bad/cdata.xml", 1}, {"tests/data/bad/truncated_utf16.xml", 1},
	{"tests/data/samples/stories/S-ENABLE.xml", 1}, {"tests/data/bad/no_event.xml", 1}, {"tests/data/bad/torn_head.xml", 1},
};

static void scan(struct run *r, unsigned threads)
{
	const char *folders[] = {"rules/exchange"};
	struct ruleset_options ro = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct clock clock = clock_fixed(INT64_C(1520974800000000));
	struct engine_options eo = {.clock = &clock, .scan = true};
	struct engine_sink sink = {.arg = r, .finding = on_finding};
	struct engine_counts n;
	struct err e;

	*r = (struct run){.rs = ruleset_load(&ro, NULL, NULL, &e)};
	assert_non_null(r->rs);
	eo.rules = r->rs;
	r->engine = engine_new(&eo, &sink);
	buf_init(&r->out, 64u << 20);
	if (threads) {
		struct scan_workers_options wo = {.rules = r->rs, .engine = r->engine, .since = INT64_MIN, .until = INT64_MAX, .arg = r,
			.malformed = told, .cut = &r->cut};

		r->workers = scan_workers_new(&wo, threads);
		assert_non_null(r->workers);
	}
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		read_file(r, files[i].path, files[i].times);
		if (r->workers && i == 4)
			scan_workers_drain(r->workers);
	}
	if (r->workers)
		scan_workers_free(r->workers);
	engine_finish(r->engine);
	engine_counts(r->engine, &n);
	buf_printf(&r->out, "%llu events, %llu matches\n", (unsigned long long)n.events, (unsigned long long)n.matches);
	engine_free(r->engine);
	ruleset_free(r->rs);
}

static void same_whatever_the_threads(void **state)
{
	static const unsigned threads[] = {1, 2, 5};
	struct run one;

	(void)state;
	scan(&one, 0);
	assert_false(one.out.refused);
	assert_true(one.malformed > 100);
	assert_non_null(strstr(buf_text(&one.out), "\"kind\":\"finding\""));
	for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
		struct run many;

		scan(&many, threads[i]);
		assert_string_equal(buf_text(&many.out), buf_text(&one.out));
		buf_free(&many.out);
	}
	buf_free(&one.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_whatever_the_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
