/* lanes.c - the stages of a scan, one after another, for each kind of event.
 *
 * Why: hosts differ; a mean says little about one that makes nothing but processes.
 * Promises: a stage costs what a pass with it costs more than a pass without it, each the best of some passes over the same bytes in
 * this process; the whole is decoding, matching, deciding and writing findings, as `scan` does it. CPU time of the thread.
 * Refuses: lanes of less than 100 events. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "bench/bench.h"
#include "cases/engine.h"
#include "event/decode.h"
#include "naive/naive.h"

#define FEED (256u << 10)
#define ROOM (2u << 30)
#define NAIVE_EVERY 50 /* the naive evaluator sees every 50th event: it takes a millisecond for one */

double now_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void say(const char *fmt, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* --- one pass over the bytes of a lane --- */

enum stage { PARSE, MATCH, NAIVE, WHOLE };

struct pass {
	enum stage stage;
	struct matcher *matcher;
	struct naive *naive;
	struct engine *engine;
	struct buf out;
	uint64_t events, hits, findings;
};

static int on_event(void *arg, const struct event *ev)
{
	struct pass *p = arg;
	const uint32_t *hits;

	p->events++;
	if (p->stage == MATCH)
		p->hits += matcher_run(p->matcher, ev, &hits);
	else if (p->stage == NAIVE)
		p->hits += naive_run_all(p->naive, ev, &hits);
	else if (p->stage == WHOLE)
		engine_event(p->engine, ev);
	return 0;
}

static void on_finding(void *arg, const struct finding *f, bool update)
{
	struct pass *p = arg;

	(void)update;
	p->findings++;
	finding_json(f, &p->out);
	if (p->out.n > FEED)
		buf_reset(&p->out);
}

static void decode(const struct ruleset *rs, const struct buf *lane, const struct decode_sink *sink)
{
	struct arena *arena = arena_new(FEED);
	struct decode_options o = {.names = ruleset_names(rs), .source = "lane", .default_time = 1};
	struct decoder *d = decoder_new(FORM_XML, &o, arena);
	struct err e;

	for (size_t i = 0; i < lane->n; i += FEED) {
		if (decoder_feed(d, lane->p + i, lane->n - i < FEED ? lane->n - i : FEED, sink, &e) != 0)
			die("%s", e.text);
		arena_reset(arena);
		decoder_new_batch(d, 1);
	}
	if (decoder_end(d, false, sink, &e) != 0)
		die("%s", e.text);
	decoder_free(d);
	arena_free(arena);
}

/* CPU seconds of one pass. */
static double pass(const struct ruleset *rs, const struct buf *lane, struct pass *p)
{
	const struct decode_sink sink = {.arg = p, .event = on_event};
	const struct clock clock = clock_real();
	const struct engine_options eo = {.rules = rs, .clock = &clock, .scan = true};
	const struct engine_sink es = {.arg = p, .finding = on_finding};
	double start;

	p->events = p->hits = p->findings = 0;
	if (p->stage == WHOLE) {
		p->engine = engine_new(&eo, &es);
		buf_init(&p->out, 16u << 20);
	}
	start = now_cpu();
	decode(rs, lane, &sink);
	if (p->stage == WHOLE)
		engine_finish(p->engine);
	start = now_cpu() - start;
	if (p->stage == WHOLE) {
		engine_free(p->engine);
		buf_free(&p->out);
	}
	return start;
}

static double best(const struct ruleset *rs, const struct buf *lane, struct pass *p, enum stage stage, int rounds)
{
	double least = 0, took;

	p->stage = stage;
	for (int i = 0; i < rounds; i++) {
		took = pass(rs, lane, p);
		least = i == 0 || took < least ? took : least;
	}
	return least;
}

/* --- the lanes --- */

enum { MIXED, PROCESS, SYSMON, SECURITY, POWERSHELL, SPARSE, LANES };
static const char *const lane_names[LANES] = {"mixed", "process creation", "Sysmon", "Security", "PowerShell", "1 % matches"};

struct lanes {
	struct matcher *matcher;
	struct buf of[LANES], sample;
	uint64_t seen, quiet, loud, in_sparse;
};

static void put(struct buf *b, const struct event *ev)
{
	buf_add(b, ev->raw, ev->raw_n);
	buf_char(b, '\n');
}

/* Of 100 events of the sparse lane one has matched. */
static void put_sparse(struct lanes *l, const struct event *ev, bool matched)
{
	if (matched && l->in_sparse * 99 >= l->quiet)
		return;
	if (matched)
		l->in_sparse++;
	else
		l->quiet++;
	put(&l->of[SPARSE], ev);
}

static int sort_event(void *arg, const struct event *ev)
{
	struct lanes *l = arg;
	const uint32_t *hits;
	bool sysmon = !strcmp(ev->channel, "Microsoft-Windows-Sysmon/Operational"), security = !strcmp(ev->channel, "Security");

	if (l->seen++ % NAIVE_EVERY == 0)
		put(&l->sample, ev);
	if ((sysmon && ev->event_id == 1) || (security && ev->event_id == 4688))
		put(&l->of[PROCESS], ev);
	if (sysmon)
		put(&l->of[SYSMON], ev);
	if (security && ev->event_id != 4688)
		put(&l->of[SECURITY], ev);
	if (strstr(ev->channel, "PowerShell"))
		put(&l->of[POWERSHELL], ev);
	put_sparse(l, ev, matcher_run(l->matcher, ev, &hits) > 0);
	return 0;
}

static void sort_lanes(const struct bench *b, const struct ruleset *rs, struct lanes *l)
{
	const struct decode_sink sink = {.arg = l, .event = sort_event};
	struct err e;

	for (int i = 0; i < LANES; i++)
		buf_init(&l->of[i], ROOM);
	buf_init(&l->sample, ROOM);
	l->matcher = matcher_new(rs);
	if (file_read(&os_file, b->plain, &l->of[MIXED], &e) != 0)
		die("%s", e.text);
	decode(rs, &l->of[MIXED], &sink);
	matcher_free(l->matcher);
}

static void say_lane(const char *lane, const char *what, double us)
{
	char name[100];

	snprintf(name, sizeof name, "lane %s: %s", lane, what);
	fact(name, us, "us/event");
}

/* Whole job of an event of each lane, in us. */
static void measure_lanes(struct bench *b, const struct ruleset *rs, const struct lanes *l, double whole[LANES])
{
	for (int i = 0; i < LANES; i++) {
		struct pass p = {.matcher = matcher_new(rs)};
		double parse = best(rs, &l->of[i], &p, PARSE, b->rounds), match = best(rs, &l->of[i], &p, MATCH, b->rounds), n = (double)p.events;

		whole[i] = best(rs, &l->of[i], &p, WHOLE, b->rounds) * 1e6 / n;
		if (p.events < 100)
			die("the lane %s has %" PRIu64 " events only", lane_names[i], p.events);
		say("lane %s, %" PRIu64 " events: parse %.2f, match %.2f, whole %.2f us", lane_names[i], p.events, parse * 1e6 / n,
		    (match - parse) * 1e6 / n, whole[i]);
		say_lane(lane_names[i], "whole job", whole[i]);
		say_lane(lane_names[i], "parse", parse * 1e6 / n);
		say_lane(lane_names[i], "match", (match - parse) * 1e6 / n);
		matcher_free(p.matcher);
	}
}

static void against_naive(struct bench *b, const struct ruleset *rs, const struct buf *sample)
{
	struct pass p = {.matcher = matcher_new(rs)};
	double parse, match, naive;
	char fields[300], text[120];
	struct err e;

	say("the naive evaluator, every %d-th event", NAIVE_EVERY);
	snprintf(fields, sizeof fields, "%s/fields", b->tables);
	p.naive = naive_new(fields, NULL, 0);
	if (naive_read(p.naive, b->rules, &e) != 0)
		die("%s", e.text);
	naive_ready(p.naive);
	parse = best(rs, sample, &p, PARSE, b->rounds);
	match = best(rs, sample, &p, MATCH, b->rounds);
	p.stage = NAIVE;
	pass(rs, sample, &p); /* which rules belong to a (channel, event id) is found out here */
	naive = best(rs, sample, &p, NAIVE, 2);
	snprintf(text, sizeof text, "%.2f us of %.0f us/event", (match - parse) * 1e6 / (double)p.events, (naive - parse) * 1e6 / (double)p.events);
	figure("match stage / naive evaluation of the rules of (channel, id)", 0.2, 0.05, (match - parse) / (naive - parse), "", text);
	naive_free(p.naive);
	matcher_free(p.matcher);
}

struct ruleset *bench_load(const char *rules, const char *tables, int rounds, double *took)
{
	const char *folders[] = {rules};
	const struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = tables};
	struct ruleset *rs = NULL;
	struct err e;

	for (int i = 0; i < rounds; i++) {
		double start = now_cpu();

		ruleset_free(rs);
		rs = ruleset_load(&o, NULL, NULL, &e);
		if (!rs)
			die("%s", e.text);
		start = now_cpu() - start;
		*took = i == 0 || start < *took ? start : *took;
	}
	return rs;
}

void bench_lanes(struct bench *b)
{
	struct lanes l = {0};
	double took, few_took, whole[LANES];
	struct ruleset *rs = bench_load(b->rules, b->tables, 3, &took), *few = bench_load(b->few, b->tables, 1, &few_took);
	struct pass p = {0};
	char text[120];

	snprintf(text, sizeof text, "%zu rules", ruleset_count(rs));
	figure("loading all rules, CPU", 1.0, 0.4, took, "s", text);
	sort_lanes(b, rs, &l);
	measure_lanes(b, rs, &l, whole);
	b->mean_us = whole[MIXED];
	snprintf(text, sizeof text, "%.2f us of %.2f us", whole[PROCESS], whole[MIXED]);
	figure("process-creation event / mean event, whole job", 3, 1.5, whole[PROCESS] / whole[MIXED], "", text);
	if (ruleset_count(few) == 0)
		die("none of the rules in %s could be loaded", b->few);
	took = best(few, &l.of[MIXED], &p, WHOLE, b->rounds) * 1e6 / (double)p.events;
	snprintf(text, sizeof text, "%.2f us of %.2f us with %zu rules", whole[MIXED], took, ruleset_count(few));
	figure("all rules / 30 rules, whole job", 2, 1.3, whole[MIXED] / took, "", text);
	against_naive(b, rs, &l.sample);
	for (int i = 0; i < LANES; i++)
		buf_free(&l.of[i]);
	buf_free(&l.sample);
	ruleset_free(few);
	ruleset_free(rs);
}
