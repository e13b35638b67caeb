/* rules_list.c - `evmend rules list`: which rules are loaded.
 *
 * Promises: a table for people, a line of JSON a rule for programs; filters must all hold.
 * Refuses: levels and kinds that there are none of. */
#include "cli/rules_list.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/rules_home.h"
#include "cli/rules_json.h"

#define TAGS 16 /* --tag may be repeated so often */

static void then_text(const struct rule *r, char to[static 48])
{
	snprintf(to, 48, "%s%s%s", r->then & THEN_REMEMBER ? "remember " : "", r->then & THEN_DIAGNOSE ? "diagnose " : "",
		 r->then & THEN_HEALED ? "healed " : "");
	if (*to)
		to[strlen(to) - 1] = '\0';
}

static void print_json(const struct rule *r)
{
	struct json_out o;
	struct buf b;
	char then[48];

	then_text(r, then);
	buf_init(&b, 1u << 20);
	json_begin(&o, &b);
	json_open(&o, NULL, '{');
	json_put_int(&o, "v", 1);
	json_put_str(&o, "kind", "rule");
	json_put_str(&o, "type", r->kind == RULE_CORRELATION ? "correlation" : "detection");
	json_put_str(&o, "id", rule_said(r->id));
	json_put_str(&o, "name", rule_said(r->name));
	json_put_str(&o, "title", r->title);
	json_put_str(&o, "level", level_text(r->level));
	json_put_str(&o, "status", rule_said(r->status));
	json_put_str(&o, "product", rule_said(r->product));
	json_put_str(&o, "category", rule_said(r->category));
	json_put_str(&o, "service", rule_said(r->service));
	json_open(&o, "tags", '[');
	for (size_t i = 0; i < r->n_tags; i++)
		json_put_str(&o, NULL, r->tags[i]);
	json_close(&o, ']');
	json_put_str(&o, "cause", r->cause);
	json_put_str(&o, "then", rule_said(then));
	json_put_bool(&o, "silent", r->silent);
	json_put_str(&o, "disproved_by", r->disproved_by);
	json_put_str(&o, "file", r->file);
	json_put_int(&o, "line", r->line);
	json_close(&o, '}');
	printf("%s\n", buf_text(&b));
	buf_free(&b);
}

static const char *kind_of(const struct rule *r)
{
	return r->kind == RULE_CORRELATION ? "correlation" : "detection";
}

struct filter {
	struct cli *c;
	enum rule_level least;
	const char *tags[TAGS];
	size_t n_tags;
};

static bool wanted(const struct filter *f, const char *option, const char *value)
{
	const char *want = cli_value(f->c, option, NULL);

	return !want || (value && text_same(want, value));
}

/* attack.t1059 also means attack.t1059.001 */
static bool has_tag(const struct rule *r, const char *tag)
{
	size_t n = strlen(tag);

	for (size_t i = 0; i < r->n_tags; i++) {
		size_t len = strlen(r->tags[i]);

		if (len >= n && text_same_n(r->tags[i], n, tag, n) && (len == n || r->tags[i][n] == '.'))
			return true;
	}
	return false;
}

static bool fits(const struct filter *f, const struct rule *r)
{
	for (size_t i = 0; i < f->n_tags; i++)
		if (!has_tag(r, f->tags[i]))
			return false;
	return r->level >= f->least && wanted(f, "--status", r->status) && wanted(f, "--kind", kind_of(r)) &&
	       wanted(f, "--product", r->product) && wanted(f, "--category", r->category) && wanted(f, "--service", r->service);
}

static int read_filter(struct cli *c, struct filter *f)
{
	const char *level = cli_value(c, "--level", "informational"), *kind = cli_value(c, "--kind", "detection");

	f->c = c;
	f->n_tags = cli_values(c, "--tag", f->tags, TAGS);
	if (!level_parse(level, &f->least))
		return cli_usage(c, "--level takes informational, low, medium, high or critical, not '%s'", level);
	if (!text_same(kind, "detection") && !text_same(kind, "correlation"))
		return cli_usage(c, "--kind takes detection or correlation, not '%s'", kind);
	return 0;
}

static void row(struct cli_table *t, const struct rule *r)
{
	const char *source = rule_said(r->category) ? r->category : rule_said(r->service) ? r->service : r->product;
	char then[48];

	then_text(r, then);
	cli_table_row(t, level_text(r->level), r->kind == RULE_CORRELATION ? "correlation" : r->silent ? "silent" : "event",
		*r->name ? r->name : r->id, source, r->cause, then, r->title, (char *)NULL);
}

static const char *value_of(const struct rule *r, const char *option)
{
	return strcmp(option, "--status") == 0 ? r->status : strcmp(option, "--product") == 0 ? r->product :
	       strcmp(option, "--category") == 0 ? r->category : r->service;
}

/* A filter that no rule at all answers to is likely a typing error: which values are there? */
static void tell_unknown(struct cli *c, struct arena *a, const struct ruleset *rs, const char *option)
{
	const char *want = cli_value(c, option, NULL), **known = arena_alloc(a, (ruleset_count(rs) + 1) * sizeof *known), *near;
	char all[400];
	size_t n = 0;

	for (size_t i = 0; want && i < ruleset_count(rs); i++) {
		const char *value = value_of(ruleset_rule(rs, i), option);
		size_t k = 0;

		if (!rule_said(value))
			continue;
		if (text_same(value, want))
			return;
		while (k < n && !text_same(known[k], value))
			k++;
		if (k == n)
			known[n++] = value;
	}
	if (!want)
		return;
	near = text_nearest(want, known);
	if (near)
		cli_note(c, "no rule has the %s '%s'; did you mean '%s'?", option + 2, want, near);
	else
		cli_note(c, "no rule has the %s '%s'; the rules have %s", option + 2, want, n ? text_list(all, sizeof all, known) : "none");
}

static void tell_unknown_values(struct cli *c, struct arena *a, const struct ruleset *rs)
{
	static const char *const options[] = {"--status", "--product", "--category", "--service"};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		tell_unknown(c, a, rs, options[i]);
}

int rules_list(struct cli *c, struct arena *a)
{
	static const char *const headings[] = {"Level", "Type", "Rule", "Source", "Cause", "Then", "Title", NULL};
	struct filter f;
	struct cli_table *t;
	struct err e;
	struct ruleset *rs;
	size_t n = 0;
	int code = read_filter(c, &f);

	if (code)
		return code;
	rs = rules_home_load(c, a, &e);
	if (!rs)
		return cli_fail(c, &e);
	t = c->json ? NULL : cli_table_new(headings);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule *r = ruleset_rule(rs, i);

		if (!fits(&f, r))
			continue;
		n++;
		if (c->json)
			print_json(r);
		else
			row(t, r);
	}
	if (t)
		cli_table_end(c, t);
	if (n == 0)
		tell_unknown_values(c, a, rs);
	cli_note(c, "%zu of %zu rules", n, ruleset_count(rs));
	code = ruleset_refused(rs) ? ERR_RULES : ERR_NONE;
	ruleset_free(rs);
	return code;
}
