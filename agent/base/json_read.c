/* json_read.c - reading JSON with jansson.
 *
 * Promises: a tree whose getters never fail: what is missing or of another kind is the caller's default.
 * Refuses: more than LIMIT_JSON_BYTES, depth above LIMIT_DEPTH (looked for before the parser recurses), duplicate keys,
 * \u0000 in strings, text behind the value. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Our names for these questions are jansson's macros; here and everywhere else they are ours. */
#undef json_is_null
#undef json_is_object
#undef json_is_array
#undef json_is_string

#include "base/clock.h"
#include "base/json.h"
#include "base/json_fast.h"
#include "limits.h"

static const json_t *in(const struct json *j)
{
	return (const json_t *)j;
}

static const struct json *out(const json_t *j)
{
	return (const struct json *)j;
}

/* jansson recurses up to 2048 deep and has no setting for less. */
static bool too_deep(const char *s, size_t n)
{
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = false;
		} else if (s[i] == '"') {
			quoted = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > LIMIT_DEPTH)
				return true;
		} else if ((s[i] == '}' || s[i] == ']') && depth) {
			depth--;
		}
	}
	return false;
}

struct json *json_parse(const char *text, size_t n, struct err *e)
{
	return json_parse_max(text, n, LIMIT_JSON_BYTES, e);
}

struct json *json_parse_max(const char *text, size_t n, size_t max, struct err *e)
{
	json_error_t error;
	json_t *j;

	if (n > max) {
		err_set(e, ERR_IO, "JSON of %zu bytes; at most %zu are read", n, max);
		return NULL;
	}
	if (too_deep(text, n)) {
		err_set(e, ERR_IO, "JSON is nested deeper than %d", LIMIT_DEPTH);
		return NULL;
	}
	j = json_fast(text, n);
	if (j)
		return (struct json *)j;
	j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!j)
		err_set(e, ERR_IO, "no valid JSON, line %d column %d: %s", error.line, error.column, error.text);
	return (struct json *)j;
}

void json_free(struct json *j)
{
	json_decref((json_t *)j);
}

const struct json *json_get(const struct json *object, const char *key)
{
	return object ? out(json_object_get(in(object), key)) : NULL;
}

size_t json_len(const struct json *array)
{
	return array ? json_array_size(in(array)) : 0;
}

const struct json *json_at(const struct json *array, size_t i)
{
	return array ? out(json_array_get(in(array), i)) : NULL;
}

const char *json_str(const struct json *j, const char *otherwise)
{
	return json_is_string(j) ? json_string_value(in(j)) : otherwise;
}

int64_t json_int(const struct json *j, int64_t otherwise)
{
	return j && json_typeof(in(j)) == JSON_INTEGER ? json_integer_value(in(j)) : otherwise;
}

int64_t json_time(const struct json *j)
{
	const char *s = json_str(j, "");
	int64_t us;

	return time_parse(s, strlen(s), &us) ? us : 0;
}

bool json_bool(const struct json *j, bool otherwise)
{
	if (!j || (json_typeof(in(j)) != JSON_TRUE && json_typeof(in(j)) != JSON_FALSE))
		return otherwise;
	return json_typeof(in(j)) == JSON_TRUE;
}

bool json_is_null(const struct json *j)
{
	return !j || json_typeof(in(j)) == JSON_NULL;
}

bool json_is_object(const struct json *j)
{
	return j && json_typeof(in(j)) == JSON_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && json_typeof(in(j)) == JSON_ARRAY;
}

bool json_is_string(const struct json *j)
{
	return j && json_typeof(in(j)) == JSON_STRING;
}

int json_each(const struct json *object, int (*each)(void *arg, const char *key, const struct json *value), void *arg)
{
	/* An iterator is only read here, but jansson asks for an object it may change. */
	json_t *o = (json_t *)(uintptr_t)object;

	if (!json_is_object(object))
		return 0;
	for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at)) {
		int stop = each(arg, json_object_iter_key(at), out(json_object_iter_value(at)));

		if (stop)
			return stop;
	}
	return 0;
}

static int put_member(void *arg, const char *key, const struct json *v)
{
	json_put(arg, key, v);
	return 0;
}

void json_put(struct json_out *o, const char *key, const struct json *v)
{
	char number[40];

	if (json_is_object(v)) {
		json_open(o, key, '{');
		json_each(v, put_member, o);
		json_close(o, '}');
	} else if (json_is_array(v)) {
		json_open(o, key, '[');
		for (size_t i = 0; i < json_len(v); i++)
			json_put(o, NULL, json_at(v, i));
		json_close(o, ']');
	} else if (json_is_string(v)) {
		json_put_strn(o, key, json_string_value(in(v)), json_string_length(in(v)));
	} else if (json_is_null(v)) {
		json_put_null(o, key);
	} else if (json_typeof(in(v)) == JSON_INTEGER) {
		json_put_int(o, key, json_int(v, 0));
	} else if (json_typeof(in(v)) == JSON_REAL) {
		snprintf(number, sizeof number, "%.17g", json_real_value(in(v)));
		json_put_raw(o, key, number);
	} else {
		json_put_bool(o, key, json_bool(v, false));
	}
}

const char *json_library(void)
{
	return "jansson " JANSSON_VERSION;
}
