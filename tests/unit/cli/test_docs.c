/* test_docs.c - every YAML block of the documentation is loaded by the program: a rule as a rule, a configuration as a configuration;
 * and the example configuration is used as it stands.
 *
 * A block in ```yaml is a rule when it has a logsource or a correlation, else a part of a configuration (state_dir is put in front when
 * it is missing). Blocks that shall not load are fenced as ```text. */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "lib/scratch.h"
#include "proc/config.h"
#include "rules/ruleset.h"

static char complaint[600];

static void complain(void *arg, const struct rule_problem *p)
{
	(void)arg;
	snprintf(complaint, sizeof complaint, "%d: %s", p->line, p->text);
}

static void load_rule(const char *where, const char *text, size_t n)
{
	struct scratch s;
	struct err e = {ERR_NONE, ""};
	scratch_init(&s);
	scratch_write(&s, "rule.yml", text, n);
	const char *folder[] = {s.folder};
	complaint[0] = 0;
	struct ruleset *rs = ruleset_load(&(struct ruleset_options){.folders = folder, .n_folders = 1, .tables = "rules"}, complain, NULL, &e);
	if (!rs)
		fail_msg("%s: %s", where, e.text);
	if (ruleset_refused(rs) || !ruleset_count(rs) || complaint[0])
		fail_msg("%s: the rule is refused: %s", where, complaint);
	ruleset_free(rs);
	scratch_free(&s);
}

static void load_config(const char *where, const char *text, size_t n)
{
	struct err e = {ERR_NONE, ""};
	struct buf b;
	buf_init(&b, 1 << 20);
	if (!text_has(text, n, "state_dir:"))
		buf_str(&b, "state_dir: /tmp/evmend-docs\n");
	if (!text_has(text, n, "tables:"))
		buf_str(&b, "tables: rules\nrules: [rules]\n");
	buf_add(&b, text, n);
	struct config *c = config_parse("docs.yaml", buf_text(&b), b.n, &e);
	if (!c)
		fail_msg("%s: %s", where, e.text);
	config_free(c);
	buf_free(&b);
}

struct page {
	size_t blocks, pages;
	const char *folder;
};

static int read_page(void *arg, const char *name)
{
	struct page *page = arg;
	char path[300];
	struct buf b;
	struct err e;
	if (!text_ends(name, ".md"))
		return 0;
	snprintf(path, sizeof path, "%s/%s", page->folder, name);
	buf_init(&b, 4 << 20);
	if (file_read(&os_file, path, &b, &e) < 0)
		fail_msg("%s", e.text);
	page->pages++;
	const char *p = buf_text(&b);
	while ((p = strstr(p, "\n```yaml\n"))) {
		const char *start = p + 9, *end = strstr(start, "\n```");
		assert_non_null(end);
		char where[340];
		size_t line = 1, n = (size_t)(end - start) + 1;
		for (const char *q = buf_text(&b); q < start; q++)
			line += *q == '\n';
		snprintf(where, sizeof where, "%s:%zu", path, line);
		if (text_has(start, n, "logsource:") || text_has(start, n, "correlation:"))
			load_rule(where, start, n);
		else
			load_config(where, start, n);
		page->blocks++;
		p = end;
	}
	buf_free(&b);
	return 0;
}

static void every_block_loads(void **state)
{
	struct page page = {0, 0, "docs"};
	(void)state;
	assert_int_equal(os_file.list("docs", read_page, &page), 0);
	page.folder = ".";
	assert_int_equal(os_file.list(".", read_page, &page), 0);
	assert_true(page.pages >= 5);
	assert_true(page.blocks >= 3);
}

static void the_example_is_used_as_it_stands(void **state)
{
	struct err e = {ERR_NONE, ""};
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	assert_int_equal(file_read(&os_file, "config.example.yaml", &b, &e), 0);
	buf_str(&b, "rules: [rules]\ntables: rules\n"); /* those that come with the program need an installed one */
	struct config *c = config_parse("config.example.yaml", buf_text(&b), b.n, &e);
	if (!c)
		fail_msg("%s", e.text);
	assert_int_equal(c->n_hosts, 1);
	assert_int_equal(c->n_sinks, 2);
	assert_int_equal(c->n_sources, 1);
	/* the example shows the defaults: they must be the program's */
	static const char least[] = "state_dir: x\nrules: [rules]\ntables: rules\n";
	struct config *d = config_parse("x", least, sizeof least - 1, &e);
	assert_non_null(d);
	assert_memory_equal(&c->times, &d->times, sizeof c->times);
	assert_memory_equal(&c->caps, &d->caps, sizeof c->caps);
	assert_int_equal(c->policy.mode, d->policy.mode);
	assert_int_equal(c->policy.per_host_day, d->policy.per_host_day);
	assert_int_equal(c->policy.per_fleet_day, d->policy.per_fleet_day);
	assert_int_equal(c->policy.settle, d->policy.settle);
	assert_int_equal(c->policy.approval_life, d->policy.approval_life);
	assert_int_equal(c->policy.step_limit, d->policy.step_limit);
	assert_int_equal(c->policy.repair_limit, d->policy.repair_limit);
	assert_int_equal(c->log, d->log);
	config_free(d);
	config_free(c);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_block_loads),
		cmocka_unit_test(the_example_is_used_as_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
