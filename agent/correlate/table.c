/* table.c - all groups by key, and by when they were used last.
 *
 * Why: a match finds its group among millions; when memory ends, the group not used for longest goes.
 * Promises: the hash is seeded, for strangers choose the keys; the table grows with its groups.
 * Refuses: nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "correlate/inside.h"

#define ROOM 1024

uint64_t group_hash(const struct correlator *c, uint16_t plan, const char *key, size_t n)
{
	uint64_t hash = hash_bytes(&c->seed, key, n) + plan * UINT64_C(0x9e3779b97f4a7c15);

	return hash ^ hash >> 32;
}

static struct group **bucket(const struct correlator *c, uint32_t hash)
{
	return &c->buckets[hash & (c->room - 1)];
}

struct group *table_find(const struct correlator *c, uint16_t plan, const char *key, size_t n, uint64_t hash)
{
	struct group *g = c->room ? *bucket(c, (uint32_t)hash) : NULL;

	while (g && (g->hash != (uint32_t)hash || g->plan != plan || g->key_len != n || memcmp(g->key, key, n) != 0))
		g = g->next;
	return g;
}

static void grow(struct correlator *c)
{
	size_t room = c->room ? 2 * c->room : ROOM;
	struct group **bigger = xcalloc(room, sizeof(struct group *));

	for (size_t i = 0; i < c->room; i++)
		while (c->buckets[i]) {
			struct group *g = c->buckets[i];

			c->buckets[i] = g->next;
			g->next = bigger[g->hash & (room - 1)];
			bigger[g->hash & (room - 1)] = g;
		}
	free(c->buckets);
	c->buckets = bigger;
	c->counts.bytes += (room - c->room) * sizeof(struct group *);
	c->room = room;
}

static void link_newest(struct correlator *c, struct group *g)
{
	g->newer = NULL;
	g->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = g;
	c->newest = g;
}

static void unlink_use(struct correlator *c, struct group *g)
{
	*(g->newer ? &g->newer->older : &c->newest) = g->older;
	*(g->older ? &g->older->newer : &c->oldest) = g->newer;
}

void table_use(struct correlator *c, struct group *g)
{
	if (c->newest == g)
		return;
	unlink_use(c, g);
	link_newest(c, g);
}

struct group *table_add(struct correlator *c, uint16_t plan, const char *key, size_t n, uint64_t hash)
{
	struct group *g, **at;

	if (c->n >= c->room)
		grow(c);
	g = xcalloc(1, sizeof *g + n + 1);
	g->quiet_until = INT64_MIN;
	g->hash = (uint32_t)hash;
	g->at = g->changed = NOWHERE;
	g->plan = plan;
	g->key_len = (uint16_t)n;
	memcpy(g->key, key, n);
	at = bucket(c, g->hash);
	g->next = *at;
	*at = g;
	c->n++;
	c->counts.bytes += chunk(sizeof *g + n + 1);
	link_newest(c, g);
	return g;
}

void table_drop(struct correlator *c, struct group *g)
{
	struct group **p = bucket(c, g->hash);

	while (*p != g)
		p = &(*p)->next;
	*p = g->next;
	unlink_use(c, g);
	due_take(c, g);
	state_gone(c, g);
	group_clear(c, g);
	c->counts.bytes -= chunk(sizeof *g + g->key_len + 1);
	c->n--;
	free(g);
}

void table_free(struct correlator *c)
{
	while (c->oldest) {
		struct group *g = c->oldest;

		c->oldest = g->newer;
		group_clear(c, g);
		free(g);
	}
	free(c->buckets);
}
