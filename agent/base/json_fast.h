/* json_fast.h - for json_read.c alone. */
#ifndef EVMEND_BASE_JSON_FAST_H
#define EVMEND_BASE_JSON_FAST_H

#include <stddef.h>

struct json_t; /* jansson's */

/* A tree as jansson would make it with JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, or NULL: jansson has to look, at what is wrong or rare. The
 * text is not nested deeper than the stack bears; the caller has counted. */
struct json_t *json_fast(const char *text, size_t n);

#endif
