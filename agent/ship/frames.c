/* frames.c - the queue of a stream without acknowledgements.
 *
 * Why: syslog's only sign is TCP's, which says what a machine has and not what a program has read. Promises: no seq is told twice, and none
 * before its last byte is covered; frames leave in the order in which they came and are never cut. Refuses nothing. */
#include "ship/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define OPEN_MOST (8u << 20) /* bytes that are not confirmed; another frame may go beyond */
#define CLEAR_AT (1u << 20) /* bytes at the front that are worth a move */

struct frame {
	int64_t seq;     /* 0: told before */
	uint64_t end;    /* its last byte, counted over all frames */
	uint64_t given;  /* its last byte on the wire; 0: not there yet */
	int64_t when;    /* it was confirmed */
};

struct frames {
	size_t keep;
	struct buf bytes;
	uint64_t base;        /* count of bytes.p[0] */
	size_t sent;          /* of bytes */
	struct frame *list;   /* from `first`: confirmed, given, not given yet */
	size_t first, n, cap; /* first and n are places in list */
	size_t confirmed, given; /* places too: the first that is not */
	int64_t *lost;
	size_t n_lost, lost_at;
};

struct frames *frames_new(size_t keep)
{
	struct frames *f = xcalloc(1, sizeof *f);

	frames_keep(f, keep);
	buf_init(&f->bytes, FRAMES_KEEP + 2 * OPEN_MOST + 2 * CLEAR_AT);
	f->lost = xcalloc(FRAMES_MOST, sizeof *f->lost);
	return f;
}

void frames_keep(struct frames *f, size_t keep)
{
	f->keep = keep < FRAMES_KEEP ? keep : FRAMES_KEEP;
}

void frames_free(struct frames *f)
{
	if (!f)
		return;
	buf_free(&f->bytes);
	free(f->list);
	free(f->lost);
	free(f);
}

static uint64_t begin_of(const struct frames *f, size_t at)
{
	return at ? f->list[at - 1].end : f->base;
}

bool frames_room(const struct frames *f)
{
	return !f->n_lost && f->n - f->confirmed < FRAMES_MOST && f->base + f->bytes.n - begin_of(f, f->confirmed) < OPEN_MOST;
}

void frames_add(struct frames *f, int64_t seq, const void *p, size_t n)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 64;
		f->list = xrealloc(f->list, f->cap, sizeof *f->list);
	}
	buf_add(&f->bytes, p, n);
	f->list[f->n++] = (struct frame){ .seq = seq, .end = f->base + f->bytes.n };
}

const char *frames_unsent(const struct frames *f, size_t *n)
{
	*n = f->bytes.n - f->sent;
	return f->bytes.p + f->sent;
}

void frames_sent(struct frames *f, size_t n, uint64_t given)
{
	f->sent += n;
	for (; f->given < f->n && f->list[f->given].end <= f->base + f->sent; f->given++)
		f->list[f->given].given = given;
}

/* Confirmed frames that are too old or too many go; memory is moved now and then only. */
static void clear(struct frames *f, int64_t now)
{
	size_t at = f->first, bytes;

	while (at < f->confirmed && (f->list[f->confirmed - 1].end - begin_of(f, at) > f->keep || now - f->list[at].when > FRAMES_AGE))
		at++;
	f->first = at;
	bytes = (size_t)(begin_of(f, at) - f->base);
	if (bytes < CLEAR_AT && !(at == f->n && bytes))
		return;
	buf_cut(&f->bytes, bytes);
	f->base += bytes;
	f->sent -= bytes;
	memmove(f->list, f->list + at, (f->n - at) * sizeof *f->list);
	f->n -= at;
	f->confirmed -= at;
	f->given -= at;
	f->first = 0;
}

int64_t frames_confirm(struct frames *f, uint64_t confirmed, int64_t now)
{
	int64_t seq = 0;

	while (!seq && f->confirmed < f->given && f->list[f->confirmed].given <= confirmed) {
		struct frame *x = &f->list[f->confirmed++];

		seq = x->seq;
		x->seq = 0;
		x->when = x->when ? x->when : now;
	}
	if (!seq)
		clear(f, now);
	return seq;
}

size_t frames_open(const struct frames *f)
{
	return f->n - f->confirmed;
}

void frames_again(struct frames *f)
{
	size_t told = f->n;

	/* those told are in front: new ones were added behind */
	while (told > f->first && f->list[told - 1].seq)
		told--;
	for (size_t i = told; i < f->n; i++)
		f->lost[f->n_lost++] = f->list[i].seq;
	f->n = told;
	f->bytes.n = (size_t)(begin_of(f, told) - f->base);
	f->sent = (size_t)(begin_of(f, f->first) - f->base);
	f->confirmed = f->given = f->first;
	for (size_t i = f->first; i < f->n; i++)
		f->list[i].given = 0;
}

int64_t frames_lost(struct frames *f)
{
	if (f->lost_at < f->n_lost)
		return f->lost[f->lost_at++];
	f->lost_at = f->n_lost = 0;
	return 0;
}
