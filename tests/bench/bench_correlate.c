/* bench_correlate.c - what correlating costs: a million groups through the public functions of correlate/.
 *
 * Prints one JSON object a lane: microseconds of CPU time for each matched event (in correlator_add alone, and with the making of the
 * match in front of it), bytes a group as counted and as the heap grew, the making of a row for the store, what was given up.
 * `bench_correlate [GROUPS]`, run in the project's folder. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "correlate/correlate.h"
#include "event/names.h"
#include "lib/scratch.h"

#define RULE "title: A\nname: a\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: 1}, condition: s}\n---\n"
#define CAP (UINT64_C(4) << 30)
#define COMMIT 20000 /* matches between two commits */

static const struct {
	const char *name, *correlation;
} lanes[] = {
	{"event_count", "type: event_count\n    condition: {gte: 5}\n"},
	{"value_count", "type: value_count\n    condition: {gte: 5, field: IpAddress}\n"},
	{"event_count that closes", "type: event_count\n    condition: {lt: 5}\n"},
};

struct lane {
	struct ruleset *rs;
	struct strings *pool;
	struct correlator *c;
	uint64_t fired, rows, row_bytes; /* row: what a commit would write */
	struct event ev;
	struct event_field fields[2];
	char user[32], address[32];
};

static void on_problem(void *arg, const struct rule_problem *p)
{
	(void)arg;
	die("%s", p->text);
}

static struct ruleset *load(const char *correlation)
{
	struct scratch s;
	struct buf b;
	struct err e;

	buf_init(&b, 1u << 16);
	buf_printf(&b, RULE "title: X\nname: x\ncorrelation:\n    rules: a\n    group-by: TargetUserName\n    timespan: 10m\n    %s", correlation);
	scratch_init(&s);
	scratch_write(&s, "r.yml", buf_text(&b), b.n);
	const char *folders[] = {s.folder};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct ruleset *rs = ruleset_load(&o, on_problem, NULL, &e);

	if (!rs)
		die("%s", e.text);
	scratch_free(&s);
	buf_free(&b);
	return rs;
}

static void on_fired(void *arg, const struct fired *f)
{
	struct lane *l = arg;

	(void)f;
	l->fired++;
}

static int count_row(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct lane *l = arg;

	(void)name;
	(void)value;
	l->rows++;
	l->row_bytes += name_n + n;
	return 0;
}

static size_t heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Every group is met in each round, each time far from the one before. */
static struct match *match_of(struct lane *l, uint64_t i, uint64_t groups)
{
	uint64_t who = i * 7919 % groups;

	snprintf(l->user, sizeof l->user, "user%07llu", (unsigned long long)who);
	snprintf(l->address, sizeof l->address, "10.0.%llu.%llu", (unsigned long long)(i / groups), (unsigned long long)(i & 255));
	l->fields[0].len = (uint32_t)strlen(l->user);
	l->fields[1].len = (uint32_t)strlen(l->address);
	l->ev.record_id = i + 1;
	l->ev.time += 50; /* 20,000 matches a second */
	return match_new(l->pool, l->rs, ruleset_find(l->rs, "a"), &l->ev);
}

static void run(const char *name, const char *correlation, uint64_t groups, int rounds)
{
	struct lane l = {.rs = load(correlation), .pool = strings_new()};
	struct correlator_options o = {.rules = l.rs, .pool = l.pool, .memory_cap = CAP, .stored = true, .arg = &l, .fired = on_fired};
	struct correlator_counts n = {0};
	int64_t making = 0, adding = 0, storing = 0, t;
	size_t before, after;
	struct json_out j;
	struct buf b;
	enum { BATCH = 1000 };
	struct match *batch[BATCH];

	l.c = correlator_new(&o);
	l.ev.computer = "EX1.example";
	l.ev.channel = "System";
	l.ev.provider = "P";
	l.ev.source = "bench";
	l.ev.event_id = 1;
	l.ev.time = 1520974800 * US_SECOND;
	l.ev.fields = l.fields;
	l.ev.n = 2;
	l.fields[0].id = names_find(ruleset_names(l.rs), "TargetUserName", 14);
	l.fields[0].name = "TargetUserName";
	l.fields[0].value = l.user;
	l.fields[1].id = names_find(ruleset_names(l.rs), "IpAddress", 9);
	l.fields[1].name = "IpAddress";
	l.fields[1].value = l.address;
	before = heap();
	after = before;
	for (uint64_t i = 0; i < groups * (uint64_t)rounds; i += BATCH) {
		if (i == groups) {
			after = heap();
			correlator_counts(l.c, &n);
		}
		t = clock_cpu_us();
		for (int k = 0; k < BATCH; k++)
			batch[k] = match_of(&l, i + (uint64_t)k, groups);
		making += clock_cpu_us() - t;
		t = clock_cpu_us();
		for (int k = 0; k < BATCH; k++) {
			correlator_add(l.c, batch[k]);
			match_unref(batch[k]);
		}
		adding += clock_cpu_us() - t;
		if (i % COMMIT != 0)
			continue;
		t = clock_cpu_us();
		correlator_changes(l.c, count_row, &l);
		correlator_stored(l.c);
		storing += clock_cpu_us() - t;
	}
	buf_init(&b, 1u << 16);
	json_begin(&j, &b);
	json_open(&j, NULL, '{');
	json_put_str(&j, "bench", "correlate");
	json_put_str(&j, "lane", name);
	json_put_int(&j, "groups", (int64_t)n.groups);
	json_put_int(&j, "matches", (int64_t)groups * rounds);
	json_put_int(&j, "fired", (int64_t)l.fired);
	json_put_real(&j, "us_per_match", (double)adding / (double)groups / rounds, 3);
	json_put_real(&j, "us_per_match_with_making", (double)(adding + making) / (double)groups / rounds, 3);
	json_put_real(&j, "bytes_per_group", (double)(after - before) / (double)groups, 1);
	json_put_real(&j, "bytes_per_group_counted", (double)n.bytes / (double)groups, 1);
	json_put_real(&j, "us_per_row", (double)storing / (double)l.rows, 3);
	json_put_real(&j, "bytes_per_row", (double)l.row_bytes / (double)l.rows, 1);
	json_put_int(&j, "evicted", (int64_t)n.evicted);
	json_close(&j, '}');
	printf("%s\n", buf_text(&b));
	fflush(stdout);
	buf_free(&b);
	correlator_free(l.c);
	strings_free(l.pool);
	ruleset_free(l.rs);
}

int main(int argc, char **argv)
{
	uint64_t groups = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;

	if (groups < 1000 || groups > 16000000) {
		fprintf(stderr, "bench_correlate [GROUPS], 1000 to 16000000\n");
		return 3;
	}
	groups -= groups % 1000;
	for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++)
		run(lanes[i].name, lanes[i].correlation, groups, 3);
	return 0;
}
