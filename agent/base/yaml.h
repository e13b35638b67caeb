/* yaml.h - YAML files as a tree (libyaml behind it): UTF-8, with or without a byte order mark; UTF-16 is refused.
 *
 * Every node knows its line and column (from 1). Scalars keep their text and whether they stood plain (unquoted), so
 * that the reader can decide on types: sigma.md section 1. Refused, with the line: duplicate keys, aliases,
 * anchors, tags, a tree deeper than 64, a file above LIMIT_YAML_BYTES, keys that are not scalars. */
#ifndef EVMEND_BASE_YAML_H
#define EVMEND_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool plain;  /* a scalar without quotes */
	int line, column;
	const char *text; /* scalar: UTF-8, NUL behind it */
	size_t len;
	size_t n;                 /* list and map: how many */
	struct yaml_node **items; /* list: values; map: values */
	struct yaml_node **keys;  /* map: scalars */
};

struct yaml_file {
	char *path; /* as given, for messages */
	size_t n;   /* documents */
	struct yaml_node **documents; /* NULL entry: an empty document */
	struct arena *arena;
};

struct yaml_file *yaml_read(const char *path, struct err *e);
struct yaml_file *yaml_parse(const char *name, const char *text, size_t n, struct err *e);
void yaml_free(struct yaml_file *f); /* libyaml has one of this name for itself: ours stays hidden from it (-fvisibility=hidden) */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL: absent, or not a map */
bool yaml_is_null(const struct yaml_node *n); /* NULL, or plain null, ~ or nothing */
/* Typed reads: -1 and *e ("PATH:LINE:COLUMN: KEY must be ...") when the node is of another kind. NULL node: *out is left. */
int yaml_str(const struct yaml_file *f, const struct yaml_node *n, const char *key, const char **out, struct err *e);
int yaml_int(const struct yaml_file *f, const struct yaml_node *n, const char *key, int64_t min, int64_t max, int64_t *out,
	     struct err *e);
int yaml_bool(const struct yaml_file *f, const struct yaml_node *n, const char *key, bool *out, struct err *e);
int yaml_span(const struct yaml_file *f, const struct yaml_node *n, const char *key, int64_t *us, struct err *e);
/* Every key of the map must be one of known (ends with NULL); else "unknown key 'x'; did you mean 'y'?". */
int yaml_known(const struct yaml_file *f, const struct yaml_node *map, const char *const *known, struct err *e);
/* "PATH:LINE:COLUMN: " + text. Returns -1. */
int yaml_err(const struct yaml_file *f, const struct yaml_node *at, struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* "0.2.5", for `evmend version`. */
const char *yaml_library(void);

#endif
