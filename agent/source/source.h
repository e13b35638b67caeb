/* source.h - where bytes come from. Knows nothing of events; gives bytes with an origin and a position that can be stored.
 *
 * A position is opaque text per partition (a file within the source). It is stored by the caller, and only after what the bytes
 * produced is stored; source_ack hands it back so that the source may forget (and, later, tell a peer). */
#ifndef EVMEND_SOURCE_SOURCE_H
#define EVMEND_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "os/os.h"

enum source_kind { SOURCE_FILE, SOURCE_STDIN, SOURCE_FOLLOW };

struct source_options {
	const char *name;  /* of the configuration; also the key of its positions */
	enum source_kind kind;
	const char *path;  /* file or folder (folder: every file in it, sorted by name; follow: new ones too); NULL for stdin */
	const struct os_file_ops *files;
	const struct os_process_ops *process;
	const struct clock *clock;
	bool may_wait;     /* path may be a pipe, and opening it may wait for who writes there: for verbs, never for the agent */
};

struct source_batch {
	const char *partition; /* path of the file, "-" for stdin; a name that lasts over restarts */
	const void *bytes;     /* decompressed; valid until the next call of next */
	size_t n;
	int64_t offset;        /* of the first byte in the (decompressed) stream */
	int64_t file_time;     /* mtime; 0 when unknown */
	bool begins;           /* first bytes of a new stream: a new decoder is wanted */
	bool ends;             /* no more bytes of this stream will come (n may be 0). Follow: the file was rotated away or cut */
	bool idle;             /* follow: nothing new in any partition now (n is 0; partition is the source's path) */
};

struct source_counts {
	uint64_t bytes, files, rotations, truncations, errors;
	int64_t total_bytes; /* of what is known so far, for a progress bar; compressed size for compressed files; 0: unknown */
	int64_t read_bytes;  /* of total_bytes */
	const char *note;    /* what people should know of the path: a folder that was left out; NULL: nothing. The source's */
};

struct source;

struct source_ops {
	/* -1 and *e: cannot read at all. */
	int (*open)(struct source *s, struct err *e);
	int (*wait_fd)(struct source *s); /* a descriptor worth waiting for; -1: poll with a timeout */
	/* 1: a batch; 0: nothing more, ever (follow never says so); -1 and *e: one partition failed (counted; call again for the others). */
	int (*next)(struct source *s, struct source_batch *b, struct err *e);
	/* Everything of partition up to offset is stored for good; state is the decoder's, to be handed back by position. */
	void (*ack)(struct source *s, const char *partition, int64_t offset);
	void (*counts)(const struct source *s, struct source_counts *c);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	struct source_options options;
	void *self;
};

/* Makes a source of options->kind; open is called by the caller, after the positions were given back. */
struct source *source_new(const struct source_options *options);
void source_free(struct source *s); /* closes it */
/* What is to be stored for a partition whose bytes up to offset are dealt with: inode, offset, a fingerprint of the file's head and of the
 * bytes before the offset, so that a rotated or replaced file is told from a grown one. */
void source_position(const struct source *s, const char *partition, int64_t offset, char *to, size_t n);
/* Before open: continue there. A position that does not fit the file any more (rotated, replaced, cut) starts at its beginning, counted. */
void source_resume(struct source *s, const char *partition, const char *position);

#endif
