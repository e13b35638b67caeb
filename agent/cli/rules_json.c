/* rules_json.c - a rule as an object.
 *
 * Why: a program that reads one verb of `rules` can read them all.
 * Promises: members of objects are in snake_case, words that stand as values in kebab-case; absent is null.
 * Refuses: nothing. */
#include "cli/rules_json.h"

const char *rule_said(const char *s)
{
	return s && *s ? s : NULL;
}

void rule_put(struct json_out *o, const char *key, const struct rule *r)
{
	json_open(o, key, '{');
	json_put_str(o, "id", rule_said(r->id));
	json_put_str(o, "name", rule_said(r->name));
	json_put_str(o, "title", rule_said(r->title));
	json_put_str(o, "level", level_text(r->level));
	json_put_str(o, "file", r->file);
	json_put_int(o, "line", r->line);
	json_close(o, '}');
}

void rule_put_of(struct json_out *o, const char *key, const struct rule_problem *p)
{
	if (!p->rule_line) {
		json_put_null(o, key);
		return;
	}
	json_open(o, key, '{');
	json_put_str(o, "id", p->id);
	json_put_str(o, "name", p->name);
	json_put_str(o, "title", p->title);
	json_put_str(o, "file", p->file);
	json_put_int(o, "line", p->rule_line);
	json_close(o, '}');
}
