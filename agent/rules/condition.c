/* condition.c - `condition: selection and not 1 of filter_*`.
 *
 * Why: the condition says how selections are linked. Grammar, loosest first: or, and, not, "x of", parentheses.
 * Promises: a tree over the selections' own trees; operators in any case, upper case with a warning.
 * Refuses: unknown names, selectors that select nothing, the obsolete `| count()`, nesting deeper than LIMIT_DEPTH. */
#include <string.h>

#include "base/text.h"
#include "limits.h"
#include "rules/compiled.h"

struct parse {
	struct loader *l;
	const struct yaml_node *at;
	struct selection *s;
	size_t n;
	const char *p, *token;
	size_t len; /* of token; 0: the end */
	int depth;
	size_t linked; /* by selectors, those that do not fit counted too */
};

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
	       c == '*' ||
	       (unsigned char)c >= 0x80;
}

static void advance(struct parse *q)
{
	q->p += strspn(q->p, " \t\r\n");
	q->token = q->p;
	if (word_char(*q->p))
		while (word_char(*q->p))
			q->p++;
	else if (*q->p)
		q->p++;
	q->len = (size_t)(q->p - q->token);
}

static bool is(const struct parse *q, const char *word)
{
	return text_same_n(q->token, q->len, word, strlen(word));
}

static bool take(struct parse *q, const char *word)
{
	if (!is(q, word))
		return false;
	if (q->token[0] >= 'A' && q->token[0] <= 'Z')
		warn_as(q->l, LINT_OPERATOR_CASE, q->at, "operators are written in lower case: '%s'", word);
	advance(q);
	return true;
}

static struct node *fail(struct parse *q, const char *what)
{
	if (is(q, "|"))
		refuse(q->l, q->at, "'|' in a condition is the obsolete aggregation; write a correlation document instead");
	else if (q->len == 0)
		refuse(q->l, q->at, "the condition ends where %s should stand", what);
	else
		refuse(q->l, q->at, "'%.*s' in the condition where %s should stand", (int)q->len, q->token, what);
	return NULL;
}

static struct node *link(struct parse *q, enum node_kind kind, size_t room)
{
	struct node *n = arena_alloc(q->l->arena, sizeof *n);

	n->kind = kind;
	n->kids = arena_alloc(q->l->arena, (room + 1) * sizeof(struct node *));
	return n;
}

/* Does name fit the pattern (only * is special, case counts)? */
static bool fits(const char *pattern, size_t n, const char *name)
{
	size_t p = 0, star = SIZE_MAX;
	const char *back = name;

	while (*name) {
		if (p < n && pattern[p] == '*') {
			star = ++p;
			back = name;
		} else if (p < n && pattern[p] == *name) {
			p++;
			name++;
		} else if (star != SIZE_MAX) {
			p = star;
			name = ++back;
		} else {
			return false;
		}
	}
	while (p < n && pattern[p] == '*')
		p++;
	return p == n;
}

static struct node *selector(struct parse *q, bool all, uint64_t at_least)
{
	bool them = is(q, "them");
	struct node *n = link(q, all ? NODE_AND : NODE_OR, q->n);

	if (q->len == 0 || !word_char(*q->token))
		return fail(q, "'them' or a pattern");
	q->linked += q->n;
	if (q->linked > LIMIT_RULE_STEPS + q->n) {
		refuse(q->l, q->at, "the condition asks for its selections more than %d times; name each once, or write several rules",
			LIMIT_RULE_STEPS);
		return NULL;
	}
	for (size_t i = 0; i < q->n; i++) {
		bool hidden = q->s[i].name[0] == '_' && (them || q->token[0] != '_');

		if (hidden || (!them && !fits(q->token, q->len, q->s[i].name)))
			continue;
		n->kids[n->n++] = q->s[i].node;
		q->s[i].used = true;
	}
	if (n->n == 0) {
		refuse(q->l, q->at, "'%.*s' in the condition fits no selection", (int)q->len, q->token);
		return NULL;
	}
	if (at_least > n->n) {
		refuse(q->l, q->at, "'%.*s' in the condition fits fewer selections than the %llu asked for", (int)q->len, q->token,
			(unsigned long long)at_least);
		return NULL;
	}
	if (at_least > 1) {
		n->kind = at_least == n->n ? NODE_AND : NODE_SOME;
		n->at_least = (size_t)at_least;
	}
	advance(q);
	return n;
}

static struct node *name_of(struct parse *q)
{
	for (size_t i = 0; i < q->n; i++) {
		if (strlen(q->s[i].name) != q->len || memcmp(q->s[i].name, q->token, q->len) != 0)
			continue;
		q->s[i].used = true;
		advance(q);
		return q->s[i].node;
	}
	refuse(q->l, q->at, "the condition names '%.*s', but there is no such selection", (int)q->len, q->token);
	return NULL;
}

static struct node *parse_or(struct parse *q);

static struct node *primary(struct parse *q)
{
	const struct parse before = *q;
	int64_t count = 1;
	struct node *n;

	if (is(q, "(")) {
		advance(q);
		n = parse_or(q);
		if (n && !is(q, ")"))
			return fail(q, "')'");
		if (n)
			advance(q);
		return n;
	}
	if (q->len == 0 || !word_char(*q->token))
		return fail(q, "a selection");
	bool all = is(q, "all"), quantity = all || is(q, "any") || (text_int(q->token, q->len, &count) && count > 0);

	if (quantity) {
		advance(q);
		if (take(q, "of"))
			return selector(q, all, all ? 1 : (uint64_t)count);
		*q = before;
	}
	return name_of(q);
}

static struct node *unary(struct parse *q)
{
	struct node *n, *kid;

	if (!take(q, "not"))
		return primary(q);
	if (++q->depth > LIMIT_DEPTH)
		return fail(q, "less nesting");
	kid = unary(q);
	q->depth--;
	if (!kid)
		return NULL;
	n = link(q, NODE_NOT, 1);
	n->kids[n->n++] = kid;
	return n;
}

/* "a or b or c" is one node with three kids, so that a long condition is no deep tree. */
static struct node *chain(struct parse *q, enum node_kind kind, const char *word, struct node *(*part)(struct parse *))
{
	struct node *first = part(q), *n = NULL;
	size_t room = 8;

	while (first && take(q, word)) {
		struct node *next = part(q);

		if (!next)
			return NULL;
		if (!n) {
			n = link(q, kind, room);
			n->kids[n->n++] = first;
		} else if (n->n == room) {
			struct node **more = arena_alloc(q->l->arena, 2 * room * sizeof(struct node *));

			memcpy(more, n->kids, room * sizeof(struct node *));
			n->kids = more;
			room *= 2;
		}
		n->kids[n->n++] = next;
	}
	return n ? n : first;
}

static struct node *parse_and(struct parse *q)
{
	return chain(q, NODE_AND, "and", unary);
}

static struct node *parse_or(struct parse *q)
{
	struct node *n;

	if (++q->depth > LIMIT_DEPTH)
		return fail(q, "less nesting");
	n = chain(q, NODE_OR, "or", parse_and);
	q->depth--;
	return n;
}

struct node *condition_compile(struct loader *l, const struct yaml_node *at, struct selection *s, size_t n)
{
	struct parse q = {.l = l, .at = at, .s = s, .n = n, .p = at->text};
	struct node *tree;

	if (at->kind != YAML_SCALAR || yaml_is_null(at)) {
		refuse(l, at, "a condition is a text such as 'selection and not filter'");
		return NULL;
	}
	advance(&q);
	tree = parse_or(&q);
	if (tree && q.len != 0)
		return fail(&q, "'and', 'or' or the end");
	return tree;
}
