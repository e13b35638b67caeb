/* drain.h - reads a source and writes down what it said, for the tests of source/. */
#ifndef EVMEND_TESTS_UNIT_SOURCE_DRAIN_H
#define EVMEND_TESTS_UNIT_SOURCE_DRAIN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "lib/check.h"
#include "lib/scratch.h"
#include "source/source.h"

/* "(NAME|" a stream begins, ")" it ends, its bytes between: enough to see order, loss and repetition at a glance. */
struct drain {
	struct source *s;
	struct buf said;
	struct err e;
	int errors;
	char partition[512]; /* of the last batch with bytes */
	int64_t offset;      /* behind it */
};

static inline void drain_init(struct drain *d, enum source_kind kind, const char *path, const struct os_file_ops *files)
{
	struct source_options o = { .name = "test", .kind = kind, .path = path, .files = files };

	*d = (struct drain){ .s = source_new(&o) };
	buf_init(&d->said, 64u << 20);
}

static inline void drain_free(struct drain *d)
{
	source_free(d->s);
	buf_free(&d->said);
}

/* One call of next. Returns what it returned; 2 for an idle batch. */
static inline int drain_once(struct drain *d)
{
	struct source_batch b;
	int r = d->s->ops->next(d->s, &b, &d->e);

	if (r < 0)
		d->errors++;
	if (r <= 0)
		return r;
	if (b.idle) {
		assert_int_equal(b.n, 0);
		return 2;
	}
	if (b.begins)
		buf_printf(&d->said, "(%s|", strrchr(b.partition, '/') ? strrchr(b.partition, '/') + 1 : b.partition);
	if (b.n) {
		buf_add(&d->said, b.bytes, b.n);
		snprintf(d->partition, sizeof(d->partition), "%s", b.partition);
		d->offset = b.offset + (int64_t)b.n;
	}
	if (b.ends)
		buf_char(&d->said, ')');
	return r;
}

/* Until there is nothing more (now). Errors are counted; twenty in a row end it. */
static inline void drain_all(struct drain *d)
{
	int r, bad = 0;

	while ((r = drain_once(d)) == 1 || (r < 0 && ++bad < 20))
		;
}

static inline void drain_expect(struct drain *d, const char *text)
{
	drain_all(d);
	assert_string_equal(buf_text(&d->said), text);
	buf_reset(&d->said);
}

static inline void put(const char *path, const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

#endif
