/* detection.c - the `detection` of a rule: named selections and the condition over them.
 *
 * Why: a map is an AND, a list is an OR, a scalar is a keyword; from here on all of it is one tree.
 * Promises: the tree means what the YAML says (Sigma specification, "Detection").
 * Refuses: empty selections, maps as values, a missing condition, selections that the condition does not know. */
#include <string.h>

#include "base/text.h"
#include "rules/compiled.h"

const uint16_t *variant_fields(struct loader *l, const struct yaml_node *at, const struct compiled *c, const char *name)
{
	uint16_t *ids = arena_alloc(l->arena, c->n_variants * sizeof *ids);

	if (strcmp(name, "Data[0]") == 0) {
		refuse(l, at, "positions count from 1: write Data[1] for the first");
		return NULL;
	}
	for (size_t v = 0; v < c->n_variants; v++) {
		const char *real = name;

		if (c->category && v < c->category->n)
			for (size_t r = 0; r < c->category->sources[v].n_renames; r++)
				if (text_same(c->category->sources[v].renames[r].from, name))
					real = c->category->sources[v].renames[r].to;
		ids[v] = field_id(l, at, real);
		if (ids[v] == 0)
			return NULL;
	}
	return ids;
}

static struct node *new_node(struct loader *l, enum node_kind kind, size_t kids)
{
	struct node *n = arena_alloc(l->arena, sizeof *n);

	n->kind = kind;
	n->kids = arena_alloc(l->arena, (kids + 1) * sizeof(struct node *));
	return n;
}

static struct node *item_node(struct loader *l, const struct compiled *c, const struct yaml_node *key,
	const struct yaml_node *value)
{
	struct item *it = arena_alloc(l->arena, sizeof *it);
	struct node *n = new_node(l, NODE_ITEM, 0);

	n->item = it;
	return item_compile(l, c, key, value, it) ? n : NULL;
}

/* Recursion is bounded by the depth that base/yaml allows. */
static struct node *definition(struct loader *l, const struct compiled *c, const struct yaml_node *d)
{
	struct node *n;

	if (d->kind == YAML_SCALAR)
		return item_node(l, c, NULL, d);
	if (d->n == 0) {
		refuse(l, d, "a selection must not be empty");
		return NULL;
	}
	n = new_node(l, d->kind == YAML_MAP ? NODE_AND : NODE_OR, d->n);
	for (n->n = 0; n->n < d->n; n->n++) {
		n->kids[n->n] = d->kind == YAML_MAP ? item_node(l, c, d->keys[n->n], d->items[n->n]) : definition(l, c, d->items[n->n]);
		if (!n->kids[n->n])
			return NULL;
	}
	return n;
}

static bool conditions(struct loader *l, struct compiled *c, const struct yaml_node *cond, struct selection *s, size_t n)
{
	struct node *any;

	if (!cond)
		return refuse(l, NULL, "the detection has no 'condition'");
	if (cond->kind == YAML_SCALAR) {
		c->condition = condition_compile(l, cond, s, n);
		return c->condition != NULL;
	}
	if (cond->kind == YAML_MAP || cond->n == 0)
		return refuse(l, cond, "a condition is a text, or a list of texts of which one must hold");
	any = new_node(l, NODE_OR, cond->n);
	for (any->n = 0; any->n < cond->n; any->n++)
		if (!(any->kids[any->n] = condition_compile(l, cond->items[any->n], s, n)))
			return false;
	c->condition = any;
	return true;
}

static const struct yaml_node *key_of(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->keys[i];
	return map;
}

bool detection_compile(struct loader *l, struct compiled *c, const struct yaml_node *detection)
{
	size_t n = 0;

	if (detection->kind != YAML_MAP)
		return refuse(l, detection, "'detection' must be a map of selections and a condition");
	struct selection *s = arena_alloc(l->arena, (detection->n + 1) * sizeof *s);

	for (size_t i = 0; i < detection->n; i++) {
		const char *name = detection->keys[i]->text;

		if (strcmp(name, "condition") == 0 || strcmp(name, "timeframe") == 0)
			continue;
		s[n].name = keep(l, detection->keys[i]);
		if (!(s[n].node = definition(l, c, detection->items[i])))
			return false;
		s[n].node->label = s[n].name;
		n++;
	}
	if (n == 0)
		return refuse(l, detection, "the detection has no selection");
	if (yaml_get(detection, "timeframe"))
		warn_as(l, LINT_OBSOLETE, yaml_get(detection, "timeframe"), "'timeframe' is obsolete and has no effect; write a correlation");
	if (!conditions(l, c, yaml_get(detection, "condition"), s, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!s[i].used)
			warn_as(l, LINT_UNUSED_SELECTION, key_of(detection, s[i].name), "selection '%s' is not used by the condition", s[i].name);
	return true;
}
