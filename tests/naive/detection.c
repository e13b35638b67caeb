/* detection.c - selections: maps are AND, lists are OR, scalars are keywords; and the evaluation of what comes out. */
#include <string.h>

#include "naive/inside.h"

static struct nv_node *of_item(struct naive *n, const struct yaml_node *key, const struct yaml_node *value)
{
	struct nv_node *x = nv_node_new(n, N_ITEM, 0);

	return nv_item_of(n, key, value, &x->item) ? x : NULL;
}

static struct nv_node *of_selection(struct naive *n, const struct yaml_node *s)
{
	struct nv_node *x;

	if (s->kind == YAML_SCALAR)
		return of_item(n, NULL, s);
	if (s->n == 0) {
		nv_no(n, s, "an empty selection");
		return NULL;
	}
	x = nv_node_new(n, s->kind == YAML_MAP ? N_AND : N_OR, s->n);
	for (size_t i = 0; i < s->n; i++) {
		struct nv_node *kid = s->kind == YAML_MAP ? of_item(n, s->keys[i], s->items[i]) : of_selection(n, s->items[i]);

		if (!kid)
			return NULL;
		x->kids[x->n++] = kid;
	}
	return x;
}

struct nv_node *nv_detection_of(struct naive *n, const struct yaml_node *d, const struct yaml_node *condition, bool filter)
{
	struct nv_selection *s;
	struct nv_node *x;
	size_t count = 0;

	if (!d || d->kind != YAML_MAP || MANY(condition) == 0 || condition->kind == YAML_MAP) {
		nv_no(n, d, "detection or condition is missing");
		return NULL;
	}
	s = arena_alloc(n->arena, (d->n + 1) * sizeof *s);
	for (size_t i = 0; i < d->n; i++) {
		const char *name = d->keys[i]->text;

		if (strcmp(name, "condition") == 0 || (filter ? strcmp(name, "rules") == 0 : strcmp(name, "timeframe") == 0))
			continue;
		s[count] = (struct nv_selection){.name = name, .node = of_selection(n, d->items[i])};
		if (!s[count++].node)
			return NULL;
	}
	if (count == 0) {
		nv_no(n, d, "there is no selection");
		return NULL;
	}
	x = nv_node_new(n, N_OR, MANY(condition));
	for (size_t i = 0; i < MANY(condition); i++) {
		const struct yaml_node *c = NTH(condition, i);
		struct nv_node *kid = c->kind == YAML_SCALAR ? nv_condition_of(n, c->text, s, count) : NULL;

		if (!kid) {
			nv_no(n, c, "a condition must be text");
			return NULL;
		}
		x->kids[x->n++] = kid;
	}
	return x;
}

/* -- evaluation -- */

static bool number_holds(const struct nv_test *t, const struct nv_value *v)
{
	struct nv_num of_event;
	size_t from = strspn(v->folded, " \t\r\n");

	if (from <= v->trim_folded && strlen(t->text) == v->trim_folded - from && memcmp(t->text, v->folded + from, strlen(t->text)) == 0)
		return true;
	return nv_num_of(v->raw, v->n, &of_event) && nv_num_order(&of_event, &t->num) == 0;
}

static bool compares(const struct nv_item *it, const struct nv_test *t, const struct nv_value *v)
{
	struct nv_num of_event;
	int order;

	if (!nv_num_of(v->raw, v->n, &of_event))
		return false;
	order = nv_num_order(&of_event, &t->num);
	return it->compare == LT ? order < 0 : it->compare == LTE ? order <= 0 : it->compare == GT ? order > 0 : order >= 0;
}

static bool part_holds(const struct nv_item *it, const struct nv_test *t, const struct nv_value *v)
{
	int64_t part;

	return nv_time_part(v->raw, v->n, it->part, &part) && !t->num.negative && (uint64_t)part == t->num.size;
}

static bool refers(struct naive *n, const struct nv_item *it, const struct nv_test *t, const struct nv_value *v, enum renames r)
{
	size_t count, an, bn;
	const struct nv_value *const *other = nv_values_of(n, t->field, r, &count);

	for (size_t i = 0; i < count; i++) {
		const char *a = it->cased ? v->raw : v->folded, *b = it->cased ? other[i]->raw : other[i]->folded;
		bool held;

		an = it->cased ? v->trim : v->trim_folded;
		bn = it->cased ? other[i]->trim : other[i]->trim_folded;
		switch (it->shape) {
		case WHOLE:
			held = an == bn && memcmp(a, b, an) == 0;
			break;
		case STARTS:
			held = an >= bn && memcmp(a, b, bn) == 0;
			break;
		case ENDS:
			held = an >= bn && memcmp(a + an - bn, b, bn) == 0;
			break;
		default:
			held = bn == 0 || memmem(a, an, b, bn);
		}
		if (held)
			return true;
	}
	return false;
}

static bool test_holds(struct naive *n, const struct nv_item *it, const struct nv_test *t, const struct nv_value *v, enum renames r)
{
	switch (t->kind) {
	case K_STRING:
		for (size_t i = 0; i < t->n; i++)
			if (nv_pattern_holds(&t->patterns[i], v, it->cased))
				return true;
		return false;
	case K_NUMBER:
		return number_holds(t, v);
	case K_BOOL:
		return strlen(t->text) == v->trim_folded && memcmp(t->text, v->folded, v->trim_folded) == 0;
	case K_REGEX:
		return nv_regex_holds(t->regex, v->raw, v->n, &n->gave_up);
	case K_CIDR:
		return nv_net_holds(&t->net, v->raw, v->n);
	case K_COMPARE:
		return compares(it, t, v);
	case K_PART:
		return part_holds(it, t, v);
	case K_FIELD:
		return refers(n, it, t, v, r);
	default:
		return false;
	}
}

static bool null_holds(const struct nv_value *const *v, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (v[i]->n)
			return false;
	return true;
}

static bool value_holds(struct naive *n, const struct nv_item *it, const struct nv_test *t, const struct nv_value *const *v, size_t count,
	enum renames r)
{
	if (it->keyword) {
		for (size_t i = 0; i < n->n_values; i++)
			if (!n->values[i].derived && test_holds(n, it, t, &n->values[i], r))
				return true;
		return false;
	}
	if (t->kind == K_NULL)
		return null_holds(v, count);
	for (size_t i = 0; i < count; i++)
		if (test_holds(n, it, t, v[i], r))
			return true;
	return false;
}

static bool item_holds(struct naive *n, const struct nv_item *it, enum renames r)
{
	size_t count = 0;
	const struct nv_value *const *v = it->keyword ? NULL : nv_values_of(n, it->name, r, &count);
	bool holds = it->all;

	if (it->exists)
		return (count > 0) == it->exists_true;
	for (size_t i = 0; i < it->n && holds == it->all; i++)
		holds = value_holds(n, it, &it->tests[i], v, count, r);
	return holds != it->neq;
}

bool nv_node_holds(struct naive *n, const struct nv_node *x, enum renames r)
{
	size_t held = 0;

	switch (x->kind) {
	case N_ITEM:
		return item_holds(n, &x->item, r);
	case N_NOT:
		return !nv_node_holds(n, x->kids[0], r);
	case N_AND:
		for (size_t i = 0; i < x->n; i++)
			if (!nv_node_holds(n, x->kids[i], r))
				return false;
		return true;
	case N_OR:
		for (size_t i = 0; i < x->n; i++)
			if (nv_node_holds(n, x->kids[i], r))
				return true;
		return false;
	default:
		for (size_t i = 0; i < x->n && held < x->least; i++)
			held += nv_node_holds(n, x->kids[i], r);
		return held >= x->least;
	}
}
