/* test_format_hostile.c - hostile values in every text of every kind of record, in every format: what a receiver's parser gives back is what
 * docs/formats.md says, never a second record, never more bytes than there is room for, nothing cut without a word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "lib/check.h"
#include "lib/format_parsers.h"
#include "lib/format_records.h"
#include "ship/formats.h"
#include "ship/mapping.h"

#define V(s) { s, sizeof(s) - 1 }
#define BIG 60000

static const struct value {
	const char *s;
	size_t n;
} values[] = {
	V("two\nlines"), V("\r\n"), V("a\tb"), V("|"), V("a|b||c"), V("="), V("a=b c=d"), V("\\"), V("\\\\"), V("\\n"), V("x\\"), V("\"quoted\""), V("]"),
	V("[x@1 y=\"z\"]"), V("\\]\\\"\\="), V("nul\0inside"), V("\xff\xfe\xc3"), V("\xed\xa0\x80"), V("\x1b[31mred\x1b[0m\x07"), V("\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xa9"),
	V("CEF:0|v|p|1|id|name|10|msg=second"), V("\nCEF:0|v|p|1|id|name|10|msg=second"), V("LEEF:2.0|v|p|1|id|0x09|cat=second\tsev=1"),
	V("x\n<13>1 - - - - - - second"), V("\"},{\"kind\":\"finding\"}"), V("{{label.x}}"), V("%s%n"), V("blank at the end "), V(" "), V("-"),
	V("\xf0\x9f\x98\x80\xc3\xa4"), V("..."),
};

/* Texts of 60 kB, each of one character again and again. */
static const char *const fillers[] = { "x", "\xc3\xa4", "\xf0\x9f\x98\x80", "\"", "\\", "=", "]", "\n", "\x01", "|", " " };

static const size_t rooms[] = { FORMAT_ANY, 65536, 8192, 4096, 2048, FORMAT_LEAST };

struct rewrite {
	struct json_out *o;
	const struct value *value;
	bool event;
	size_t at, from, to; /* only texts of these numbers, so that a record stays as long as one can be */
};

static void put(struct rewrite *w, const char *key, const struct json *j);

static int put_member(void *arg, const char *key, const struct json *j)
{
	put(arg, key, j);
	return 0;
}

/* The record again with that value for each text. What says which mapping holds stays. */
static void put(struct rewrite *w, const char *key, const struct json *j)
{
	if (json_is_object(j)) {
		json_open(w->o, key, '{');
		json_each(j, put_member, w);
		json_close(w->o, '}');
	} else if (json_is_array(j)) {
		json_open(w->o, key, '[');
		for (size_t i = 0; i < json_len(j); i++)
			put(w, NULL, json_at(j, i));
		json_close(w->o, ']');
	} else if (json_is_string(j) && !(w->event && key && !strcmp(key, "provider"))) {
		bool now = w->at >= w->from && w->at < w->to;

		w->at++;
		json_put_strn(w->o, key, now ? w->value->s : "x", now ? w->value->n : 1);
	} else {
		json_put(w->o, key, j);
	}
}

static const char *labels[1];
static struct sink_config config = { .name = "s", .labels = labels, .n_labels = 1 };

/* ---- what a text should be on the other side ---- */

enum rule { AS_IT_IS, ONE_LINE, CEF_VALUE };

/* s as docs/formats.md says, cut to limit. */
static void expect(struct buf *to, const char *s, size_t limit, enum rule rule)
{
	size_t n = strlen(s), step;

	if (limit && n > limit)
		n = utf8_cut(s, n, limit);
	while (rule == CEF_VALUE && n && s[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < n; i += step) {
		uint32_t c;

		step = utf8_step(s + i, n - i, &c);
		assert_true(step > 0);
		if (rule == AS_IT_IS || (rule == CEF_VALUE && (c == '\n' || c == '\r')))
			buf_add(to, s + i, step);
		else if (c < 32 || (c >= 127 && c < 160) || c == 0x2028 || c == 0x2029)
			buf_char(to, ' ');
		else
			buf_add(to, s + i, step);
	}
}

/* got is the expected text, or its beginning where there was no room; that is told. */
static void same(const struct map_row *r, const char *s, const char *got, enum rule rule, bool room, bool truncated)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	expect(&b, s, r->limit ? r->limit : MAP_TEXT_MAX, rule);
	if (!got)
		got = "";
	if (strcmp(got, buf_text(&b)) != 0 && (room || strncmp(got, buf_text(&b), strlen(got)) != 0 || !truncated))
		fail_msg("%s: '%.200s' instead of '%.200s'%s", r->to, got, buf_text(&b), truncated ? ", truncated" : "");
	if (strlen(s) > (r->limit ? r->limit : MAP_TEXT_MAX) && !truncated)
		fail_msg("%s was cut and nobody says so", r->to);
	buf_free(&b);
}

/* Rows of a text of ours that this record has. */
static bool applies(const struct map_row *r, const struct facts *f, const char **s)
{
	const struct json *j = r->from ? facts_member(f, r->from) : NULL;

	*s = json_str(j, "");
	return r->kinds & 1u << f->v->record->kind && r->as == AS_TEXT && **s && (!r->sorts || (f->event && r->sorts & f->event->sort)) &&
		!(!strcmp(*s, "-") && !strncmp(r->from, "fields.", 7));
}

/* ---- the formats ---- */

static void check_flat(const struct map_flat *how, const struct record_view *v, const struct parsed *p, enum rule rule, bool room, bool truncated)
{
	struct facts f;

	facts_open(&f, &config, v);
	for (size_t i = 0; i < how->n; i++) {
		const char *s;

		if (applies(&how->rows[i], &f, &s))
			same(&how->rows[i], s, parsed_value(p, how->rows[i].to), rule, room, truncated);
	}
}

/* A field of the header is the fact, on one line, with a blank behind a last backslash. */
static void check_cef_head(const struct record_view *v, const struct parsed *p)
{
	const enum fact facts[] = { FACT_CODE, FACT_TITLE };
	struct facts f;

	facts_open(&f, &config, v);
	for (size_t i = 0; i < 2; i++) {
		const char *s = f.text[facts[i]];
		struct buf b;

		buf_init(&b, 1u << 20);
		expect(&b, s, 512, ONE_LINE);
		if (*s && s[strlen(s) - 1] == '\\')
			buf_char(&b, ' ');
		assert_string_equal(p->head[3 + i], buf_text(&b));
		buf_free(&b);
	}
}

static void check_cef(const struct record_view *v, const struct buf *b, size_t max)
{
	struct parsed p;
	const char *why;
	bool truncated;

	if (!parse_cef(b->p, b->n, &p, &why))
		fail_msg("%s: %s", why, b->p);
	assert_int_equal(p.n_head, 6);
	assert_string_equal(parsed_value(&p, "cs6"), v->uid);
	truncated = parsed_value(&p, "evmendTruncated") != NULL;
	if (max == FORMAT_ANY)
		check_cef_head(v, &p);
	check_flat(&cef_flat, v, &p, CEF_VALUE, max == FORMAT_ANY, truncated);
	parsed_free(&p);
}

static void check_leef(const struct record_view *v, const struct buf *b, size_t max)
{
	struct parsed p;
	const char *why;

	if (!parse_leef(b->p, b->n, &p, &why))
		fail_msg("%s: %s", why, b->p);
	assert_string_equal(parsed_value(&p, "uid"), v->uid);
	check_flat(&leef_flat, v, &p, ONE_LINE, max == FORMAT_ANY, parsed_value(&p, "truncated") != NULL);
	parsed_free(&p);
}

static void check_rfc5424(const struct record_view *v, const struct buf *b, size_t max)
{
	struct parsed p;
	const char *why;
	bool truncated;

	if (!parse_rfc5424(b->p, b->n, &p, &why))
		fail_msg("%s: %s", why, b->p);
	assert_string_equal(parsed_value(&p, "uid"), v->uid);
	truncated = parsed_value(&p, "truncated") != NULL;
	check_flat(&rfc5424_flat, v, &p, ONE_LINE, max == FORMAT_ANY, truncated);
	if (max == FORMAT_ANY) { /* MSG is the record */
		struct json *j = json_parse(p.rest, strlen(p.rest), NULL);

		assert_true(json_is_object(j));
		json_free(j);
	}
	parsed_free(&p);
}

static const struct json *at_path(const struct json *j, const char *path)
{
	for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
		char key[64];

		text_copy(key, (size_t)(dot - path) + 1, path);
		j = json_get(j, key);
	}
	return json_get(j, path);
}

static void check_json(const struct map_row *rows, size_t n, const char *uid, const char *mark, const struct record_view *v, const struct buf *b,
	size_t max)
{
	struct json *j;
	struct facts f;
	struct err e;
	bool truncated;

	j = json_parse(b->p, b->n, &e);
	if (!j)
		fail_msg("%s: %s", e.text, b->p);
	assert_string_equal(json_str(at_path(j, uid), ""), v->uid);
	truncated = json_bool(at_path(j, mark), false);
	facts_open(&f, &config, v);
	for (size_t i = 0; i < n; i++) {
		const char *s;

		if (applies(&rows[i], &f, &s))
			same(&rows[i], s, json_str(at_path(j, rows[i].to), NULL), AS_IT_IS, max == FORMAT_ANY, truncated);
	}
	json_free(j);
}

/* The value of an attribute; NULL: there is none. A key comes once. */
static const struct json *attribute(const struct json *record, const char *key)
{
	const struct json *list = json_get(record, "attributes"), *found = NULL;

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *pair = json_at(list, i);

		if (strcmp(json_str(json_get(pair, "key"), ""), key) != 0)
			continue;
		assert_null(found);
		found = json_get(pair, "value");
		assert_non_null(found);
	}
	return found;
}

/* Fields of an event: each with its name, or nobody's. */
static int check_field(void *arg, const char *name, const struct json *value)
{
	char key[200];

	if (strlen(name) < 100 && *name) {
		snprintf(key, sizeof key, "winlog.event_data.%s", name);
		assert_non_null(attribute(arg, key));
		if (json_is_string(value) && strlen(json_str(value, "")) < MAP_TEXT_MAX)
			assert_string_equal(json_str(json_get(attribute(arg, key), "stringValue"), NULL), json_str(value, ""));
	}
	return 0;
}

static void check_otlp(const struct record_view *v, const struct buf *b, size_t max)
{
	struct json *j;
	struct facts f;
	struct err e;
	bool truncated;

	j = json_parse(b->p, b->n, &e);
	if (!j)
		fail_msg("%s: %s", e.text, b->p);
	assert_string_equal(json_str(json_get(attribute(j, "log.record.uid"), "stringValue"), ""), v->uid);
	truncated = json_bool(json_get(attribute(j, "evmend.truncated"), "boolValue"), false);
	facts_open(&f, &config, v);
	same(&(struct map_row){ .to = "body" }, f.text[FACT_SAYS], json_str(json_get(json_get(j, "body"), "stringValue"), NULL), AS_IT_IS,
		max == FORMAT_ANY, truncated);
	for (size_t i = 0; i < otlp_rows_n; i++) {
		const char *s;

		if (applies(&otlp_rows[i], &f, &s))
			same(&otlp_rows[i], s, json_str(json_get(attribute(j, otlp_rows[i].to), "stringValue"), NULL), AS_IT_IS, max == FORMAT_ANY,
				truncated);
	}
	if (max == FORMAT_ANY)
		json_each(json_get(v->json, "fields"), check_field, j);
	json_free(j);
}

/* What a chat shows of a text: a line, whatever stands in it. `shown` is taken off the text that the message has; false: it is not next. */
static bool shows(const char **text, const char *label, const char *s)
{
	struct buf b;
	bool is;

	buf_init(&b, 1u << 20);
	buf_str(&b, label);
	expect(&b, s, 0, ONE_LINE);
	is = text_starts(*text, buf_text(&b)) && ((*text)[b.n] == '\n' || !(*text)[b.n]);
	if (is)
		*text += b.n + ((*text)[b.n] == '\n');
	buf_free(&b);
	return is;
}

/* Slack's escapes undone; a '<', '>' or lone '&' is none. */
static void unescape(const char *s, struct buf *to)
{
	static const char *const from[] = { "&amp;", "&lt;", "&gt;" };

	while (*s) {
		size_t i = 0;

		while (i < 3 && !text_starts(s, from[i]))
			i++;
		assert_true(i < 3 || !strchr("<>&", *s));
		buf_char(to, i < 3 ? "&<>"[i] : *s);
		s += i < 3 ? strlen(from[i]) : 1;
	}
}

/* Each line of Teams' card is a block of runs, which are text. */
static void unblock(const struct json *card, struct buf *to)
{
	const struct json *body = json_get(json_get(json_at(json_get(card, "attachments"), 0), "content"), "body");

	for (size_t i = 0; i < json_len(body); i++) {
		const struct json *runs = json_get(json_at(body, i), "inlines");

		assert_string_equal(json_str(json_get(json_at(body, i), "type"), ""), "RichTextBlock");
		buf_str(to, i ? "\n" : "");
		for (size_t k = 0; k < json_len(runs); k++) {
			assert_string_equal(json_str(json_get(json_at(runs, k), "type"), ""), "TextRun");
			buf_str(to, json_str(json_get(json_at(runs, k), "text"), ""));
		}
	}
}

/* As many lines as there should be, and the last is the uid; a host that fits stands there as it is. */
static void check_chat(bool slack, const struct record_view *v, const struct buf *b, size_t max)
{
	struct json *j = json_parse(b->p, b->n, NULL);
	const char *text, *host = NULL;
	size_t lines = 1, most = 2 + chat_rows_n;
	struct buf plain;
	struct facts f;

	assert_true(json_is_object(j));
	buf_init(&plain, 1u << 20);
	if (slack)
		unescape(json_str(json_get(j, "text"), ""), &plain);
	else
		unblock(j, &plain);
	facts_open(&f, &config, v);
	for (text = buf_text(&plain); *text; text++) {
		assert_true(*text == '\n' || (unsigned char)*text >= ' ');
		lines += *text == '\n';
		host = *text == '\n' && text_starts(text + 1, "Host: ") ? text + 1 : host;
	}
	assert_in_range(lines, 2, most + 1);
	text = strstr(buf_text(&plain), "\nuid: ");
	assert_non_null(text);
	text++;
	assert_true(shows(&text, "uid: ", v->uid));
	assert_true(!*text || !strcmp(text, "(cut; the record has more)"));
	if (max == FORMAT_ANY && *v->host && strlen(v->host) <= 255) {
		assert_non_null(host);
		assert_true(shows(&host, "Host: ", v->host));
	}
	json_free(j);
	buf_free(&plain);
}

static void check_ndjson(const struct record_view *v, const struct buf *b, size_t max)
{
	struct json *j = json_parse(b->p, b->n, NULL);

	assert_true(json_is_object(j));
	assert_true(max != FORMAT_ANY || !json_get(j, "truncated"));
	assert_string_equal(json_str(json_get(j, "kind"), ""), json_get(j, "truncated") ? v->kind : json_str(json_get(v->json, "kind"), ""));
	json_free(j);
}

static void check(const struct format *f, const struct record_view *v, size_t max)
{
	struct buf b;

	buf_init(&b, 8u << 20);
	buf_str(&b, "before");
	f->write(&config, v, max, &b);
	assert_false(b.refused);
	assert_memory_equal(b.p, "before", 6);
	buf_cut(&b, 6);
	if (b.n > max)
		fail_msg("%s: %zu bytes, %zu are allowed", f->name, b.n, max);
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == '\n' || b.p[i] == '\r' || b.p[i] == '\0' || b.p[i] == '\x1b')
			fail_msg("%s: byte %d at %zu", f->name, b.p[i], i);
	if (f->write == format_cef)
		check_cef(v, &b, max);
	else if (f->write == format_leef)
		check_leef(v, &b, max);
	else if (f->write == format_rfc5424)
		check_rfc5424(v, &b, max);
	else if (f->write == format_ecs)
		check_json(ecs_rows, ecs_rows_n, "event.id", "evmend.truncated", v, &b, max);
	else if (f->write == format_ocsf)
		check_json(ocsf_rows, ocsf_rows_n, "metadata.uid", "unmapped.truncated", v, &b, max);
	else if (f->write == format_otlp)
		check_otlp(v, &b, max);
	else if (f->write == format_slack || f->write == format_teams)
		check_chat(f->write == format_slack, v, &b, max);
	else
		check_ndjson(v, &b, max);
	buf_free(&b);
}

/* The record with that value for the texts from `from` on, in each format and each room. Returns how many texts it has. */
static size_t try_some(const struct record_view *v, const struct value *value, size_t from, size_t to, const size_t *max, size_t n)
{
	struct json_out o;
	struct rewrite w = { .o = &o, .value = value, .event = v->record->kind == RECORD_EVENT, .from = from, .to = to };
	struct spool_record r;
	struct record_view hostile;
	struct buf b, label;

	buf_init(&b, 4u << 20);
	buf_init(&label, 1u << 20);
	buf_str(&label, "x=");
	buf_add(&label, value->s, value->n); /* up to its NUL */
	labels[0] = buf_text(&label);
	json_begin(&o, &b);
	put(&w, NULL, v->json);
	assert_false(b.refused);
	format_record_view(&hostile, &r, v->record->kind, b.p, b.n);
	assert_non_null(hostile.json);
	for (const struct format *f = formats; f->name; f++)
		for (size_t i = 0; i < n; i++)
			check(f, &hostile, max[i]);
	view_close(&hostile);
	buf_free(&b);
	buf_free(&label);
	return w.at;
}

static void try_value(const struct record_view *v, const struct value *value, const size_t *max, size_t n)
{
	try_some(v, value, 0, SIZE_MAX, max, n);
}

#define AT_ONCE 6

static void try_big(const struct record_view *v, const struct value *value, const size_t *max, size_t n)
{
	for (size_t from = 0, all = 1; from < all; from += AT_ONCE)
		all = try_some(v, value, from, from + AT_ONCE, max, n);
}

static void each_value(const char *name, const struct record_view *v, void *arg)
{
	(void)name, (void)arg;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		try_value(v, &values[i], rooms, i % 4 ? 1 : sizeof rooms / sizeof rooms[0]);
}

static void every_text_comes_out_as_the_page_says(void **state)
{
	(void)state;
	each_format_record(each_value, NULL);
}

/* Of three records: they are long. */
static void each_filler(const char *name, const struct record_view *v, void *arg)
{
	static const char *const names[] = { "case-waiting", "repair-begin", "event-logon" };
	char *big = malloc(BIG);
	bool wanted = false;

	(void)arg;
	assert_non_null(big);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		wanted = wanted || !strcmp(name, names[i]);
	for (size_t i = 0; wanted && i < sizeof fillers / sizeof fillers[0]; i++) {
		size_t n = strlen(fillers[i]);

		for (size_t k = 0; k + n <= BIG; k += n)
			memcpy(big + k, fillers[i], n);
		try_big(v, &(struct value){ big, BIG / n * n }, rooms + 2, i == 1 ? 4 : 1);
		if (i == 1 || i == 4)
			try_big(v, &(struct value){ big, BIG / n * n }, rooms, 1);
	}
	free(big);
}

static void long_texts_are_cut_between_characters_and_it_is_told(void **state)
{
	(void)state;
	each_format_record(each_filler, NULL);
}

/* Every room from the least one on: a limit may fall on each byte of an escape. */
static void each_room(const char *name, const struct record_view *v, void *arg)
{
	static const struct value value = V("\\=\"]|\n\xc3\xa4\xf0\x9f\x98\x80 a=b");

	(void)arg;
	if (strcmp(name, "finding") != 0 && strcmp(name, "event-sysmon") != 0)
		return;
	for (size_t max = FORMAT_LEAST; max < FORMAT_LEAST + 1500; max += 7)
		try_value(v, &value, &max, 1);
}

static void any_room_will_do(void **state)
{
	(void)state;
	each_format_record(each_room, NULL);
}

/* A message behind a header of syslog: its parts, and its limit. */
static void syslog_carries_other_formats(void **state)
{
	static const char json[] = "{\"kind\":\"finding\",\"time\":\"2018-01-02T03:04:05.678901Z\",\"host\":\"h [1]:\\n2\",\"level\":\"high\",\"hint\":\"x\"}";
	static const struct {
		const char *format;
		bool old;
		const char *head;
	} rows[] = {
		{ "cef", true, "<107>Jan  2 03:04:05 h12 CEF:0|evmend|" },
		{ "leef", true, "<107>Jan  2 03:04:05 h12 LEEF:2.0|evmend|" },
		{ "ndjson", true, "<107>Jan  2 03:04:05 h12 evmend: {\"kind\":\"finding\"" },
		{ "cef", false, "<107>1 2018-01-02T03:04:05.678901Z h[1]:2 evmend - FINDING - CEF:0|evmend|" },
		{ "leef", false, "<107>1 2018-01-02T03:04:05.678901Z h[1]:2 evmend - FINDING - LEEF:2.0|evmend|" },
		{ "ecs", false, "<107>1 2018-01-02T03:04:05.678901Z h[1]:2 evmend - FINDING - {\"@timestamp\":" },
		{ "ndjson", false, "<107>1 2018-01-02T03:04:05.678901Z h[1]:2 evmend - FINDING [finding@32473 uid=" },
	};
	static const struct sink_config plain = { .name = "s" };
	struct spool_record r;
	struct record_view v;

	(void)state;
	format_record_view(&v, &r, RECORD_FINDING, json, sizeof json - 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b;

		buf_init(&b, 1u << 20);
		format_syslog(&plain, &v, format_find(rows[i].format), rows[i].old, SYSLOG_LEAST, &b);
		assert_true(b.n <= SYSLOG_LEAST);
		if (!text_starts(buf_text(&b), rows[i].head))
			fail_msg("%s\nis not\n%s", buf_text(&b), rows[i].head);
		buf_free(&b);
	}
	view_close(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_text_comes_out_as_the_page_says),
		cmocka_unit_test(long_texts_are_cut_between_characters_and_it_is_told),
		cmocka_unit_test(any_room_will_do),
		cmocka_unit_test(syslog_carries_other_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
