/* ruleset_ask.c - questions about a loaded set.
 *
 * Why: correlate/, cases/ and the verbs see rules only through these.
 * Promises: constant answers; pointers live as long as the set.
 * Refuses: nothing. */
#include <string.h>

#include "base/text.h"
#include "rules/compiled.h"

size_t ruleset_count(const struct ruleset *rs)
{
	return rs->n;
}

size_t ruleset_refused(const struct ruleset *rs)
{
	return rs->refused;
}

const struct rule *ruleset_rule(const struct ruleset *rs, size_t i)
{
	return &rs->rules[i]->rule;
}

const struct rule *ruleset_find(const struct ruleset *rs, const char *id_or_name)
{
	for (size_t i = 0; i < rs->n; i++)
		if (text_same(rs->rules[i]->rule.id, id_or_name) && *id_or_name)
			return &rs->rules[i]->rule;
	for (size_t i = 0; i < rs->n; i++)
		if (strcmp(rs->rules[i]->rule.name, id_or_name) == 0 && *id_or_name)
			return &rs->rules[i]->rule;
	return NULL;
}

const struct names *ruleset_names(const struct ruleset *rs)
{
	return rs->names;
}

const char *ruleset_digest(const struct ruleset *rs)
{
	return rs->digest;
}

static const struct compiled *compiled_of(const struct ruleset *rs, const struct rule *r)
{
	return rs->rules[r->index];
}

static uint16_t real_id(const struct ruleset *rs, const struct compiled *c, const struct event *ev, const char *name)
{
	int32_t variant = c->category ? log_set_holds(c->category, ev) : -1;

	if (variant >= 0) {
		const struct log_source *s = &c->category->sources[variant];

		for (size_t i = 0; i < s->n_renames; i++)
			if (text_same(s->renames[i].from, name))
				name = s->renames[i].to;
	}
	return names_find(rs->names, name, strlen(name));
}

const char *ruleset_value(const struct ruleset *rs, const struct rule *r, const struct event *ev, const char *name, size_t *n)
{
	struct cursor c = {.id = real_id(rs, compiled_of(rs, r), ev, name)};
	const struct event_field *f;
	struct look l;

	look_begin(&l, rs, ev);
	f = c.id ? look_next(&l, &c) : NULL;
	*n = f ? f->len : 0;
	return f ? f->value : NULL;
}

void ruleset_wanted_values(const struct ruleset *rs, const struct rule *r, const struct event *ev, const char **values, size_t *n)
{
	const struct compiled *c = compiled_of(rs, r);

	for (size_t i = 0; i < c->n_wanted; i++)
		values[i] = ruleset_value(rs, r, ev, c->wanted[i], &n[i]);
}

size_t ruleset_wanted(const struct ruleset *rs, const struct rule *r, const char *const **names)
{
	*names = compiled_of(rs, r)->wanted;
	return compiled_of(rs, r)->n_wanted;
}

size_t ruleset_hosts(const struct ruleset *rs, const struct rule *r, const char *const **names)
{
	*names = compiled_of(rs, r)->hosts;
	return compiled_of(rs, r)->n_hosts;
}

const char *ruleset_alias(const struct ruleset *rs, const struct rule *correlation, const char *name, const struct rule *of)
{
	return correlation_field(compiled_of(rs, correlation), name, compiled_of(rs, of));
}

const struct correlation *ruleset_correlation(const struct ruleset *rs, const struct rule *r)
{
	return r->kind == RULE_CORRELATION ? &compiled_of(rs, r)->correlation : NULL;
}
