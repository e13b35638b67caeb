/* fields.c - field tables.
 *
 * Why: classic events carry their data without names, and a rule that says Data[2] cannot be read by anybody.
 * Promises: a field of the event itself always wins over the table; tables for the same event are joined.
 * Refuses: Data[0] (positions count from 1), unknown keys, ids that are no numbers. */
#include "rules/fields.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "rules/fold.h"

static bool add_set(struct fields *t, struct loader *l, const char *provider, uint32_t id, const struct yaml_node *map)
{
	struct field_alias *alias = arena_alloc(l->arena, (map->n + 1) * sizeof *alias);

	for (size_t i = 0; i < map->n; i++) {
		const struct yaml_node *v = map->items[i];

		if (v->kind != YAML_SCALAR || v->len == 0)
			return refuse(l, v, "'%s' must say which datum it names, such as 'Data[1]'", map->keys[i]->text);
		if (strcmp(v->text, "Data[0]") == 0)
			return refuse(l, v, "positions count from 1: write 'Data[1]' for the first");
		alias[i].name = field_id(l, map->keys[i], map->keys[i]->text);
		alias[i].means = field_id(l, v, v->text);
		if (!alias[i].name || !alias[i].means)
			return false;
	}
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->sets = xrealloc(t->sets, t->cap, sizeof *t->sets);
	}
	t->sets[t->n++] = (struct field_set){provider, id, alias, map->n};
	return true;
}

/* "12014" or "12015,12017" */
static bool add_events(struct fields *t, struct loader *l, const char *provider, const struct yaml_node *key,
	const struct yaml_node *map)
{
	const char *p = key->text;

	if (map->kind != YAML_MAP)
		return refuse(l, map, "event %s needs a map: name: 'Data[n]'", key->text);
	while (*p) {
		size_t n = strcspn(p, ",");
		int64_t id;
		const char *first = p + strspn(p, " ");

		if (!text_int(first, fold_trim(first, (size_t)(p + n - first)), &id) || id < 0 || id > UINT32_MAX)
			return refuse(l, key, "'%s' must be an event id, or several with commas in quotes", key->text);
		if (!add_set(t, l, provider, (uint32_t)id, map))
			return false;
		p += n + (p[n] == ',');
	}
	return true;
}

static const char *const known[] = {"provider", "events", "description", NULL};

static void add_document(struct fields *t, struct loader *l, const struct yaml_node *doc)
{
	const struct yaml_node *events = yaml_get(doc, "events");
	const char *const *providers;
	size_t n;

	if (!only_keys(l, doc, "a field table", known) || !texts(l, yaml_get(doc, "provider"), "provider", &providers, &n))
		return;
	if (!events || events->kind != YAML_MAP) {
		refuse(l, doc, "a field table needs 'events': a map of event ids");
		return;
	}
	for (size_t p = 0; p < n; p++)
		for (size_t i = 0; i < events->n; i++)
			if (!add_events(t, l, providers[p], events->keys[i], events->items[i]))
				return;
}

void fields_add(struct fields *t, struct loader *l)
{
	for (size_t i = 0; i < l->file->n; i++)
		if (l->file->documents[i])
			add_document(t, l, l->file->documents[i]);
}

static int by_event(const void *a, const void *b)
{
	const struct field_set *x = a, *y = b;
	int order = strcasecmp(x->provider, y->provider);

	return order ? order : x->event_id < y->event_id ? -1 : x->event_id > y->event_id;
}

void fields_sort(struct fields *t, struct arena *a)
{
	size_t k = 0;

	if (t->n == 0)
		return;
	qsort(t->sets, t->n, sizeof *t->sets, by_event);
	for (size_t i = 1; i < t->n; i++) {
		struct field_set *to = &t->sets[k], *from = &t->sets[i];

		if (by_event(to, from) != 0) {
			t->sets[++k] = *from;
			continue;
		}
		struct field_alias *both = arena_alloc(a, (to->n + from->n) * sizeof *both);

		memcpy(both, to->alias, to->n * sizeof *both);
		memcpy(both + to->n, from->alias, from->n * sizeof *both);
		to->alias = both;
		to->n += from->n;
	}
	t->n = k + 1;
}

const struct field_set *fields_find(const struct fields *t, const char *provider, uint32_t event_id)
{
	struct field_set key = {.provider = provider, .event_id = event_id};

	return t->n ? bsearch(&key, t->sets, t->n, sizeof *t->sets, by_event) : NULL;
}
