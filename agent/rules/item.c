/* item.c - one line of a detection: `Field|modifier|modifier: value or values`.
 *
 * Why: modifiers change values, their kind, or how a list is linked; all of it is settled here, once, at load time.
 * Promises: a value means what the Sigma specification says, and what a text becomes by expanding is one of several, whatever `all`
 * says of the list.
 * Refuses: values that do not fit the modifiers, with what to write instead. */
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "rules/compiled.h"
#include "rules/encode.h"
#include "rules/modifiers.h"

/* What all values of an item have in common while they are read. */
struct reading {
	struct loader *l;
	const struct compiled *c;
	unsigned set; /* of modifiers */
	bool keyword;
};

/* plain decimal numbers only; everything else is text. */
static bool plain_number(const struct yaml_node *n, bool *whole)
{
	const char *s = n->text + (*n->text == '-' || *n->text == '+');
	size_t digits = strspn(s, "0123456789");

	*whole = s[digits] == '\0';
	if (!n->plain || digits == 0)
		return false;
	if (s[digits] == '.')
		return s[digits + 1] && strspn(s + digits + 1, "0123456789") == strlen(s + digits + 1);
	return *whole && (s[0] != '0' || (digits == 1 && s == n->text));
}

static bool plain_bool(const struct yaml_node *n, bool *truth)
{
	*truth = text_same(n->text, "true");
	return n->plain && (*truth || text_same(n->text, "false"));
}

static unsigned pattern_flags(const struct reading *r)
{
	bool anywhere = r->keyword || (r->set & MOD(CONTAINS)) || ((r->set & MOD(BASE64OFFSET)) && !(r->set & MOD_SHAPES));

	return (r->set & MOD(CASED) ? PATTERN_CASED : 0) | (anywhere || (r->set & MOD(ENDSWITH)) ? PATTERN_FREE_START : 0) |
	       (anywhere || (r->set & MOD(STARTSWITH)) ? PATTERN_FREE_END : 0) | (r->set & MOD(WINDASH) ? PATTERN_WINDASH : 0);
}

static bool read_compare(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	bool whole;

	v->kind = VALUE_COMPARE;
	if (!plain_number(n, &whole))
		return refuse(r->l, n, "'%s' is no number; lt, lte, gt and gte compare decimal numbers, written without quotes", n->text);
	if (!number_parse(n->text, n->len, &v->number))
		return refuse(r->l, n, "%s does not fit 64 bits", n->text);
	return true;
}

static bool read_field(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	v->kind = VALUE_FIELD;
	if (n->len == 0 || pattern_has_wildcard(n->text, n->len))
		return refuse(r->l, n, "fieldref takes the name of another field, without wildcards");
	v->fields = variant_fields(r->l, n, r->c, n->text);
	return v->fields != NULL;
}

static bool read_regex(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	unsigned flags = (r->set & MOD(I) ? REGEX_I : 0u) | (r->set & MOD(M) ? REGEX_M : 0u) | (r->set & MOD(S) ? REGEX_S : 0u);
	struct err e = {0};

	v->kind = VALUE_REGEX;
	v->regex = regex_compile(r->l->arena, n->text, n->len, flags, &e);
	return v->regex || refuse_as(r->l, LINT_BAD_REGEX, n, "%s", e.text);
}

static bool read_cidr(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	struct cidr *to = arena_alloc(r->l->arena, sizeof *to);
	struct err e = {0};

	v->kind = VALUE_CIDR;
	v->cidr = to;
	return cidr_parse(n->text, n->len, to, &e) == 0 || refuse(r->l, n, "%s", e.text);
}

static enum time_part part_of(unsigned set)
{
	unsigned m = MOD_MINUTE;

	while (m < MOD_YEAR && !(set & (1u << m)))
		m++;
	return (enum time_part)(m - MOD_MINUTE);
}

static bool read_part(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	static const struct { unsigned least, most; } range[] = {{0, 59}, {0, 23}, {1, 31}, {1, 53}, {1, 12}, {1601, 9999}};
	enum time_part part = part_of(r->set);
	bool whole;

	v->kind = VALUE_TIME_PART;
	if (!plain_number(n, &whole) || !whole || !number_parse(n->text, n->len, &v->number) || v->number.negative ||
	    v->number.size < range[part].least || v->number.size > range[part].most)
		return refuse(r->l, n, "'%s' is none of the numbers %u to %u, which this part of a time has", n->text, range[part].least,
			range[part].most);
	return true;
}

/* One text, or with the modifiers that expand several, of which any may hold. */
static bool read_text(const struct reading *r, const struct yaml_node *n, bool verbatim, struct value *v)
{
	const struct raw_text raw = {n->text, n->len}, *texts_in = &raw;
	size_t n_in = 1, total = 0, room = 1;
	unsigned flags = pattern_flags(r);
	struct value *any = v;

	v->kind = VALUE_PATTERN;
	if ((r->set & MOD(EXPAND)) && !(texts_in = placeholders_expand(r->l, n, &n_in)))
		return false;
	for (size_t i = 0; i < n_in; i++) {
		const struct raw_text *out = &texts_in[i];
		size_t n_out = 1;

		if ((r->set & MOD_BASE64S) && !(out = encode(r->l, n, r->set, &texts_in[i], verbatim, &n_out)))
			return false;
		if (total + n_out > room) {
			struct value *more = arena_alloc(r->l->arena, (room = 2 * (total + n_out)) * sizeof *more);

			memcpy(more, any, total * sizeof *more);
			any = more;
		}
		for (size_t k = 0; k < n_out; k++) {
			unsigned plain = r->set & MOD_BASE64S ? (flags & ~(unsigned)PATTERN_WINDASH) | PATTERN_VERBATIM : flags;

			any[total].kind = VALUE_PATTERN;
			any[total].text = v->text;
			pattern_make(&any[total++].pattern, r->l->arena, out[k].text, out[k].n, plain | (verbatim ? PATTERN_VERBATIM : 0));
		}
	}
	if (any != v) {
		v->kind = VALUE_GROUP;
		v->any = any;
		v->n_any = total;
	}
	return true;
}

static bool read_value(const struct reading *r, const struct yaml_node *n, struct value *v)
{
	bool whole, number;

	if (n->kind != YAML_SCALAR)
		return refuse(r->l, n, "a value must be a text, a number, true, false, null or a list of those");
	v->text = arena_copy(r->l->arena, n->text, n->len);
	if (yaml_is_null(n)) {
		v->kind = VALUE_NULL;
		if (r->keyword)
			return refuse(r->l, n, "null stands for an absent field and is no keyword; name a field, or write a text");
		return !(r->set & ~(MOD(NEQ) | MOD(ALL))) || refuse(r->l, n, "null stands for an absent field and takes no modifiers");
	}
	if (r->set & MOD_COMPARES)
		return read_compare(r, n, v);
	if (r->set & MOD(FIELDREF))
		return read_field(r, n, v);
	if (r->set & MOD(RE))
		return read_regex(r, n, v);
	if (r->set & MOD(CIDR))
		return read_cidr(r, n, v);
	if (r->set & MOD_PARTS)
		return read_part(r, n, v);
	number = plain_number(n, &whole);
	if (!read_text(r, n, number, v))
		return false;
	if (v->kind != VALUE_PATTERN || r->keyword || (r->set & (MOD_SHAPES | MOD_BASE64S)))
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

static void settle(struct item *to, unsigned set)
{
	to->all = set & MOD(ALL);
	to->negated = set & MOD(NEQ);
	to->cased = set & MOD(CASED);
	to->compare = set & MOD(LT) ? COMPARE_LT : set & MOD(LTE) ? COMPARE_LTE : set & MOD(GT) ? COMPARE_GT : COMPARE_GTE;
	to->part = part_of(set);
	if (set & MOD_SHAPES)
		to->how = set & MOD(CONTAINS) ? FOLD_PART : set & MOD(STARTSWITH) ? FOLD_PREFIX : FOLD_SUFFIX;
}

bool item_compile(struct loader *l, const struct compiled *c, const struct yaml_node *key, const struct yaml_node *value,
	struct item *to)
{
	size_t name_len = key ? strcspn(key->text, "|") : 0;
	bool list = value->kind == YAML_LIST;
	size_t n = list ? value->n : 1, bad = 0;
	struct reading r = {.l = l, .c = c, .keyword = name_len == 0};

	*to = (struct item){.field = key ? keep(l, key) : "keywords", .line = value->line, .how = FOLD_EQUAL};
	if (key && !modifiers_read(l, key, r.keyword, &r.set))
		return false;
	if (value->kind == YAML_MAP)
		return refuse(l, value, "'%s' must be a value or a list of values, not a map", to->field);
	if (n == 0)
		return refuse(l, value, "'%s' has an empty list; write null for an absent field", to->field);
	if (!r.keyword && !(to->fields = variant_fields(l, key, c, arena_copy(l->arena, key->text, name_len))))
		return false;
	settle(to, r.set);
	if (r.set & MOD(EXISTS))
		return read_exists(l, value, to);
	if (to->all && n == 1)
		warn_as(l, LINT_SINGLE_ALL, key, "'all' with one value changes nothing");
	struct value *values = arena_alloc(l->arena, n * sizeof *values);

	for (size_t i = 0; i < n && bad <= LIMIT_TOLD; i++)
		if (bad == LIMIT_TOLD)
			bad += !refuse(l, value->items[i], "%d values of '%s' are wrong; those from here on were not read", LIMIT_TOLD, to->field);
		else
			bad += !read_value(&r, list ? value->items[i] : value, &values[i]);
	to->values = values;
	to->n = n;
	return bad == 0;
}
