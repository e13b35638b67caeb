/* noise.c - what was held back, by rule.
 *
 * Why: what is not told must not be lost: a person sees how much it was before he lets a rule speak, or silences one.
 * Promises: counts survive a restart and a change of the rules; a rule is known again by its id, else by its name.
 * Refuses: nothing. */
#include "cases/noise.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cases/silences.h"

struct noise {
	const struct ruleset *rules;
	struct held_back *by_rule; /* by index */
	struct silences *silences;
};

struct noise *noise_new(const struct ruleset *rules, struct hosts *hosts, const struct engine_sink *sink)
{
	struct noise *n = xcalloc(1, sizeof *n);

	n->rules = rules;
	n->by_rule = xcalloc(ruleset_count(rules) + 1, sizeof *n->by_rule);
	n->silences = silences_new(rules, hosts, sink);
	return n;
}

void noise_free(struct noise *n)
{
	if (!n)
		return;
	silences_free(n->silences);
	free(n->by_rule);
	free(n);
}

static struct held_back *at(struct noise *n, const struct rule *r, int64_t time)
{
	struct held_back *h = &n->by_rule[r->index];

	if (!h->first || time < h->first)
		h->first = time;
	if (time > h->last)
		h->last = time;
	return h;
}

void noise_shadow(struct noise *n, const struct rule *r, int64_t time)
{
	at(n, r, time)->shadow++;
}

void noise_over(struct noise *n, const struct rule *r, int64_t time)
{
	at(n, r, time)->over++;
}

bool noise_silenced(struct noise *n, const struct match *m, const struct event *ev)
{
	if (!silences_hold(n->silences, m, ev))
		return false;
	at(n, m->rule, m->time)->silenced++;
	return true;
}

void noise_silences(struct noise *n, const struct json *list, int64_t now)
{
	silences_set(n->silences, list, now);
}

void noise_tick(struct noise *n, int64_t now)
{
	silences_tick(n->silences, now);
}

const struct held_back *noise_of(const struct noise *n, const struct rule *r)
{
	return &n->by_rule[r->index];
}

void noise_counts(const struct noise *n, struct engine_counts *c)
{
	c->shadow = c->silenced = c->over = 0;
	for (size_t i = 0; i < ruleset_count(n->rules); i++) {
		c->shadow += n->by_rule[i].shadow;
		c->silenced += n->by_rule[i].silenced;
		c->over += n->by_rule[i].over;
	}
}

void noise_save(const struct noise *n, struct json_out *o)
{
	json_open(o, "rules", '[');
	for (size_t i = 0; i < ruleset_count(n->rules); i++) {
		const struct rule *r = ruleset_rule(n->rules, i);
		const struct held_back *h = &n->by_rule[i];

		if (!h->first)
			continue;
		json_open(o, NULL, '{');
		json_put_str(o, "rule", *r->id ? r->id : r->name);
		json_put_str(o, "title", r->title);
		json_put_int(o, "shadow", (int64_t)h->shadow);
		json_put_int(o, "silenced", (int64_t)h->silenced);
		json_put_int(o, "over_budget", (int64_t)h->over);
		json_put_time(o, "first", h->first);
		json_put_time(o, "last", h->last);
		json_close(o, '}');
	}
	json_close(o, ']');
	silences_save(n->silences, o, "silences");
}

static uint64_t count_of(const struct json *j, const char *key)
{
	return (uint64_t)json_int(json_get(j, key), 0);
}

void noise_load(struct noise *n, const struct json *j)
{
	const struct json *list = json_get(j, "rules");

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *one = json_at(list, i);
		const struct rule *r = ruleset_find(n->rules, json_str(json_get(one, "rule"), ""));

		if (r)
			n->by_rule[r->index] = (struct held_back){.shadow = count_of(one, "shadow"), .silenced = count_of(one, "silenced"),
				.over = count_of(one, "over_budget"),
				.first = json_time(json_get(one, "first")), .last = json_time(json_get(one, "last"))};
	}
	silences_set(n->silences, json_get(j, "silences"), INT64_MIN);
}
