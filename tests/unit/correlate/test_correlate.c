/* test_correlate.c - correlations in event time: counts, any order, a given order, absence; groups, quiet, late events, bounds. */
#include "base/clock.h"
#include "correlate/correlate.h"
#include "unit/rules/events.h"

#define DET(name, id) \
	"title: " name "\nname: " name "\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: " #id "}, condition: s}\n---\n"
#define CORR(body) DET("a", 1) DET("b", 2) DET("c", 3) "title: C\nname: corr\ncorrelation:\n" body

struct bench {
	struct ruleset *rs;
	struct matcher *m;
	struct strings *pool;
	struct correlator *c;
	struct correlator_options o;
	char log[4000]; /* "first-last:n " of each firing, in minutes */
	int64_t base, upto;
	bool by_host;
};

static int minute(const struct bench *b, int64_t t)
{
	return (int)((t - b->base) / US_MINUTE);
}

static void on_fired(void *arg, const struct fired *f)
{
	struct bench *b = arg;
	size_t k = strlen(b->log);

	for (size_t i = 1; i < f->n; i++)
		assert_true(f->entries[i - 1]->time <= f->entries[i]->time);
	snprintf(b->log + k, sizeof b->log - k, "%s%s:%d-%d:%zu", k ? " " : "", f->rule->name, minute(b, f->first), minute(b, f->last),
		f->n);
	b->by_host = f->by_host;
}

static void begin_capped(struct bench *b, const char *yaml, uint64_t cap)
{
	struct problems p;

	memset(b, 0, sizeof *b);
	b->rs = rules_of(yaml, &p);
	for (size_t i = 0; i < p.n; i++)
		print_error("%s\n", p.text[i]);
	assert_int_equal(p.n, 0);
	b->m = matcher_new(b->rs);
	b->pool = strings_new();
	b->o = (struct correlator_options){.rules = b->rs, .pool = b->pool, .memory_cap = cap, .arg = b, .fired = on_fired};
	b->c = correlator_new(&b->o);
	assert_true(time_parse("2018-03-13T00:00:00Z", 20, &b->base));
}

static struct correlator_counts count(const struct bench *b)
{
	struct correlator_counts n;

	correlator_counts(b->c, &n);
	return n;
}

static void begin(struct bench *b, const char *yaml)
{
	begin_capped(b, yaml, 100u << 20);
}

static void end(struct bench *b)
{
	correlator_free(b->c);
	strings_free(b->pool);
	matcher_free(b->m);
	ruleset_free(b->rs);
}

static void feed(void *arg, const struct event *ev)
{
	struct bench *b = arg;
	const uint32_t *hits;
	size_t n = matcher_run(b->m, ev, &hits);

	for (size_t i = 0; i < n; i++) {
		struct match *m = match_new(b->pool, b->rs, ruleset_rule(b->rs, hits[i]), ev);

		correlator_add(b->c, m);
		match_unref(m);
	}
}

static int records;

static void at_host(struct bench *b, int id, int when, const char *host, const char *user)
{
	char time[32], data[200];
	const char *x;

	time_text(b->base + when * US_MINUTE, time);
	data[0] = '\0';
	if (user)
		snprintf(data, sizeof data, "<Data Name='User'>%s</Data>", user);
	x = event_xml(host, "System", "P", id, time, ++records, data);
	assert_int_equal(events_of(b->rs, "t", x, strlen(x), b, feed), 1);
}

static void at(struct bench *b, int id, int when)
{
	at_host(b, id, when, "EX1", NULL);
}

static int64_t upto(void *arg, const char *host, const char *reporter)
{
	assert_non_null(host);
	assert_non_null(reporter);
	return ((struct bench *)arg)->upto;
}

static void pass(struct bench *b, int when)
{
	b->upto = b->base + when * US_MINUTE;
	correlator_pass(b->c, INT64_MAX, upto, b);
}

static void counts(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: event_count\n    rules: a\n    group-by: host\n    timespan: 10m\n    condition: {gte: 3}\n"));
	at(&b, 1, 0);
	at(&b, 1, 5);
	at(&b, 2, 6);
	at(&b, 1, 11);              /* 0 is out of reach: two within 10 minutes */
	assert_string_equal(b.log, "");
	at(&b, 1, 15);              /* 5, 11, 15: the ends belong to it */
	assert_string_equal(b.log, "corr:5-15:3");
	assert_true(b.by_host);
	for (int i = 16; i <= 25; i++)
		at(&b, 1, i);           /* quiet */
	assert_string_equal(b.log, "corr:5-15:3");
	for (int i = 26; i <= 28; i++)
		at(&b, 1, i);
	assert_string_equal(b.log, "corr:5-15:3 corr:26-28:3");
	end(&b);
}

static void late_events_take_their_place(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: event_count\n    rules: a\n    timespan: 10m\n    condition: {gte: 3}\n"));
	at(&b, 1, 0);
	at(&b, 1, 30);
	at(&b, 1, 9);
	at(&b, 1, 4); /* completes 0, 4, 9 */
	assert_string_equal(b.log, "corr:0-9:3");
	end(&b);
}

static void an_event_counts_once(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: event_count\n    rules: [a, b]\n    timespan: 10m\n    condition: {gte: 2}\n"));
	at(&b, 1, 0);
	records--;
	at(&b, 1, 0); /* the same event again */
	assert_string_equal(b.log, "");
	at(&b, 2, 1);
	assert_string_equal(b.log, "corr:0-1:2");
	end(&b);
}

static void groups(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: event_count\n    rules: a\n    group-by: [host, User]\n    timespan: 10m\n    condition: {gte: 2}\n"));
	at_host(&b, 1, 0, "EX1", "Bob");
	at_host(&b, 1, 1, "EX1", "alice");
	at_host(&b, 1, 2, "EX2", "bob");
	at_host(&b, 1, 3, "EX1", NULL); /* lacks the field: takes no part */
	at_host(&b, 1, 3, "EX1", NULL);
	assert_string_equal(b.log, "");
	at_host(&b, 1, 4, "ex1", "BOB"); /* case does not count */
	assert_string_equal(b.log, "corr:0-4:2");
	end(&b);
}

static void aliases(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: temporal\n    rules: [a, b]\n    group-by: [who]\n    aliases: {who: {a: User, b: EventID}}\n    timespan: 10m\n"));
	at_host(&b, 1, 0, "EX1", "2");
	at_host(&b, 2, 1, "EX1", "x");
	assert_string_equal(b.log, "corr:0-1:2");
	end(&b);
}

static void any_order(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: temporal\n    rules: [a, b, c]\n    timespan: 10m\n"));
	at(&b, 3, 0);
	at(&b, 1, 1);
	for (int i = 0; i < 1000; i++)
		at(&b, 1, 2); /* a flood drives no other rule out */
	assert_string_equal(b.log, "");
	at(&b, 2, 10);
	assert_string_equal(b.log, "corr:0-10:3");
	assert_true(count(&b).cut > 0);
	end(&b);
	begin(&b, CORR("    type: temporal\n    rules: [a, b, c]\n    timespan: 10m\n    condition: {gte: 2}\n"));
	at(&b, 3, 0);
	at(&b, 2, 11);
	at(&b, 1, 20);
	assert_string_equal(b.log, "corr:11-20:2");
	end(&b);
}

static void given_order(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: temporal_ordered\n    rules: [a, b, c]\n    timespan: 10m\n"));
	at(&b, 2, 0);
	at(&b, 1, 1);
	at(&b, 3, 2);
	assert_string_equal(b.log, "");
	at(&b, 2, 3);
	assert_string_equal(b.log, "");
	at(&b, 3, 3); /* the same time is in order */
	assert_string_equal(b.log, "corr:1-3:3");
	end(&b);
	begin(&b, CORR("    type: temporal_ordered\n    rules: [a, b, c]\n    timespan: 10m\n"));
	at(&b, 1, 0);
	at(&b, 2, 1);
	at(&b, 3, 12);
	at(&b, 1, 5);
	at(&b, 2, 6); /* late: 5, 6, 12 */
	assert_string_equal(b.log, "corr:5-12:3");
	end(&b);
}

static void absence_after(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: absent\n    rules: [a, b]\n    timespan: 10m\n"));
	at(&b, 2, 0); /* before: does not count */
	at(&b, 1, 1);
	assert_true(correlator_due(b.c) == b.base + 11 * US_MINUTE);
	pass(&b, 11); /* an event of minute 11 may still come */
	assert_string_equal(b.log, "");
	pass(&b, 12);
	assert_string_equal(b.log, "corr:1-1:1");
	assert_true(correlator_due(b.c) > b.base + 20 * US_MINUTE); /* only to be forgotten */
	at(&b, 1, 20);
	at(&b, 2, 30); /* the end belongs to it */
	pass(&b, 60);
	assert_string_equal(b.log, "corr:1-1:1");
	at(&b, 1, 70);
	correlator_finish(b.c);
	assert_string_equal(b.log, "corr:1-1:1 corr:70-70:1");
	end(&b);
}

static void absence_around(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: absent\n    where: around\n    rules: [a, b]\n    timespan: 10m\n"));
	at(&b, 2, 0);
	at(&b, 1, 10);
	at(&b, 1, 11);
	pass(&b, 100);
	assert_string_equal(b.log, "corr:11-11:1");
	at(&b, 1, 110);
	at(&b, 2, 105); /* late, but in time for the decision */
	pass(&b, 200);
	assert_string_equal(b.log, "corr:11-11:1");
	end(&b);
}

static void correlations_of_correlations(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: absent\n    rules: [a, b]\n    group-by: host\n    timespan: 10m\n---\ntitle: D\nname: outer\ncorrelation:\n    type: temporal\n"
		       "    rules: [corr, c]\n    group-by: host\n    timespan: 5m\n"));
	at(&b, 1, 0);
	at(&b, 3, 4);
	at(&b, 3, 16); /* later events must not push the one of minute 4 out before the absence is decided */
	correlator_finish(b.c);
	assert_string_equal(b.log, "corr:0-0:1 outer:0-4:2");
	end(&b);
}

static void memory_is_bounded(void **state)
{
	struct bench b;
	char user[40];

	(void)state;
	begin_capped(&b, CORR("    type: event_count\n    rules: a\n    group-by: User\n    timespan: 10m\n    condition: {gte: 2}\n"),
		100000);
	for (int i = 0; i < 2000; i++) {
		snprintf(user, sizeof user, "user%d", i);
		at_host(&b, 1, 0, "EX1", user);
		assert_true(count(&b).bytes < 101000);
	}
	assert_true(count(&b).evicted > 500);
	at_host(&b, 1, 1, "EX1", user); /* the newest windows are still there */
	assert_string_equal(b.log, "corr:0-1:2");
	end(&b);
}

static int put_row(void *arg, const void *name, size_t name_n, const void *value, size_t n)
{
	struct bench *b = arg;

	assert_true(name_n > 0 && name);
	if (n)
		assert_int_equal(correlator_load(b->c, value, n, true), 0);
	return 0;
}

static void state_survives(void **state)
{
	struct correlator *old;
	struct bench b;

	(void)state;
	begin(&b, CORR("    type: event_count\n    rules: a\n    group-by: [host, User]\n    timespan: 10m\n    condition: {gte: 3}\n"));
	at_host(&b, 1, 0, "EX1", "b\"o\\b");
	at_host(&b, 1, 1, "EX1", "b\"o\\b");
	old = b.c;
	b.c = correlator_new(&b.o);
	assert_int_equal(correlator_all(old, put_row, &b), 0);
	correlator_free(old);
	at_host(&b, 1, 2, "EX1", "b\"o\\b");
	assert_string_equal(b.log, "corr:0-2:3");
	at_host(&b, 1, 3, "EX1", "b\"o\\b");
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts), cmocka_unit_test(late_events_take_their_place), cmocka_unit_test(an_event_counts_once),
		cmocka_unit_test(groups), cmocka_unit_test(aliases), cmocka_unit_test(any_order), cmocka_unit_test(given_order),
		cmocka_unit_test(absence_after), cmocka_unit_test(absence_around), cmocka_unit_test(correlations_of_correlations),
		cmocka_unit_test(memory_is_bounded), cmocka_unit_test(state_survives),
	};

	return cmocka_run_group_tests_name("correlate", tests, NULL, NULL);
}
