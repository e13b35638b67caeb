/* index.c - which rules can hold for an event, before any of them is evaluated.
 *
 * Why: of thousands of rules a handful speak of this channel and event id.
 * Promises: never leaves out a rule that could hold. A rule is filed under what it needs for certain (channel, event id, both);
 * one that needs neither is always a candidate. Equal hashes only make more candidates.
 * Refuses: to be clever; the conditions decide. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "rules/compiled.h"

struct bucket {
	uint64_t key;
	uint32_t *rules;
	size_t n, cap;
};

struct index {
	struct hash_seed seed;
	struct bucket *slots; /* open addressing, a power of two */
	size_t n, room;
	struct bucket any;
};

static uint64_t key_of(const struct index *x, const char *channel, const uint32_t *id)
{
	struct { uint64_t channel, has, id; } parts = {0, (channel ? 1u : 0u) + (id ? 2u : 0u), id ? *id : 0};

	if (channel)
		parts.channel = hash_fold(&x->seed, channel, strlen(channel));
	return hash_bytes(&x->seed, &parts, sizeof parts);
}

static struct bucket *slot_of(const struct index *x, uint64_t key)
{
	size_t i = key & (x->room - 1);

	while (x->slots[i].cap && x->slots[i].key != key)
		i = (i + 1) & (x->room - 1);
	return &x->slots[i];
}

static void put(struct bucket *b, uint64_t key, uint32_t rule)
{
	if (b->n && b->rules[b->n - 1] == rule)
		return;
	if (b->n == b->cap) {
		b->cap = b->cap ? 2 * b->cap : 4;
		b->rules = xrealloc(b->rules, b->cap, sizeof *b->rules);
	}
	b->key = key;
	b->rules[b->n++] = rule;
}

static void grow(struct index *x)
{
	struct index bigger = {.seed = x->seed, .room = x->room ? 2 * x->room : 256, .any = x->any, .n = x->n};

	bigger.slots = xcalloc(bigger.room, sizeof *bigger.slots);
	for (size_t i = 0; i < x->room; i++)
		if (x->slots[i].cap)
			*slot_of(&bigger, x->slots[i].key) = x->slots[i];
	free(x->slots);
	*x = bigger;
}

static void file_under(struct index *x, const char *channel, const uint32_t *id, uint32_t rule)
{
	if (!channel && !id) {
		put(&x->any, 0, rule);
		return;
	}
	if (2 * x->n >= x->room)
		grow(x);
	uint64_t key = key_of(x, channel, id);
	struct bucket *b = slot_of(x, key);

	x->n += b->cap == 0;
	put(b, key, rule);
}

struct ids {
	uint32_t *list;
	size_t n, cap;
};

static void add_id(struct ids *to, uint32_t id)
{
	if (to->n == to->cap) {
		to->cap = to->cap ? 2 * to->cap : 8;
		to->list = xrealloc(to->list, to->cap, sizeof *to->list);
	}
	to->list[to->n++] = id;
}

static bool item_ids(const struct item *it, struct ids *to)
{
	if (it->negated || it->exists || !it->fields || !text_same(it->field, "EventID"))
		return false;
	for (size_t i = 0; i < it->n; i++) {
		const struct number *n = &it->values[i].number;

		if (it->values[i].kind != VALUE_NUMBER || !n->whole || n->negative || n->size == 0 || n->size > UINT32_MAX)
			return false;
	}
	for (size_t i = 0; i < it->n; i++)
		add_id(to, (uint32_t)it->values[i].number.size);
	return true;
}

/* Event ids of which one is needed for the tree to hold; false: it may hold for any. */
static bool needed_ids(const struct node *n, struct ids *to)
{
	size_t before = to->n;

	if (n->kind == NODE_ITEM)
		return item_ids(n->item, to);
	if (n->kind == NODE_NOT || n->kind == NODE_SOME)
		return false;
	for (size_t i = 0; i < n->n; i++) {
		bool needed = needed_ids(n->kids[i], to);

		if (n->kind == NODE_AND && needed)
			return true;
		if (n->kind == NODE_OR && !needed) {
			to->n = before;
			return false;
		}
	}
	return n->kind == NODE_OR;
}

static void file_source(struct index *x, const struct log_source *s, const struct ids *needed, uint32_t rule)
{
	const uint32_t *ids = s->n_ids ? s->ids : needed->list;
	size_t n_ids = s->n_ids ? s->n_ids : needed->n;

	for (size_t c = 0; c < (s->n_channels ? s->n_channels : 1); c++)
		for (size_t i = 0; i < (n_ids ? n_ids : 1); i++)
			file_under(x, s->n_channels ? s->channels[c] : NULL, n_ids ? &ids[i] : NULL, rule);
}

struct index *index_new(const struct ruleset *rs)
{
	struct index *x = xcalloc(1, sizeof *x);
	struct ids needed = {0};

	x->seed = hash_seed_draw();
	grow(x);
	for (size_t r = 0; r < rs->n; r++) {
		const struct compiled *c = rs->rules[r];
		const struct log_set *set = c->category ? c->category : c->service ? c->service : c->product;

		if (c->rule.kind != RULE_DETECTION || c->no_source || !set)
			continue;
		needed.n = 0;
		if (!needed_ids(c->condition, &needed))
			needed.n = 0;
		for (size_t i = 0; i < set->n; i++)
			file_source(x, &set->sources[i], &needed, (uint32_t)r);
	}
	free(needed.list);
	return x;
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->room; i++)
		free(x->slots[i].rules);
	free(x->slots);
	free(x->any.rules);
	free(x);
}

/* Four ascending lists become one. */
static size_t merge(const struct bucket *const from[4], uint32_t *to)
{
	size_t at[4] = {0}, n = 0;

	for (;;) {
		uint32_t least = UINT32_MAX;

		for (size_t i = 0; i < 4; i++)
			if (at[i] < from[i]->n && from[i]->rules[at[i]] < least)
				least = from[i]->rules[at[i]];
		if (least == UINT32_MAX)
			return n;
		for (size_t i = 0; i < 4; i++)
			at[i] += at[i] < from[i]->n && from[i]->rules[at[i]] == least;
		to[n++] = least;
	}
}

size_t index_find(const struct index *x, const struct ruleset *rs, const struct event *ev, uint32_t *to)
{
	if (ev->event_id == 0) { /* no number: the ids of rules say nothing about it */
		for (size_t i = 0; i < rs->n; i++)
			to[i] = (uint32_t)i;
		return rs->n;
	}
	const struct bucket *const lists[4] = {
		slot_of(x, key_of(x, ev->channel, &ev->event_id)), slot_of(x, key_of(x, ev->channel, NULL)),
		slot_of(x, key_of(x, NULL, &ev->event_id)), &x->any};

	return merge(lists, to);
}
