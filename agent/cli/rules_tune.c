/* rules_tune.c - `evmend rules tune RULE`: proposes a filter from findings that were marked as false, and proves it.
 *
 * Promises: the rule is loaded again with the filter, by the same engine, and every marked event is asked again: a filter that loses a
 * finding marked as true, or leaves one that is false, is never printed. Refuses correlations, marks that no event was found for, and
 * findings that nothing tells apart (exit code 2). */
#include "cli/rules_tune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "cli/rules_find.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"
#include "cli/tune_marks.h"
#include "rules/tune/tune.h"

struct seen { /* an event that the rule matched */
	uint8_t uid[32];
	enum tune_mark mark;
	bool taken; /* of events that stand in two files, the first counts */
	uint32_t event_id;
	uint64_t record_id;
	int64_t time;
};

struct tuning {
	struct cli *c;
	struct tune_marks *marks;
	const struct rule *rule;
	struct matcher *matcher;
	struct tune *tune;
	struct seen *seen; /* sorted for the second reading */
	size_t n, cap;
	uint64_t matched[TUNE_MARKS], gone[TUNE_MARKS]; /* by mark, without and by the filter */
	struct err *e;
};

static bool matches(const struct tuning *t, const struct event *ev)
{
	const uint32_t *hits;
	size_t n = matcher_run(t->matcher, ev, &hits);

	for (size_t i = 0; i < n; i++)
		if (hits[i] == t->rule->index)
			return true;
	return false;
}

static int by_uid(const void *a, const void *b)
{
	return memcmp(a, b, 32); /* uid comes first */
}

/* First reading: what the rule matches, and how it is marked. */
static int first(void *arg, const struct event *ev, enum tune_mark file)
{
	struct tuning *t = arg;
	struct seen s = {.event_id = ev->event_id, .record_id = ev->record_id, .time = ev->time};

	if (!matches(t, ev))
		return 0;
	event_uid(ev, s.uid);
	s.mark = tune_marks_of(t->marks, t->rule, s.uid, file);
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->seen = xrealloc(t->seen, t->cap, sizeof *t->seen);
	}
	t->seen[t->n++] = s;
	return 0;
}

/* The entry of an event that is seen for the first time in this reading; NULL: seen already, or the rule never matched it. */
static struct seen *take(struct tuning *t, const struct event *ev)
{
	struct seen key = {0}, *was;

	event_uid(ev, key.uid);
	was = t->n ? bsearch(&key, t->seen, t->n, sizeof *t->seen, by_uid) : NULL;
	if (!was || was->taken)
		return NULL;
	was->taken = true;
	return was;
}

/* Second reading: the marked events, each once. */
static int second(void *arg, const struct event *ev, enum tune_mark file)
{
	struct tuning *t = arg;
	const struct seen *s = take(t, ev);

	(void)file;
	return s && s->mark != TUNE_UNMARKED ? tune_event(t->tune, ev, s->mark == TUNE_FALSE, t->e) : 0;
}

/* Third reading, with the filter in the rules. */
static int third(void *arg, const struct event *ev, enum tune_mark file)
{
	struct tuning *t = arg;
	const struct seen *s = take(t, ev);

	(void)file;
	if (s && !matches(t, ev))
		t->gone[s->mark]++;
	return 0;
}

static int read_again(struct tuning *t, const struct ruleset *rs, int (*each)(void *arg, const struct event *ev, enum tune_mark mark))
{
	for (size_t i = 0; i < t->n; i++)
		t->seen[i].taken = false;
	return tune_marks_read(t->marks, rs, each, t, t->e);
}

/* One event may stand in two files, of which one says what it is; it has one mark. */
static int sort_seen(struct tuning *t)
{
	size_t k = 0;

	if (t->n)
		qsort(t->seen, t->n, sizeof *t->seen, by_uid);
	for (size_t i = 0; i < t->n; i++) {
		if (k && memcmp(t->seen[k - 1].uid, t->seen[i].uid, 32) == 0)
			t->seen[k - 1].mark = tune_marks_add(t->seen[k - 1].mark, t->seen[i].mark);
		else
			t->seen[k++] = t->seen[i];
	}
	t->n = k;
	for (size_t i = 0; i < t->n; i++) {
		struct seen *s = &t->seen[i];
		char when[32];

		if (s->mark == TUNE_BOTH)
			return err_set(t->e, ERR_USAGE, "event %" PRIu32 " of %s, record %" PRIu64 ", is marked as false and as true; it needs one mark",
				s->event_id, time_text(s->time, when), s->record_id);
		if (s->mark == TUNE_UNMARKED)
			s->mark = tune_marks_unsaid(t->marks);
		t->matched[s->mark]++;
	}
	return 0;
}

static int propose(struct tuning *t, const struct ruleset *rs, struct buf *yaml)
{
	int did;

	t->matcher = matcher_new(rs);
	t->tune = tune_new(rs, t->rule);
	did = tune_marks_read(t->marks, rs, first, t, t->e);
	if (did == 0)
		did = sort_seen(t);
	if (did == 0)
		did = tune_marks_all_found(t->marks, t->e);
	if (did == 0)
		did = read_again(t, rs, second);
	if (did == 0)
		did = tune_propose(t->tune, yaml, t->e);
	tune_free(t->tune);
	matcher_free(t->matcher);
	return did;
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	if (!p->warning && strcmp(p->file, "(text)") == 0)
		cli_note(arg, "%s:%d: %s", p->file, p->line, p->text);
}

static int prove(struct tuning *t, const struct ruleset_options *o, const struct buf *yaml)
{
	struct ruleset_options with = *o;
	const char *name = *t->rule->id ? t->rule->id : t->rule->name;
	struct ruleset *rs;
	int did = -1;

	with.text = buf_text(yaml);
	rs = ruleset_load(&with, on_problem, t->c, t->e);
	if (!rs)
		return -1;
	t->rule = ruleset_find(rs, name);
	if (t->rule) {
		t->matcher = matcher_new(rs);
		did = read_again(t, rs, third);
		matcher_free(t->matcher);
	} else {
		err_set(t->e, ERR_INTERNAL, "the rule does not load any more beside its filter");
	}
	ruleset_free(rs);
	if (did == 0 && (t->gone[TUNE_TRUE] || t->gone[TUNE_FALSE] != t->matched[TUNE_FALSE]))
		did = err_set(t->e, ERR_RULES, "no filter: the best one would lose %" PRIu64 " of %" PRIu64 " true findings and leave %" PRIu64 " of %"
			PRIu64 " false ones", t->gone[TUNE_TRUE], t->matched[TUNE_TRUE], t->matched[TUNE_FALSE] - t->gone[TUNE_FALSE],
			t->matched[TUNE_FALSE]);
	return did;
}

static void print_json(const struct tuning *t, const struct rule *rule, const struct buf *yaml)
{
	struct json_out o;
	struct buf b;

	buf_init(&b, 4u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "filter");
	rule_put(&o, "rule", rule);
	json_put_int(&o, "false", (int64_t)t->matched[TUNE_FALSE]);
	json_put_int(&o, "false_gone", (int64_t)t->gone[TUNE_FALSE]);
	json_put_int(&o, "true", (int64_t)t->matched[TUNE_TRUE]);
	json_put_int(&o, "true_gone", (int64_t)t->gone[TUNE_TRUE]);
	json_put_int(&o, "others", (int64_t)t->matched[TUNE_UNMARKED]);
	json_put_int(&o, "others_gone", (int64_t)t->gone[TUNE_UNMARKED]);
	json_put_strn(&o, "yaml", yaml->p, yaml->n);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static void print(const struct tuning *t, const struct rule *rule, const struct buf *yaml)
{
	if (t->c->json) {
		print_json(t, rule, yaml);
		return;
	}
	cli_print(t->c, CLI_DIM, "# Proved on %" PRIu64 " findings: all %" PRIu64 " marked as false are gone, none of %" PRIu64 " %s true is.\n",
		t->matched[TUNE_FALSE] + t->matched[TUNE_TRUE], t->matched[TUNE_FALSE], t->matched[TUNE_TRUE],
		tune_marks_unsaid(t->marks) == TUNE_TRUE ? "that count as" : "marked as");
	if (t->matched[TUNE_UNMARKED])
		cli_print(t->c, CLI_DIM, "# Of %" PRIu64 " that nobody marked %" PRIu64 " are gone.\n", t->matched[TUNE_UNMARKED], t->gone[TUNE_UNMARKED]);
	printf("%s", buf_text(yaml));
	if (t->matched[TUNE_TRUE] == 0)
		cli_note(t->c, "no finding is marked as true: nothing shows that this filter is narrow enough; read it");
}

/* The rules that it was found in, to be loaded again: those of the command line, or its file alone. */
static int same_rules(struct tuning *t, struct arena *a, const struct ruleset *rs, struct ruleset_options *o)
{
	const char **file = arena_alloc(a, sizeof *file);
	size_t i = 0;

	if (rules_home(t->c, a, o, t->e) != 0)
		return -1;
	while (i < ruleset_count(rs) && strcmp(ruleset_rule(rs, i)->file, t->rule->file) == 0)
		i++;
	if (i < ruleset_count(rs))
		return 0;
	*file = arena_copy(a, t->rule->file, strlen(t->rule->file));
	o->folders = file;
	o->n_folders = 1;
	return 0;
}

static int work(struct tuning *t, struct arena *a, const struct ruleset *rs)
{
	const struct rule *rule = t->rule;
	struct ruleset_options o;
	struct buf yaml;
	int did = -1;

	if (rule->kind == RULE_CORRELATION)
		return err_set(t->e, ERR_USAGE, "'%.100s' is a correlation: filters are for the rules that it refers to", rule->title);
	if (same_rules(t, a, rs, &o) < 0 || !(t->marks = tune_marks_new(t->c, t->e)))
		return -1;
	buf_init(&yaml, 4u << 20);
	if (propose(t, rs, &yaml) == 0)
		did = prove(t, &o, &yaml);
	if (did == 0)
		print(t, rule, &yaml);
	buf_free(&yaml);
	return did;
}

int rules_tune(struct cli *c, struct arena *a, const char *rule)
{
	struct err e = {0};
	struct tuning t = {.c = c, .e = &e};
	struct ruleset *rs;
	int code;

	if (rules_find(c, a, rule, &rs, &t.rule, &code) == 0 && work(&t, a, rs) < 0)
		code = cli_fail(c, &e);
	tune_marks_free(t.marks);
	free(t.seen);
	ruleset_free(rs);
	return code;
}
