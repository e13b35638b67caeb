/* bench.h - an engine whose findings and cases are written down, for the tests of cases/. */
#ifndef EVMEND_TESTS_UNIT_CASES_BENCH_H
#define EVMEND_TESTS_UNIT_CASES_BENCH_H

#include "base/clock.h"
#include "cases/engine.h"
#include "lib/fake_clock.h"
#include "unit/rules/events.h"

#define DETECT(name, id, rest) \
	"title: T-" name "\nname: " name "\nlevel: low\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: " #id "}, condition: s}\n" rest "---\n"
#define SILENT(name, id) DETECT(name, id, "")

struct bench {
	struct ruleset *rs;
	struct engine *g;
	struct fake_clock clock;
	struct engine_options o;
	struct buf findings, cases; /* one line each */
	struct buf json;
	size_t n_findings, n_updates, n_cases;
};

static inline void on_finding(void *arg, const struct finding *f, bool update)
{
	struct bench *b = arg;
	char uid[9], t[32];

	for (int i = 0; i < 4; i++)
		snprintf(uid + 2 * i, 3, "%02x", f->uid[i]);
	b->n_findings += !update;
	b->n_updates += update;
	buf_printf(&b->findings, "%s%s %s %s x%llu%s\n", update ? "+" : "", f->rule->name, f->host, time_text(f->time, t),
		(unsigned long long)f->count,
		   f->replay ? " replay" : "");
	finding_json(f, &b->json);
}

static inline void on_case(void *arg, const struct case_ *c)
{
	struct bench *b = arg;

	b->n_cases++;
	buf_printf(&b->cases, "%u %s %s %s %s x%llu\n", c->id, c->host, c->cause, c->asks_diagnosis ? "diagnose" : "nothing",
		case_state_text(c->state),
		   (unsigned long long)c->count);
	case_json(c, &b->json);
}

static inline void bench_engine(struct bench *b)
{
	struct engine_sink sink = {.arg = b, .finding = on_finding, .case_changed = on_case};

	b->o.rules = b->rs;
	b->o.clock = &b->clock.clock;
	b->g = engine_new(&b->o, &sink);
}

/* Event times of these tests are minutes behind 2018-03-13T00:00:00Z; the clock stands at its end. */
static inline void bench_begin(struct bench *b, const char *yaml, bool scan)
{
	struct problems p;
	int64_t base;

	memset(b, 0, sizeof *b);
	b->rs = rules_of(yaml, &p);
	for (size_t i = 0; i < p.n; i++)
		print_error("%d: %s\n", p.line[i], p.text[i]);
	assert_int_equal(p.n, 0);
	assert_true(time_parse("2018-03-13T00:00:00Z", 20, &base));
	fake_clock_init(&b->clock, base);
	b->o = (struct engine_options){.scan = scan, .replay_after = 15 * US_MINUTE, .idle_after = US_MINUTE, .update_every = US_MINUTE, .stored = true};
	buf_init(&b->findings, 1u << 20);
	buf_init(&b->cases, 1u << 20);
	buf_init(&b->json, 1u << 26);
	bench_engine(b);
}

static inline void bench_forget(struct bench *b)
{
	buf_reset(&b->findings);
	buf_reset(&b->cases);
	buf_reset(&b->json);
	b->n_findings = b->n_updates = b->n_cases = 0;
}

static inline void bench_end(struct bench *b)
{
	engine_free(b->g);
	ruleset_free(b->rs);
	buf_free(&b->findings);
	buf_free(&b->cases);
	buf_free(&b->json);
}

static inline void give(void *arg, const struct event *ev)
{
	engine_event(((struct bench *)arg)->g, ev);
}

static inline void bench_text(struct bench *b, const char *text)
{
	assert_true(events_of(b->rs, "test", text, strlen(text), b, give) > 0);
}

static inline void bench_event(struct bench *b, int id, const char *time, int record, const char *host, const char *data)
{
	bench_text(b, event_xml(host, "System", "P", id, time, record, data));
}

/* What watch.db is to the agent: rows by name. */
struct rows {
	struct {
		struct buf name, value;
	} row[64];
	size_t n, puts;
};

static inline int rows_put(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct rows *r = arg;
	size_t i = 0;

	r->puts++;
	while (i < r->n && (r->row[i].name.n != name_n || memcmp(r->row[i].name.p, name, name_n) != 0))
		i++;
	assert_true(i < 64);
	if (i == r->n) {
		r->n++;
		buf_init(&r->row[i].name, 1u << 16);
		buf_init(&r->row[i].value, 1u << 20);
		buf_add(&r->row[i].name, name, name_n);
	}
	buf_reset(&r->row[i].value);
	if (n)
		buf_add(&r->row[i].value, value, n);
	return 0;
}

static inline void rows_store(struct rows *r, struct bench *b)
{
	assert_int_equal(engine_changes(b->g, rows_put, r), 0);
	engine_stored(b->g);
}

static inline void rows_load(const struct rows *r, struct bench *b)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->row[i].value.n)
			assert_int_equal(engine_restore(b->g, r->row[i].value.p, r->row[i].value.n, true), 0);
}

static inline void rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		buf_free(&r->row[i].name);
		buf_free(&r->row[i].value);
	}
}

#endif
