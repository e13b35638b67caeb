/* hint.h - the words of a finding: a rule's template filled with what its events say. Private to cases/. */
#ifndef EVMEND_CASES_HINT_H
#define EVMEND_CASES_HINT_H

#include <stdint.h>

#include "base/buf.h"
#include "correlate/match.h"

#define HINT_VALUE_BYTES 200 /* of one value; the rest is cut with "..." */

/* {host}, {reporter}, {count} and {Field}; {{ and }} are braces; what the event lacks is "(unknown)". Values come from strangers:
 * control characters become blanks, line ends too. */
void hint_fill(const char *template, const struct match *m, uint64_t count, struct buf *to);
/* A SHA-1 thumbprint in the match's Thumbprint field (blanks and colons do not count). false: none. */
bool hint_thumbprint(const struct match *m, uint8_t to[static 20]);
uint16_t hint_port(const struct match *m); /* of its Endpoint field; 0: none */

#endif
