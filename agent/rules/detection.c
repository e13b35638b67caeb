/* detection.c - the `detection` of a rule: named selections and the condition over them.
 *
 * Why: a map is an AND, a list is an OR, a scalar is a keyword; from here on all of it is one tree.
 * Promises: the tree means what the YAML says (Sigma specification, "Detection").
 * Refuses: empty selections, maps as values, a missing condition, selections that the condition does not know. */
#include <string.h>

#include "base/text.h"
#include "limits.h"
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
	bool good = true;

	if (d->kind == YAML_SCALAR)
		return item_node(l, c, NULL, d);
	if (d->n == 0) {
		refuse(l, d, "a selection must not be empty");
		return NULL;
	}
	n = new_node(l, d->kind == YAML_MAP ? NODE_AND : NODE_OR, d->n);
	for (n->n = 0; n->n < d->n; n->n++) {
		n->kids[n->n] = d->kind == YAML_MAP ? item_node(l, c, d->keys[n->n], d->items[n->n]) : definition(l, c, d->items[n->n]);
		good = n->kids[n->n] && good;
	}
	return good ? n : NULL;
}

static struct node *conditions(struct loader *l, const struct yaml_node *map, const char *what, struct selection *s, size_t n)
{
	const struct yaml_node *cond = yaml_get(map, "condition");
	struct node *any;
	bool good = true;

	if (!cond) {
		refuse(l, map, "the %s has no 'condition'", what);
		return NULL;
	}
	if (cond->kind == YAML_SCALAR)
		return condition_compile(l, cond, s, n);
	if (cond->kind == YAML_MAP || cond->n == 0) {
		refuse(l, cond, "a condition is a text, or a list of texts of which one must hold");
		return NULL;
	}
	any = new_node(l, NODE_OR, cond->n);
	for (any->n = 0; any->n < cond->n; any->n++) {
		any->kids[any->n] = condition_compile(l, cond->items[any->n], s, n);
		good = any->kids[any->n] && good;
	}
	return good ? any : NULL;
}

/* Each node once, however often it is used. */
static size_t steps_of(struct node *n)
{
	if (n->steps)
		return n->steps;
	n->steps = 1 + (n->item ? n->item->n : 0);
	for (size_t i = 0; i < n->n; i++)
		n->steps += steps_of(n->kids[i]);
	return n->steps;
}

static bool one_of(const char *const *list, const char *name)
{
	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list;
}

static const struct yaml_node *key_of(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->keys[i];
	return map;
}

struct node *detection_tree(struct loader *l, const struct compiled *c, const struct yaml_node *map, const char *what,
	const char *const *not_selections)
{
	struct selection *s = arena_alloc(l->arena, (map->n + 1) * sizeof *s);
	struct node *tree;
	size_t n = 0, once = 0;
	bool good = true;

	for (size_t i = 0; i < map->n; i++) {
		if (one_of(not_selections, map->keys[i]->text))
			continue;
		s[n].name = keep(l, map->keys[i]);
		s[n].node = yaml_is_null(map->items[i]) ? NULL : definition(l, c, map->items[i]);
		if (yaml_is_null(map->items[i]))
			refuse(l, map->keys[i], "the selection '%s' is empty; write what it selects below it, indented, or leave it out", s[n].name);
		good = s[n].node && good;
		if (!s[n].node)
			s[n].node = new_node(l, NODE_OR, 0); /* stands for it, so that the condition is read as well */
		s[n].node->label = s[n].name;
		once += steps_of(s[n].node);
		n++;
	}
	if (n == 0)
		good = refuse(l, map, "the %s has no selection", what);
	tree = conditions(l, map, what, s, n);
	if (tree && steps_of(tree) > once + LIMIT_RULE_STEPS) {
		refuse(l, yaml_get(map, "condition"), "the condition names its selections so often that %zu questions become %zu; "
			"name each once, with '1 of them' or parentheses, or write several rules", once, steps_of(tree));
		return NULL;
	}
	for (size_t i = 0; tree && i < n; i++)
		if (!s[i].used)
			warn_as(l, LINT_UNUSED_SELECTION, key_of(map, s[i].name), "selection '%s' is not used by the condition", s[i].name);
	return good ? tree : NULL;
}

bool detection_compile(struct loader *l, struct compiled *c, const struct yaml_node *detection)
{
	static const char *const not_selections[] = {"condition", "timeframe", NULL};

	if (detection->kind != YAML_MAP)
		return refuse(l, detection, "'detection' must be a map of selections and a condition");
	c->condition = detection_tree(l, c, detection, "detection", not_selections);
	if (c->condition && yaml_get(detection, "timeframe"))
		warn_as(l, LINT_OBSOLETE, yaml_get(detection, "timeframe"), "'timeframe' is obsolete and has no effect; write a correlation");
	return c->condition;
}
