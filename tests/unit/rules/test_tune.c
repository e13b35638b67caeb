/* test_tune.c - filters from marked findings: what is proposed, what is refused, and that the engine agrees with each. */
#include "rules/tune/tune.h"
#include "unit/rules/events.h"

#define RULE "title: It's T\nname: t\nlogsource: {product: windows, service: system}\ndetection: {s: {EventID: 7}, condition: s}\n"
#define SOME 6

static const struct {
	const char *is_false[SOME], *is_true[SOME]; /* EventData of each */
	const char *selection; /* its lines without blanks before them; NULL: refused */
} rows[] = {
	/* one value, and nothing more is needed */
	{{"<Data Name='Image'>C:\\a.exe</Data>", "<Data Name='Image'>c:\\A.exe</Data>"}, {"<Data Name='Image'>C:\\b.exe</Data>"},
		"Image: 'C:\\a.exe'"},
	/* two fields, since one does not tell them apart */
	{{"<Data Name='Image'>a</Data><Data Name='User'>u</Data>"},
		{"<Data Name='Image'>a</Data><Data Name='User'>v</Data>", "<Data Name='Image'>b</Data><Data Name='User'>u</Data>"},
		"Image: 'a'\nUser: 'u'"},
	/* the best field first, whatever the order in the event; a field that only the event has, and the host, come last */
	{{"<Data Name='Zone'>z</Data><Data Name='User'>u</Data>"}, {"<Data Name='Zone'>y</Data><Data Name='User'>v</Data>"}, "User: 'u'"},
	{{"<Data Name='Zone'>z</Data>"}, {"<Data Name='Zone'>y</Data>"}, "Zone: 'z'"},
	/* some values side by side */
	{{"<Data Name='Image'>a</Data>", "<Data Name='Image'>b</Data>"}, {"<Data Name='Image'>c</Data>"}, "Image:\n- 'a'\n- 'b'"},
	/* a common end or beginning, when there are many */
	{{"<Data Name='Image'>C:\\1\\x.exe</Data>", "<Data Name='Image'>C:\\2\\X.exe</Data>", "<Data Name='Image'>C:\\3\\x.exe</Data>",
		"<Data Name='Image'>C:\\4\\x.exe</Data>"}, {"<Data Name='Image'>C:\\4\\y.exe</Data>"}, "Image|endswith: '\\x.exe'"},
	{{"<Data Name='CommandLine'>backup.exe -n 1</Data>", "<Data Name='CommandLine'>backup.exe -n 2</Data>",
		"<Data Name='CommandLine'>backup.exe -n 33</Data>", "<Data Name='CommandLine'>backup.exe -n 4</Data>"},
		{"<Data Name='CommandLine'>backup.exe -x 1</Data>"}, "CommandLine|startswith: 'backup.exe -n '"},
	/* special characters */
	{{"<Data Name='CommandLine'>a*b?c\\*d\\\\e'f</Data>"}, {"<Data Name='CommandLine'>aXbYc\\Zd\\\\e'f</Data>"},
		"CommandLine: 'a\\*b\\?c\\\\\\*d\\\\\\e''f'"},
	/* nothing is true: two fields, to be narrow */
	{{"<Data Name='Image'>a</Data><Data Name='User'>u</Data><Data Name='Zone'>z</Data>"}, {NULL}, "Image: 'a'\nUser: 'u'"},
	/* what differs from run to run is no reason */
	{{"<Data Name='ProcessGuid'>{1}</Data><Data Name='SourcePort'>7</Data>"}, {"<Data Name='ProcessGuid'>{2}</Data>"}, NULL},
	{{"<Data Name='Image'>a</Data>"}, {"<Data Name='Image'>A</Data>"}, NULL},
	{{"<Data Name='Image'>a</Data>"}, {"<Data Name='Image'>a</Data><Data Name='User'>u</Data>"}, NULL}, /* absence is no value */
	{{NULL}, {"<Data Name='Image'>a</Data>"}, NULL},
};

struct bench {
	struct ruleset *rs;
	struct tune *t;
	struct matcher *m;
	bool is_false;
	size_t held;
	struct err e;
};

static void mark(void *arg, const struct event *ev)
{
	struct bench *b = arg;

	assert_int_equal(tune_event(b->t, ev, b->is_false, &b->e), 0);
}

static void ask(void *arg, const struct event *ev)
{
	struct bench *b = arg;
	const uint32_t *hits;

	b->held += matcher_run(b->m, ev, &hits);
}

static void give(struct bench *b, const char *data, void (*each)(void *arg, const struct event *ev))
{
	const char *text = event_xml("ex1", "System", "P", 7, "2018-03-13T00:00:00Z", 1, data);

	assert_int_equal(events_of(b->rs, "test", text, strlen(text), b, each), 1);
}

/* The filter in `to`; false: refused. */
static bool propose(struct bench *b, const char *const *is_false, const char *const *is_true, struct buf *to)
{
	struct problems p;
	int did;

	memset(b, 0, sizeof *b);
	b->rs = rules_of(RULE, &p);
	b->t = tune_new(b->rs, ruleset_rule(b->rs, 0));
	b->is_false = true;
	for (size_t i = 0; i < SOME && is_false[i]; i++)
		give(b, is_false[i], mark);
	b->is_false = false;
	for (size_t i = 0; i < SOME && is_true[i]; i++)
		give(b, is_true[i], mark);
	buf_init(to, 1u << 20);
	did = tune_propose(b->t, to, &b->e);
	tune_free(b->t);
	ruleset_free(b->rs);
	return did == 0;
}

/* Does the rule still match these, with the filter beside it? */
static size_t still(const struct buf *filter, const char *const *data)
{
	struct problems p;
	struct bench b = {0};
	struct buf yaml;

	buf_init(&yaml, 1u << 20);
	buf_printf(&yaml, RULE "---\n%s", buf_text(filter));
	b.rs = rules_of(buf_text(&yaml), &p);
	if (p.n)
		fail_msg("%s\n%s", p.text[0], buf_text(&yaml));
	b.m = matcher_new(b.rs);
	for (size_t i = 0; i < SOME && data[i]; i++)
		give(&b, data[i], ask);
	matcher_free(b.m);
	ruleset_free(b.rs);
	buf_free(&yaml);
	return b.held;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (n < SOME && list[n])
		n++;
	return n;
}

/* The lines of the selection, without the blanks in front. */
static void selection(const struct buf *filter, char *to, size_t n)
{
	const char *p = strstr(buf_text(filter), "selection:\n") + 11, *end = strstr(p, "    condition:");
	size_t k = 0;

	for (bool begin = true; p < end && k + 1 < n; p++) {
		if (begin && *p == ' ')
			continue;
		begin = *p == '\n';
		to[k++] = *p;
	}
	to[k ? k - 1 : 0] = '\0';
}

static void proposes_what_is_needed_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char lines[500] = "";
		struct buf filter;
		struct bench b;
		bool good = propose(&b, rows[i].is_false, rows[i].is_true, &filter);

		if (good)
			selection(&filter, lines, sizeof lines);
		if (good != (rows[i].selection != NULL) || (good && strcmp(lines, rows[i].selection) != 0))
			fail_msg("row %zu: %s", i, good ? lines : b.e.text);
		if (good) {
			assert_int_equal(still(&filter, rows[i].is_false), 0);
			assert_int_equal(still(&filter, rows[i].is_true), count(rows[i].is_true));
		}
		buf_free(&filter);
	}
}

/* Any value of the characters that mean something to Sigma or YAML: the filter is that value and not its neighbour. */
static void escapes_every_value(void **state)
{
	static const char letters[] = "\\\\\\**?'\"#:-[]{}|>%@ab. \n\t";
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char value[2][20], data[2][120];
		const char *const is_false[] = {data[0], NULL}, *const is_true[] = {data[1], NULL};
		size_t n = 1 + (size_t)(seed = seed * 1103515245u + 12345u) / 65536 % 10;
		struct buf filter;
		struct bench b;

		for (size_t i = 0; i < n; i++)
			value[0][i] = letters[(seed = seed * 1103515245u + 12345u) / 65536 % (sizeof letters - 1)];
		value[0][n] = '\0';
		memcpy(value[1], value[0], sizeof value[0]);
		value[1][(seed >> 8) % n] = 'y';
		for (int k = 0; k < 2; k++)
			snprintf(data[k], sizeof data[k], "<Data Name='Image'><![CDATA[%s]]></Data>", value[k]);
		if (strcmp(value[0], value[1]) == 0 || strcmp(value[0], "-") == 0 || strstr(value[0], "]]>") || strstr(value[1], "]]>"))
			continue;
		if (!propose(&b, is_false, is_true, &filter))
			fail_msg("'%s': %s", value[0], b.e.text);
		if (still(&filter, is_false) != 0 || still(&filter, is_true) != 1)
			fail_msg("'%s' against '%s': %s", value[0], value[1], buf_text(&filter));
		buf_free(&filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proposes_what_is_needed_and_no_more), cmocka_unit_test(escapes_every_value),
	};

	return cmocka_run_group_tests_name("tune", tests, NULL, NULL);
}
