/* json.h - reading JSON (jansson behind it) and writing it (ours: it is on the hot path).
 *
 * Reading: a tree owned by json_free; strings and nodes live as long as the tree. Getters take NULL and wrong kinds
 * and answer with the default, so that a missing member needs no special case. Limits: depth 64, duplicate keys refused.
 *
 * Writing: commas and quotes are the writer's business. Strings may hold any bytes: control characters are escaped,
 * NUL and invalid UTF-8 become U+FFFD. */
#ifndef EVMEND_BASE_JSON_H
#define EVMEND_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct json;

struct json *json_parse(const char *text, size_t n, struct err *e); /* NULL and *e on bad input */
struct json *json_parse_max(const char *text, size_t n, size_t max, struct err *e); /* another ceiling than LIMIT_JSON_BYTES */
void json_free(struct json *j);
const struct json *json_get(const struct json *object, const char *key); /* NULL when there is none */
size_t json_len(const struct json *array);                               /* 0 for anything else */
const struct json *json_at(const struct json *array, size_t i);
const char *json_str(const struct json *j, const char *otherwise);
int64_t json_int(const struct json *j, int64_t otherwise);
bool json_bool(const struct json *j, bool otherwise);
int64_t json_time(const struct json *j);    /* us, of a text as json_put_time writes it; 0 for anything else */
bool json_is_null(const struct json *j);   /* true for NULL as well */
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
bool json_is_string(const struct json *j);
/* Calls each member in the order of the text; non-zero ends it and is returned. */
int json_each(const struct json *object, int (*each)(void *arg, const char *key, const struct json *value), void *arg);

struct json_out {
	struct buf *to;
	unsigned depth;
	bool need_comma;
	int64_t time; /* the last one written, and how: the times of one record are often the same. 0: none yet */
	char time_text[32];
};

void json_begin(struct json_out *o, struct buf *to);
/* key is NULL inside an array and at the top. */
void json_open(struct json_out *o, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_out *o, char bracket);                 /* '}' or ']' */
void json_put_str(struct json_out *o, const char *key, const char *value); /* NULL value: null */
void json_put_strn(struct json_out *o, const char *key, const char *value, size_t n);
void json_put_int(struct json_out *o, const char *key, int64_t value);
void json_put_real(struct json_out *o, const char *key, double value, int digits); /* fixed notation, that many decimals */
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_null(struct json_out *o, const char *key);
void json_put_time(struct json_out *o, const char *key, int64_t us); /* as time_text; 0: null */
void json_put(struct json_out *o, const char *key, const struct json *v); /* a value that was read, written again */
void json_put_raw(struct json_out *o, const char *key, const char *json); /* already JSON, trusted */
/* "jansson 2.14", for `evmend version`. */
const char *json_library(void);

#endif
