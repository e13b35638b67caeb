/* rule_keeper.c - loads sets of rules and judges them.
 *
 * Why: an agent that loses rules because somebody saved half a line is blind without knowing it. Promises: a set that is worse than the
 * running one never takes its place, and the reason is told with file, line and column; every problem of a set is told, the first
 * PROBLEMS one by one. Refuses: see the header. */
#include "proc/rule_keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "proc/changes.h"

#define PROBLEMS 20 /* told one by one */

struct keeper {
	struct link *link;
	struct changes *changes;
	struct problem_count {
		unsigned all, spoiled; /* spoiled: in files that were good */
		char why[480];         /* the first of those */
	} found;                       /* in the set that is tried */
	int64_t loaded;                /* wall clock */
	char digest[65];
	size_t rules;
	unsigned problems;
	int64_t refused;               /* wall clock; 0: the last attempt was taken */
	char why[480];
};

struct keeper *keeper_new(struct link *link, const struct os_file_ops *files)
{
	struct keeper *k = xcalloc(1, sizeof *k);

	k->link = link;
	k->changes = changes_new(files, &link->clock);
	return k;
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	changes_free(k->changes);
	free(k);
}

static struct ruleset_options places_of(const struct config *c)
{
	return (struct ruleset_options){ .folders = c->rules, .n_folders = c->n_rules, .tables = c->tables };
}

static void on_problem(void *arg, const struct rule_problem *p)
{
	struct keeper *k = arg;

	if (p->warning)
		return;
	if (++k->found.all <= PROBLEMS)
		link_failed(k->link, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
	if (changes_spoiled(k->changes, p->file) && ++k->found.spoiled == 1)
		(void)snprintf(k->found.why, sizeof k->found.why, "%s:%d:%d: %s", p->file, p->line, p->column, p->text);
}

static struct ruleset *load(struct keeper *k, const struct ruleset_options *places, struct err *e)
{
	struct ruleset *rs;

	k->found = (struct problem_count){ 0 };
	changes_try(k->changes, places);
	rs = ruleset_load(places, on_problem, k, e);
	if (k->found.all > PROBLEMS)
		link_failed(k->link, "%u more problems of the rules; `evmend rules check` shows them all", k->found.all - PROBLEMS);
	return rs;
}

static void take(struct keeper *k, const struct ruleset *rs)
{
	changes_accept(k->changes);
	k->loaded = clock_wall(&k->link->clock);
	k->rules = ruleset_count(rs);
	k->problems = k->found.all;
	k->refused = 0;
	text_copy(k->digest, sizeof k->digest, ruleset_digest(rs));
}

struct ruleset *keeper_start(struct keeper *k, const struct config *c, struct err *e)
{
	const struct ruleset_options places = places_of(c);
	struct ruleset *rs = load(k, &places, e);

	if (rs)
		take(k, rs);
	if (rs && k->problems)
		link_failed(k->link, "%u problems in the rules; the others work", k->problems);
	return rs;
}

bool keeper_due(struct keeper *k, const struct config *c)
{
	const struct ruleset_options places = places_of(c);

	return changes_due(k->changes, &places);
}

/* A rule that runs, and is lost because its file has errors: NULL when there is none. */
static const struct rule *lost_rule(const struct keeper *k, const struct ruleset *running, const struct ruleset *fresh)
{
	for (size_t i = 0; i < ruleset_count(running); i++) {
		const struct rule *r = ruleset_rule(running, i);

		if (changes_faulty(k->changes, r->file) && !ruleset_find(fresh, *r->id ? r->id : r->name))
			return r;
	}
	return NULL;
}

/* 0, or -1 and the reason. */
static int judge(const struct keeper *k, const struct ruleset *running, const struct ruleset *fresh, struct err *e)
{
	const struct rule *lost;

	if (k->found.spoiled > 1)
		return err_set(e, ERR_RULES, "%s (and %u more in files that were good)", k->found.why, k->found.spoiled - 1);
	if (k->found.spoiled)
		return err_set(e, ERR_RULES, "%s", k->found.why);
	if (ruleset_count(fresh) == 0 && ruleset_count(running) > 0)
		return err_set(e, ERR_RULES, "no rule is left; stop the agent if that is meant");
	lost = lost_rule(k, running, fresh);
	if (lost)
		return err_set(e, ERR_RULES, "%s:%d: the rule '%s' works now and would be lost: its file has errors", lost->file, lost->line,
			lost->title);
	return 0;
}

struct ruleset *keeper_next(struct keeper *k, const struct config *c, const struct ruleset *running, const struct config *before,
	struct err *e)
{
	const struct ruleset_options places = places_of(c), old = places_of(before);
	struct ruleset *fresh;

	changes_hold(k->changes, &old);
	fresh = load(k, &places, e);
	if (fresh && judge(k, running, fresh, e) == 0) {
		take(k, fresh);
		return fresh;
	}
	changes_refuse(k->changes);
	ruleset_free(fresh);
	k->refused = clock_wall(&k->link->clock);
	text_copy(k->why, sizeof k->why, e->text);
	return NULL;
}

void keeper_json(const struct keeper *k, size_t dropped, struct json_out *o)
{
	json_open(o, NULL, '{');
	json_put_time(o, "loaded", k->loaded);
	json_put_str(o, "digest", k->digest);
	json_put_int(o, "rules", (int64_t)k->rules);
	json_put_int(o, "problems", k->problems);
	json_put_int(o, "dropped", (int64_t)dropped);
	if (k->refused) {
		json_open(o, "refused", '{');
		json_put_time(o, "time", k->refused);
		json_put_str(o, "why", k->why);
		json_close(o, '}');
	}
	json_close(o, '}');
}
