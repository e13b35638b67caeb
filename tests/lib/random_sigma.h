/* random_sigma.h - random rules and events that nearly match them, for comparing two evaluators. The same seed makes the same text. */
#ifndef EVMEND_TESTS_LIB_RANDOM_SIGMA_H
#define EVMEND_TESTS_LIB_RANDOM_SIGMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define RANDOM_RULES 40 /* in one set */
#define RANDOM_ITEMS 16 /* most items of a rule */
#define RANDOM_VALUES 4 /* most values of an item */

struct random {
	uint64_t state;
};

uint32_t random_next(struct random *r, uint32_t below);
bool random_is(struct random *r, uint32_t percent);

struct random_item { /* what a value that matches looks like */
	char field[24]; /* "" : anywhere */
	bool all;
	char like[RANDOM_VALUES][320];
	size_t n;
};

struct random_set {
	struct random r;
	struct {
		size_t source; /* number of its log source */
		struct random_item items[RANDOM_ITEMS];
		size_t n;
	} rules[RANDOM_RULES];
	size_t n;
	struct random_item *item; /* being made */
	bool odd; /* modifiers in any mix */
};

/* Documents with one value a line; rule i has the id that random_id() says. */
void random_rules(struct random_set *s, uint64_t seed, struct buf *yaml);
void random_id(size_t i, char to[static 40]);
/* One <Event>, one field a line, aimed at rule i. */
void random_event(struct random_set *s, size_t i, struct buf *xml);
/* placeholders.yml for the rules, and the same as a table: name, then values, NULL at the end. */
const char *random_placeholders(void);

/* -- random_value.c: a value as YAML, and a text that it matches -- */
enum random_kind { RANDOM_TEXT, RANDOM_NUMBER, RANDOM_REGEX, RANDOM_NET, RANDOM_TIME };
void random_text(struct random *r, char *to, size_t n, size_t longest); /* of few letters */
/* A Sigma string with escapes and wildcards, and one that it matches. */
void random_sigma_text(struct random *r, bool wild, char *to, size_t n, char *like, size_t like_n);
void random_regex(struct random *r, char *to, size_t n, char *like, size_t like_n);
void random_number(struct random *r, char *to, size_t n, char *like, size_t like_n);
void random_net(struct random *r, char *to, size_t n, char *like, size_t like_n);
void random_time(struct random *r, char *to, size_t n);
void random_near(struct random *r, char *text, size_t n); /* another case, a letter more or less, blanks at the end */
void random_wrap(struct random *r, char *text, size_t n); /* much other text around it */
void yaml_scalar(struct buf *b, const char *text); /* quoted */
void xml_text(struct buf *b, const char *text);

#endif
