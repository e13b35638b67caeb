/* decode.c - bytes of one stream to events: undoes the encoding, finds out the form, and hands pieces to the form's reader.
 *
 * Why: a source knows nothing of events, a reader knows nothing of streams; this is what lies between.
 * Promises: the same bytes give the same events however they are portioned. decoder_settled names raw bytes of the stream, also
 * where UTF-16 was undone. One bad piece costs itself alone.
 * Refuses: .evtx files (with the command that makes XML of one) and binary data; everything else is read as well as it goes. */
#include "event/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "event/console_text.h"
#include "event/event_build.h"
#include "event/event_clean.h"
#include "event/event_split.h"
#include "event/event_xml.h"
#include "event/form.h"
#include "event/httpproxy_log.h"
#include "limits.h"

#define CHUNK (64u << 10) /* taken at a time, so that memory is bounded whatever is fed */
#define MALFORMED_BYTES 200
#define STATE_BYTES 16384
#define TEXT_BYTES (8u << 20)   /* far above one event and one chunk in UTF-8 */
#define CLEAN_BYTES (24u << 20) /* an event of nothing but CR grows sixfold, one of CR in CDATA eighteenfold */

struct decoder {
	struct decode_options options;
	struct arena *arena;
	enum event_form form;
	enum text_encoding encoding;
	bool under_way;      /* something was settled: what follows is no beginning */
	bool encoding_known;
	bool seen;            /* something that deserves the name was found */
	uint8_t head[4];      /* the first bytes, until the encoding is known */
	size_t head_n;
	struct utf16 utf16;
	struct buf text;      /* UTF-8, not yet dealt with */
	int64_t settled;      /* raw bytes before text */
	int64_t base;         /* raw bytes before this decoder's first: where an earlier one stopped */
	size_t mark;          /* memo of raw_at */
	int64_t mark_raw;
	struct split split;
	struct console_split console;
	struct httpproxy httpproxy;
	struct event_build build;
	struct event_xml *xml;
	struct buf clean;
	struct decode_counts counts;
};

struct decoder *decoder_new(enum event_form form, const struct decode_options *options, struct arena *arena)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->options = *options;
	d->arena = arena;
	d->form = form;
	buf_init(&d->text, TEXT_BYTES);
	buf_init(&d->clean, CLEAN_BYTES);
	build_init(&d->build, options->names);
	httpproxy_init(&d->httpproxy);
	d->xml = event_xml_new(&d->build);
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	event_xml_free(d->xml);
	httpproxy_free(&d->httpproxy);
	build_free(&d->build);
	buf_free(&d->clean);
	buf_free(&d->text);
	free(d);
}

void decoder_new_batch(struct decoder *d, int64_t received)
{
	d->options.received = received;
}

void decoder_counts(const struct decoder *d, struct decode_counts *to)
{
	*to = d->counts;
}

int64_t decoder_settled(const struct decoder *d)
{
	return d->settled;
}

static int64_t raw_length(const struct decoder *d, const char *p, size_t n)
{
	return (int64_t)(d->encoding == TEXT_UTF8 ? n : utf16_raw_length(p, n));
}

/* Where text[at] began in the raw stream. Mostly asked with growing positions. */
static int64_t raw_at(struct decoder *d, size_t at)
{
	if (at < d->mark) {
		d->mark = 0;
		d->mark_raw = 0;
	}
	d->mark_raw += raw_length(d, buf_text(&d->text) + d->mark, at - d->mark);
	d->mark = at;
	return d->base + d->settled + d->mark_raw;
}

/* The first n bytes of text are dealt with. */
static void drop(struct decoder *d, size_t n)
{
	if (!n)
		return;
	d->settled += raw_at(d, n) - d->base - d->settled;
	buf_cut(&d->text, n);
	d->mark = 0;
	d->mark_raw = 0;
}

static void malformed_piece(struct decoder *d, const struct decode_sink *sink, const struct decode_piece *p, const char *reason)
{
	d->counts.malformed++;
	if (sink->malformed)
		sink->malformed(sink->arg, p->offset, reason, p->text, p->n < MALFORMED_BYTES ? p->n : MALFORMED_BYTES);
}

/* n bytes at `at` of what is pending. */
static struct decode_piece piece_at(struct decoder *d, size_t at, size_t n)
{
	return (struct decode_piece){ raw_at(d, at), buf_text(&d->text) + at, n };
}

static void malformed(struct decoder *d, const struct decode_sink *sink, size_t at, size_t n, const char *reason)
{
	struct decode_piece p = piece_at(d, at, n);

	malformed_piece(d, sink, &p, reason);
}

static struct event *begin_event(struct decoder *d, int64_t offset)
{
	struct event *ev = arena_alloc(d->arena, sizeof(*ev));

	build_start(&d->build, d->arena);
	ev->provider = ev->channel = ev->computer = "";
	ev->level = -1;
	ev->source = d->options.source;
	ev->offset = offset;
	ev->received = d->options.received;
	ev->time = d->options.default_time ? d->options.default_time : d->options.received;
	return ev;
}

static int finish_event(struct decoder *d, const struct decode_sink *sink, struct event *ev, const struct cleaned *c)
{
	if (c->replaced) {
		ev->flags |= EVENT_CLEANED;
		d->counts.cleaned++;
	}
	build_finish(&d->build, ev, c->p, c->n);
	if (ev->flags & EVENT_CUT)
		d->counts.cut++;
	d->counts.events++;
	d->seen = true;
	return sink->event(sink->arg, ev);
}

/* --- one run over the text for each form; each deals with all that is whole --- */

static int xml_event(struct decoder *d, const struct decode_sink *sink, const struct decode_piece *p)
{
	struct event *ev = begin_event(d, p->offset);
	struct cleaned c = event_clean(p->text, p->n, true, &d->clean);
	struct err e;

	if (c.refused || event_xml_read(d->xml, c.p, c.n, ev, &e)) {
		malformed_piece(d, sink, p, c.refused ? "the event has too many characters that XML forbids" : e.text);
		return 0;
	}
	return finish_event(d, sink, ev, &c);
}

int decoder_piece(struct decoder *d, const struct decode_options *of, const struct decode_piece *p, const struct decode_sink *sink)
{
	d->options = *of;
	return xml_event(d, sink, p);
}

static const char *split_reason(enum split_kind kind)
{
	switch (kind) {
	case SPLIT_JUNK:
		return "text that belongs to no event";
	case SPLIT_DOCTYPE:
		return "a document type declaration (DOCTYPE): refused, and so are events that use its entities";
	case SPLIT_TORN:
		return "the event does not end";
	default:
		return "the event is larger than 1 MiB";
	}
}

static int run_xml(struct decoder *d, const struct decode_sink *sink, bool final)
{
	size_t at = 0, n = 0;
	enum split_kind kind;
	int r = 0;

	while (!r && (kind = split_next(&d->split, buf_text(&d->text), d->text.n, final, &at, &n)) != SPLIT_MORE) {
		d->seen = true;
		struct decode_piece p = piece_at(d, at, n);

		if (kind != SPLIT_EVENT)
			malformed_piece(d, sink, &p, split_reason(kind));
		else
			r = sink->piece ? sink->piece(sink->arg, &p) : xml_event(d, sink, &p);
	}
	n = split_done(&d->split);
	drop(d, n);
	split_cut(&d->split, n);
	return r;
}

static int run_console(struct decoder *d, const struct decode_sink *sink, bool final)
{
	size_t at = 0, n = 0;
	int r = 0;

	while (!r && console_next(&d->console, buf_text(&d->text), d->text.n, final, &at, &n)) {
		struct event *ev;
		struct cleaned c;

		if (n > LIMIT_TEXT_BYTES) {
			malformed(d, sink, at, n, "a block of console text larger than 1 MiB");
			continue;
		}
		ev = begin_event(d, raw_at(d, at));
		c = event_clean(buf_text(&d->text) + at, n, false, &d->clean);
		ev->flags |= EVENT_NO_TIME;
		if (console_read(&d->build, c.p, c.n, d->options.default_host, ev))
			r = finish_event(d, sink, ev, &c);
	}
	n = console_done(&d->console);
	drop(d, n);
	console_cut(&d->console, n);
	return r;
}

static int run_httpproxy(struct decoder *d, const struct decode_sink *sink, bool final)
{
	size_t done = 0, n;
	int r = 0;

	while (!r && done < d->text.n && (n = httpproxy_row(&d->httpproxy, d->text.p + done, d->text.n - done, final)) > 0) {
		struct event *ev = begin_event(d, raw_at(d, done));
		struct cleaned c = event_clean(buf_text(&d->text) + done, n, false, &d->clean);
		struct err e = { 0 };
		int got = httpproxy_read(&d->httpproxy, &d->build, c.p, c.n, d->options.default_host, ev, &e);

		if (got < 0 || d->build.full)
			malformed(d, sink, done, n, got < 0 ? e.text : "the row has too many fields");
		else if (got)
			r = finish_event(d, sink, ev, &c);
		done += n;
	}
	drop(d, done);
	return r;
}

/* Finds out the form as soon as it can be told. 1: known; 0: more bytes are needed; -1 and *e: hopeless. */
static int know_form(struct decoder *d, bool final, struct err *e)
{
	enum event_form found = d->form;

	if (d->under_way || d->settled + d->base > 3) /* in the middle of a stream the form is known from its beginning */
		return d->form != FORM_AUTO;
	if (form_find(buf_text(&d->text), d->text.n, d->options.source, final, &found, e))
		return -1;
	if (d->form == FORM_AUTO)
		d->form = found;
	return d->form != FORM_AUTO;
}

static int run(struct decoder *d, const struct decode_sink *sink, bool final, struct err *e)
{
	int64_t before = d->settled;
	int r;

	if (!d->text.n && !final)
		return 0;
	r = know_form(d, final, e);
	if (r <= 0)
		return r;
	r = d->form == FORM_XML ? run_xml(d, sink, final) : d->form == FORM_HTTPPROXY ? run_httpproxy(d, sink, final) :
		run_console(d, sink, final);
	d->under_way = d->under_way || d->settled > before;
	return r;
}

static void take(struct decoder *d, const void *bytes, size_t n)
{
	if (d->encoding == TEXT_UTF8)
		buf_add(&d->text, bytes, n);
	else
		utf16_feed(&d->utf16, bytes, n, &d->text);
	if (d->text.refused) /* every run leaves less than one event and one chunk */
		die("event/decode.c: %zu bytes of text are pending", d->text.n);
}

/* The first bytes say the encoding; those of a byte order mark are dealt with at once. */
static void know_encoding(struct decoder *d)
{
	size_t mark = encoding_detect(d->head, d->head_n, &d->encoding);

	d->encoding_known = true;
	d->utf16.big_endian = d->encoding == TEXT_UTF16BE;
	d->settled = (int64_t)mark;
	take(d, d->head + mark, d->head_n - mark);
	d->head_n = 0;
}

int decoder_feed(struct decoder *d, const void *bytes, size_t n, const struct decode_sink *sink, struct err *e)
{
	const uint8_t *p = bytes;
	int r = 0;

	while (!d->encoding_known && n) {
		d->head[d->head_n++] = *p++;
		n--;
		if (d->head_n == sizeof(d->head))
			know_encoding(d);
	}
	while (!r && n) {
		size_t k = n < CHUNK ? n : CHUNK;

		take(d, p, k);
		p += k;
		n -= k;
		r = run(d, sink, false, e);
	}
	return r;
}

int decoder_end(struct decoder *d, bool keep_tail, const struct decode_sink *sink, struct err *e)
{
	uint64_t before = d->counts.malformed;
	int64_t half;
	int r;

	if (keep_tail) {
		/* a short text that rests after a whole line is as long as it will be for now */
		if (d->form != FORM_AUTO || !d->text.n || d->text.p[d->text.n - 1] != '\n')
			return 0;
		return know_form(d, true, e) < 0 ? -1 : run(d, sink, false, e);
	}
	if (!d->encoding_known && d->head_n)
		know_encoding(d);
	half = d->encoding == TEXT_UTF8 ? 0 : (d->utf16.has_byte ? 1 : 0) + (d->utf16.high ? 2 : 0);
	d->utf16.has_byte = false;
	d->utf16.high = 0;
	r = run(d, sink, true, e);
	if (r)
		return r;
	if (half && d->counts.malformed == before)
		malformed(d, sink, d->text.n, 0, "the UTF-16 text ends in the middle of a character");
	else if (d->form == FORM_XML && !d->seen && d->base + d->settled > 3)
		malformed(d, sink, d->text.n, 0, "there is no <Event> in this XML");
	d->settled += half;
	return 0;
}

/* --- state over a restart --- */

static const char *const form_names[] = { "auto", "xml", "text", "httpproxy" };
static const char *const encoding_names[] = { "utf-8", "utf-16le", "utf-16be" };

void decoder_state_save(const struct decoder *d, char *to, size_t n)
{
	snprintf(to, n, "evmend-decoder 1 form=%s encoding=%s at=%" PRId64 " quiet=%d seen=%d\n%s", form_names[d->form],
		d->encoding_known ? encoding_names[d->encoding] : "auto", d->base + d->settled,
		d->split.quiet && !d->split.inside, d->seen, buf_text(&d->httpproxy.fields));
}

static int index_of(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -1;
}

bool decoder_state_load(struct decoder *d, const char *from)
{
	char form[16], encoding[16];
	const char *fields = strchr(from, '\n');
	int64_t at;
	int quiet, seen, f, c;
	struct err e;

	if (!fields || strlen(from) >= STATE_BYTES ||
	    sscanf(from, "evmend-decoder 1 form=%15[a-z] encoding=%15[a-z0-9-] at=%" SCNd64 " quiet=%d seen=%d", form, encoding, &at,
		    &quiet, &seen) != 5)
		return false;
	f = index_of(form, form_names, 4);
	c = index_of(encoding, encoding_names, 3);
	if (f < 0 || at < 0 || (c < 0 && strcmp(encoding, "auto") != 0))
		return false;
	if (fields[1] && httpproxy_fields(&d->httpproxy, fields + 1, strlen(fields + 1), &e))
		return false;
	d->form = (enum event_form)f;
	d->encoding_known = c >= 0;
	d->encoding = c >= 0 ? (enum text_encoding)c : TEXT_UTF8;
	d->utf16.big_endian = d->encoding == TEXT_UTF16BE;
	d->base = at;
	d->split.quiet = quiet != 0;
	d->seen = seen != 0;
	return true;
}
