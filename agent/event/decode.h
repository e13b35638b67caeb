/* decode.h - bytes of a source in, events out: the one door into event/.
 *
 * A decoder belongs to one stream (file, stdin). It finds out the form when told FORM_AUTO: Event XML in every shape
 * (rootless, <Events>, RenderedXml, UTF-8, UTF-16 with or without BOM, a copy of Event Viewer's XML view), an HttpProxy
 * log (#Fields), else console text. An .evtx file is known by its signature and refused with the command that makes XML of it.
 * A bad event is reported through `malformed`, with its first 200 bytes, and never stops the stream; a stream that is of no
 * known form at all fails.
 *
 * A DOCTYPE outside events is one malformed record and the stream goes on: each event is parsed by itself, so whatever entities it
 * declares exist nowhere, and an event that uses one is malformed. Around events anything may stand; text there that is no
 * markup is one malformed record for each run of it. A console block without bracket and error id is no event and not malformed. */
#ifndef EVMEND_EVENT_DECODE_H
#define EVMEND_EVENT_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "event/event.h"

enum event_form { FORM_AUTO, FORM_XML, FORM_TEXT, FORM_HTTPPROXY };

struct decode_options {
	const struct names *names;
	const char *source;       /* for event.source; borrowed as long as the decoder lives */
	const char *default_host; /* --host: for text that names none; NULL: none */
	int64_t default_time;     /* for text and events without a time: --at, else the file's time */
	int64_t received;
};

/* One event as it stood in the stream, not yet parsed. */
struct decode_piece {
	int64_t offset;   /* where it began in the (decoded) source */
	const char *text; /* UTF-8, not yet cleaned */
	size_t n;
};

struct decode_sink {
	void *arg;
	/* ev and all it points to live until the caller resets the arena or frees the decoder; ev->raw only during the call. Non-zero
	 * stops decode_feed, which returns it. */
	int (*event)(void *arg, const struct event *ev);
	void (*malformed)(void *arg, int64_t offset, const char *reason, const char *bytes, size_t n);
	/* NULL: this decoder parses by itself. Else it hands out the events of XML unparsed, for decoder_piece of other decoders (and
	 * other threads); events of other forms still go to `event`. The text lives during the call. Returns as `event` does. */
	int (*piece)(void *arg, const struct decode_piece *p);
};

struct decode_counts {
	uint64_t events, malformed;
	uint64_t cleaned, cut; /* events that are EVENT_CLEANED, EVENT_CUT */
};

struct decoder;

struct decoder *decoder_new(enum event_form form, const struct decode_options *options, struct arena *arena);
void decoder_free(struct decoder *d);
/* Takes n more bytes. 0; -1 and *e when the stream is hopeless (.evtx, binary); or what sink->event returned. After non-zero only
 * settled, state, counts and free may be called: what was fed and not settled is to be fed to another decoder. */
int decoder_feed(struct decoder *d, const void *bytes, size_t n, const struct decode_sink *sink, struct err *e);
/* Parses one event that another decoder handed out, as part of a stream with these options (their names must be this decoder's). */
int decoder_piece(struct decoder *d, const struct decode_options *of, const struct decode_piece *p, const struct decode_sink *sink);
/* The stream ends here: what is incomplete becomes malformed (XML) or an event (text). With keep_tail the incomplete
 * event is kept for a later feed instead (a file that is followed). */
int decoder_end(struct decoder *d, bool keep_tail, const struct decode_sink *sink, struct err *e);
/* Bytes fed so far that are wholly dealt with: a restart may begin behind them. <= bytes fed. */
int64_t decoder_settled(const struct decoder *d);
/* What a later decoder needs to go on at decoder_settled() in the middle of a file: form, encoding, #Fields. Text, <= 16 kB. */
void decoder_state_save(const struct decoder *d, char *to, size_t n);
bool decoder_state_load(struct decoder *d, const char *from);
void decoder_counts(const struct decoder *d, struct decode_counts *to);
/* The arena now belongs to a new batch: the decoder must not keep pointers into it over this call. */
void decoder_new_batch(struct decoder *d, int64_t received);

#endif
