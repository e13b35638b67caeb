/* corpus_examples.c - the reference implementation's examples of modifiers and conditions, asked of both evaluators.
 *
 * `f|windash 'x -a' => ["OR('x -a', 'x /a', ...)"]`: a value of f that is one of these must match, one with another first letter must
 * not. `'1 of sel*' => OR(a, b)`: the condition must say the same for every choice of what holds. Left out: what it refuses by its own
 * choice, two examples where it is known to err (the mark of utf16, a letter of two bytes), one whose print is ambiguous. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "corpus/corpus.h"
#include "event/decode.h"

struct example {
	char *line, *left, *right;
	bool condition;
};

struct examples {
	struct corpus *c;
	struct example *at;
	size_t n;
	struct ruleset *rs;
	struct matcher *m;
	struct naive *naive;
	char id[40]; /* of the rule that is asked */
	bool engine, slow, asked;
	size_t questions, wrong;
};

static int on_event(void *arg, const struct event *ev)
{
	struct examples *x = arg;
	const struct rule *r = ruleset_find(x->rs, x->id);
	const uint32_t *hits;
	size_t n = matcher_run(x->m, ev, &hits), k = r ? naive_find(x->naive, r->file, r->line) : SIZE_MAX;

	x->asked = k != SIZE_MAX && !naive_rule(x->naive, k)->refused;
	x->engine = false;
	for (size_t i = 0; r && i < n; i++)
		x->engine = x->engine || hits[i] == r->index;
	naive_event(x->naive, ev);
	x->slow = x->asked && naive_holds(x->naive, k);
	return 0;
}

static void put_data(struct buf *b, const char *name, const char *value, size_t n)
{
	buf_printf(b, "<Data Name='%s'>", name);
	for (size_t i = 0; i < n; i++) {
		if (strchr("<>&'\"", value[i]))
			buf_printf(b, "&#%d;", value[i]);
		else
			buf_char(b, value[i]);
	}
	buf_str(b, "</Data>");
}

/* Do both say `want` of this data? */
static void ask(struct examples *x, size_t i, const char *data, bool want, const char *shown)
{
	struct arena *a = arena_new(1u << 14);
	struct decode_options o = {.names = ruleset_names(x->rs), .source = "example"};
	struct decode_sink sink = {.arg = x, .event = on_event};
	struct decoder *d = decoder_new(FORM_XML, &o, a);
	struct buf b;
	struct err e;

	buf_init(&b, 1u << 20);
	buf_printf(&b, "<Event><System><Provider Name='Example'/><EventID>1</EventID><Channel>Application</Channel><Computer>x</Computer></System>"
		"<EventData>%s</EventData></Event>", data);
	snprintf(x->id, sizeof x->id, "00000000-0000-4000-9000-%012zu", i);
	x->asked = false;
	if (decoder_feed(d, b.p, b.n, &sink, &e) || decoder_end(d, false, &sink, &e))
		die("%s", e.text);
	x->questions++;
	if (!x->asked || x->engine != want || x->slow != want) {
		x->wrong++;
		printf("       %s: %s should %s; the engine %s, the naive evaluator %s\n", x->at[i].left, shown, want ? "hold" : "not hold",
			!x->asked ? "refuses it" : x->engine ? "yes" : "no", x->slow ? "yes" : "no");
	}
	buf_free(&b);
	decoder_free(d);
	arena_free(a);
}

/* -- modifiers -- */

/* The next 'text' of Python at *p, without * at its ends. */
static bool next_text(const char **p, char to[static 400])
{
	size_t n = 0;

	*p = strchr(*p, '\'');
	if (!*p)
		return false;
	for (++*p; **p && **p != '\'' && n < 399; ++*p) {
		if (**p == '\\')
			++*p;
		if (**p != '*')
			to[n++] = **p;
	}
	to[n] = '\0';
	*p += **p == '\'';
	return true;
}

static void ask_values(struct examples *x, size_t i)
{
	const char *p = x->at[i].right;
	char text[400];
	bool all = strstr(p, "ConditionAND"), negated = strstr(p, " NEG");
	struct buf data, joined;

	buf_init(&data, 1u << 16);
	buf_init(&joined, 1u << 16);
	while (next_text(&p, text)) {
		buf_add(&joined, text, strlen(text));
		buf_reset(&data);
		put_data(&data, "f", text, strlen(text));
		if (!all)
			ask(x, i, buf_text(&data), !negated, text);
		text[0] = '~';
		buf_reset(&data);
		put_data(&data, "f", text, strlen(text));
		ask(x, i, buf_text(&data), negated, text);
	}
	buf_reset(&data);
	put_data(&data, "f", buf_text(&joined), joined.n);
	if (all)
		ask(x, i, buf_text(&data), true, buf_text(&joined));
	buf_free(&data);
	buf_free(&joined);
}

/* -- conditions -- */

static bool formula(const char **p, unsigned holds)
{
	bool either = strncmp(*p, "OR(", 3) == 0, both = strncmp(*p, "AND(", 4) == 0, negated = strncmp(*p, "NOT(", 4) == 0, value = both;

	if (!either && !both && !negated)
		return holds >> (*(*p)++ - 'a') & 1;
	for (*p += either ? 3 : 4; **p && **p != ')'; *p += strspn(*p, ", ")) {
		bool one = formula(p, holds);

		value = either ? value || one : both ? value && one : !one;
	}
	*p += **p == ')';
	return value;
}

static void ask_condition(struct examples *x, size_t i)
{
	struct buf data;

	buf_init(&data, 1u << 16);
	for (unsigned holds = 0; holds < 16; holds++) {
		const char *p = x->at[i].right;
		char shown[40];

		buf_reset(&data);
		for (int k = 0; k < 4; k++) {
			const char name[2] = {(char)('a' + k), '\0'};

			put_data(&data, name, holds >> k & 1 ? "1" : "0", 1);
		}
		snprintf(shown, sizeof shown, "a to d as bits of %u", holds);
		ask(x, i, buf_text(&data), formula(&p, holds), shown);
	}
	buf_free(&data);
}

/* -- the rules -- */

static void add_rule(struct buf *yaml, const struct example *e, size_t i)
{
	const char *value = strchr(e->left, ' ');

	buf_printf(yaml, "---\ntitle: example\nid: 00000000-0000-4000-9000-%012zu\nlogsource: {product: windows}\ndetection:\n", i);
	if (e->condition) {
		buf_str(yaml, "  sel: {a: 1}\n  selection_x: {b: 1}\n  _hidden: {c: 1}\n  not_x: {d: 1}\n  condition: \"");
		for (const char *p = e->left + 1; *p && *p != '\''; p++)
			buf_char(yaml, *p);
		buf_str(yaml, "\"\n");
		return;
	}
	buf_printf(yaml, "  s:\n    %.*s: ", (int)(value - e->left), e->left);
	for (const char *p = value + 1; *p; p++) /* Python's quotes to YAML's */
		buf_char(yaml, *p == '\'' ? '"' : *p);
	buf_str(yaml, "\n  condition: s\n");
}

static void add_example(struct examples *x, char *line)
{
	char *arrow = strstr(line, " => ");
	struct example e = {.line = line, .left = line, .condition = line[0] == '\''};

	if (!arrow || strstr(arrow, "NONE") || (!e.condition && (strncmp(line, "f|", 2) != 0 || strstr(arrow, "Sigma") || strstr(line, "|expand")
	    || strstr(line, "|utf16|") || strstr(line, "\xc3\xa9") || strstr(line, "\\\\*"))))
		return;
	*arrow = '\0';
	e.right = arrow + 4;
	x->at = xrealloc(x->at, x->n + 1, sizeof *x->at);
	x->at[x->n++] = e;
}

static void open_both(struct examples *x, const char *tables, const char *yaml)
{
	char folder[] = "/tmp/check-corpus.XXXXXX", path[80];
	const char *folders[] = {path};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = tables};
	struct err e = {0};
	FILE *f;

	if (!mkdtemp(folder))
		die("cannot make a folder below /tmp");
	snprintf(path, sizeof path, "%s/examples.yml", folder);
	f = fopen(path, "w");
	if (!f || fputs(yaml, f) < 0 || fclose(f))
		die("cannot write %s", path);
	x->rs = ruleset_load(&o, NULL, NULL, &e);
	x->naive = naive_new(NULL, NULL, 0);
	if (!x->rs || naive_read(x->naive, path, &e))
		die("%s", e.text);
	naive_ready(x->naive);
	x->m = matcher_new(x->rs);
	unlink(path);
	rmdir(folder);
}

void check_examples(struct corpus *c, const char *tables)
{
	struct examples x = {.c = c};
	struct buf b, yaml;
	char path[4096], *save;

	snprintf(path, sizeof path, "%s/reference/string-vectors.txt", c->folder);
	must_read(path, &b);
	buf_init(&yaml, 1u << 20);
	for (char *line = strtok_r(b.p, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_example(&x, line);
	for (size_t i = 0; i < x.n; i++)
		add_rule(&yaml, &x.at[i], i);
	open_both(&x, tables, buf_text(&yaml));
	for (size_t i = 0; i < x.n; i++) {
		if (x.at[i].condition)
			ask_condition(&x, i);
		else
			ask_values(&x, i);
	}
	say(c, x.n && x.wrong == 0, "modifiers and conditions as the reference", "%zu examples, %zu questions, %zu wrong", x.n, x.questions, x.wrong);
	matcher_free(x.m);
	ruleset_free(x.rs);
	naive_free(x.naive);
	buf_free(&yaml);
	buf_free(&b);
	free(x.at);
}
