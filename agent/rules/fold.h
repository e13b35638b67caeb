/* fold.h - case folding that rules and events share: simple Unicode folding of the BMP (CaseFolding.txt, classes C and S). */
#ifndef EVMEND_RULES_FOLD_H
#define EVMEND_RULES_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t fold(uint32_t code_point);
/* One character from s (n > 0 bytes), *step is its length. A byte that is no UTF-8 is a character of its own, above 0x110000,
 * so that damaged text still equals itself. */
uint32_t fold_next(const char *s, size_t n, size_t *step, bool cased);

enum fold_how { FOLD_EQUAL, FOLD_PREFIX, FOLD_SUFFIX, FOLD_PART };
/* Is b equal to a, its beginning, its end, or a part of it? */
bool fold_holds(enum fold_how how, bool cased, const char *a, size_t an, const char *b, size_t bn);
/* The whole of s folded; to holds n + n / 2 bytes: no letter of two bytes folds to more than three, nor one of three. What is no
 * UTF-8 stays as it is. Returns the length. *high: a byte above 127 is in it. */
size_t fold_text(char *to, const char *s, size_t n, bool *high);
size_t fold_put(char to[static 4], uint32_t c); /* what fold_next gave, as bytes; returns how many */
/* Length of s without blanks (space, tab, CR, LF) at its end. */
size_t fold_trim(const char *s, size_t n);
size_t fold_blanks(const char *s, size_t n); /* of them at its beginning */

#endif
