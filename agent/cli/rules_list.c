/* rules_list.c - `evmend rules list`: which rules are loaded.
 *
 * Promises: a table for people, a line of JSON a rule for programs.
 * Refuses: nothing. */
#include "cli/rules_list.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/rules_home.h"

static void then_text(const struct rule *r, char to[static 48])
{
	snprintf(to, 48, "%s%s%s", r->then & THEN_REMEMBER ? "remember " : "", r->then & THEN_DIAGNOSE ? "diagnose " : "",
		 r->then & THEN_HEALED ? "healed " : "");
	if (*to)
		to[strlen(to) - 1] = '\0';
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

int rules_list(struct cli *c, struct arena *a)
{
	static const char *const headings[] = {"Level", "Type", "Rule", "Cause", "Then", "Title", NULL};
	struct cli_table *t = NULL;
	struct err e;
	struct ruleset *rs = rules_home_load(c, a, &e);

	if (!rs)
		return cli_fail(c, &e);
	if (!c->json)
		t = cli_table_new(headings);
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule *r = ruleset_rule(rs, i);
		char then[48];

		then_text(r, then);
		if (c->json)
			rules_list_json(r);
		else
			cli_table_row(t, level_text(r->level), r->kind == RULE_CORRELATION ? "correlation" : r->silent ? "silent" : "event",
				      *r->name ? r->name : r->id, r->cause, then, r->title, (char *)NULL);
	}
	if (t)
		cli_table_end(c, t);
	int code = ruleset_refused(rs) ? ERR_RULES : ERR_NONE;

	ruleset_free(rs);
	return code;
}
