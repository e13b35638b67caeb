/* groups.c - a correlation with a million groups.
 *
 * Why: whoever makes up user names makes groups; they must cost little time and little memory.
 * Promises: every group gets two events and holds both; the time is that of correlator_add alone, memory is what the heap has more
 * after the first round than before, the kept matches with all that belongs to them included.
 * Refuses: nothing. */
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "bench/bench.h"
#include "correlate/correlate.h"

#define GROUPS 1000000

static const char rules[] =
	"title: A logon that failed\nname: failed\nid: 2b1d6c0e-7d1c-4f1b-9a0e-0d4a3c5b7e01\nlevel: low\n"
	"logsource: {product: windows, service: security}\ndetection: {s: {EventID: 4625}, condition: s}\n"
	"---\ntitle: Many of them for one user\nname: many\nid: 2b1d6c0e-7d1c-4f1b-9a0e-0d4a3c5b7e02\nlevel: high\n"
	"correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 10d, condition: {gte: 10}}\n";

static void on_fired(void *arg, const struct fired *f)
{
	(void)f;
	++*(size_t *)arg;
}

static struct ruleset *load(const struct bench *b)
{
	char folder[300], file[320];
	const char *folders[] = {folder};
	const struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = b->tables};
	struct ruleset *rs;
	struct err e;
	FILE *f;

	snprintf(folder, sizeof folder, "%s/groups", b->folder);
	snprintf(file, sizeof file, "%s/rules.yml", folder);
	mkdir(folder, 0755);
	f = fopen(file, "w");
	if (!f || fputs(rules, f) < 0 || fclose(f) != 0)
		die("%s cannot be written", file);
	rs = ruleset_load(&o, NULL, NULL, &e);
	if (!rs || ruleset_count(rs) != 2)
		die("the two rules of a correlation could not be loaded");
	return rs;
}

/* One failed logon of user number i. */
static struct match *logon(const struct ruleset *rs, struct strings *pool, unsigned i, int64_t time)
{
	char user[32];
	const int n = snprintf(user, sizeof user, "user%07u", i);
	const struct event_field field = {.name = "TargetUserName", .value = user, .len = (uint32_t)n,
		.id = names_find(ruleset_names(rs), "TargetUserName", 14)};
	const struct event ev = {.provider = "Microsoft-Windows-Security-Auditing", .channel = "Security", .computer = "dc1.example",
		.event_id = 4625, .record_id = (uint64_t)time, .time = time, .fields = &field, .n = 1, .raw = "", .source = "bench"};

	return match_new(pool, rs, ruleset_find(rs, "failed"), &ev);
}

static double heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

/* CPU seconds in the correlator for one event of every group. */
static double round_of(struct correlator *c, const struct ruleset *rs, struct strings *pool, int64_t time)
{
	enum { BATCH = 1000 };
	struct match *m[BATCH];
	double took = 0;

	for (unsigned at = 0; at < GROUPS; at += BATCH) {
		double start;

		for (unsigned i = 0; i < BATCH; i++)
			m[i] = logon(rs, pool, at + i, time + at + i);
		start = now_cpu();
		for (unsigned i = 0; i < BATCH; i++)
			correlator_add(c, m[i]);
		took += now_cpu() - start;
		for (unsigned i = 0; i < BATCH; i++)
			match_unref(m[i]);
	}
	return took;
}

void bench_groups(struct bench *b)
{
	size_t fired = 0;
	struct ruleset *rs = load(b);
	struct strings *pool = strings_new();
	const struct correlator_options o = {.rules = rs, .pool = pool, .memory_cap = UINT64_C(4) << 30, .one_clock = true, .arg = &fired,
		.fired = on_fired};
	struct correlator *c = correlator_new(&o);
	struct correlator_counts n;
	double before = heap(), first, second, memory;
	char text[120];

	say("a correlation with %d groups", GROUPS);
	first = round_of(c, rs, pool, INT64_C(1700000000000000));
	memory = heap() - before;
	correlator_counts(c, &n);
	if (n.groups != GROUPS || fired)
		die("the correlator has %llu groups and fired %zu times", (unsigned long long)n.groups, fired);
	second = round_of(c, rs, pool, INT64_C(1700000100000000));
	snprintf(text, sizeof text, "new group %.2f us, known group %.2f us", first, second);
	figure("correlation, 1 million groups: time for each matched event", 2, 1, (first + second) / 2 * 1e6 / GROUPS, "us", text);
	snprintf(text, sizeof text, "with its match; the correlator's own count: %.0f", (double)n.bytes / GROUPS);
	figure("correlation, 1 million groups: memory for each group", 512, 256, memory / GROUPS, "B", text);
	correlator_free(c);
	strings_free(pool);
	ruleset_free(rs);
}
