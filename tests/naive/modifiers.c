/* modifiers.c - one `field|modifier|...: value` becomes an item: the chain is applied to every value from left to right.
 *
 * Promises the specification's table of modifiers. Refuses unknown modifiers, values of a wrong type, impossible combinations. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "naive/inside.h"

#define ALTERNATIVES 200 /* most that one value may stand for */

struct chain {
	const char *words[12];
	size_t n;
};

struct at_hand { /* a value on its way through the chain */
	struct naive *n;
	const struct yaml_node *from;
	const struct chain *chain;
	struct nv_item *item;
	enum kind kind;
	struct nv_chars alternatives[ALTERNATIVES];
	size_t count;
	bool encoded; /* what stands there is base64 */
	bool i, m, dot;
};

static bool has(const struct chain *c, const char *word)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->words[i], word) == 0)
			return true;
	return false;
}

/* -- base64 -- */

void nv_base64(const void *p, size_t n, struct buf *to)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		unsigned v = (unsigned)b[i] << 16 | (left > 1 ? (unsigned)b[i + 1] << 8 : 0) | (left > 2 ? b[i + 2] : 0u);

		buf_char(to, letters[v >> 18]);
		buf_char(to, letters[v >> 12 & 63]);
		buf_char(to, left > 1 ? letters[v >> 6 & 63] : '=');
		buf_char(to, left > 2 ? letters[v & 63] : '=');
	}
}

void nv_base64_offset(const void *p, size_t n, unsigned shift, struct buf *to)
{
	static const size_t start[] = {0, 2, 3}, drop[] = {0, 3, 2};
	struct buf padded, text;

	buf_init(&padded, 1u << 20);
	buf_init(&text, 2u << 20);
	buf_add(&padded, "  ", shift);
	buf_add(&padded, p, n);
	nv_base64(buf_text(&padded), padded.n, &text);
	text.n -= drop[(n + shift) % 3];
	if (text.n > start[shift])
		buf_add(to, text.p + start[shift], text.n - start[shift]);
	buf_free(&padded);
	buf_free(&text);
}

/* What `windash` left open is written out: base64 has no "one of these". */
static bool each_dash(struct at_hand *v)
{
	static const uint32_t dashes[] = {'-', '/', 0x2013, 0x2014, 0x2015};
	struct arena *a = v->n->arena;

	for (size_t i = 0; i < v->count; i++) {
		size_t at = 0;

		while (at < v->alternatives[i].n && v->alternatives[i].at[at] != DASH)
			at++;
		if (at == v->alternatives[i].n)
			continue;
		if (v->count + 4 > ALTERNATIVES)
			return nv_no(v->n, v->from, "too many dashes in front of base64");
		for (int d = 4; d >= 0; d--) {
			struct nv_chars c = {.at = arena_alloc(a, (v->alternatives[i].n + 3) * sizeof *c.at), .n = v->alternatives[i].n};

			memcpy(c.at, v->alternatives[i].at, c.n * sizeof *c.at);
			c.at[at] = dashes[d];
			v->alternatives[d ? v->count++ : i] = c;
		}
		i--;
	}
	return true;
}

static bool may_encode(struct at_hand *v, const char *word)
{
	if (v->kind == K_BYTES)
		return true;
	if (v->kind != K_STRING)
		return nv_no(v->n, v->from, "'%s' is for strings", word);
	for (size_t i = 0; i < v->count; i++)
		if (nv_chars_wild(&v->alternatives[i]))
			return nv_no(v->n, v->from, "'%s' with wildcards", word);
	return each_dash(v);
}

static bool encode_one(struct at_hand *v, const char *word, const void *p, size_t len)
{
	struct naive *n = v->n;
	struct buf out;

	buf_init(&out, 2u << 20);
	for (unsigned shift = 0; shift < (strcmp(word, "base64") == 0 ? 1 : 3); shift++) {
		buf_reset(&out);
		if (strcmp(word, "base64") == 0)
			nv_base64(p, len, &out);
		else
			nv_base64_offset(p, len, shift, &out);
		if (v->count == ALTERNATIVES || (strcmp(word, "base64") != 0 && out.n < 2)) {
			buf_free(&out);
			return nv_no(n, v->from, "a value too short or too open for %s", word);
		}
		v->alternatives[v->count++] = nv_chars_of(n->arena, buf_text(&out), out.n);
	}
	buf_free(&out);
	return true;
}

static bool encode(struct at_hand *v, const char *word)
{
	struct nv_chars from[ALTERNATIVES];
	size_t count;
	struct buf bytes;
	bool ok = true;

	if (!may_encode(v, word))
		return false;
	count = v->count;
	memcpy(from, v->alternatives, count * sizeof *from);
	v->count = 0;
	buf_init(&bytes, 1u << 20);
	for (size_t i = 0; i < count && ok; i++) {
		buf_reset(&bytes);
		if (v->kind == K_STRING)
			nv_chars_utf8(&from[i], &bytes);
		for (size_t k = 0; v->kind == K_BYTES && k < from[i].n; k++)
			buf_char(&bytes, (char)from[i].at[k]);
		ok = bytes.n ? encode_one(v, word, buf_text(&bytes), bytes.n) : nv_no(v->n, v->from, "'%s' of nothing", word);
	}
	buf_free(&bytes);
	v->kind = K_STRING;
	v->encoded = true;
	return ok;
}

/* Bytes are characters below 256 here. */
static void widen_one(struct at_hand *v, struct nv_chars *c, const char *word)
{
	bool big = strcmp(word, "utf16be") == 0;
	struct nv_chars to = {.at = arena_alloc(v->n->arena, (c->n * 4 + 5) * sizeof *to.at)};

	if (strcmp(word, "utf16") == 0) {
		to.at[to.n++] = 0xFF;
		to.at[to.n++] = 0xFE;
	}
	for (size_t i = 0; i < c->n; i++) {
		uint32_t units[2] = {c->at[i]}, count = 1;

		if (c->at[i] >= 0x10000) {
			units[0] = 0xD800 + ((c->at[i] - 0x10000) >> 10);
			units[1] = 0xDC00 + ((c->at[i] - 0x10000) & 0x3FF);
			count = 2;
		}
		for (size_t k = 0; k < count; k++) {
			to.at[to.n++] = big ? units[k] >> 8 : units[k] & 0xFF;
			to.at[to.n++] = big ? units[k] & 0xFF : units[k] >> 8;
		}
	}
	*c = to;
}

static bool widen(struct at_hand *v, const char *word)
{
	if (v->kind == K_BYTES || !may_encode(v, word))
		return nv_no(v->n, v->from, "'%s' twice", word);
	for (size_t i = 0; i < v->count; i++)
		widen_one(v, &v->alternatives[i], word);
	v->kind = K_BYTES;
	return true;
}

/* -- expand -- */

static const struct naive_list *list_of(const struct naive *n, const char *name)
{
	for (size_t i = 0; i < n->n_lists; i++)
		if (strcmp(n->lists[i].name, name) == 0)
			return &n->lists[i];
	return NULL;
}

/* The first placeholder of c from *from on, whose name is written to *name; *to is behind it. */
static bool placeholder(const struct nv_chars *c, size_t *from, size_t *to, struct buf *name)
{
	for (size_t i = *from; i < c->n; i++) {
		if (c->at[i] != '%' || (i && c->at[i - 1] == '\\'))
			continue;
		for (size_t k = i + 1; k < c->n; k++) {
			struct nv_chars inside = {.at = c->at + i + 1, .n = k - i - 1};

			if (c->at[k] < 0x80 && (isalnum((int)c->at[k]) || strchr("_-.", (int)c->at[k])))
				continue;
			if (c->at[k] != '%' || !inside.n)
				break; /* a name is a word */
			buf_reset(name);
			nv_chars_utf8(&inside, name);
			*from = i;
			*to = k + 1;
			return true;
		}
	}
	return false;
}

static struct nv_chars joined(struct arena *a, const struct nv_chars *head, size_t head_n, const struct nv_chars *mid, const struct nv_chars *tail,
	size_t tail_from)
{
	struct nv_chars c = {.at = arena_alloc(a, (head_n + mid->n + tail->n + 3) * sizeof *c.at)};

	for (size_t i = 0; i < head_n; i++)
		c.at[c.n++] = head->at[i];
	for (size_t i = 0; i < mid->n; i++)
		c.at[c.n++] = mid->at[i];
	for (size_t i = tail_from; i < tail->n; i++)
		c.at[c.n++] = tail->at[i];
	return c;
}

/* done: characters of c that are not looked at any more. */
static bool expand_from(struct at_hand *v, struct nv_chars c, size_t done)
{
	struct buf name;
	size_t from = done, to;
	const struct naive_list *list;

	buf_init(&name, 1u << 16);
	if (!placeholder(&c, &from, &to, &name)) {
		buf_free(&name);
		if (v->count == ALTERNATIVES)
			return nv_no(v->n, v->from, "too many values of placeholders");
		v->alternatives[v->count++] = c;
		return true;
	}
	list = list_of(v->n, buf_text(&name));
	if (!list)
		nv_no(v->n, v->from, "the placeholder %%%s%% is not defined", buf_text(&name));
	buf_free(&name);
	for (size_t i = 0; list && i < list->n; i++) {
		struct nv_chars entry = nv_chars_sigma(v->n->arena, list->values[i], strlen(list->values[i]));

		if (!expand_from(v, joined(v->n->arena, &c, from, &entry, &c, to), from + entry.n))
			return false;
	}
	return list != NULL;
}

static bool expand(struct at_hand *v)
{
	struct nv_chars c = v->alternatives[0];

	if (v->kind == K_NUMBER || v->kind == K_BOOL)
		return true; /* there is no placeholder in it */
	if (v->kind != K_STRING || v->count != 1)
		return nv_no(v->n, v->from, "'expand' is for strings");
	v->count = 0;
	if (!expand_from(v, c, 0))
		return false;
	for (size_t i = 0; i < v->count; i++) {
		struct nv_chars *a = &v->alternatives[i];
		size_t k = 0;

		for (size_t j = 0; j < a->n; j++)
			if (!(a->at[j] == '\\' && j + 1 < a->n && a->at[j + 1] == '%'))
				a->at[k++] = a->at[j];
		a->n = k;
	}
	return true;
}

/* -- the chain -- */

static bool shape(struct at_hand *v, const char *word)
{
	bool front = strcmp(word, "startswith") != 0, back = strcmp(word, "endswith") != 0;

	if (v->kind == K_NUMBER || v->kind == K_BOOL) {
		v->alternatives[0] = nv_chars_of(v->n->arena, v->from->text, v->from->len);
		v->count = 1;
		v->kind = K_STRING;
	}
	if (v->kind == K_FIELD) {
		v->item->shape = front && back ? CONTAINS : front ? ENDS : STARTS;
		return true;
	}
	if (v->kind == K_REGEX && front && back)
		return true;
	if (v->kind != K_STRING)
		return nv_no(v->n, v->from, "'%s' does not fit this value", word);
	for (size_t i = 0; i < v->count; i++) {
		struct nv_chars *c = &v->alternatives[i];

		if (front && !(c->n && c->at[0] == ANY)) {
			memmove(c->at + 1, c->at, c->n * sizeof *c->at);
			c->at[0] = ANY;
			c->n++;
		}
		if (back && !(c->n && c->at[c->n - 1] == ANY))
			c->at[c->n++] = ANY;
	}
	return true;
}

static bool becomes(struct at_hand *v, const char *word)
{
	static const char *const compares[] = {"lt", "lte", "gt", "gte"}, *const parts[] = {"minute", "hour", "day", "week", "month", "year"};

	for (int i = 0; i < 4; i++)
		if (strcmp(word, compares[i]) == 0) {
			if (v->kind != K_NUMBER)
				return nv_no(v->n, v->from, "'%s' wants a number", word);
			v->item->compare = (enum compare)i;
			v->kind = K_COMPARE;
			return true;
		}
	for (int i = 0; i < 6; i++)
		if (strcmp(word, parts[i]) == 0) {
			static const int64_t least[] = {0, 0, 1, 1, 1, 0}, most[] = {59, 23, 31, 53, 12, 9999};
			int64_t number;

			if (v->kind == K_NUMBER && text_int(v->from->text, v->from->len, &number) && (number < least[i] || number > most[i]))
				return nv_no(v->n, v->from, "a time has no such '%s'", word);
			if (v->kind != K_NUMBER || strchr(v->from->text, '.'))
				return nv_no(v->n, v->from, "'%s' wants a whole number", word);
			v->item->part = (enum part_of_time)i;
			v->kind = K_PART;
			return true;
		}
	if (strcmp(word, "cidr") == 0 && v->kind == K_STRING) {
		v->kind = K_CIDR;
		return true;
	}
	if (strcmp(word, "fieldref") == 0 && v->kind == K_STRING && v->count == 1 && v->from->len && !nv_chars_wild(&v->alternatives[0])) {
		v->kind = K_FIELD;
		return true;
	}
	return nv_no(v->n, v->from, "'%s' does not fit this value", word);
}

/* A number or a truth under a modifier for strings: its text. */
static void as_text(struct at_hand *v)
{
	if (v->kind == K_NUMBER || v->kind == K_BOOL)
		v->kind = K_STRING;
}

static bool step(struct at_hand *v, const char *word)
{
	static const char *const of_text[] = {"cased", "base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "fieldref"};

	for (size_t i = 0; i < sizeof of_text / sizeof of_text[0]; i++)
		if (strcmp(word, of_text[i]) == 0)
			as_text(v);
	if (v->encoded && (strcmp(word, "windash") == 0 || strcmp(word, "expand") == 0 || strcmp(word, "wide") == 0 || *word == 'u'))
		return nv_no(v->n, v->from, "'%s' behind base64", word);
	if (strcmp(word, "all") == 0 || strcmp(word, "neq") == 0 || strcmp(word, "re") == 0)
		return true;
	if (strcmp(word, "cased") == 0)
		return v->kind == K_STRING || v->kind == K_FIELD || nv_no(v->n, v->from, "'cased' is for strings");
	if (strcmp(word, "contains") == 0 || strcmp(word, "startswith") == 0 || strcmp(word, "endswith") == 0)
		return shape(v, word);
	if (strcmp(word, "i") == 0 || strcmp(word, "ignorecase") == 0 || strcmp(word, "m") == 0 || strcmp(word, "multiline") == 0 ||
	    strcmp(word, "s") == 0 || strcmp(word, "dotall") == 0) {
		v->i = v->i || *word == 'i';
		v->m = v->m || *word == 'm';
		v->dot = v->dot || *word == 's' || *word == 'd';
		return v->kind == K_REGEX || nv_no(v->n, v->from, "'%s' without 're'", word);
	}
	if (strcmp(word, "windash") == 0 && (v->kind == K_NUMBER || v->kind == K_BOOL))
		return true; /* a number stays one */
	if (strcmp(word, "windash") == 0) {
		for (size_t i = 0; i < v->count && v->kind == K_STRING; i++)
			nv_windash(&v->alternatives[i]);
		return v->kind == K_STRING || nv_no(v->n, v->from, "'windash' is for strings");
	}
	if (strcmp(word, "base64") == 0 || strcmp(word, "base64offset") == 0)
		return encode(v, word);
	if (strcmp(word, "wide") == 0 || strncmp(word, "utf16", 5) == 0)
		return widen(v, word);
	return strcmp(word, "expand") == 0 ? expand(v) : becomes(v, word);
}

static bool whole_number(const char *s)
{
	if (strcmp(s, "0") == 0)
		return true;
	s += *s == '-' || *s == '+';
	return *s >= '1' && *s <= '9' && strspn(s, "0123456789") == strlen(s);
}

static bool fraction(const char *s)
{
	size_t whole, behind;

	s += *s == '-' || *s == '+';
	whole = strspn(s, "0123456789");
	if (!whole || s[whole] != '.' || (whole > 1 && *s == '0'))
		return false;
	behind = strspn(s + whole + 1, "0123456789");
	return behind && !s[whole + 1 + behind];
}

static enum kind kind_of(const struct yaml_node *v)
{
	if (!v->plain)
		return K_STRING;
	if (yaml_is_null(v))
		return K_NULL;
	if (strcasecmp(v->text, "true") == 0 || strcasecmp(v->text, "false") == 0)
		return K_BOOL;
	return whole_number(v->text) || fraction(v->text) ? K_NUMBER : K_STRING;
}

static bool finish(struct at_hand *v, struct nv_test *t)
{
	struct naive *n = v->n;
	struct nv_pattern *patterns = arena_alloc(n->arena, (v->count + 1) * sizeof *patterns);
	char why[200];
	size_t folded;

	t->kind = v->kind;
	switch (v->kind) {
	case K_STRING:
		for (size_t i = 0; i < v->count; i++)
			patterns[i] = nv_pattern_of(n->arena, &v->alternatives[i], v->item->cased);
		t->patterns = patterns;
		t->n = v->count;
		return true;
	case K_NUMBER:
	case K_COMPARE:
	case K_PART:
	case K_BOOL:
		t->text = nv_fold_text(n->arena, v->from->text, v->from->len, &folded);
		return v->kind == K_BOOL || nv_num_of(v->from->text, v->from->len, &t->num) || nv_no(n, v->from, "a number of more than 64 bits");
	case K_NULL:
		return !v->item->keyword || nv_no(n, v->from, "null as a keyword");
	case K_REGEX:
		t->text = v->from->text;
		t->regex = nv_regex_new(v->from->text, v->i, v->m, v->dot, why);
		if (!t->regex)
			return nv_no(n, v->from, "%s", why);
		*MORE(n->regexes, n->n_regexes) = t->regex;
		return true;
	case K_CIDR:
		return nv_net_of(v->from->text, &t->net) || nv_no(n, v->from, "not a network");
	case K_FIELD:
		t->field = nv_name_id(n, v->from->text);
		return true;
	default:
		return nv_no(n, v->from, "wide text without base64");
	}
}

static bool value_of(struct naive *n, const struct chain *c, const struct yaml_node *from, struct nv_item *item, struct nv_test *to)
{
	struct at_hand v = {.n = n, .from = from, .chain = c, .item = item, .count = 1};
	bool ok = true;

	if (from->kind != YAML_SCALAR)
		return nv_no(n, from, "a value must be a scalar");
	v.kind = has(c, "re") ? K_REGEX : kind_of(from);
	if (item->keyword && v.kind != K_REGEX && v.kind != K_NULL)
		v.kind = K_STRING;
	if (v.kind == K_REGEX && kind_of(from) == K_NULL)
		return nv_no(n, from, "'re' wants a string");
	v.alternatives[0] = nv_chars_sigma(n->arena, from->text, from->len);
	for (size_t i = 0; i < c->n && ok; i++)
		ok = step(&v, c->words[i]);
	if (ok && has(c, "base64offset") && strcmp(c->words[c->n - 1], "base64offset") == 0)
		ok = shape(&v, "contains");
	if (ok && item->keyword && v.kind == K_STRING && !has(c, "startswith") && !has(c, "endswith"))
		ok = shape(&v, "contains");
	return ok && finish(&v, to);
}

static bool chain_of(struct naive *n, const struct yaml_node *key, struct chain *c)
{
	static const char *const known[] = {"contains", "startswith", "endswith", "all", "neq", "cased", "exists", "re", "i", "m", "s",
		"ignorecase", "multiline", "dotall", "windash", "base64", "base64offset", "wide", "utf16le", "utf16be", "utf16", "cidr", "lt",
		"lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year", "fieldref", "expand"};
	static const char *const alone[] = {"contains", "startswith", "endswith", "re", "cidr", "exists", "lt", "lte", "gt", "gte", "minute",
		"hour", "day", "week", "month", "year", "fieldref"};
	char *text = arena_copy(n->arena, key->text, key->len), *save = NULL;
	static const char *const of_numbers[] = {"lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"};
	static const char *const verbatim[] = {"re", "cidr", "fieldref"};
	size_t tests = 0, first = 0;

	for (char *w = strchr(text, '|') ? strtok_r(strchr(text, '|'), "|", &save) : NULL; w; w = strtok_r(NULL, "|", &save)) {
		bool found = false;

		for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
			found = found || strcmp(w, known[i]) == 0;
		if (!found || c->n == 12 || has(c, w))
			return nv_no(n, key, "a modifier that is not known or stands twice: '%s'", w);
		for (size_t i = 0; i < sizeof alone / sizeof alone[0]; i++)
			tests += strcmp(w, alone[i]) == 0;
		c->words[c->n++] = w;
	}
	if (tests > 1 && !(tests == 2 && ((has(c, "re") && has(c, "contains")) ||
	    (has(c, "fieldref") && (has(c, "contains") || has(c, "startswith") || has(c, "endswith"))))))
		return nv_no(n, key, "these modifiers do not go together");
	for (int i = 0; i < 10; i++)
		for (size_t k = 0; has(c, of_numbers[i]) && k < c->n; k++)
			if (strcmp(c->words[k], of_numbers[i]) != 0 && strcmp(c->words[k], "all") != 0 && strcmp(c->words[k], "neq") != 0)
				return nv_no(n, key, "'%s' is for numbers", of_numbers[i]);
	if (has(c, "base64") && has(c, "base64offset"))
		return nv_no(n, key, "base64 twice");
	while (first < c->n && (strcmp(c->words[first], "all") == 0 || strcmp(c->words[first], "neq") == 0))
		first++; /* they say how values are linked, not what they are */
	for (int i = 0; i < 3; i++)
		if (has(c, verbatim[i]) && strcmp(c->words[first + (i == 2 && first + 1 < c->n && strcmp(c->words[first], "cased") == 0)],
			verbatim[i]) != 0)
			return nv_no(n, key, "'%s' comes first", verbatim[i]);
	return true;
}

bool nv_item_of(struct naive *n, const struct yaml_node *key, const struct yaml_node *value, struct nv_item *to)
{
	struct chain c = {.n = 0};
	size_t name = key ? strcspn(key->text, "|") : 0;

	*to = (struct nv_item){.keyword = name == 0};
	if (key && !chain_of(n, key, &c))
		return false;
	if (!name && (has(&c, "startswith") || has(&c, "endswith") || has(&c, "fieldref")))
		return nv_no(n, key, "a keyword may stand anywhere and has no field");
	if (name)
		to->name = nv_name_id(n, arena_copy(n->arena, key->text, name));
	to->all = has(&c, "all");
	to->neq = has(&c, "neq");
	to->cased = has(&c, "cased");
	to->exists = has(&c, "exists");
	if (to->exists) {
		if (c.n != 1 || !name || value->kind != YAML_SCALAR || kind_of(value) != K_BOOL)
			return nv_no(n, key, "'exists' stands alone, with a field, and is true or false");
		to->exists_true = strcasecmp(value->text, "true") == 0;
		return true;
	}
	to->n = MANY(value);
	if (to->n == 0 || value->kind == YAML_MAP)
		return nv_no(n, key, "an empty list or a map as value");
	to->tests = arena_alloc(n->arena, to->n * sizeof *to->tests);
	for (size_t i = 0; i < to->n; i++)
		if (!value_of(n, &c, NTH(value, i), to, &to->tests[i]))
			return false;
	return true;
}
