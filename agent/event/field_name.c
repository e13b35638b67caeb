/* field_name.c - a bounded table of the names that events use.
 *
 * Why: an event has some thirty names, and the next one has the same.
 * Promises: a look-up costs a few loads and one comparison, and no hash where names follow each other as they did last time; whoever
 * chooses the names can fill the table, but a look-up never takes more than PROBES steps.
 * Refuses: nothing; a name without a place is made in the caller's arena. */
#include "event/field_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "limits.h"

#define SLOTS_AT_FIRST 256
#define PROBES 64 /* with half of the slots empty a run of 64 is none; eight are, in one table of 1,500 */
#define LONGEST_KEPT 128 /* the longest in 25,000 real events has 43 bytes */

struct field_names {
	const struct names *names;
	struct hash_seed seed;
	struct arena *arena;
	struct field_name **slot;
	size_t slots, n; /* slots: a power of two */
	struct field_name *last; /* the one asked for before */
	struct field_name *oldest, *newest; /* that are kept; the oldest is no name */
};

struct field_names *field_names_new(const struct names *names)
{
	struct field_names *t = xcalloc(1, sizeof *t);

	t->names = names;
	t->seed = hash_seed_draw();
	t->arena = arena_new(8u << 10);
	t->slots = SLOTS_AT_FIRST;
	t->slot = xcalloc(t->slots, sizeof *t->slot);
	t->last = t->oldest = t->newest = arena_alloc(t->arena, sizeof *t->last);
	return t;
}

void field_names_free(struct field_names *t)
{
	if (!t)
		return;
	arena_free(t->arena);
	free(t->slot);
	free(t);
}

/* Its slot, or the empty one for it; NULL: neither is near. */
static struct field_name **find(const struct field_names *t, uint64_t hash, const char *s, size_t n)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct field_name **at = &t->slot[(hash + i) & (t->slots - 1)];

		if (!*at || ((*at)->hash == hash && (*at)->len == n && memcmp((*at)->text, s, n) == 0))
			return at;
	}
	return NULL;
}

/* The oldest first: names that the program itself asks for are there before any event and keep their places. */
static void grow(struct field_names *t)
{
	free(t->slot);
	t->slots *= 2;
	t->slot = xcalloc(t->slots, sizeof *t->slot);
	for (struct field_name *f = t->oldest->newer; f; f = f->newer) {
		struct field_name **to = find(t, f->hash, f->text, f->len);

		if (to)
			*to = f;
	}
}

/* The name without its blanks, or with `instead` in their place. */
static const struct field_name *spelled(struct field_names *t, const struct field_name *f, char instead, struct arena *spare)
{
	char *to = arena_copy(spare, f->text, f->len);
	size_t n = 0;

	for (size_t i = 0; i < f->len; i++) {
		if (f->text[i] != ' ')
			to[n++] = f->text[i];
		else if (instead)
			to[n++] = instead;
	}
	return field_name(t, to, n, spare);
}

const struct field_name *field_name(struct field_names *t, const char *s, size_t n, struct arena *spare)
{
	struct field_name *f = t->last->next, **at;
	uint64_t hash;
	bool kept;

	if (f && f->len == n && memcmp(f->text, s, n) == 0)
		return t->last = f;
	hash = hash_quick(&t->seed, s, n);
	at = find(t, hash, s, n);
	if (at && *at)
		return t->last = t->last->next = *at;
	kept = at && n <= LONGEST_KEPT && t->n < LIMIT_FIELD_NAMES;
	if (kept || !spare)
		spare = t->arena;
	f = arena_alloc(spare, sizeof *f);
	f->text = arena_copy(spare, s, n);
	f->len = (uint32_t)n;
	f->id = t->names ? names_find(t->names, s, n) : 0;
	f->hash = hash;
	f->kept = kept;
	if (kept) {
		*at = t->last = t->last->next = f;
		t->newest = t->newest->newer = f;
		if (++t->n * 2 > t->slots)
			grow(t);
	}
	if (memchr(s, ' ', n)) {
		f->squeezed = spelled(t, f, '\0', spare);
		f->joined = spelled(t, f, '_', spare);
	}
	return f;
}
