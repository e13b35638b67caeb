/* arena.c - memory that dies together: a chain of blocks, handed out from the front.
 *
 * Promises: zeroed memory, aligned for any type; a reset that costs next to nothing and keeps one block.
 * Refuses: to free a single piece. A piece larger than a block gets a block of its own. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ALIGN _Alignof(max_align_t)
#define LEAST_BLOCK 1024

struct block {
	struct block *next; /* the one before it in time */
	size_t size, used;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *now; /* pieces come from here */
	size_t block_bytes;
	size_t used;
};

static struct block *block_new(size_t size, struct block *next)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof *b)
		die("out of memory: %zu bytes asked for at once", size);
	/* Not cleared: most of a block may never be given. */
	b = malloc(sizeof *b + size);
	if (!b)
		die("out of memory (%zu bytes asked for); state on disk is consistent, start again", size);
	b->next = next;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *arena_new(size_t block_bytes)
{
	struct arena *a = xcalloc(1, sizeof *a);

	a->block_bytes = block_bytes < LEAST_BLOCK ? LEAST_BLOCK : block_bytes;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	while (a->now) {
		struct block *next = a->now->next;

		free(a->now);
		a->now = next;
	}
	free(a);
}

void arena_reset(struct arena *a)
{
	struct block *keep = NULL;

	while (a->now) {
		struct block *b = a->now;

		a->now = b->next;
		if (!keep && b->size == a->block_bytes)
			keep = b;
		else
			free(b);
	}
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
	}
	a->now = keep;
	a->used = 0;
}

void *arena_room(struct arena *a, size_t n)
{
	struct block *b = a->now;
	size_t whole;
	void *p;

	if (n > SIZE_MAX / 2)
		die("out of memory: %zu bytes asked for at once", n);
	whole = (n + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || b->size - b->used < whole) {
		if (b && whole > a->block_bytes / 4) {
			/* A large piece goes behind the current block, so that the rest of that one is not lost. */
			b->next = block_new(whole, b->next);
			b = b->next;
		} else {
			b = block_new(whole > a->block_bytes ? whole : a->block_bytes, b);
			a->now = b;
		}
	}
	p = b->bytes + b->used;
	b->used += whole;
	a->used += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	return memset(arena_room(a, n), 0, n);
}

char *arena_copy(struct arena *a, const char *s, size_t n)
{
	char *p = arena_room(a, n + 1);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	char *p;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		die("a text could not be formatted");
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
