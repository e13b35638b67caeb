/* format_rfc5424.c - a record as a syslog message: RFC 5424, or the older header that RFC 3164 tells of.
 *
 * Why: the one format that every log server takes. Promises a header that parses whatever the record holds (names are cleaned to the
 * characters that the standard allows), values escaped, never more than `max` bytes. Refuses nothing. */
#include "ship/formats.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ship/mapping.h"

#define ENTERPRISE "32473" /* RFC 5612: the number for examples; ours until one is assigned */
#define FACILITY 13        /* log audit */
#define FACILITY_SECURITY 10 /* the log Security of Windows: authpriv */
#define FACILITY_EVENT 16  /* local0: other logs of Windows */

static void sd_value(struct buf *to, const char *s, size_t n)
{
	map_line(to, s, n, "\"\\]");
}

static const struct map_row rows[] = {
	{ MAP_ALL, "uid", .fact = FACT_UID, .core = true },
	{ MAP_F, "rule", .from = "rule.id", .limit = 128 },
	{ MAP_F, "title", .from = "rule.title", .limit = 512 },
	{ MAP_OURS, "level", .fact = FACT_LEVEL },
	{ MAP_F | MAP_C, "cause", .from = "cause", .limit = 64 },
	{ MAP_C, "state", .from = "state", .limit = 64 },
	{ MAP_C, "case", .from = "id", .as = AS_INT },
	{ MAP_HEAL, "case", .from = "case", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "count", .from = "count", .as = AS_INT },
	{ MAP_F | MAP_C | MAP_A, "first", .from = "first", .as = AS_TIME },
	{ MAP_F | MAP_C | MAP_A, "last", .from = "last", .as = AS_TIME },
	{ MAP_F, "tags", .from = "rule.tags", .as = AS_LIST, .limit = 256 },
	{ MAP_HEAL, "what", .from = "what", .limit = 64 },
	{ MAP_N, "reason", .from = "body.reason", .limit = 128 },
	{ MAP_N | MAP_R, "verdict", .from = "body.verdict", .limit = 128 },
	{ MAP_N | MAP_R, "plan", .from = "body.plan", .limit = 64 },
	{ MAP_R, "repair", .from = "body.repair", .limit = 64 },
	{ MAP_R, "result", .from = "body.result", .limit = 64 },
	{ MAP_R, "by", .from = "body.by", .limit = 128 },
	{ MAP_A, "what", .from = "kind", .limit = 64 },
	{ MAP_E, "channel", .from = "channel", .limit = 255 },
	{ MAP_E, "provider", .from = "provider", .limit = 255 },
	{ MAP_E, "eventId", .from = "event_id", .as = AS_INT },
	{ MAP_E, "recordId", .from = "record_id", .as = AS_INT },
	{ MAP_E, "level", .from = "level", .as = AS_INT },
	{ MAP_E, "keywords", .from = "system.Keywords", .limit = 64 },
	{ MAP_ALL, "outcome", .fact = FACT_OUTCOME },
};

const struct map_flat rfc5424_flat = { " ", "=\"", "\"", sd_value, "", "_.-", rows, sizeof rows / sizeof rows[0] };

/* PRINTUSASCII up to n characters, "-" when nothing is left (RFC 5424 section 6). */
static void add_name(struct buf *to, const char *s, size_t n)
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

/* A name of RFC 3164's header: what follows it is told by its characters. A single '-' is none to rsyslog. */
static void add_old_name(struct buf *to, const char *s, const char *otherwise)
{
	size_t before = to->n;

	for (; *s && to->n - before < 255; s++)
		if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || *s == '.' || *s == '-' || *s == '_')
			buf_char(to, *s);
	if (to->n == before)
		buf_str(to, otherwise);
}

static int priority(const struct facts *f)
{
	const char *channel = json_str(facts_member(f, "channel"), "");
	int facility = f->v->record->kind != RECORD_EVENT ? FACILITY : !strcmp(channel, "Security") ? FACILITY_SECURITY : FACILITY_EVENT;

	return facility * 8 + f->severity->syslog;
}

static const char *host_of(const struct facts *f)
{
	return f->sink->hostname ? f->sink->hostname : f->text[FACT_HOST];
}

static void add_head(const struct facts *f, struct buf *to)
{
	static const char *const ids[RECORD_KINDS] = { "FINDING", "CASE", "REFUSAL", "REPAIR", "LEDGER", "AGENT", "EVENT" };
	char time[32];

	buf_printf(to, "<%d>1 %s ", priority(f), time_text(f->time, time));
	add_name(to, host_of(f), 255);
	buf_char(to, ' ');
	add_name(to, f->sink->app ? f->sink->app : "evmend", 48);
	buf_printf(to, " - %s ", ids[f->v->record->kind]);
}

/* RFC 3164 section 4.1: "Mmm dd hh:mm:ss HOST "; its time has no zone, ours is UTC. */
static void add_old_head(const struct facts *f, struct buf *to)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t days = f->time / US_DAY - (f->time % US_DAY < 0), seconds = (f->time - days * US_DAY) / US_SECOND, year, month, day;

	days_to_date(days, &year, &month, &day);
	buf_printf(to, "<%d>%.3s %2d %02d:%02d:%02d ", priority(f), months + 3 * (month - 1), (int)day, (int)(seconds / 3600),
		(int)(seconds / 60 % 60), (int)(seconds % 60));
	add_old_name(to, host_of(f), "localhost");
	buf_char(to, ' ');
}

static void add_data(const struct facts *f, struct map_room *room, struct buf *to)
{
	buf_printf(to, "[%s@" ENTERPRISE, f->v->kind);
	map_pairs(f, &rfc5424_flat, room, to);
	if (room->cut)
		map_pair(&rfc5424_flat, "truncated", "1", 1, to);
	buf_char(to, ']');
}

static void write_marked(const struct facts *f, struct map_room *room, struct buf *to)
{
	room->cut = true; /* MSG is not the whole record */
	add_head(f, to);
	add_data(f, room, to);
}

/* One sentence in the room that is left. */
static void add_sentence(const struct facts *f, size_t left, struct buf *to)
{
	const char *s = f->text[FACT_SAYS];
	struct map_room room = { .text = left };

	map_line(to, s, map_cut(s, strlen(s), 0, &room), "");
}

void format_rfc5424(const struct sink_config *c, const struct record_view *v, size_t max, struct buf *to)
{
	struct map_room room = { .text = MAP_TEXT_MAX, .items = MAP_ITEMS_MAX };
	size_t before = to->n;
	bool refused = to->refused;
	struct facts f;

	facts_open(&f, c, v);
	room.cut = f.cut;
	add_head(&f, to);
	add_data(&f, &room, to);
	buf_char(to, ' ');
	format_ndjson(c, v, FORMAT_ANY, to);
	if (to->n - before <= max && to->refused == refused)
		return;
	to->n = before;
	to->refused = refused;
	map_fit(c, v, write_marked, max, to);
	buf_char(to, ' ');
	if (to->n - before < max)
		add_sentence(&f, max - (to->n - before), to);
}

void format_syslog(const struct sink_config *c, const struct record_view *v, const struct format *message, bool old_header, size_t max,
	struct buf *to)
{
	size_t before = to->n;
	struct facts f;

	if (!old_header && message->write == format_ndjson) {
		format_rfc5424(c, v, max, to);
		return;
	}
	facts_open(&f, c, v);
	if (old_header) {
		add_old_head(&f, to);
		if (message->json) { /* CEF and LEEF are known by their first word, other text by a tag */
			add_old_name(to, c->app ? c->app : "evmend", "evmend");
			buf_str(to, ": ");
		}
	} else {
		add_head(&f, to);
		buf_str(to, "- ");
	}
	message->write(c, v, max == FORMAT_ANY ? max : max - (to->n - before), to);
}
