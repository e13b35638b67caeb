/* names.c - the table of field names that rules mention.
 *
 * Why: a rule compares a field thousands of times a second; with numbers it need not compare names.
 * Promises: an id never changes, lookup takes no lock and writes nothing, so threads share a filled table.
 * Refuses: more than LIMIT_NAMES names, and names longer than any event has (NAME_BYTES). */
#include "event/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "event/derived.h"
#include "limits.h"

#define NAME_BYTES 1024 /* longer names are not field names */
#define SLOTS_AT_FIRST 256

struct name {
	char *text;
	size_t len;
	uint64_t hash;
};

struct names {
	struct hash_seed seed;
	struct name *name; /* [0] is unused: id 0 says "unknown" */
	size_t n, cap;
	uint16_t *slot; /* id, or 0: open addressing, never more than half full */
	size_t slots;   /* a power of two */
	struct derived *derived;
	size_t n_derived;
};

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	n->seed = hash_seed_draw();
	n->n = 1;
	n->cap = 64;
	n->name = xcalloc(n->cap, sizeof(*n->name));
	n->slots = SLOTS_AT_FIRST;
	n->slot = xcalloc(n->slots, sizeof(*n->slot));
	return n;
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 1; i < n->n; i++)
		free(n->name[i].text);
	free(n->name);
	free(n->slot);
	free(n->derived);
	free(n);
}

/* The slot that holds this name, or the empty one where it belongs. */
static size_t slot_of(const struct names *n, uint64_t hash, const char *name, size_t len)
{
	size_t i = (size_t)hash & (n->slots - 1);

	while (n->slot[i]) {
		const struct name *m = &n->name[n->slot[i]];

		if (m->hash == hash && text_same_n(m->text, m->len, name, len))
			break;
		i = (i + 1) & (n->slots - 1);
	}
	return i;
}

static void grow(struct names *n)
{
	free(n->slot);
	n->slots *= 2;
	n->slot = xcalloc(n->slots, sizeof(*n->slot));
	for (size_t id = 1; id < n->n; id++) {
		const struct name *m = &n->name[id];

		n->slot[slot_of(n, m->hash, m->text, m->len)] = (uint16_t)id;
	}
}

uint16_t names_add(struct names *n, const char *name, size_t len)
{
	uint16_t known = names_find(n, name, len);
	struct name *m;

	if (known || len > NAME_BYTES || n->n > LIMIT_NAMES)
		return known;
	if (n->n == n->cap) {
		n->cap *= 2;
		n->name = xrealloc(n->name, n->cap, sizeof(*n->name));
	}
	if (n->n * 2 > n->slots)
		grow(n);
	m = &n->name[n->n];
	m->text = xstrndup(name, len);
	m->len = len;
	m->hash = hash_fold(&n->seed, name, len);
	n->slot[slot_of(n, m->hash, name, len)] = (uint16_t)n->n;
	return (uint16_t)n->n++;
}

uint16_t names_find(const struct names *n, const char *name, size_t len)
{
	if (len > NAME_BYTES)
		return 0;
	return n->slot[slot_of(n, hash_fold(&n->seed, name, len), name, len)];
}

size_t names_count(const struct names *n)
{
	return n->n - 1;
}

const char *names_text(const struct names *n, uint16_t id)
{
	return id && id < n->n ? n->name[id].text : "";
}

void names_derive(struct names *n, const struct derived *d)
{
	n->derived = xrealloc(n->derived, n->n_derived + 1, sizeof(*n->derived));
	n->derived[n->n_derived++] = *d;
}

const struct derived *names_derived(const struct names *n, size_t *count)
{
	*count = n->n_derived;
	return n->derived;
}
