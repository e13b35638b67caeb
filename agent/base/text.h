/* text.h - small questions about text that every room asks. ASCII unless a line says otherwise. */
#ifndef EVMEND_BASE_TEXT_H
#define EVMEND_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool text_same(const char *a, const char *b);                    /* case does not count */
bool text_same_n(const char *a, size_t an, const char *b, size_t bn);
bool text_starts(const char *s, const char *prefix);              /* case counts */
bool text_ends(const char *s, const char *suffix);                /* case counts */
bool text_has(const char *s, size_t n, const char *part);          /* case does not count */
char *text_copy(char *to, size_t n, const char *s);               /* cut to n-1 bytes, always ends with NUL; returns to */
void text_hex(char *to, const uint8_t *p, size_t n);              /* lower case; to holds 2n+1 */
bool text_unhex(uint8_t *to, size_t n, const char *s, size_t len); /* len must be 2n; either case */
size_t text_decimal(char to[static 24], int64_t v);               /* no NUL behind it; returns how many bytes */
bool text_int(const char *s, size_t n, int64_t *v);               /* decimal, whole text, no blanks; false on overflow */
void text_trim(const char **s, size_t *n);                          /* drops spaces, tabs, CR, LF at both ends */
bool text_url_user(const char *url); /* does the authority, behind "://", hold a user or a password (RFC 3986, 3.2)? An '@' in the path is none */
bool text_host_ok(const char *s); /* 1 to 255 of [A-Za-z0-9._-], does not start or end with '.' or '-' */
/* Length of the run at the start that is printable ASCII and DEL: nothing below a blank, nothing above 0x7f. */
size_t text_plain_run(const char *s, size_t n);
/* The nearest of names (ends with NULL) within two edits of s, or NULL: for "did you mean". */
const char *text_nearest(const char *s, const char *const *names);
/* "a, b, c" for a message; cut with "..." where n bytes do not hold all. Returns to. */
const char *text_list(char *to, size_t n, const char *const *names);
/* Length of the valid UTF-8 sequence at s (1..4), 0 when it is none (overlong, surrogate, cut short). */
size_t utf8_step(const char *s, size_t n, uint32_t *code_point);
/* How many of n bytes stand in `most` when no sequence is cut in its middle. */
size_t utf8_cut(const char *s, size_t n, size_t most);
size_t utf8_put(char to[static 4], uint32_t code_point); /* returns the length, 1..4 */

#endif
