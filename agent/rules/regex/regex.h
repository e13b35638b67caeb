/* regex.h - regular expressions whose cost is linear in the value, whatever the expression and whatever the value.
 *
 * The flavour is the part of PCRE2 that needs no memory of where it has been: literals, `.`, classes, \d \D \w \W \s \S, ^ $ \A
 * \z \Z \b \B, groups `(...)` and `(?:...)`, |, * + ? {n} {n,} {n,m} and their lazy forms (a lazy repeat finds the same values),
 * \n \r \t \f \e \a \xHH \x{H...}, and the flags i, m, s inside: `(?i)`, `(?im-s)`, `(?i:...)`.
 * - A search: it holds when any part of the value matches.
 * - One character is one Unicode scalar value. \d \w \s and \b know ASCII only, as PCRE2 without PCRE2_UCP.
 * - `.` is any character but a line feed; with s, any character. ^ is the start and $ the end, or before a line feed that ends
 *   the value; with m they also hold after and before each line feed.
 * - i compares with rules/fold.h, the simple folding of Unicode: all that folds to the same character is the same.
 * - A value should be UTF-8. As in rules/fold.h, a byte that is none is a character of its own; only `.` and negated classes
 *   match it.
 * Refused with the position and what to write instead: look-around, back references, possessive repeats, atomic and named groups,
 * conditions, recursion, \p, \R, \K, \G, \Q, POSIX classes, escapes of letters that mean nothing here; and what is too big
 * (limits.h). */
#ifndef EVMEND_RULES_REGEX_H
#define EVMEND_RULES_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum regex_flag { REGEX_I = 1, REGEX_M = 2, REGEX_S = 4 };

struct regex;

/* text: n bytes of UTF-8. The result lives in a and never changes: threads share it. NULL and *e when it is refused. */
const struct regex *regex_compile(struct arena *a, const char *text, size_t n, unsigned flags, struct err *e);

/* Allocates nothing. Steps: one for each byte for most expressions, at most LIMIT_REGEX_WORK words for each character else. */
bool regex_search(const struct regex *r, const char *value, size_t n);

/* What each matching value holds, told from the expression's tree: of each set, at least one of its texts is a part of the value
 * when both are folded with rules/fold.h (the texts are folded already; UTF-8, none is empty, none has a NUL inside).
 * So an index may pick any one set, look for its texts, and run the search only where one is found. The set whose shortest text
 * is the longest comes first; there are at most REGEX_SETS. None: nothing is certain, and every value must be searched. */
struct regex_set {
	const char *const *texts;
	size_t n;
};
#define REGEX_SETS 6
size_t regex_literals(const struct regex *r, const struct regex_set **sets);
size_t regex_least(const struct regex *r); /* characters that the shortest matching value has */

#endif
