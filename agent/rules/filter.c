/* filter.c - filter documents.
 *
 * Why: an exception that is written into a rule is lost with the rule's next version.
 * Promises: a filter joins the condition of each rule that it names and whose logsource it covers: RULE and (FILTER). Its
 * selections have a name space of their own: `them` means the filter's. Correlations are never filtered.
 * Refuses: a filter without title, logsource, rules or condition, or that names no rule there is. */
#include "rules/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *const not_selections[] = {"rules", "condition", NULL};
static const char *const logsource_keys[] = {"product", "service", "category", "definition", NULL};

static bool has_not(const struct node *n)
{
	if (n->kind == NODE_NOT || (n->kind == NODE_ITEM && n->item->negated))
		return true;
	for (size_t i = 0; i < n->n; i++)
		if (has_not(n->kids[i]))
			return true;
	return false;
}

/* `rules`: any, an empty list (both: all), or ids and names. */
static bool all_rules(const struct yaml_node *rules)
{
	return (rules->kind == YAML_LIST && rules->n == 0) || (rules->kind == YAML_SCALAR && text_same(rules->text, "any"));
}

static bool check(struct loader *l, const struct yaml_node *doc)
{
	const struct yaml_node *title = yaml_get(doc, "title"), *source = yaml_get(doc, "logsource"), *filter = yaml_get(doc, "filter");
	const struct yaml_node *rules = yaml_get(filter, "rules");
	struct compiled probe = {.n_variants = 1};
	const char *const *names;
	size_t n;
	bool good = true;

	if (!title || title->kind != YAML_SCALAR || title->len == 0)
		good = refuse(l, doc, "the filter has no 'title'");
	if (!source)
		good = refuse(l, doc, "the filter has no 'logsource'");
	else if (!only_keys(l, source, "logsource", logsource_keys))
		good = false;
	else if (!yaml_get(source, "product") && !yaml_get(source, "service") && !yaml_get(source, "category"))
		good = refuse(l, source, "'logsource' needs a product, service or category");
	if (filter->kind != YAML_MAP)
		return refuse(l, filter, "'filter' must be a map of rules, selections and a condition");
	if (!rules)
		good = refuse(l, filter, "a filter needs 'rules': a list of ids or names, or any");
	else if (!all_rules(rules) && !texts(l, rules, "rules", &names, &n))
		good = false;
	struct node *tree = detection_tree(l, &probe, filter, "filter", not_selections);

	if (tree && !has_not(tree))
		warn_as(l, LINT_FILTER_WITHOUT_NOT, yaml_get(filter, "condition"),
			"the filter's condition must hold for a rule to match, and it has no 'not'; to leave out what is selected write 'not selection'");
	return tree && good;
}

bool filters_add(struct filters *f, struct loader *l, const struct yaml_node *doc)
{
	if (!check(l, doc))
		return false;
	if (f->n == f->cap) {
		f->cap = f->cap ? 2 * f->cap : 16;
		f->list = xrealloc(f->list, f->cap, sizeof *f->list);
	}
	f->list[f->n++] = (struct filter){doc, l->file, l->path};
	return true;
}

bool filters_keep(struct filters *f, struct yaml_file *file)
{
	if (f->n == 0 || f->list[f->n - 1].file != file)
		return false;
	f->files = xrealloc(f->files, f->n_files + 1, sizeof(struct yaml_file *));
	f->files[f->n_files++] = file;
	return true;
}

static bool states(const struct yaml_node *source, const char *key, const char *of_rule)
{
	const struct yaml_node *n = yaml_get(source, key);

	return !n || (n->kind == YAML_SCALAR && text_same(n->text, of_rule));
}

static bool covers(const struct yaml_node *source, const struct rule *r)
{
	return states(source, "product", r->product) && states(source, "service", r->service) && states(source, "category", r->category);
}

static void join(struct loader *l, const struct filter *f, struct compiled *c)
{
	struct node *both = arena_alloc(l->arena, sizeof *both), *tree;

	tree = detection_tree(l, c, yaml_get(f->doc, "filter"), "filter", not_selections);
	if (!tree)
		return;
	if (!tree->label) /* else the condition is one selection, whose name says as much */
		tree->label = arena_printf(l->arena, "filter %s", yaml_get(f->doc, "title")->text);
	both->kind = NODE_AND;
	both->kids = arena_alloc(l->arena, 2 * sizeof(struct node *));
	both->kids[both->n++] = c->condition;
	both->kids[both->n++] = tree;
	c->condition = both;
}

/* Was the rule named? Then the filter covers it, or is told not to. */
static void apply_to(struct loader *l, struct loader *quiet, const struct filter *f, struct compiled *c, bool by_name)
{
	const struct yaml_node *source = yaml_get(f->doc, "logsource");
	const struct yaml_node *rules = yaml_get(yaml_get(f->doc, "filter"), "rules");
	const char *name = *c->rule.id ? c->rule.id : c->rule.name;

	if (c->rule.kind == RULE_DETECTION && covers(source, &c->rule))
		join(quiet, f, c);
	else if (by_name && c->rule.kind == RULE_DETECTION)
		warn_at(l, rules, "the filter's logsource is not that of rule '%s', so it has no effect there", name);
	else if (by_name)
		warn_at(l, rules, "'%s' is a correlation, and filters have no effect on those; name the rules below it", name);
}

static bool apply(struct loader *l, const struct filter *f, struct ruleset *rs)
{
	const struct yaml_node *rules = yaml_get(yaml_get(f->doc, "filter"), "rules");
	struct loader quiet = *l; /* what is wrong with the filter itself was told when it was added */
	size_t n = rules->kind == YAML_LIST ? rules->n : 1, unknown = 0;

	quiet.report = NULL;
	if (all_rules(rules)) {
		for (size_t i = 0; i < rs->n; i++)
			apply_to(l, &quiet, f, rs->rules[i], false);
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct yaml_node *name = rules->kind == YAML_LIST ? rules->items[i] : rules;
		const struct rule *r = ruleset_find(rs, name->text);

		if (r) {
			apply_to(l, &quiet, f, rs->rules[r->index], true);
			continue;
		}
		unknown++;
		warn_at(l, name, "the filter names '%s', and there is no such rule", name->text);
	}
	return unknown < n || refuse(l, rules, "the filter names no rule there is; it is left out");
}

void filters_apply(struct filters *f, struct loader *l, struct ruleset *rs)
{
	for (size_t i = 0; i < f->n; i++) {
		l->file = f->list[i].file;
		l->path = f->list[i].path;
		l->doc = f->list[i].doc;
		if (!apply(l, &f->list[i], rs))
			rs->refused++;
	}
	l->file = NULL;
	l->doc = NULL;
}

void filters_free(struct filters *f)
{
	for (size_t i = 0; i < f->n_files; i++)
		yaml_free(f->files[i]);
	free(f->files);
	free(f->list);
}
