/* lint_condition.c - conditions that can never hold, that always hold, or that say something else than they seem to.
 *
 * Why: a contradiction loads, costs nothing and finds nothing.
 * Promises: reads the condition with the parser that the rules are read with; tells only what follows from the text alone.
 * Refuses: to reason about fields that may have several values (Data), or about wildcards and regular expressions. */
#include <string.h>

#include "base/text.h"
#include "rules/lint/lint_inside.h"

#define FACTS 64 /* selections that must all hold; beyond it nothing more is compared */
#define PAIRS 1000000 /* of values of two lines that are held against each other */

struct facts { /* what an AND demands of selections */
	const char *yes[FACTS], *no[FACTS];
	size_t n_yes, n_no;
};

static void add(const char **list, size_t *n, const char *label)
{
	if (*n < FACTS && label)
		list[(*n)++] = label;
}

/* Everything that must hold (or must not) wherever n does. */
static void demand(const struct node *n, bool wanted, struct facts *f)
{
	if (n->label) {
		add(wanted ? f->yes : f->no, wanted ? &f->n_yes : &f->n_no, n->label);
	} else if (n->kind == NODE_NOT) {
		demand(n->kids[0], !wanted, f);
	} else if (n->kind == (wanted ? NODE_AND : NODE_OR) || n->n == 1) {
		for (size_t i = 0; i < n->n; i++)
			demand(n->kids[i], wanted, f);
	}
}

static const char *in_both(const struct facts *f)
{
	for (size_t i = 0; i < f->n_yes; i++)
		for (size_t k = 0; k < f->n_no; k++)
			if (strcmp(f->yes[i], f->no[k]) == 0)
				return f->yes[i];
	return NULL;
}

/* Must some selection hold for n to be as wanted? */
static bool needs_one(const struct node *n, bool wanted)
{
	bool every = n->kind == (wanted ? NODE_OR : NODE_AND);

	if (n->label)
		return wanted;
	if (n->kind == NODE_NOT)
		return needs_one(n->kids[0], !wanted);
	for (size_t i = 0; i < n->n; i++)
		if (needs_one(n->kids[i], wanted) != every)
			return !every;
	return every;
}

static void tree(struct loader *l, const struct yaml_node *at, const struct node *n, bool wanted)
{
	struct facts f = {.n_yes = 0};
	const char *both;

	if (n->label) {
		if (wanted && text_same_n(n->label, strlen(n->label) < 6 ? 0 : 6, "filter", 6))
			warn_as(l, LINT_FILTER_POSITIVE, at, "'%s' is used without 'not', so the rule finds what it is named to leave out", n->label);
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		tree(l, at, n->kids[i], wanted != (n->kind == NODE_NOT));
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		return;
	demand(n, n->kind == NODE_AND, &f);
	if ((both = in_both(&f)))
		warn_as(l, n->kind == NODE_AND ? LINT_CONTRADICTION : LINT_ALWAYS, at, n->kind == NODE_AND ?
			"the condition wants '%s' and not '%s', so it never holds" : "the condition takes '%s' and not '%s', so it always holds", both, both);
}

/* -- values -- */

static bool fits(const char *word, const struct yaml_node *v, const struct yaml_node *want)
{
	if (want->len > v->len)
		return false;
	if (strcmp(word, "contains") == 0)
		return text_has(v->text, v->len, want->text);
	if (strcmp(word, "startswith") == 0)
		return text_same_n(v->text, want->len, want->text, want->len);
	if (strcmp(word, "endswith") == 0)
		return text_same_n(v->text + v->len - want->len, want->len, want->text, want->len);
	return text_same_n(v->text, v->len, want->text, want->len);
}

/* The one modifier of a key that can be compared here: "", contains, startswith or endswith; NULL: something else. */
static const char *plain_word(const struct yaml_node *key)
{
	const char *bar = strchr(key->text, '|');

	if (!bar)
		return "";
	return strcmp(bar, "|contains") == 0 || strcmp(bar, "|startswith") == 0 || strcmp(bar, "|endswith") == 0 ? bar + 1 : NULL;
}

/* Two lines of which at least the first names whole values: no value of the first is one that the second takes. */
static bool excludes(const struct yaml_node *key, const struct yaml_node *value, const struct yaml_node *key2,
	const struct yaml_node *value2)
{
	const char *word = plain_word(key2);

	if (strchr(key->text, '|') || !word || lint_n_values(value) == 0 || lint_n_values(value2) == 0)
		return false;
	if (lint_n_values(value) > PAIRS / lint_n_values(value2))
		return false;
	for (size_t i = 0; i < lint_n_values(value); i++)
		for (size_t k = 0; k < lint_n_values(value2); k++) {
			const struct yaml_node *v = lint_value(value, i), *want = lint_value(value2, k);

			if (!lint_literal(v) || !lint_literal(want) || fits(word, v, want))
				return false;
		}
	return true;
}

struct line {
	const struct yaml_node *key, *value;
};

struct lines {
	struct line line[FACTS];
	size_t n;
};

static void gather(const struct yaml_node *definition, struct lines *to)
{
	if (definition->kind == YAML_LIST && definition->n == 1)
		gather(definition->items[0], to);
	for (size_t i = 0; definition->kind == YAML_MAP && i < definition->n && to->n < FACTS; i++)
		if (definition->items[i]->kind != YAML_MAP)
			to->line[to->n++] = (struct line){definition->keys[i], definition->items[i]};
}

static void compare(struct loader *l, const struct lines *all)
{
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct line *a = &all->line[k], *b = &all->line[i];

			if (!lint_same_field(a->key, b->key->text) || lint_same_field(a->key, "Data") || a->key->text[0] == '|')
				continue;
			if (excludes(a->key, a->value, b->key, b->value) || excludes(b->key, b->value, a->key, a->value))
				warn_as(l, LINT_CONTRADICTION, b->key, "'%s' here and on line %d cannot both hold, so the rule never matches", b->key->text,
					a->key->line);
		}
}

static bool has_id(const struct log_set *category, const struct yaml_node *v)
{
	int64_t id;

	if (!text_int(v->text, v->len, &id))
		return true;
	for (size_t s = 0; s < category->n; s++) {
		const struct log_source *src = &category->sources[s];

		if (src->n_ids == 0)
			return true;
		for (size_t i = 0; i < src->n_ids; i++)
			if (src->ids[i] == id)
				return true;
	}
	return false;
}

static void compare_ids(struct loader *l, const struct log_set *category, const struct lines *all)
{
	for (size_t i = 0; category && category->n && i < all->n; i++) {
		const struct yaml_node *key = all->line[i].key, *value = all->line[i].value;
		size_t in = 0, n = lint_n_values(value);

		if (strcmp(key->text, "EventID") != 0)
			continue;
		for (size_t k = 0; k < n; k++)
			in += lint_value(value, k)->kind != YAML_SCALAR || has_id(category, lint_value(value, k));
		if (n && in == 0)
			warn_as(l, LINT_CONTRADICTION, key, "the category of this rule has no such EventID, so the rule never matches");
	}
}

/* One condition. */
static void one(struct loader *l, const struct log_set *category, const struct yaml_node *detection, const struct yaml_node *at)
{
	struct loader quiet = {.path = l->path, .file = l->file, .arena = l->arena, .names = l->names};
	struct selection *s = arena_alloc(l->arena, (detection->n + 1) * sizeof *s);
	struct lines all = {.n = 0};
	struct facts f = {.n_yes = 0};
	const struct node *root;
	size_t n = 0;

	for (size_t i = 0; i < detection->n; i++)
		if (lint_is_selection(detection->keys[i]->text)) {
			s[n].name = keep(l, detection->keys[i]);
			s[n].node = arena_alloc(l->arena, sizeof *s[n].node);
			s[n].node->label = s[n].name;
			n++;
		}
	if (!n || !(root = condition_compile(&quiet, at, s, n)))
		return;
	tree(l, at, root, true);
	if (!needs_one(root, true))
		warn_as(l, LINT_ONLY_NOT, at, "the condition only says what must not be, so every other event of the logsource matches");
	demand(root, true, &f);
	for (size_t i = 0; i < f.n_yes; i++)
		gather(yaml_get(detection, f.yes[i]), &all);
	compare(l, &all);
	compare_ids(l, category, &all);
}

void lint_condition(struct loader *l, const struct log_set *category, const struct yaml_node *detection)
{
	const struct yaml_node *at = yaml_get(detection, "condition");

	for (size_t i = 0; at && i < lint_n_values(at); i++)
		if (lint_value(at, i)->kind == YAML_SCALAR)
			one(l, category, detection, lint_value(at, i));
}
