/* read_events.h - all events of the files, folders or standard input that a command line names. */
#ifndef EVMEND_CLI_READ_EVENTS_H
#define EVMEND_CLI_READ_EVENTS_H

#include "cli/cli.h"
#include "event/decode.h"

struct read_events {
	struct cli *c;
	const struct names *names;
	const char *default_host; /* for text that names none; NULL */
	bool progress;
	void *arg;
	int (*event)(void *arg, const struct event *ev); /* non-zero stops everything */
	void (*malformed)(void *arg, const char *source, int64_t offset, const char *reason, const char *bytes, size_t n);
	/* NULL, or who takes events of XML unparsed (event/decode.h); and who wants to know that a stream has ended, or that something
	 * is about to be said of it on stderr */
	int (*piece)(void *arg, const struct decode_options *of, const struct decode_piece *p);
	void (*stream_ends)(void *arg, bool trouble);
	/* NULL, or called before the first byte is read; total: bytes of all paths as far as they are known. May set `piece`. */
	void (*begin)(void *arg, uint64_t total);
	/* results */
	uint64_t malformed_count;
	uint64_t cut;    /* events with EVENT_CUT, of those that were parsed here */
	uint64_t failed; /* paths that could not be read, or have JSON and no event: told on stderr */
};

/* Reads every path ("-" is standard input). A path that fails is told and counted, the others are read all the same. */
void read_events(struct read_events *r, char *const *paths, size_t n);

#endif
