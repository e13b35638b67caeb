/* item.c - one line of a detection: `Field|modifier|modifier: value or values`.
 *
 * Why: modifiers change values, their kind, or how a list is linked; all of it is settled here, once, at load time.
 * Promises: a modifier means what the Sigma specification says; order counts only where it says so.
 * Refuses: modifiers it does not know, by nearest name; those it does not have yet, by name; combinations that mean nothing. */
#include <string.h>

#include "base/text.h"
#include "rules/compiled.h"

enum modifier { M_CONTAINS, M_STARTSWITH, M_ENDSWITH, M_ALL, M_NEQ, M_CASED, M_EXISTS, M_WINDASH, M_FIELDREF, M_LT, M_LTE, M_GT,
	M_GTE, M_COUNT };

static const char *const modifier_names[] = {"contains", "startswith", "endswith", "all", "neq", "cased", "exists", "windash",
	"fieldref",
					     "lt", "lte", "gt", "gte", NULL};
static const char *const later_names[] = {"re", "i", "m", "s", "ignorecase", "multiline", "dotall", "base64", "base64offset",
	"wide", "utf16",
					  "utf16le", "utf16be", "cidr", "expand", "minute", "hour", "day", "week", "month", "year", NULL};

static bool read_modifiers(struct loader *l, const struct yaml_node *key, unsigned *set)
{
	const char *p = strchr(key->text, '|');

	for (*set = 0; p; p = strchr(p + 1, '|')) {
		size_t n = strcspn(p + 1, "|"), m = 0;
		char name[32];

		if (n >= sizeof name)
			return refuse(l, key, "'%s' has a modifier that is too long", key->text);
		memcpy(name, p + 1, n);
		name[n] = '\0';
		for (size_t i = 0; later_names[i]; i++)
			if (strcmp(name, later_names[i]) == 0)
				return refuse(l, key, "modifier '%s' is not supported yet; this rule is left out", name);
		while (m < M_COUNT && strcmp(name, modifier_names[m]) != 0)
			m++;
		if (m == M_COUNT) {
			const char *near = text_nearest(name, modifier_names);

			return refuse(l, key, "unknown modifier '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		}
		*set |= 1u << m;
	}
	return true;
}

static bool one_at_most(unsigned set, unsigned of)
{
	unsigned both = set & of;

	return (both & (both - 1)) == 0;
}

#define BIT(m) (1u << (m))
#define SHAPES (BIT(M_CONTAINS) | BIT(M_STARTSWITH) | BIT(M_ENDSWITH))
#define COMPARES (BIT(M_LT) | BIT(M_LTE) | BIT(M_GT) | BIT(M_GTE))

static bool check_modifiers(struct loader *l, const struct yaml_node *key, unsigned set, bool keyword)
{
	if (!one_at_most(set, SHAPES | COMPARES | BIT(M_EXISTS)))
		return refuse(l, key, "'%s' combines modifiers that exclude each other", key->text);
	if ((set & BIT(M_EXISTS)) && set != BIT(M_EXISTS))
		return refuse(l, key, "'exists' stands alone: write 'Field|exists: true'");
	if ((set & COMPARES) && (set & ~(COMPARES | BIT(M_NEQ) | BIT(M_ALL))))
		return refuse(l, key, "'%s': a comparison of numbers takes no text modifiers", key->text);
	if ((set & BIT(M_FIELDREF)) && (set & BIT(M_WINDASH)))
		return refuse(l, key, "'%s': windash changes text, and a field's name is no text to change", key->text);
	if (keyword && (set & (COMPARES | BIT(M_EXISTS) | BIT(M_FIELDREF))))
		return refuse(l, key, "'%s' needs a field name in front", key->text);
	return true;
}

/* plain decimal numbers only; everything else is text. */
static bool plain_number(const struct yaml_node *n)
{
	const char *s = n->text + (*n->text == '-' || *n->text == '+');
	size_t digits = strspn(s, "0123456789");

	if (!n->plain || digits == 0)
		return false;
	if (s[digits] == '.')
		return s[digits + 1] && strspn(s + digits + 1, "0123456789") == strlen(s + digits + 1);
	return s[digits] == '\0' && (s[0] != '0' || (digits == 1 && s == n->text));
}

static bool plain_bool(const struct yaml_node *n, bool *truth)
{
	*truth = text_same(n->text, "true");
	return n->plain && (*truth || text_same(n->text, "false"));
}

static unsigned pattern_flags(unsigned set, bool keyword, bool number)
{
	unsigned f = 0;

	if (set & BIT(M_CASED))
		f |= PATTERN_CASED;
	if (keyword || (set & (BIT(M_CONTAINS) | BIT(M_ENDSWITH))))
		f |= PATTERN_FREE_START;
	if (keyword || (set & (BIT(M_CONTAINS) | BIT(M_STARTSWITH))))
		f |= PATTERN_FREE_END;
	if (set & BIT(M_WINDASH))
		f |= PATTERN_WINDASH;
	return number ? f | PATTERN_VERBATIM : f;
}

static bool read_compare(struct loader *l, const struct yaml_node *n, struct value *v)
{
	v->kind = VALUE_COMPARE;
	if (!number_parse(n->text, n->len, &v->number))
		return refuse(l, n, "'%s' is no number; lt, lte, gt and gte compare numbers", n->text);
	return true;
}

static bool read_field(struct loader *l, const struct compiled *c, const struct yaml_node *n, struct value *v)
{
	v->kind = VALUE_FIELD;
	if (n->len == 0 || pattern_has_wildcard(n->text, n->len))
		return refuse(l, n, "fieldref takes the name of another field, without wildcards");
	v->fields = variant_fields(l, n, c, n->text);
	return v->fields != NULL;
}

static bool read_value(struct loader *l, const struct compiled *c, const struct yaml_node *n, unsigned set, bool keyword,
	struct value *v)
{
	if (n->kind != YAML_SCALAR)
		return refuse(l, n, "a value must be a text, a number, true, false, null or a list of those");
	v->text = arena_copy(l->arena, n->text, n->len);
	if (yaml_is_null(n)) {
		v->kind = VALUE_NULL;
		if (keyword || set & ~(BIT(M_NEQ) | BIT(M_ALL)))
			return refuse(l, n, "null stands for an absent field: it takes no modifiers and is no keyword");
		return true;
	}
	if (set & COMPARES)
		return read_compare(l, n, v);
	if (set & BIT(M_FIELDREF))
		return read_field(l, c, n, v);
	bool number = plain_number(n);

	v->kind = VALUE_PATTERN;
	pattern_make(&v->pattern, l->arena, n->text, n->len, pattern_flags(set, keyword, number));
	if (keyword || (set & SHAPES))
		return true;
	if (number && number_parse(n->text, n->len, &v->number))
		v->kind = VALUE_NUMBER;
	else if (plain_bool(n, &v->truth))
		v->kind = VALUE_BOOL;
	return true;
}

static bool read_exists(struct loader *l, const struct yaml_node *value, struct item *to)
{
	to->exists = true;
	if (value->kind != YAML_SCALAR || !plain_bool(value, &to->exists_truth))
		return refuse(l, value, "exists takes true or false");
	return true;
}

bool item_compile(struct loader *l, const struct compiled *c, const struct yaml_node *key, const struct yaml_node *value,
	struct item *to)
{
	size_t name_len = key ? strcspn(key->text, "|") : 0;
	bool keyword = name_len == 0, list = value->kind == YAML_LIST;
	size_t n = list ? value->n : 1;
	unsigned set = 0;

	*to = (struct item){.field = key ? keep(l, key) : "keywords", .line = value->line, .how = FOLD_EQUAL};
	if (key && (!read_modifiers(l, key, &set) || !check_modifiers(l, key, set, keyword)))
		return false;
	if (value->kind == YAML_MAP)
		return refuse(l, value, "'%s' must be a value or a list of values, not a map", to->field);
	if (n == 0)
		return refuse(l, value, "'%s' has an empty list; write null for an absent field", to->field);
	if (!keyword && !(to->fields = variant_fields(l, key, c, arena_copy(l->arena, key->text, name_len))))
		return false;
	to->all = set & BIT(M_ALL);
	to->negated = set & BIT(M_NEQ);
	to->cased = set & BIT(M_CASED);
	to->compare = set & BIT(M_LT) ? COMPARE_LT : set & BIT(M_LTE) ? COMPARE_LTE : set & BIT(M_GT) ? COMPARE_GT : COMPARE_GTE;
	if (set & SHAPES)
		to->how = set & BIT(M_CONTAINS) ? FOLD_PART : set & BIT(M_STARTSWITH) ? FOLD_PREFIX : FOLD_SUFFIX;
	if (set & BIT(M_EXISTS))
		return read_exists(l, value, to);
	if (to->all && n == 1)
		warn_at(l, key, "'all' with one value changes nothing");
	struct value *values = arena_alloc(l->arena, n * sizeof *values);

	for (size_t i = 0; i < n; i++)
		if (!read_value(l, c, list ? value->items[i] : value, set, keyword, &values[i]))
			return false;
	to->values = values;
	to->n = n;
	return true;
}
