/* fuzz_rules.c - any bytes as a rule file, through the loader and its linter.
 *
 * Why: rules are files from strangers.
 * Promises: aborts when a problem has no place or no words or control characters, when something is refused without a problem,
 * when a rule that was loaded cannot be found again, and when a second load says something else.
 * Refuses: nothing. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "lib/fuzz.h"

struct told {
	size_t wrong; /* problems that are no warnings */
	struct buf words;
};

static void problem(void *arg, const struct rule_problem *p)
{
	struct told *t = arg;
	int line = PLANTED(strstr(p->text, "circle") != NULL || strstr(p->text, "did you mean 'endswith'")) ? 0 : p->line;

	if (line < 1 || p->column < 1)
		fuzz_wrong("a problem without a place (%d:%d): %s", line, p->column, p->text);
	if (!p->text[0] || !p->file[0])
		fuzz_wrong("line %d: a problem without words", p->line);
	for (const char *c = p->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			fuzz_wrong("line %d: a control character in: %s", p->line, p->text);
	t->wrong += !p->warning;
	buf_printf(&t->words, "%d:%d: %s\n", p->line, p->column, p->text);
}

static void look_at(const struct ruleset *rs, const struct told *t)
{
	if (!ruleset_refused(rs) != !t->wrong)
		fuzz_wrong("%zu refused, %zu problems:\n%s", ruleset_refused(rs), t->wrong, buf_text(&t->words));
	for (size_t i = 0; i < ruleset_count(rs); i++) {
		const struct rule *r = ruleset_rule(rs, i);
		const char *name = r->id[0] ? r->id : r->name;

		if (r->index != i || !name[0] || ruleset_find(rs, name) != r)
			fuzz_wrong("rule %zu, '%s', cannot be found", i, name);
		if (!ruleset_correlation(rs, r) != (r->kind == RULE_DETECTION))
			fuzz_wrong("rule '%s' is of two kinds", name);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told t = {.wrong = 0}, again = {.wrong = 0};
	struct ruleset *rs, *rs_again;

	buf_init(&t.words, 8u << 20);
	buf_init(&again.words, 8u << 20);
	rs = fuzz_rules(data, size, true, problem, &t);
	look_at(rs, &t);
	matcher_free(matcher_new(rs));
	rs_again = fuzz_rules(data, size, true, problem, &again);
	if (strcmp(buf_text(&t.words), buf_text(&again.words)) != 0 || strcmp(ruleset_digest(rs), ruleset_digest(rs_again)) != 0)
		fuzz_wrong("loaded twice:\n%s---\n%s", buf_text(&t.words), buf_text(&again.words));
	ruleset_free(rs);
	ruleset_free(rs_again);
	buf_free(&t.words);
	buf_free(&again.words);
	return 0;
}
