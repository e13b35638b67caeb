/* regex_naive.c - a backtracking matcher.
 *
 * Why: an automaton and a search that tries everything can hardly be wrong in the same way.
 * Promises: what PCRE2 means by the forms that it knows; ends after a fixed number of steps.
 * Refuses: speed, and whatever it does not know (-1). */
#include "lib/regex_naive.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum kind { EMPTY, SET, NEAR, BOTH, EITHER, REPEAT };

struct node {
	enum kind kind;
	bool in[128];
	char near;
	const struct node *a, *b;
	unsigned least, most;
};

struct naive {
	struct arena *arena;
	const char *p, *end; /* of the expression */
	bool i, m, s, unknown;
	const char *v;
	size_t n;
	long steps;
	int depth;
};

/* What is to be matched behind a node. */
struct then {
	const struct node *node, *repeat;
	unsigned count;
	size_t from;
	const struct then *next;
};

static const struct node *either(struct naive *x);

static struct node *make(struct naive *x, enum kind kind, const struct node *a, const struct node *b)
{
	struct node *n = arena_alloc(x->arena, sizeof *n);

	n->kind = kind;
	n->a = a;
	n->b = b;
	return n;
}

static const struct node *unknown(struct naive *x)
{
	x->unknown = true;
	return make(x, EMPTY, NULL, NULL);
}

static bool word(int c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool in_class(char name, int c)
{
	bool in = (name | 32) == 'd' ? c >= '0' && c <= '9' : (name | 32) == 'w' ? word(c) : c == ' ' || (c >= 9 && c <= 13);

	return (name & 32) ? in : !in;
}

/* Behind a backslash: a character, -1 for a class (in *name), -2 unknown. */
static int escaped(struct naive *x, char *name)
{
	const char *at;
	char c = x->p < x->end ? *x->p++ : 'Q';

	*name = c;
	if (c && strchr("dDwWsS", c))
		return -1;
	at = c ? strchr("nrtfea", c) : NULL;
	if (at)
		return "\n\r\t\f\x1b\a"[at - strchr("nrtfea", 'n')];
	return ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c < 0) ? -2 : c;
}

static void mark(struct naive *x, struct node *n, int from, int to)
{
	for (int c = from; c <= to; c++) {
		n->in[c] = true;
		if (x->i && c >= 'a' && c <= 'z')
			n->in[c - 32] = true;
		if (x->i && c >= 'A' && c <= 'Z')
			n->in[c + 32] = true;
	}
}

static int class_member(struct naive *x, char *name)
{
	*name = 0;
	if (*x->p == '\\') {
		x->p++;
		return escaped(x, name);
	}
	if (*x->p == '[' && x->p + 1 < x->end && strchr(":.=", x->p[1]))
		return -2;
	return *x->p < 0 ? -2 : *x->p++;
}

static const struct node *class(struct naive *x)
{
	struct node *n = make(x, SET, NULL, NULL);
	bool negated = x->p < x->end && *x->p == '^';
	const char *first = x->p += negated;

	while (x->p < x->end && (*x->p != ']' || x->p == first)) {
		char name, name_to;
		int from = class_member(x, &name), to = from;

		if (x->end - x->p >= 2 && *x->p == '-' && x->p[1] != ']') {
			x->p++;
			to = class_member(x, &name_to);
			if (to == -1)
				to = -2;
		}
		if (from == -2 || to == -2)
			return unknown(x);
		if (from >= 0)
			mark(x, n, from, to);
		for (int c = 0; c < 128 && from == -1; c++)
			n->in[c] |= in_class(name, c);
	}
	x->p++;
	for (int c = 0; c < 128 && negated; c++)
		n->in[c] = !n->in[c];
	return n;
}

static const struct node *atom(struct naive *x)
{
	struct node *n = make(x, SET, NULL, NULL);
	const struct node *group;
	char c = *x->p++, name;
	int e;

	switch (c) {
	case '(':
		if (x->p < x->end && *x->p == '?') {
			if (x->p + 1 == x->end || x->p[1] != ':')
				return unknown(x);
			x->p += 2;
		}
		if (++x->depth > 200)
			return unknown(x);
		group = either(x);
		x->depth--;
		x->p++;
		return group;
	case '[': return class(x);
	case '.':
		memset(n->in, true, sizeof n->in);
		n->in['\n'] = x->s;
		return n;
	case '^':
	case '$':
		n->kind = NEAR;
		n->near = c;
		return n;
	case '\\':
		if (x->p < x->end && *x->p && strchr("bBAzZ", *x->p)) {
			n->kind = NEAR;
			n->near = *x->p++;
			return n;
		}
		e = escaped(x, &name);
		if (e == -2)
			return unknown(x);
		for (int k = 0; k < 128 && e == -1; k++)
			n->in[k] = in_class(name, k);
		if (e >= 0)
			mark(x, n, e, e);
		return n;
	default:
		if (c < 0)
			return unknown(x);
		mark(x, n, c, c);
		return n;
	}
}

static bool number(struct naive *x, const char **p, unsigned *to)
{
	const char *start = *p;

	for (*to = 0; *p < x->end && **p >= '0' && **p <= '9'; ++*p)
		*to = *to > 10000 ? *to : *to * 10 + (unsigned)(**p - '0');
	return *p > start;
}

static bool bounds(struct naive *x, struct node *n)
{
	const char *p = x->p;
	char c = p < x->end ? *p++ : 0;

	n->least = c == '+';
	n->most = c == '?' ? 1 : UINT32_MAX;
	if (c == '{') {
		if (!number(x, &p, &n->least))
			return false;
		n->most = n->least;
		if (p < x->end && *p == ',') {
			p++;
			if (!number(x, &p, &n->most))
				n->most = UINT32_MAX;
		}
		if (p == x->end || *p++ != '}')
			return false;
	} else if (c != '*' && c != '+' && c != '?') {
		return false;
	}
	x->p = p;
	if (x->p < x->end && *x->p == '?')
		x->p++;
	return true;
}

static const struct node *chain(struct naive *x)
{
	const struct node *all = make(x, EMPTY, NULL, NULL);

	while (x->p < x->end && *x->p != '|' && *x->p != ')' && !x->unknown) {
		const struct node *one = atom(x);
		struct node *repeat = make(x, REPEAT, one, NULL);

		all = make(x, BOTH, all, !x->unknown && bounds(x, repeat) ? repeat : one);
	}
	return all;
}

static const struct node *either(struct naive *x)
{
	const struct node *all = chain(x);

	while (x->p < x->end && *x->p == '|' && !x->unknown) {
		x->p++;
		all = make(x, EITHER, all, chain(x));
	}
	return all;
}

static bool near(const struct naive *x, char what, size_t at)
{
	bool last = at == x->n || (at + 1 == x->n && x->v[at] == '\n');
	bool before = at > 0 && word(x->v[at - 1]), behind = at < x->n && word(x->v[at]);

	switch (what) {
	case '^': return at == 0 || (x->m && x->v[at - 1] == '\n' && at < x->n);
	case '$': return last || (x->m && x->v[at] == '\n');
	case 'A': return at == 0;
	case 'Z': return last;
	case 'z': return at == x->n;
	case 'b': return before != behind;
	default: return before == behind;
	}
}

static bool match(struct naive *x, const struct node *n, size_t at, const struct then *then);

static bool again(struct naive *x, const struct node *n, unsigned count, size_t at, const struct then *next);

static bool go(struct naive *x, size_t at, const struct then *then)
{
	if (!then)
		return true;
	if (!then->repeat)
		return match(x, then->node, at, then->next);
	if (at == then->from && then->count > then->repeat->least) /* a round that read nothing leads nowhere new */
		return false;
	return again(x, then->repeat, then->count, at, then->next);
}

static bool again(struct naive *x, const struct node *n, unsigned count, size_t at, const struct then *next)
{
	const struct then round = {.repeat = n, .count = count + 1, .from = at, .next = next};

	return (count < n->most && match(x, n->a, at, &round)) || (count >= n->least && go(x, at, next));
}

static bool match(struct naive *x, const struct node *n, size_t at, const struct then *then)
{
	const struct then second = {.node = n->b, .next = then};

	if (--x->steps < 0)
		return false;
	switch (n->kind) {
	case EMPTY: return go(x, at, then);
	case SET: return at < x->n && n->in[(unsigned char)x->v[at]] && go(x, at + 1, then);
	case NEAR: return near(x, n->near, at) && go(x, at, then);
	case BOTH: return match(x, n->a, at, &second);
	case EITHER: return match(x, n->a, at, then) || match(x, n->b, at, then);
	case REPEAT: return again(x, n, 0, at, then);
	}
	return false;
}

int regex_naive(struct arena *a, const char *text, size_t n, const char *flags, const char *value, size_t value_n)
{
	struct naive x = {.arena = a, .p = text, .end = text + n, .i = strchr(flags, 'i'), .m = strchr(flags, 'm'), .s = strchr(flags, 's'),
		.v = value, .n = value_n, .steps = 30000};
	const struct node *all;

	for (size_t k = 0; k < value_n; k++)
		if (value[k] < 0)
			return -1;
	all = either(&x);
	for (size_t at = 0; at <= value_n && !x.unknown && x.steps >= 0; at++)
		if (match(&x, all, at, NULL))
			return 1;
	return x.unknown || x.steps < 0 ? -1 : 0;
}
