/* explain.h - why a rule holds for an event or not: a tree of its conditions, neutral towards how it will be shown.
 *
 * Texts hold no control characters and are cut to what a person reads (EXPLAIN_TEXT bytes a value); they are in English and may change. */
#ifndef EVMEND_RULES_EXPLAIN_H
#define EVMEND_RULES_EXPLAIN_H

#include "base/arena.h"
#include "base/json.h"
#include "rules/ruleset.h"

#define EXPLAIN_TEXT 120

enum explained_kind {
	EXPLAINED_RULE,   /* the root: logsource and condition; of a correlation: the rules that it refers to */
	EXPLAINED_SOURCE, /* is it an event of the rule's logsource? */
	EXPLAINED_ALL, EXPLAINED_ONE, EXPLAINED_SOME, EXPLAINED_NOT,
	EXPLAINED_ITEM,   /* one line of a detection */
};

struct explained {
	enum explained_kind kind;
	bool holds;
	bool decides;       /* the answer above it would be another one without this */
	const char *label;  /* name of a selection, title of a rule; NULL */
	const char *field;  /* item: as the rule writes it, with its modifiers; NULL */
	const char *wants;  /* item, source, some: what is asked for; else NULL */
	const char *has;    /* item, source: what the event has; else NULL */
	const char *why;    /* item, source: the reason in a few words; broken rule: that it is a bug; else NULL */
	const struct rule *rule; /* EXPLAINED_RULE */
	bool broken;        /* rule: its conditions say otherwise than matching, which `holds` tells; of a correlation: one of its rules is so */
	struct explained *kids;
	size_t n;
};

extern const char *const explained_words[]; /* "rule", "logsource", "all", "one", "some", "not", "item", by kind */

/* Why r holds for ev or not. The root of a detection holds when matcher_run, asked here, finds it; that of a correlation when one of
 * its rules does. Everything lives in a. */
struct explained *rule_explain(const struct ruleset *rs, const struct rule *r, const struct event *ev, struct arena *a);
/* The rule as it was understood, without an event: kind, label, field and wants are set, nothing else. Everything lives in a. */
struct explained *rule_outline(const struct ruleset *rs, const struct rule *r, struct arena *a);
/* What a correlation needs, in a line: "value_count of User >= 10 within 5m for each host". NULL: r is none. */
const char *rule_needs(const struct ruleset *rs, const struct rule *r, struct arena *a);

/* -- explain_show.c -- */
/* The tree as indented lines, '>' in front of what decides, and below it the deciding lines as sentences. */
void explain_text(const struct explained *n, struct buf *to);
/* An outline as indented lines. */
void explain_outline(const struct explained *n, struct buf *to);
void explain_outline_json(const struct explained *n, const char *key, struct json_out *o);
/* {"kind", "holds", "decides", "name", "field", "wants", "has", "why", "parts": [...]}; what is NULL is left out. */
void explain_json(const struct explained *n, const char *key, struct json_out *o);

#endif
