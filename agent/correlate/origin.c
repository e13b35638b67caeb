/* origin.c - a counted table of origins.
 *
 * Why: a million matches come from a few hundred (rule, computer, channel, provider, file), and five pointers each are 40 MB.
 * Promises: equal origins are one; finding the origin that came last for a rule takes no hash.
 * Refuses: nothing. */
#include "correlate/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "correlate/match.h"

#define LAST 256 /* origins that came last, by rule */

struct origins {
	struct hash_seed seed;
	struct origin **buckets;
	size_t n, room, bytes;
	struct origin *last[LAST]; /* each holds a reference */
};

struct origins *origins_new(void)
{
	struct origins *o = xcalloc(1, sizeof *o);

	o->seed = hash_seed_draw();
	o->room = 256;
	o->buckets = xcalloc(o->room, sizeof(struct origin *));
	return o;
}

void origins_free(struct origins *o)
{
	for (size_t i = 0; i < LAST; i++)
		if (o->last[i])
			origin_unref(o->last[i]);
	free(o->buckets);
	free(o);
}

size_t origins_bytes(const struct origins *o)
{
	return o->bytes + o->room * sizeof(struct origin *);
}

void origins_renew(struct origins *h, struct strings *pool)
{
	for (size_t i = 0; i < h->room; i++)
		for (struct origin *o = h->buckets[i]; o; o = o->next) {
			o->computer = strings_add(pool, o->computer);
			o->host = strings_add(pool, o->host);
		}
}

void origin_unref(struct origin *o)
{
	struct origin **p;

	if (--o->refs > 0)
		return;
	for (p = &o->home->buckets[o->hash & (o->home->room - 1)]; *p != o;)
		p = &(*p)->next;
	*p = o->next;
	o->home->n--;
	o->home->bytes -= o->bytes;
	free(o);
}

static bool same(const struct origin *o, const struct rule *r, uint32_t event_id, const char *const text[4])
{
	return o->rule == r && o->event_id == event_id && strcmp(o->computer, text[0]) == 0 && strcmp(o->channel, text[1]) == 0 &&
	       strcmp(o->provider, text[2]) == 0 && strcmp(o->source, text[3]) == 0;
}

static void grow(struct origins *h)
{
	size_t room = 2 * h->room;
	struct origin **bigger = xcalloc(room, sizeof(struct origin *));

	for (size_t i = 0; i < h->room; i++)
		while (h->buckets[i]) {
			struct origin *o = h->buckets[i];

			h->buckets[i] = o->next;
			o->next = bigger[o->hash & (room - 1)];
			bigger[o->hash & (room - 1)] = o;
		}
	free(h->buckets);
	h->buckets = bigger;
	h->room = room;
}

/* System/Computer as a host: without the dot that ends a full name. A name that is none still has its finding, of nobody we know. */
static const char *host_of(struct strings *pool, const char *computer)
{
	size_t n = strlen(computer);
	const char *s = strings_add_n(pool, computer, n > 1 && computer[n - 1] == '.' ? n - 1 : n);

	return text_host_ok(s) ? s : strings_add(pool, MATCH_NO_HOST);
}

static struct origin *make(struct origins *h, struct strings *pool, const struct ruleset *rs, const struct rule *r, uint32_t event_id,
	const char *const text[4])
{
	size_t n[3], at = 0;
	char *to;

	for (size_t i = 0; i < 3; i++)
		n[i] = strlen(text[i + 1]) + 1;
	struct origin *o = xcalloc(1, sizeof *o + n[0] + n[1] + n[2]);

	o->home = h;
	o->bytes = (uint32_t)(sizeof *o + n[0] + n[1] + n[2]);
	o->rule = r;
	o->event_id = event_id;
	o->n = ruleset_wanted(rs, r, &o->names);
	o->computer = strings_add(pool, text[0]);
	o->host = host_of(pool, text[0]);
	to = (char *)(o + 1);
	for (size_t i = 0; i < 3; at += n[i++])
		memcpy(to + at, text[i + 1], n[i]);
	o->channel = to;
	o->provider = to + n[0];
	o->source = to + n[0] + n[1];
	return o;
}

struct origin *origin_of(struct strings *pool, const struct ruleset *rs, const struct rule *r, uint32_t event_id,
	const char *computer, const char *channel, const char *provider, const char *source)
{
	struct origins *h = strings_origins(pool);
	struct origin **last = &h->last[r->index % LAST], *o;
	const char *const text[4] = {computer, channel, provider, source};
	uint64_t hash;

	if (*last && same(*last, r, event_id, text)) {
		++(*last)->refs;
		return *last;
	}
	hash = event_id + r->index * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < 4; i++)
		hash = hash * 31 + hash_bytes(&h->seed, text[i], strlen(text[i]));
	hash ^= hash >> 32;
	for (o = h->buckets[(uint32_t)hash & (h->room - 1)]; o && !same(o, r, event_id, text);)
		o = o->next;
	if (!o) {
		if (h->n >= h->room)
			grow(h);
		o = make(h, pool, rs, r, event_id, text);
		o->hash = (uint32_t)hash;
		o->next = h->buckets[o->hash & (h->room - 1)];
		h->buckets[o->hash & (h->room - 1)] = o;
		h->n++;
		h->bytes += o->bytes;
	}
	o->refs += 2; /* the caller's, and that of `last` */
	if (*last)
		origin_unref(*last);
	*last = o;
	return o;
}
