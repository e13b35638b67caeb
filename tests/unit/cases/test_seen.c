/* test_seen.c - what events have shown travels from our own rules into the case, and survives a restart: the bits by which a
 * diagnosis chooses its notes. */
#include "unit/cases/bench.h"

static struct ruleset *own_rules(void)
{
	const char *folders[] = {"rules"};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct err e;

	return ruleset_load(&o, NULL, NULL, &e);
}

/* One event: provider, id, its first and second value; and what it shows. */
static const struct { const char *provider; int id; const char *first, *second; unsigned seen; } events[] = {
	{"MSExchangeFrontEndTransport", 12014, "ex1.corp.example", "Default EX1", SEEN_SMTP_OWN_NAME},
	{"MSExchangeFrontEndTransport", 12014, "relay.example.com", "Relay", SEEN_SMTP_OTHER},
	{"MSExchangeTransport", 12014, "&lt;I&gt;CN=CA&lt;S&gt;CN=mail.example.com", "Outbound", SEEN_SMTP_CERT_NAME},
	{"MSExchangeTransport", 12015, "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9", "", SEEN_EXPIRY | SEEN_SMTP_EXPIRED},
	{"MSExchangeTransport", 12016, "ex1.corp.example", "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9", SEEN_EXPIRY | SEEN_SMTP_EXPIRED},
	{"MSExchangeTransport", 12018, "ex1.corp.example", "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9", SEEN_EXPIRY},
	{"MSExchangeTransport", 12013, "3f9c5a7e0d4b8216c7aa90e1b25d64f8037ec1d9", "", SEEN_ITC_GONE},
	{"MSExchange EdgeSync", 10104, "EDGE1.perimeter.example", "", SEEN_EDGE},
};

#define ALL (sizeof events / sizeof events[0])

static void give_one(struct bench *b, size_t i)
{
	char data[300];

	snprintf(data, sizeof data, "<Data>%s</Data><Data>%s</Data>", events[i].first, events[i].second);
	bench_text(b, event_xml("ex1.corp.example", "Application", events[i].provider, events[i].id, "2018-03-13T00:01:00Z", (int)i + 1,
		data));
}

static void begin(struct bench *b)
{
	bench_begin(b, SILENT("x", 1), true);
	engine_free(b->g);
	ruleset_free(b->rs);
	b->rs = own_rules();
	assert_non_null(b->rs);
	bench_engine(b);
}

static unsigned all_seen(const struct bench *b)
{
	unsigned seen = 0;

	for (size_t i = 0; i < engine_cases(b->g); i++)
		seen |= engine_case(b->g, i)->seen;
	return seen;
}

static void each_event_alone(void **state)
{
	struct bench b;

	(void)state;
	for (size_t i = 0; i < ALL; i++) {
		begin(&b);
		give_one(&b, i);
		engine_finish(b.g);
		if (all_seen(&b) != events[i].seen)
			fail_msg("%s %d %s shows %x, and should show %x", events[i].provider, events[i].id, events[i].first, all_seen(&b),
				events[i].seen);
		bench_end(&b);
	}
}

/* All bits of the enum fit what a host keeps, the last one too, and come back from a saved state. */
static void bits_survive(void **state)
{
	struct bench b;
	struct buf saved;
	struct err e;
	unsigned before;

	(void)state;
	begin(&b);
	b.o.scan = false;
	engine_free(b.g);
	bench_engine(&b);
	for (size_t i = 0; i < ALL; i++)
		give_one(&b, i);
	before = all_seen(&b);
	assert_true(before & SEEN_EDGE);
	assert_true(before & SEEN_SMTP_CERT_NAME);
	assert_true(before & SEEN_SMTP_EXPIRED);
	buf_init(&saved, 1u << 22);
	engine_save(b.g, &saved);
	engine_free(b.g);
	bench_engine(&b);
	assert_int_equal(engine_load(b.g, buf_text(&saved), saved.n, &e), 0);
	assert_int_equal(all_seen(&b), before);
	buf_free(&saved);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_alone),
		cmocka_unit_test(bits_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
