/* compiled.h - what a rule is after loading: a tree of conditions over items. Private to rules/. */
#ifndef EVMEND_RULES_COMPILED_H
#define EVMEND_RULES_COMPILED_H

#include "base/buf.h"
#include "rules/cidr.h"
#include "rules/fields.h"
#include "rules/fold.h"
#include "rules/loader.h"
#include "rules/logsource.h"
#include "rules/number.h"
#include "rules/pattern.h"
#include "rules/regex/regex.h"
#include "rules/ruleset.h"
#include "rules/time_part.h"

enum value_kind { VALUE_PATTERN, VALUE_NUMBER, VALUE_BOOL, VALUE_NULL, VALUE_COMPARE, VALUE_FIELD, VALUE_GROUP, VALUE_REGEX,
	VALUE_CIDR, VALUE_TIME_PART };
enum compare { COMPARE_LT, COMPARE_LTE, COMPARE_GT, COMPARE_GTE };

struct value {
	enum value_kind kind;
	const char *text; /* as written */
	struct pattern pattern; /* also of VALUE_NUMBER and VALUE_BOOL: their text */
	union {
		struct number number;   /* VALUE_NUMBER, VALUE_COMPARE, VALUE_TIME_PART */
		bool truth;
		const uint16_t *fields; /* VALUE_FIELD: id for each variant */
		const struct regex *regex;
		const struct cidr *cidr;
		struct {                /* VALUE_GROUP: one of them holds, whatever `all` says of the list (base64offset, expand) */
			const struct value *any;
			size_t n_any;
		};
	};
};

struct item {
	const char *field;      /* as written with its modifiers, for people; "keywords" */
	const uint16_t *fields; /* id for each variant; NULL: keywords, any value of the event */
	const struct value *values;
	size_t n;
	bool all, negated, exists, exists_truth, cased;
	enum compare compare;
	enum time_part part;
	enum fold_how how; /* VALUE_FIELD */
	int line;
};

enum node_kind { NODE_AND, NODE_OR, NODE_NOT, NODE_ITEM, NODE_SOME };

struct node {
	enum node_kind kind;
	const char *label; /* name of the selection, NULL inside one */
	struct node **kids;
	size_t n;
	size_t steps;    /* of the program that it becomes, about; 0: not counted yet */
	size_t at_least; /* NODE_SOME: "2 of x*", 2 <= at_least < n */
	const struct item *item;
};

struct selection {
	const char *name;
	struct node *node;
	bool used;
};

/* A reference of a correlation, before and after it is resolved. */
struct compiled;
struct reference {
	const char *text;
	int line;
	struct compiled *rule;
};

struct alias { /* of a correlation: for rule `rule`, the name means `field` */
	const char *name, *rule, *field;
	int line;
};

struct compiled {
	struct rule rule;
	/* detection */
	const struct log_set *product, *service, *category; /* NULL: not stated. All stated must hold */
	bool no_source;      /* no event can ever be meant */
	size_t n_variants;   /* >= 1: sources of the category, each with its own renames */
	struct node *condition;
	/* correlation */
	struct correlation correlation;
	struct reference *references;
	size_t n_references;
	const struct alias *aliases;
	size_t n_aliases;
	const char *const *hosts; /* `evmend: host:`, first that is there */
	size_t n_hosts;
	const char *const *wanted; /* fields that findings and correlations will ask for; field names, case does not count */
	size_t n_wanted;
	const enum lint *allowed; /* `evmend: allow:` */
	size_t n_allowed;
	int depth; /* correlations below, the longest way */
	bool dropped;
};

/* -- detection.c, item.c -- */
/* The field ids of a name for all variants of the rule (renamed where the category says so). NULL and a problem at the limit. */
const uint16_t *variant_fields(struct loader *l, const struct yaml_node *at, const struct compiled *c, const char *name);
bool item_compile(struct loader *l, const struct compiled *c, const struct yaml_node *key, const struct yaml_node *value,
	struct item *to);
bool detection_compile(struct loader *l, struct compiled *c, const struct yaml_node *detection);
/* The tree of a map of selections and their condition; keys in not_selections (ends with NULL) are none. NULL: told. */
struct node *detection_tree(struct loader *l, const struct compiled *c, const struct yaml_node *map, const char *what,
	const char *const *not_selections);

/* -- condition.c -- */
/* NULL and a problem when it is not a condition over these selections; marks those that it uses. */
struct node *condition_compile(struct loader *l, const struct yaml_node *at, struct selection *s, size_t n);

/* -- correlation.c, evmend_key.c -- */
bool correlation_compile(struct loader *l, struct compiled *c, const struct yaml_node *doc);
/* The field that a name in a correlation means for matches of the referred rule: an alias's, or the name itself. */
const char *correlation_field(const struct compiled *c, const char *name, const struct compiled *of);
bool evmend_compile(struct loader *l, struct compiled *c, const struct yaml_node *evmend);

/* -- evaluate.c -- */
struct look { /* one event, as rules of this set look at it */
	const struct event *ev;
	const struct field_set *positions; /* NULL: none */
	struct event_field label, domain;  /* ComputerLabel, ComputerDomain */
};

struct cursor {
	uint16_t id;
	size_t at;
	int stage;
};

struct ruleset;
void look_begin(struct look *l, const struct ruleset *rs, const struct event *ev);
const struct event_field *look_next(const struct look *l, struct cursor *c); /* start with {.id = id} */
struct view;
/* Does this value hold for this field? view: for VALUE_FIELD only, which looks at others. Not for VALUE_NULL. */
bool value_holds(const struct item *it, const struct value *v, struct view *view, size_t variant, const struct event_field *f);

/* -- ruleset.c -- */
struct program;
struct match_plans;
struct ruleset {
	struct arena *arena;
	struct names *names;
	struct compiled **rules;
	size_t n, cap, refused;
	struct logsources *sources;
	struct fields fields;
	struct program *program;
	struct match_plans *plans;
	uint16_t label_id, domain_id;
	char digest[65];
};

#endif
