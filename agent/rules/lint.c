/* lint.c - rules that load, and yet will disappoint.
 *
 * Why: a case without words helps nobody, and a rule that no event can reach is dead weight.
 * Promises: warnings only; never changes what a rule means.
 * Refuses: nothing. */
#include <stdio.h>

#include "rules/compiled.h"

struct lint {
	void (*report)(void *arg, const struct rule_problem *p);
	void *arg;
	size_t n;
};

static void say(struct lint *l, const struct rule *r, const char *text)
{
	char all[300];
	struct rule_problem p = {.file = r->file, .line = r->line, .column = 1, .warning = true, .text = all};

	snprintf(all, sizeof all, "%s: %s", *r->name ? r->name : r->id, text);
	l->n++;
	if (l->report)
		l->report(l->arg, &p);
}

size_t ruleset_lint(const struct ruleset *rs, void (*report)(void *arg, const struct rule_problem *p), void *arg)
{
	struct lint l = {.report = report, .arg = arg};

	for (size_t i = 0; i < rs->n; i++) {
		const struct rule *r = &rs->rules[i]->rule;

		if (r->cause && !r->silent && !r->hint)
			say(&l, r, "opens a case but has no hint, so the case will not say what to do");
		if ((r->then & THEN_DIAGNOSE) && !r->disproved_by)
			say(&l, r, "asks for a diagnosis but does not say what would disprove it");
		if (rs->rules[i]->no_source)
			say(&l, r, "its logsource has no events here, so it never matches");
	}
	return l.n;
}
