/* test_agree.c - the matcher and the naive evaluator agree on every rule and every event there is: rules of the project, samples,
 * the tests beside the rules. */
#include <dirent.h>

#include "naive/naive.h"
#include "unit/rules/events.h"

struct both {
	const struct ruleset *rs;
	struct matcher *m;
	struct naive *naive;
	size_t asked, held, differ;
};

static void compare(void *arg, const struct event *ev)
{
	struct both *b = arg;
	const uint32_t *hits;
	size_t n = matcher_run(b->m, ev, &hits), at = 0;

	naive_event(b->naive, ev);
	for (size_t i = 1; i < n; i++)
		assert_true(hits[i - 1] < hits[i]);
	for (size_t i = 0; i < ruleset_count(b->rs); i++) {
		const struct rule *r = ruleset_rule(b->rs, i);
		bool fast = at < n && hits[at] == i, slow;

		at += fast;
		if (r->kind != RULE_DETECTION)
			continue;
		slow = naive_holds(b->naive, naive_find(b->naive, r->file, r->line));
		b->asked++;
		b->held += slow;
		if (fast == slow)
			continue;
		b->differ++;
		print_error("%s, record %llu: %s %s, naively %s\n", ev->source, (unsigned long long)ev->record_id, r->name, fast
			? "holds" : "does not hold",
			    slow ? "yes" : "no");
	}
}

static void walk(struct both *b, const char *folder)
{
	DIR *d = opendir(folder);

	assert_non_null(d);
	for (struct dirent *x = readdir(d); x; x = readdir(d)) {
		char path[1200];

		if (x->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, x->d_name);
		if (x->d_type == DT_DIR)
			walk(b, path);
		else
			events_of_file(b->rs, path, b, compare);
	}
	closedir(d);
}

static void oracle_agrees(void **state)
{
	const char *folders[] = {"rules"};
	struct ruleset_options o = {.folders = folders, .n_folders = 1, .tables = "rules"};
	struct problems p = {.n = 0};
	struct err e = {0};
	struct both b = {.rs = ruleset_load(&o, on_problem, &p, &e)};

	(void)state;
	assert_non_null(b.rs);
	assert_true(ruleset_count(b.rs) >= 30);
	assert_int_equal(ruleset_refused(b.rs), 0);
	b.m = matcher_new(b.rs);
	b.naive = naive_new("rules/fields", NULL, 0);
	assert_int_equal(naive_read(b.naive, "rules", &e), 0);
	naive_ready(b.naive);
	walk(&b, "tests/data/samples");
	walk(&b, "rules/exchange/tests");
	print_message("# %zu questions, %zu held\n", b.asked, b.held);
	assert_int_equal(b.differ, 0);
	assert_true(b.held > 300);
	naive_free(b.naive);
	matcher_free(b.m);
	struct ruleset *rs;

	memcpy(&rs, &b.rs, sizeof rs);
	ruleset_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(oracle_agrees)};

	return cmocka_run_group_tests_name("agree", tests, NULL, NULL);
}
