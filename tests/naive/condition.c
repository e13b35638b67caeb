/* condition.c - the condition of a detection: words, precedence or < and < not < "x of", selectors with *. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "naive/inside.h"

struct reader {
	struct naive *n;
	const char *p;
	const struct nv_selection *s;
	size_t count;
	char word[256]; /* the next; "" at the end */
	unsigned depth;
};

static bool next(struct reader *r)
{
	size_t n = 0;

	while (isspace((unsigned char)*r->p))
		r->p++;
	if (*r->p == '(' || *r->p == ')') {
		n = 1;
	} else {
		while (isalnum((unsigned char)r->p[n]) || (r->p[n] && strchr("_.*-", r->p[n])))
			n++;
		if (n == 0 && *r->p)
			return nv_no(r->n, NULL, "the condition has a character that it cannot have: %c", *r->p);
	}
	if (n >= sizeof r->word)
		return nv_no(r->n, NULL, "a word of the condition is too long");
	memcpy(r->word, r->p, n);
	r->word[n] = '\0';
	r->p += n;
	return true;
}

struct nv_node *nv_node_new(struct naive *n, enum node_kind kind, size_t kids)
{
	struct nv_node *x = arena_alloc(n->arena, sizeof *x);

	x->kind = kind;
	x->kids = arena_alloc(n->arena, (kids + 1) * sizeof *x->kids);
	return x;
}

static struct nv_node *pair(struct reader *r, enum node_kind kind, struct nv_node *a, struct nv_node *b)
{
	struct nv_node *x;

	if (!a || !b)
		return NULL;
	x = nv_node_new(r->n, kind, 2);
	x->kids[x->n++] = a;
	x->kids[x->n++] = b;
	return x;
}

static struct nv_node *fail(struct reader *r, const char *why)
{
	nv_no(r->n, NULL, "%s (at '%s')", why, r->word);
	return NULL;
}

/* `quant of pattern`; the reader stands behind `of`. */
static struct nv_node *several(struct reader *r, const char *quant)
{
	struct nv_node *x = nv_node_new(r->n, N_COUNT, r->count);
	bool them = text_same(r->word, "them");

	if (!r->word[0] || *r->word == '(' || *r->word == ')')
		return fail(r, "'of' wants a name");
	for (size_t i = 0; i < r->count; i++) {
		const char *name = r->s[i].name;

		if (name[0] == '_' && (them || r->word[0] != '_'))
			continue;
		if (them || nv_glob(r->word, name))
			x->kids[x->n++] = r->s[i].node;
	}
	if (x->n == 0)
		return fail(r, "this selects nothing");
	x->least = text_same(quant, "all") ? x->n : text_same(quant, "any") ? 1 : strtoul(quant, NULL, 10);
	return next(r) ? x : NULL;
}

static struct nv_node *or_of(struct reader *r);

static struct nv_node *primary(struct reader *r)
{
	char word[256];
	struct nv_node *x = NULL;

	if (strcmp(r->word, "(") == 0) {
		if (++r->depth > 60)
			return fail(r, "too many parentheses");
		x = next(r) ? or_of(r) : NULL;
		r->depth--;
		if (x && strcmp(r->word, ")") != 0)
			return fail(r, "a parenthesis is not closed");
		return x && next(r) ? x : NULL;
	}
	memcpy(word, r->word, sizeof word);
	if (!word[0] || !next(r))
		return fail(r, "the condition ends too early");
	if (text_same(r->word, "of") && (text_same(word, "all") || text_same(word, "any") || (strspn(word, "0123456789") == strlen(word) &&
	    strtoul(word, NULL, 10) > 0)))
		return next(r) ? several(r, word) : NULL;
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->s[i].name, word) == 0)
			return r->s[i].node;
	nv_no(r->n, NULL, "the condition names '%s', which is not there", word);
	return NULL;
}

static struct nv_node *unary(struct reader *r)
{
	struct nv_node *x, *of;

	if (!text_same(r->word, "not"))
		return primary(r);
	if (++r->depth > 60)
		return fail(r, "too many 'not'");
	of = next(r) ? unary(r) : NULL;
	r->depth--;
	if (!of)
		return NULL;
	x = nv_node_new(r->n, N_NOT, 1);
	x->kids[x->n++] = of;
	return x;
}

static struct nv_node *and_of(struct reader *r)
{
	struct nv_node *x = unary(r);

	while (x && text_same(r->word, "and"))
		x = next(r) ? pair(r, N_AND, x, unary(r)) : NULL;
	return x;
}

static struct nv_node *or_of(struct reader *r)
{
	struct nv_node *x = and_of(r);

	while (x && text_same(r->word, "or"))
		x = next(r) ? pair(r, N_OR, x, and_of(r)) : NULL;
	return x;
}

struct nv_node *nv_condition_of(struct naive *n, const char *text, const struct nv_selection *s, size_t count)
{
	struct reader r = {.n = n, .p = text, .s = s, .count = count};
	struct nv_node *x = next(&r) ? or_of(&r) : NULL;

	return x && r.word[0] ? fail(&r, "the condition goes on where it should end") : x;
}
