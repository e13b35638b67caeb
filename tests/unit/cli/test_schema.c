/* test_schema.c - docs/schema: the keys and words of the schemas are those of the program.
 *
 * The program is asked, not its source: an unknown key or word is put at each place, and its message names all that are known there. */
#include "unit/rules/events.h"

#include "base/json.h"
#include "proc/config.h"

static struct json *schema(const char *path)
{
	struct buf b;
	struct err e = {0};
	struct json *j;

	buf_init(&b, 1u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &e), 0);
	j = json_parse(buf_text(&b), b.n, &e);
	if (!j)
		print_error("%s: %s\n", path, e.text);
	assert_non_null(j);
	buf_free(&b);
	return j;
}

/* "a/b/0": members and places. */
static const struct json *at(const struct json *j, const char *path)
{
	char key[64];

	for (size_t n; *path && j; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		snprintf(key, sizeof key, "%.*s", (int)n, path);
		j = json_is_array(j) ? json_at(j, (size_t)(key[0] - '0')) : json_get(j, key);
	}
	return j;
}

struct words {
	char all[2000]; /* ", a, b," */
	size_t n;
};

static int add_key(void *arg, const char *key, const struct json *value)
{
	struct words *w = arg;
	size_t used = strlen(w->all);

	(void)value;
	snprintf(w->all + used, sizeof w->all - used, "%s, ", key);
	w->n++;
	return 0;
}

/* Keys of an object, or the texts of a list (an enum). */
static void words_of(const struct json *j, struct words *w)
{
	snprintf(w->all, sizeof w->all, ", ");
	w->n = 0;
	json_each(j, add_key, w);
	for (size_t i = 0; i < json_len(j); i++)
		add_key(w, json_str(json_at(j, i), "?"), NULL);
}

/* Everything behind "known are " stands in w, and nothing else does. */
static void same_words(const char *where, const char *message, const struct words *w)
{
	const char *p = strstr(message, "known are ");
	size_t n = 0;

	if (!p) {
		fail_msg("%s: no list of what is known in: %s", where, message);
		return;
	}
	for (p += 10; *p; n++) {
		size_t len = strcspn(p, ",");
		char word[100];

		snprintf(word, sizeof word, ", %.*s, ", (int)len, p);
		if (!strstr(w->all, word))
			fail_msg("%s: the program knows '%.*s', the schema does not", where, (int)len, p);
		p += len;
		p += strspn(p, ", ");
	}
	if (n != w->n)
		fail_msg("%s: the program knows %zu words, the schema has %zu: %s", where, n, w->n, w->all);
}

#define HEAD "title: T\nname: t\nlogsource: {product: windows}\ndetection: {s: {EventID: 1}, condition: s}\n"
#define UNKNOWN "zzzzzzzzzzzz"

static const struct {
	const char *yaml, *path;
} rule_places[] = {
	{"title: T\nname: t\nlogsource: {" UNKNOWN ": 1}\ndetection: {s: {EventID: 1}, condition: s}\n", "definitions/logsource/properties"},
	{HEAD "evmend: {" UNKNOWN ": 1}\n", "definitions/evmend/properties"},
	{HEAD "evmend: {cause: " UNKNOWN "}\n", "definitions/evmend/properties/cause/enum"},
	{HEAD "evmend: {consequence_of: " UNKNOWN "}\n", "definitions/evmend/properties/consequence_of/enum"},
	{HEAD "evmend: {then: " UNKNOWN "}\n", "definitions/evmend/properties/then/oneOf/0/enum"},
	{HEAD "evmend: {then: " UNKNOWN "}\n", "definitions/evmend/properties/then/oneOf/1/items/enum"},
	{HEAD "evmend: {seen: " UNKNOWN "}\n", "definitions/evmend/properties/seen/oneOf/0/enum"},
	{HEAD "evmend: {seen: " UNKNOWN "}\n", "definitions/evmend/properties/seen/oneOf/1/items/enum"},
	{"title: T\nname: t\ncorrelation: {" UNKNOWN ": 1}\n", "definitions/correlation/properties"},
	{"title: T\nname: t\ncorrelation: {type: " UNKNOWN "}\n", "definitions/correlation/properties/type/enum"},
	{"title: T\nname: t\ncorrelation: {type: event_count, rules: a, timespan: 1m, condition: {" UNKNOWN ": 1}}\n",
		"definitions/bounds/properties"},
};

static void rules_and_their_schema_know_the_same(void **state)
{
	struct json *j = schema("docs/schema/rule.schema.json");

	(void)state;
	for (size_t i = 0; i < sizeof rule_places / sizeof rule_places[0]; i++) {
		struct problems p;
		struct words w;

		size_t k = 0;

		ruleset_free(rules_of(rule_places[i].yaml, &p));
		while (k + 1 < p.n && !strstr(p.text[k], UNKNOWN))
			k++;
		assert_true(p.n > 0);
		words_of(at(j, rule_places[i].path), &w);
		same_words(rule_places[i].path, p.text[k], &w);
	}
	json_free(j);
}

/* The names of modifiers stand in a pattern; other spellings of the same are known as well. */
static void modifiers_are_the_same(void **state)
{
	static const char *const others[] = {"ignorecase", "multiline", "dotall", "utf16le"};
	struct json *j = schema("docs/schema/rule.schema.json");
	const char *pattern = json_str(at(j, "definitions/items/propertyNames/pattern"), ""), *open = strstr(pattern, "(\\|(");
	struct words w = {.all = ", "};
	struct problems p;

	(void)state;
	assert_non_null(open);
	for (const char *s = open + 4; *s && *s != ')'; s += strspn(s, "|")) {
		char word[40];
		bool other = false;

		snprintf(word, sizeof word, "%.*s", (int)strcspn(s, "|)"), s);
		for (size_t i = 0; i < 4; i++)
			other = other || strcmp(word, others[i]) == 0;
		if (!other)
			add_key(&w, word, NULL);
		s += strlen(word);
	}
	ruleset_free(rules_of("title: T\nname: t\nlogsource: {product: windows}\ndetection: {s: {'A|" UNKNOWN "': 1}, condition: s}\n", &p));
	same_words("modifiers", p.text[0], &w);
	json_free(j);
}

/* Waivers and levels: lists that other tests hold against the program already. */
static void checks_and_levels_are_the_same(void **state)
{
	struct json *j = schema("docs/schema/rule.schema.json");
	const struct json *allow = at(j, "definitions/evmend/properties/allow/oneOf/0/enum"), *levels = at(j, "properties/level/enum");
	struct words w;
	size_t warnings = 0;

	(void)state;
	words_of(allow, &w);
	for (size_t i = 0; i < LINT_COUNT; i++) {
		char word[64];

		snprintf(word, sizeof word, ", %s, ", lint_kinds[i].id);
		if (!lint_kinds[i].error != (strstr(w.all, word) != NULL))
			fail_msg("docs/schema/rule.schema.json: allow and '%s'", lint_kinds[i].id);
		warnings += !lint_kinds[i].error;
	}
	assert_int_equal(w.n, warnings);
	assert_int_equal(json_len(at(j, "definitions/evmend/properties/allow/oneOf/1/items/enum")), warnings);
	assert_int_equal(json_len(levels), 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(json_str(json_at(levels, i), ""), level_text((enum rule_level)i));
	json_free(j);
}

#define WINDOW "properties/remedies/properties/exchange_backend/properties/"

static const struct {
	const char *yaml, *path;
} config_places[] = {
	{UNKNOWN ": 1\n", "properties"},
	{"sources: [{" UNKNOWN ": 1}]\n", "properties/sources/items/properties"},
	{"sources: [{name: a, path: x, forward: {" UNKNOWN ": 1}}]\n", "properties/sources/items/properties/forward/oneOf/1/properties"},
	{"hosts: [{" UNKNOWN ": 1}]\n", "properties/hosts/items/properties"},
	{"remedies: {" UNKNOWN ": 1}\n", "properties/remedies/properties"},
	{"remedies: {exchange_backend: {" UNKNOWN ": 1}}\n", "properties/remedies/properties/exchange_backend/properties"},
	{"remedies: {exchange_backend: {limits: {" UNKNOWN ": 1}}}\n", WINDOW "limits/properties"},
	{"remedies: {exchange_backend: {blast_radius: {" UNKNOWN ": 1}}}\n", WINDOW "blast_radius/properties"},
	{"remedies: {exchange_backend: {windows: [{" UNKNOWN ": 1}]}}\n", WINDOW "windows/items/properties"},
	{"times: {" UNKNOWN ": 1}\n", "properties/times/properties"},
	{"caps: {" UNKNOWN ": 1}\n", "properties/caps/properties"},
	{"caps: {findings_per_rule_host: {" UNKNOWN ": 1}}\n", "properties/caps/properties/findings_per_rule_host/properties"},
};

static void the_configuration_and_its_schema_know_the_same(void **state)
{
	struct json *j = schema("docs/schema/config.schema.json");

	(void)state;
	for (size_t i = 0; i < sizeof config_places / sizeof config_places[0]; i++) {
		char text[400];
		struct words w;
		struct err e = {0};

		snprintf(text, sizeof text, "state_dir: s\n%s", config_places[i].yaml);
		assert_null(config_parse("c.yaml", text, strlen(text), &e));
		words_of(at(j, config_places[i].path), &w);
		same_words(config_places[i].path, e.text, &w);
	}
	json_free(j);
}

/* Each kind of receiver has keys of its own; the schema has them all in one list. */
static void sinks_and_their_schema_know_the_same(void **state)
{
	struct json *j = schema("docs/schema/config.schema.json");
	struct words w, all = {.all = ", "};

	(void)state;
	words_of(at(j, "properties/sinks/items/properties"), &w);
	for (int kind = 0; kind < SINK_KINDS; kind++) {
		char text[200], word[100];
		struct err e = {0};
		const char *p;

		snprintf(text, sizeof text, "state_dir: s\nrules: r\ntables: r\nsinks: [{kind: %s, " UNKNOWN ": 1}]\n", sink_kind_text(kind));
		assert_null(config_parse("c.yaml", text, strlen(text), &e));
		p = strstr(e.text, "known are ");
		if (!p)
			fail_msg("%s: %s", text, e.text);
		for (p += 10; *p; p += strspn(p, ", ")) {
			size_t len = strcspn(p, ",");

			snprintf(word, sizeof word, ", %.*s, ", (int)len, p);
			if (!strstr(w.all, word))
				fail_msg("kind %s: the schema does not know '%.*s'", sink_kind_text(kind), (int)len, p);
			if (!strstr(all.all, word)) {
				snprintf(word, sizeof word, "%.*s", (int)len, p);
				add_key(&all, word, NULL);
			}
			p += len;
		}
	}
	if (all.n != w.n)
		fail_msg("the program knows %s the schema %s", all.all, w.all);
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_their_schema_know_the_same),
		cmocka_unit_test(modifiers_are_the_same),
		cmocka_unit_test(checks_and_levels_are_the_same),
		cmocka_unit_test(the_configuration_and_its_schema_know_the_same),
		cmocka_unit_test(sinks_and_their_schema_know_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
