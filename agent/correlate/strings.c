/* strings.c - a pool of texts.
 *
 * Why: a hundred thousand matches name the same channel, computer and endpoint.
 * Promises: equal texts are one pointer; the hash is seeded, for strangers choose the texts.
 * Refuses: to forget single texts; whoever keeps a pool for long renews it now and then. */
#include "correlate/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "correlate/origin.h"

#define ROOM 1024

struct entry {
	uint64_t hash;
	size_t n;
	const char *text; /* NULL: empty slot */
};

struct strings {
	struct arena *arena;
	struct arena *before; /* while it is renewed: the texts of until now */
	struct hash_seed seed;
	struct entry *slots;
	size_t n, room;
	struct origins *origins;
};

static void begin(struct strings *s)
{
	s->arena = arena_new(1u << 16);
	s->n = 0;
	s->room = ROOM;
	s->slots = xcalloc(s->room, sizeof *s->slots);
}

struct strings *strings_new(void)
{
	struct strings *s = xcalloc(1, sizeof *s);

	s->seed = hash_seed_draw();
	begin(s);
	s->origins = origins_new();
	return s;
}

void strings_free(struct strings *s)
{
	if (!s)
		return;
	origins_free(s->origins);
	arena_free(s->before);
	arena_free(s->arena);
	free(s->slots);
	free(s);
}

void strings_renew(struct strings *s)
{
	s->before = s->arena;
	free(s->slots);
	begin(s);
	origins_renew(s->origins, s);
}

void strings_renewed(struct strings *s)
{
	arena_free(s->before);
	s->before = NULL;
}

static struct entry *slot_of(struct entry *slots, size_t room, uint64_t hash, const char *text, size_t n)
{
	size_t i = hash & (room - 1);

	while (slots[i].text && (slots[i].hash != hash || slots[i].n != n || memcmp(slots[i].text, text, n) != 0))
		i = (i + 1) & (room - 1);
	return &slots[i];
}

static void grow(struct strings *s)
{
	struct entry *bigger = xcalloc(2 * s->room, sizeof *bigger);

	for (size_t i = 0; i < s->room; i++)
		if (s->slots[i].text)
			*slot_of(bigger, 2 * s->room, s->slots[i].hash, s->slots[i].text, s->slots[i].n) = s->slots[i];
	free(s->slots);
	s->slots = bigger;
	s->room *= 2;
}

const char *strings_add_n(struct strings *s, const char *text, size_t n)
{
	uint64_t hash = hash_bytes(&s->seed, text, n);
	struct entry *e = slot_of(s->slots, s->room, hash, text, n);

	if (e->text)
		return e->text;
	*e = (struct entry){hash, n, arena_copy(s->arena, text, n)};
	const char *kept = e->text;

	if (2 * ++s->n > s->room)
		grow(s);
	return kept;
}

const char *strings_add(struct strings *s, const char *text)
{
	return text ? strings_add_n(s, text, strlen(text)) : NULL;
}

size_t strings_bytes(const struct strings *s)
{
	return arena_used(s->arena) + s->room * sizeof *s->slots + origins_bytes(s->origins);
}

struct origins *strings_origins(struct strings *s)
{
	return s->origins;
}
