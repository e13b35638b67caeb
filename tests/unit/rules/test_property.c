/* test_property.c - random rules and events: the engine and the naive evaluator say the same, of loading and of matching.
 *
 * The seeds are fixed; SEEDS=500 makes a longer run, SEEDS=77-77 one of them. A difference is made small before it is shown: lines of the rule and
 * of the event are left out as long as the two still differ. */
#include <stdlib.h>

#include "lib/random_sigma.h"
#include "naive/naive.h"
#include "unit/rules/events.h"

#define EVENTS 12 /* aimed at each rule */

static const char *const list_values[] = {"ab", "a*b", "\\*k", "K.exe"}, *const one_values[] = {"s?"};
static const struct naive_list lists[] = {{"list", list_values, 4}, {"one", one_values, 1}};

struct pair { /* both, with the same rules */
	struct ruleset *rs;
	struct matcher *m;
	struct naive *naive;
	struct scratch scratch;
	struct buf problems;
	/* what on_event() found */
	const char *id; /* look at this rule alone; NULL: at all */
	size_t asked, held, differ;
	struct buf event; /* the first that differs */
	char rule[40];
	bool fast;
};

static void note(void *arg, const struct rule_problem *p)
{
	if (!p->warning)
		buf_printf(arg, "line %d: %s\n", p->line, p->text);
}

static void pair_open(struct pair *p, const char *yaml)
{
	const char *folders[] = {p->scratch.folder};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct err e = {0};
	char path[400];

	*p = (struct pair){.id = NULL};
	scratch_init(&p->scratch);
	folders[0] = p->scratch.folder;
	scratch_write(&p->scratch, "r.yml", yaml, strlen(yaml));
	scratch_write(&p->scratch, "placeholders.yml", random_placeholders(), strlen(random_placeholders()));
	snprintf(path, sizeof path, "%s/r.yml", p->scratch.folder);
	buf_init(&p->problems, 1u << 20);
	buf_init(&p->event, 1u << 20);
	p->rs = ruleset_load(&o, note, &p->problems, &e);
	if (!p->rs)
		print_error("%s\n", e.text);
	assert_non_null(p->rs);
	p->m = matcher_new(p->rs);
	p->naive = naive_new("rules/fields", lists, 2);
	assert_int_equal(naive_read(p->naive, path, &e), 0);
	naive_ready(p->naive);
}

static void pair_close(struct pair *p)
{
	matcher_free(p->m);
	ruleset_free(p->rs);
	naive_free(p->naive);
	buf_free(&p->problems);
	buf_free(&p->event);
	scratch_free(&p->scratch);
}

static void on_event(void *arg, const struct event *ev)
{
	struct pair *p = arg;
	const uint32_t *hits;
	size_t n = matcher_run(p->m, ev, &hits), at = 0;

	naive_event(p->naive, ev);
	for (size_t i = 0; i < ruleset_count(p->rs); i++) {
		const struct rule *r = ruleset_rule(p->rs, i);
		bool fast = at < n && hits[at] == i, slow;
		size_t k = naive_find(p->naive, r->file, r->line), gave_up;

		at += fast;
		if (p->id && strcmp(p->id, r->id) != 0)
			continue;
		if (k == SIZE_MAX || naive_rule(p->naive, k)->refused)
			continue; /* told by load_differences() */
		gave_up = naive_gave_up(p->naive);
		slow = naive_holds(p->naive, k);
		if (naive_gave_up(p->naive) > gave_up)
			continue;
		p->asked++;
		p->held += slow;
		if (fast == slow || p->differ++)
			continue;
		snprintf(p->rule, sizeof p->rule, "%s", r->id);
		buf_add(&p->event, ev->raw, ev->raw_n);
		p->fast = fast;
	}
}

static void ask(struct pair *p, const char *xml)
{
	events_of(p->rs, "random", xml, strlen(xml), p, on_event);
}

/* -- making a difference small -- */

static bool still(const char *yaml, const char *xml, const char *id)
{
	struct pair p;
	bool differs;

	pair_open(&p, yaml);
	p.id = id;
	if (strstr(xml, "<System>") && strstr(xml, "</Event>"))
		ask(&p, xml);
	differs = p.differ > 0;
	pair_close(&p);
	return differs;
}

/* Leaves out pieces of `lines` lines as long as the two differ. text is changed in place; other is the other text. */
static void shrink(char *text, size_t lines, const char *other, bool is_yaml, const char *id)
{
	char *shorter = xstrdup(text), *from = text;

	while (*from) {
		char *to = from;

		for (size_t i = 0; i < lines && *to; i++)
			to += strcspn(to, "\n") + (to[strcspn(to, "\n")] == '\n');
		snprintf(shorter, strlen(text) + 1, "%.*s%s", (int)(from - text), text, to);
		if (strlen(shorter) && still(is_yaml ? shorter : other, is_yaml ? other : shorter, id))
			memcpy(text, shorter, strlen(shorter) + 1);
		else
			from = to;
	}
	free(shorter);
}

static void show(const char *yaml, struct pair *p, uint64_t seed)
{
	char *rules = xstrdup(yaml), *xml = xstrdup(buf_text(&p->event)), id[40];
	static const size_t pieces[] = {400, 100, 30, 8, 3, 1, 1};

	memcpy(id, p->rule, sizeof id);
	if (still(rules, xml, id)) {
		for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
			shrink(rules, pieces[i], xml, true, id);
		for (int i = 0; i < 2; i++)
			shrink(xml, 1, rules, false, id);
	}
	fprintf(stderr, "seed %llu: the engine says %s, naively %s\n%s%s\n", (unsigned long long)seed, p->fast ? "yes" : "no", p->fast ? "no" : "yes",
		rules, xml);
	free(rules);
	free(xml);
}

/* Both must have the same rules. */
static size_t load_differences(struct pair *p, const char *yaml, uint64_t seed)
{
	size_t differ = 0;

	for (size_t i = 0; i < naive_count(p->naive); i++) {
		const struct naive_rule *r = naive_rule(p->naive, i);
		const struct rule *other = ruleset_find(p->rs, r->id);
		const char *from = strstr(yaml, r->id), *to = from ? strstr(from, "\n---") : NULL;

		if (!r->refused == (other != NULL))
			continue;
		if (!differ++) /* print_error() cuts what is long */
			fprintf(stderr, "seed %llu: the engine %s, naively %s\n%.*s\n%s", (unsigned long long)seed, other ? "loads it" : "refuses it",
				r->refused ? r->refused : "it is right", from ? (int)(to ? to - from : (ptrdiff_t)strlen(from)) : 0, from ? from : "",
				r->refused ? "" : buf_text(&p->problems));
	}
	return differ;
}

static size_t run_seed(uint64_t seed, size_t *asked, size_t *held)
{
	struct random_set *s = xcalloc(1, sizeof *s);
	struct buf yaml, xml;
	struct pair p;
	size_t differ;

	buf_init(&yaml, 4u << 20);
	buf_init(&xml, 16u << 20);
	random_rules(s, seed, &yaml);
	for (size_t i = 0; i < RANDOM_RULES; i++)
		for (size_t k = 0; k < EVENTS; k++)
			random_event(s, i, &xml);
	pair_open(&p, buf_text(&yaml));
	differ = load_differences(&p, buf_text(&yaml), seed);
	ask(&p, buf_text(&xml));
	if (p.differ)
		show(buf_text(&yaml), &p, seed);
	differ += p.differ;
	*asked += p.asked;
	*held += p.held;
	pair_close(&p);
	buf_free(&yaml);
	buf_free(&xml);
	free(s);
	return differ;
}

static void random_rules_agree(void **state)
{
	const char *seeds = getenv("SEEDS");
	uint64_t first = 1, last = 20;
	size_t asked = 0, held = 0, differ = 0;

	(void)state;
	if (seeds) {
		last = strtoull(strchr(seeds, '-') ? strchr(seeds, '-') + 1 : seeds, NULL, 10);
		first = strchr(seeds, '-') ? strtoull(seeds, NULL, 10) : 1;
	}
	for (uint64_t seed = first; seed <= last; seed++)
		differ += run_seed(seed, &asked, &held);
	print_message("# %zu questions about random rules, %zu hold, %zu differ\n", asked, held, differ);
	assert_int_equal(differ, 0);
	assert_true(held > asked / 200); /* events that match nothing ask nothing */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_rules_agree)};

	return cmocka_run_group_tests_name("property", tests, NULL, NULL);
}
