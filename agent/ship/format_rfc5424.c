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
	static const char *const ids[] = { "FINDING", "CASE", "REFUSAL", "REPAIR", "LEDGER", "AGENT" };

	return kind >= 0 && kind <= RECORD_AGENT ? ids[kind] : "-";
}

static const char *first_text(const struct json *j, const char *const *keys)
{
	for (; *keys; keys++)
		if (*json_str(json_get(j, *keys), ""))
			return json_str(json_get(j, *keys), "");
	return "";
}

static void add_data(struct buf *to, const struct sink_config *c, const struct spool_record *r, const struct json *j, bool truncated)
{
	const struct json *rule = json_get(j, "rule");
	char hex[65], number[24];

	text_hex(hex, r->uid, 32);
	snprintf(number, sizeof number, "%lld", (long long)json_int(json_get(j, "count"), 0));
	buf_printf(to, "[%s@" ENTERPRISE, record_kind_text(r->kind));
	add_param(to, "uid", hex);
	add_param(to, "rule", json_str(json_get(rule, "id"), ""));
	add_param(to, "title", json_str(json_get(rule, "title"), ""));
	add_param(to, "level", json_str(json_get(j, "level"), ""));
	add_param(to, "cause", json_str(json_get(j, "cause"), ""));
	add_param(to, "state", json_str(json_get(j, "state"), ""));
	if (json_get(j, "count"))
		add_param(to, "count", number);
	add_param(to, "first", json_str(json_get(j, "first"), ""));
	add_param(to, "last", json_str(json_get(j, "last"), ""));
	for (size_t i = 0; i < c->n_labels; i++) {
		const char *eq = strchr(c->labels[i], '=');
		char name[33];
		size_t n = 0;

		for (const char *s = c->labels[i]; eq && s < eq && n < sizeof name - 1; s++)
			if (*s > 32 && *s < 127 && *s != '"' && *s != ']')
				name[n++] = *s;
		name[n] = '\0';
		if (n)
			add_param(to, name, eq + 1);
	}
	if (truncated)
		add_param(to, "truncated", "1");
	buf_char(to, ']');
}

static void add_sentence(struct buf *to, const struct json *j, size_t max)
{
	static const char *const keys[] = { "hint", "text", "title", "cause", NULL };
	const char *s = first_text(j, keys);

	if (!*s)
		s = json_str(json_get(json_get(j, "rule"), "title"), "see the NDJSON record of this uid");
	for (size_t left = strlen(s); left;) {
		uint32_t cp;
		size_t step = utf8_step(s, left, &cp);

		if (!step || to->n + step > max)
			break;
		if (cp < 32 || cp == 127)
			buf_char(to, ' ');
		else
			buf_add(to, s, step);
		s += step;
		left -= step;
	}
}

static void format(const struct sink_config *c, const struct spool_record *r, const struct json *j, size_t max, bool truncated, struct buf *to)
{
	static const char *const hosts[] = { "host", NULL };
	const char *host = first_text(j, hosts), *when = json_str(json_get(j, "time"), "");
	char text[32];

	buf_printf(to, "<%d>1 ", FACILITY * 8 + severity_of(json_str(json_get(j, "level"), "")));
	add_header(to, *when ? when : time_text(r->time, text), 32);
	buf_char(to, ' ');
	add_header(to, c->hostname ? c->hostname : host, 255);
	buf_char(to, ' ');
	add_header(to, c->app ? c->app : "evmend", 48);
	buf_printf(to, " - %s ", msgid_of(r->kind));
	add_data(to, c, r, j, truncated);
	buf_char(to, ' ');
	if (truncated)
		add_sentence(to, j, max);
	else
		buf_add(to, r->json, r->n);
}

void format_rfc5424(const struct sink_config *c, const struct spool_record *r, size_t max, struct buf *to)
{
	struct json *j = json_parse(r->json, r->n, NULL);
	size_t before = to->n;

	format(c, r, j, max, false, to);
	if (to->n - before > max) {
		struct buf again;

		buf_init(&again, to->max);
		format(c, r, j, max, true, &again);
		to->n = before;
		buf_add(to, again.p, again.n > max ? max : again.n);
		buf_free(&again);
	}
	json_free(j);
}
