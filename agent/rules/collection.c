/* collection.c - rule collections.
 *
 * Why: Sigma 1 wrote what several rules have in common once, in a document with `action: global`; such files are still around.
 * Promises: maps are merged key by key, and what the document itself says wins. Correlations and filters are never merged.
 * A rule that takes its id or name from the common part has it with #2, #3 ... from the second on, so that each can be told apart.
 * Refuses: other actions, and a repeat with nothing before it. */
#include "rules/collection.h"

#include <string.h>

#include "base/text.h"

/* The keys of doc, and those of base that it does not have. Depth is bounded by base/yaml's. */
static const struct yaml_node *merge(struct arena *a, const struct yaml_node *doc, const struct yaml_node *base)
{
	struct yaml_node *to = arena_alloc(a, sizeof *to);
	size_t room = doc->n + base->n + 1;

	*to = *doc;
	to->n = 0;
	to->keys = arena_alloc(a, room * sizeof(struct yaml_node *));
	to->items = arena_alloc(a, room * sizeof(struct yaml_node *));
	for (size_t i = 0; i < doc->n + base->n; i++) {
		const struct yaml_node *from = i < doc->n ? doc : base;
		size_t at = i < doc->n ? i : i - doc->n;
		const char *key = from->keys[at]->text;
		const struct yaml_node *other = from == doc ? yaml_get(base, key) : NULL;

		if (strcmp(key, "action") == 0 || (from == base && yaml_get(doc, key)))
			continue;
		to->keys[to->n] = from->keys[at];
		to->items[to->n] = from->items[at];
		if (other && other->kind == YAML_MAP && from->items[at]->kind == YAML_MAP) {
			struct yaml_node *both = arena_alloc(a, sizeof *both);

			*both = *merge(a, from->items[at], other);
			to->items[to->n] = both;
		}
		to->n++;
	}
	return to;
}

/* "ID#2" for a key that the document did not give itself. */
static void count_up(struct arena *a, const struct yaml_node *doc, const struct yaml_node *merged, const char *key, size_t number)
{
	for (size_t i = 0; i < merged->n && !yaml_get(doc, key); i++) {
		if (strcmp(merged->keys[i]->text, key) != 0 || merged->items[i]->kind != YAML_SCALAR)
			continue;
		struct yaml_node *own = arena_alloc(a, sizeof *own);

		*own = *merged->items[i];
		own->text = arena_printf(a, "%s#%zu", own->text, number);
		own->len = strlen(own->text);
		merged->items[i] = own;
	}
}

static const struct yaml_node *finish(struct collection *c, struct loader *l, const struct yaml_node *doc,
	const struct yaml_node *base)
{
	const struct yaml_node *merged = merge(l->file->arena, doc, base), *rule;

	c->previous = merged;
	if (++c->made == 1)
		return merged;
	rule = merge(l->file->arena, merged, &(struct yaml_node){.kind = YAML_MAP}); /* a copy: the next repeat counts on its own */
	count_up(l->file->arena, doc, rule, "id", c->made);
	count_up(l->file->arena, doc, rule, "name", c->made);
	if (!yaml_get(rule, "id") && !yaml_get(rule, "name"))
		count_up(l->file->arena, doc, rule, "title", c->made);
	return rule;
}

const struct yaml_node *collection_take(struct collection *c, struct loader *l, const struct yaml_node *doc, bool *bad)
{
	const struct yaml_node *action = yaml_get(doc, "action");

	*bad = false;
	if (yaml_get(doc, "correlation") || yaml_get(doc, "filter"))
		return doc;
	if (!action && c->global && doc->kind == YAML_MAP)
		return finish(c, l, doc, c->global);
	if (!action) {
		c->previous = doc;
		c->made = c->made ? c->made : 1;
		return doc;
	}
	if (action->kind == YAML_SCALAR && strcmp(action->text, "global") == 0) {
		c->global = doc;
		return NULL;
	}
	if (action->kind == YAML_SCALAR && strcmp(action->text, "reset") == 0) {
		c->global = NULL;
		return NULL;
	}
	if (action->kind == YAML_SCALAR && strcmp(action->text, "repeat") == 0 && c->previous && c->previous->kind == YAML_MAP)
		return finish(c, l, doc, c->previous);
	*bad = !refuse(l, action, "'action' is global, reset, or repeat behind a rule; several rules of a file need no action, only '---'");
	return NULL;
}
