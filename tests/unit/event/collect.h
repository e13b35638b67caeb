/* collect.h - runs a decoder over bytes and keeps what it said, for the tests of event/. */
#ifndef EVMEND_TESTS_UNIT_EVENT_COLLECT_H
#define EVMEND_TESTS_UNIT_EVENT_COLLECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "event/decode.h"
#include "lib/check.h"

#define GOT_EVENTS 4096
#define GOT_BAD 256
#define GOT_DECODERS 512

/* Derived fields that the tests look for: there because somebody asks. */
static const char *const got_asked[] = { "TimeCreated", "UserID", "Data[1]", "Data[2]", "Wrap_Who", "CertificateDetails_Thumbprint", "ThreatName",
	"Threat_Name", "OldValue", "Old_Value", "ClientAccessServer", "BackEndServer", "RequestId", "TimeStamp", "FailureCategory",
	"FullyQualifiedErrorId", "ErrorNumber", "WebExceptionStatus" };

struct got {
	struct arena *arena;
	struct names *names;
	const struct event *ev[GOT_EVENTS];
	uint8_t uid[GOT_EVENTS][32];
	struct decoder *decoders[GOT_DECODERS]; /* events name their fields by them */
	size_t n_decoders;
	size_t n;
	struct {
		int64_t offset;
		char reason[300];
		char bytes[201];
		size_t bytes_n;
	} bad[GOT_BAD];
	size_t bad_n;
	struct decode_options options;
	struct decode_counts counts;
	int64_t settled;
	int r;
	struct err e;
};

static inline int got_event(void *arg, const struct event *ev)
{
	struct got *g = arg;

	assert_true(g->n < GOT_EVENTS);
	event_uid(ev, g->uid[g->n]);
	g->ev[g->n++] = ev;
	return 0;
}

static inline void got_malformed(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n)
{
	struct got *g = arg;

	assert_true(g->bad_n < GOT_BAD);
	assert_true(n <= 200);
	g->bad[g->bad_n].offset = offset;
	snprintf(g->bad[g->bad_n].reason, sizeof(g->bad[0].reason), "%s", reason);
	memcpy(g->bad[g->bad_n].bytes, bytes, n);
	g->bad[g->bad_n].bytes[n] = '\0';
	g->bad[g->bad_n++].bytes_n = n;
}

static inline struct got *got_new(void)
{
	struct got *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	g->arena = arena_new(1u << 16);
	g->names = names_new();
	for (size_t i = 0; i < sizeof got_asked / sizeof got_asked[0]; i++)
		names_add(g->names, got_asked[i], strlen(got_asked[i]));
	g->options = (struct decode_options){ .names = g->names, .source = "test", .received = 77 };
	return g;
}

static inline void got_free(struct got *g)
{
	for (size_t i = 0; i < g->n_decoders; i++)
		decoder_free(g->decoders[i]);
	arena_free(g->arena);
	names_free(g->names);
	free(g);
}

static inline struct decoder *got_decoder(struct got *g, enum event_form form)
{
	assert_true(g->n_decoders < GOT_DECODERS);
	return g->decoders[g->n_decoders++] = decoder_new(form, &g->options, g->arena);
}

/* Feeds all of it in pieces of `piece` bytes (0: at once) and ends the stream. */
static inline void got_feed(struct got *g, enum event_form form, const void *bytes, size_t n, size_t piece)
{
	struct decode_sink sink = { .arg = g, .event = got_event, .malformed = got_malformed };
	struct decoder *d = got_decoder(g, form);
	const char *p = bytes;

	for (size_t i = 0; i < n && !g->r; ) {
		size_t k = piece && n - i > piece ? piece : n - i;

		g->r = decoder_feed(d, p + i, k, &sink, &g->e);
		i += k;
		assert_true(decoder_settled(d) <= (int64_t)i);
	}
	if (!g->r)
		g->r = decoder_end(d, false, &sink, &g->e);
	decoder_counts(d, &g->counts);
	g->settled = decoder_settled(d);
}

static inline struct got *got_text(const char *text)
{
	struct got *g = got_new();

	got_feed(g, FORM_AUTO, text, strlen(text), 0);
	return g;
}

static inline struct got *got_file(const char *path)
{
	struct got *g = got_new();
	struct buf b;

	buf_init(&b, 64u << 20);
	assert_int_equal(file_read(&os_file, path, &b, &g->e), 0);
	got_feed(g, FORM_AUTO, buf_text(&b), b.n, 0);
	buf_free(&b);
	return g;
}

/* The i-th value of that name (from 0), or NULL. */
static inline const char *nth(const struct event *ev, const char *name, size_t i)
{
	for (size_t k = 0; k < ev->n; k++)
		if (!strcmp(ev->fields[k].name, name) && !i--)
			return ev->fields[k].value;
	return NULL;
}

#define HEAD "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>"
#define SYSTEM "<System><Provider Name='P'/><EventID Qualifiers='7'>42</EventID><Level>2</Level>" \
	"<TimeCreated SystemTime='2018-03-13T21:02:11.114211800Z'/><EventRecordID>9</EventRecordID>" \
	"<Channel>Application</Channel><Computer>EX1.example</Computer><Security UserID='S-1-5-18'/></System>"
#define EVENT(payload) HEAD SYSTEM payload "</Event>"

#endif
