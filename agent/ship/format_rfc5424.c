/* format_rfc5424.c - a record as a syslog message (RFC 5424).
 *
 * Why: the one format that every log server takes. Promises: a header that parses whatever the record holds (names are cleaned to the
 * characters that the standard allows), values escaped, never more than `max` bytes. Refuses nothing. */
#include "ship/formats.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define ENTERPRISE "32473" /* RFC 5612: the number for examples; ours until one is assigned */
#define FACILITY 13        /* log audit */

/* PRINTUSASCII up to n characters, "-" when nothing is left (RFC 5424 section 6). */
static void add_header(struct buf *to, const char *s, size_t n)
{
	size_t did = 0;

	for (; *s && did < n; s++)
		if (*s > 32 && *s < 127) {
			buf_char(to, *s);
			did++;
		}
	if (!did)
		buf_char(to, '-');
}

/* A parameter of structured data: '"', '\' and ']' are escaped, control characters become blanks. */
static void add_param(struct buf *to, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_printf(to, " %s=\"", name);
	for (const char *s = value; *s; s++) {
		if (*s == '"' || *s == '\\' || *s == ']')
			buf_char(to, '\\');
		buf_char(to, (unsigned char)*s < 32 || *s == 127 ? ' ' : *s);
	}
	buf_char(to, '"');
}

static int severity_of(const char *level)
{
	static const char *const levels[] = { "critical", "high", "medium", "low" };
	static const int severities[] = { 2, 3, 4, 5 };

	for (size_t i = 0; i < 4; i++)
		if (text_same(level, levels[i]))
			return severities[i];
	return 6;
}

static const char *msgid_of(int kind)
{
	static const char *const ids[] = { "FINDING", "CASE", "REFUSAL", "REPAIR", "LEDGER", "AGENT", "EVENT" };

	return kind >= 0 && kind < RECORD_KINDS ? ids[kind] : "-";
}

/* A label's name as the name of a parameter: characters that RFC 5424 section 6.3.3 does not allow there are left out. */
static int add_label(void *arg, const char *label, const char *value)
{
	char name[33];
	size_t n = 0;

	for (const char *s = label; *s && n < sizeof name - 1; s++)
		if (*s > 32 && *s < 127 && *s != '"' && *s != ']' && *s != '=')
			name[n++] = *s;
	name[n] = '\0';
	if (n)
		add_param(arg, name, value);
	return 0;
}

static void add_data(struct buf *to, const struct sink_config *c, const struct record_view *v, bool truncated)
{
	const struct json *j = v->json;
	char number[24];

	snprintf(number, sizeof number, "%lld", (long long)json_int(json_get(j, "count"), 0));
	buf_printf(to, "[%s@" ENTERPRISE, v->kind);
	add_param(to, "uid", v->uid);
	add_param(to, "rule", v->rule);
	add_param(to, "title", v->title);
	add_param(to, "level", v->level);
	add_param(to, "cause", v->cause);
	add_param(to, "state", json_str(json_get(j, "state"), ""));
	if (json_get(j, "count"))
		add_param(to, "count", number);
	add_param(to, "first", json_str(json_get(j, "first"), ""));
	add_param(to, "last", json_str(json_get(j, "last"), ""));
	view_labels(v, c->labels, c->n_labels, add_label, to);
	if (truncated)
		add_param(to, "truncated", "1");
	buf_char(to, ']');
}

/* What the record says in one sentence, at most as much as there is room for. */
static void add_sentence(struct buf *to, const struct record_view *v, size_t room)
{
	static const char *const keys[] = { "hint", "text", "title", "cause" };
	const char *s = "";

	for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !*s; i++)
		s = json_str(json_get(v->json, keys[i]), "");
	if (!*s)
		s = *v->title ? v->title : "see the NDJSON record of this uid";
	for (size_t left = strlen(s); left;) {
		uint32_t cp;
		size_t step = utf8_step(s, left, &cp);

		if (!step || step > room)
			break;
		if (cp < 32 || cp == 127)
			buf_char(to, ' ');
		else
			buf_add(to, s, step);
		s += step;
		left -= step;
		room -= step;
	}
}

static void add_head(struct buf *to, const struct sink_config *c, const struct record_view *v)
{
	buf_printf(to, "<%d>1 ", FACILITY * 8 + severity_of(v->level));
	add_header(to, v->time, 32);
	buf_char(to, ' ');
	add_header(to, c->hostname ? c->hostname : v->host, 255);
	buf_char(to, ' ');
	add_header(to, c->app ? c->app : "evmend", 48);
	buf_printf(to, " - %s ", msgid_of(v->record->kind));
}

void format_rfc5424(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	static const struct sink_config bare = { .name = "" };
	size_t before = to->n, after_head;

	add_head(to, c, v);
	after_head = to->n;
	add_data(to, c, v, false);
	buf_char(to, ' ');
	buf_add(to, v->record->json, v->record->n);
	if (to->n - before <= max)
		return;
	to->n = after_head;
	add_data(to, c, v, true);
	if (to->n - before > max) { /* texts in the structured data are too long themselves: uid alone says which record it is */
		struct record_view who = { .record = v->record, .kind = v->kind, .rule = "", .title = "", .level = v->level, .cause = "" };

		text_copy(who.uid, sizeof who.uid, v->uid);
		to->n = after_head;
		add_data(to, &bare, &who, true);
	}
	buf_char(to, ' ');
	if (to->n - before < max)
		add_sentence(to, v, max - (to->n - before));
}
