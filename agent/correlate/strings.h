/* strings.h - one copy of each text that matches keep. Equal texts are the same pointer. They live as long as the pool, or until it is
 * renewed: strings_renew empties it, whoever holds a text adds it again and keeps the new pointer, strings_renewed gives the rest back. */
#ifndef EVMEND_CORRELATE_STRINGS_H
#define EVMEND_CORRELATE_STRINGS_H

#include <stddef.h>

struct strings;

struct strings *strings_new(void);
void strings_free(struct strings *s);
void strings_renew(struct strings *s);
void strings_renewed(struct strings *s);
const char *strings_add(struct strings *s, const char *text);            /* NULL gives NULL */
const char *strings_add_n(struct strings *s, const char *text, size_t n);
size_t strings_bytes(const struct strings *s); /* with its origins */
struct origins *strings_origins(struct strings *s); /* origin.h */

#endif
