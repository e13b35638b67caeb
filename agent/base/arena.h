/* arena.h - memory that is given back all at once. Nothing in it is freed singly.
 * Owner: whoever made it. Pointers live until arena_reset or arena_free. */
#ifndef EVMEND_BASE_ARENA_H
#define EVMEND_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(size_t block_bytes);
void arena_free(struct arena *a); /* NULL allowed */
void arena_reset(struct arena *a); /* keeps one block for the next round */
void *arena_alloc(struct arena *a, size_t n);  /* zeroed, aligned for any type; dies when memory is out */
void *arena_room(struct arena *a, size_t n);   /* the same, not zeroed */
char *arena_copy(struct arena *a, const char *s, size_t n); /* n bytes and a NUL behind them */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t arena_used(const struct arena *a); /* bytes handed out since the last reset */

#endif
