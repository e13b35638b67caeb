/* ruleset.h - a folder of Sigma rules compiled into one immutable set, and the question that is asked of it for every event.
 *
 * One bad rule never stops the others: it is reported (file, line, column, what to write instead) and left out. Swapped whole on
 * reload. Meaning: ../docs/sigma.md, which follows the Sigma specification 2.1. */
#ifndef EVMEND_RULES_RULESET_H
#define EVMEND_RULES_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "event/event.h"
#include "rules/lint/lint.h"
#include "rules/rule.h"

struct ruleset;

struct rule_problem {
	const char *file;
	int line, column;
	enum lint lint;
	bool warning;     /* the rule was loaded all the same */
	const char *text; /* what is wrong and what to write instead */
	/* the rule (filter, correlation) that it stands in, as far as that is known; NULL: it is not */
	const char *id, *name, *title;
	int rule_line;    /* where the rule begins; 0 */
};

struct ruleset_options {
	const char *const *folders; /* rule files and folders; under a folder, fields/, tests/, logsources.yml and
	                             * placeholders.yml are never rules; the latter, at its top, defines placeholders */
	size_t n_folders;
	const char *text;           /* one more rule file, not on disk; NULL: none */
	const char *tables;         /* folder with logsources.yml and fields/, maybe placeholders.yml */
	bool may_wait;              /* a file in folders may be a pipe, and reading it wait: for verbs, never for the agent */
	bool lint;                  /* also report what is not wrong, but is likely to be regretted */
};

/* Problems come through report, in file order. NULL only when nothing can be read at all (tables missing, no such folder) or memory
 * refused; an empty set is a set. */
struct ruleset *ruleset_load(const struct ruleset_options *options, void (*report)(void *arg, const struct rule_problem *p),
	void *arg, struct err *e);
bool ruleset_is_file(const char *path); /* .yml or .yaml, in any case of letters */
void ruleset_free(struct ruleset *rs);
size_t ruleset_count(const struct ruleset *rs);
size_t ruleset_refused(const struct ruleset *rs);
const struct rule *ruleset_rule(const struct ruleset *rs, size_t i);
const struct rule *ruleset_find(const struct ruleset *rs, const char *id_or_name); /* NULL: none */
const struct names *ruleset_names(const struct ruleset *rs);
/* SHA-256 over all rule files and tables that were loaded, hex: names the set in `version` and `status`. */
const char *ruleset_digest(const struct ruleset *rs);

/* Per-thread scratch of matching. */
struct matcher;
struct matcher *matcher_new(const struct ruleset *rs);
void matcher_free(struct matcher *m);
/* Indexes of the detection rules that hold for ev, ascending; *hits points into the matcher until the next call. Returns how
 * many. */
size_t matcher_run(struct matcher *m, const struct event *ev, const uint32_t **hits);
/* What asking costs: matcher_measure switches the measuring on (it slows matching by some per cent), matcher_cost tells. A rule is
 * asked only of events that have its rarest texts; finding those is shared by all rules and not in here. */
struct rule_cost {
	uint64_t asked, held; /* events */
	int64_t us;           /* less what others had the processor for; many askings take less than one: only sums mean something */
};
void matcher_measure(struct matcher *m);
/* What to take back from an event's dearest question, that took `dearest` us, when the event took `wall` and the processor `cpu`. */
int64_t rule_cost_lost(int64_t dearest, int64_t wall, int64_t cpu);
struct rule_cost matcher_cost(const struct matcher *m, const struct rule *r);
struct matcher_counts {
	uint64_t candidates; /* rules asked, over all events */
	uint64_t asked;      /* questions about fields that this took */
};
struct matcher_counts matcher_counts(const struct matcher *m);

/* Value of a field for this rule and event (4688 renames, positional names, ComputerLabel and ComputerDomain), *n bytes: for
 * group-by, host and hints. NULL: absent. */
const char *ruleset_value(const struct ruleset *rs, const struct rule *r, const struct event *ev, const char *name, size_t *n);
#define RULE_WANTS 1024
/* Fields that a match of r must take along, at most RULE_WANTS: for its hint, its host, and the correlations above it. */
size_t ruleset_wanted(const struct ruleset *rs, const struct rule *r, const char *const **names);
/* The values of those fields, in their order; NULL: absent. */
void ruleset_wanted_values(const struct ruleset *rs, const struct rule *r, const struct event *ev, const char **values, size_t *n);
/* `evmend: host:`, in order; the first that an event has names the host. */
size_t ruleset_hosts(const struct ruleset *rs, const struct rule *r, const char *const **names);
/* The field that a name in a correlation means for matches of the referred rule: an alias's, or the name itself. */
const char *ruleset_alias(const struct ruleset *rs, const struct rule *correlation, const char *name, const struct rule *of);

/* For correlate/: what a correlation rule says; NULL for a detection rule. */
const struct correlation *ruleset_correlation(const struct ruleset *rs, const struct rule *r);

#define CORR_RULES 64  /* most rules that one correlation may refer to */
#define CORR_FIELDS 8  /* of group-by, and of value_count's field */
#define CORR_STEPS 256 /* of an expression */

enum correlation_type {
	CORR_EVENT_COUNT, CORR_VALUE_COUNT, CORR_TEMPORAL, CORR_TEMPORAL_ORDERED, CORR_VALUE_SUM, CORR_VALUE_AVG, CORR_VALUE_MEDIAN,
	CORR_VALUE_PERCENTILE, CORR_ABSENT
};
enum corr_op { OP_GT, OP_GTE, OP_LT, OP_LTE, OP_EQ, OP_NEQ };
enum corr_step_kind { STEP_RULE, STEP_AND, STEP_OR, STEP_NOT };

struct corr_bound {
	enum corr_op op;
	double than;
};

struct corr_step { /* an expression, operands first */
	uint8_t kind, rule; /* rule: place in rules */
};

struct correlation {
	enum correlation_type type;
	const uint32_t *rules;  /* indexes of the rules referred to (detections or correlations), in order */
	size_t n_rules;
	const char *const *group_by; /* field names or aliases; "host" is the finding's host */
	size_t n_group_by;
	const char *const *fields;   /* value_*: field names or aliases; value_count may have several */
	size_t n_fields;
	int64_t timespan, quiet; /* us; quiet: after it fired */
	struct corr_bound bounds[6]; /* all must hold */
	size_t n_bounds;
	const struct corr_step *steps; /* temporal types: an expression in place of bounds; NULL: none */
	size_t n_steps;
	double percentile;      /* 0 to 100 */
	uint64_t at_least;      /* the least count that holds, where more of it holds too */
	bool closes;            /* more events may make it false again: decided when its window closes, or absent */
	bool around;            /* absent: `where: around`; else after */
	bool generate;
};

bool correlation_bounds_hold(const struct correlation *c, double value);
/* temporal types: does it hold when these rules (bits, by place) matched? */
bool correlation_rules_hold(const struct correlation *c, uint64_t rules);
const char *correlation_type_text(enum correlation_type t);

#endif
