/* evaluate.c - the questions from outside: does this rule hold, and which rules hold. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "naive/inside.h"

size_t naive_count(const struct naive *n)
{
	return n->n;
}

const struct naive_rule *naive_rule(const struct naive *n, size_t i)
{
	return &n->rules[i].about;
}

size_t naive_find(const struct naive *n, const char *file, int line)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->rules[i].about.line == line && strcmp(n->rules[i].about.file, file) == 0)
			return i;
	return SIZE_MAX;
}

size_t naive_gave_up(const struct naive *n)
{
	return n->gave_up;
}

static bool rule_holds(struct naive *n, const struct nv_rule *r, const struct nv_category *c)
{
	enum renames renames;

	if (!nv_source_means(n, c, &renames) || !nv_node_holds(n, r->node, renames))
		return false;
	for (size_t i = 0; i < r->n_filters; i++)
		if (!nv_node_holds(n, r->filters[i], renames))
			return false;
	return true;
}

bool naive_holds(struct naive *n, size_t i)
{
	const struct nv_rule *r = &n->rules[i];
	const struct nv_category *c;

	return !r->about.refused && nv_source_maybe(&r->stated, n->ev->provider, n->ev->channel, n->ev->event_id, &c) && rule_holds(n, r, c);
}

static const struct nv_key_rules *key_of(struct naive *n, const struct event *ev)
{
	struct nv_key_rules *k;

	for (size_t i = 0; i < n->n_keys; i++) {
		k = &n->keys[i];
		if (k->id == ev->event_id && strcmp(k->channel, ev->channel) == 0 && strcmp(k->provider, ev->provider) == 0)
			return k;
	}
	k = MORE(n->keys, n->n_keys);
	*k = (struct nv_key_rules){.channel = xstrdup(ev->channel), .provider = xstrdup(ev->provider), .id = ev->event_id};
	k->rules = xcalloc(n->n + 1, sizeof *k->rules);
	for (size_t i = 0; i < n->n; i++)
		if (!n->rules[i].about.refused && nv_source_maybe(&n->rules[i].stated, ev->provider, ev->channel, ev->event_id,
			&k->rules[k->n].category))
			k->rules[k->n++].rule = (uint32_t)i;
	return k;
}

size_t naive_run_all(struct naive *n, const struct event *ev, const uint32_t **hits)
{
	const struct nv_key_rules *k;
	size_t count = 0;

	naive_event(n, ev);
	k = key_of(n, ev);
	for (size_t i = 0; i < k->n; i++)
		if (rule_holds(n, &n->rules[k->rules[i].rule], k->rules[i].category))
			n->hits[count++] = k->rules[i].rule;
	*hits = n->hits;
	return count;
}
