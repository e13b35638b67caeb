/* position.h - where in a file we are, in a text that still means the same after a restart. Private to source/.
 *
 * Two files at one path are told apart by device and inode, and, because inodes are used again and files are rewritten in place, by
 * fingerprints of the first bytes and of those before the offset. They guard against rotation, not against an enemy:
 * who may rewrite a log may write anything into it. */
#ifndef EVMEND_SOURCE_POSITION_H
#define EVMEND_SOURCE_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/os.h"

struct position {
	uint64_t device, inode;
	int64_t offset;        /* of the stream; behind a compressed file's unpacking */
	bool packed;           /* compressed: the tail is not looked at */
	unsigned head_n, tail_n; /* bytes that the fingerprints cover */
	uint64_t head, tail;
	int64_t mtime_us;      /* when the file had been written last; 0: unknown */
};

/* Reads what a position at offset needs from an open file. 0, or -errno. */
int position_measure(const struct os_file_ops *files, int fd, int64_t offset, bool packed, struct position *to);
/* Is this open file the one, only grown? By content alone: a copy fits as well. 1, 0, or -errno. */
int position_fits(const struct os_file_ops *files, int fd, const struct position *p);
void position_text(const struct position *p, char *to, size_t n);
bool position_parse(const char *text, struct position *p);

/* Positions that were given back before open, by partition. */
struct resumes {
	struct {
		char *partition, *position;
	} *list;
	size_t n;
};

void resumes_add(struct resumes *r, const char *partition, const char *position);
const char *resumes_find(const struct resumes *r, const char *partition); /* NULL: none */
void resumes_drop(struct resumes *r, const char *partition);
void resumes_free(struct resumes *r);

#endif
