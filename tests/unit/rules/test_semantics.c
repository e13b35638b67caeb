/* test_semantics.c - what rules mean, as data: tests/data/rules/semantics/NAME.yml. A new case is a new row.
 *
 * A file: logsource, channel, provider, id, placeholders (the text of such a file) and event (field: value or values; `Data` has no
 * name), all but event with a default; and
 * rows: [expected, rule] or [expected, rule, text]. expected: yes, no (does the rule hold for the event?), refused, warned (its
 * message has the text) or skipped. A rule: one item of a selection; or a detection, when it has a `condition:`; or whole documents,
 * when it has a `title:` or a `detection:`, of which the rule with name t, or else the first, is asked. */
#include <dirent.h>

#include "base/yaml.h"
#include "unit/rules/events.h"

struct world {
	const char *path, *logsource, *channel, *provider, *placeholders;
	int id;
	struct buf data; /* content of EventData, as XML */
};

struct question {
	struct matcher *m;
	const struct rule *rule;
	bool holds;
};

static void ask(void *arg, const struct event *ev)
{
	struct question *q = arg;
	const uint32_t *hits;
	size_t n = matcher_run(q->m, ev, &hits);

	for (size_t i = 0; i < n; i++)
		q->holds = q->holds || hits[i] == q->rule->index;
}

static void add_escaped(struct buf *to, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&': buf_str(to, "&amp;"); break;
		case '<': buf_str(to, "&lt;"); break;
		case '\r': buf_str(to, "&#13;"); break;
		case '\'': buf_str(to, "&apos;"); break;
		default: buf_char(to, *s);
		}
}

static void add_datum(struct buf *to, const char *name, const char *value)
{
	buf_str(to, "<Data");
	if (strcmp(name, "Data") != 0) {
		buf_str(to, " Name='");
		add_escaped(to, name);
		buf_str(to, "'");
	}
	buf_str(to, ">");
	add_escaped(to, value);
	buf_str(to, "</Data>");
}

static const char *text_of(const struct yaml_node *map, const char *key, const char *otherwise)
{
	const struct yaml_node *n = yaml_get(map, key);

	return n && n->kind == YAML_SCALAR ? n->text : otherwise;
}

static void read_world(struct world *w, const struct yaml_node *top)
{
	const struct yaml_node *event = yaml_get(top, "event");

	w->logsource = text_of(top, "logsource", "{product: windows, service: system}");
	w->channel = text_of(top, "channel", "System");
	w->provider = text_of(top, "provider", "Test-Provider");
	w->placeholders = text_of(top, "placeholders", NULL);
	w->id = atoi(text_of(top, "id", "7"));
	buf_init(&w->data, 1u << 20);
	for (size_t i = 0; event && i < event->n; i++) {
		const struct yaml_node *v = event->items[i];

		for (size_t k = 0; k < (v->kind == YAML_LIST ? v->n : 1); k++)
			add_datum(&w->data, event->keys[i]->text, v->kind == YAML_LIST ? v->items[k]->text : v->text);
	}
}

/* The row's text as whole documents. */
static void write_rule(struct buf *to, const struct world *w, const char *text)
{
	bool detection = strstr(text, "condition:");

	buf_init(to, 1u << 20);
	if (strstr(text, "title:") || strstr(text, "detection:")) {
		buf_str(to, text);
		return;
	}
	buf_printf(to, "title: T\nname: t\nlogsource: %s\ndetection:\n%s    ", w->logsource, detection ? "" : "    s:\n    ");
	for (const char *p = text; *p; p++) {
		buf_char(to, *p);
		if (*p == '\n' && p[1])
			buf_str(to, detection ? "    " : "        ");
	}
	buf_str(to, detection ? "\n" : "\n    condition: s\n");
}

static bool told(const struct problems *p, bool warning, const char *text)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->warning[i] == warning && strstr(p->text[i], text))
			return true;
	return false;
}

static bool holds(const struct world *w, const struct ruleset *rs)
{
	struct question q = {.m = matcher_new(rs), .rule = ruleset_find(rs, "t")};
	char xml[64 << 10];

	if (!q.rule)
		q.rule = ruleset_rule(rs, 0);
	snprintf(xml, sizeof xml,
		 "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='%s'/><EventID>%d</EventID><Level>2</Level>"
		 "<Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='2018-03-13T21:45:10.1234567Z'/><EventRecordID>1</EventRecordID>"
		 "<Channel>%s</Channel><Computer>EX1.corp.example</Computer></System><EventData>%s</EventData></Event>",
		 w->provider, w->id, w->channel, buf_text(&w->data));
	assert_int_equal(events_of(rs, "test", xml, strlen(xml), &q, ask), 1);
	matcher_free(q.m);
	return q.holds;
}

static bool row_is_right(const struct world *w, const char *expected, const char *rule, const char *text)
{
	struct problems p;
	struct ruleset *rs;
	struct buf yaml;
	bool right, loaded;

	write_rule(&yaml, w, rule);
	rs = rules_with(buf_text(&yaml), w->placeholders, &p);
	loaded = ruleset_count(rs) > 0;
	if (strcmp(expected, "refused") == 0)
		right = ruleset_refused(rs) > 0 && told(&p, false, text);
	else if (strcmp(expected, "warned") == 0)
		right = loaded && told(&p, true, text);
	else if (strcmp(expected, "skipped") == 0)
		right = !loaded && ruleset_refused(rs) == 0 && told(&p, true, text);
	else
		right = loaded && ruleset_refused(rs) == 0 && (strcmp(expected, "yes") == 0 || strcmp(expected, "no") == 0) &&
			holds(w, rs) == (strcmp(expected, "yes") == 0);
	for (size_t i = 0; !right && i < p.n; i++)
		print_error("  %s\n", p.text[i]);
	ruleset_free(rs);
	buf_free(&yaml);
	return right;
}

static size_t wrong, rows;

static void check_file(const char *path)
{
	struct err e = {0};
	struct yaml_file *f = yaml_read(path, &e);
	struct world w = {.path = path};

	if (!f)
		fail_msg("%s", e.text);
	const struct yaml_node *list = yaml_get(f->documents[0], "rows");

	read_world(&w, f->documents[0]);
	assert_non_null(list);
	assert_true(list->n > 0);
	for (size_t i = 0; i < list->n; i++) {
		const struct yaml_node *row = list->items[i];

		if (row->kind != YAML_LIST || row->n < 2 || row->n > 3)
			fail_msg("%s:%d: a row is [expected, rule] or [expected, rule, text]", path, row->line);
		const char *expected = row->items[0]->text, *rule = row->items[1]->text;

		rows++;
		if (row_is_right(&w, expected, rule, row->n == 3 ? row->items[2]->text : ""))
			continue;
		wrong++;
		print_error("%s:%d: not %s: %s\n", path, row->line, expected, rule);
	}
	buf_free(&w.data);
	yaml_free(f);
}

static void every_row_holds(void **state)
{
	DIR *d = opendir("tests/data/rules/semantics");
	char path[500];

	(void)state;
	assert_non_null(d);
	for (struct dirent *x = readdir(d); x; x = readdir(d)) {
		if (!strstr(x->d_name, ".yml"))
			continue;
		snprintf(path, sizeof path, "tests/data/rules/semantics/%s", x->d_name);
		check_file(path);
	}
	closedir(d);
	print_message("# %zu rows\n", rows);
	assert_true(rows > 50);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_holds)};

	return cmocka_run_group_tests_name("semantics", tests, NULL, NULL);
}
