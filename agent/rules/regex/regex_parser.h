/* regex_parser.h - what the two halves of the parser share: regex_parse.c (structure) and regex_class.c (characters). */
#ifndef EVMEND_RULES_REGEX_PARSER_H
#define EVMEND_RULES_REGEX_PARSER_H

#include "rules/regex/regex_private.h"

struct parser {
	struct arena *temp;
	const char *s;
	size_t n, at, depth;
	unsigned flags; /* as they are at this place */
	struct regex_tree *to;
	struct chars *folds;
	bool failed;
	struct err *e;
};

/* The first problem counts; at: byte. Returns NULL. */
void *regex_fail(struct parser *p, size_t at, const char *what);
/* One character of the expression. false: no UTF-8, told. */
bool regex_next(struct parser *p, uint32_t *c);

enum escape { ESCAPE_BAD, ESCAPE_CHARACTER, ESCAPE_CLASS };
/* Behind a backslash (which stands at byte at): one character, or a class like \d in *set. */
enum escape regex_escape(struct parser *p, size_t at, uint32_t *c, struct chars *set);
/* From [ to behind ]: flags are applied. false: told. */
bool regex_class(struct parser *p, struct chars *set);
void regex_word(struct arena *a, struct chars *set); /* adds \w, ordered */

#endif
