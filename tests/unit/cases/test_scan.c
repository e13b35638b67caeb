/* test_scan.c - deciding when everything is in: the order of events and files changes nothing, hosts are one, floods are one
 * case. */
#include "unit/cases/bench.h"

#define BACKEND "evmend: {cause: exchange-backend-certificate, then: diagnose, hint: 'at {host}: {Who}'}\n"

static char *slurp(const char *path)
{
	struct buf b;
	struct err e;
	char *text;

	buf_init(&b, 16u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	text = strdup(buf_text(&b));
	buf_free(&b);
	return text;
}

/* Events of a rootless file, each ended by a NUL. */
static size_t lines_of(char *text, char **to, size_t most)
{
	static const char close[] = "</Event>";
	size_t n = 0;

	for (char *e; n < most && (e = strstr(text, close)); text = e + sizeof close) {
		to[n++] = text;
		e[sizeof close - 1] = '\0';
	}
	return n;
}

static struct ruleset *own_rules(void)
{
	const char *folders[] = {"rules"};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct err e;

	return ruleset_load(&o, NULL, NULL, &e);
}

static void order_changes_nothing(void **state)
{
	static const char *const stories[] = {"S-MMC", "S-EAC", "S-UNBIND", "S-TLS", "S-HEALED", "S-REMOTE", "S-NOBINDING", "S-ENABLE"};
	struct bench b;
	char *lines[400];

	(void)state;
	bench_begin(&b, SILENT("x", 1) "title: X\nname: y\nlogsource: {product: windows}\ndetection: {s: {EventID: 2}, condition: s}\n",
		true);
	engine_free(b.g);
	ruleset_free(b.rs);
	b.rs = own_rules();
	bench_engine(&b);
	for (size_t s = 0; s < sizeof stories / sizeof stories[0]; s++) {
		char path[200], *text, *first = NULL;
		size_t n;

		snprintf(path, sizeof path, "tests/data/samples/stories/%s.xml", stories[s]);
		text = slurp(path);
		n = lines_of(text, lines, 400);
		assert_true(n > 0);
		for (unsigned seed = 0; seed < 12; seed++) {
			unsigned r = seed * 2654435761u;

			for (size_t i = n; seed && i > 1; i--) { /* a shuffle */
				r = r * 1664525u + 1013904223u;
				size_t k = (r >> 8) % i;
				char *t = lines[i - 1];

				lines[i - 1] = lines[k];
				lines[k] = t;
			}
			bench_forget(&b);
			engine_free(b.g);
			bench_engine(&b);
			for (size_t i = 0; i < n; i++)
				bench_text(&b, lines[i]);
			if (seed == 5) /* everything twice, as when a file is given twice */
				for (size_t i = 0; i < n; i++)
					bench_text(&b, lines[i]);
			engine_finish(b.g);
			assert_true(b.n_cases > 0);
			if (!first)
				first = strdup(buf_text(&b.json));
			assert_string_equal(buf_text(&b.json), first);
		}
		free(first);
		free(text);
	}
	bench_end(&b);
}

static void names_of_one_host(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "EX1", "");
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 2, "Ex1.corp.example", "");
	bench_event(&b, 1, "2018-03-13T00:03:00Z", 3, "EX1.CORP.EXAMPLE", "");
	bench_event(&b, 1, "2018-03-13T00:04:00Z", 4, "EX2", "");
	bench_event(&b, 1, "2018-03-13T00:05:00Z", 5, "ex2.a.example", "");
	bench_event(&b, 1, "2018-03-13T00:06:00Z", 6, "ex2.b.example", ""); /* EX2 could be either */
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.cases), "1 Ex1.corp.example exchange-backend-certificate diagnose open x3\n"
						"2 EX2 exchange-backend-certificate diagnose open x1\n"
						"3 ex2.a.example exchange-backend-certificate diagnose open x1\n"
						"4 ex2.b.example exchange-backend-certificate diagnose open x1\n");
	bench_end(&b);
}

static void configured_names_win(void **state)
{
	static const char *const aliases[] = {"EX1", "mail.corp.example"};
	static const struct engine_host hosts[] = {{"ex1.corp.example", aliases, 2}};
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), true);
	engine_free(b.g);
	b.o.hosts = hosts;
	b.o.n_hosts = 1;
	bench_engine(&b);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "MAIL.corp.example", "");
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 2, "ex1", "");
	bench_event(&b, 1, "2018-03-13T00:03:00Z", 3, "ex1.other.example", "");
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.cases), "1 ex1.corp.example exchange-backend-certificate diagnose open x2\n"
						"2 ex1.other.example exchange-backend-certificate diagnose open x1\n");
	bench_end(&b);
}

static void the_named_field_is_the_host(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, "evmend: {cause: exchange-backend-site, host: [BackEndServer, ClientAccessServer], then: diagnose}\n"), true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "<Data Name='BackEndServer'>ex2.corp.example</Data>");
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 2, "ex1",
		"<Data Name='BackEndServer'>UnKown</Data><Data Name='ClientAccessServer'>EX3</Data>");
	bench_event(&b, 1, "2018-03-13T00:03:00Z", 3, "ex1", "<Data Name='BackEndServer'>; rm -rf /</Data>");
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.cases),
		"1 ex2.corp.example exchange-backend-site diagnose open x1\n2 EX3 exchange-backend-site diagnose open x1\n"
						"3 ex1 exchange-backend-site diagnose open x1\n");
	bench_end(&b);
}

static void a_flood_is_one_case(void **state)
{
	struct bench b;
	struct engine_counts n;

	(void)state;
	bench_begin(&b, SILENT("a", 1) "title: C\nname: c\nlevel: high\ncorrelation: {type: event_count, rules: a, group-by: host, timespan: 10m, condition: {gte: 5}}\n"
			"evmend: {cause: exchange-backend-certificate, then: diagnose}\n---\n"
			DETECT("s", 2, "evmend: {cause: exchange-backend-certificate, then: diagnose}\n")
			"title: D\nname: d\ncorrelation: {type: event_count, rules: s, timespan: 10m, condition: {gte: 100000}}\n", true);
	for (int i = 0; i < 20000; i++) {
		char t[40];

		snprintf(t, sizeof t, "2018-03-13T00:%02d:%02d.%03dZ", i / 60000, i / 1000 % 60, i % 1000);
		bench_event(&b, i % 2 ? 1 : 2, t, i, "ex1", "");
	}
	engine_finish(b.g);
	engine_counts(b.g, &n);
	assert_int_equal(n.events, 20000);
	assert_int_equal(b.n_cases, 1);
	assert_int_equal(b.n_findings, 1);
	/* 10,000 of the silent rule with the cause, and the five events that made the correlation fire */
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x10005\n");
	bench_end(&b);
}

static void silent_matches_open_nothing(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND) "title: C\nname: c\ncorrelation: {type: event_count, rules: a, timespan: 10m, condition: {gte: 5}}\n", true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	engine_finish(b.g);
	assert_int_equal(b.n_findings + b.n_cases, 0);
	bench_end(&b);
}

#define HEALED DETECT("a", 1, BACKEND) DETECT("h", 9, "evmend: {cause: exchange-backend-certificate, then: healed}\n")

static void healed_and_back(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b, HEALED, true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	bench_event(&b, 9, "2018-03-13T00:02:00Z", 2, "ex1", "");
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate nothing healed x2\n");
	bench_end(&b);
	bench_begin(&b, HEALED, true);
	bench_event(&b, 9, "2018-03-13T00:02:00Z", 2, "ex1", "");
	engine_finish(b.g);
	assert_int_equal(b.n_cases, 0); /* a repair alone is no case */
	assert_int_equal(b.n_findings, 1);
	bench_end(&b);
	bench_begin(&b, HEALED, true);
	bench_event(&b, 9, "2018-03-13T00:02:00Z", 2, "ex1", "");
	bench_event(&b, 1, "2018-03-13T00:03:00Z", 3, "ex1", "");
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "");
	engine_finish(b.g);
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x3\n"); /* a later symptom */
	bench_end(&b);
}

static void consequences_are_explained(void **state)
{
	const char *rules = DETECT("a", 1, BACKEND) DETECT("k", 5, "evmend: {consequence_of: exchange-backend-certificate}\n");
	struct engine_counts n;
	struct bench b;

	(void)state;
	bench_begin(&b, rules, true);
	bench_event(&b, 5, "2018-03-13T00:00:30Z", 1, "ex1", ""); /* before the cause shows */
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 2, "ex1", "");
	bench_event(&b, 5, "2018-03-13T00:02:00Z", 3, "ex1", "");
	bench_event(&b, 5, "2018-03-13T00:02:00Z", 4, "ex2", ""); /* another host */
	engine_finish(b.g);
	engine_counts(b.g, &n);
	assert_int_equal(n.explained, 2);
	assert_string_equal(buf_text(&b.findings), "a ex1 2018-03-13T00:01:00.000000Z x1\nk ex2 2018-03-13T00:02:00.000000Z x1\n");
	assert_string_equal(buf_text(&b.cases), "1 ex1 exchange-backend-certificate diagnose open x3\n");
	bench_end(&b);
}

static void what_happened_before(void **state)
{
	struct bench b;
	const struct case_ *c;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND) DETECT("r", 5, "evmend: {then: remember, seen: cert-deleted, hint: '{Who} did it'}\n"),
		true);
	for (int i = 0; i < 40; i++) {
		char t[40];

		snprintf(t, sizeof t, "2018-03-13T00:%02d:00Z", i);
		bench_event(&b, 5, t, i, "ex1", i == 39 ? "<Data Name='Who'>Bob&#10;\x1b[31m</Data>" : "");
	}
	bench_event(&b, 5, "2018-01-01T00:00:00Z", 50, "ex2", "");
	bench_event(&b, 5, "2018-03-13T03:00:00Z", 51, "ex1", ""); /* after the case: not before */
	bench_event(&b, 1, "2018-03-13T01:00:00Z", 52, "ex1", "");
	engine_finish(b.g);
	assert_int_equal(engine_cases(b.g), 1);
	c = engine_case(b.g, 0);
	assert_int_equal(c->n_before, 31); /* 32 are kept, one of them is younger */
	assert_string_equal(c->before[30].rule, "r");
	assert_null(strchr(c->before[30].what, '\n'));
	assert_null(strchr(c->before[30].what, '\x1b'));
	assert_true(c->seen & SEEN_CERT_DELETED);
	bench_end(&b);
}

static void hints_are_clean(void **state)
{
	struct bench b;
	char data[2000] = "<Data Name='Who'>a&#13;&#10;b\xc2\x9b\xe2\x80\xae", *p = data + strlen(data);

	(void)state;
	memset(p, 'x', 1000);
	strcpy(p + 1000, "</Data>");
	bench_begin(&b, DETECT("a", 1, BACKEND), true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", data);
	engine_finish(b.g);
	const char *hint = engine_case(b.g, 0)->hint;

	assert_true(strncmp(hint, "at ex1: a  b  x", 15) == 0);
	assert_true(strlen(hint) < 240);
	assert_non_null(strstr(hint, "..."));
	bench_end(&b);
}

static void marks_of_the_host(void **state)
{
	struct bench b;
	const struct case_ *c;

	(void)state;
	bench_begin(&b, DETECT("a", 1, BACKEND), true);
	bench_event(&b, 1, "2018-03-13T00:01:00Z", 1, "ex1", "<Data Name='Endpoint'>[::]:444</Data>");
	bench_event(&b, 1, "2018-03-13T00:02:00Z", 2, "ex1",
		"<Data Name='Thumbprint'>3F 9C 5a7e0d4b8216c7aa90e1b25d64f8037ec1d9</Data><Data Name='Endpoint'>0.0.0.0:443</Data>");
	engine_finish(b.g);
	c = engine_case(b.g, 0);
	assert_int_equal(c->port, 444);
	assert_true(c->has_thumbprint);
	assert_int_equal(c->thumbprint[0], 0x3f);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_changes_nothing), cmocka_unit_test(names_of_one_host), cmocka_unit_test(configured_names_win),
		cmocka_unit_test(the_named_field_is_the_host), cmocka_unit_test(a_flood_is_one_case),
			cmocka_unit_test(silent_matches_open_nothing),
		cmocka_unit_test(healed_and_back), cmocka_unit_test(consequences_are_explained), cmocka_unit_test(what_happened_before),
		cmocka_unit_test(hints_are_clean), cmocka_unit_test(marks_of_the_host),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
