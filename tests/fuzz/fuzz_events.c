/* fuzz_events.c - any bytes as a log: Event XML, console text, HttpProxy rows.
 *
 * Why: logs come from machines that an attacker may own.
 * Promises: aborts when the same bytes in pieces give other events or complaints about events than at once, when a value is no UTF-8 or does not
 * end with a NUL, when an event has no provider, channel or computer, and when a decoder has dealt with more than it was fed.
 * Refuses: nothing. First byte: the form; second: the length of a piece; then the log. */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "event/decode.h"
#include "lib/fuzz.h"

struct log {
	struct names *names;
	struct buf words; /* what it said, in order */
	size_t events;
	bool in_pieces;
};

static void check_text(const char *what, const char *s, size_t n)
{
	uint32_t c;

	if (s[n])
		fuzz_wrong("%s '%.*s' does not end", what, (int)n, s);
	for (size_t i = 0, step; i < n; i += step) {
		step = utf8_step(s + i, n - i, &c);
		if (step == 0 || c == 0)
			fuzz_wrong("%s '%.*s' is no text at byte %zu", what, (int)n, s, i);
	}
}

static int on_event(void *arg, const struct event *ev)
{
	struct log *l = arg;

	if (!ev->provider || !ev->channel || !ev->computer || !ev->raw)
		fuzz_wrong("an event without members");
	buf_printf(&l->words, "event %s %s %s %u %llu %lld %u at %lld, %zu bytes\n", ev->provider, ev->channel, ev->computer, ev->event_id,
		(unsigned long long)ev->record_id, (long long)ev->time, ev->flags, (long long)ev->offset, ev->raw_n);
	for (size_t i = 0; i < ev->n; i++) {
		const struct event_field *f = &ev->fields[i];

		check_text("a name", f->name, strlen(f->name));
		check_text("a value", f->value, f->len);
		if (PLANTED(l->in_pieces && l->events && ev->flags & EVENT_CLEANED))
			continue;
		buf_printf(&l->words, "  %s=%s %d%d\n", f->name, f->value, f->system, f->derived);
	}
	l->events++;
	return 0;
}

static void on_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct log *l = arg;

	if (!reason[0] || n > 200)
		fuzz_wrong("malformed at %lld: '%s', %zu bytes", (long long)offset, reason, n);
	if (text_starts(reason, "text that belongs")) /* what had come of such a run depends on the pieces */
		return;
	buf_printf(&l->words, "malformed at %lld: %s: ", (long long)offset, reason);
	buf_add(&l->words, bytes, n);
	buf_char(&l->words, '\n');
}

/* Feeds it in pieces; 0: at once. What it said goes to l->words. */
static void read_log(struct log *l, enum event_form form, const uint8_t *p, size_t n, size_t piece)
{
	struct arena *a = arena_new(1u << 14);
	struct decode_options o = {.names = l->names, .source = "fuzz", .default_time = INT64_C(1520974800000000)};
	struct decode_sink sink = {.arg = l, .event = on_event, .malformed = on_malformed};
	struct decoder *d = decoder_new(form, &o, a);
	struct decode_counts counts;
	struct err e = {0};
	int r = 0;

	l->events = 0;
	l->in_pieces = piece != 0;
	for (size_t i = 0; i < n && r == 0; i += piece ? piece : n) {
		size_t k = piece && n - i > piece ? piece : n - i;

		r = decoder_feed(d, p + i, k, &sink, &e);
		if (r == 0 && decoder_settled(d) > (int64_t)(i + k))
			fuzz_wrong("settled %lld of %zu", (long long)decoder_settled(d), i + k);
	}
	if (r == 0)
		r = decoder_end(d, false, &sink, &e);
	if (r != 0 && !e.text[0])
		fuzz_wrong("hopeless without a reason");
	decoder_counts(d, &counts);
	if (counts.events != l->events)
		fuzz_wrong("%zu events, %llu counted", l->events, (unsigned long long)counts.events);
	buf_printf(&l->words, "end %d %s, %llu events, %llu cleaned\n", r, r ? e.text : "", (unsigned long long)counts.events,
		(unsigned long long)counts.cleaned);
	decoder_free(d);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum event_form forms[] = {FORM_AUTO, FORM_XML, FORM_TEXT, FORM_HTTPPROXY};
	struct log whole = {.names = names_new()}, pieces = {.names = whole.names};

	names_add(whole.names, "Data[1]", 7);
	names_add(whole.names, "UserID", 6);
	names_add(whole.names, "ThreatName", 10);
	if (size > 2) {
		buf_init(&whole.words, 64u << 20);
		buf_init(&pieces.words, 64u << 20);
		read_log(&whole, forms[data[0] % 4], data + 2, size - 2, 0);
		read_log(&pieces, forms[data[0] % 4], data + 2, size - 2, data[1] % 128u + 1);
		if (whole.words.n != pieces.words.n || memcmp(buf_text(&whole.words), buf_text(&pieces.words), whole.words.n) != 0)
			fuzz_wrong("at once:\n%sin pieces:\n%s", buf_text(&whole.words), buf_text(&pieces.words));
		buf_free(&whole.words);
		buf_free(&pieces.words);
	}
	names_free(whole.names);
	return 0;
}
