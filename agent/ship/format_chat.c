/* format_chat.c - a record as a message that people read: Slack and Microsoft Teams.
 *
 * Why: a case that waits for a person has to reach one. Promises: what a record says, which an attacker may have written, is shown as it is and
 * never as a link, a mention, markup or a line of its own: control characters become blanks, Slack's three characters are escaped and its
 * previews of links are off, Teams gets runs of text, in which no markup is read. Refuses nothing; long texts are cut.
 * Sources: Slack, "Formatting text for app surfaces", "Sending messages using incoming webhooks"; Adaptive Cards 1.4, TextRun; Microsoft Teams
 * takes messages of 28 KB. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "ship/formats.h"
#include "ship/mapping.h"

#define LEAST_ROOM 20000 /* bytes of a message; with the card around it, it stays below 28 KB */

const struct map_row chat_rows[] = {
	{ MAP_ALL, "Host", .fact = FACT_HOST, .limit = 255, .core = true },
	{ MAP_F, "Rule", .from = "rule.id", .limit = 128 },
	{ MAP_F | MAP_C, "Cause", .from = "cause", .limit = 64 },
	{ MAP_F | MAP_C | MAP_A, "Count", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "First", .from = "first", .as = AS_TIME },
	{ MAP_F | MAP_C | MAP_A, "Last", .from = "last", .as = AS_TIME },
	{ MAP_F | MAP_C, "Reported by", .from = "reported_by", .as = AS_LIST, .limit = 255 },
	{ MAP_C, "Case", .from = "id", .as = AS_INT, .core = true },
	{ MAP_HEAL, "Case", .from = "case", .as = AS_INT, .core = true },
	{ MAP_C, "State", .from = "state", .limit = 64, .core = true },
	{ MAP_C, "Verdict", .from = "verdict", .limit = 255 },
	{ MAP_C, "Advice", .from = "advice", .limit = 1024 },
	{ MAP_C, "Approve with", .from = "approve", .limit = 255 },
	{ MAP_C, "Approval until", .from = "approval_until", .as = AS_TIME },
	{ MAP_N, "Reason", .from = "body.reason", .limit = 255 },
	{ MAP_N | MAP_R, "Verdict", .from = "body.verdict", .limit = 255 },
	{ MAP_N | MAP_R, "Plan", .from = "body.plan", .limit = 64 },
	{ MAP_R, "Result", .from = "body.result", .limit = 64 },
	{ MAP_R, "Steps", .from = "body.steps", .as = AS_LIST, .limit = 255 },
	{ MAP_R, "Proof", .from = "body.proof.summary", .limit = 1024 },
	{ MAP_R, "By", .from = "body.by", .limit = 255 },
	{ MAP_L, "What", .from = "what", .limit = 64 },
	{ MAP_A, "What", .from = "kind", .limit = 64 },
	{ MAP_A, "Source", .from = "source", .limit = 1024 },
	{ MAP_E, "Channel", .from = "channel", .limit = 255 },
	{ MAP_E, "Event", .from = "event_id", .as = AS_INT },
	{ MAP_ALL, "Time", .fact = FACT_TIME, .as = AS_TIME, .core = true },
	{ MAP_ALL, "uid", .fact = FACT_UID, .core = true },
};

const size_t chat_rows_n = sizeof chat_rows / sizeof chat_rows[0];

/* The value of a row on one line, "" when there is none. */
static const char *value_text(const struct facts *f, const struct map_row *r, struct map_room *room, struct buf *to)
{
	struct map_value v;
	char digits[24];

	buf_reset(to);
	map_value(f, r, room, &v);
	if (v.found == FOUND_TEXT)
		map_line(to, v.s, v.n, "");
	else if (v.found == FOUND_INT)
		buf_add(to, digits, text_decimal(digits, v.i));
	for (size_t i = 0; v.found == FOUND_LIST && i < json_len(v.list) && i < 10; i++) {
		size_t n;
		const char *s = map_item(v.list, i, r->limit, room, &n);

		buf_str(to, i ? ", " : "");
		map_line(to, s, n, "");
	}
	if (v.found == FOUND_LIST && json_len(v.list) > 10)
		buf_str(to, ", ...");
	return buf_text(to);
}

/* "HIGH finding: A web worker asks who it is", with "TEST" in front of what `evmend sink test` sends. */
static const char *head_text(const struct facts *f, struct map_room *room, struct buf *to)
{
	const char *title = f->text[FACT_TITLE];
	bool test = json_bool(json_get(f->v->json, "test"), false);

	buf_reset(to);
	buf_str(to, test ? "TEST " : "");
	for (const char *s = f->severity->word; *s; s++)
		buf_char(to, (char)toupper((unsigned char)*s));
	buf_printf(to, " %s: ", f->v->kind);
	map_line(to, title, map_cut(title, strlen(title), 256, room), "");
	return buf_text(to);
}

static const char *says_text(const struct facts *f, struct map_room *room, struct buf *to)
{
	const char *s = f->text[FACT_SAYS];

	buf_reset(to);
	if (strcmp(s, f->text[FACT_TITLE]) != 0)
		map_line(to, s, map_cut(s, strlen(s), 2048, room), "");
	return buf_text(to);
}

/* --- Slack --- */

static void put_escaped(struct buf *to, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_str(to, "&amp;");
		else if (*s == '<')
			buf_str(to, "&lt;");
		else if (*s == '>')
			buf_str(to, "&gt;");
		else
			buf_char(to, *s);
	}
}

static void write_slack(const struct facts *f, struct map_room *room, struct buf *to)
{
	struct buf text, value;
	struct json_out o;

	buf_init(&text, 1u << 20);
	buf_init(&value, 1u << 20);
	buf_char(&text, '*');
	put_escaped(&text, head_text(f, room, &value));
	buf_char(&text, '*');
	if (*says_text(f, room, &value)) {
		buf_char(&text, '\n');
		put_escaped(&text, buf_text(&value));
	}
	for (size_t i = 0; i < chat_rows_n; i++)
		if (*value_text(f, &chat_rows[i], room, &value)) {
			buf_printf(&text, "\n%s: ", chat_rows[i].to);
			put_escaped(&text, buf_text(&value));
		}
	if (room->cut)
		buf_str(&text, "\n(cut; the record has more)");
	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_strn(&o, "text", buf_text(&text), text.n);
	json_put_bool(&o, "unfurl_links", false);
	json_put_bool(&o, "unfurl_media", false);
	json_close(&o, '}');
	buf_free(&text);
	buf_free(&value);
}

void format_slack(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_slack, max < LEAST_ROOM ? max : LEAST_ROOM, to);
}

/* --- Teams --- */

static void put_run(struct json_out *o, const char *text, bool bold)
{
	json_open(o, NULL, '{');
	json_put_str(o, "type", "TextRun");
	json_put_str(o, "text", text);
	if (bold)
		json_put_str(o, "weight", "Bolder");
	json_close(o, '}');
}

static void put_block(struct json_out *o, const char *label, const char *text, bool bold)
{
	json_open(o, NULL, '{');
	json_put_str(o, "type", "RichTextBlock");
	json_open(o, "inlines", '[');
	if (label)
		put_run(o, label, true);
	put_run(o, text, bold);
	json_close(o, ']');
	json_close(o, '}');
}

static void put_blocks(const struct facts *f, struct map_room *room, struct json_out *o)
{
	struct buf value;

	buf_init(&value, 1u << 20);
	put_block(o, NULL, head_text(f, room, &value), true);
	if (*says_text(f, room, &value))
		put_block(o, NULL, buf_text(&value), false);
	for (size_t i = 0; i < chat_rows_n; i++)
		if (*value_text(f, &chat_rows[i], room, &value)) {
			char label[64];

			(void)snprintf(label, sizeof label, "%s: ", chat_rows[i].to);
			put_block(o, label, buf_text(&value), false);
		}
	if (room->cut)
		put_block(o, NULL, "(cut; the record has more)", false);
	buf_free(&value);
}

static void write_teams(const struct facts *f, struct map_room *room, struct buf *to)
{
	struct json_out o;

	json_begin(&o, to);
	json_open(&o, NULL, '{');
	json_put_str(&o, "type", "message");
	json_open(&o, "attachments", '[');
	json_open(&o, NULL, '{');
	json_put_str(&o, "contentType", "application/vnd.microsoft.card.adaptive");
	json_open(&o, "content", '{');
	json_put_str(&o, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
	json_put_str(&o, "type", "AdaptiveCard");
	json_put_str(&o, "version", "1.4");
	json_open(&o, "body", '[');
	put_blocks(f, room, &o);
	json_close(&o, ']');
	json_close(&o, '}');
	json_close(&o, '}');
	json_close(&o, ']');
	json_close(&o, '}');
}

void format_teams(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	map_fit(c, v, write_teams, max < LEAST_ROOM ? max : LEAST_ROOM, to);
}
