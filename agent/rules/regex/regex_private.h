/* regex_private.h - how an expression becomes what regex_search runs. Private to rules/regex*.c and their tests.
 *
 *   text --regex_parse--> tree --regex_follow, regex_positions--> positions --regex_table--> table
 *
 * Positions (Glushkov 1961): each character set of the tree, repeats written out, is one state, and reading a character goes from a
 * set of positions to the set of those that may stand for it. The sets are words of bits. Where all sets that can occur are few,
 * each becomes a row of a table, and the positions are dropped.
 *
 * Assertions hold or not by what stands before and behind a place alone, so each is a mask of places (NEAR_ALL: all of them), and
 * so is everything that follows from them: the mask under which one position follows another is the intersection of the masks of
 * the assertions between. Nothing in the value has to be looked at twice. */
#ifndef EVMEND_RULES_REGEX_PRIVATE_H
#define EVMEND_RULES_REGEX_PRIVATE_H

#include <stdint.h>

#include "limits.h"
#include "rules/regex/regex.h"

/* -- regex_chars.c: sets of characters -- */
#define CHAR_DAMAGED 0x110000u /* stands for what is no UTF-8; the greatest character */

struct char_range {
	uint32_t from, to;
};
struct chars {
	struct char_range *r; /* ascending, neither touching nor overlapping, once chars_order was called */
	size_t n, cap;
};

void chars_add(struct arena *a, struct chars *c, uint32_t from, uint32_t to);
void chars_join(struct arena *a, struct chars *to, const struct chars *from);
void chars_order(struct chars *c);
void chars_negate(struct arena *a, struct chars *c); /* both want an ordered set and leave one */
void chars_fold(struct arena *a, struct chars *c, struct chars **folds); /* *folds: NULL at first, kept for the next call */
bool chars_have(const struct chars *c, uint32_t character);
bool chars_same(const struct chars *a, const struct chars *b);

/* -- places: what stands before (rows) and behind (columns) -- */
enum before { BEFORE_START, BEFORE_WORD, BEFORE_LINE, BEFORE_OTHER, BEFORE_KINDS };
enum behind { BEHIND_WORD, BEHIND_LINE, BEHIND_OTHER, BEHIND_LAST_LINE, BEHIND_END, BEHIND_KINDS };
#define NEAR_BIT(before, behind) (1u << ((unsigned)(before) * BEHIND_KINDS + (unsigned)(behind)))
#define NEAR_ALL ((1u << BEFORE_KINDS * BEHIND_KINDS) - 1)

/* -- regex_parse.c -- */
enum tree_kind { TREE_EMPTY, TREE_CHARS, TREE_NEAR, TREE_CHAIN, TREE_EITHER, TREE_REPEAT };
#define REPEAT_FREE UINT32_MAX

struct tree {
	enum tree_kind kind;
	uint16_t chars;         /* TREE_CHARS: index into regex_tree.chars */
	uint32_t near;          /* TREE_NEAR */
	uint32_t least, most;   /* TREE_REPEAT */
	struct tree *kid, *next; /* first of its own, and the one beside it */
	/* Of the whole subtree with repeats written out: characters, and characters and assertions; 0 is what holds anywhere. They
	 * stop counting above LIMIT_REGEX_POSITIONS. */
	size_t positions, size;
};

struct regex_tree {
	struct tree *root;
	const struct chars *chars[LIMIT_REGEX_SETS]; /* all different */
	size_t n;
	bool near; /* has an assertion */
};

bool regex_parse(struct arena *temp, const char *text, size_t n, unsigned flags, struct regex_tree *to, struct err *e);

/* -- regex_kinds.c: characters that no set tells apart are of one kind -- */
struct kinds {
	uint8_t of_byte[256]; /* a kind; KIND_LOOK above ASCII: ask kind_of */
	const struct kinds_above {
		uint32_t from; /* up to the next one's */
		uint8_t kind;
	} *above;
	size_t n_above, n;
	uint8_t before[LIMIT_REGEX_KINDS], behind[LIMIT_REGEX_KINDS]; /* enum before, enum behind; a line feed is BEHIND_LINE */
};
#define KIND_LOOK 255

/* sample: LIMIT_REGEX_KINDS, a character of each kind. */
bool regex_kinds(struct arena *a, struct arena *temp, const struct regex_tree *t, struct kinds *to, uint32_t *sample, struct err *e);
/* Of the character above ASCII that s begins with; *step is its length. As fold_next, a byte that is no UTF-8 is one of its own. */
uint8_t kind_of(const struct kinds *k, const char *s, size_t n, size_t *step);

/* -- regex_follow.c -- */
struct guarded { /* a set of positions under a mask of places */
	uint32_t near;
	uint64_t *set;
};
struct guards {
	struct guarded *g;
	size_t n, cap;
};
struct glushkov {
	size_t n, words;
	uint16_t *chars;         /* of each position: index into regex_tree.chars */
	uint64_t *follow;        /* words for each position: who may come next, anywhere */
	struct guards from, to;  /* the same at some places only: from g[i].set to g[i].set */
	struct guards first, last;
	uint32_t empty;
};
struct glushkov *regex_follow(struct arena *temp, const struct regex_tree *t, struct err *e); /* NULL: too big */

/* -- regex_positions.c: that relation in a form that is quick to step through -- */
struct jump { /* whoever is in from goes to all of to */
	uint32_t near;
	uint64_t *from, *to;
	size_t from_word, from_end, to_word, to_end; /* words outside are zero */
};
struct positions {
	size_t words;
	uint64_t *one, *two, *stay;  /* who goes to the next position, the one behind it, to itself */
	struct jump *jumps;          /* everything else */
	size_t n_jumps;
	uint16_t *jump_of;           /* those that lead anywhere for a kind, */
	uint32_t *jumps_from;        /* from here up to the next kind's */
	uint64_t *member;            /* words for each kind: who takes it */
	bool *begins;                /* of each kind: is it taken by any that begins, somewhere */
	uint64_t *first, *last;      /* who begins anywhere; whose end is a match */
	struct guards firsts, lasts; /* the same at some places only */
	uint32_t empty;              /* places where no character at all matches */
	uint8_t before_as[BEFORE_KINDS], behind_as[BEHIND_KINDS]; /* neighbours that no mask tells apart are one */
};

void regex_positions(struct arena *a, const struct glushkov *g, const struct regex_tree *t, const struct kinds *k,
	const uint32_t *sample, struct positions *to);
size_t positions_work(const struct positions *p); /* words that one step touches at most */
/* From set s at a place to set t, reading a character of the kind. false: t is empty. */
bool positions_step(const struct positions *p, const uint64_t *s, uint32_t place, size_t kind, uint64_t *t);
/* Has the expression matched when s was reached and this is the place? */
bool positions_match(const struct positions *p, const uint64_t *s, uint32_t place);

/* -- regex_table.c -- */
struct table {
	const uint16_t *cells; /* rows of n columns: each kind, a line feed that ends the value, the end */
	size_t rows;
	uint16_t n, start, match; /* rows by their first cell; 0 is the row that nothing leaves, match the one that has matched */
};
bool regex_table(struct arena *a, struct arena *temp, const struct positions *p, const struct kinds *k, struct table *to);

/* -- regex_literal.c -- */
size_t tree_least(const struct tree *t);
size_t tree_literals(struct arena *a, struct arena *temp, const struct regex_tree *t, const struct regex_set **to);

struct regex {
	struct kinds kinds;
	struct table table;         /* cells NULL: none */
	struct positions positions; /* without a table */
	const struct regex_set *literals;
	size_t n_literals, least;
};

#define REGEX_NO_TABLE 0x100u /* a flag of regex_compile for tests: keep to positions */

#endif
