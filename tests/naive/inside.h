/* inside.h - what the files of the naive evaluator share. */
#ifndef EVMEND_TESTS_NAIVE_INSIDE_H
#define EVMEND_TESTS_NAIVE_INSIDE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "naive/naive.h"

/* -- pattern.c: strings of characters; marks that are no characters stand for the wildcards -- */
#define ANY NAIVE_ANY  /* any run of characters */
#define ONE NAIVE_ONE  /* one character */
#define DASH 0x110002u /* what `windash` makes of a dash */

struct nv_chars {
	uint32_t *at;
	size_t n;
};

struct nv_part { /* of a pattern, between two ANY */
	const uint32_t *at;
	size_t n;          /* characters */
	const char *bytes; /* NULL: it has a ONE or a DASH */
	size_t len;
};

struct nv_pattern {
	const struct nv_part *parts; /* n_parts - 1 times ANY between them; the first and the last may be empty */
	size_t n_parts;
	bool blank_end; /* ends with a blank: the value is taken with its own */
};

struct nv_value { /* of an event's field */
	const char *name;
	const char *raw, *folded;
	size_t n, n_folded;         /* bytes */
	size_t trim, trim_folded;   /* bytes without the blanks at the end */
	bool system, derived;
};

struct nv_chars nv_chars_of(struct arena *a, const char *s, size_t n);            /* UTF-8 as it stands */
struct nv_chars nv_chars_sigma(struct arena *a, const char *s, size_t n);         /* escapes and wildcards resolved */
bool nv_chars_wild(const struct nv_chars *c);                                     /* an ANY or ONE in it */
void nv_chars_utf8(const struct nv_chars *c, struct buf *to);                     /* no marks in it */
uint32_t nv_fold_char(uint32_t c);
char *nv_fold_text(struct arena *a, const char *s, size_t n, size_t *to_n);
struct nv_pattern nv_pattern_of(struct arena *a, const struct nv_chars *c, bool cased);
bool nv_pattern_holds(const struct nv_pattern *p, const struct nv_value *v, bool cased);
bool nv_glob(const char *pattern, const char *text);                           /* only *, case counts: names of selections */
size_t nv_step_back(const char *s, size_t n);                                  /* length of the character that ends at n */

/* -- number.c -- */
struct nv_num {
	bool whole, negative;
	uint64_t size; /* of a fraction: before the point */
	bool too_large; /* of a fraction: that is beyond 64 bits */
	double real;
};

enum part_of_time { PART_MINUTE, PART_HOUR, PART_DAY, PART_WEEK, PART_MONTH, PART_YEAR };

bool nv_num_of(const char *s, size_t n, struct nv_num *to); /* decimal, 0x hex, decimal fraction; blanks around it do not count */
int nv_num_order(const struct nv_num *a, const struct nv_num *b);
bool nv_time_part(const char *s, size_t n, enum part_of_time part, int64_t *to);

struct nv_net {
	uint8_t address[16];
	unsigned bits;
	bool six;
};

bool nv_net_of(const char *s, struct nv_net *to);
bool nv_net_holds(const struct nv_net *net, const char *s, size_t n);

/* -- regex.c -- */
struct nv_regex;
struct nv_regex *nv_regex_new(const char *s, bool i, bool m, bool dot, char why[static 200]); /* NULL: why */
void nv_regex_free(struct nv_regex *r);
bool nv_regex_holds(struct nv_regex *r, const char *s, size_t n, size_t *gave_up);
void nv_windash(struct nv_chars *c); /* for one run of characters: - or / that matches \B[-/]\b becomes DASH */

/* -- modifiers.c -- */
enum kind { K_STRING, K_NUMBER, K_BOOL, K_NULL, K_BYTES, K_REGEX, K_CIDR, K_COMPARE, K_PART, K_FIELD };
enum compare { LT, LTE, GT, GTE };
enum nv_shape { WHOLE, CONTAINS, STARTS, ENDS };

struct nv_test { /* one value of an item; alternatives are ORed */
	enum kind kind;
	struct nv_pattern *patterns;
	size_t n;
	const char *text; /* number and bool: as written, folded; regex: as written */
	struct nv_num num;
	struct nv_regex *regex;
	struct nv_net net;
	uint32_t field; /* K_FIELD: name */
};

struct nv_item {
	bool keyword, all, neq, cased, exists, exists_true;
	uint32_t name;
	enum compare compare;
	enum part_of_time part;
	enum nv_shape shape; /* K_FIELD */
	struct nv_test *tests;
	size_t n;
};

bool nv_item_of(struct naive *n, const struct yaml_node *key, const struct yaml_node *value, struct nv_item *to);
/* The bytes of base64 text in the three ways they may stand in a longer text; how many characters are cut off is part of it. */
void nv_base64_offset(const void *p, size_t n, unsigned shift, struct buf *to);
void nv_base64(const void *p, size_t n, struct buf *to);

/* -- source.c -- */
enum renames { RENAME_NONE, RENAME_4688, RENAME_DEFENDER, N_RENAMES };
enum computed { COMPUTED_NONE, COMPUTED_USER, COMPUTED_INTEGRITY };

struct nv_stated { /* a rule's logsource; NULL: not stated */
	const char *product, *service, *category;
};

bool nv_source_known(const struct nv_stated *s);
/* Can an event of this channel and id be meant? *c: by which row of the categories; NULL when none is stated. */
struct nv_category;
bool nv_source_maybe(const struct nv_stated *s, const char *provider, const char *channel, uint32_t id, const struct nv_category **c);
/* The rest of the question, for the event at hand, and how its fields are called. */
bool nv_source_means(struct naive *n, const struct nv_category *c, enum renames *renames);
/* Where an event that is meant may come from; which of the places is up to pick. false: there is none. *type: its EventType, or NULL. */
bool nv_source_pick(const struct nv_stated *s, uint32_t pick, const char **channel, uint32_t *id, enum renames *r, const char **type);
const char *nv_source_rename(enum renames r, const char *name, enum computed *computed); /* the name itself when there is none */

/* -- condition.c -- */
enum node_kind { N_AND, N_OR, N_NOT, N_ITEM, N_COUNT };

struct nv_node {
	enum node_kind kind;
	struct nv_node **kids;
	size_t n;
	size_t least; /* N_COUNT: so many of the kids */
	struct nv_item item;
};

struct nv_selection {
	const char *name;
	struct nv_node *node;
};

struct nv_node *nv_node_new(struct naive *n, enum node_kind kind, size_t kids);
struct nv_node *nv_condition_of(struct naive *n, const char *text, const struct nv_selection *s, size_t count);

/* -- fields.c -- */
uint32_t nv_name_id(struct naive *n, const char *name);
/* The values of a name in the current event, looked up as events of that kind call it. */
const struct nv_value *const *nv_values_of(struct naive *n, uint32_t name, enum renames r, size_t *count);
void nv_positions_read(struct naive *n, const char *folder);

/* -- load.c, evaluate.c -- */
struct nv_rule {
	struct naive_rule about;
	const char *name;
	struct nv_stated stated;
	struct nv_node *node;
	struct nv_node **filters;
	size_t n_filters;
};

struct nv_filter {
	struct nv_stated stated;
	const struct yaml_node *rules; /* NULL or empty: all */
	struct nv_node *node;
};

struct nv_name { /* a field name that some rule mentions */
	const char *text;
	uint32_t as[N_RENAMES];
	enum computed computed;
	uint64_t stamp; /* of the event that these are of */
	const struct nv_value **values;
	size_t n, cap;
};

struct nv_key_rules { /* the rules of one (channel, event id) */
	char *channel, *provider;
	uint32_t id;
	struct {
		uint32_t rule;
		const struct nv_category *category;
	} *rules;
	size_t n;
};

struct naive {
	struct arena *arena, *event_arena;
	const struct naive_list *lists;
	size_t n_lists;
	struct yaml_file **files, **positions;
	size_t n_files, n_positions;
	struct nv_rule *rules;
	size_t n, cap;
	struct nv_filter *filters;
	size_t n_filters;
	struct nv_regex **regexes;
	size_t n_regexes;
	struct nv_name *names;
	size_t n_names;
	char why[400]; /* why the document at hand is refused */
	/* the event */
	const struct event *ev;
	uint64_t stamp;
	size_t gave_up;
	struct nv_value *values;
	size_t n_values, cap_values;
	/* the yardstick */
	struct nv_key_rules *keys;
	size_t n_keys;
	uint32_t *hits;
};

/* Says why and gives false. */
bool nv_no(struct naive *n, const struct yaml_node *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Room for one more at the end of an array that was made by this alone. */
#define MORE(array, count) ((array) = xrealloc((array), (count) + 1, sizeof *(array)), &(array)[(count)++])
#define MANY(node) (!(node) ? 0 : (node)->kind == YAML_LIST ? (node)->n : 1)
#define NTH(node, i) ((node)->kind == YAML_LIST ? (node)->items[i] : (node))
/* detection.c: the map of selections and condition; NULL: refused. */
struct nv_node *nv_detection_of(struct naive *n, const struct yaml_node *detection, const struct yaml_node *condition, bool filter);
bool nv_node_holds(struct naive *n, const struct nv_node *node, enum renames r);

#endif
