/* loader.h - what the files that read YAML in this room share: where they are, and how they tell what is wrong. Private. */
#ifndef EVMEND_RULES_LOADER_H
#define EVMEND_RULES_LOADER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/yaml.h"
#include "event/names.h"
#include "rules/ruleset.h"

struct placeholders;
struct loader {
	const struct yaml_file *file;
	const char *path; /* lives as long as the ruleset */
	struct arena *arena; /* of the ruleset */
	struct names *names;
	struct placeholders *placeholders; /* NULL: none are defined */
	void (*report)(void *arg, const struct rule_problem *p);
	void *arg;
	size_t refused, warned;
	const struct yaml_node *doc; /* the document at hand, for problems to name; NULL */
	const struct yaml_node *allow; /* `evmend: allow:` of the document at hand: lints that it waives; NULL */
};

/* Reports a problem at the node (NULL: at the file). Returns false, so that `return refuse(...)` is one line. */
bool refuse(struct loader *l, const struct yaml_node *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool refuse_as(struct loader *l, enum lint lint, const struct yaml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same for a rule that was read before, at a line of its file. */
bool refuse_at(struct loader *l, const struct rule *r, int line, enum lint lint, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* A problem without text, at the place where a rule that was read begins. */
struct rule_problem problem_of(const struct rule *r, enum lint lint);
/* Reports what is likely to be regretted, unless the document waives it. */
void warn_as(struct loader *l, enum lint lint, const struct yaml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define warn_at(l, at, ...) warn_as(l, LINT_NOTE, at, __VA_ARGS__)
/* Copy into the ruleset's arena; NULL gives "". */
const char *keep(struct loader *l, const struct yaml_node *scalar);
/* A scalar, or a list of scalars, as a list. false and a problem when it is neither or empty. */
bool texts(struct loader *l, const struct yaml_node *n, const char *key, const char *const **to, size_t *count);
/* "unknown WHAT 'name'; did you mean 'x'?", or all the names that there are (they end with NULL). */
bool refuse_unknown(struct loader *l, enum lint lint, const struct yaml_node *at, const char *what, const char *name,
	const char *const *names);
/* Every key of map is one of known (ends with NULL); each other one is told. */
bool only_keys(struct loader *l, const struct yaml_node *map, const char *what, const char *const *known);
/* Were all of them true? Parts of a rule are read into such a list, so that everything that is wrong is told. */
bool all_good(const bool *good, size_t n);
/* A value that is true or false; NULL node: *to is left. */
bool flag(struct loader *l, const struct yaml_node *n, const char *key, bool *to);
/* Id of a field name; 0 and a problem at the limit. */
uint16_t field_id(struct loader *l, const struct yaml_node *at, const char *name);

#endif
