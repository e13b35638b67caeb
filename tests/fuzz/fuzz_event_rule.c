/* fuzz_event_rule.c - rules and events together: what the whole engine says against the naive evaluator.
 *
 * Why: this is what the program is for; every shortcut between a rule's text and its match lies on this way.
 * Promises: aborts when a rule that both have loaded holds for one and not for the other, when the hits are not ascending, and when
 * the explanation of a rule comes to another answer than the match.
 * Refuses: to judge rules that one of the two refuses (the property test compares that), and regular expressions that PCRE2 gives up.
 * Text: YAML up to the first "<Event", then events. Not a document but '0' or '1' and then a selection: its rule is made here. */
#include <string.h>

#include "base/buf.h"
#include "lib/fuzz.h"
#include "rules/explain/explain.h"

struct both {
	struct ruleset *rs;
	struct matcher *m;
	struct naive *naive;
};

static const char *const sources[] = {"{category: process_creation, product: windows}", "{product: windows}"};

static void yaml_of(const char *text, size_t n, struct buf *to)
{
	if (n == 0 || (text[0] != '0' && text[0] != '1')) {
		buf_add(to, text, n);
		return;
	}
	buf_printf(to, "title: t\nid: 6a2b4a1e-0c0f-4f2a-9b57-2d9a3c1e0001\nlogsource: %s\ndetection:\n    condition: s\n    s:\n        ",
		sources[text[0] - '0']);
	for (size_t i = 1; i < n; i++) {
		buf_char(to, text[i]);
		if (text[i] == '\n')
			buf_str(to, "        ");
	}
	buf_char(to, '\n');
}

static void explain(const struct both *b, const struct rule *r, const struct event *ev, bool holds)
{
	struct arena *a = arena_new(1u << 14);
	struct explained *why = rule_explain(b->rs, r, ev, a);
	struct buf text;

	buf_init(&text, 8u << 20);
	explain_text(why, &text);
	if (why->holds != holds)
		fuzz_wrong("line %d: holds %d, explained %d:\n%s", r->line, holds, why->holds, buf_text(&text));
	buf_free(&text);
	arena_free(a);
}

static void on_event(void *arg, const struct event *ev)
{
	struct both *b = arg;
	const uint32_t *hits;
	size_t n = matcher_run(b->m, ev, &hits), at = 0;

	for (size_t i = 1; i < n; i++)
		if (hits[i - 1] >= hits[i])
			fuzz_wrong("hits %u and %u", hits[i - 1], hits[i]);
	naive_event(b->naive, ev);
	for (size_t i = 0; i < ruleset_count(b->rs); i++) {
		const struct rule *r = ruleset_rule(b->rs, i);
		bool holds = at < n && hits[at] == i, naively;
		size_t k = naive_find(b->naive, r->file, r->line), gave_up = naive_gave_up(b->naive);

		at += holds;
		if (r->kind != RULE_DETECTION)
			continue;
		explain(b, r, ev, holds);
		if (k == SIZE_MAX || naive_rule(b->naive, k)->refused)
			continue;
		naively = naive_holds(b->naive, k) != PLANTED(holds && strcmp(ev->computer, "EX1.example") != 0);
		if (holds != naively && naive_gave_up(b->naive) == gave_up)
			fuzz_wrong("line %d: holds %d, naively %d", r->line, holds, naively);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *events = size ? memmem(data, size, "<Event", 6) : NULL;
	size_t n = events ? (size_t)(events - data) : size;
	struct both b;
	struct buf yaml;

	buf_init(&yaml, 1u << 20);
	yaml_of((const char *)data, n, &yaml);
	b.rs = fuzz_rules(buf_text(&yaml), yaml.n, false, NULL, NULL);
	if (events && ruleset_count(b.rs)) {
		b.m = matcher_new(b.rs);
		b.naive = fuzz_naive();
		fuzz_events(b.rs, events, size - n, on_event, &b);
		matcher_free(b.m);
		naive_free(b.naive);
	}
	ruleset_free(b.rs);
	buf_free(&yaml);
	return 0;
}
