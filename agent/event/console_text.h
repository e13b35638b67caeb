/* console_text.h - pasted console text (errors of remote PowerShell) to events. Private to event/. */
#ifndef EVMEND_EVENT_CONSOLE_TEXT_H
#define EVMEND_EVENT_CONSOLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"
#include "event/event_build.h"

/* Blocks of a text: an error and what belongs to it. Works on a buffer that the caller fills at the end and cuts at the front. */
struct console_split {
	size_t block; /* where the block began */
	size_t at;    /* lines before this are looked at */
	bool open;    /* the block has a line that is not blank */
	bool gap;     /* blank lines since its last line */
};

/* The next whole block in p[0..n). false: none yet. final: no more bytes will come. */
bool console_next(struct console_split *s, const char *p, size_t n, bool final, size_t *from, size_t *len);
size_t console_done(const struct console_split *s);
void console_cut(struct console_split *s, size_t n);

/* One block (clean UTF-8) into the bench and the members of ev. false: it says nothing of an error, and is no event.
 * default_host: NULL or the host of a text that names none. */
bool console_read(struct event_build *b, const char *text, size_t n, const char *default_host, struct event *ev);
/* Provider, EventID, Channel and Computer of an event that is made of text. */
void text_event_system(struct event_build *b, struct event *ev, const char *channel, unsigned id, const char *computer);

#endif
