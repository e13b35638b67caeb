/* test_format_schema.c - names and kinds of values against what the schemas publish (each list in tests/data/formats says which version it is, and
 * whence). */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "lib/check.h"
#include "lib/format_parsers.h"
#include "lib/format_records.h"
#include "ship/formats.h"
#include "ship/mapping.h"

#define WORDS 40

/* A file of lines of words; '#' begins a comment. */
struct table {
	struct buf text;
	struct line {
		char *words[WORDS];
		size_t n;
	} *lines;
	size_t n;
};

static void add_line(struct table *t, char *s)
{
	struct line *l;
	char *save = NULL;

	if (!*s || *s == '#')
		return;
	t->lines = realloc(t->lines, (t->n + 1) * sizeof *t->lines);
	assert_non_null(t->lines);
	l = &t->lines[t->n++];
	l->n = 0;
	for (char *w = strtok_r(s, " ", &save); w && l->n < WORDS; w = strtok_r(NULL, " ", &save))
		l->words[l->n++] = w;
}

static void table_read(struct table *t, const char *name)
{
	char path[100];
	struct err e;

	*t = (struct table){ 0 };
	snprintf(path, sizeof path, "tests/data/formats/%s.txt", name);
	buf_init(&t->text, 1u << 20);
	if (file_read(&os_file, path, &t->text, &e) < 0)
		fail_msg("%s", e.text);
	for (char *s = t->text.p, *end; s && *s; s = end) {
		end = strchr(s, '\n');
		if (end)
			*end++ = '\0';
		add_line(t, s);
		if (!end)
			break;
	}
	assert_true(t->n > 5);
}

static void table_free(struct table *t)
{
	free(t->lines);
	buf_free(&t->text);
}

static const struct line *table_find(const struct table *t, const char *first)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->lines[i].words[0], first))
			return &t->lines[i];
	return NULL;
}

static bool has_word(const struct line *l, const char *word)
{
	for (size_t i = 1; i < l->n; i++)
		if (!strcmp(l->words[i], word))
			return true;
	return false;
}

static const char *const no_labels[] = { "site=Berlin" };
static const struct sink_config config = { .name = "s", .labels = no_labels, .n_labels = 1 };

static struct json *written(format_fn *format, const struct record_view *v)
{
	struct json *j;
	struct err e;
	struct buf b;

	buf_init(&b, 1u << 20);
	format(&config, v, FORMAT_ANY, &b);
	j = json_parse(b.p, b.n, &e); /* refuses a key that comes twice */
	if (!j)
		fail_msg("%s", e.text);
	buf_free(&b);
	return j;
}

/* ---- tables ---- */

static bool starts(const char *s, const char *prefix, size_t n)
{
	return strncmp(s, prefix, n) == 0;
}

/* Rows of one object stand together: else it would be written twice. */
static void check_order(const struct map_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *to = rows[i].to;

		for (size_t k = 1; to[k]; k++) {
			bool left = false;

			if (to[k - 1] != '.')
				continue;
			for (size_t j = i + 1; j < n; j++) {
				bool in = starts(rows[j].to, to, k);

				if (in && left)
					fail_msg("%s stands apart from %s", rows[j].to, to);
				left = left || !in;
			}
		}
	}
}

/* A row takes something, and no other row of that name can take the same record. */
static void check_rows(const struct map_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct map_row *r = &rows[i];

		assert_int_equal((r->from != NULL) + (r->fixed != NULL) + (r->fact != FACT_NONE) + (r->own != NULL), 1);
		assert_true(r->kinds != 0 && (r->kinds & ~(unsigned)MAP_ALL) == 0);
		assert_true(!r->sorts || r->kinds == MAP_E);
		for (size_t j = i + 1; j < n; j++)
			if (!strcmp(rows[j].to, r->to) && rows[j].kinds & r->kinds && (!r->sorts || !rows[j].sorts || rows[j].sorts & r->sorts) &&
			    !(r->as == AS_IP4 && rows[j].as == AS_IP6))
				fail_msg("%s is there twice", r->to);
	}
}

static void rows_are_in_order(void **state)
{
	static const struct map_flat *const flat[] = { &cef_flat, &leef_flat, &rfc5424_flat };

	(void)state;
	check_order(ecs_rows, ecs_rows_n);
	check_order(ocsf_rows, ocsf_rows_n);
	check_rows(ecs_rows, ecs_rows_n);
	check_rows(ocsf_rows, ocsf_rows_n);
	check_rows(otlp_rows, otlp_rows_n);
	check_rows(chat_rows, chat_rows_n);
	for (size_t i = 0; i < 3; i++)
		check_rows(flat[i]->rows, flat[i]->n);
}

/* docs/formats.md has each row. */
static void check_documented(const struct buf *page, const struct map_row *r)
{
	char to[100], from[100];

	snprintf(to, sizeof to, "| `%s`", r->to);
	snprintf(from, sizeof from, " | `%s` |", r->from ? r->from : "");
	for (const char *at = buf_text(page); (at = strstr(at, to)) != NULL; at += strlen(to)) {
		const char *end = strchr(at, '\n'), *has = strstr(at, from);

		if (!r->from || (has && end && has < end))
			return;
	}
	fail_msg("docs/formats.md has no row %s from %s", r->to, r->from ? r->from : "what is worked out");
}

static void the_page_shows_the_tables(void **state)
{
	static const struct map_flat *const flat[] = { &cef_flat, &leef_flat, &rfc5424_flat };
	struct buf page;
	struct err e;

	(void)state;
	buf_init(&page, 1u << 20);
	assert_int_equal(file_read(&os_file, "docs/formats.md", &page, &e), 0);
	for (size_t i = 0; i < ecs_rows_n; i++)
		check_documented(&page, &ecs_rows[i]);
	for (size_t i = 0; i < ocsf_rows_n; i++)
		check_documented(&page, &ocsf_rows[i]);
	for (size_t i = 0; i < otlp_rows_n; i++)
		check_documented(&page, &otlp_rows[i]);
	for (size_t i = 0; i < chat_rows_n; i++)
		check_documented(&page, &chat_rows[i]);
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < flat[i]->n; k++)
			check_documented(&page, &flat[i]->rows[k]);
	buf_free(&page);
}

/* ---- ECS ---- */

static bool own_namespace(const char *path)
{
	return text_starts(path, "evmend.") || text_starts(path, "winlog.") || text_starts(path, "labels.");
}

static void check_ecs_value(const struct line *l, const struct json *v)
{
	const char *type = l->words[1], *s = json_str(v, NULL);
	unsigned char bytes[16];
	int64_t us;

	if (!strcmp(type, "long") || !strcmp(type, "float"))
		assert_int_equal(json_int(v, 1), json_int(v, 2)); /* it is a number */
	else if (!strcmp(type, "boolean"))
		assert_int_equal(json_bool(v, true), json_bool(v, false));
	else if (!s)
		fail_msg("%s is no text", l->words[0]);
	else if (!strcmp(type, "date"))
		assert_true(time_parse(s, strlen(s), &us));
	else if (!strcmp(type, "ip"))
		assert_true(inet_pton(AF_INET, s, bytes) == 1 || inet_pton(AF_INET6, s, bytes) == 1);
	else if (strcmp(type, "keyword") != 0 && strcmp(type, "wildcard") != 0 && strcmp(type, "match_only_text") != 0)
		fail_msg("%s: type %s", l->words[0], type);
}

struct ecs {
	const struct table *schema;
	char path[200];
	size_t leaves;
};

static int ecs_member(void *arg, const char *key, const struct json *v)
{
	struct ecs *e = arg;
	size_t was = strlen(e->path);
	const struct line *l;

	snprintf(e->path + was, sizeof e->path - was, "%s%s", was ? "." : "", key);
	if (own_namespace(e->path)) {
		;
	} else if (json_is_object(v)) {
		json_each(v, ecs_member, e);
	} else {
		l = table_find(e->schema, e->path);
		if (!l)
			fail_msg("ECS has no field %s", e->path);
		if (json_is_array(v) != has_word(l, "array"))
			fail_msg("%s: one value or several", e->path);
		assert_true(!json_is_array(v) || json_len(v) > 0);
		for (size_t i = 0; i < json_len(v); i++)
			check_ecs_value(l, json_at(v, i));
		if (!json_is_array(v))
			check_ecs_value(l, v);
		e->leaves++;
	}
	e->path[was] = '\0';
	return 0;
}

/* "= event.kind alert": the values that a field may have. */
static const struct line *allowed(const struct table *t, const char *field, const char *value)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->lines[i].words[0], "=") && !strcmp(t->lines[i].words[1], field) && !strcmp(t->lines[i].words[2], value))
			return &t->lines[i];
	return NULL;
}

static bool expected(const struct line *category, const char *type)
{
	const char *at = category->n > 3 ? strstr(category->words[3], type) : NULL;
	size_t n = strlen(type);

	return at && (at == category->words[3] || at[-1] == ',') && (!at[n] || at[n] == ',');
}

static void check_categories(const struct table *t, const struct json *event)
{
	const struct json *categories = json_get(event, "category"), *types = json_get(event, "type");
	const char *outcome = json_str(json_get(event, "outcome"), "");

	assert_non_null(allowed(t, "event.kind", json_str(json_get(event, "kind"), "")));
	assert_true(!*outcome || allowed(t, "event.outcome", outcome));
	for (size_t i = 0; i < json_len(types); i++) {
		const char *type = json_str(json_at(types, i), "");
		bool any = false;

		assert_non_null(allowed(t, "event.type", type));
		for (size_t k = 0; k < json_len(categories); k++) {
			const struct line *l = allowed(t, "event.category", json_str(json_at(categories, k), ""));

			assert_non_null(l);
			any = any || expected(l, type);
		}
		if (!any)
			fail_msg("event.type %s is not expected with its categories", type);
	}
}

static void ecs_record(const char *name, const struct record_view *v, void *arg)
{
	struct ecs e = { .schema = arg };
	struct json *j = written(format_ecs, v);

	(void)name;
	json_each(j, ecs_member, &e);
	assert_true(e.leaves >= 15);
	check_categories(arg, json_get(j, "event"));
	assert_string_equal(json_str(json_get(json_get(j, "ecs"), "version"), ""), "8.11.0");
	json_free(j);
}

static void ecs_has_the_names_and_types_of_8_11(void **state)
{
	struct table t;

	(void)state;
	table_read(&t, "ecs-8.11");
	for (size_t i = 0; i < ecs_rows_n; i++)
		if (!own_namespace(ecs_rows[i].to) && strcmp(ecs_rows[i].to, "labels") != 0 && !table_find(&t, ecs_rows[i].to))
			fail_msg("ECS has no field %s", ecs_rows[i].to);
	each_format_record(ecs_record, &t);
	table_free(&t);
}

/* event_kinds.c has words that no record here uses: all of them, by a record made of each. */
static void categories_of_events_are_ecs(void **state)
{
	static const int ids[] = { 104, 1102, 4624, 4625, 4634, 4647, 4648, 4688, 4689, 4697, 4698, 4699, 4702, 4720, 4722, 4723, 4724, 4725, 4726, 4728,
		4729, 4732, 4733, 4738, 4740, 4756, 4757, 4767, 4768, 4769, 4776, 7045, 1, 3, 5, 11, 12, 13, 22, 23 };
	static const char *const providers[] = { "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Eventlog", "Service Control Manager",
		"Microsoft-Windows-Sysmon" };
	struct table t;
	size_t known = 0;

	(void)state;
	table_read(&t, "ecs-8.11");
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		for (size_t k = 0; k < 4; k++) {
			struct spool_record r;
			struct record_view v;
			char json[200];
			int n = snprintf(json, sizeof json, "{\"kind\":\"event\",\"host\":\"h\",\"provider\":\"%s\",\"event_id\":%d}", providers[k], ids[i]);

			format_record_view(&v, &r, RECORD_EVENT, json, (size_t)n);
			if (event_kind_of(&v)) {
				known++;
				ecs_record("made", &v, &t);
			}
			view_close(&v);
		}
	assert_int_equal(known, sizeof ids / sizeof ids[0]);
	table_free(&t);
}

/* ---- OCSF ---- */

struct ocsf {
	const struct table *schema;
	size_t from, to; /* lines of the class or object */
	size_t depth;
};

static bool section(const struct table *t, const char *what, const char *name, struct ocsf *o)
{
	o->schema = t;
	for (size_t i = 0; i < t->n; i++) {
		const struct line *l = &t->lines[i];

		if (strcmp(l->words[0], what) != 0 || strcmp(l->words[l->n - 1], name) != 0)
			continue;
		o->from = i + 1;
		for (o->to = o->from; o->to < t->n && strcmp(t->lines[o->to].words[0], "class") != 0 && strcmp(t->lines[o->to].words[0], "object") != 0;)
			o->to++;
		return true;
	}
	return false;
}

static void check_object(const struct table *t, const char *name, const struct json *j, size_t depth);

static void check_ocsf_value(const struct table *t, const struct line *l, const struct json *v, size_t depth)
{
	const char *type = l->words[1];
	char word[24];

	if (!strcmp(type, "object_t")) {
		assert_true(json_is_object(v));
		if (strcmp(l->words[2], "object") != 0)
			check_object(t, l->words[2], v, depth + 1);
	} else if (!strcmp(type, "integer_t") || !strcmp(type, "long_t") || !strcmp(type, "timestamp_t")) {
		if (json_int(v, 1) != json_int(v, 2))
			fail_msg("%s is no number", l->words[0]);
	} else if (!strcmp(type, "boolean_t")) {
		assert_int_equal(json_bool(v, true), json_bool(v, false));
	} else if (strcmp(type, "json_t") != 0) {
		if (!json_is_string(v))
			fail_msg("%s is no text", l->words[0]);
	}
	for (size_t i = 2; i + 1 < l->n; i++)
		if (!strcmp(l->words[i], "enum")) {
			struct line values = { .n = 0 };
			char copy[200], *save = NULL;

			text_copy(copy, sizeof copy, l->words[i + 1]);
			values.words[values.n++] = copy;
			for (char *w = strtok_r(copy, ",", &save); w && values.n < WORDS; w = strtok_r(NULL, ",", &save))
				values.words[values.n++] = w;
			snprintf(word, sizeof word, "%lld", (long long)json_int(v, -1));
			if (!has_word(&values, word))
				fail_msg("%s: %s is not one of %s", l->words[0], word, l->words[i + 1]);
		}
}

static int ocsf_member(void *arg, const char *key, const struct json *v)
{
	struct ocsf *o = arg;

	for (size_t i = o->from; i < o->to; i++) {
		const struct line *l = &o->schema->lines[i];

		if (strcmp(l->words[0], key) != 0)
			continue;
		if (json_is_array(v) != has_word(l, "array"))
			fail_msg("%s: one value or several", key);
		for (size_t k = 0; k < json_len(v); k++)
			check_ocsf_value(o->schema, l, json_at(v, k), o->depth);
		if (!json_is_array(v))
			check_ocsf_value(o->schema, l, v, o->depth);
		return 0;
	}
	fail_msg("OCSF has no attribute %s in %s", key, o->schema->lines[o->from - 1].words[1]);
	return 1;
}

static void check_required(const struct ocsf *o, const struct json *j)
{
	for (size_t i = o->from; i < o->to; i++) {
		const struct line *l = &o->schema->lines[i];

		if (!strcmp(l->words[0], "one-of")) {
			bool any = false;

			for (size_t k = 1; k < l->n; k++)
				any = any || json_get(j, l->words[k]);
			if (!any)
				fail_msg("%s has none of what it must have", o->schema->lines[o->from - 1].words[1]);
		} else if (has_word(l, "required") && !json_get(j, l->words[0])) {
			fail_msg("%s is required in %s", l->words[0], o->schema->lines[o->from - 1].words[1]);
		}
	}
}

static void check_object(const struct table *t, const char *name, const struct json *j, size_t depth)
{
	struct ocsf o = { .depth = depth };

	assert_true(depth < 10);
	if (!section(t, "object", name, &o))
		fail_msg("object %s is not in the list", name);
	json_each(j, ocsf_member, &o);
	check_required(&o, j);
}

static void ocsf_record(const char *name, const struct record_view *v, void *arg)
{
	static const int classes[RECORD_KINDS] = { 2004, 2004, 7001, 7001, 0, 0, 0 };
	struct json *j = written(format_ocsf, v);
	struct ocsf o = { .depth = 0 };
	char uid[24];

	(void)name;
	assert_int_equal(json_int(json_get(j, "class_uid"), -1), classes[v->record->kind]);
	snprintf(uid, sizeof uid, "%d", classes[v->record->kind]);
	assert_true(section(arg, "class", uid, &o));
	json_each(j, ocsf_member, &o);
	check_required(&o, j);
	assert_int_equal(json_int(json_get(j, "type_uid"), -1),
		json_int(json_get(j, "class_uid"), 0) * 100 + json_int(json_get(j, "activity_id"), 0));
	assert_int_equal(json_int(json_get(j, "category_uid"), -1), json_int(json_get(j, "class_uid"), 0) / 1000);
	assert_string_equal(json_str(json_get(json_get(j, "metadata"), "version"), ""), "1.3.0");
	json_free(j);
}

static void ocsf_is_1_3_0(void **state)
{
	struct table t;

	(void)state;
	table_read(&t, "ocsf-1.3.0");
	each_format_record(ocsf_record, &t);
	for (int kind = 0; kind < RECORD_KINDS; kind++) { /* a record that says nothing has what is required too */
		struct spool_record r;
		struct record_view v;

		format_record_view(&v, &r, kind, "{}", 2);
		ocsf_record("empty", &v, &t);
		view_close(&v);
	}
	table_free(&t);
}

/* What a case comes to: activity and status follow its state. */
static void a_case_opens_goes_on_and_closes(void **state)
{
	static const struct {
		const char *state;
		int activity, status;
	} rows[] = { { "open", 1, 1 }, { "diagnosing", 2, 2 }, { "advised", 2, 2 }, { "waiting-approval", 2, 2 }, { "repairing", 2, 2 },
		{ "settling", 2, 2 }, { "healed", 3, 4 }, { "refuted", 3, 4 }, { "escalated", 2, 2 }, { "held", 2, 2 }, { "closed", 3, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spool_record r;
		struct record_view v;
		char json[100];
		int n = snprintf(json, sizeof json, "{\"kind\":\"case\",\"state\":\"%s\"}", rows[i].state);
		struct json *j;

		format_record_view(&v, &r, RECORD_CASE, json, (size_t)n);
		j = written(format_ocsf, &v);
		assert_int_equal(json_int(json_get(j, "activity_id"), 0), rows[i].activity);
		assert_int_equal(json_int(json_get(j, "status_id"), 0), rows[i].status);
		json_free(j);
		view_close(&v);
	}
}

/* ---- CEF and LEEF ---- */

static void check_row(const struct table *t, const struct map_row *r)
{
	const struct line *l = table_find(t, r->to);
	long limit = l ? atol(l->words[2]) : 0;

	if (!l)
		return;
	if (!strcmp(l->words[1], "string"))
		assert_true(r->as == AS_TEXT || r->as == AS_LIST);
	else
		assert_true(r->as == AS_INT || r->as == AS_MS || r->as == AS_IP || r->as == AS_IP4 || r->as == AS_IP6 || r->as == AS_PORT);
	if (limit && r->as == AS_TEXT && r->from && (!r->limit || r->limit > (size_t)limit))
		fail_msg("%s holds %ld characters", r->to, limit);
}

static void cef_record(const char *name, const struct record_view *v, void *arg)
{
	struct parsed p;
	const char *why;
	struct buf b;

	(void)name;
	buf_init(&b, 1u << 20);
	format_cef(&config, v, FORMAT_ANY, &b);
	if (!parse_cef(b.p, b.n, &p, &why))
		fail_msg("%s: %s", why, b.p);
	for (size_t i = 0; i < p.n; i++) {
		const struct line *l = table_find(arg, p.pairs[i].key);
		const char *s = p.pairs[i].value;
		unsigned char bytes[16];

		if (text_starts(p.pairs[i].key, "evmend"))
			continue; /* a key of our own: vendor and product before it */
		if (!l)
			fail_msg("CEF has no key %s", p.pairs[i].key);
		if (!strcmp(l->words[1], "string"))
			assert_true(strlen(s) <= (size_t)atol(l->words[2]));
		else if (!strcmp(l->words[1], "ipv4"))
			assert_int_equal(inet_pton(AF_INET, s, bytes), 1);
		else if (!strcmp(l->words[1], "ipv6"))
			assert_int_equal(inet_pton(AF_INET6, s, bytes), 1);
		else
			assert_int_equal(strspn(s, "0123456789"), strlen(s));
	}
	assert_int_equal(p.n_head, 6);
	assert_string_equal(p.head[0], "evmend");
	assert_true(atoi(p.head[5]) >= 0 && atoi(p.head[5]) <= 10);
	parsed_free(&p);
	buf_free(&b);
}

static void cef_has_keys_of_the_dictionary(void **state)
{
	struct table t;

	(void)state;
	table_read(&t, "cef-25");
	for (size_t i = 0; i < cef_flat.n; i++) {
		if (!table_find(&t, cef_flat.rows[i].to))
			fail_msg("CEF has no key %s", cef_flat.rows[i].to);
		check_row(&t, &cef_flat.rows[i]);
	}
	for (size_t i = 0; i < t.n; i++)
		assert_int_equal(t.lines[i].n, 4); /* each has its column */
	each_format_record(cef_record, &t);
	table_free(&t);
}

static void leef_record(const char *name, const struct record_view *v, void *arg)
{
	struct parsed p;
	const char *why, *time;
	struct buf b;

	(void)arg, (void)name;
	buf_init(&b, 1u << 20);
	format_leef(&config, v, FORMAT_ANY, &b);
	if (!parse_leef(b.p, b.n, &p, &why))
		fail_msg("%s: %s", why, b.p);
	assert_true(p.n <= 50);
	assert_true(strlen(p.head[3]) <= 255);
	time = parsed_value(&p, "devTime");
	assert_non_null(time);
	assert_int_equal(strlen(time), 13); /* QRadar takes it for milliseconds */
	parsed_free(&p);
	buf_free(&b);
}

static void leef_has_predefined_keys_as_they_are(void **state)
{
	struct table t;

	(void)state;
	table_read(&t, "leef-2.0");
	for (size_t i = 0; i < leef_flat.n; i++) {
		for (const char *s = leef_flat.rows[i].to; *s; s++)
			assert_true((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9'));
		check_row(&t, &leef_flat.rows[i]);
	}
	each_format_record(leef_record, &t);
	table_free(&t);
}

/* ---- severities, ATT&CK ---- */

static void each_level_has_its_numbers(void **state)
{
	static const struct {
		int kind;
		const char *json;
		int syslog, cef, leef, otlp, ocsf;
	} rows[] = {
		{ RECORD_FINDING, "{\"level\":\"informational\"}", 6, 2, 2, 9, 1 },
		{ RECORD_FINDING, "{\"level\":\"low\"}", 5, 4, 4, 10, 2 },
		{ RECORD_FINDING, "{\"level\":\"medium\"}", 4, 6, 6, 13, 3 },
		{ RECORD_FINDING, "{\"level\":\"high\"}", 3, 8, 8, 17, 4 },
		{ RECORD_FINDING, "{\"level\":\"critical\"}", 2, 10, 10, 21, 5 },
		{ RECORD_CASE, "{\"confidence\":\"high\"}", 3, 8, 8, 17, 4 },
		{ RECORD_REPAIR, "{\"body\":{\"result\":\"needs-person\"}}", 3, 8, 8, 17, 4 },
		{ RECORD_REPAIR, "{\"body\":{\"result\":\"rolled-back\"}}", 4, 6, 6, 13, 3 },
		{ RECORD_REPAIR, "{\"body\":{\"result\":\"healed\"}}", 6, 2, 2, 9, 1 },
		{ RECORD_REFUSAL, "{\"body\":{\"escalate\":true}}", 4, 6, 6, 13, 3 },
		{ RECORD_AGENT, "{}", 6, 2, 2, 9, 1 },
		{ RECORD_EVENT, "{\"level\":0}", 6, 3, 3, 9, 1 },
		{ RECORD_EVENT, "{\"level\":1}", 2, 9, 9, 21, 5 },
		{ RECORD_EVENT, "{\"level\":2}", 3, 7, 7, 17, 4 },
		{ RECORD_EVENT, "{\"level\":3}", 4, 5, 5, 13, 3 },
		{ RECORD_EVENT, "{\"level\":4}", 6, 3, 3, 9, 1 },
		{ RECORD_EVENT, "{\"level\":5}", 7, 1, 1, 5, 1 },
		{ RECORD_EVENT, "{\"level\":99}", 6, 3, 3, 9, 1 },
		{ RECORD_EVENT, "{\"level\":0,\"system\":{\"Keywords\":\"0x8010000000000000\"}}", 5, 5, 5, 9, 2 },
		{ RECORD_EVENT, "{\"level\":0,\"system\":{\"Keywords\":\"0x8020000000000000\"}}", 6, 3, 3, 9, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct spool_record r;
		struct record_view v;
		const struct severity *s;

		format_record_view(&v, &r, rows[i].kind, rows[i].json, strlen(rows[i].json));
		s = severity_of(&v);
		assert_int_equal(s->syslog, rows[i].syslog);
		assert_int_equal(s->cef, rows[i].cef);
		assert_int_equal(s->leef, rows[i].leef);
		assert_int_equal(s->otlp, rows[i].otlp);
		assert_int_equal(s->ocsf, rows[i].ocsf);
		view_close(&v);
	}
}

static void tags_are_techniques_and_tactics(void **state)
{
	static const struct {
		const char *tag, *id, *name;
	} rows[] = { { "attack.t1059", "T1059", "" }, { "attack.T1059.001", "T1059.001", "" }, { "attack.credential-access", "TA0006", "Credential Access" },
		{ "attack.command_and_control", "TA0011", "Command and Control" }, { "attack.g0016", NULL, NULL }, { "attack.s0154", NULL, NULL },
		{ "attack.t105", NULL, NULL }, { "attack.t1059.01", NULL, NULL }, { "attack.", NULL, NULL }, { "attack", NULL, NULL },
		{ "cve.2021.26855", NULL, NULL }, { "", NULL, NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct attack a;

		assert_int_equal(attack_parse(rows[i].tag, &a), rows[i].id != NULL);
		if (rows[i].id) {
			assert_string_equal(a.id, rows[i].id);
			assert_string_equal(a.name, rows[i].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(the_page_shows_the_tables),
		cmocka_unit_test(ecs_has_the_names_and_types_of_8_11),
		cmocka_unit_test(categories_of_events_are_ecs),
		cmocka_unit_test(ocsf_is_1_3_0),
		cmocka_unit_test(a_case_opens_goes_on_and_closes),
		cmocka_unit_test(cef_has_keys_of_the_dictionary),
		cmocka_unit_test(leef_has_predefined_keys_as_they_are),
		cmocka_unit_test(each_level_has_its_numbers),
		cmocka_unit_test(tags_are_techniques_and_tactics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
