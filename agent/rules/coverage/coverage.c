/* coverage.c - what every host sends, and which rules that can ever satisfy.
 *
 * Why: a rule whose channel nobody forwards looks like a rule that found nothing.
 * Promises: what is called impossible is impossible with the kinds of events that were seen; one pass over the events, memory by kinds
 * and not by events. Refuses: more than LIMIT_KINDS kinds; the rest is counted. */
#include "rules/coverage/coverage_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "limits.h"

struct coverage *coverage_new(const struct ruleset *rs)
{
	static const char *const names[FIELDS] = {"EventID", "Provider_Name", "Channel", "Computer"};
	struct coverage *c = xcalloc(1, sizeof *c);

	c->rs = rs;
	c->arena = arena_new(1u << 16);
	c->seed = hash_seed_draw();
	c->room = 1024;
	c->slots = xcalloc(c->room, sizeof *c->slots);
	for (int i = 0; i < FIELDS; i++)
		c->ids[i] = names_find(rs->names, names[i], strlen(names[i]));
	return c;
}

void coverage_free(struct coverage *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->room; i++)
		if (c->slots[i].kind)
			free(c->slots[i].kind->seen);
	free(c->slots);
	free(c->hosts);
	free(c->by_name);
	arena_free(c->arena);
	free(c);
}

static uint64_t hash_of(const struct coverage *c, const struct event *ev)
{
	return hash_fold(&c->seed, ev->computer, strlen(ev->computer)) ^ hash_bytes(&c->seed, ev->channel, strlen(ev->channel)) * 3 ^
		hash_bytes(&c->seed, ev->provider, strlen(ev->provider)) * 5 ^ ev->event_id * UINT64_C(0x9e3779b97f4a7c15);
}

static struct slot *slot_of(const struct coverage *c, uint64_t hash, const struct event *ev)
{
	size_t i = (size_t)hash & (c->room - 1);

	for (; c->slots[i].kind; i = (i + 1) & (c->room - 1)) {
		const struct event *is = &c->slots[i].kind->ev;

		if (c->slots[i].hash == hash && is->event_id == ev->event_id && text_same(is->computer, ev->computer) &&
		    strcmp(is->channel, ev->channel) == 0 && strcmp(is->provider, ev->provider) == 0)
			break;
	}
	return &c->slots[i];
}

static void grow(struct coverage *c)
{
	struct slot *old = c->slots;
	size_t n = c->room;

	c->room *= 2;
	c->slots = xcalloc(c->room, sizeof *c->slots);
	for (size_t i = 0; i < n; i++)
		if (old[i].kind)
			*slot_of(c, old[i].hash, &old[i].kind->ev) = old[i];
	free(old);
}

static struct host **name_slot(const struct coverage *c, const char *name)
{
	size_t i = (size_t)hash_fold(&c->seed, name, strlen(name)) & (c->names - 1);

	while (c->by_name[i] && !text_same(c->by_name[i]->is.name, name))
		i = (i + 1) & (c->names - 1);
	return &c->by_name[i];
}

static void more_names(struct coverage *c)
{
	c->names = c->names ? 2 * c->names : 64;
	free(c->by_name);
	c->by_name = xcalloc(c->names, sizeof(struct host *));
	for (size_t i = 0; i < c->n_hosts; i++)
		*name_slot(c, c->hosts[i]->is.name) = c->hosts[i];
}

static struct host *host_of(struct coverage *c, const char *name)
{
	if (2 * c->n_hosts >= c->names)
		more_names(c);
	struct host **at = name_slot(c, name);

	if (*at)
		return *at;
	if (c->n_hosts == c->cap_hosts) {
		c->cap_hosts = c->cap_hosts ? 2 * c->cap_hosts : 16;
		c->hosts = xrealloc(c->hosts, c->cap_hosts, sizeof *c->hosts);
	}
	*at = arena_alloc(c->arena, sizeof **at);
	(*at)->is.name = arena_copy(c->arena, name, strlen(name));
	c->hosts[c->n_hosts++] = *at;
	return *at;
}

static struct kind *kind_of(struct coverage *c, const struct event *ev, struct host *h)
{
	static const char *const names[FIELDS] = {"EventID", "Provider_Name", "Channel", "Computer"};
	struct kind *k = arena_alloc(c->arena, sizeof *k);

	snprintf(k->id_text, sizeof k->id_text, "%u", ev->event_id);
	k->ev = (struct event){.channel = arena_copy(c->arena, ev->channel, strlen(ev->channel)),
		.provider = arena_copy(c->arena, ev->provider, strlen(ev->provider)), .computer = h->is.name, .event_id = ev->event_id,
		.level = -1, .fields = k->fields, .n = FIELDS, .raw = "", .source = ""};
	for (int i = 0; i < FIELDS; i++) {
		const char *v[FIELDS] = {k->id_text, k->ev.provider, k->ev.channel, k->ev.computer};

		k->fields[i] = (struct event_field){.name = names[i], .value = v[i], .len = (uint32_t)strlen(v[i]), .id = c->ids[i], .system = true};
	}
	k->next = h->kinds;
	h->kinds = k;
	h->is.kinds++;
	return k;
}

static void see(struct kind *k, uint16_t id)
{
	size_t byte = id >> 3;

	if (byte >= k->n_seen) {
		size_t n = byte + 16;

		k->seen = xrealloc(k->seen, n, 1);
		memset(k->seen + k->n_seen, 0, n - k->n_seen);
		k->n_seen = n;
	}
	k->seen[byte] = (uint8_t)(k->seen[byte] | 1u << (id & 7));
}

static void see_field(const struct coverage *c, struct kind *k, const struct event_field *f)
{
	see(k, f->id);
	for (int i = 0; !f->system && i < FIELDS; i++)
		k->shadowed[i] = k->shadowed[i] || c->ids[i] == f->id;
}

void coverage_event(struct coverage *c, const struct event *ev)
{
	uint64_t hash = hash_of(c, ev);
	struct slot *s = slot_of(c, hash, ev);

	if (!s->kind) {
		if (c->n >= LIMIT_KINDS) {
			c->left_out++;
			return;
		}
		if (2 * c->n >= c->room) {
			grow(c);
			s = slot_of(c, hash, ev);
		}
		s->hash = hash;
		s->host = host_of(c, ev->computer);
		s->kind = kind_of(c, ev, s->host);
		c->n++;
	}
	s->host->is.events++;
	for (size_t i = 0; i < ev->n; i++)
		if (ev->fields[i].id)
			see_field(c, s->kind, &ev->fields[i]);
}

uint64_t coverage_left_out(const struct coverage *c)
{
	return c->left_out;
}

static int by_events(const void *a, const void *b)
{
	const struct host *x = *(struct host *const *)a, *y = *(struct host *const *)b;

	if (x->is.events != y->is.events)
		return x->is.events > y->is.events ? -1 : 1;
	return strcmp(x->is.name, y->is.name);
}

size_t coverage_hosts(struct coverage *c)
{
	if (c->n_hosts)
		qsort(c->hosts, c->n_hosts, sizeof(struct host *), by_events);
	return c->n_hosts;
}

const struct coverage_host *coverage_host(const struct coverage *c, size_t i)
{
	return &c->hosts[i]->is;
}
