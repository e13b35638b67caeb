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

#define TAGS 16 /* --tag may be repeated so often */

static void then_text(const struct rule *r, char to[static 48])
{
	snprintf(to, 48, "%s%s%s", r->then & THEN_REMEMBER ? "remember " : "", r->then & THEN_DIAGNOSE ? "diagnose " : "",
		 r->then & THEN_HEALED ? "healed " : "");
	if (*to)
		to[strlen(to) - 1] = '\0';
}

/* NULL for what a rule does not say: correlations have no logsource. */
static const char *given(const char *s)
{
	return s && *s ? s : NULL;
}

void rules_list_json(const struct rule *r)
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
	json_put_str(&o, "id", r->id);
	json_put_str(&o, "name", r->name);
	json_put_str(&o, "title", r->title);
	json_put_str(&o, "level", level_text(r->level));
	json_put_str(&o, "status", r->status);
	json_put_str(&o, "product", given(r->product));
	json_put_str(&o, "category", given(r->category));
	json_put_str(&o, "service", given(r->service));
	json_open(&o, "tags", '[');
	for (size_t i = 0; i < r->n_tags; i++)
		json_put_str(&o, NULL, r->tags[i]);
	json_close(&o, ']');
	json_put_str(&o, "cause", r->cause);
	json_put_str(&o, "then", then);
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
	const char *source = given(r->category) ? r->category : given(r->service) ? r->service : r->product;
	char then[48];

	then_text(r, then);
	cli_table_row(t, level_text(r->level), r->kind == RULE_CORRELATION ? "correlation" : r->silent ? "silent" : "event",
		*r->name ? r->name : r->id, source, r->cause, then, r->title, (char *)NULL);
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
			rules_list_json(r);
		else
			row(t, r);
	}
	if (t)
		cli_table_end(c, t);
	cli_note(c, "%zu of %zu rules", n, ruleset_count(rs));
	code = ruleset_refused(rs) ? ERR_RULES : ERR_NONE;
	ruleset_free(rs);
	return code;
}
