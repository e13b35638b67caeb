/* kinds.h - the kinds of source, one a line. Private to source/. */
#ifndef EVMEND_SOURCE_KINDS_H
#define EVMEND_SOURCE_KINDS_H

#include "source/source.h"

struct source_kind_row {
	enum source_kind kind;
	const struct source_ops *ops;
	void *(*make)(const struct source_options *o); /* `self` */
	void (*position)(const struct source *s, const char *partition, int64_t offset, char *to, size_t n);
	void (*resume)(struct source *s, const char *partition, const char *position);
};

extern const struct source_kind_row source_file_row, source_stdin_row, source_follow_row;

#endif
