/* regex_parse.c - the text of a regular expression becomes a tree.
 *
 * Why: what an expression means is settled here, once, at load time; everything behind works on the tree.
 * Promises: what it takes means what PCRE2 means by it; depth and size are bounded before anything is built.
 * Refuses: everything else, with the character's position and what to write instead. Nothing unknown is taken as a literal. */
#include <string.h>

#include "base/text.h"
#include "rules/regex/regex_parser.h"

static struct tree *parse_either(struct parser *p);

void *regex_fail(struct parser *p, size_t at, const char *what)
{
	size_t column = 1;

	for (size_t i = 0; i < at && i < p->n; i++)
		column += ((unsigned char)p->s[i] & 0xc0) != 0x80;
	if (!p->failed)
		err_set(p->e, ERR_RULES, "regular expression, character %zu: %s", column, what);
	p->failed = true;
	return NULL;
}

bool regex_next(struct parser *p, uint32_t *c)
{
	size_t step = utf8_step(p->s + p->at, p->n - p->at, c);

	if (step == 0)
		regex_fail(p, p->at, "this is no UTF-8; save the rule file as UTF-8");
	p->at += step;
	return step != 0;
}

static bool looking_at(const struct parser *p, const char *text)
{
	size_t n = strlen(text);

	return p->n - p->at >= n && memcmp(p->s + p->at, text, n) == 0;
}

static size_t capped(size_t n)
{
	return n > LIMIT_REGEX_POSITIONS ? LIMIT_REGEX_POSITIONS + 1 : n;
}

static struct tree *new_tree(struct parser *p, enum tree_kind kind)
{
	struct tree *t = arena_alloc(p->temp, sizeof *t);

	t->kind = kind;
	t->positions = kind == TREE_CHARS;
	t->size = kind == TREE_CHARS || kind == TREE_NEAR;
	return t;
}

/* A list of kids; one alone stands for itself. */
static struct tree *new_list(struct parser *p, enum tree_kind kind, struct tree *kids)
{
	struct tree *t;

	if (!kids)
		return new_tree(p, TREE_EMPTY);
	if (!kids->next)
		return kids;
	t = new_tree(p, kind);
	t->kid = kids;
	for (const struct tree *k = kids; k; k = k->next) {
		t->positions = capped(t->positions + k->positions);
		t->size = capped(t->size + k->size);
	}
	return t;
}

static struct tree *new_chars(struct parser *p, const struct chars *c)
{
	struct regex_tree *to = p->to;
	struct tree *t = new_tree(p, TREE_CHARS);
	size_t i = 0;

	while (i < to->n && !chars_same(to->chars[i], c))
		i++;
	if (i == to->n) {
		struct chars *keep = arena_alloc(p->temp, sizeof *keep);

		if (i == LIMIT_REGEX_SETS)
			return regex_fail(p, p->at, "the expression has too many different characters and classes; write several shorter ones");
		*keep = *c;
		to->chars[to->n++] = keep;
	}
	t->chars = (uint16_t)i;
	return t;
}

static struct tree *literal(struct parser *p, uint32_t c)
{
	struct chars set = {0};

	chars_add(p->temp, &set, c, c);
	if (p->flags & REGEX_I)
		chars_fold(p->temp, &set, &p->folds);
	return new_chars(p, &set);
}

static struct tree *any_character(struct parser *p)
{
	struct chars set = {0};

	if (!(p->flags & REGEX_S))
		chars_add(p->temp, &set, '\n', '\n');
	chars_negate(p->temp, &set);
	return new_chars(p, &set);
}

static struct tree *new_near(struct parser *p, uint32_t near)
{
	struct tree *t = new_tree(p, TREE_NEAR);

	p->to->near = true;
	t->near = near;
	return t;
}

static uint32_t places(unsigned befores, unsigned behinds)
{
	uint32_t near = 0;

	for (unsigned b = 0; b < BEFORE_KINDS; b++)
		for (unsigned h = 0; h < BEHIND_KINDS; h++)
			if (befores >> b & 1 && behinds >> h & 1)
				near |= NEAR_BIT(b, h);
	return near;
}

#define ANY_KIND 0xffu
#define START (1u << BEFORE_START)
#define END (1u << BEHIND_END)
#define LAST (END | 1u << BEHIND_LAST_LINE)
#define LINES (LAST | 1u << BEHIND_LINE)
#define WORD_BEFORE (1u << BEFORE_WORD)
#define WORD_BEHIND (1u << BEHIND_WORD)

/* ^ $ and the escapes; 0: none. With m, PCRE2 has no line begin behind a line feed that ends the value. */
static uint32_t assertion(char c, unsigned flags)
{
	switch (c) {
	case '^': return flags & REGEX_M ? places(START, ANY_KIND) | places(1u << BEFORE_LINE, ~END) : places(START, ANY_KIND);
	case '$': return flags & REGEX_M ? places(ANY_KIND, LINES) : places(ANY_KIND, LAST);
	case 'A': return places(START, ANY_KIND);
	case 'Z': return places(ANY_KIND, LAST);
	case 'z': return places(ANY_KIND, END);
	case 'b': return places(WORD_BEFORE, ~WORD_BEHIND) | places(~WORD_BEFORE, WORD_BEHIND);
	case 'B': return places(WORD_BEFORE, WORD_BEHIND) | places(~WORD_BEFORE, ~WORD_BEHIND);
	default: return 0;
	}
}

static struct tree *parse_escape(struct parser *p)
{
	size_t at = p->at++; /* the backslash */
	struct chars set = {0};
	uint32_t c, near;

	if (p->at == p->n)
		return regex_fail(p, at, "a backslash ends the expression; write \\\\ for a backslash");
	near = assertion(p->s[p->at], p->flags);
	if (near && p->s[p->at] != '^' && p->s[p->at] != '$') {
		p->at++;
		return new_near(p, near);
	}
	switch (regex_escape(p, at, &c, &set)) {
	case ESCAPE_CHARACTER: return literal(p, c);
	case ESCAPE_CLASS: return new_chars(p, &set);
	case ESCAPE_BAD: break;
	}
	return NULL;
}

/* Behind "(?": letters up to ) or :. true: it was a group of flags; *scoped: "(?i:", its group follows. */
static bool parse_flags(struct parser *p, size_t at, bool *scoped)
{
	unsigned flags = p->flags;
	bool off = false;

	for (; p->at < p->n; p->at++) {
		char c = p->s[p->at];
		unsigned bit = c == 'i' ? REGEX_I : c == 'm' ? REGEX_M : c == 's' ? REGEX_S : 0;

		if (c == ')' || c == ':') {
			*scoped = c == ':';
			p->at++;
			p->flags = flags;
			return true;
		}
		if (c == '-' && !off)
			off = true;
		else if (bit)
			flags = off ? flags & ~bit : flags | bit;
		else
			break;
	}
	regex_fail(p, at, "of the forms (?...) there are (?:...) and the flags i, m and s, as in (?i)");
	return false;
}

static struct tree *parse_group(struct parser *p)
{
	static const struct { const char *start, *text; } refused[] = {
		{"(?=", "look-ahead is not supported: it cannot be matched in linear time; write a second condition"},
		{"(?!", "look-ahead is not supported: it cannot be matched in linear time; write a second condition with 'not'"},
		{"(?<=", "look-behind is not supported: it cannot be matched in linear time; write what stands before as part of the expression"},
		{"(?<!", "look-behind is not supported: it cannot be matched in linear time; write a second condition with 'not'"},
		{"(?>", "atomic groups are not supported; write (?:...): no backtracking has to be saved here"},
		{"(?<", "named groups are not supported; write (...)"},
		{"(?P", "named groups are not supported; write (...)"},
		{"(?'", "named groups are not supported; write (...)"},
		{"(?#", "comments are not supported; put it into the rule's own text"},
		{"(?|", "branch resets are not supported; write (?:...)"},
		{"(?(", "conditions are not supported; write both alternatives with |"},
		{"(?R", "recursion is not supported: it cannot be matched in linear time"},
		{"(?&", "recursion is not supported: it cannot be matched in linear time"},
		{"(?^", "(?^ is not supported; name the flags, as in (?-i)"},
		{"(*", "verbs are not supported; for a literal ( write \\("},
	};
	unsigned flags = p->flags;
	size_t at = p->at;
	bool scoped = true;
	struct tree *t;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (looking_at(p, refused[i].start))
			return regex_fail(p, at, refused[i].text);
	if (looking_at(p, "(?")) {
		p->at += 2;
		if (!parse_flags(p, at, &scoped))
			return NULL;
		if (!scoped) /* to the end of the group that it stands in */
			return new_tree(p, TREE_EMPTY);
	} else {
		p->at++;
	}
	if (++p->depth > LIMIT_DEPTH)
		return regex_fail(p, at, "groups are nested too deep");
	t = parse_either(p);
	p->depth--;
	p->flags = flags;
	if (t && p->at == p->n)
		return regex_fail(p, at, "this group has no end; write ) or, for a literal (, \\(");
	p->at++;
	return t;
}

/* {n}, {n,}, {n,m}: its length, or 0 when the brace is a literal. */
static size_t bounds(const struct parser *p, uint32_t *least, uint32_t *most)
{
	const char *s = p->s + p->at + 1, *end = p->s + p->n, *start = s;
	uint32_t v[2] = {0, 0};
	bool comma = false, digits[2] = {false, false};

	for (; s < end && *s != '}'; s++) {
		if (*s == ',' && !comma) {
			comma = true;
		} else if (*s >= '0' && *s <= '9') {
			v[comma] = v[comma] > LIMIT_REGEX_POSITIONS ? v[comma] : v[comma] * 10 + (uint32_t)(*s - '0');
			digits[comma] = true;
		} else {
			return 0;
		}
	}
	if (s == end || (!digits[0] && !digits[1]))
		return 0;
	*least = digits[0] ? v[0] : REPEAT_FREE;
	*most = !comma ? v[0] : digits[1] ? v[1] : REPEAT_FREE;
	return (size_t)(s - start) + 2;
}

/* Length of a repeat at this place, 0: none. */
static size_t repeat(const struct parser *p, uint32_t *least, uint32_t *most)
{
	if (p->at == p->n)
		return 0;
	*least = p->s[p->at] == '+';
	*most = p->s[p->at] == '?' ? 1 : REPEAT_FREE;
	if (p->s[p->at] == '*' || p->s[p->at] == '+' || p->s[p->at] == '?')
		return 1;
	return p->s[p->at] == '{' ? bounds(p, least, most) : 0;
}

static struct tree *parse_atom(struct parser *p)
{
	uint32_t c, least, most;

	if (repeat(p, &least, &most))
		return regex_fail(p, p->at, "there is nothing to repeat; for the character itself write a backslash before it");
	switch (p->s[p->at]) {
	case '(': return parse_group(p);
	case '[': {
		struct chars set = {0};

		return regex_class(p, &set) ? new_chars(p, &set) : NULL;
	}
	case '\\': return parse_escape(p);
	case '.':
		p->at++;
		return any_character(p);
	case '^':
	case '$': return new_near(p, assertion(p->s[p->at++], p->flags));
	default: return regex_next(p, &c) ? literal(p, c) : NULL;
	}
}

static struct tree *parse_piece(struct parser *p)
{
	struct tree *t = parse_atom(p), *whole;
	uint32_t least, most;
	size_t at = p->at, n;

	if (!t || !(n = repeat(p, &least, &most)))
		return t;
	if (least == REPEAT_FREE)
		return regex_fail(p, at, "{,n} means different things to different engines; write {0,n}");
	if (t->kind == TREE_NEAR || t->kind == TREE_EMPTY)
		return regex_fail(p, at, "nothing that can be repeated stands before this; leave the repeat out");
	if (most < least)
		return regex_fail(p, at, "the bounds of this repeat are the wrong way round; write {least,most}");
	p->at += n;
	if (p->at < p->n && p->s[p->at] == '+')
		return regex_fail(p, at, "possessive repeats are not supported; leave the second + out");
	if (p->at < p->n && p->s[p->at] == '?')
		p->at++; /* lazy: finds the same values */
	if (repeat(p, &(uint32_t){0}, &(uint32_t){0}))
		return regex_fail(p, p->at, "a repeat of a repeat; put the first into a group (?:...)");
	if (most == 0)
		return new_tree(p, TREE_EMPTY);
	/* What has no characters can be written once as well as n times. */
	size_t copies = t->positions == 0 ? 1 : most != REPEAT_FREE ? most : least ? least : 1;

	whole = new_tree(p, TREE_REPEAT);
	*whole = (struct tree){.kind = TREE_REPEAT, .kid = t, .least = least, .most = most,
		.positions = capped(copies * t->positions), .size = capped(copies * t->size)};
	if (whole->size > LIMIT_REGEX_POSITIONS)
		return regex_fail(p, at, "this repeat is too big; use a smaller bound, or + where the number does not matter");
	return whole;
}

static struct tree *parse_chain(struct parser *p)
{
	struct tree *first = NULL, **tail = &first;

	while (p->at < p->n && p->s[p->at] != '|' && p->s[p->at] != ')') {
		*tail = parse_piece(p);
		if (!*tail)
			return NULL;
		if ((*tail)->kind == TREE_EMPTY)
			*tail = NULL;
		else
			tail = &(*tail)->next;
	}
	return new_list(p, TREE_CHAIN, first);
}

static struct tree *parse_either(struct parser *p)
{
	struct tree *first = NULL, **tail = &first;

	for (;;) {
		*tail = parse_chain(p);
		if (!*tail)
			return NULL;
		tail = &(*tail)->next;
		if (p->at == p->n || p->s[p->at] != '|')
			return new_list(p, TREE_EITHER, first);
		p->at++;
	}
}

bool regex_parse(struct arena *temp, const char *text, size_t n, unsigned flags, struct regex_tree *to, struct err *e)
{
	struct parser p = {.temp = temp, .s = text, .n = n, .flags = flags, .to = to, .e = e};

	*to = (struct regex_tree){0};
	if (n > LIMIT_REGEX_BYTES)
		regex_fail(&p, LIMIT_REGEX_BYTES, "the expression is too long; write several shorter ones");
	else
		to->root = parse_either(&p);
	if (!p.failed && p.at < n)
		regex_fail(&p, p.at, "no group is open here; for a literal ) write \\)");
	if (!p.failed && to->root->size > LIMIT_REGEX_POSITIONS)
		regex_fail(&p, 0, "the expression is too big with its repeats written out; use smaller bounds");
	return !p.failed;
}
